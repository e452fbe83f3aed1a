--- What an expert looks for in an ejabberd: messages that are kept for somebody who does not come, and become more.

local words = ...
local cite, row_of, step = words.cite, words.row_of, words.step

local WINDOW = 1500 -- ms

-- ejabberd's own configuration keeps 100 messages for an ordinary user (max_user_offline_messages). People who write
-- to somebody do it once in seconds; five a second for seconds on end is a program.
local MANY, A_SECOND = 100, 5

local OFFLINE = { "ejabberd_offline", 10, WINDOW }

local function flooded(row, seconds) return row.messages >= MANY and row.gained >= A_SECOND * seconds end

local offline_flood = {
  id = "offline_flood", mechanism = "offline_flood",
  expert = "A user with hundreds of kept messages who gains several a second at two looks: nobody comes to fetch them.",
  suspect = function(snapshot) return (snapshot.offline_users or 0) > 0 end,
  look = {
    OFFLINE,
    function(results)
      for _, row in ipairs(results[1].users) do
        if flooded(row, results[1].seconds) then return { "ejabberd_offline", 10, WINDOW, after = 1 } end
      end
    end,
  },
  confirm = function(results)
    for i, now in ipairs(results[2].users) do
      local was, j = row_of(results[1].users, "user", now.user)
      if was and flooded(was, results[1].seconds) and flooded(now, results[2].seconds) then
        local at, before = ("users[%d]."):format(i), ("users[%d]."):format(j)
        return {
          object = now.user,
          figures = cite(results, { { 2, at .. "user" }, { 2, at .. "messages" }, { 2, at .. "gained" },
            { 2, "seconds" }, { 1, before .. "messages" }, { 1, before .. "gained" }, { 2, "kept" }, { 2, "table" } }),
          severity = "warning", confidence = "high",
          hypothesis = ("Messages to %s are kept and become more: %d now, %d more in %.1f s and %d more in the look "
            .. "before, and none were fetched. Somebody writes to an account that nobody opens%s."):format(now.user,
            now.messages, now.gained, results[2].seconds, was.gained, results[2].table
            and (", into the table %s"):format(results[2].table) or ""),
          unlike = {
            burst = "messages that came at once stand after it; these became more at both looks",
            large_spool = ("many that stand harm nobody; of these %d came in %.1f s"):format(now.gained,
              results[2].seconds),
            people = ("%.0f a second is no person"):format(now.gained / results[2].seconds),
          },
          next_steps = {
            step(("find who writes to %s (the log at info names senders, mod_shaper limits them) and whether the "
              .. "account is still used"):format(now.user)),
            step("limit what is kept for one user: max_user_offline_messages in shaper_rules", "CAUTION"),
            step("`ejabberdctl delete_old_messages DAYS` removes those older than so many days, for everybody",
              "DANGEROUS"),
          },
        }
      end
    end
  end,
}

return { offline_flood }
