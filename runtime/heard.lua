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

local function listened(self, from, now)
  local seconds = 0
  for i, span in ipairs(self.spans) do
    local to = self.listening and i == #self.spans and now or span.to
    seconds = seconds + math.max(0, to - math.max(from, span.from))
  end
  return seconds
end

--- How long we listened in the last so many minutes.
function HeardOf:listened(minutes, now) return listened(self, now - minutes * 60, now) end

local function copy(event)
  local fields = {}
  for key, value in pairs(event) do fields[key] = value end
  return fields
end

--- The last so many minutes. Events are copies, so nobody's changes reach another.
---@return Heard
function HeardOf:since(minutes, now)
  local from = now - minutes * 60
  local result = { listened_seconds = math.floor(listened(self, from, now) * 10 + 0.5) / 10, events = {}, total = 0,
    dropped = 0 }
  for i = self.first, self.last do
    local kept = self.events[i]
    if kept.at >= from then
      local event = copy(kept.event)
      event.age = now - kept.at
      result.events[#result.events + 1] = event
    end
  end
  local kept_and_dropped = #result.events
  for _, count in ipairs(self.counts) do
    if count.second >= math.floor(from) then
      result.total, result.dropped = result.total + count.total, result.dropped + count.dropped
    end
  end
  kept_and_dropped = kept_and_dropped + result.dropped
  -- A second that began before the time asked for counts as a whole, its events do not: only where
  -- events of that time were forgotten is the count more than what there is to show.
  local all_kept = self.first == 1 or (self.events[self.first] and self.events[self.first].at < from)
  if all_kept then result.total = kept_and_dropped end
  return result
end

return heard
