--- A command on a terminal of its own, on luv's loop: bytes in, bytes out, and how it ended. It knows
--- nothing of what is said; host/pty.c has the terminal.

local uv = require "luv"
local async = require "runtime.async"
local pty = require "host.pty"

local line = {}

-- So wide that hardly anything wraps; what wraps nevertheless is read all the same.
local ROWS, COLUMNS = 50, 500
local LOOK_EVERY_MS = 10
local MOST_AT_ONCE = 32 -- reads; a command that writes without an end must not keep the loop from turning
local HUNG_UP_S = 2 -- then it is killed
local HANGUP, KILL = 1, 9

---@class Line
---@field on_bytes fun(bytes: string)
---@field on_end fun(code: integer, signal: integer)   once, after its last byte
---@field queued integer    bytes that wait to be taken
---@field ended? { code: integer, signal: integer }
local Line = {}
Line.__index = Line

local function listen(self)
  local events = self.waiting[1] and "rw" or "r"
  if events == self.events or self.poll:is_closing() then return end
  self.events = events
  self.poll:start(events, self.on_ready)
end

local function flush(self)
  while self.waiting[1] do
    local bytes = self.waiting[1]
    local taken = self.pty:write(bytes)
    -- What cannot be written any more will also be read as the end.
    if not taken then self.waiting, self.queued = {}, 0 return end
    self.queued = self.queued - taken
    if taken < #bytes then
      self.waiting[1] = bytes:sub(taken + 1)
      return
    end
    table.remove(self.waiting, 1)
  end
end

-- Its terminal is let go of a moment before it has ended, or a good while: then it is helped.
local function finish(self)
  if self.finishing then return end
  self.finishing = true
  self.poll:stop()
  self.poll:close()
  self.pty:close()
  local timer, since = uv.new_timer(), uv.now()
  timer:start(0, LOOK_EVERY_MS, function()
    local code, signal = self.pty:reap()
    if not code then
      if uv.now() - since > HUNG_UP_S * 1000 then self.pty:signal(KILL) end
      return
    end
    timer:close()
    self.ended = { code = code, signal = signal }
    self.on_end(code, signal)
    for _, wake in ipairs(self.waiters) do wake(true) end
  end)
end

local function read(self)
  for _ = 1, MOST_AT_ONCE do
    local bytes, why = self.pty:read()
    if not bytes then return why == "end" and finish(self) end
    self.on_bytes(bytes)
    if self.finishing then return end
  end
end

--- Queues bytes. Nothing is written any more once it ended.
---@param bytes string
function Line:write(bytes)
  if self.finishing then return end
  self.waiting[#self.waiting + 1] = bytes
  self.queued = self.queued + #bytes
  flush(self)
  listen(self)
end

--- Ends the command and whatever it started on this terminal. Returns when it is gone. Inside a task.
function Line:close()
  if self.ended then return end
  self.pty:signal(HANGUP)
  finish(self)
  async.await(function(resume) self.waiters[#self.waiters + 1] = resume end, async.now() + HUNG_UP_S + 1)
end

--- Waits until it ended by itself.
---@param deadline number
---@return boolean
function Line:wait(deadline)
  if not self.ended then
    async.await(function(resume) self.waiters[#self.waiters + 1] = resume end, deadline)
  end
  return self.ended ~= nil
end

---@param words string[]   the command and its words; every user of this machine can read them
---@param o { on_bytes: function, on_end: function }
---@return Line|nil
---@return string? err   "ssh: No such file or directory"
function line.start(words, o)
  local opened, err = pty.start(words, ROWS, COLUMNS)
  if not opened then return nil, err end
  local self = setmetatable({
    pty = opened, on_bytes = o.on_bytes, on_end = o.on_end, waiting = {}, queued = 0, waiters = {},
  }, Line)
  self.poll = uv.new_poll(opened:fd())
  function self.on_ready(_, events)
    if (events or ""):find("w", 1, true) then flush(self) end
    read(self)
    if not self.finishing then listen(self) end
  end
  listen(self)
  return self
end

return line
