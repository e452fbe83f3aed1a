--- What a relay brought: the newest events, how many there were and were dropped in each second, and
--- when we listened at all. Times are seconds of a clock that only goes on; the caller tells them.

local heard = {}

local LONGEST_S = 24 * 3600   -- older counts and times of listening are forgotten

---@class HeardOf
---@field private keep integer
---@field private first integer  number of the oldest event that is kept
---@field private last integer
---@field private events table<integer, { at: number, event: table }>
---@field private counts { second: integer, total: integer, dropped: integer }[]   ascending, none empty
---@field private spans { from: number, to: number }[]   the last may still go on
---@field private listening boolean
local HeardOf = {}
HeardOf.__index = HeardOf

---@param keep integer
---@return HeardOf
function heard.new(keep)
  return setmetatable({ keep = keep, first = 1, last = 0, events = {}, counts = {}, spans = {}, listening = false },
    HeardOf)
end

local function forget_before(list, key, limit)
  local gone = 0
  while list[gone + 1] and list[gone + 1][key] < limit do gone = gone + 1 end
  if gone == 0 then return end
  for i = 1, #list do list[i] = list[i + gone] end
end

-- The seconds with events in them are a day's at most.
local function counted(self, now)
  local second = math.floor(now)
  local newest = self.counts[#self.counts]
  if newest and newest.second >= second then return newest end
  newest = { second = second, total = 0, dropped = 0 }
  self.counts[#self.counts + 1] = newest
  forget_before(self.counts, "second", second - LONGEST_S)
  return newest
end

--- Keeps an event, and forgets the oldest when there are too many.
---@param event table
function HeardOf:add(event, now)
  self.last = self.last + 1
  self.events[self.last] = { at = now, event = event }
  if self.last - self.first >= self.keep then
    self.events[self.first] = nil
    self.first = self.first + 1
  end
  local count = counted(self, now)
  count.total = count.total + 1
end

--- Events that never came here.
function HeardOf:lose(many, now)
  if many == 0 then return end
  local count = counted(self, now)
  count.total, count.dropped = count.total + many, count.dropped + many
end

function HeardOf:begin(now)
  self.listening = true
  self.spans[#self.spans + 1] = { from = now, to = now }
  forget_before(self.spans, "to", now - LONGEST_S)
end

--- We listened until now.
function HeardOf:go_on(now)
  if self.listening then self.spans[#self.spans].to = now end
end

--- No longer. Without a `now` we listened until it was last said that we do.
function HeardOf:finish(now)
  if now then self:go_on(now) end
  self.listening = false
end

--- How many seconds of the last so many minutes we listened.
---@return number
function HeardOf:listened(minutes, now)
  local from, seconds = now - minutes * 60, 0
  for i, span in ipairs(self.spans) do
    local to = self.listening and i == #self.spans and now or span.to
    seconds = seconds + math.max(0, to - math.max(from, span.from))
  end
  return seconds
end

local function copy(event)
  local fields = {}
  for key, value in pairs(event) do fields[key] = value end
  return fields
end

-- A second is counted as a whole, and the first of the time asked for began before it: so where all events
-- of that time are kept they are counted themselves.
local function total_of(self, from, showing)
  local total, dropped = 0, 0
  for _, count in ipairs(self.counts) do
    if count.second >= math.floor(from) then total, dropped = total + count.total, dropped + count.dropped end
  end
  local oldest = self.events[self.first]
  if self.first == 1 or oldest.at < from then total = showing + dropped end
  return total, dropped
end

--- The last so many minutes. Events are copies, so nobody's changes reach another.
---@return Heard
function HeardOf:since(minutes, now)
  local from, events = now - minutes * 60, {}
  for i = self.first, self.last do
    local kept = self.events[i]
    if kept.at >= from then
      local event = copy(kept.event)
      event.age = now - kept.at
      events[#events + 1] = event
    end
  end
  local total, dropped = total_of(self, from, #events)
  local seconds = math.floor(self:listened(minutes, now) * 10 + 0.5) / 10
  return { listened_seconds = seconds, events = events, total = total, dropped = dropped }
end

return heard
