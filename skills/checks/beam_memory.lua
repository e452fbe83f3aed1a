--- What an expert looks for in memory: a heap that grows, by itself or by its dictionary, binaries that idle processes
--- hold on to, and growth that nobody explains.
---
--- The thresholds keep a node silent that merely works: growth counts when it goes on at the second look, and what a
--- collector, a batch or our own arrival makes in one window is gone in the next. What fits no mechanism is reported as
--- unexplained and accuses nobody.

local words = ...
local object, cite, row_of, share, step, always =
  words.object, words.cite, words.row_of, words.share, words.step, words.always

local FIRST, CLOSE = 1500, 2000 -- milliseconds

local OVERVIEW = { "beam_overview", FIRST }
local MEMORY = { "beam_memory_growth", FIRST, 10 }

local function watch(row) return row and { "beam_watch_process", row.pid, CLOSE } end

--- Heaps -----------------------------------------------------------------------------------

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

-- What is collected and handed on every few seconds grows in between, and so does a heap from one large collection to
-- the next. So it has to go on for REST seconds more: what falls in that time has not gained half of what its pace
-- makes.
local AGAIN, REST = 1500, 4

-- What the floor of its heap gained in the close look, and in a second.
local function gain(w)
  local gained = w.used_kb_floor - w.used_kb_floor_before
  if w.queue_max >= 100 or gained < GAIN_KB or gained < 0.005 * w.used_kb_floor_before then return nil end
  return gained, gained / (w.seconds * 2 / 3)
end

-- Where the lowest of a later look stands in its answer.
local function lowest(later)
  local falls = later.used_kb_floor < later.used_kb_floor_before
  return falls and "used_kb_floor" or "used_kb_floor_before"
end

local function goes_on(w, later)
  local _, rate = gain(w)
  return rate and later[lowest(later)] - w.used_kb_floor >= rate * REST / 2
end

