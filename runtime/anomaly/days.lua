--- What a metric was like hour by hour for a week: whether a value is what this hour of the day brings
--- anyway, and whether the days rise. Pure. An hour is a list, for there are 200 of them to write down:
--- which one it is, counted from 1970, the lowest and highest that lasted and what lies between, whether it
--- had an anomaly in it.

local baseline = require "runtime.anomaly.baseline"

local days = {}

local H, LOW, MID, HIGH, ODD = 1, 2, 3, 4, 5

local HOUR, DAY = 3600, 24
local KEPT = 8 * DAY -- a week and today: so Monday is told from Sunday

--- Of what was not there for so long, no hour is known that counts.
days.kept_s = KEPT * HOUR

local MOST = 240     -- values of the hour that is not over

-- So many of the hours say how far an hour goes.
local USUAL_HOURS = 0.9

-- A drift is told when two days in a row each rose above the day before, by so much of it, at so many of
-- their 24 hours: a sign test of each day (20 of 24 by chance: less than 1 in 1,000, for both less than 1 in
-- 1,000,000) over hours of the same name, as the seasonal Kendall test has it (Hirsch, Slack and Smith
-- 1982), so that a daily wave falls out. What rises by less in a day has time until somebody looks.
local RISING_DAYS, RISE, HOURS_UP = 2, 0.05, 20

---@return table
function days.new() return { hours = {}, values = {} } end

-- Six digits tell a figure from its neighbours, and are half as long to write.
local function short(x) return tonumber(("%.6g"):format(x)) end

-- Three that lasted may not be found in an hour that swings; the middle of it is always usual.
local function close(record, lasting)
  local mid = baseline.median(record.values)
  local low, high = baseline.lasting(record.values, lasting)
  record.hours[#record.hours + 1] = {
    record.hour, short(math.min(low, mid)), short(mid), short(math.max(high, mid)), record.odd,
  }
  if #record.hours > KEPT then table.remove(record.hours, 1) end
end

--- Takes a value.
---@param t number         unix seconds
---@param lasting integer
---@param odd boolean      it belongs to an anomaly
---@return boolean closed  whether an hour came to its end with it
function days.note(record, t, value, lasting, odd)
  local hour = math.floor(t / HOUR)
  if hour == record.hour and t - record.at < HOUR / MOST then return false end
  local closed = hour ~= record.hour and #record.values >= lasting
  if closed then close(record, lasting) end
  if hour ~= record.hour then record.values, record.odd = {}, false end
  record.hour, record.at, record.odd = hour, t, record.odd or odd
  record.values[#record.values + 1] = value
  return closed
end

--- Somebody set the clock: hours that are not over by it are none, and the one that was going on begins again.
---@param t number   unix seconds, now
function days.set_clock(record, t)
  local hour = math.floor(t / HOUR)
  for i = #record.hours, 1, -1 do
    if record.hours[i][H] >= hour then table.remove(record.hours, i) end
  end
  record.hour, record.values, record.odd = nil, {}, false
end

local function by_hour(record)
  local index = {}
  for _, hour in ipairs(record.hours) do index[hour[H]] = hour end
  return index
end

--- What this hour of the day, the one before and the one after brought on the days before.
---@return number? low    nil when no such hour is known
---@return number? high
function days.usual(record, t)
  local now, index, low, high = math.floor(t / HOUR), by_hour(record), nil, nil
  for back = DAY, KEPT, DAY do
    for beside = -1, 1 do
      local hour = index[now - back + beside]
      if hour then
        low, high = math.min(low or hour[LOW], hour[LOW]), math.max(high or hour[HIGH], hour[HIGH])
      end
    end
  end
  return low, high
end

--- How far values that lasted go from the middle of their hour, at nine of ten hours. Where the one hour
--- of a nightly job goes does not widen the others.
---@return number   0 while little is known
function days.reach(record)
  local reaches = {}
  for _, hour in ipairs(record.hours) do
    if not hour[ODD] then reaches[#reaches + 1] = math.max(hour[HIGH] - hour[MID], hour[MID] - hour[LOW]) end
  end
  table.sort(reaches)
  return reaches[math.floor(USUAL_HOURS * #reaches)] or 0
end

-- Whether the day that ends with hour `last` lies that much above the one before, hour by hour.
local function rose(index, last, least)
  local up = 0
  for h = last - DAY + 1, last do
    local now, before = index[h], index[h - DAY]
    if not now or not before then return false end
    if now[MID] - before[MID] >= least then up = up + 1 end
  end
  return up >= HOURS_UP
end

local function level(index, last)
  local mids = {}
  for h = last - DAY + 1, last do
    if index[h] then mids[#mids + 1] = index[h][MID] end
  end
  return #mids > 0 and baseline.median(mids) or -math.huge
end

--- Whether the days rise, each above the one before, to where no day was yet.
---@return number? from   the middle of the first of these days
function days.rising(record, spread)
  local last, index = record.hours[#record.hours][H], by_hour(record)
  local now, first = level(index, last), level(index, last - RISING_DAYS * DAY)
  for day = 0, RISING_DAYS - 1 do
    if not rose(index, last - day * DAY, RISE * math.abs(first)) then return nil end
  end
  for day = 1, KEPT / DAY - 1 do
    if level(index, last - day * DAY) > now then return nil end
  end
  return now - first >= spread and first or nil
end

return days
