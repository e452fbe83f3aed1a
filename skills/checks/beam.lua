--- What an expert looks for in the virtual machine, mailboxes apart (beam_mailboxes.lua): who
--- uses the CPU, what keeps growing, which limit is being filled. All checks share a few first
--- looks, made together; only what stands out in them gets a second, closer one.
---
--- The thresholds keep a node silent that merely works: growth counts when it goes on at the
--- second look, and what a collector, a batch or our own arrival makes in one window is gone
--- in the next. What fits no mechanism is reported as unexplained and accuses nobody.

local FIRST, CLOSE = 1500, 2000 -- milliseconds

local OVERVIEW = { "beam_overview", FIRST }
local GROUPS = { "beam_process_growth", FIRST }
local MEMORY = { "beam_memory_growth", FIRST, 10 }
local REDUCERS = { "beam_top_reducers_window", 10, FIRST }

local function module_of(func) return (func or ""):match "^'?([%w_%.]+)'?:" or "" end

local function object(row) return row.name or row.current_function or row.pid end

-- "processes[2].queue_growth" of a table.
local function read(value, path)
  for key in path:gmatch "[%w_]+" do
    if type(value) ~= "table" then return nil end
    value = value[tonumber(key) or key]
  end
  return value
end

-- Figures as path and value, read here so that what is cited is what was measured.
local function cite(results, cited)
  local figures = {}
  for _, c in ipairs(cited) do
    local value = read(results[c[1]], c[2])
    if value ~= nil then figures[#figures + 1] = { look = c[1], path = c[2], value = value } end
  end
  return figures
end

local function row_of(rows, key, value)
  for i, row in ipairs(rows or {}) do
    if row[key] == value then return row, i end
  end
end

-- How much of the time a watched process was in one of these states, in percent.
local function share(w, ...)
  local sum = 0
  for _, state in ipairs { ... } do
    local row = row_of(w.statuses, "status", state)
    sum = sum + (row and row.share_pct or 0)
  end
  return sum
end

local function step(text, risk) return { text = text, risk = risk or "SAFE" } end

local function always() return true end

local function watch(row) return row and { "beam_watch_process", row.pid, CLOSE } end

--- Processes -------------------------------------------------------------------------------

-- Where callers wait for an answer: processes that gather there are the symptom of another's trouble.
local CALLERS = { gen = true, gen_server = true, gen_statem = true, global = true, rpc = true, erpc = true }

local BORN_PER_SECOND = 10

-- The group that most of the newborn belong to, when they come faster than they go.
local function gathering(g)
  local group = g.groups[1]
  if not group or g.after - g.before < BORN_PER_SECOND * g.seconds or g.died > 0.2 * g.born then return nil end
  return group
end

local process_leak = {
  id = "process_leak", mechanism = "process_leak", suspect = always,
  expert = "The process count rises at two looks, few end, and the new ones stand in one function: nobody ends them.",
  look = {
    GROUPS,
    function(results) return gathering(results[1]) and { "beam_process_growth", CLOSE } end,
    function(results)
      local group = gathering(results[2])
      return group and (group.parent and { "beam_process_info", group.parent } or { "beam_get_processes" })
    end,
  },
  confirm = function(results)
    local now = results[2] and gathering(results[2])
    local was = now and row_of(results[1].groups, "current_function", now.current_function)
    if not was or CALLERS[module_of(now.current_function)] then return end
    local parent = type(results[3]) == "table" and results[3] or {}
    local spawner = now.parent_name or now.parent
    -- Links to all its children mean that somebody meant to look after them.
    if (parent.link_count or #(parent.links or {})) >= now.count then return end
    local sampled = 0
    for _, group in ipairs(results[2].groups) do sampled = sampled + group.count end
    if now.count < 0.5 * sampled then return end
    local rate = (results[2].after - results[2].before) / results[2].seconds
    return {
      object = now.current_function,
      figures = cite(results, { { 2, "before" }, { 2, "after" }, { 2, "seconds" }, { 2, "born" }, { 2, "died" },
        { 2, "groups[1].current_function" }, { 2, "groups[1].count" }, { 1, "before" }, { 1, "after" } }),
      severity = "critical", confidence = rate >= 50 and "high" or "medium",
      hypothesis = ("%d processes more every second (%d now), nearly all of them waiting in %s%s, and none ends: "
        .. "they wait for something that never comes."):format(rate, results[2].after, now.current_function,
        spawner and ", spawned by " .. spawner or ""),
      unlike = {
        many_processes_by_design = ("a large number stands still; this one went from %d to %d, then on to %d"):format(
          results[1].before, results[1].after, results[2].after),
        spawn_storm = ("short-lived processes end; of the newborn %d stayed and %d others ended"):format(
          results[2].born, results[2].died),
        link_leak = "their parent holds no links to them",
      },
      next_steps = {
        step(("find who spawns %s and what the process waits for; give that wait a timeout or a monitor"):format(
          now.current_function)),
        step("count them again: beam_process_groups(\"current_function\")"),
        step("end the orphans in groups, once it is known that nobody needs them", "DANGEROUS"),
      },
    }
  end,
}

--- Memory ----------------------------------------------------------------------------------

-- What a process must have gained in its heap before we look closer.
local GAIN_KB = 256

-- Not one whose mailbox is what grows.
local function growing_heap(results)
  for _, row in ipairs(results[1].processes) do
    local ours = object(row):find "^erpc:" -- another of our questions, at work
    if row.used_growth_kb >= GAIN_KB and row.message_queue < 100 and not ours then return row end
  end
end

local unbounded_state = {
  id = "unbounded_state", mechanism = "unbounded_state", suspect = always,
  expert = "One process whose heap in use grows at every look, through collections, with an empty mailbox.",
  look = { MEMORY, function(results) return watch(growing_heap(results)) end },
  confirm = function(results)
    local w = results[2]
    if not w or w.unavailable then return end
    local row, i = row_of(results[1].processes, "pid", w.pid)
    local gained = w.used_kb_floor - w.used_kb_floor_before
    if not row or w.queue_max >= 100 or gained < GAIN_KB or gained < 0.005 * w.used_kb_floor_before then return end
    local busy = share(w, "running", "runnable")
    -- Garbage looks like growth until it is collected, and a batch until it ends.
    local sure = w.collections >= 2 and busy < 80
    local at = ("processes[%d]."):format(i)
    local rate = gained / 1024 / (w.seconds * 2 / 3)
    return {
      object = w.name or object(row),
      figures = cite(results, { { 2, "used_kb_floor_before" }, { 2, "used_kb_floor" }, { 2, "memory_kb_before" },
        { 2, "memory_kb" }, { 2, "seconds" }, { 2, "collections" }, { 2, "queue_max" },
        { 1, at .. "used_growth_kb" }, { 1, at .. "used_kb" } }),
      severity = not sure and "info" or w.memory_kb > 1024 * 1024 and "critical" or "warning",
      confidence = not sure and "low" or w.major_collections > 0 and "high" or "medium",
      hypothesis = ("%s keeps more and more in its own memory: %.1f MB a second, %.0f MB now, and its mailbox is "
        .. "empty. What it stores it never throws away."):format(object(row), rate, w.memory_kb / 1024),
      unlike = {
        large_state_by_design = ("a large state stands still; the heap in use rose from %d to %d kB"):format(
          w.used_kb_floor_before, w.used_kb_floor),
        idle_garbage = ("it collected %d times while we looked, and what it used was more after it"):format(
          w.collections),
        slow_consumer = ("its mailbox never held more than %d messages"):format(w.queue_max),
        batch = ("a batch works without pause; this one ran in %d %% of the looks"):format(busy),
      },
      next_steps = {
        step(("see what %s adds to its state, and where it should remove it (now in %s)"):format(object(row),
          w.stack[#w.stack] or w.functions[1].current_function)),
        step("give the entries an age or a number at which they go", "CAUTION"),
        step("restarting it frees the memory and loses the state", "DANGEROUS"),
      },
    }
  end,
}

local HELD_MB = 16

-- Many idle processes that together hold most of the binary memory, with next to no heap.
local function idle_holders(b)
  for i, group in ipairs(b.groups) do
    if group.held_mb >= HELD_MB and group.held_mb >= 0.4 * b.binary_mb and group.process_count >= 10
      and group.idle_count >= 0.8 * group.process_count and group.held_mb >= 4 * group.heap_mb then
      return group, i
    end
  end
end

local binary_refs_held = {
  id = "binary_refs_held", mechanism = "binary_refs_held",
  expert = "Much binary memory, steady, referred to by many idle processes of tiny heaps: they never collect garbage.",
  suspect = function(snapshot) return (snapshot.binary_memory_mb or 0) >= HELD_MB end,
  look = {
    { "beam_binary_groups", 10, FIRST },
    function(results) return idle_holders(results[1]) and { "beam_binary_groups", 10, 1000 } end,
  },
  confirm = function(results)
    if not results[2] then return end
    local group, i = idle_holders(results[2])
    local was = group and row_of(results[1].groups, "current_function", group.current_function)
    if not was or results[2].binary_mb > 1.05 * results[1].binary_mb_before + 1 then return end
    local at = ("groups[%d]."):format(i)
    return {
      object = group.current_function,
      figures = cite(results, { { 2, at .. "held_mb" }, { 2, "binary_mb" }, { 2, at .. "process_count" },
        { 2, at .. "idle_count" }, { 2, at .. "heap_mb" }, { 1, "binary_mb_before" }, { 2, "seconds" } }),
      severity = group.held_mb >= 1024 and "critical" or "warning", confidence = "medium",
      hypothesis = ("%d processes waiting in %s hold on to %.0f MB of large binaries (of %.0f MB): %d of them did "
        .. "nothing at all while we looked, and an idle process never collects the references it no longer needs.")
        :format(group.process_count, group.current_function, group.held_mb, results[2].binary_mb, group.idle_count),
      unlike = {
        large_static_binary = ("a binary kept on purpose is held by no or one process; here %d share it"):format(
          group.process_count),
        sub_binary_pins_parent = ("there binary memory rises with every item; here it went from %.2f to %.2f MB")
          :format(results[1].binary_mb_before, results[2].binary_mb),
        unbounded_state = ("their heaps are %.2f MB in all"):format(group.heap_mb),
      },
      next_steps = {
        step("prove it: beam_binary_leak forces a collection and counts what was freed (--allow caution)", "CAUTION"),
        step("let the process hibernate after large messages, or set its fullsweep_after low", "CAUTION"),
        step("hand large binaries to short-lived workers"),
      },
    }
  end,
}

--- Atoms -----------------------------------------------------------------------------------

local ATOMS_PER_SECOND = 20

local function atoms_per_second(o) return (o.atom_count - o.atom_count_before) / o.seconds end

local atom_leak = {
  id = "atom_leak", mechanism = "atom_leak", suspect = always,
  expert = "The atom count rises at two looks; atoms are never freed. A high count that stands still is no fault.",
  look = {
    OVERVIEW,
    function(results)
      return atoms_per_second(results[1]) >= ATOMS_PER_SECOND and { "beam_atom_growth", CLOSE } or nil
    end,
  },
  confirm = function(results)
    local a = results[2]
    if not a or a.atoms_per_sec < ATOMS_PER_SECOND then return end
    -- A module brings its own atoms: then the modules are what leaks.
    if a.modules_loaded * 5 >= a.atom_count - a.atom_count_before then return end
    local first, second = a.makers[1], a.makers[2]
    local told = first and first.share_pct >= 70 and (not second or second.share_pct <= first.share_pct - 30)
    local hours = (a.atom_limit - a.atom_count) / a.atoms_per_sec / 3600
    local shape = a.shapes[1]
    return {
      object = told and ("atom_table (made by %s)"):format(object(first)) or "atom_table",
      figures = cite(results, { { 2, "atom_count_before" }, { 2, "atom_count" }, { 2, "atoms_per_sec" },
        { 2, "seconds" }, { 2, "atom_limit" }, { told and 2 or 1, told and "makers[1].share_pct" or "atom_count" },
        { 2, "shapes[1].shape" }, { 1, "atom_count_before" } }),
      severity = hours < 24 and "critical" or "warning", confidence = told and "high" or "medium",
      hypothesis = ("%d new atoms a second%s%s: the table of %d is full in about %s, and then the node stops at once.")
        :format(a.atoms_per_sec, shape and (", like %s"):format(shape.shape) or "",
        told and (", made by %s, which probably turns input into atoms"):format(object(first)) or "", a.atom_limit,
        hours < 1 and ("%d minutes"):format(math.ceil(hours * 60)) or ("%.1f hours"):format(hours)),
      unlike = {
        high_flat_atoms = ("a high count stands still; this one went from %d to %d in %.1f s"):format(
          a.atom_count_before, a.atom_count, a.seconds),
        module_leak = ("only %d modules were loaded meanwhile"):format(a.modules_loaded),
      },
      next_steps = {
        step(("look%s for list_to_atom and binary_to_atom on input; use the existing_atom forms"):format(
          told and " in " .. object(first) or "")),
        step("stop or slow that input until it is corrected", "CAUTION"),
        step("restart the node before the table is full: nothing else frees atoms", "DANGEROUS"),
      },
    }
  end,
}

--- CPU -------------------------------------------------------------------------------------

local SATURATED_PCT = 90
local HOT_PER_SECOND = 2000000 -- reductions; who works less and runs always is in native code or waits for a lock

-- Busy for reasons of their own: whoever uses them has the trouble.
local SERVANTS = { code_server = true, erl_prim_loader = true, logger_std_h_default = true, logger_proxy = true,
  user = true, standard_error = true, ["erts_literal_area_collector:start/0"] = true }

local function saturated(o)
  return o.utilization_pct >= SATURATED_PCT and math.max(o.run_queue, o.run_queue_before) >= 2 * o.schedulers_online
end

local hot_process = {
  id = "hot_process", mechanism = "hot_process", suspect = always,
  yields_to = { selective_receive_scan = "same", serialising_process = "same", slow_consumer = "same",
    cpu_saturation = "any" },
  expert = "One process that runs at every look and does most of the work, with an empty mailbox: it never blocks.",
  look = {
    REDUCERS,
    function(results)
      local first = results[1].processes[1]
      if not first or first.share_pct < 40 or first.rate_per_sec < HOT_PER_SECOND then return nil end
      return not SERVANTS[object(first)] and watch(first) or nil
    end,
  },
  confirm = function(results)
    local w = results[2]
    if not w or w.unavailable then return end
    local row, i = row_of(results[1].processes, "pid", w.pid)
    local busy, where = share(w, "running", "runnable"), w.functions[1].current_function
    if not row or busy < 90 or w.queue_max > 10 or w.reductions_per_sec < HOT_PER_SECOND then return end
    if where:find("^erlang:re_run") or where:find "^re:" then return end
    local at = ("processes[%d]."):format(i)
    return {
      object = w.name or object(row),
      figures = cite(results, { { 2, "statuses[1].status" }, { 2, "statuses[1].share_pct" },
        { 2, "reductions_per_sec" }, { 2, "seconds" }, { 2, "functions[1].current_function" }, { 2, "queue_max" },
        { 1, at .. "share_pct" } }),
      severity = "warning", confidence = "medium",
      hypothesis = ("%s never blocks: it ran in %d %% of %d looks, always in %s, and takes a whole scheduler for "
        .. "itself (%d million reductions a second)."):format(object(row), busy, w.samples,
        w.stack[#w.stack] or where, w.reductions_per_sec / 1000000),
      unlike = {
        selective_receive_scan = ("its mailbox is empty (%d at most)"):format(w.queue_max),
        cpu_saturation = ("the work is not spread: it did %d %% of it alone"):format(row.share_pct),
        bounded_batch_job = ("a batch ends by itself; this one was as busy at the second look, %.1f s on; "
          .. "only a longer watch can rule a long batch out"):format(w.seconds),
        serialising_process = "nobody's requests wait at it",
      },
      next_steps = {
        step(("look at the loop in %s: what should make it wait, or end?"):format(w.stack[1] or where)),
        step("look again in some minutes, to tell a loop from a long batch"),
        step("ending the process frees the scheduler, and loses what it was doing", "DANGEROUS"),
      },
    }
  end,
}

local cpu_saturation = {
  id = "cpu_saturation", mechanism = "cpu_saturation", suspect = always,
  expert = "All schedulers full, a long run queue at two looks, the work spread over many equal processes.",
  look = {
    OVERVIEW,
    function(results) return saturated(results[1]) and { "beam_busy_groups", 10 } or nil end,
  },
  confirm = function(results)
    local o, b = results[1], results[2]
    local group = b and b.groups[1]
    if not group or b.busy_min < 3 * b.schedulers_online then return end
    -- Who waits for a lock uses a scheduler and gets nothing done.
    if group.priority ~= "normal" or o.reductions_per_sec < 500000 * o.schedulers_online then return end
    local told, limited = group.share_pct >= 50, o.schedulers_online < o.schedulers
    return {
      object = told and group.app_function or "schedulers",
      figures = cite(results, { { 1, "utilization_pct" }, { 1, "run_queue" }, { 1, "schedulers_online" },
        { 1, "seconds" }, { 2, "busy_min" }, { 2, "busy_max" }, { 2, "run_queue" },
        { 2, "groups[1].app_function" }, { 2, "groups[1].share_pct" } }),
      severity = "critical", confidence = limited and "low" or told and "high" or "medium",
      hypothesis = ("All %d schedulers are busy (%d %%) and %d processes want to run at once%s: there is more work "
        .. "than CPU, and nothing limits how much is started."):format(o.schedulers_online, o.utilization_pct,
        b.busy_max, told and (", %d %% of them in %s"):format(group.share_pct, group.app_function) or ""),
      unlike = {
        hot_process = ("one busy process fills one scheduler; here never less than %d were busy"):format(b.busy_min),
        priority_inversion = ("they run at priority %s"):format(group.priority),
        ets_contention = ("waiting for a lock gets no work done; here %.1f million reductions a second were"):format(
          o.reductions_per_sec / 1000000),
        schedulers_limited = ("%d of %d schedulers are online"):format(o.schedulers_online, o.schedulers),
      },
      next_steps = {
        step(("find what starts so much of %s at once"):format(told and group.app_function or "this work")),
        step("limit how many run at a time (a pool, a queue), or spread the work over more nodes", "CAUTION"),
      },
    }
  end,
}

--- What none of them explains ----------------------------------------------------------------

local UNEXPLAINED_MB = 8 -- a second

local function gained(o) return o.processes_mb - o.processes_mb_before + o.binary_mb - o.binary_mb_before end

local unexplained_memory = {
  id = "unexplained_memory", mechanism = "other", suspect = always, yields_to = { ["*"] = "any" },
  expert = "Memory that rises at two looks with no cause in sight: say so, and accuse nobody.",
  look = {
    OVERVIEW,
    function(results)
      local o = results[1]
      return gained(o) >= UNEXPLAINED_MB * o.seconds and { "beam_overview", CLOSE } or nil
    end,
  },
  confirm = function(results)
    local o, again = results[1], results[2]
    if not again or gained(again) < UNEXPLAINED_MB * again.seconds then return end
    return {
      object = "memory", severity = "warning", confidence = "low",
      figures = cite(results, { { 2, "total_mb_before" }, { 2, "total_mb" }, { 2, "binary_mb" }, { 2, "processes_mb" },
        { 2, "seconds" }, { 1, "total_mb_before" } }),
      hypothesis = ("Processes and binaries grew by %d MB in one look and by %d MB in the next, and no check knows "
        .. "why."):format(gained(o), gained(again)),
      unlike = {}, next_steps = { step "look at beam_memory_growth over ten seconds: who gains?" },
    }
  end,
}

local unexplained_load = {
  id = "unexplained_load", mechanism = "other", suspect = always, yields_to = { ["*"] = "any" },
  expert = "Schedulers without rest and no cause in sight: say so, and accuse nobody.",
  look = cpu_saturation.look,
  confirm = function(results)
    local o, b = results[1], results[2]
    if not b or b.busy_min < 2 * b.schedulers_online then return end
    return {
      object = "schedulers", severity = "warning", confidence = "low",
      figures = cite(results, { { 1, "utilization_pct" }, { 1, "run_queue" }, { 1, "reductions_per_sec" },
        { 1, "seconds" }, { 2, "busy_min" }, { 2, "busy_max" }, { 2, "groups[1].app_function" } }),
      hypothesis = ("The schedulers are full (%d %%) and %d processes want to run, and no check knows why."):format(
        o.utilization_pct, b.busy_max),
      unlike = {}, next_steps = { step "look at beam_busy_groups again: who is there each time?" },
    }
  end,
}

return {
  process_leak, unbounded_state, binary_refs_held, atom_leak, cpu_saturation, hot_process, unexplained_memory,
  unexplained_load,
}
