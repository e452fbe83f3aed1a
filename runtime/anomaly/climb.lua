--- A steady climb within hours: the values, thinned out to a few dozen points as time goes on, and
--- a test of their slope. Pure.

local baseline = require "runtime.anomaly.baseline"

local climb = {}

-- A point stands for so many values at first; when there are too many points, neighbours are joined and
-- each stands for twice as many, until they reach back a day.
local FIRST, MOST, REACH = 4, 48, 24 * 3600
-- The slope is tested over the last so many points, so that a climb that began lately is not hidden by the
-- calm before it. Mann-Kendall: at 12 points a tau of 0.8 comes by chance less than once in 1,000 times, at
-- more points never.
local WINDOWS, TAU = { 12, 24, 48 }, 0.8
local ENDS = 3 -- points at each end whose median is where a climb begins and ends

---@return table
function climb.new() return { step = FIRST, points = {}, sum = 0, count = 0 } end

local function join(record)
  local joined = {}
  for i = 1, #record.points - 1, 2 do
    joined[#joined + 1] = (record.points[i] + record.points[i + 1]) / 2
  end
  record.points, record.step = joined, record.step * 2
end

--- Takes a value.
---@param interval number    seconds between values
---@return boolean point     whether it completed a point
function climb.note(record, value, interval)
  record.sum, record.count = record.sum + value, record.count + 1
  if record.count < record.step then return false end
  record.points[#record.points + 1] = record.sum / record.count
  record.sum, record.count = 0, 0
  if #record.points > MOST then
    if record.step * interval * MOST < REACH then join(record) else table.remove(record.points, 1) end
  end
  return true
end

-- Kendall's tau of the points from `first` on against time: 1 when each is higher than all before it.
local function tau(points, first)
  local score, pairs_of = 0, 0
  for i = first, #points - 1 do
    for k = i + 1, #points do
      pairs_of = pairs_of + 1
      score = score + (points[k] > points[i] and 1 or points[k] < points[i] and -1 or 0)
    end
  end
  return score / pairs_of
end

local function at(points, first) return baseline.median { unpack(points, first, first + ENDS - 1) } end

--- The largest climb of those that the points show.
---@return number? from
---@return number? to
function climb.steady(record)
  local points, from = record.points, nil
  local to = #points >= ENDS and at(points, #points - ENDS + 1)
  for _, length in ipairs(WINDOWS) do
    local first = #points - length + 1
    if first >= 1 and tau(points, first) >= TAU then from = math.min(from or at(points, first), at(points, first)) end
  end
  return from, from and to
end

return climb
