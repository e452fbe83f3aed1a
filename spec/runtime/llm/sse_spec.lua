local allocated = require "spec.support.allocated"
local sse = require "runtime.llm.sse"

local TEXT = ": a comment\nevent: one\ndata: {\"a\":\"Grüße €\"}\n\n"
  .. "data: first\r\ndata: second\r\n\r\nid: 7\ndata:bare\n\n"
local EVENTS = { { '{"a":"Grüße €"}', "one" }, { "first\nsecond" }, { "bare" } }

local function read(pieces)
  local got = {}
  local reader = sse.new(function(data, name) got[#got + 1] = { data, name } end)
  for _, piece in ipairs(pieces) do assert(reader:feed(piece)) end
  return got, reader
end

describe("server-sent events", function()
  it("are the same wherever the bytes are split, inside a character and a line end too", function()
    for i = 1, #TEXT - 1 do assert.same(EVENTS, read { TEXT:sub(1, i), TEXT:sub(i + 1) }) end
    local bytes = {}
    for i = 1, #TEXT do bytes[i] = TEXT:sub(i, i) end
    assert.same(EVENTS, read(bytes))
  end)

  it("are kept back until they are whole", function()
    local got, reader = read { "data: half" }
    assert.same({}, got)
    reader:finish()
    assert.same({ { "half" } }, got)
  end)

  it("are refused when one has no end", function()
    local reader = sse.new(function() end)
    assert(reader:feed "data: ")
    local ok, why = reader:feed(("x"):rep(9 * 1024 * 1024))
    assert.same({ nil, "an event longer than 8 MB" }, { ok, why })
  end)

  it("are joined once, however many pieces a long one comes in", function()
    local got, reader = read { "data: " }
    local piece, mb = ("x"):rep(16 * 1024), 1024 * 1024
    local used = allocated(function()
      for _ = 1, 64 do assert(reader:feed(piece)) end
      assert(reader:feed "\n\n")
    end)
    assert.equal(mb, #got[1][1])
    assert.is_true(used < 8 * mb, ("%d bytes for one megabyte"):format(used)) -- a copy for each piece makes 36 MB
  end)

  it("have an end whose two characters come in two pieces, with nothing between", function()
    assert.same({ { "a" }, { "b" } }, (read { "data: a\r", "", "\n\r\n", "data: b\r", "\r", "data: c" }))
  end)
end)
