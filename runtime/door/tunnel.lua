--- Sockets behind a door, as streams that look to the link as luv's own do. Their bytes go in frames
--- through whatever carries text: a terminal, a shell, a session of a cloud. The other half is
--- runtime/door/helper_vm.lua.
---
--- A frame is text between brackets, round ones on the way there and curly ones on the way back, so that
--- an echo is none: base64 of four bytes of an MD5, then its number, the number that is awaited from the
--- other side, its kind, its stream, its bytes. What is no frame is noise. A damaged or missing one is
--- asked for again; so many may be on their way, then the sender waits for word of them.

local uv = require "luv"
local async = require "runtime.async"
local bytes = require "runtime.node.bytes"
local crypto = require "host.crypto"
local tcp = require "runtime.node.tcp"

local tunnel = {}

local MOST = 2900   -- bytes in a frame: with all around it less than the line that a terminal takes
local WINDOW = 128  -- frames on their way: 370 KB
local ACK_EVERY = 16
local ACK_MS, BEAT_MS = 20, 500
local PATIENCE_MS = 2000     -- for word of what we sent
local KEEP_MS = 10000        -- the helper gives up after 75 s in which it hears nothing
local LEAST = 20             -- letters of a frame: what is shorter and stands in brackets is noise
local MOST_NOISE = 65536

local byte, sub = string.byte, string.sub
local KIND = {}
for c in ("ACDEKNOQWX"):gmatch "." do KIND[c], KIND[byte(c)] = byte(c), c end

---@class Tunnel
---@field dead? string   why, once it is
local Tunnel = {}
Tunnel.__index = Tunnel

local function put(self, seq, kind, stream, data)
  local body = bytes.u32(seq) .. bytes.u32(self.want) .. kind .. bytes.u16(stream) .. data
  self.got = 0
  self.said_at = uv.now()
  self.write("(" .. crypto.base64(sub(crypto.md5(body), 1, 4) .. body) .. ")\n")
end

local function pump(self)
  while self.first_waiting < self.last_waiting and self.seq - self.low < WINDOW do
    self.first_waiting = self.first_waiting + 1
    local frame = self.waiting[self.first_waiting]
    self.waiting[self.first_waiting] = nil
    self.queued = self.queued - #frame[3]
    self.unheard[self.seq] = frame
    self.moved_at = self.seq == self.low and uv.now() or self.moved_at
    self.seq = self.seq + 1
    put(self, self.seq - 1, unpack(frame))
  end
end

local function send(self, kind, stream, data)
  self.last_waiting = self.last_waiting + 1
  self.waiting[self.last_waiting] = { kind, stream, data }
  self.queued = self.queued + #data
  pump(self)
end

local function again(self)
  self.moved_at = uv.now()
  for seq = self.low, self.seq - 1 do put(self, seq, unpack(self.unheard[seq])) end
end

local function lost(self)
  if self.told == self.want then return end
  self.told = self.want
  put(self, 0, "N", 0, "")
end

local function acknowledge(self)
  if self.got >= ACK_EVERY then return put(self, 0, "A", 0, "") end
  if self.got > 0 and not self.ack_timer:is_active() then
    self.ack_timer:start(ACK_MS, 0, function()
      if self.got > 0 then put(self, 0, "A", 0, "") end
    end)
  end
end

local function heard_of(self, ack)
  if ack <= self.low or ack > self.seq then return end
  for seq = self.low, ack - 1 do self.unheard[seq] = nil end
  self.low, self.moved_at = ack, uv.now()
  pump(self)
end

local function deliver(self, kind, number, data)
  local stream = self.streams[number]
  if stream then stream[kind](stream, data) end
end

local function frame(self, text)
  if #text < LEAST then return end
  if text:find "[^%w+/=]" then text = text:gsub("\27%[[%d;?]*%a", ""):gsub("[^%w+/=]", "") end
  local raw = crypto.from_base64(text)
  if not raw or #raw < 15 or sub(raw, 1, 4) ~= sub(crypto.md5(sub(raw, 5)), 1, 4) then return lost(self) end
  local seq, kind = bytes.read_u32(raw, 5), KIND[byte(raw, 13)]
  self.heard_at = uv.now()
  heard_of(self, bytes.read_u32(raw, 9))
  if kind == "N" then return again(self) end
  if kind == "A" then return end
  if seq > self.want then return lost(self) end
  self.got = self.got + 1
  if seq < self.want then return end
  self.want = self.want + 1
  deliver(self, kind, bytes.read_u16(raw, 14), sub(raw, 16))
end

