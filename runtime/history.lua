--- What was seen of one node before: the figures of each skill's snapshots and the answers of the
--- queries that it keeps. Growth over minutes needs them. It is bounded: old entries are
--- thinned out, so that a metric spans hours with a hundred of them, close together where they are
--- new and far apart where they are old.

local async = require "runtime.async"

local history = {}

local MOST = 100          -- entries of one metric
local LONGEST_S = 86400   -- what is older is forgotten
local SWEPT_S = 3600      -- how often that is done for metrics that are no longer told
local LARGEST = 300000    -- values in all, tables and what they hold: some 20 MB

---@class Seen               what was seen of one metric, oldest first; in columns, for there are thousands of values
---@field at number[]        seconds, of async.now
---@field value any[]
---@field weight integer[]   how many values that is

---@class Past
---@field private kept table<string, table<string, Seen>>   skill -> metric
---@field private weight integer
---@field private swept number   when metrics were forgotten last
local Past = {}
Past.__index = Past

-- How many values that is, tables and what they hold.
local function weight_of(value)
  if type(value) ~= "table" then return 1 end
  local sum = 1
  for _, item in pairs(value) do sum = sum + weight_of(item) end
  return sum
end

-- What did not change since the last look is kept once: of most tables of a node that is everything. Answers with
-- what to keep, and how many values it holds beside those of `old`.
local function sharing(old, new)
  if type(new) ~= "table" then return new, 1 end
  if type(old) ~= "table" then return new, weight_of(new) end
  local same, sum = true, 1
  for key, item in pairs(new) do
    local kept, weight = sharing(old[key], item)
    new[key], sum = kept, sum + weight
    same = same and kept == old[key]
  end
  for key in pairs(old) do same = same and new[key] ~= nil end
  if same then return old, 1 end
  return new, sum
end

-- The entry that tells least beside its neighbours: the gap that it leaves is smallest for its age.
-- The first and the last stay: they say how far back one can look, and how it is now.
local function least_missed(seen, now)
  local at, found, least = seen.at, nil, nil
  for i = 2, #at - 1 do
    local gap = (at[i + 1] - at[i - 1]) / (now - at[i - 1] + 1)
    if not least or gap < least then found, least = i, gap end
  end
  return found or 1
end

function Past:drop(seen, i)
  table.remove(seen.at, i)
  table.remove(seen.value, i)
  self.weight = self.weight - table.remove(seen.weight, i)
end

function Past:heaviest()
  local found, most = nil, 0
  for _, metrics in pairs(self.kept) do
    for _, seen in pairs(metrics) do
      local sum = 0
      for _, weight in ipairs(seen.weight) do sum = sum + weight end
      if sum > most then found, most = seen, sum end
    end
  end
  return found
end

-- Metrics may be named after what comes and goes.
local function sweep(self, now)
  self.swept = now
  for _, metrics in pairs(self.kept) do
    for name, seen in pairs(metrics) do
      if (seen.at[#seen.at] or 0) < now - LONGEST_S then
        for _, weight in ipairs(seen.weight) do self.weight = self.weight - weight end
        metrics[name] = nil
      end
    end
  end
end

--- Keeps a value. It is kept as it is, not as a copy, and what is in it as before is shared with the one before.
---@param skill string
---@param metric string   a field of the skill's snapshot, or a query that it keeps
---@param value any
---@param at? number      now, if left out
function Past:remember(skill, metric, value, at)
  at = at or async.now()
  local metrics = self.kept[skill] or {}
  self.kept[skill] = metrics
  local seen = metrics[metric] or { at = {}, value = {}, weight = {} }
  metrics[metric] = seen
  local last = #seen.at
  seen.at[last + 1] = at
  seen.value[last + 1], seen.weight[last + 1] = sharing(seen.value[last], value)
  self.weight = self.weight + seen.weight[last + 1]
  while seen.at[1] < at - LONGEST_S do self:drop(seen, 1) end
  if at - self.swept > SWEPT_S then sweep(self, at) end
  if #seen.at > MOST then self:drop(seen, least_missed(seen, at)) end
  while self.weight > LARGEST do
    local heaviest = self:heaviest()
    self:drop(heaviest, least_missed(heaviest, at))
  end
end

--- Keeps the figures of a snapshot, each by its own name.
---@param skill string
---@param figures table<string, any>
---@param at? number
function Past:figures(skill, figures, at)
  for name, value in pairs(figures) do self:remember(skill, name, value, at) end
end

---@param skill string
---@param metric string
---@param minutes number
---@param now? number
---@return { age: number, value: any }[]   oldest first, age in seconds
function Past:look(skill, metric, minutes, now)
  now = now or async.now()
  local found, seen = {}, self.kept[skill] and self.kept[skill][metric]
  for i, at in ipairs(seen and seen.at or {}) do
    local age = now - at
    if age <= minutes * 60 then found[#found + 1] = { age = age, value = seen.value[i] } end
  end
  return found
end

--- The history as one skill may see it: its own.
---@param skill string
---@return History
function Past:of(skill)
  return function(metric, minutes) return self:look(skill, metric, minutes) end
end

--- The node is another one now, and nothing of the old one compares with it.
function Past:forget() self.kept, self.weight, self.swept = {}, 0, 0 end

---@return Past
function history.new()
  local past = setmetatable({}, Past)
  past:forget()
  return past
end

--- Gives a node its history, for skills that use it.
---@param n table
function history.attach(n)
  n.past = history.new()
  n.uses = n.uses or {}
  n.uses.history = function(s) return n.past:of(s.name) end
end

return history
