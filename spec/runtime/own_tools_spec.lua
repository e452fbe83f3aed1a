-- Tools of the user's own, used by an operator of a live node; only the model is played.
local async = require "runtime.async"
local beamlens = require "runtime.beamlens"
local edited = require "spec.support.edited"
local gate = require "runtime.gate"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local operator = require "runtime.operator"
local own_tools = require "runtime.own_tools"
local reload = require "runtime.reload"

local calls, results = model.calls, model.results

local BIGGEST = [[
return {
  name = "biggest", doc = "The largest tables.", skills = { "ets" },
  parameters = { type = "object", properties = { limit = { type = "integer", minimum = 1 } }, required = { "limit" } },
  run = function(look, args)
    local answer, why = look("ets_top_tables", args.limit)
    if not answer then return nil, why end
    return { count = #answer.tables, tables = answer.tables }
  end,
}
]]

describe("runtime.own_tools", function()
  local at, unwatch

  setup(function() at = live.start() end)
  teardown(live.stop_all)

  before_each(function() edited.open() end)
  after_each(function()
    if unwatch then async.run(unwatch) end
    unwatch = nil
    edited.close()
  end)

  local function run(skill, turns)
    local skills, provider = assert(beamlens.skills { skill }), model.played(turns)
    unwatch = reload.begin { node = at.node, skills = skills }
    local report = assert(operator.run {
      node = at.node, skill = skills[1], mind = model.mind { [skill] = provider }, gate = gate.new {},
      deadline = async.now() + 60,
    })
    return report, provider
  end

  local function offered(request)
    local names = {}
    for _, tool in ipairs(request.tools) do names[tool.name] = true end
    return names
  end

  local DONE = { calls { "done" }, calls { "done" } }

  local function refusal(text, name)
    edited.save(("tools/%s.lua"):format(name or "biggest"), text)
    local list, err = own_tools.open()
    assert.is_nil(list)
    return (tostring(err):gsub("^" .. edited.path "tools/", ""))
  end

  it("are offered to operators of their skill, and to no other", live.test(function()
    edited.save("tools/biggest.lua", BIGGEST)
    local report, provider = run("ets", DONE)
    assert.is_true(offered(provider.asked[1]).biggest)
    assert.matches("^%x+$", report.versions.tools.biggest)
    unwatch()
    report, provider = run("gc", DONE)
    assert.is_nil(offered(provider.asked[1]).biggest)
    assert.same({}, report.versions.tools)
  end))

  it("look with the callbacks of the skill, and can be cited", live.test(function()
    edited.save("tools/biggest.lua", BIGGEST)
    local answer
    local report = run("ets", {
      calls({ "take_snapshot" }, { "biggest", { limit = 2 } }),
      function(request)
        answer = results(request)[2].data
        return calls { "send_notification", {
          type = "t", context = "c", observation = "two tables", severity = "info", snapshot_ids = { "o1" },
          evidence = { { observation = answer.observation, path = "count", value = 2 } },
        } }
      end,
      calls { "done" },
    })
    assert.same({ 2, { "ets_top_tables" } }, { answer.result.count, answer.callbacks })
    assert.equal("two tables", report.notifications[1].observation)
  end))

  it("have their arguments checked as ours have", live.test(function()
    edited.save("tools/biggest.lua", BIGGEST)
    local told
    run("ets", { calls { "biggest", { limit = 0 } }, function(request)
      told = told or json.decode(results(request)[1].text).error
      return calls { "done" }
    end })
    assert.matches("^biggest: limit must be 1 at least, not 0", told)
  end))

  it("reach no further than the gate lets the operator", live.test(function()
    edited.save("tools/leaks.lua", [[return { name = "leaks", doc = "d",
      run = function(look) return look("beam_binary_leak", 5) end }]])
    local told
    run("beam", { calls { "leaks" }, function(request)
      told = told or json.decode(results(request)[1].text).error
      return calls { "done" }
    end })
    assert.matches("%-%-allow caution", told)
  end))

  it("tell a fault with the line in their file", live.test(function()
    edited.save("tools/odd.lua", 'return { name = "odd", doc = "d", run = function(look)\n  return look.x.y\nend }')
    local told
    run("ets", { calls { "odd" }, function(request)
      told = told or json.decode(results(request)[1].text).error
      return calls { "done" }
    end })
    assert.matches("^odd failed: " .. edited.path "tools/odd.lua" .. ":2: ", told)
  end))

  it("come, change and go while an operator runs", live.test(function()
    local told
    local _, provider = run("ets", {
      function()
        edited.until_told("reload.loaded", function() edited.save("tools/biggest.lua", BIGGEST) end)
        return calls { "think", { thought = "one" } }
      end,
      function()
        told = edited.until_told("reload.rejected", function() edited.save("tools/biggest.lua", "return {}") end)
        return calls { "biggest", { limit = 1 } }
      end,
      function()
        edited.until_told("reload.loaded", function() edited.remove "tools/biggest.lua" end)
        return calls { "think", { thought = "two" } }
      end,
      unpack(DONE),
    })
    local seen = {}
    for i = 1, 4 do seen[i] = offered(provider.asked[i]).biggest or false end
    assert.same({ false, true, true, false }, seen)
    assert.matches("tools/biggest.lua: name must be biggest, as its file", told.reason)
    assert.is_true(results(provider.asked[3])[1].ok)
  end))

  it("are refused with file and what is missing", function()
    assert.equal("biggest.lua: must return a table; correct it, or move the file away", refusal "return 5")
    for pattern, cases in pairs {
      ["name must be biggest, as its file"] = { 'name = "biggest"', 'name = "largest"' },
      ["doc must be a text"] = { 'doc = "The largest tables.",', "" },
      ["run must be a function"] = { "run = function.-\n  end,", "run = 5," },
      ["knows no colour"] = { "doc = ", 'colour = "red", doc = ' },
      ["parameters.limit.type must be"] = { '"integer"', '"int"' },
      ["parameters.required: there is no limmit"] = { '{ "limit" }', '{ "limmit" }' },
    } do
      assert.matches("^biggest.lua: " .. pattern, refusal((BIGGEST:gsub(cases[1], cases[2]))))
    end
    assert.matches("^biggest.lua:%d+: ", refusal((BIGGEST:gsub("return {", "return {{", 1))))
  end)

  it("never replace one of ours", function()
    assert.equal("execute.lua: execute is a tool of ours, which none replaces; correct it, or move the file away",
      refusal((BIGGEST:gsub("biggest", "execute")), "execute"))
  end)
end)
