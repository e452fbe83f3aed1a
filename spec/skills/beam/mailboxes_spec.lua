-- Mailboxes on a live node.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local beam = assert(skill.open "beam")
local between, find = crowd.between, crowd.find

describe("beam skill, mailboxes", function()
  local at, callback, eval

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(beam, at.node)
    live.test(function()
      crowd.load(at)
      eval "crowd:deaf(sink, 50000), true."
    end)()
  end)

  teardown(function() live.stop_all() end)

  it("lists the mailboxes over a threshold, longest first", live.test(function()
    eval "crowd:deaf(pond, 300), crowd:deaf(puddle, 299)."
    local q = callback.beam_queue_processes(299)
    assert.same({ 2, 2, "sink", 50000, "pond", 300 }, { q.total, q.showing, q.processes[1].name,
      q.processes[1].message_queue, q.processes[2].name, q.processes[2].message_queue })
    eval "crowd:stop(pond), crowd:stop(puddle)."
  end))

  it("adds all mailboxes up", live.test(function()
    eval "crowd:deaf(pond, 1001), crowd:deaf(puddle, 1000)."
    local q = callback.beam_queue_stats()
    assert.same({ 52001, 3, 2, 1, 50000, "sink" }, { q.total_queued_messages, q.processes_with_queues,
      q.processes_with_large_queues, q.processes_with_critical_queues, q.max_queue_size, q.max_queue_process.name })
    eval "crowd:stop(pond), crowd:stop(puddle)."
  end))

  it("tells a growing mailbox from a long one, and names what it gained", live.test(function()
    eval "crowd:deaf(drain, 10), crowd:every(tap, 5, fun() -> [drain ! drop || _ <- lists:seq(1, 10)] end)."
    local function length() return eval "element(2, process_info(whereis(drain), message_queue_len))." end
    local low = length()
    local growth = callback.beam_queue_growth(300, 5)
    local high = length()
    eval "crowd:stop(tap), crowd:stop(drain)."
    local row, still = growth.processes[1], find(growth.processes, "sink")
    assert.equal("drain", row.name)
    assert.equal(row.final_queue - row.initial_queue, row.queue_growth)
    between(low, row.initial_queue, row.final_queue - 10)
    between(row.initial_queue, row.final_queue, high)
    assert.same({ 0, 50000, 50000 }, { still.queue_growth, still.initial_queue, still.final_queue })
    between(0.3, growth.seconds, 60)
  end))
end)
