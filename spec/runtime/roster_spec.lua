local roster = require "runtime.roster"

describe("the roster of a config", function()
  it("takes a skill's name for an entry", function()
    assert.same({ { name = "beam", skill = "beam", mode = "on_demand" } }, roster.of({ "beam" }, "operators"))
    assert.same({ { name = "beam", skill = "beam", mode = "continuous" } }, roster.of({ "beam" }, "watchers"))
  end)

  it("calls a file by its name, where no other is given", function()
    local posts = roster.of({ { skill = "/srv/redis.lua" }, { name = "cache", skill = "/srv/redis.lua",
      mode = "continuous" } }, "operators")
    assert.same({ "redis", "on_demand", "cache", "continuous" },
      { posts[1].name, posts[1].mode, posts[2].name, posts[2].mode })
  end)

  for what, case in pairs {
    ["an entry that is a number"] = { { 7 }, "operators[1] must be a skill's name" },
    ["a field of another kind"] = { { { skill = "ets", model = "x" } }, "operators[1] knows no model" },
    ["an entry without a skill"] = { { { name = "ets" } }, "operators[1] wants a skill" },
    ["a mode that is none"] = { { { skill = "ets", mode = "sometimes" } }, "has a mode that is neither" },
    ["a name twice"] = { { "ets", { name = "ets", skill = "beam" } }, "operators[2] is called ets, as another one is" },
    ["a table that is no list"] = { { beam = true }, "operators has a field beam" },
  } do
    it("refuses " .. what, function()
      local posts, err = roster.of(case[1], "operators")
      assert.is_nil(posts)
      assert.truthy(tostring(err):find(case[2], 1, true), tostring(err))
      assert.equal(2, err.exit)
    end)
  end

  it("refuses a mode for a watcher", function()
    assert.matches("watchers%[1%] has a mode, and is always continuous", tostring(select(2,
      roster.of({ { skill = "ets", mode = "continuous" } }, "watchers"))))
  end)

  it("has a watch keep the watchers, and those of the operators that go on for ever", function()
    local posts = roster.standing { watchers = { "beam" }, operators = { "gc", { skill = "ets", mode = "continuous" },
      { skill = "beam", mode = "continuous" } } }
    assert.same({ { name = "beam", skill = "beam", mode = "continuous" },
      { name = "ets", skill = "ets", mode = "continuous" } }, posts)
    assert.same({}, roster.standing {})
  end)

  it("refuses what a watch would start again for ever: a skill that is not there", function()
    local posts, err = roster.standing { watchers = { "beam", "beem" } }
    assert.is_nil(posts)
    assert.equal("the watcher beem: there is no skill beem; did you mean beam?", tostring(err))
    assert.equal(2, err.exit)
    posts, err = roster.standing { operators = { { skill = "/nowhere/redis.lua", mode = "continuous" } } }
    assert.is_nil(posts)
    assert.matches("the watcher redis: cannot read /nowhere/redis.lua", tostring(err))
  end)

  it("says of a skill that is one of the examples how it is made one's own", function()
    local _, err = roster.standing { watchers = { "postgres" } }
    assert.matches("`beamlens%-run init skills/postgres.lua` makes it yours", tostring(err))
  end)

  it("leaves a skill that is a module to its node", function()
    assert.equal(1, #roster.standing { watchers = { "MyApp.RedisSkill" } })
  end)

  it("knows fields that are wrong", function()
    local _, err = roster.standing { operators = { 7 } }
    assert.matches("operators%[1%]", tostring(err))
  end)
end)
