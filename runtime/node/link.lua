--- One connection to one node: set up, frames in and out, ticks both ways. It knows bytes and
--- lengths; what a frame means is runtime/node/call.lua, which sets `on_frame` and its like.

local uv = require "luv"
local async = require "runtime.async"
local bytes = require "runtime.node.bytes"
local epmd = require "runtime.node.epmd"
local failure = require "runtime.failure"
local handshake = require "runtime.node.handshake"
local tcp = require "runtime.node.tcp"

local link = {}

local read_u32, sub, byte = bytes.read_u32, string.sub, string.byte

local TICK = "\0\0\0\0"
local LARGEST_FRAME = 16 * 1024 * 1024
local MOST_QUEUED = 64 * 1024 * 1024
local SILENCE_S = 60

-- Of a frame too large to keep, this much is read to learn whose answer it was.
local HEAD = 2048

-- A tick is answered, since the peer's patience may be shorter than our own beat; but not each
-- of many, or two who both answer would never stop.
local ANSWER_EVERY_MS = 100

-- Most calls are answered within this time, which is less than a core of a virtual machine that
-- fell asleep needs to wake. So the loop polls that long after a frame was sent, as the node's
-- own schedulers do; sequential calls gain a third by it.
local AWAKE_NS = 100000

---@class Link
---@field node string
---@field session Session
---@field closed Failure?    why, once it is down
---@field received integer   bytes
---@field on_frame fun(buffer: string, from: integer, to: integer): string?  a fault of the peer
---@field on_oversize fun(head: string, length: integer)
---@field on_quiet fun()     nothing was heard for a while: ask something
---@field on_down fun(why: Failure)
local Link = {}
Link.__index = Link

local function lost(self, why, next_step)
  return failure.new("node", ("lost %s: %s"):format(self.node, why), next_step or "look whether it still runs", 3)
end

--- Ends the link. Only the first reason counts.
---@param why Failure
function Link:down(why)
  if self.closed then return end
  self.closed = why
  self.beat:close()
  self.poll:close()
  if not self.handle:is_closing() then self.handle:close() end
  self.on_down(why)
end

-- A loop with an idle handle does not sleep.
local function stay_awake(self)
  self.sent_at = uv.hrtime()
  if self.polling then return end
  self.polling = true
  self.poll:start(function()
    if uv.hrtime() - self.sent_at < AWAKE_NS then return end
    self.polling = false
    self.poll:stop()
  end)
end

--- Queues a frame. False when the link is down, or went down over it.
---@param frame string
---@return boolean
function Link:send(frame)
  if self.closed then return false end
  self.sent = true
  stay_awake(self)
  local queued = self.handle:get_write_queue_size()
  if queued > MOST_QUEUED then
    self:down(lost(self, "it does not take what we send"))
    return false
  end
  if queued == 0 then
    local written = self.handle:try_write(frame)
    if written == #frame then return true end
    if written then frame = sub(frame, written + 1) end
  end
  self.handle:write(frame, function(err)
    if err then self:down(lost(self, "write failed, " .. err)) end
  end)
  return not self.closed
end

local function answer_tick(self)
  local now = uv.now()
  if now - self.answered_at < ANSWER_EVERY_MS then return end
  self.answered_at = now
  self:send(TICK)
end

-- Looks at all whole frames of buffer. Returns where the rest begins, and how much of it is
-- needed before another look is worth it.
local function take_frames(self, buffer)
  local at, last = 1, #buffer
  while not self.closed do
    local left = last - at + 1
    if left < 4 then return at, 4 end
    local length = read_u32(buffer, at)
    if length == 0 then
      answer_tick(self)
      at = at + 4
    elseif length <= self.largest then
      if left - 4 < length then return at, 4 + length end
      local fault = byte(buffer, at + 4) ~= 112 and "an unknown kind of packet"
        or self.on_frame(buffer, at + 5, at + 3 + length)
      if fault then
        self:down(lost(self, "it sent what is no distribution message, " .. fault,
          "is that port really the node's?"))
      end
      at = at + 4 + length
    elseif left - 4 < HEAD then
      return at, 4 + HEAD
    else
      self.on_oversize(sub(buffer, at + 5, at + 3 + HEAD), length)
      if left - 4 < length then
        self.discard = length - (left - 4)
        return last + 1, 4
      end
      at = at + 4 + length
    end
  end
  return last + 1, 4
