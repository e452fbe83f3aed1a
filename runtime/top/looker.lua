--- The looks of `top`: what each asks for, what it brings, what it cost, and when the next is due. `live` holds all
--- that is known; a look is a task beside it.

local async = require "runtime.async"
local cells = require "runtime.cells"
local look = require "runtime.top.look"
local skill = require "runtime.skill"

local looker = {}

local SPARE = 10        -- rows beyond those shown: who comes up next
local LEAST_ROWS = 20
local LEAST_S = 0.2     -- from look to look, whatever somebody types
local TIRED = 2         -- a look that had no answer takes so many times its time from what comes after it

-- The next look, as soon as what the last one cost allows.
local function soon(self) self.due = math.min(self.due, self.began + math.max(LEAST_S, self.pace.least)) end

-- Everything about one process: what that took is at most what it cost.
local function look_at_one(self, d, row)
  local began = async.now()
  local info, err = skill.call(self.beam, "beam_process_info", { d.pid }, self.node)
  if info then
    d.info, d.row, d.trouble = info, row or d.row, nil
  elseif tostring(err):find("no such process", 1, true) then
    d.ended = true
  else
    d.trouble = tostring(err)
  end
  return async.now() - began
end

-- The mark stays with the process that somebody moved it to; else it is on the first.
local function fresh_rows(self, seen)
  self.rows, self.selected = seen.rows, 1
  if self.sort ~= seen.sort then look.rank(self.rows, self.sort) end
  local chosen = self.chosen
  self.chosen = nil
  for i, row in ipairs(self.rows) do
    if row.id == chosen then self.selected, self.chosen = i, chosen end
  end
end

-- Who is asked again, whoever else is found: the one that is looked into, or all of the rows where the look may be at
-- a part, in which they are not.
local function known(self)
  if self.detail then return not self.detail.ended and { self.detail.id } or {} end
  local ids = {}
  if self.seen and (self.seen.parts > 1 or self.seen.figures.process_count > self.pace.most) then
    for i, row in ipairs(self.rows) do ids[i] = row.id end
  end
  return ids
end

local function not_seen(self, err)
  self.pace:failed()
  self.trouble = cells.text(("%s; looking again"):format(err.message), self.utf8)
  self.due = async.now() + TIRED * (async.now() - self.began)
end

--- One look, in a task of its own. While one process is looked into, nobody is walked through.
function looker.take(self)
  local one, cpu, height = self.detail, self.cpu, self.canvas:size()
  self.began, self.cpu, self.count, self.hurry = async.now(), os.clock(), self.count + 1, nil
  local seen, err = look.at(self.node, {
    sort = self.sort, limit = math.max(LEAST_ROWS, height) + SPARE, most = one and 0 or self.pace.most,
    count = self.count, window_ms = math.floor(1000 * self.pace:window()), known = known(self),
  })
  if not seen then return not_seen(self, err) end
  self.trouble = nil
  local there_s = self.pace:cost(seen.took_s, seen.reductions, one and "one" or seen.sort)
  local kept = self.paused and self.seen -- who pauses reads what is there
  if one then
    if not (one.ended or kept) then there_s = there_s + look_at_one(self, one, seen.rows[1]) end
    local before = self.seen or seen
    seen.parts, seen.walked = before.parts, before.walked
  elseif not kept then
    fresh_rows(self, seen)
  end
  self.seen = kept or seen
  self.pace:paid { there_s = there_s, here_s = os.clock() - (cpu or self.cpu), walked = not one and seen.walked or nil,
    total = seen.figures.process_count }
  self.due = self.began + self.pace.wait
  if self.hurry then soon(self) end
end

--- What is asked for now is not what the look that is on its way brings.
function looker.hurry(self)
  self.hurry = true
  soon(self)
end

return looker
