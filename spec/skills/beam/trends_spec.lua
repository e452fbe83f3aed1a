-- What was kept of a live node, and what is seen of it now.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local beam = assert(skill.open "beam")

local function by(rows, key, value)
  for _, row in ipairs(rows) do if row[key] == value then return row end end
end

describe("beam skill, trends", function()
  local at, eval

  setup(function()
    at = live.start()
    eval = at.eval
    live.test(function() crowd.load(at) end)()
  end)

  teardown(function() live.stop_all() end)

  describe("beam_trends", function()
    it("tells over what was kept which figures only rose, how fast, and how long that was", live.test(function()
      local function look(age, ets, processes)
        local kept = assert(at.node.query(beam.queries.figures))
        kept.ets_mb, kept.process_count = ets, processes
        return { age = age, value = kept }
      end
      local kept = { look(120, 0.1, 90000), look(60, 0.2, 10), look(30, 0.3, 50000) }
      local node = { query = at.node.query, sleep = function() error "it should not wait" end,
        history = function(metric) return metric == "figures" and kept
          or { { age = 120, value = assert(at.node.query(beam.queries.mailboxes)) } } end }
      local trends = assert(skill.call(beam, "beam_trends", { 5 }, node))
      assert.same({ 120, 4, 12, 12 }, { trends.seconds, trends.looks, trends.total, #trends.figures })
      local ets, processes = by(trends.figures, "figure", "ets_mb"), by(trends.figures, "figure", "process_count")
      assert.near(eval "erlang:memory(ets)." / 2 ^ 20, ets.last, 0.1)
      assert.near((ets.last - 0.1) / 2, ets.per_minute, 0.01)
      assert.same({ 0.1, 0.1, 3, 0 }, { ets.first, ets.lowest, ets.rose, ets.fell })
      assert.same({ 90000, 10, 90000, 1, 2 },
        { processes.first, processes.lowest, processes.highest, processes.rose, processes.fell })
    end))

    it("looks twice where nothing was kept", live.test(function()
      local slept = 0
      local node = { query = at.node.query, sleep = function(seconds)
        slept = slept + seconds
        eval "whereis(pond) =:= undefined andalso crowd:deaf(pond, 40), ok."
      end }
      local trends = assert(skill.call(beam, "beam_trends", { 5 }, node))
      eval "crowd:stop(pond)."
      assert.same({ 2, 2, 2 }, { trends.seconds, trends.looks, slept })
      assert.equal(eval "erlang:system_info(process_count)." , by(trends.figures, "figure", "process_count").first)
    end))
  end)

  it("counts the mailboxes for what is kept of them, every one once", live.test(function()
    eval "crowd:deaf(pond, 20000), crowd:deaf(puddle, 1001), crowd:deaf(drop, 5)."
    local kept = assert(at.node.query(beam.queries.mailboxes))
    eval "crowd:stop(pond), crowd:stop(puddle), crowd:stop(drop)."
    assert.same({ 3, 21006, 20000, 2, 1, 3 }, { kept.nonempty, kept.total, kept.longest, kept.over_1000,
      kept.over_10000, #kept.queues })
    assert.same({ 20000, 1001, 5 }, { kept.queues[1].size, kept.queues[2].size, kept.queues[3].size })
  end))
end)
