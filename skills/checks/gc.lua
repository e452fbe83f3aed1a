--- What an expert looks for in the collections. Of one process's time the node tells only what its monitor warns of:
--- a single long one is nothing, collections of half a second one after the other leave the process no time.
---
--- What an idle process would give back cannot be told from what it keeps without collecting it, so
--- nothing is said of that here.

local words = ...
local cite, step, always = words.cite, words.step, words.always

local REST = 3         -- seconds
local SHARE = 0.4      -- of the time listened
local EVENTS = 3
local LOOK, AGAIN = { "gc_get_long_gcs", 50 }, { "gc_get_long_gcs", 50, after = REST }

-- Those with long collections, by pid: how many, how long together.
local function sums(result)
  local list, index = {}, {}
  for i, event in ipairs(result.events) do
    local sum = event.pid and index[event.pid]
    if event.pid and not sum then
      sum = { pid = event.pid, count = 0, ms = 0, place = i }
      index[event.pid], list[#list + 1] = sum, sum
    end
    if sum then
      sum.count, sum.ms, sum.name = sum.count + 1, sum.ms + (event.duration_ms or 0), sum.name or event.name
    end
  end
  table.sort(list, function(a, b) return a.ms > b.ms end)
  return list, index
end

local gc_thrash = {
  id = "gc_thrash", mechanism = "gc_thrash", suspect = always,
  expert = "One process with long collections at both looks, together half of the time listened. One alone is nothing.",
  look = { LOOK, function(results) return #results[1].events > 0 and AGAIN or nil end },
  confirm = function(results)
    local now = results[2]
    local worst = sums(now)[1]
    local _, before = sums(results[1])
    local was = worst and before[worst.pid]
    if not was or worst.count < EVENTS or worst.count <= was.count
      or worst.ms < SHARE * 1000 * now.listened_seconds then return end
    local at = ("events[%d]."):format(worst.place)
    local name = worst.name or worst.pid
    return {
      object = name,
      figures = cite(results, { { 2, "total" }, { 2, "listened_seconds" }, { 2, at .. "duration_ms" },
        { 2, at .. "heap_size" }, { 2, at .. "pid" }, { 1, "total" } }),
      severity = "warning", confidence = "high",
      hypothesis = ("%s spends its time collecting garbage: %d collections of over half a second took %.1f of the %.1f "
        .. "s that we listened. Its heap is large, and all that lives in it is copied each time."):format(name,
        worst.count, worst.ms / 1000, now.listened_seconds),
      unlike = {
        one_off_long_gc = ("one long collection passes; these are %d, and %d came after the first look"):format(
          worst.count, worst.count - was.count),
        unbounded_state = "what it keeps was not seen to grow: gc_top_processes tells",
      },
      next_steps = {
        step(("see what %s keeps and what it makes anew: gc_top_processes, beam_watch_process"):format(name)),
        step("keep large and lasting data in ETS or persistent_term, so that it is not copied", "CAUTION"),
        step("let a short-lived process do what makes much garbage", "CAUTION"),
      },
    }
  end,
}

return { gc_thrash }
