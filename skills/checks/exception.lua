--- What an expert looks for in crashes. One is nothing; many with the same words, of different processes and still
--- coming at the second look, have a cause that they share.

local words = ...
local cite, step = words.cite, words.step

local LEAST = 5      -- with the same words, of the newest 50
local FRESH = 3      -- of these, since the first look
local REST = 2       -- seconds
local LOOK = { "exception_recent", 50, "all" }
local AGAIN = { "exception_recent", 50, "all", after = REST }
local HEAP = "maximum heap size reached"

-- What a call to something else returned; of these, what the node's own machine or caller says is another thing.
local NOT_OTHERS = { "emfile", "enfile", "enospc", "badarg", "enoent", "eacces" }

-- The id of an exception ends in the node's clock, in microseconds.
local function when(row) return tonumber(row.id:match "@(%d+)$") or 0 end

-- Those with the same words as most have: rows, and their first place in the list.
local function commonest(rows)
  local groups, best = {}, nil
  for i, row in ipairs(rows) do
    local key = row.type .. " " .. (row.message or "")
    local group = groups[key] or { rows = {}, pids = {}, pid_count = 0, place = i, key = key }
    groups[key] = group
    group.rows[#group.rows + 1] = row
    if row.pid and not group.pids[row.pid] then
      group.pids[row.pid], group.pid_count = true, group.pid_count + 1
    end
    if not best or #group.rows > #best.rows then best = group end
  end
  return best
end

local function many(result)
  local group = commonest(result.exceptions)
  return group and #group.rows >= LEAST and group.pid_count >= LEAST and group or nil
end

-- The same words at both looks, and some of them new.
local function still_coming(results)
  local before, now = many(results[1]), many(results[2])
  if not before or not now or before.key ~= now.key then return end
  local since, fresh = when(before.rows[1]), 0
  for _, row in ipairs(now.rows) do
    if when(row) > since then fresh = fresh + 1 end
  end
  if fresh < FRESH then return end
  local span = math.max(0.1, (when(now.rows[1]) - when(now.rows[#now.rows])) / 1e6)
  return now, fresh, (#now.rows - 1) / span, span
end

local function same(rows, key)
  for _, row in ipairs(rows) do
    if row[key] ~= rows[1][key] then return nil end
  end
  return rows[1][key]
end

local function of_others(message)
  local reason = (message or ""):match "{error,(.*)"
  if not reason then return false end
  for _, word in ipairs(NOT_OTHERS) do
    if reason:find(word, 1, true) then return false end
  end
  return true
end

local function word_of(group)
  local row = group.rows[1]
  if row.message == HEAP then return "heap_limit_kills" end
  if row.func and of_others(row.message) then return "dependency_error_storm" end
  return "other"
end

local function figures_of(results, group)
  local at = ("exceptions[%d]."):format(group.place)
  return cite(results, { { 2, at .. "message" }, { 2, at .. "type" }, { 2, at .. "datetime" }, { 2, at .. "func" },
    { 2, at .. "pid" }, { 2, "total" }, { 2, "listened_seconds" }, { 1, "total" } })
end

--- A check of one word; `tell` is handed the group, how many are new, how many a second, in how many seconds.
local function crash_check(word, expert, tell)
  return {
    id = word == "other" and "unexplained_crashes" or word, mechanism = word, expert = expert,
    yields_to = word == "other" and { ["*"] = "any" } or nil,
    suspect = function(snapshot) return (snapshot.total or 0) >= LEAST end,
    look = { LOOK, function(results) return many(results[1]) and AGAIN or nil end },
    confirm = function(results)
      local group, fresh, rate, span = still_coming(results)
      if not group or word_of(group) ~= word then return end
      local finding = tell(group, fresh, rate, span)
      finding.figures = figures_of(results, group)
      finding.unlike.single_crash = ("one crash is mended by its supervisor; here %d processes crashed in %.1f s, %d "
        .. "of them after the first look"):format(group.pid_count, span, fresh)
      return finding
    end,
  }
end

local dependency_error_storm = crash_check("dependency_error_storm",
  "Many processes that crash on the same {error, …} in one place, still at the second look: what they call fails.",
  function(group, _, rate)
    local row = group.rows[1]
    local place, name = same(group.rows, "func") or row.func, same(group.rows, "name")
    return {
      object = name or place, severity = rate >= 1 and "critical" or "warning",
      confidence = same(group.rows, "func") and "high" or "medium",
      hypothesis = ("%.1f processes a second crash in %s%s with %s: what they all call answers with an error, and "
        .. "nobody handles it."):format(rate, place, name and (" of %s"):format(name) or "", row.message),
      unlike = {
        heap_limit_kills = ("their reason is %s"):format(row.message),
        restart_loop = ("there one child crashes; here %d processes did"):format(group.pid_count),
      },
      next_steps = {
        step(("find what %s calls that answers %s, and whether that is up"):format(place, row.message)),
        step("handle the error there: answer it, wait, or open a circuit breaker", "CAUTION"),
      },
    }
  end)
dependency_error_storm.symptom_of = { "restart_loop" }

local heap_limit_kills = crash_check("heap_limit_kills",
  "Processes that the VM ends for their max_heap_size, again and again.",
  function(group, _, rate)
    local name = same(group.rows, "name")
    return {
      object = name or "max_heap_size", severity = "warning", confidence = "high",
      hypothesis = ("%.1f processes a second%s are ended by the VM since they reach their max_heap_size: their work "
        .. "needs more than they may have, so it is never done."):format(rate, name and " of " .. name or ""),
      unlike = {
        dependency_error_storm = "no code of theirs failed: the VM ended them, the log says: " .. HEAP,
        restart_loop = ("%d different processes were ended"):format(group.pid_count),
      },
      next_steps = {
        step "find who starts them: spawn_opt or process_flag with max_heap_size",
        step("let them work on the data in portions, or raise the limit", "CAUTION"),
      },
    }
  end)

local unexplained = crash_check("other",
  "Many crashes with the same words and no cause in sight: say so, and accuse nobody.",
  function(group, _, rate)
    local row = group.rows[1]
    return {
      object = same(group.rows, "name") or same(group.rows, "func") or row.type, severity = "warning",
      confidence = "low",
      hypothesis = ("%.1f processes a second end with %s%s."):format(rate, row.message or row.type,
        row.func and " in " .. row.func or ""),
      unlike = {}, next_steps = { step(("read the stack of one: exception_stacktrace(%q)"):format(row.id)) },
    }
  end)

return { dependency_error_storm, heap_limit_kills, unexplained }
