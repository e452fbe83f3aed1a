-- Which watchers of a node run, as the config is edited; with nodes and skills: spec/watch_watchers_spec.
local async = require "runtime.async"
local watchers = require "runtime.watchers"

describe("the watchers of a node", function()
  local began, ended

  before_each(function() began, ended = {}, {} end)

  -- Runs until its task is cancelled, and takes a moment then, as one that leaves its node does.
  local function start(post)
    began[#began + 1] = post.name
    async.sleep(60)
    async.shield(function() async.sleep(0.02) end)
    ended[#ended + 1] = post.name
    return nil, "it was asked to leave"
  end

  local function posts(...)
    local list = {}
    for i, name in ipairs { ... } do list[i] = { name = name } end
    return list
  end

  local function numbered(many)
    local names = {}
    for i = 1, many do names[i] = ("w%02d"):format(i) end
    return names
  end

  local function with(fn)
    return function()
      async.run(function()
        local w = watchers.new { node = { name = "shop" }, start = start, alert = error }
        fn(w)
        w:stop()
      end)
    end
  end

  it("are those of the newest list, where one comes while they leave who were of the list before", with(function(w)
    w:set(posts("a", "b", "c"))
    local first = async.spawn(w.set, w, {})
    w:set(posts("b", unpack(numbered(20))))
    assert.same({ true }, { first:join() })
    table.sort(ended)
    assert.same({ "a", "b", "c" }, ended)
    assert.same({ "a", "b", "c", "b", unpack(numbered(20)) }, began)
  end))

  it("are not started again by a list that comes after their end", with(function(w)
    w:set(posts "a")
    w:stop()
    w:set(posts("a", "b"))
    assert.same({ { "a" }, { "a" } }, { began, ended })
  end))
end)
