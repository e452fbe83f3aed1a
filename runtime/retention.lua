--- What the store lets go of: runs, events and figures that are older than they shall be kept. Not of runs that a
--- person said something of: their word is kept with what it was about.
---
--- A clock may be wrong for a while, by years, so age goes by the order of the runs, too. From one run to the next
--- no more than a tenth of the time passes for which things are kept, whatever the dates say: a clock that jumped ahead
--- for some runs takes nothing. A run is no older than the one before it, and no younger for a date of the future.

local retention = {}

local DAY_S = 86400
local STEP = 0.1
local MOST_BATCHES = 5

-- A run that a person gave their word on stays: there are few, and what was learned rests on them.
local OLD_RUNS = "(select number from runs where number < ? and number not in (select run from feedback) "
  .. "order by number limit 20)"
local OLD_EVENTS = "(select seq from events where at < ? limit 2000)"
local OLD_FIGURES = "(select node, metric, at from history where at < ? limit 2000)"

-- One batch, the runs themselves last: which are old is asked of them.
local BATCH = {
  { "delete from notifications where run in " .. OLD_RUNS, "number" },
  { "delete from insights where run in " .. OLD_RUNS, "number" },
  { "delete from observations where run in " .. OLD_RUNS, "number" },
  { "delete from events where run in " .. OLD_RUNS, "number" },
  { "delete from runs where number in " .. OLD_RUNS, "number" },
  { "delete from events where seq in " .. OLD_EVENTS, "events" },
  { "delete from history where (node, metric, at) in " .. OLD_FIGURES, "runs" },
}

-- Answers how many rows went.
local function forget(db, before)
  local gone = 0
  for _, old in ipairs(BATCH) do
    local n, err = db:run(old[1], before[old[2]])
    if not n then return nil, err end
    gone = gone + n
  end
  return gone
end

-- Before when something was, to be too old.
local function limit(list, now, days)
  local step, clock = STEP * days * DAY_S, nil
  for _, run in ipairs(list) do
    if run.at <= now then clock = math.max(clock or run.at, math.min(run.at, (clock or run.at) + step)) end
  end
  return (clock and math.min(now, clock + step) or now) - days * DAY_S
end

-- The first run that is kept; one with a date of the future is as old as those around it.
local function first(list, now, before)
  local age, number = -math.huge, 0
  for _, run in ipairs(list) do
    if run.at <= now then age = math.max(age, run.at) end
    if age >= before then break end
    if age > -math.huge then number = run.number + 1 end
  end
  return number
end

--- Before when, and before which run, is too old.
---@param list { number: integer, at: integer }[]   every run that is kept, in order
---@param now integer
---@param kept { runs_days: number, events_days: number }
---@return { number: integer, runs: number, events: number }
function retention.limits(list, now, kept)
  local before = { runs = limit(list, now, kept.runs_days), events = limit(list, now, kept.events_days) }
  before.number = first(list, now, before.runs)
  return before
end

--- Lets go of what is too old, in small batches; what is left goes the next time.
---@param s Store
---@param kept { runs_days: number, events_days: number }
---@param now integer   unix seconds
---@return true?
---@return Failure? err
function retention.apply(s, kept, now)
  local list, err = s:rows "select number, started_at as at from runs order by number"
  if not list then return nil, err end
  local before = retention.limits(list, now, kept)
  for _ = 1, MOST_BATCHES do
    local gone
    gone, err = s:transaction(function(db) return forget(db, before) end)
    if not gone then return nil, err end
    if gone == 0 then break end
  end
  return true
end

return retention