local unbounded_state = {
  id = "unbounded_state", mechanism = "unbounded_state", suspect = always,
  yields_to = { process_dictionary_growth = "same" },
  expert = "One process whose heap in use grows at every look, through collections, with an empty mailbox.",
  look = { MEMORY, function(results) return watch(growing_heap(results)) end,
    function(results)
      local w = results[2]
      return gain(w) and { "beam_watch_process", w.pid, AGAIN, after = REST } or nil
    end },
  confirm = function(results)
    local w, later = results[2], results[3]
    local row, i = row_of(results[1].processes, "pid", w.pid)
    if not row or not goes_on(w, later) then return end
    local _, rate = gain(w)
    local busy = share(w, "running", "runnable")
    -- Garbage looks like growth until it is collected, and a batch until it ends.
    local sure = w.collections >= 2 and busy < 80
    local at = ("processes[%d]."):format(i)
    return {
      object = w.name or object(row),
      figures = cite(results, { { 2, "used_kb_floor_before" }, { 2, "used_kb_floor" }, { 3, lowest(later) },
        { 2, "memory_kb_before" },
        { 2, "memory_kb" }, { 2, "seconds" }, { 2, "collections" }, { 2, "queue_max" },
        { 1, at .. "used_growth_kb" }, { 1, at .. "used_kb" } }),
      severity = not sure and "info" or w.memory_kb > 1024 * 1024 and "critical" or "warning",
      confidence = not sure and "low" or w.major_collections > 0 and "high" or "medium",
      hypothesis = ("%s keeps more and more in its own memory: %.1f MB a second, %.0f MB now, and its mailbox is "
        .. "empty. %s"):format(object(row), rate / 1024, later.memory_kb / 1024, sure
        and "What it stores it never throws away." or ("That may be garbage or a batch: it collected %d times while "
        .. "we looked, and ran in %d %% of the looks."):format(w.collections, busy)),
      unlike = {
        large_state_by_design = ("a large state stands still; the heap in use rose from %d to %d kB"):format(
          w.used_kb_floor_before, later[lowest(later)]),
        batcher = ("what is collected to be handed on falls each time; this went from %d to %d, and %d s later to "
          .. "%d kB"):format(w.used_kb_floor_before, w.used_kb_floor, REST, later[lowest(later)]),
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

--- Dictionaries -------------------------------------------------------------------------------

local DICTIONARIES = { "beam_dictionary_growth", 10, FIRST }

-- Of the processes whose heap grows, one whose dictionary gains entries as well.
local function filling(results, place)
  for i, row in ipairs(results[place].processes) do
    local grown = row_of(results[1].processes, "pid", row.pid)
    if grown and grown.used_growth_kb >= GAIN_KB and row.entries_growth >= 10 * results[place].seconds
      and row.dictionary_growth_kb >= GAIN_KB / 2 then return row, i end
  end
end

local process_dictionary_growth = {
  id = "process_dictionary_growth", mechanism = "process_dictionary_growth", suspect = always,
  expert = "A heap that grows because its process dictionary does: entries are put and never erased.",
  look = {
    MEMORY,
    function(results) return growing_heap(results) and DICTIONARIES or nil end,
    function(results) return filling(results, 2) and DICTIONARIES or nil end,
  },
  confirm = function(results)
    local now, i = filling(results, 3)
    local was, j = row_of(results[2].processes, "pid", now and now.pid)
    if not now or not was or was.entries_growth < 10 or now.entries <= was.entries then return end
    local at, before = ("processes[%d]."):format(i), ("processes[%d]."):format(j)
    return {
      object = object(now),
      figures = cite(results, { { 3, at .. "entries" }, { 3, at .. "entries_growth" }, { 3, at .. "dictionary_kb" },
        { 3, at .. "dictionary_growth_kb" }, { 3, "seconds" }, { 2, before .. "entries" },
        { 2, before .. "entries_growth" } }),
      severity = "warning", confidence = "high",
      since = words.since(now.entries, now.entries_growth / results[3].seconds),
      hypothesis = ("%s puts more and more into its process dictionary: %d entries a second, %d now (%d kB), and none "
        .. "is erased."):format(object(now), now.entries_growth / results[3].seconds, now.entries, now.dictionary_kb),
      unlike = {
        unbounded_state = ("its state is not what grows: the dictionary gained %d kB"):format(now.dictionary_growth_kb),
        large_state_by_design = ("what is there by design stands still; entries went from %d to %d"):format(was.entries,
          now.entries),
      },
      next_steps = {
        step(("find where %s calls put, and where it should erase"):format(object(now))),
        step "keep such data in the state, where it is seen, or in a table with a limit",
        step("restarting it frees the memory and loses what it keeps", "DANGEROUS"),
      },
    }
  end,
}

--- Binaries -----------------------------------------------------------------------------------

local HELD_MB = 16

-- Many idle processes that together hold most of the binary memory, with next to no heap. On a full node not all come
-- to be asked: then as much of the part that was.
local function idle_holders(b)
  local part = b.asked / math.max(1, b.holders)
  for i, group in ipairs(b.groups) do
    if group.held_mb >= HELD_MB * part and group.held_mb >= 0.4 * b.binary_mb * part and group.process_count >= 10
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
    function(results)
      local group = idle_holders(results[2])
      return group and { "beam_process_info", group.pid } or nil
    end,
  },
  confirm = function(results)
    local group, i = idle_holders(results[2])
    local was = group and row_of(results[1].groups, "current_function", group.current_function)
    if not was or results[2].binary_mb > 1.05 * results[1].binary_mb_before + 1 then return end
    local at = ("groups[%d]."):format(i)
    -- The first of a group is the one that holds most.
    local func, first = group.current_function, results[3].initial_call
    local kind, server = words.kind { current_function = func, initial_call = first }
    return {
      object = kind,
      figures = cite(results, { { 2, at .. "held_mb" }, { 2, "binary_mb" }, { 2, at .. "process_count" },
        { 2, at .. "idle_count" }, { 2, at .. "heap_mb" }, { 1, "binary_mb_before" }, { 2, "seconds" },
        { 2, at .. "current_function" }, { 2, "holders" }, { 2, "asked" }, { 3, "initial_call" } }),
      severity = group.held_mb >= 1024 and "critical" or "warning", confidence = "medium",
      hypothesis = ("%d processes %s %s hold on to %.0f MB of large binaries (of %.0f MB): %d of them did "
        .. "nothing at all while we looked, and an idle process never collects the references it no longer needs.")
        :format(group.process_count, server and "between two messages, the largest started as" or "waiting in", kind,
        group.held_mb, results[2].binary_mb, group.idle_count),
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

return { unbounded_state, process_dictionary_growth, binary_refs_held, unexplained_memory }
