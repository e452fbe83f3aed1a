-- The checks of memory on played answers: the edges that a live node does not hit twice the same way. That they
-- find what is really there, the gallery shows (spec/faults_spec.lua).
local played = require "spec.support.played_checks"
local with = played.with
local check, find = played.confirming "beam", played.of "beam"

describe("the checks of memory", function()
  local WATCHED = { pid = "<0.7.0>", name = "store", seconds = 2, samples = 160, queue_max = 0,
    statuses = { { status = "waiting", share_pct = 90 }, { status = "running", share_pct = 10 } },
    functions = { { current_function = "timer:sleep/1", share_pct = 90 } }, stack = { "timer:sleep/1", "app:store/1" },
    collections = 6, major_collections = 1, memory_kb_before = 40000, memory_kb = 60000,
    used_kb_floor_before = 30000, used_kb_floor = 42000 }
  local MEMORY = { seconds = 1.5, processes = {
    { pid = "<0.7.0>", name = "store", used_growth_kb = 9000, used_kb = 30000, message_queue = 0 } } }

  -- LATER is what a leak of that pace has made of it.
  local LATER = with(WATCHED, { used_kb_floor_before = 62000, used_kb_floor = 64000 })
  local function state(watched, later)
    return check("unbounded_state").confirm { MEMORY, with(WATCHED, watched), with(LATER, later) }
  end

  it("find the process that keeps more after each collection", function()
    local finding = state {}
    assert.same({ "store", "warning", "high" }, { finding.object, finding.severity, finding.confidence })
  end)

  it("are silent where collections brought the heap down again", function()
    assert.is_nil(state { used_kb_floor = 30100 })
  end)

  it("are silent where it is emptied again some seconds later", function()
    assert.is_nil(state({}, { used_kb_floor_before = 50000 }))
    assert.is_nil(state({}, { used_kb_floor = 50000 }))
  end)

  it("look a third time, and only where the close look saw it grow", function()
    local third = check("unbounded_state").look[3]
    assert.same({ "beam_watch_process", WATCHED.pid, 1500, after = 4 }, third { MEMORY, WATCHED })
    assert.is_nil(third { MEMORY, with(WATCHED, { used_kb_floor = WATCHED.used_kb_floor_before }) })
  end)

  it("leave growth in a mailbox to the checks of mailboxes", function()
    assert.is_nil(state { queue_max = 5000 })
    assert.is_nil(check("unbounded_state").look[2] { { processes = { with(MEMORY.processes[1],
      { message_queue = 5000 }) } } })
  end)

  it("say it under their breath of one that works without pause, or never collected", function()
    assert.equal("info", state { statuses = { { status = "running", share_pct = 100 } } }.severity)
    assert.equal("info", state { collections = 0 }.severity)
    assert.matches("may be garbage or a batch: it collected 0 times", state { collections = 0 }.hypothesis, 1, true)
  end)

  local function holders(o)
    return { seconds = 1.5, binary_mb_before = 94, binary_mb = 94, holders = 500, asked = 500, groups = { with({
      current_function = "app:proxy/0", process_count = 500, held_mb = 93, heap_mb = 1, idle_count = 500 }, o) } }
  end
  local function binaries(o)
    return check("binary_refs_held").confirm { holders(o), holders(o), { initial_call = "proxy:init/1" } }
  end

  it("find many idle holders of most of the binaries", function()
    assert.equal("app:proxy/0", binaries().object)
    assert.is_false(check("binary_refs_held").suspect { binary_memory_mb = 3 })
  end)

  it("find them by those that could be asked on a full node", function()
    local seen = with(holders { process_count = 50, held_mb = 9, heap_mb = 0.1, idle_count = 50 }, { asked = 50 })
    assert.equal("app:proxy/0", check("binary_refs_held").confirm { seen, seen, {} }.object)
    local others = with(holders { process_count = 50, held_mb = 1, heap_mb = 0.1, idle_count = 50 }, { asked = 50 })
    assert.is_nil(check("binary_refs_held").confirm { others, others, {} })
  end)

  it("call servers that hold them by what they were started as", function()
    assert.equal("proxy:init/1", binaries { current_function = "gen_server:loop/7" }.object)
    assert.equal("proxy:init/1", binaries { current_function = "erlang:hibernate/3" }.object)
  end)

  it("do not blame one holder, nor holders at work, nor few megabytes", function()
    local look = check("binary_refs_held").look[2]
    assert.is_nil(look { holders { process_count = 1, idle_count = 1 } })
    assert.is_nil(look { holders { idle_count = 20 } })
    assert.is_nil(look { holders { held_mb = 5 } })
    assert.is_nil(look { holders { heap_mb = 80 } })
  end)

  it("do not call it held where binary memory rises", function()
    local later = holders()
    later.binary_mb = 200
    assert.is_nil(check("binary_refs_held").confirm { holders(), later, {} })
  end)
end)

describe("the check for a dictionary that grows", function()
  local HEAP = { processes = { { pid = "<0.9.0>", name = "desk", used_growth_kb = 2000, message_queue = 0 } } }
  local ROW = { pid = "<0.9.0>", name = "desk", entries = 4000, entries_growth = 3000, dictionary_kb = 2000,
    dictionary_growth_kb = 1500 }
  local function look(row) return { seconds = 1.5, processes = { with(ROW, row) } } end

  it("names whose it is", function()
    assert.equal("desk", find("process_dictionary_growth", { HEAP, look(), look { entries = 7000 } }).object)
  end)

  it("leaves a state that grows beside a small dictionary to the check for states", function()
    local small = look { entries_growth = 0, dictionary_growth_kb = 0 }
    assert.same({ nil, 2 }, { find("process_dictionary_growth", { HEAP, small }) })
  end)

  it("looks no further at what we have on the node ourselves", function()
    local ours = { processes = { with(HEAP.processes[1], { current_function = "prim_eval:receive/2" }) } }
    assert.same({ nil, 1 }, { find("process_dictionary_growth", { ours }) })
  end)
end)
