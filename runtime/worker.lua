--- One worker process of the sandbox, seen from the host: started, spoken to in frames, killed.
--- host/worker.c describes the frames. Every frame is taken for an attack until its type is known
--- and its length is within what that type may have; no more than one frame is ever kept.
--- What the frames mean is runtime/sandbox.lua's business.

local uv = require "luv"
local async = require "runtime.async"

local worker = {}

---@class Worker
---@field pid integer
---@field ended? { code: integer, signal: integer }  how the process ended, once it has
---@field layers? table   what holds it, once it has greeted: runtime/sandbox.lua's business
---@field private buffer string
---@field private limits table<string, integer>      longest body by type
local Worker = {}
Worker.__index = Worker

local HEAD = 5

local function u16(n) return string.char(math.floor(n / 256) % 256, n % 256) end

local function u32(n) return u16(math.floor(n / 65536)) .. u16(n % 65536) end

local function read_u32(s, at)
  local a, b, c, d = s:byte(at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

worker.u16, worker.u32, worker.read_u32 = u16, u32, read_u32

-- The file that runs now, even when another one has been put in its place since.
local OURSELVES = "/proc/self/exe"

--- Starts a process. Its environment is empty, its session its own (a Ctrl-C is for us), and
--- neither it nor its pipe keeps the loop alive.
---@param longest table<string, integer>  the frames it may send, with the longest body of each
---@param program? string                 this program if left out
---@return Worker|nil
---@return string? err
function worker.spawn(longest, program)
  local self = setmetatable({ buffer = "" }, Worker)
  self:limit(longest)
  local pipe = uv.new_pipe(false)
  local process, pid = uv.spawn(program or OURSELVES, {
    args = { "--sandbox-worker" },
    env = {},
    stdio = { nil, nil, nil, pipe },
    detached = true,
  }, function(code, signal)
    self.ended = { code = code, signal = signal }
    self.process:close()
    self:wake()
  end)
  if not process then
    pipe:close()
    return nil, pid
  end
  self.process, self.pid, self.pipe = process, pid, pipe
  process:unref()
  pipe:unref()
  pipe:read_start(function(err, bytes) self:take(not err and bytes) end)
  return self
end

---@private
function Worker:take(bytes)
  if not bytes then
    self.gone = true
  else
    self.buffer = self.buffer .. bytes
    if #self.buffer > self.room then self.pipe:read_stop() end
  end
  self:wake()
end

---@private
function Worker:wake()
  local resume = self.resume
  self.resume = nil
  if resume then resume(true) end
end

---@private
function Worker:wait(deadline)
  return async.await(function(resume)
    self.resume = resume
    return function() self.resume = nil end
  end, deadline)
end

-- The type and body of the first frame; nil when it is not all here; false for an impossible one.
function Worker:next_frame()
  if #self.buffer < HEAD then return nil end
  local length, kind = read_u32(self.buffer, 1), self.buffer:sub(HEAD, HEAD)
  local longest = self.limits[kind]
  if not longest or length > longest then return false end
  if #self.buffer < HEAD + length then return nil end
  local body = self.buffer:sub(HEAD + 1, HEAD + length)
  self.buffer = self.buffer:sub(HEAD + length + 1)
  return kind, body
end

--- Waits for the next frame.
---@param deadline number
---@return string|nil kind
---@return string body_or_why  "protocol", "gone", "timeout", or why our task was cancelled
function Worker:frame(deadline)
  local late = false
  while true do
    local kind, body = self:next_frame()
    if kind then return kind, body end
    if kind == false then return nil, "protocol" end
    if self.gone then return nil, #self.buffer > 0 and "protocol" or "gone" end
    if late then return nil, "timeout" end
    local ok, why = self:wait(deadline)
    if not ok and why ~= "timeout" then return nil, why end
    -- When the loop itself was late, what came in time still lies unread: one more turn.
    if not ok then
      late = true
      local slept, cancelled = async.sleep(0.001)
      if not slept then return nil, cancelled end
    end
  end
end

--- From now on these are the frames it may send.
---@param longest table<string, integer>
function Worker:limit(longest)
  self.limits, self.room = longest, HEAD
  for _, length in pairs(longest) do self.room = math.max(self.room, HEAD + length) end
end

--- False once the process has ended or hung up, whatever it may have said before.
---@return boolean
function Worker:is_alive() return not self.ended and not self.gone end

--- True when the worker sent something that nobody has asked for yet.
---@return boolean
function Worker:has_more() return #self.buffer > 0 end

---@param kind string
---@param body string
function Worker:send(kind, body)
  -- A worker that is gone shows when we wait for its answer; nothing to do about it here.
  if not self.pipe:is_closing() then self.pipe:write(u32(#body) .. kind .. body) end
end

--- How the process ended, when it does so by itself within the time.
---@param seconds number
---@return { code: integer, signal: integer }|nil
function Worker:wait_end(seconds)
  local deadline = async.now() + seconds
  while not self.ended and self:wait(deadline) do end
  return self.ended
end

--- Ends the process whatever it does; luv reaps it. Safe to call twice.
function Worker:kill()
  if not self.ended then self.process:kill "sigkill" end
  if not self.pipe:is_closing() then self.pipe:close() end
end

return worker
