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
end)
