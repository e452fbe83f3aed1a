--- What is usual, out of a list of values: the middle, and how far from it is still usual. Pure.
---
--- The middle is the median and the spread is made from the median absolute deviation, as in the
--- modified z-score of Iglewicz and Hoaglin (How to Detect and Handle Outliers, 1993): one wild value
--- moves neither, where it drags a mean along and blows up a sigma until nothing is wild any more.

local baseline = {}

-- Makes the median absolute deviation of normally distributed values their standard deviation.
local TO_SIGMA = 1.4826
-- A spread is never less than a tenth of the middle: at a threshold of 3, what changed by less than 30 %
-- is not worth waking anybody. And a constant has a spread at all, so that its jump is seen.
local LEAST_SHARE = 0.1
-- Nor less than so much in the metric's own unit (MB, %, messages, processes; events a second of a
-- counter): at a threshold of 3 a jump from 0 takes 9 of them, or 9 events a minute.
local LEAST = { gauge = 3, counter = 0.05 }
-- What so many values in a row reached before is half of what is asked of them now: a load that comes and
-- goes in waves of minutes is usual, though the middle of it never shows.
local OF_REACH = 0.5
-- A few values know little: ten of them count double, hundreds as they are.
local FEW = 10

local function middle(sorted)
  local n = #sorted
  local low, high = math.floor((n + 1) / 2), math.ceil((n + 1) / 2)
  return (sorted[low] + sorted[high]) / 2
end

---@param values number[]   one at least
---@return number
function baseline.median(values)
  local sorted = { unpack(values) }
  table.sort(sorted)
  return middle(sorted)
end

--- The lowest and the highest that `lasting` values in a row have kept to.
---@param values number[]
---@param lasting integer
---@return number low, number high
function baseline.lasting(values, lasting)
  local low, high = math.huge, -math.huge
  for i = lasting, #values do
    local most, least = -math.huge, math.huge
    for k = i - lasting + 1, i do
      most, least = math.max(most, values[k]), math.min(least, values[k])
    end
    low, high = math.min(low, most), math.max(high, least)
  end
  return low, high
end

---@class Baseline
---@field median number
---@field spread number   never 0
---@field count integer   of values

---@param values number[]             one at least, the oldest first
---@param kind "gauge"|"counter"
---@param lasting integer             so many values in a row make an anomaly
---@param reach number                how far from the middle others went that were usual
---@return Baseline
function baseline.of(values, kind, lasting, reach)
  local median, off = baseline.median(values), {}
  for i, v in ipairs(values) do off[i] = math.abs(v - median) end
  local low, high = baseline.lasting(values, lasting)
  local spread = math.max(TO_SIGMA * baseline.median(off), LEAST_SHARE * math.abs(median), LEAST[kind],
    OF_REACH * math.max(high - median, median - low, reach))
  return { median = median, spread = spread * (1 + FEW / #values), count = #values }
end

return baseline
