--- What an expert looks for among the tables. A cache is supposed to be large; what counts is
--- growth that goes on at the second look: rows nobody deletes, or tables nobody deletes.

local words = ...
local cite, row_of, step, always = words.cite, words.row_of, words.step, words.always

local MINUTES, WINDOW = 0.03, 1800 -- the same 1.8 s, as the two callbacks want it
local MB_PER_HOUR = 100            -- below this it can wait for a longer watch
local TABLES_GAINED = 3            -- in each window
local CLOSE = 2000                 -- milliseconds; longer than the two windows' own length, so that no rhythm hides
local YOUNG = 60                   -- seconds that its size would take at its pace: many a buffer is emptied as often

local function owner_of(row) return row.owner_name or row.owner_pid end

local function mb_per_hour(row, seconds) return row.memory_delta_kb / 1024 * 3600 / seconds end

-- The tables of the code server gain what is loaded, as on a node that starts; of modules without end beam tells.
local CODE = "code_server"

-- Those that gained enough in both windows. One that is filled and emptied gains in most windows too, and seldom the
-- same: who keeps its pace comes first.
local function growing(results)
  local first, any
  for i, now in ipairs(results[2].tables) do
    local was, j = row_of(results[1].tables, "id", now.id)
    if was and now.owner_name ~= CODE and mb_per_hour(now, results[2].seconds) >= MB_PER_HOUR then
      local less, more = math.min(was.size_delta, now.size_delta), math.max(was.size_delta, now.size_delta)
      local found = { now = now, was = was, i = i, j = j }
      any = any or found
      if 2 * less >= more then first = first or found end
    end
  end
  return first or any
end

local ets_growth = {
  id = "ets_growth", mechanism = "ets_growth",
  expert = "A table that gains rows at two looks and loses none. Large and steady is a cache, emptied often a buffer.",
  suspect = always,
  look = {
    { "ets_growth_stats", MINUTES },
    function(results)
      local top = results[1].tables[1]
      return top and mb_per_hour(top, results[1].seconds) >= MB_PER_HOUR and { "ets_growth_stats", MINUTES } or nil
    end,
    function(results)
      local found = growing(results)
      return found and { "ets_table_info", found.now.id, CLOSE } or nil
    end,
  },
  -- What was filled at once is in the first look only; what is emptied now and then loses rows while it is watched.
  confirm = function(results)
    local found, close = growing(results), results[3]
    if close.id ~= found.now.id or close.lost > math.max(0, close.gained) then return end
    local now, was, seconds = found.now, found.was, results[2].seconds
    local row, per_hour = ("tables[%d]."):format(found.i), mb_per_hour(now, seconds)
    local age = now.current_size * seconds / math.max(1, now.size_delta)
    local sure = was.size_delta > 0 and now.size_delta > 0 and age >= YOUNG
    return {
      object = now.name,
      figures = cite(results, { { 2, row .. "current_size" }, { 2, row .. "memory_mb" }, { 2, row .. "size_delta" },
        { 2, row .. "memory_delta_kb" }, { 2, "seconds" }, { 1, ("tables[%d].size_delta"):format(found.j) },
        { 1, ("tables[%d].current_size"):format(found.j) }, { 3, "gained" }, { 3, "lost" }, { 3, "samples" } }),
      severity = per_hour >= 10240 and "critical" or "warning", confidence = sure and "high" or "medium",
      since = words.since(now.current_size, now.size_delta / seconds),
      hypothesis = ("Table %s gains %d rows and %.1f MB a second (%d rows, %.0f MB now): rows are inserted and %s. It "
        .. "belongs to %s."):format(now.name, now.size_delta / seconds, now.memory_delta_kb / 1024 / seconds,
        now.current_size, now.memory_mb, close.lost == 0 and "nobody deletes any" or "too few are deleted",
        owner_of(now)),
      unlike = {
        large_stable_ets = ("a large cache stands still; this one gained %d rows, then %d"):format(was.size_delta,
          now.size_delta),
        buffer_table = ("a buffer is emptied: %d rows went while %d came. At this pace its size took %.0f s to come, "
          .. "so one that is emptied less often looks the same"):format(close.lost, close.gained + close.lost, age),
        ets_table_leak = "it is one table that grows, not more and more tables",
      },
      next_steps = {
        step(("find who inserts into %s and who should delete"):format(now.name)),
        step("give rows an expiry, or the table a limit", "CAUTION"),
        step("delete old rows in slices with ets:select_delete/2, once it is known which are old", "DANGEROUS"),
      },
    }
  end,
}

-- More tables at the end, and next to none of them gone again.
local function gathering(g)
  return g.count - g.count_before >= TABLES_GAINED and g.died <= 0.2 * g.born
end

local ets_table_leak = {
  id = "ets_table_leak", mechanism = "ets_table_leak",
  expert = "The number of tables rises at two looks, the new ones of one name or one owner: made and never deleted.",
  suspect = always,
  look = {
    { "ets_table_growth", WINDOW },
    function(results) return gathering(results[1]) and { "ets_table_growth", WINDOW } or nil end,
  },
  confirm = function(results)
    local now = results[2]
    if not gathering(now) then return end
    local group, all, same_owner = now.groups[1], 0, 0
    for _, other in ipairs(now.groups) do
      all = all + other.tables
      if other.owner_pid == group.owner_pid then same_owner = same_owner + other.tables end
    end
    -- Tables of many names are known by who makes them.
    local by_name = group.tables >= 0.5 * all
    if not by_name and same_owner < 0.5 * all then return end
    local rate = (now.count - now.count_before) / now.seconds
    return {
      object = by_name and group.name or owner_of(group),
      figures = cite(results, { { 2, "count_before" }, { 2, "count" }, { 2, "born" }, { 2, "died" }, { 2, "seconds" },
        { 2, "groups[1].name" }, { 2, "groups[1].tables" }, { 1, "count_before" }, { 1, "count" } }),
      severity = rate >= 100 and "critical" or "warning", confidence = rate >= 5 and "high" or "medium",
      hypothesis = ("%.0f new tables a second (%d now)%s: %s makes them and none is ever deleted."):format(rate,
        now.count, by_name and ", nearly all called " .. group.name or "", owner_of(group)),
      unlike = {
        ets_growth = "no single table grows: there are more and more of them",
        large_stable_ets = ("the number of tables went from %d to %d, then to %d"):format(results[1].count_before,
          results[1].count, now.count),
        short_lived_tables = ("tables made for one job are deleted after it; %d were born and stayed, %d went"):format(
          now.born, now.died),
      },
      next_steps = {
        step(("find where %s calls ets:new, and who should delete the table"):format(owner_of(group))),
        step("use one table with a key in place of many tables", "CAUTION"),
        step(("ending %s deletes all its tables, and loses their rows"):format(owner_of(group)), "DANGEROUS"),
      },
    }
  end,
}

return { ets_growth, ets_table_leak }
