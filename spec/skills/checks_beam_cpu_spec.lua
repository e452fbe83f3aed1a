-- The checks of CPU and schedulers on played answers: the edges that a live node does not hit twice the same way. That
-- they find what is really there, the gallery shows (spec/faults_spec.lua).
local played = require "spec.support.played_checks"
local with = played.with
local check, found = played.confirming "beam"

local function at_work(running, waiting)
  return { { status = "running", share_pct = running }, { status = "waiting", share_pct = waiting } }
end

local WATCHED = { pid = "<0.7.0>", name = "loop", seconds = 2, samples = 160, queue_max = 0, queue_min = 0,
  memory_kb = 20, reductions_per_sec = 40000000, statuses = at_work(98, 2), stack = { "app:loop/1" },
  functions = { { current_function = "app:loop/1", share_pct = 100 } } }
local ROW = { pid = "<0.7.0>", name = "loop", share_pct = 99, rate_per_sec = 40000000, reductions = 200000000 }
local REDUCERS = { seconds = 1.5, processes = { ROW } }

describe("the checks of a busy process", function()
  local function hot(o, later)
    return found({ "hot_process" }, { REDUCERS, with(WATCHED, o), with(with(WATCHED, o), later) })
  end
  local function close(id, o) return check(id).confirm { REDUCERS, with(WATCHED, o) } end
  local function third(row, o)
    return check("hot_process").look[3] { { processes = { with(ROW, row) } }, with(WATCHED, o) }
  end

  it("find the one that never blocks", function() assert.same({ "hot_process" }, hot()) end)

  it("are silent on one that is done at the last look, or rests then", function()
    assert.same({}, hot({}, { statuses = at_work(0, 100), reductions_per_sec = 0 }))
    assert.same({}, hot({}, { statuses = at_work(60, 40) }))
  end)

  it("wait for the last look until it has been at it for longer than a batch that somebody waits for", function()
    assert.equal(10, third().after)
    assert.equal(3, third({ reductions = 9e12 }).after)
  end)

  it("do not wait for who rests, serves a queue, or is better explained", function()
    assert.is_nil(third({}, { statuses = at_work(60, 40) }))
    assert.is_nil(third({}, { queue_max = 500 }))
    assert.is_nil(third { share_pct = 320 })
    assert.is_nil(third({}, { functions = { { current_function = "erlang:re_run_trap/3", share_pct = 98 } } }))
  end)

  it("tell a regular expression from a loop by where it stands", function()
    assert.equal("loop", close("regex_backtracking", { functions = {
      { current_function = "erlang:re_run_trap/3", share_pct = 98 } } }).object)
    assert.is_nil(close "regex_backtracking")
  end)

  it("tell what appends to a list by the looks in ++", function()
    local function at(share, memory_kb)
      return close("string_building", { memory_kb = memory_kb or 300,
        functions = { { current_function = "app:text/2", share_pct = 100 - share },
        { current_function = "erlang:++/2", share_pct = share } } })
    end
    assert.equal("loop", at(15).object)
    assert.is_nil(at(2))
    assert.is_nil(at(15, 16000))
  end)

  local COLLECTS = { seconds = 1.5, schedulers = 2, schedulers_online = 2, utilization_pct = 9, dirty_cpu_pct = 27,
    gcs_per_sec = 206, gc_mb_per_sec = 1400, top_reducers = { with(ROW, { memory_kb = 16000 }) } }

  it("find the one that only collects, by the dirty schedulers at work for it", function()
    assert.equal("loop", check("gc_thrash").confirm({ COLLECTS, with(WATCHED, { memory_kb = 16000 }) }).object)
    assert.is_table(check("gc_thrash").look[2] { COLLECTS })
  end)

  it("find it on a node that is full otherwise, where it has its turn and no more", function()
    local full = with(COLLECTS, { utilization_pct = 100, run_queue = 11, run_queue_before = 11 })
    assert.equal("loop", check("gc_thrash_beside").confirm({ REDUCERS, with(WATCHED, { memory_kb = 16000 }),
      full }).object)
    assert.is_nil(check("gc_thrash_beside").look[3] { REDUCERS, WATCHED })
  end)

  it("take neither native code nor a loop with garbage for that", function()
    local look = check("gc_thrash").look[2]
    assert.is_nil(look { with(COLLECTS, { gc_mb_per_sec = 1 }) })
    assert.is_nil(look { with(COLLECTS, { utilization_pct = 50 }) })
    assert.is_nil(look { with(COLLECTS, { top_reducers = { with(ROW, { memory_kb = 300 }) } }) })
  end)

  it("look no closer when nobody stands out", function()
    local look = check("hot_process").look[2]
    assert.is_nil(look { { processes = {} } })
    assert.is_nil(look { { processes = { with(ROW, { share_pct = 90, rate_per_sec = 5000 }) } } })
    assert.is_nil(look { { processes = { with(ROW, { share_pct = 10 }), with(ROW, { share_pct = 9,
      rate_per_sec = 36000000 }) } } })
  end)

  it("look closely at who does twice what anybody else does, however little of all that is on many cores", function()
    local other = with(ROW, { pid = "<0.8.0>", share_pct = 4, rate_per_sec = 18000000 })
    local rows = { with(ROW, { share_pct = 9 }), other }
    assert.equal("<0.7.0>", check("hot_process").look[2] { { processes = rows } }[2])
    assert.is_nil(check("hot_process_beside").look[2] { { processes = rows } })
  end)

  -- Six of a kind without a name, and one that has one.
  local function crowd(one)
    local rows = { with(ROW, { name = "desk", pid = "<0.9.0>", share_pct = 14, rate_per_sec = one }) }
    for i = 1, 6 do rows[i + 1] = { pid = ("<0.%d.0>"):format(20 + i), share_pct = 14, rate_per_sec = 6000000 } end
    table.sort(rows, function(a, b) return a.rate_per_sec > b.rate_per_sec end)
    return { { processes = rows } }
  end

  it("look at the one with a name among many of a kind, where it gets as much as they do", function()
    local look = check("hot_process_beside").look[2]
    assert.equal("<0.9.0>", look(crowd(5900000))[2])
    assert.is_nil(look(crowd(600000)))
  end)

  it("let a saturated node explain who does most of its work", function()
    assert.equal("any", check("hot_process").yields_to.cpu_saturation)
  end)
end)

