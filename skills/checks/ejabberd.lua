--- What an expert looks for in an ejabberd: messages that are kept for somebody who does not come, and become more.

local words = ...
local cite, row_of, step = words.cite, words.row_of, words.step

local WINDOW = 1500 -- ms

-- ejabberd's own configuration keeps 100 messages for an ordinary user (max_user_offline_messages). People who write
-- to somebody do it once in seconds; five a second for seconds on end is a program.
local MANY, A_SECOND = 100, 5

local OFFLINE = { "ejabberd_offline", 10, WINDOW }

local function flooded(row, seconds) return row.waiting >= MANY and row.gained >= A_SECOND * seconds end

-- The user who gains, where ejabberd counts; else only that the table does.
local function user_of(result)
  for i, row in ipairs(result.users) do
    if flooded(row, result.seconds) then return row, i end
  end
end

local function grows(result)
  return result.kept and result.kept >= MANY and result.kept - result.kept_before >= A_SECOND * result.seconds
end

-- Of those counted, the one to whom half of what came between two counts went. In the evening a large server keeps
-- more of everybody's, and nothing is wrong.
local function gainer_of(before, now)
  for i, row in ipairs(now.users) do
    local was, j = row_of(before.users, "user", row.user)
    local gained = was and row.waiting - was.waiting or 0
    if gained > 0 and gained * 2 >= now.kept - before.kept then return row.user, i, j end
  end
end

-- What grew, with the figures that say so: { object, messages, gained, before, figures }.
local function growth(results)
  local first, second = results[1], results[2]
  local now, i = user_of(second)
  local was, j = row_of(first.users, "user", now and now.user)
  if now and was and flooded(was, first.seconds) then
    local at, before = ("users[%d]."):format(i), ("users[%d]."):format(j)
    return { object = now.user, messages = now.waiting, gained = now.gained, before = was.gained,
      figures = cite(results, { { 2, at .. "user" }, { 2, at .. "waiting" }, { 2, at .. "gained" }, { 2, "seconds" },
        { 1, before .. "waiting" }, { 1, before .. "gained" }, { 2, "kept" }, { 2, "table" } }) }
  end
  if not grows(first) or not grows(second) then return end
  local user, at, before = gainer_of(results[3], results[4])
  if not user then return end
  return { object = ("%s (%s)"):format(user, second.table), messages = second.kept,
    gained = second.kept - second.kept_before, before = first.kept - first.kept_before,
    figures = cite(results, { { 2, "table" }, { 2, "kept" }, { 2, "kept_before" }, { 2, "seconds" }, { 1, "kept" },
      { 1, "kept_before" }, { 4, ("users[%d].user"):format(at) }, { 4, ("users[%d].waiting"):format(at) },
      { 3, ("users[%d].waiting"):format(before) } }) }
end

-- Where ejabberd counts for itself nobody is counted, and the cheapest look stands in for it.
local function count(after)
  return function(results)
    if user_of(results[2]) then return { "ejabberd_offline", 1, 100 } end
    return grows(results[2]) and { "ejabberd_offline_users", 5, after = after } or nil
  end
end

local offline_flood = {
  id = "offline_flood", mechanism = "offline_flood",
  expert = "Kept messages of one user that gain several a second at two looks: nobody comes to fetch them.",
  suspect = words.always,
  look = {
    OFFLINE,
    function(results)
      return (user_of(results[1]) or grows(results[1])) and { "ejabberd_offline", 10, WINDOW, after = 1 } or nil
    end,
    count(),
    count(1),
  },
  confirm = function(results)
    local grew = growth(results)
    if not grew then return end
    local seconds = results[2].seconds
    return {
      object = grew.object, figures = grew.figures, severity = "warning", confidence = "high",
      hypothesis = ("Messages for users who are away become more, those of %s: %d now, %d more in %.1f s and %d more "
        .. "in the look before. Nobody fetches them: somebody writes to an account that is not opened."):format(
        grew.object, grew.messages, grew.gained, seconds, grew.before),
      unlike = {
        burst = "messages that came at once stand after it; these became more at both looks",
        large_spool = ("many that stand harm nobody; of these %d came in %.1f s"):format(grew.gained, seconds),
        people = ("%.0f a second are no person"):format(grew.gained / seconds),
      },
      next_steps = {
        step "find who writes there, and whether the account is still used: the log at info names who is online",
        step("limit what is kept for one user: max_user_offline_messages in shaper_rules", "CAUTION"),
        step("`ejabberdctl delete_old_messages DAYS` removes those older than so many days, for everybody",
          "DANGEROUS"),
      },
    }
  end,
}

return { offline_flood }
