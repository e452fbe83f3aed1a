-- The sampler on a live node. A spec polls for what it did and never waits for a time to pass.
local live = require "spec.support.live_node"
local sampler = require "runtime.sampler"
local skill = require "runtime.skill"
local until_true = require "spec.support.until_true"

local function text(name, queries)
  return ([[return { name = %q, title = "t", about = "a", prompt = "p", uses = { "history" }, queries = { %s },
    keep = { "kept" }, snapshot = "kept", callbacks = {} }]]):format(name, queries)
end

local function load(name, queries) return assert(skill.load(text(name, queries), name .. ".lua")) end

local function wait_for(what) until_true("what the sampler was to do", what) end

describe("sampler", function()
  local at, going

  local function start(...)
    going = sampler.start(at.node, { ... })
    return going
  end

  setup(function() at = live.start() end)
  after_each(live.test(function() going:stop() end))
  teardown(function() live.stop_all() end)

  it("remembers the answers of the queries that skills keep, again and again", live.test(function()
    start(load("counting", [[kept = "erlang:system_info(atom_count)."]]))
    wait_for(function() return #at.node.past:look("counting", "kept", 1) >= 2 end)
    going:stop()
    local last = at.node.past:look("counting", "kept", 1)
    assert.near(at.eval "erlang:system_info(atom_count).", last[#last].value, 200)
  end))

  it("asks a text that two skills keep once for both", live.test(function()
    start(load("left", [[kept = "make_ref()."]]), load("right", [[kept = "make_ref()."]]))
    wait_for(function() return going.asked >= 1 end)
    going:stop()
    assert.equal(at.node.past:look("left", "kept", 1)[1].value, at.node.past:look("right", "kept", 1)[1].value)
  end))

  it("asks at low priority", live.test(function()
    start(load("modest", [[kept = "element(2, process_info(self(), priority))."]]))
    wait_for(function() return going.asked >= 1 end)
    assert.equal("low", tostring(at.node.past:look("modest", "kept", 1)[1].value))
  end))

  it("counts an error, remembers nothing of it, and asks the others", live.test(function()
    start(load("broken", [[kept = "1 / 0."]]), load("whole", [[kept = "1."]]))
    wait_for(function() return going.asked >= 2 end)
    assert.is_true(going.failed >= 1)
    assert.same({}, at.node.past:look("broken", "kept", 1))
    assert.equal(1, at.node.past:look("whole", "kept", 1)[1].value)
  end))

  it("ends at once when the run does, and takes back the question that is out", live.test(function()
    start(load("endless", [[kept = "register(endless_question, self()), receive never -> ok end."]]))
    wait_for(function() return at.eval "is_pid(whereis(endless_question))." end)
    going:stop()
    assert.is_true(going.task.finished)
    wait_for(function() return at.eval "whereis(endless_question) =:= undefined." end)
  end))

  it("leaves a beat out while the node is down, and asks nothing then", live.test(function()
    local calls = at.node.load.calls
    at.node.state = "down"
    start(load("absent", [[kept = "1."]]))
    at.node.state = "up"
    assert.same({ 0, 0, 1, calls }, { going.asked, going.failed, going.skipped, at.node.load.calls })
  end))

  it("leaves the others for the next beat after a slow answer, and begins with them", live.test(function()
    local node = { query = at.node.query, state = "up" } -- without a history nothing goes on by itself
    going = sampler.start(node, { load("slow", [[kept = "receive after 1001 -> slow end."]]),
      load("quick", [[kept = "quick."]]) })
    node.past = at.node.past
    assert.is_false(going:beat())
    assert.same({ 1, 1, 0 }, { going.asked, going.skipped, #at.node.past:look("quick", "kept", 1) })
    assert.is_false(going:beat())
    assert.equal(1, #at.node.past:look("quick", "kept", 1))
  end))

  it("leaves what was dear out of many beats, and never of more than nine", live.test(function()
    local function query(asked, ...)
      return asked:find "cheap" and "cheap" or at.node.query(asked, ...) -- in no time, however busy the machine
    end
    local node = { query = query, state = "up" }
    going = sampler.start(node, { load("dear", [[kept = "receive after 210 -> dear end."]]),
      load("cheap", [[kept = "cheap."]]) })
    node.past = at.node.past
    local counts = {}
    for beat = 1, 12 do
      assert.is_false(going:beat())
      counts[beat] = ("%d %d"):format(#at.node.past:look("dear", "kept", 1), #at.node.past:look("cheap", "kept", 1))
    end
    assert.same({ "1 1", "1 2", "1 3", "1 4", "1 5", "1 6", "1 7", "1 8", "1 9", "1 10", "2 11", "2 12" }, counts)
  end))

  it("asks nothing where no skill keeps anything", live.test(function()
    local s = load("quiet", [[kept = "1."]])
    s.keep = nil
    assert.is_nil(start(s).task)
  end))

  it("counts in what the run cost the node", live.test(function()
    local calls, reductions = at.node.load.calls, at.node.load.reductions
    start(load("costly", [[kept = "length(lists:seq(1, 100000))."]]))
    wait_for(function() return going.asked >= 1 end)
    assert.is_true(at.node.load.calls > calls)
    assert.is_true(at.node.load.reductions > reductions + 1000)
  end))
end)
