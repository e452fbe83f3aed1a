local allocated = require "spec.support.allocated"
local event_stream = require "runtime.llm.event_stream"
local message = require("spec.support.wire_replies").aws_message

local FIRST = message({ [":event-type"] = "a", [":message-type"] = "event" }, '{"n":1}')
local TWO = FIRST .. message({ [":exception-type"] = "b", [":message-type"] = "exception" }, "")

-- What comes out of some pieces, and why it ended.
local function read(...)
  local heard = {}
  local decoder = event_stream.new(function(data, name, headers)
    heard[#heard + 1] = { name, data, headers[":message-type"] }
  end)
  for _, piece in ipairs { ... } do
    local ok, why = decoder:feed(piece)
    if not ok then return heard, why end
  end
  decoder:finish()
  return heard
end

local function with_byte(text, at, byte) return text:sub(1, at - 1) .. string.char(byte) .. text:sub(at + 1) end

describe("event_stream", function()
  it("has the checksum that the world agrees on", function()
    assert.equal(0xCBF43926, event_stream.crc32("123456789", 1, 9))
    assert.equal(0, event_stream.crc32("", 1, 0))
  end)

  it("reads the same events wherever the bytes are cut", function()
    local wanted = { { "a", '{"n":1}', "event" }, { "b", "", "exception" } }
    assert.same(wanted, (read(TWO)))
    for at = 1, #TWO - 1 do assert.same(wanted, (read(TWO:sub(1, at), TWO:sub(at + 1)))) end
    local bytes = {}
    for at = 1, #TWO do bytes[at] = TWO:sub(at, at) end
    assert.same(wanted, (read(unpack(bytes))))
  end)

  it("joins a long one once, however many pieces it comes in", function()
    local mb = 1024 * 1024
    local text, got = message({ [":event-type"] = "a" }, ("x"):rep(mb)), nil
    local decoder = event_stream.new(function(data) got = #data end)
    local used = allocated(function()
      for at = 1, #text, 16 * 1024 do assert(decoder:feed(text:sub(at, at + 16 * 1024 - 1))) end
    end)
    assert.equal(mb, got)
    assert.is_true(used < 8 * mb, ("%d bytes for one megabyte"):format(used)) -- a copy for each piece makes 36 MB
  end)

  it("says nothing of a message that is not whole", function()
    for at = 1, #FIRST - 1 do assert.same({}, (read(FIRST:sub(1, at)))) end
  end)

  it("notices every byte that was changed on the way", function()
    for at = 1, #FIRST do
      local heard, why = read(with_byte(FIRST, at, (FIRST:byte(at) + 1) % 256), FIRST)
      assert.same({}, heard)
      assert.is_truthy(why)
    end
  end)

  it("refuses what only looks like a message", function()
    local _, why = read("HTTP/1.1 500 Internal Server Error")
    assert.equal("an event whose checksum is wrong", why)
  end)

  it("skips headers of every kind but text", function()
    local function header(name, kind, value) return string.char(#name) .. name .. string.char(kind) .. value end
    local odd = header("t", 0, "") .. header("f", 1, "") .. header("b", 2, "x") .. header("s", 3, "xx")
      .. header("i", 4, "xxxx") .. header("l", 5, ("x"):rep(8)) .. header("y", 6, "\0\2xx")
      .. header("d", 8, ("x"):rep(8)) .. header("u", 9, ("x"):rep(16))
    local function u32(n)
      return string.char(0, 0, math.floor(n / 256) % 256, n % 256)
    end
    local function crc(text)
      local n = event_stream.crc32(text, 1, #text)
      return string.char(math.floor(n / 2 ^ 24), math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
    end
    local head = odd .. header(":event-type", 7, "\0\1a")
    local prelude = u32(16 + #head + 2) .. u32(#head)
    local text = prelude .. crc(prelude) .. head .. "{}"
    assert.same({ { "a", "{}" } }, (read(text .. crc(text))))
    head = header(":event-type", 7, "\0\9a")
    prelude = u32(16 + #head + 2) .. u32(#head)
    text = prelude .. crc(prelude) .. head .. "{}"
    local _, why = read(text .. crc(text))
    assert.equal("an event whose headers cannot be read", why)
  end)
end)