--- What came through the door, cut anywhere.
---@param chunk string
function Tunnel:receive(chunk)
  if self.dead then return end
  local text, at = self.rest .. chunk, 1
  while true do
    local from, to, body = text:find("{([^{}]*)}", at)
    if not from then break end
    at = to + 1
    frame(self, body)
    if self.dead then return end
  end
  text = sub(text, at)
  self.rest = #text > MOST_NOISE and "" or text
  acknowledge(self)
end

--- Ends every stream. Only the first reason counts.
---@param why string
function Tunnel:die(why)
  if self.dead then return end
  self.dead = why
  self.beat:close()
  self.ack_timer:close()
  for _, stream in pairs(self.streams) do stream:X(why) end
end

--- Tells the helper to end.
function Tunnel:quit()
  if not self.dead then put(self, self.seq, "Q", 0, "") end
end

local Stream = {}
Stream.__index = Stream

function Stream:read_start(on_read)
  self.on_read = on_read
  local pending = self.pending
  self.pending = {}
  for _, data in ipairs(pending) do
    if self.on_read then self.on_read(nil, data) else self.pending[#self.pending + 1] = data end
  end
  if self.over and self.on_read then self.on_read(self.over ~= "closed" and self.over or nil) end
end

function Stream:read_stop() self.on_read = nil end

function Stream:W(data)
  if self.on_read then self.on_read(nil, data) else self.pending[#self.pending + 1] = data end
end

function Stream:O()
  self.open = true
  if self.wake then self.wake(true) end
end

function Stream:D(data) self.wake(data) end

function Stream:E(why) self.wake(nil, why) end

function Stream:X(why)
  self.over = why
  self.of.streams[self.number] = nil
  if self.wake then self.wake(nil, why) end
  if self.on_read then self.on_read(why ~= "closed" and why or nil) end
end

function Stream:write(data, done)
  for from = 1, #data, MOST do send(self.of, "W", self.number, sub(data, from, from + MOST - 1)) end
  if done then done() end
end

function Stream:try_write(data)
  self:write(data)
  return #data
end

function Stream:get_write_queue_size() return self.of.queued end

function Stream:is_closing() return self.closed == true end

function Stream:close()
  if self.closed then return end
  self.closed, self.on_read = true, nil
  self.of.streams[self.number] = nil
  if not self.of.dead and not self.over then send(self.of, "X", self.number, "") end
end

local function stream_of(self)
  repeat self.numbers = self.numbers % 65535 + 1 until not self.streams[self.numbers]
  local stream = setmetatable({ of = self, number = self.numbers, pending = {} }, Stream)
  self.streams[stream.number] = stream
  return stream
end

local function ask(self, kind, data, deadline)
  if self.dead then return nil, self.dead end
  local stream = stream_of(self)
  local answer, why = async.await(function(resume)
    stream.wake = resume
    send(self, kind, stream.number, data)
  end, deadline)
  stream.wake = nil
  if answer then return answer, nil, stream end
  stream:close()
  return nil, why
end

local ERRNO = { econnrefused = "ECONNREFUSED", nxdomain = "ENOTFOUND", etimedout = "timeout", timeout = "timeout" }

--- Connects to a port behind the door.
---@param host string
---@param port integer|"epmd"
---@param deadline number
---@return Socket?
---@return string? err     "timeout", "ENOTFOUND", "ECONNREFUSED" or words of its own
function Tunnel:connect(host, port, deadline)
  local opened, why, stream = ask(self, "C", ("%s %s"):format(host, port), deadline)
  if not opened then return nil, ERRNO[why] or why end
  return tcp.over(stream)
end

--- The MD5 of the node's cookie and this text, made behind the door.
---@param text string
---@param deadline number
---@return string? sixteen bytes
---@return string? err      "no cookie", "timeout"
function Tunnel:digest(text, deadline)
  local digest, why, stream = ask(self, "D", text, deadline)
  if stream then self.streams[stream.number] = nil end
  return digest, why
end

local function beat(self)
  local now = uv.now()
  self.told = nil
  if self.seq > self.low and now - self.moved_at > PATIENCE_MS then again(self) end
  if now - self.said_at > KEEP_MS then put(self, 0, "K", 0, "") end
end

---@param write fun(text: string)
---@return Tunnel
function tunnel.new(write)
  local self = setmetatable({
    write = write, streams = {}, numbers = 0, rest = "",
    seq = 1, low = 1, want = 1, got = 0, unheard = {}, waiting = {}, first_waiting = 0, last_waiting = 0, queued = 0,
    moved_at = uv.now(), said_at = uv.now(), heard_at = uv.now(), beat = uv.new_timer(), ack_timer = uv.new_timer(),
  }, Tunnel)
  self.beat:start(BEAT_MS, BEAT_MS, function() beat(self) end)
  self.beat:unref()
  return self
end

return tunnel
