--- `top` at a terminal: what is known, what a key does, when the next look is due. Keys are answered while a look is
--- on its way, so it is a task beside; everything that happens wakes the one loop, which draws.

local async = require "runtime.async"
local canvas = require "runtime.top.canvas"
local cells = require "runtime.cells"
local counted = require "runtime.counted"
local frame = require "runtime.top.frame"
local keys = require "runtime.top.keys"
local look = require "runtime.top.look"
local looker = require "runtime.top.looker"
local pace = require "runtime.top.pace"
local skill = require "runtime.skill"

local live = {}

local ESCAPE_S = 0.05   -- an ESC that nothing follows is the key
local AROUND = 8        -- lines of the screen that are no rows
local SECOND_S = 1      -- from frame to frame where nothing happens but time

---@class Live
---@field private events string[]   keys and what else happened, in their order
local Live = {}
Live.__index = Live

local function post(self, event)
  self.events[#self.events + 1] = event
  local wake = self.wake
  self.wake = nil
  if wake then wake(true) end
end

local function hear_bytes(self, bytes)
  if not bytes then return post(self, "q") end -- the terminal is gone
  local names, rest = keys.read(self.rest .. bytes)
  self.rest, self.rest_at = rest, async.now()
  for _, name in ipairs(names) do post(self, name) end
  if #names == 0 then post(self, "more") end
end

local function start_look(self)
  self.looking = async.spawn(function()
    looker.take(self)
    self.done = true
    post(self, "looked")
  end)
end

-- Keys

local function sort_by(sort)
  return function(self)
    if self.detail then return end
    self.sort, self.chosen, self.selected = sort, nil, 1
    look.rank(self.rows, sort)
    looker.hurry(self)
  end
end

-- By so many rows, or pages.
local function move(by, pages)
  return function(self)
    local rows = pages and by * (self.canvas:size() - AROUND) or by
    self.selected = math.max(1, math.min(#self.rows, self.selected + rows))
    self.chosen = self.rows[self.selected] and self.rows[self.selected].id
  end
end

local function enter(self)
  local row = self.rows[self.selected]
  if self.detail or not row then return end
  self.detail = { pid = row.pid, id = row.id, row = row }
  self.chosen = row.id
  looker.hurry(self)
end

local function back(self)
  if not self.detail then return end
  self.detail = nil
  looker.hurry(self)
end

local function pause(self) self.paused = not self.paused end

local function step(by)
  return function(self)
    self.pace:step(by)
    self.due = self.began + self.pace.wait
  end
end

local function help(self) self.help = true end -- until the next key

local function leave(self) self.left = true end

local function suspend(self)
  self.canvas:suspend()
  self.due = async.now()
end

local function anew(self) self.canvas:forget() end

local DOES = {
  m = sort_by "memory", b = sort_by "mailbox", r = sort_by "reductions", i = sort_by "binary",
  up = move(-1), k = move(-1), down = move(1), j = move(1), page_down = move(1, true), page_up = move(-1, true),
  home = move(-math.huge), ["end"] = move(math.huge),
  enter = enter, right = enter, esc = back, left = back, back = back,
  p = pause, space = pause, ["+"] = step(1), ["="] = step(1), ["-"] = step(-1),
  ["?"] = help, h = help,
  q = leave, ["ctrl-c"] = leave, ["ctrl-d"] = leave,
  ["ctrl-z"] = suspend, sigtstp = suspend, sigwinch = anew, ["ctrl-l"] = anew,
}

-- What happens without anybody's doing.
local NO_KEYS = { looked = true, node = true, more = true, sigwinch = true, sigtstp = true }

-- A node that was lost is reached again by itself; another life of it has other processes.
local function hear_node(self, state)
  if state == "up" then
    self.trouble, self.lost_at, self.due = nil, nil, async.now()
  else
    self.lost_at = self.lost_at or async.now()
  end
  post(self, "node")
end

local function forget_life(self)
  if self.node.lives == self.lives then return end
  self.lives, self.rows, self.seen, self.chosen, self.selected = self.node.lives, {}, nil, nil, 1
  if self.detail then self.detail.ended = true end
end

local function draw(self)
  self.name = self.node.name
  if self.lost_at then
    self.trouble = ("lost for %s; trying to reach it again"):format(counted.span(async.now() - self.lost_at))
  end
  local rows, columns = self.canvas:size()
  if rows ~= self.rows_seen or columns ~= self.columns_seen then self.canvas:forget() end
  self.rows_seen, self.columns_seen = rows, columns
  self.canvas:draw(frame.lines(self, rows, columns))
end

-- Until something happens, or it is time for a look, a frame or an ESC.
local function wait(self)
  if #self.events > 0 then return end
  local until_when = async.now() + SECOND_S
  if not self.looking and not self.paused and self.node.state == "up" then
    until_when = math.min(until_when, self.due)
  end
  if self.rest ~= "" then until_when = math.min(until_when, self.rest_at + ESCAPE_S) end
  async.await(function(wake)
    self.wake = wake
    return function() self.wake = nil end
  end, until_when)
end

local function answer(self)
  if self.rest ~= "" and async.now() >= self.rest_at + ESCAPE_S then
    self.rest = ""
    self.events[#self.events + 1] = "esc"
  end
  local events = self.events
  self.events = {}
  for _, event in ipairs(events) do
    if self.help and not NO_KEYS[event] and DOES[event] ~= leave then
      self.help = false
    elseif DOES[event] then
      DOES[event](self)
    end
  end
end

-- A look that is over; what went wrong in it is our fault.
local function looked(self)
  local looking = self.looking
  if self.done then
    self.looking, self.done = nil, nil
  elseif looking and looking.finished then
    local _, trace = looking:join()
    error(trace, 0)
  end
end

local function run(self)
  local task = async.current()
  while not self.left and not task.cancelled do
    looked(self)
    forget_life(self)
    if self.node:is_gone() then return nil, self.node.refusal end
    local due = async.now() >= self.due and not self.paused
    if due and not self.looking and self.node.state == "up" then start_look(self) end
    draw(self)
    wait(self)
    answer(self)
  end
  return true
end

--- Until somebody leaves. Inside a task.
---@param node AttachedNode
---@param o { sort: string, every: number, color: boolean }
---@return true?
---@return Failure? err   the node does not let us in any more
function live.run(node, o)
  local beam, err = skill.open "beam"
  if not beam then return nil, err end
  local self = setmetatable({
    node = node, beam = beam, lives = node.lives, sort = o.sort, pace = pace.new(o.every), utf8 = cells.is_utf8(),
    rows = {}, selected = 1, count = -1, due = 0, began = 0, events = {}, rest = "", rest_at = 0,
  }, Live)
  -- The first look is the one of number 0, at the oldest processes where it is at a part: who has a name is among them.
  self.canvas = canvas.open {
    color = o.color,
    on_bytes = function(bytes) hear_bytes(self, bytes) end,
    on_signal = function(name) post(self, name) end,
  }
  node:on_change(function(state) hear_node(self, state) end)
  local ok, ended, refusal = xpcall(run, debug.traceback, self)
  self.canvas:close() -- first of all, and also where the fault is ours
  local looking = self.looking
  if looking then
    looking:cancel()
    async.shield(function() looking:join(async.now() + SECOND_S) end)
  end
  if not ok then error(ended, 0) end
  return ended, refusal
end

return live
