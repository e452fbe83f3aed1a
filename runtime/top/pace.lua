--- How often `top` may look, so that it never takes more than a small share of a scheduler of the node, nor of a core
--- here. Each look pays for itself: what it took says when the next may begin. Where looks at all processes would be
--- too far apart, each is at a part of them.

local pace = {
  share = 0.04,     -- of 0.05 that is promised: the rest is for what a look does not see of itself
  longest_s = 5,    -- between two looks, where a smaller part makes that possible
  first = 200000,   -- processes of the first look, when nothing is known yet
  least = 20000,    -- so many in any case, and
  parts = 10,       -- no more parts than these: the list of all processes is made for each
  red_s = 120e-9,   -- a reduction of such a look, at most: 10 to 120 ns where it was measured
  looks = 8, slower = 1.25, -- so many looks are compared, and one may be so much slower than most
}

local LESS, MORE = 0.8, 2 -- another part only where it is worth it: parts of one size are all of them, one by one

---@class Pace
---@field every number    seconds from look to look that somebody asked for
---@field most integer    processes of a look
---@field wait number     seconds from the beginning of the last look to that of the next
---@field least number    the same, where somebody cannot wait: what the look costs, and no more
---@field there_pct number   of a scheduler of the node, at that wait
---@field here_pct number    of a core here
local Pace = {}
Pace.__index = Pace

---@param every number   seconds
---@return Pace
function pace.new(every)
  return setmetatable({ every = every, most = pace.first, wait = every, least = 0, there_pct = 0, here_pct = 0,
    last = {} }, Pace)
end

local function median(values)
  local sorted = { unpack(values) }
  table.sort(sorted)
  return sorted[math.ceil(#sorted / 2)]
end

--- What one look worked on the node: at most the time it took. Where it had to wait for its turns that says too much;
--- then its reductions tell, at what one took in the median of the last looks of its kind.
---@param took_s number
---@param reductions number
---@param kind string    what it sorted by
---@return number seconds
function Pace:cost(took_s, reductions, kind)
  local last = self.last[kind] or {}
  self.last[kind] = last
  table.insert(last, 1, took_s / math.max(1, reductions))
  last[pace.looks + 1] = nil
  return math.min(took_s, reductions * math.min(pace.red_s, pace.slower * median(last)))
end

local function settle(self)
  self.least = math.max(self.there_s, self.here_s) / pace.share
  self.wait = math.max(self.every, self.least)
  self.there_pct, self.here_pct = 100 * self.there_s / self.wait, 100 * self.here_s / self.wait
end

--- A look is over.
---@param seen { there_s: number, here_s: number, walked?: integer, total?: integer }   there_s: see `cost`; here_s: CPU
---  of this program since the look before began; walked: processes, absent where it was at one alone; total: all there
---  are
function Pace:paid(seen)
  self.there_s, self.here_s = seen.there_s, seen.here_s
  if seen.walked and seen.walked > 0 then
    local each = seen.there_s / seen.walked
    local least = math.max(pace.least, math.ceil((seen.total or 0) / pace.parts))
    local fits = math.max(least, math.floor(pace.share * pace.longest_s / each))
    if fits < self.most * LESS or fits > self.most * MORE then self.most = fits end
  end
  settle(self)
end

--- A look had no answer in time: the next is at fewer.
function Pace:failed() self.most = math.max(pace.least, math.floor(self.most / 2)) end

local STEPS = { 1, 2, 5, 10, 20, 30, 60 }

--- Another pace, slower or faster by a step.
---@param by integer   1 slower, -1 faster
function Pace:step(by)
  local at = 1
  for i, seconds in ipairs(STEPS) do if self.every >= seconds then at = i end end
  if by > 0 or self.every <= STEPS[at] then at = at + by end
  self.every = STEPS[math.max(1, math.min(#STEPS, at))]
  if self.there_s then settle(self) else self.wait = self.every end
end

--- Seconds that a look watches what happens. The first is short, for somebody waits for it.
---@return number
function Pace:window() return self.there_s and math.min(1, self.wait / 2) or 0.3 end

return pace