end

-- Chunks are joined only when a whole frame is there: appending each to what we have would
-- copy a reply of 10 MB a hundred times.
---@param chunk string   bytes from the peer, cut anywhere
function Link:receive(chunk)
  self.quiet_beats = 0
  self.received = self.received + #chunk
  if self.discard > 0 then
    local dropped = math.min(self.discard, #chunk)
    self.discard = self.discard - dropped
    if dropped == #chunk then return end
    chunk = sub(chunk, dropped + 1)
  end
  self.chunks[#self.chunks + 1] = chunk
  self.have = self.have + #chunk
  if self.have < self.need then return end
  local buffer = #self.chunks == 1 and chunk or table.concat(self.chunks)
  local rest
  rest, self.need = take_frames(self, buffer)
  self.have = #buffer - rest + 1
  self.chunks = self.have > 0 and { rest == 1 and buffer or sub(buffer, rest) } or {}
end

-- Four beats make the time of silence. Beats are counted, not clocks compared: a machine that
-- slept finds its node's ticks still unread, not its node dead.
local function beat(self)
  self.quiet_beats = self.quiet_beats + 1
  if self.quiet_beats > 4 then
    return self:down(lost(self, ("not a byte from it for %.3g s"):format(self.silence_s),
      "it may be frozen or cut off; look at it on its own machine"))
  end
  if not self.sent then self:send(TICK) end
  self.sent = false
  -- Its ticks may be rarer than our patience: make it say something before we give it up.
  if self.quiet_beats > 2 then self.on_quiet() end
end

local function start(self, handle, rest)
  self.handle = handle
  self.poll = uv.new_idle()
  self.beat = uv.new_timer()
  local every = math.ceil(self.silence_s * 1000 / 4)
  self.beat:start(every, every, function() beat(self) end)
  handle:read_start(function(err, chunk)
    if self.closed then return end
    if not chunk then
      return self:down(lost(self, err and "connection broken, " .. err or "it closed the connection"))
    end
    self:receive(chunk)
  end)
  if #rest > 0 then self:receive(rest) end
end

local CONNECT_FAULTS = {
  ECONNREFUSED = "nothing listens there: the node is gone, or --port is not its port",
  timeout = "a firewall may drop the node's port; fix it with inet_dist_listen_min and _max",
}

local function connect_fault(where, host, err, started)
  if err == "ENOTFOUND" then
    return failure.new("connect", "host " .. host .. " not found",
      "check the part of the node name behind the @, or make the host known to this machine", 3)
  end
  local message = err == "timeout"
    and ("timeout after %d ms in connect: no answer from %s"):format((async.now() - started) * 1000, where)
    or ("cannot connect to %s: %s"):format(where, err)
  return failure.new("connect", message, CONNECT_FAULTS[err] or "check the network between here and there", 3)
end

--- Connects and shakes hands. Frames are not read before `start` is called.
---@param o { node: string, cookie?: string, deadline: number, port?: integer, silence_s?: number, largest?: integer,
---  door?: Door }   door: behind which the node is, once it is open; else it is asked directly
---@return Link|nil
---@return Failure? err
function link.open(o)
  local name, host = o.node:match "^(.-)@(.+)$"
  local door = o.door
  local port = o.port or door and door.port
  if not port then
    local unknown
    port, unknown = epmd.port(host, name, o.deadline, door)
    if not port then return nil, unknown end
  end
  local at = { node = o.node, where = host .. ":" .. port, deadline = o.deadline, door = door }
  local started = async.now()
  local socket, refused
  if door then socket, refused = door:connect(host, port, o.deadline)
  else socket, refused = tcp.connect(host, port, o.deadline) end
  if not socket then return nil, connect_fault(at.where, host, refused, started) end
  local session, err = handshake.run(socket, at, o.cookie)
  if not session then
    socket:close()
    return nil, err
  end
  local self = setmetatable({
    node = o.node, session = session, silence_s = o.silence_s or SILENCE_S, largest = o.largest or LARGEST_FRAME,
    received = 0, quiet_beats = 0, discard = 0, answered_at = 0, chunks = {}, have = 0, need = 4,
  }, Link)
  self.start = function()
    self.start = nil
    start(self, socket:release())
  end
  return self
end

return link
