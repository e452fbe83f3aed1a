--- What an expert looks for in the collections. Of the time that one process spends in them the node tells only what
--- its monitor warns of, half a second and more; that is told as a fact, and the cause is left open. What an idle
--- process would give back cannot be told from what it keeps without collecting it, so nothing is said of that.

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

return { long_collections }
