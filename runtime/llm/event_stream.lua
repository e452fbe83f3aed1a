--- AWS's binary framing of events: bytes as they come off the wire -> events. A message is its length, the
--- length of its headers, a checksum of both; headers; the event's text; a checksum of all.

local bit = require "bit"

local event_stream = { broken = "retry" }

local MOST = 16 * 1024 * 1024
local PRELUDE, CHECKSUM = 12, 4

local TABLE = {}
for i = 0, 255 do
  local c = i
  for _ = 1, 8 do c = bit.bxor(bit.rshift(c, 1), bit.band(c, 1) == 1 and 0xEDB88320 or 0) end
  TABLE[i] = c
end

--- The checksum that Ethernet and zip have, of a part of a text.
---@param text string
---@param first integer   byte
---@param last integer    byte
---@return integer   from 0 to 2^32 - 1
function event_stream.crc32(text, first, last)
  local c = 0xFFFFFFFF
  for i = first, last do
    c = bit.bxor(bit.rshift(c, 8), TABLE[bit.band(bit.bxor(c, text:byte(i)), 255)])
  end
  return bit.bxor(c, 0xFFFFFFFF) % 2 ^ 32
end

local function u16(text, at)
  local a, b = text:byte(at, at + 1)
  return a * 256 + b
end

local function u32(text, at) return u16(text, at) * 65536 + u16(text, at + 2) end

-- How many bytes a header's value has, by its type; those of text and bytes say it themselves.
local LENGTHS = { [0] = 0, [1] = 0, [2] = 1, [3] = 2, [4] = 4, [5] = 8, [8] = 8, [9] = 16 }
local TEXT, BYTES = 7, 6

-- nil where they do not end where they should.
local function headers_of(text, at, stop)
  local headers = {}
  while at < stop do
    local name_length = text:byte(at)
    local name, kind = text:sub(at + 1, at + name_length), text:byte(at + 1 + name_length)
    at = at + 2 + name_length
    local length = LENGTHS[kind]
    if kind == TEXT or kind == BYTES then
      if at + 2 > stop then return nil end
      length, at = u16(text, at), at + 2
    end
    if not length or at + length > stop then return nil end
    headers[name] = kind == TEXT and text:sub(at, at + length - 1) or nil
    at = at + length
  end
  return at == stop and headers or nil
end

---@class EventStream
---@field feed fun(self: EventStream, bytes: string): true|nil, string?   nil: it is none
---@field finish fun(self: EventStream)
local EventStream = {}
EventStream.__index = EventStream

---@param on_event fun(data: string, name?: string, headers: table<string, string>)   name: what `:event-type` or
---  `:exception-type` says
---@return EventStream
function event_stream.new(on_event)
  return setmetatable({ on_event = on_event, rest = {}, size = 0, whole = PRELUDE }, EventStream)
end

local BROKEN = "an event whose checksum is wrong"

-- One message at `at`; its end, or nil and why; nil alone where it is not whole yet.
local function message(self, text, at)
  if #text - at + 1 < PRELUDE then return nil end
  local length, headers_length = u32(text, at), u32(text, at + 4)
  if u32(text, at + 8) ~= event_stream.crc32(text, at, at + 7) then return nil, BROKEN end
  if length > MOST or length < PRELUDE + headers_length + CHECKSUM then
    return nil, "an event of an impossible length"
  end
  local stop = at + length
  if #text < stop - 1 then return nil end
  if u32(text, stop - CHECKSUM) ~= event_stream.crc32(text, at, stop - CHECKSUM - 1) then return nil, BROKEN end
  local body = at + PRELUDE + headers_length
  local headers = headers_of(text, at + PRELUDE, body)
  if not headers then return nil, "an event whose headers cannot be read" end
  self.on_event(text:sub(body, stop - CHECKSUM - 1), headers[":event-type"] or headers[":exception-type"]
    or headers[":error-code"], headers)
  return stop
end

-- The pieces of a long one are joined once, when it is whole.
function EventStream:feed(bytes)
  self.rest[#self.rest + 1], self.size = bytes, self.size + #bytes
  if self.size < self.whole then return true end
  local text, at = table.concat(self.rest), 1
  while true do
    local stop, why = message(self, text, at)
    if why then return nil, why end
    if not stop then break end
    at = stop
  end
  self.rest, self.size = { text:sub(at) }, #text - at + 1
  self.whole = self.size < PRELUDE and PRELUDE or u32(text, at)
  return true
end

function EventStream:finish() self.rest, self.size, self.whole = {}, 0, PRELUDE end

return event_stream
