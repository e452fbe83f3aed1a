--- What an expert looks for in the virtual machine: what keeps growing, and which limit is being
--- filled. Mailboxes and the CPU have files of their own beside this one. All checks share a few
--- first looks, made together; only what stands out in them gets a second, closer one.
---
--- The thresholds keep a node silent that merely works: growth counts when it goes on at the
--- second look, and what a collector, a batch or our own arrival makes in one window is gone
--- in the next. What fits no mechanism is reported as unexplained and accuses nobody.

local words = ...
local module_of, object, cite, row_of, share, step, always =
  words.module_of, words.object, words.cite, words.row_of, words.share, words.step, words.always

local FIRST, CLOSE = 1500, 2000 -- milliseconds

local OVERVIEW = { "beam_overview", FIRST }
local GROUPS = { "beam_process_growth", FIRST }
local MEMORY = { "beam_memory_growth", FIRST, 10 }

local function watch(row) return row and { "beam_watch_process", row.pid, CLOSE } end

--- Processes -------------------------------------------------------------------------------

-- Where callers wait for an answer: processes that gather there are the symptom of another's
-- trouble. And the servers of opened files: what gathers there is files.
local NOT_THEMSELVES = { gen = true, gen_server = true, gen_statem = true, global = true, rpc = true, erpc = true,
  file_io_server = true }

local BORN_PER_SECOND = 10
local OURS = 8 -- our own questions come and go as well

-- The group that most of the newborn belong to, when they come faster than they go.
local function gathering(g)
  local group = g.groups[1]
  if not group or g.after - g.before < BORN_PER_SECOND * g.seconds or g.died > 0.2 * g.born + OURS then return nil end
  return group
end

local GATHERING = {
  GROUPS,
  function(results) return gathering(results[1]) and { "beam_process_growth", CLOSE } end,
  function(results)
    local group = gathering(results[2])
    local here = group and group.parent and group.parent:find "^<0%." -- of another node's nothing can be asked
    return group and (here and { "beam_process_info", group.parent } or { "beam_get_processes" })
  end,
}

--- Why processes gather: nobody ends them, their parent keeps them, or something unknown.
local function gathering_word(results)
  local now = gathering(results[2])
  local was = now and row_of(results[1].groups, "current_function", now.current_function)
  if not was then return nil end
  local sampled = 0
  for _, group in ipairs(results[2].groups) do sampled = sampled + group.count end
  if NOT_THEMSELVES[module_of(now.current_function)] or now.count < 0.5 * sampled then return "other", now end
  -- Links to all its children mean that their parent meant to look after them.
  return (results[3].link_count or 0) >= results[2].born and "link_leak" or "process_leak", now
end

local function gathering_check(id, word, expert, tell)
  return {
    id = id, mechanism = word, suspect = always, expert = expert, look = GATHERING,
    yields_to = word == "other" and { ["*"] = "any" } or nil,
    confirm = function(results)
      local found, now = gathering_word(results)
      if found ~= word then return end
      local rate = (results[2].after - results[2].before) / results[2].seconds
      local finding = tell(results, now, rate)
      finding.object = finding.object or now.current_function
      finding.figures = cite(results, { { 2, "before" }, { 2, "after" }, { 2, "seconds" }, { 2, "born" },
        { 2, "died" }, { 2, "groups[1].current_function" }, { 2, "groups[1].count" }, { 1, "before" }, { 1, "after" },
        { 3, "link_count" } })
      finding.severity = finding.severity or "critical"
      finding.since = word == "link_leak" and words.since(results[3].link_count, rate) or nil
      finding.confidence = finding.confidence or rate >= 50 and "high" or "medium"
      return finding
    end,
  }
end

local function stands_still(results)
  return ("a large number stands still; this one went from %d to %d, then on to %d"):format(results[1].before,
    results[1].after, results[2].after)
end

local function they_stay(results)
  return ("short-lived processes end; of the newborn %d stayed and %d others ended"):format(results[2].born,
    results[2].died)
end

local process_leak = gathering_check("process_leak", "process_leak",
  "The process count rises at two looks, few end, and the new ones stand in one function: nobody ends them.",
  function(results, now, rate)
    local spawner = now.parent_name or now.parent
    return {
      hypothesis = ("%d processes more every second (%d now), nearly all of them waiting in %s%s, and none ends: "
        .. "they wait for something that never comes."):format(rate, results[2].after, now.current_function,
        spawner and ", spawned by " .. spawner or ""),
      unlike = { many_processes_by_design = stands_still(results), spawn_storm = they_stay(results),
        link_leak = ("their parent has %d links, far from one to each of them"):format(results[3].link_count or 0) },
      next_steps = {
        step(("find who spawns %s and what the process waits for; give that wait a timeout or a monitor"):format(
          now.current_function)),
        step "count them again: beam_process_groups(10, \"current_function\")",
        step("end the orphans in groups, once it is known that nobody needs them", "DANGEROUS"),
      },
    }
  end)