describe("the checks of saturation", function()
  local OVERVIEW = { seconds = 1.5, utilization_pct = 100, run_queue = 79, run_queue_before = 80, schedulers = 2,
    schedulers_online = 2, reductions_per_sec = 90000000 }
  local FULL = { seconds = 2, schedulers = 2, schedulers_online = 2, run_queue_before = 79, run_queue = 79,
    process_count = 124, looked_at = 124, max_before = 0, max = 0, high_before = 0, high = 0, normal_before = 80,
    normal = 80, reductions_per_sec = 90000000, sampled = 20,
    groups = { { app_function = "app:work/1", share_pct = 100, process_count = 20, names = {} } } }
  local RAISED = { normal_before = 5, normal = 5, high_before = 4, high = 4, run_queue = 7, run_queue_before = 7 }
  local function full(o, overview)
    local p = with(FULL, o)
    return found({ "cpu_saturation", "unexplained_load" }, { with(OVERVIEW, overview), p, p })
  end
  -- As each way has its looks.
  local function first_look(id, o)
    local p = with(FULL, o)
    return check(id).confirm { p, OVERVIEW, p }
  end
  local function starved(id, o)
    local p = with(FULL, o)
    return check(id).confirm { p, p }
  end

  it("find work that is more than the schedulers", function()
    assert.same({ "cpu_saturation", "other" }, full())
    assert.equal("app:work/1", check("cpu_saturation").confirm({ OVERVIEW, FULL, FULL }).object)
    assert.equal("app:work/1", first_look("cpu_saturation_first").object)
    assert.equal("app:work/1", starved("cpu_saturation_starved").object)
  end)

  it("do not take a queue for it where the schedulers rest in between", function()
    assert.same({}, full({}, { utilization_pct = 58 }))
  end)

  it("name the schedulers where the work is of many kinds", function()
    local many = { groups = { { app_function = "app:a/0", share_pct = 20, process_count = 4, names = {} } } }
    assert.equal("schedulers", first_look("cpu_saturation_first", many).object)
  end)

  it("find it by the run queue alone on a node of very many processes", function()
    local vast = { looked_at = 0, normal = 0, normal_before = 0, groups = {} }
    assert.equal("schedulers", first_look("cpu_saturation_first", vast).object)
  end)

  it("weigh what was looked at by its part of all", function()
    local half = with(RAISED, { process_count = 124, looked_at = 70, high_before = 2, high = 2, schedulers_online = 3 })
    assert.equal("app:work/1", starved("priority_inversion", half).object)
    assert.is_nil(starved("priority_inversion", with(half, { looked_at = 124 })))
    assert.is_nil(starved("priority_inversion", with(half, { looked_at = 60 })))
  end)

  it("tell work at high priority from it, and name where that stands", function()
    assert.same({ "other" }, full(RAISED))
    assert.is_nil(starved("cpu_saturation_starved", RAISED))
    assert.is_nil(starved("priority_inversion"))
    assert.equal("app:work/1", starved("priority_inversion", RAISED).object)
    assert.is_nil(starved("priority_inversion", with(RAISED, { high_before = 1 })))
  end)

  it("accuse nobody where a lock explains it as well", function()
    assert.same({ "other" }, full { reductions_per_sec = 300000 })
  end)

  it("are silent when it was over before the second look", function()
    assert.is_nil(check("cpu_saturation").confirm { OVERVIEW, FULL, with(FULL, { run_queue = 0 }) })
    assert.is_nil(check("cpu_saturation").confirm { OVERVIEW, FULL, with(FULL, { normal_before = 2 }) })
  end)

  it("look no closer when one of two schedulers is busy, or the queue is short", function()
    local look = check("cpu_saturation").look[2]
    assert.is_nil(look { with(OVERVIEW, { utilization_pct = 50 }) })
    assert.is_nil(look { with(OVERVIEW, { run_queue = 1, run_queue_before = 1 }) })
  end)

  -- As many started as the schedulers can bear, and who starts them.
  local STORM = with(FULL, { spawned_per_sec = 250000, normal = 5, normal_before = 5 })
  local function busiest(func)
    return { processes = { { pid = "<0.7.0>", current_function = "app:other/1", rate_per_sec = 9000000 },
      { pid = "<0.8.0>", current_function = func, name = "dealer", rate_per_sec = 2000000 },
      { pid = "<0.9.0>", current_function = "gen_server:loop/7", name = "shop", rate_per_sec = 20 } } }
  end

  it("find a storm of processes, and who starts them", function()
    local look = check("spawn_storm").look
    assert.same({ "beam_top_reducers_window", 20, 1500 }, look[4] { OVERVIEW, STORM, STORM })
    local starting = busiest "erlang:spawn/1"
    assert.same({ "beam_process_info", "<0.8.0>" }, look[5] { OVERVIEW, STORM, STORM, starting })
    local finding = check("spawn_storm").confirm { OVERVIEW, STORM, STORM, starting,
      { pid = "<0.8.0>", stack = { "erlang:spawn/1", "app:deal/1" }, reductions = 1 } }
    assert.equal("app:deal/1", finding.object)
  end)

  it("take one with a name for who starts them, where nobody is seen at it", function()
    local look = check("spawn_storm").look[5]
    assert.same({ "beam_process_info", "<0.8.0>" }, look { OVERVIEW, STORM, STORM, busiest "app:deal/1" })
  end)

  it("take as many on a node that has room for what they are", function()
    assert.is_nil(check("spawn_storm").look[4] { with(OVERVIEW, { utilization_pct = 40 }), STORM, STORM })
    assert.is_nil(check("spawn_storm").look[4] { OVERVIEW, STORM, with(STORM, { spawned_per_sec = 900 }) })
  end)

  it("ask the node nothing that waits with everybody where work at high priority holds it", function()
    assert.is_nil(check("cpu_saturation_first").look[2] { with(FULL, RAISED) })
    assert.is_true(check("priority_inversion").holds { with(FULL, RAISED) })
    assert.is_false(check("priority_inversion").holds { FULL })
  end)

  it("are urgent where the snapshot waited in vain or shows a long run queue", function()
    local urgent = check("priority_inversion").urgent
    assert.is_true(urgent { starved = true })
    assert.is_true(urgent { scheduler_run_queue = 4, schedulers_online = 2 })
    assert.is_false(urgent { scheduler_run_queue = 3, schedulers_online = 2 })
  end)

  it("look in one way each, by what the snapshot says", function()
    local function suspected(snapshot)
      local ids = {}
      for _, id in ipairs { "cpu_saturation", "cpu_saturation_first", "cpu_saturation_starved" } do
        if check(id).suspect(snapshot) then ids[#ids + 1] = id end
      end
      return ids
    end
    assert.same({ "cpu_saturation_starved" }, suspected { starved = true, scheduler_run_queue = 9 })
    assert.same({ "cpu_saturation_first" }, suspected { scheduler_run_queue = 4, schedulers_online = 2 })
    assert.same({ "cpu_saturation" }, suspected { scheduler_run_queue = 0, schedulers_online = 2 })
  end)
end)

describe("the checks of the schedulers", function()
  local OVERVIEW = { seconds = 1.5, utilization_pct = 88, run_queue = 12, run_queue_before = 9, schedulers = 4,
    schedulers_online = 1, dirty_cpu_pct = 0, dirty_io_pct = 100, dirty_io_queue = 30, dirty_io_queue_before = 28 }
  local SCHEDULERS = { schedulers = 4, schedulers_online = 1, cores = 4, cpu_quota = 4 }

  it("find that fewer are online than may be used", function()
    assert.equal("schedulers_online", check("schedulers_limited").confirm({ OVERVIEW, SCHEDULERS }).object)
  end)

  it("take a quota, or a machine with fewer cores, for the reason", function()
    assert.is_nil(check("schedulers_limited").confirm { OVERVIEW, with(SCHEDULERS, { cpu_quota = 1 }) })
    assert.is_nil(check("schedulers_limited").confirm { OVERVIEW, with(SCHEDULERS, { cores = 1 }) })
  end)

  it("do not ask where those that are online have room", function()
    local look = check("schedulers_limited").look[2]
    assert.is_nil(look { with(OVERVIEW, { utilization_pct = 20, run_queue = 0 }) })
    assert.is_table(look { OVERVIEW })
  end)

  it("explain more work than CPU by it", function()
    assert.equal("any", check("cpu_saturation").yields_to.schedulers_limited)
  end)

  local GROUPS = { busy_min = 40, groups = { { app_function = "app:write/1", share_pct = 100, process_count = 40 } } }

  it("find the dirty ones taken, and who takes them", function()
    assert.equal("app:write/1", check("dirty_io_exhausted").confirm({ OVERVIEW, GROUPS }).object)
    assert.is_table(check("dirty_io_exhausted").look[2] { OVERVIEW })
  end)

  it("do not ask where nobody waits for one, or they rest", function()
    local look = check("dirty_io_exhausted").look[2]
    assert.is_nil(look { with(OVERVIEW, { dirty_io_queue = 0 }) })
    assert.is_nil(look { with(OVERVIEW, { dirty_io_pct = 60 }) })
    assert.is_nil(check("dirty_cpu_exhausted").look[2] { OVERVIEW })
  end)
end)
