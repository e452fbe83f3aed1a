--- stdout and stderr, written so that nobody waits for who reads them. A reader may stop: a terminal with Ctrl-S, a
--- pager, a log driver that is stuck. What is said is queued, and a thread of libuv's writes it; the loop goes on with
--- nodes, deadlines and signals. The queue is bounded: what does not fit is left out, counted, and told once there is
--- room again.
---
--- The descriptors stay as they are. To make them non-blocking would do that to everybody who shares them.

local uv = require "luv"
local async = require "runtime.async"

local outlet = {}

local MOST_BYTES = 4 * 1024 * 1024
local AT_ONCE = 4096          -- what a pipe takes whole, or not at all
local AGAIN_MS = 20           -- where somebody else has made the descriptor non-blocking

---@class Outlet   has the form of a file of io
---@field fd integer
---@field note fun(count: integer): string   what stands in place of what was left out
---@field on_fault? fun()                    the reader went away, or the disk is full
---@field private queue string[]
---@field private waiting integer   bytes
---@field private left_out integer
---@field private fault? { why: string, name: string }
---@field private stuck? boolean   nothing was taken while somebody waited for it
local Outlet = {}
Outlet.__index = Outlet

local function usual_note(count) return ("(%d lines were left out here: nobody read them)\n"):format(count) end

---@param fd integer
---@param most? integer   bytes that may wait
---@return Outlet
function outlet.new(fd, most)
  return setmetatable({ fd = fd, most = most or MOST_BYTES, note = usual_note, queue = {}, waiting = 0, left_out = 0 },
    Outlet)
end

local carry

local function moved(self)
  self.stuck = nil
  local wake = self.wake
  self.wake = nil
  if wake then wake(true) end
end

local function later(fn)
  local timer = uv.new_timer()
  timer:start(AGAIN_MS, 0, function()
    timer:close()
    fn()
  end)
end

local function failed(self, err)
  local name, words = err:match "^(%u+): (.*)"
  self.fault = { name = name, why = words and words:gsub("^%l", string.upper) or err }
  self.queue, self.waiting, self.busy = {}, 0, false
  moved(self)
  if self.on_fault then self.on_fault() end
end

-- Writes the text from a place on, or what was queued meanwhile. The text stays as it is: to cut off what was written
-- would copy megabytes with each piece.
function carry(self, text, at)
  if at > #text then
    text, at = table.concat(self.queue), 1
    self.queue = {}
  end
  self.busy = text ~= ""
  if not self.busy then return end
  uv.fs_write(self.fd, text:sub(at, at + AT_ONCE - 1), -1, function(err, count)
    if err and err:find "^EAGAIN" then return later(function() carry(self, text, at) end) end
    if err and not err:find "^EINTR" then return failed(self, err) end
    count = count or 0
    self.waiting = self.waiting - count
    carry(self, text, at + count)
    moved(self)
  end)
end

local function put(self, text)
  self.queue[#self.queue + 1] = text
  self.waiting = self.waiting + #text
  if not self.busy then carry(self, "", 1) end
end

--- Says something as soon as it is read, or leaves it out where too much waits. Never waits.
---@return true?   nil: nobody will ever read it
---@return string? why
function Outlet:write(...)
  if self.fault then return nil, self.fault.why end
  local text = table.concat { ... }
  if self.waiting + #text > self.most then
    self.left_out = self.left_out + 1
    return true
  end
  if self.left_out > 0 then
    text = self.note(self.left_out) .. text
    self.left_out = 0
  end
  put(self, text)
  return true
end

--- A result, of which nothing is left out.
---@param text string
function Outlet:result(text)
  if not self.fault then put(self, text) end
end

function Outlet.flush() return true end
Outlet.setvbuf = Outlet.flush

--- Waits until all is written.
---@param patience_s? number   with a reader who takes nothing; without end if left out
---@return true?
---@return string? why
---@return string? name        of the fault, as "EPIPE"
function Outlet:finish(patience_s)
  while self.waiting > 0 do
    if patience_s and self.stuck then return nil, "nobody reads it", "ETIMEDOUT" end
    local _, why = async.await(function(resume) self.wake = resume end, patience_s and async.now() + patience_s)
    if async.current().cancelled then return nil, async.current().cancelled, "EINTR" end
    if why == "timeout" then self.stuck = true end
  end
  if self.fault then return nil, self.fault.why, self.fault.name end
  return true
end

--- Has written what waits, for a script that ends the process at once: by a turn of the loop inside another, which is
--- no harm where nothing comes after it.
---@param patience_s number
function Outlet:drain(patience_s)
  local until_when = async.now() + patience_s
  while self.waiting > 0 and async.now() < until_when do uv.run "nowait" end
end

--- Whether something waits that nobody takes: then a thread is in the middle of it, which an end would wait for.
---@return boolean
function Outlet:is_stuck() return self.waiting > 0 end

outlet.out, outlet.err = outlet.new(1), outlet.new(2)

return outlet
