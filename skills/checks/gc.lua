--- What an expert looks for in the collections. Of the time that one process spends in them the node tells only what
--- its monitor warns of, half a second and more; that is told as a fact, and the cause is left open. What an idle
--- process would give back cannot be told from what it keeps without collecting it, but where nothing on its stack or
--- in its dictionary refers to its heap; of the others nothing is said.

local words = ...
local cite, step, always = words.cite, words.step, words.always

local REST = 3      -- seconds
local SHARE = 0.25  -- of the time listened

-- Those with long collections, by pid: how many, and how long together.
local function sums(result)
  local list, index = {}, {}
  for i, event in ipairs(result.events) do
    local sum = event.pid and index[event.pid]
    if event.pid and not sum then
      sum = { count = 0, ms = 0, place = i, pid = event.pid }
      index[event.pid], list[#list + 1] = sum, sum
    end
    if sum then
      sum.count, sum.ms, sum.name = sum.count + 1, sum.ms + (event.duration_ms or 0), sum.name or event.name
    end
  end
  table.sort(list, function(a, b) return a.ms > b.ms end)
  return list, index
end

local long_collections = {
  id = "long_collections", mechanism = "other", suspect = always, yields_to = { ["*"] = "any" },
  expert = "One process with long collections at two looks, that together take much of the time. One alone is nothing.",
  look = {
    { "gc_get_long_gcs", 50 },
    function(results) return #results[1].events > 0 and { "gc_get_long_gcs", 50, after = REST } or nil end,
  },
  confirm = function(results)
    local now = results[2]
    local worst, _, were = sums(now)[1], sums(results[1])
    local was = worst and were[worst.pid]
    if not was or worst.count <= was.count or worst.ms < SHARE * 1000 * now.listened_seconds then return end
    local at = ("events[%d]."):format(worst.place)
    local name = worst.name or worst.pid
    return {
      object = name, severity = "warning", confidence = "low",
      figures = cite(results, { { 2, "total" }, { 2, "listened_seconds" }, { 2, at .. "duration_ms" },
        { 2, at .. "heap_size" }, { 2, at .. "pid" }, { 1, "total" } }),
      hypothesis = ("%s collected garbage for over half a second %d times, %.1f s in all, in the %.1f s that we "
        .. "listened."):format(name, worst.count, worst.ms / 1000, now.listened_seconds),
      unlike = { one_off_long_gc = ("one long collection passes; these were %d, then %d"):format(was.count,
        worst.count) },
      next_steps = { step(("see whether its heap grows, or only its garbage: gc_top_processes, then %s alone with "
        .. "beam_watch_process"):format(name)) },
    }
  end,
}

--- Garbage of those that wait --------------------------------------------------------------------

-- What heaps take beside the 4 kB that a small process needs: below this there is nothing to win.
local HEAPS_MB, SMALL_KB = 64, 4
local GARBAGE_MB = 16 -- in those shown, of one function
local MANY = 5

local IDLE = { "gc_recommend_hibernation", 1500 }

-- The function in which most of it waits, with how many and how much.
local function garbage_of(result)
  local groups, best = {}, nil
  for i, row in ipairs(result.processes) do
    if row.unreferenced and row.message_queue_len == 0 and row.current_function then
      local sum = groups[row.current_function] or { func = row.current_function, count = 0, kb = 0, place = i }
      sum.count, sum.kb = sum.count + 1, sum.kb + row.used_kb
      groups[row.current_function] = sum
      if not best or sum.kb > best.kb then best = sum end
    end
  end
  if best and best.count >= MANY and best.kb >= GARBAGE_MB * 1024 then return best end
end

local idle_garbage = {
  id = "idle_garbage", mechanism = "idle_garbage",
  expert = "Processes that did nothing at two looks, with large heaps that nothing refers to: never collected since.",
  suspect = function(snapshot)
    return (snapshot.processes_mb or 0) - SMALL_KB / 1024 * (snapshot.process_count or 0) >= HEAPS_MB
  end,
  look = {
    IDLE,
    function(results) return garbage_of(results[1]) and IDLE or nil end,
  },
  confirm = function(results)
    local was, now = garbage_of(results[1]), garbage_of(results[2])
    if not now or now.func ~= was.func then return end
    local at = ("processes[%d]."):format(now.place)
    local mb = now.kb / 1024
    return {
      object = now.func,
      figures = cite(results, { { 2, at .. "current_function" }, { 2, at .. "used_kb" },
        { 2, at .. "total_heap_size_kb" }, { 2, at .. "unreferenced" }, { 2, at .. "message_queue_len" },
        { 2, "total" }, { 2, "showing" }, { 2, "seconds" }, { 1, "total" } }),
      severity = mb >= 1024 and "critical" or "warning", confidence = "high",
      hypothesis = ("%d processes wait in %s on %.0f MB of garbage: their heaps were large for a piece of work, "
        .. "nothing on their stacks or in their dictionaries refers to them any more, and who waits does not collect "
        .. "(of the %d shown)."):format(now.count, now.func, mb, results[2].showing),
      unlike = {
        large_state_by_design = "a state is referred to by the stack; these have nothing on it but where to return to",
        unbounded_state = ("their heaps stand still; it was %.0f MB at the first look"):format(was.kb / 1024),
        binary_refs_held = "it is their own heaps, not binaries outside of them",
      },
      next_steps = {
        step(("let %s hibernate after large work (proc_lib:hibernate, or hibernate_after of a server)"):format(
          now.func)),
        step("do large work in a process of its own that ends with it"),
        step("collect them once: beam_binary_leak collects all", "CAUTION"),
      },
    }
  end,
}

return { long_collections, idle_garbage }
