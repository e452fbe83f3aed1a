-- The rules of thumb of `health`: at their limits, and what they lead to.

local knowledge = require "runtime.knowledge"
local rules = require "runtime.health.rules"
local script = require "runtime.commands.script"
local skill = require "runtime.skill"

-- A node that is well, in figures.
local function well()
  return {
    memory = { processes_mb = 100 }, machine = { used_pct = 10 },
    processes = { process_count = 50, process_limit = 1000, port_count = 5, port_limit = 100 },
    atoms = { atom_count = 9000, atom_limit = 1000000 }, ets = { table_count = 20 }, table_limit = 8192,
    schedulers = { schedulers_online = 4, run_queue = 0, run_queue_before = 0, utilization_pct = 5,
      dirty_cpu_pct = 0, dirty_io_pct = 0 },
    top_by_memory = { processes = { { pid = "<0.5.0>", memory_kb = 1000 } } },
    top_by_mailbox = { processes = { { pid = "<0.9.0>", message_queue = 3 } } },
  }
end

local function found(change)
  local of = well()
  change(of)
  local by_what = {}
  for _, one in ipairs(rules.judge(of)) do by_what[one.what] = one end
  return by_what, rules.judge(of)
end

describe("a rule of thumb", function()
  it("says of a node that is well that it is, and has nothing to run", function()
    local _, list = found(function() end)
    for _, one in ipairs(list) do assert.same({ one.what, "ok", {} }, { one.what, one.state, one.next }) end
    assert.same({ "no", {} }, { rules.overloaded(list), rules.commands(list) })
  end)

  for _, case in ipairs {
    { "processes", function(of, x) of.processes.process_count = x * 10 end, 79.9, 80, 90, load = false },
    { "ports", function(of, x) of.processes.port_count = x end, 79, 80, 90, load = false },
    { "atoms", function(of, x) of.atoms.atom_count = x * 10000 end, 79.9, 80, 90, load = false },
    { "memory of the machine", function(of, x) of.machine.used_pct = x end, 79.9, 80, 90, load = true },
    { "memory of the container", function(of, x) of.machine.cgroup_used_pct = x end, 79.9, 80, 90, load = true },
    { "schedulers", function(of, x) of.schedulers.utilization_pct = x end, 69.9, 70, 90, load = true },
    { "dirty CPU schedulers", function(of, x) of.schedulers.dirty_cpu_pct = x end, 69.9, 70, 90, load = true },
    { "dirty IO schedulers", function(of, x) of.schedulers.dirty_io_pct = x end, 69.9, 70, 90, load = true },
    { "the longest mailbox", function(of, x) of.top_by_mailbox.processes[1].message_queue = x end, 999, 1000, 10000,
      load = true },
    { "run queue of a scheduler", function(of, x)
      of.schedulers.run_queue, of.schedulers.run_queue_before = x * 4, x * 4
    end, 1.5, 2, 10, load = true },
    { "the oldest job that waits", function(of, x) of.oban = { oldest_available_s = x } end, 59, 60, 600,
      load = true },
  } do
    it(("of %s is kept below its limit and broken at it"):format(case[1]), function()
      local states, overloaded = {}, {}
      for i = 3, 5 do
        local by_what, list = found(function(of) case[2](of, case[i]) end)
        states[#states + 1] = by_what[case[1]].state
        overloaded[#overloaded + 1] = rules.overloaded(list)
      end
      assert.same({ "ok", "attention", "bad" }, states)
      assert.same(case.load and { "no", "perhaps", "yes" } or { "no", "no", "no" }, overloaded)
    end)
  end

  it("of tables is never bad, for there is no limit but memory", function()
    assert.equal("attention", found(function(of) of.ets.table_count = 80000 end)["ETS tables"].state)
  end)

  it("of a queue looks at both looks, for one may be a breath", function()
    assert.equal("ok", found(function(of) of.schedulers.run_queue = 400 end)["run queue of a scheduler"].state)
  end)

  it("of the largest process holds where processes take enough to matter", function()
    local name = "the largest process, of all processes' memory"
    local function with(mb)
      return found(function(of)
        of.memory.processes_mb, of.top_by_memory.processes[1].memory_kb = mb, mb * 512
      end)[name]
    end
    assert.is_nil(with(199))
    assert.same({ "attention", 50, "<0.5.0>" }, { with(200).state, with(200).figure, with(200).whose.pid })
  end)

  it("names the process in what to run next, as sh takes it", function()
    local by_what = found(function(of)
      of.top_by_mailbox.processes[1] = { pid = "<0.9.0>", message_queue = 20000 }
    end)
    assert.equal("call beam_process_info '<0.9.0>'", by_what["the longest mailbox"].next[1])
  end)

  it("has nothing run that a node gives out as a pid", function()
    local by_what = found(function(of)
      of.top_by_mailbox.processes[1] = { pid = "<0.9.0>'; id #", message_queue = 20000 }
    end)
    assert.equal([[call beam_process_info '<0.9.0>'\''; id #']], by_what["the longest mailbox"].next[1])
  end)

  it("puts what is bad before what wants attention, each command once", function()
    local _, list = found(function(of)
      of.processes.process_count, of.schedulers.utilization_pct, of.schedulers.dirty_io_pct = 850, 95, 95
    end)
    assert.same({ "call beam_top_reducers_window", "explain schedulers", "call beam_scheduler_utilization",
      "explain dirty_io_exhausted", "call beam_process_groups", "coordinator.lua --skills beam,sup" },
      rules.commands(list))
  end)

  it("without its figure is unknown, and so is whether the node is overloaded", function()
    local by_what, list = found(function(of) of.schedulers = nil end)
    assert.same({ "unknown", "unknown" }, { by_what.schedulers.state, rules.overloaded(list) })
  end)

  it("says of a node that had no turn for us that it is bad", function()
    local _, list = found(function(of) of.starved = true end)
    assert.equal("yes", rules.overloaded(list))
  end)

  it("leads to commands that there are", function()
    local callbacks, wrong = {}, {}
    for _, name in ipairs(skill.names()) do
      for _, called in ipairs(skill.callable(assert(skill.open(name)))) do callbacks[called] = true end
    end
    for _, rule in ipairs(rules.LIST) do
      assert.is_true(#rule.source > 0 and #rule.next > 0, rule.what)
      for _, command in ipairs(rule.next) do
        local word, about = command:match "^(%S+) ?(%S*)"
        local there = word == "call" and callbacks[about] or word == "explain" and knowledge.of(about)
          or word:find "%.lua$" and script.find(word)
        if not there then wrong[#wrong + 1] = command end
      end
    end
    assert.same({}, wrong)
  end)
end)