local link_leak = gathering_check("link_leak", "link_leak",
  "The process count rises at two looks, and one process is linked to all the new ones: it never lets its children go.",
  function(results, now, rate)
    local spawner = now.parent_name or now.parent
    return {
      object = spawner,
      hypothesis = ("%s starts %d processes a second, stays linked to all of them (%d links) and none ends: they wait "
        .. "in %s."):format(spawner, rate, results[3].link_count, now.current_function),
      unlike = { many_processes_by_design = stands_still(results), spawn_storm = they_stay(results),
        process_leak = ("there nobody holds them; here %s has %d links"):format(spawner, results[3].link_count) },
      next_steps = {
        step(("see when %s should end its children, and why it does not"):format(spawner)),
        step("start them under a supervisor, with an end to each", "CAUTION"),
        step(("ending %s ends all its children with it"):format(spawner), "DANGEROUS"),
      },
    }
  end)

local unexplained_processes = gathering_check("unexplained_processes", "other",
  "A process count that rises with no cause in sight: say so, and accuse nobody.",
  function(results, now, rate)
    return {
      severity = "warning", confidence = "low",
      hypothesis = ("%d processes more every second (%d now), most of them in %s: they wait for another's answer, or "
        .. "are servants of something that is opened and not closed."):format(rate, results[2].after,
        now.current_function),
      unlike = { many_processes_by_design = stands_still(results) },
      next_steps = { step "ask one of them what it waits for: beam_process_info, its stack and its links" },
    }
  end)

--- Memory ----------------------------------------------------------------------------------

-- What a process must have gained in its heap before we look closer.
local GAIN_KB = 256

-- Not one whose mailbox is what grows.
local function growing_heap(results)
  for _, row in ipairs(results[1].processes) do
    if row.used_growth_kb >= GAIN_KB and row.message_queue < 100 and not words.interpreted(row) then
      return row
    end
  end
end

local unbounded_state = {
  id = "unbounded_state", mechanism = "unbounded_state", suspect = always,
  yields_to = { process_dictionary_growth = "same" },
  expert = "One process whose heap in use grows at every look, through collections, with an empty mailbox.",
  look = { MEMORY, function(results) return watch(growing_heap(results)) end },
  confirm = function(results)
    local w = results[2]
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

-- The slower half of the window: what many skills bring with their first questions comes in the first.
local function atoms_per_second(o)
  local between = o.atom_count_between or o.atom_count_before
  return math.min(between - o.atom_count_before, o.atom_count - between) / (o.seconds / 2)
end

-- A module brings its own atoms: then the modules are what leaks, or a node starts. Those of RabbitMQ and OTP bring 46
-- when they are loaded first.
local function modules_bring_them(a) return a.modules_loaded * 50 >= a.atom_count - a.atom_count_before end

local function rising(a) return a.atoms_per_sec >= ATOMS_PER_SECOND and not modules_bring_them(a) end

-- A question that is asked for the first time brings some atoms as well, and many skills ask many.
local function ours(a) return a.makers[1] ~= nil and words.interpreted(a.makers[1]) end

local atom_leak = {
  id = "atom_leak", mechanism = "atom_leak", suspect = always, yields_to = { node_name_atoms = "any" },
  expert = "The atom count rises at two looks; atoms are never freed. A high count that stands still is no fault.",
  look = {
    OVERVIEW,
    function(results)
      return atoms_per_second(results[1]) >= ATOMS_PER_SECOND and { "beam_atom_growth", CLOSE } or nil
    end,
    function(results) return rising(results[2]) and { "beam_atom_growth", CLOSE } or nil end,
  },
  confirm = function(results)
    local a = results[3]
    if not rising(results[2]) or not rising(a) or ours(a) then return end
    local first, second = a.makers[1], a.makers[2]
    local told = first and first.share_pct >= 70 and (not second or second.share_pct <= first.share_pct - 30)
    local hours = (a.atom_limit - a.atom_count) / a.atoms_per_sec / 3600
    local shape = a.shapes[1]
    return {
      object = told and ("atom_table (made by %s)"):format(object(first)) or "atom_table",
      figures = cite(results, { { 3, "atom_count_before" }, { 3, "atom_count" }, { 3, "atoms_per_sec" },
        { 3, "seconds" }, { 3, "atom_limit" }, { told and 3 or 1, told and "makers[1].share_pct" or "atom_count" },
        { 3, "shapes[1].shape" }, { 2, "atoms_per_sec" }, { 1, "atom_count_before" } }),
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

return {
  process_leak, link_leak, unbounded_state, binary_refs_held, atom_leak, unexplained_processes, unexplained_memory,
}
