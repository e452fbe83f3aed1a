local cjson = require "cjson"
local etf = require "host.etf"

local A = etf.A

local function u32(n)
  return string.char(math.floor(n / 2 ^ 24), math.floor(n / 2 ^ 16) % 256, math.floor(n / 256) % 256, n % 256)
end

-- Whole terms, at least one for each tag, without the 131.
local NODE = "w\3n@h"
local FUN = "\2" .. ("u"):rep(16) .. u32(0) .. u32(1) .. "w\1ma\1a\2X" .. NODE .. u32(1) .. u32(2) .. u32(3) .. "a\7"
local TERMS = {
  "a\7", "b" .. u32(7), "F\63\248\0\0\0\0\0\0", "c1.50000000000000000000e+00\0\0\0\0\0",
  "d\0\2ok", "s\2ok", "v\0\2ok", "w\2ok",
  "h\2a\1a\2", "i" .. u32(2) .. "a\1a\2", "j", "k\0\3abc", "k\0\2\1\2", "l" .. u32(2) .. "a\1a\2j",
  "l" .. u32(1) .. "a\1a\2",
  "m" .. u32(3) .. "abc", "M" .. u32(2) .. "\3\1\160",
  "n\2\0\1\1", "n\8\1\1\2\3\4\5\6\7\8", "o" .. u32(9) .. "\0" .. ("\1"):rep(9),
  "t" .. u32(2) .. "w\1aa\1w\1bj", "t" .. u32(1) .. "m" .. u32(1) .. "xa\1",
  "t" .. u32(3) .. "w\1aa\1a\1a\2h\1ja\3",
  "X" .. NODE .. u32(1) .. u32(2) .. u32(3), "g" .. NODE .. u32(1) .. u32(2) .. "\3",
  "f" .. NODE .. u32(1) .. "\3", "Y" .. NODE .. u32(1) .. u32(3), "x" .. NODE .. u32(0) .. u32(1) .. u32(3),
  "r\0\2" .. NODE .. "\3" .. u32(1) .. u32(2), "Z\0\3" .. NODE .. u32(3) .. u32(1) .. u32(2) .. u32(3),
  "p" .. u32(4 + #FUN) .. FUN, "qw\1mw\1fa\2",
}
local ALL = "l" .. u32(#TERMS) .. table.concat(TERMS) .. "j"

local function nested(depth, open, inmost, close)
  return "\131" .. open:rep(depth) .. inmost .. (close or ""):rep(depth)
end

-- Both modes answer alike and neither raises; returns the reason of a refusal.
local function refusal(bytes)
  local term, why = etf.decode(bytes)
  local text, why_not = etf.json(bytes)
  assert.is_nil(term)
  assert.is_nil(text)
  assert.equal(why, why_not)
  return why
end

describe("host.etf given bytes of a hostile node", function()
  it("takes every sort of term", function()
    for _, term in ipairs(TERMS) do
      local bytes = "\131" .. term
      assert.equal(#bytes + 1, select(2, etf.decode(bytes)))
      assert.equal(#bytes + 1, select(2, etf.json(bytes)))
    end
  end)

  it("refuses every term cut short, and says where", function()
    local bytes = "\131" .. ALL
    for n = 0, #bytes - 1 do assert.matches("^etf: truncated.* at byte %d+$", refusal(bytes:sub(1, n))) end
    for _, term in ipairs(TERMS) do
      for n = 1, #term - 1 do assert.matches("^etf: truncated.* at byte %d+$", refusal("\131" .. term:sub(1, n))) end
    end
  end)

  it("survives every byte changed, with an answer or a reason", function()
    local bytes, taken, refused = "\131" .. ALL, 0, 0
    for at = 1, #bytes do
      for _, byte in ipairs { 0, 1, 97, 104, 106, 108, 116, 127, 128, 255 } do
        local changed = bytes:sub(1, at - 1) .. string.char(byte) .. bytes:sub(at + 1)
        local term, why = etf.decode(changed)
        local text = etf.json(changed)
        if term then
          taken = taken + 1
          cjson.decode(text)
          assert.is_truthy(etf.decode(etf.encode(term)))
        else
          refused = refused + 1
          assert.is_nil(text)
          assert.matches("^etf: .+ at byte %d+$", why)
        end
      end
    end
    assert.is_true(taken > 500 and refused > 500)
  end)

  it("answers alike in both modes to all that the fuzzer kept", function()
    local taken, refused = 0, 0
    for path in io.popen("ls spec/fuzz/corpus/*"):lines() do
      local file = assert(io.open(path, "rb"))
      local bytes = "\131" .. file:read "*a"
      file:close()
      local value, why = etf.decode(bytes)
      if value == nil then
        refused = refused + 1
        assert.equal(why, refusal(bytes))
      else
        taken = taken + 1
        cjson.decode("[" .. etf.json(bytes) .. "]")
      end
    end
    assert.is_true(taken > 50 and refused > 20)
  end)

  it("takes no memory for what is claimed and not there", function()
    local huge = u32(2 ^ 32 - 1)
    local claims = { "l" .. huge, "i" .. huge, "t" .. huge, "m" .. huge, "o" .. huge, "M" .. huge .. "\8", "p" .. huge,
      "l" .. u32(2 ^ 26), "t" .. u32(2 ^ 25), ("l" .. u32(60000)):rep(400) .. ("a\1"):rep(10000) }
    for i, claim in ipairs(claims) do claims[i] = "\131" .. claim .. ("j"):rep(64) end
    collectgarbage()
    collectgarbage "stop"
    local before = collectgarbage "count"
    for _, claim in ipairs(claims) do
      etf.decode(claim)
      etf.json(claim)
    end
    local taken = collectgarbage "count" - before
    collectgarbage "restart"
    for _, claim in ipairs(claims) do refusal(claim) end
    assert.is_true(taken < 64)
  end)

  it("goes 512 levels deep and no further", function()
    local kinds = { ["h\1"] = "", ["l" .. u32(1)] = "j", ["t" .. u32(1) .. "w\1k"] = "", ["t" .. u32(1)] = "a\1" }
    for open, close in pairs(kinds) do
      local deep = nested(512, open, "a\1", close)
      assert.is_truthy(etf.json(deep))
      assert.is_truthy(etf.decode(etf.encode((assert(etf.decode(deep))))))
      assert.matches("nested too deep", refusal(nested(513, open, "a\1", close)))
      assert.matches("nested too deep", refusal(nested(1e6, open, "a\1", close)))
    end
    assert.matches("nested too deep", refusal("\131" .. ("l" .. u32(1) .. "a\1"):rep(600) .. "j"))
  end)

  it("reads deeply nested maps of mixed keys once, not twice for each level", function()
    local mixed = nested(400, "t" .. u32(2) .. "w\1aa\1a\1", "j")
    assert.equal("map", etf.kind((etf.decode(mixed))))
    assert.is_truthy(etf.json(mixed))
  end)

  it("writes maps in keys of maps without doubling the backslashes at each level", function()
    local keys = nested(400, "t" .. u32(1), "j", "a\1")
    assert.is_true(#etf.json(keys) < 2 * #keys)
  end)

  it("refuses by name what no node sends", function()
    for bytes, why in pairs {
      [""] = "etf: truncated at byte 1",
      ["x"] = "etf: no term, which would begin with 131, at byte 1",
      ["\131P" .. u32(5) .. "xx"] = "etf: a compressed term, which is not taken, at byte 1",
      ["\131l" .. u32(100) .. ("j"):rep(99)] = "etf: truncated %(tag 108%) at byte 2",
      ["\131\1"] = "etf: unknown tag %(tag 1%) at byte 2",
      ["\131R\0"] = "unknown tag",
      ["\131h\2a\1\200"] = "etf: unknown tag %(tag 200%) at byte 6",
      ["\131F\127\240\0\0\0\0\0\0"] = "no finite number",
      ["\131F\255\248\0\0\0\0\0\0"] = "no finite number",
      ["\131c" .. ("9"):rep(31)] = "no finite number",
      ["\131cinf" .. ("\0"):rep(28)] = "no finite number",
      ["\131c1e" .. ("\0"):rep(29)] = "no finite number",
      ["\131w\1\255"] = "no valid atom",
      ["\131v\4\0" .. ("x"):rep(1024)] = "no valid atom",
      ["\131d\1\0" .. ("x"):rep(256)] = "no valid atom",
      ["\131Xa\1" .. ("\0"):rep(12)] = "no atom where one belongs",
      ["\131Z\0\6" .. NODE .. ("\0"):rep(28)] = "no valid reference",
      ["\131Z\0\0" .. NODE .. ("\0"):rep(28)] = "no valid reference",
      ["\131M" .. u32(1) .. "\9\1"] = "no valid bitstring",
      ["\131M" .. u32(0) .. "\1"] = "no valid bitstring",
      ["\131p" .. u32(5 + #FUN) .. FUN .. "j"] = "no valid fun",
      ["\131qw\1mw\1fj\2"] = "no arity where one belongs",
    } do assert.matches(why, refusal(bytes)) end
  end)

  it("starts nowhere but at a position from 1 on", function()
    assert.same({ nil, "etf: truncated at byte 3" }, { etf.decode("\131j", 3) })
    assert.error_matches(function() etf.decode("\131j", 0) end, "a position from 1 on")
    assert.error_matches(function() etf.decode("\131j", 1.5) end, "a position from 1 on")
  end)

  it("keeps apart the keys that Lua would take for one", function()
    local map = etf.decode("\131t" .. u32(2) .. "a\1w\1xF\63\240\0\0\0\0\0\0w\1y")
    assert.equal(A.x, map[1])
    assert.equal(A.y, map[etf.float(1)])
  end)
end)
