-- The line of a key in a file of settings as people write them.

local key_line = require "runtime.key_line"
local uv = require "luv"

local TEXT = [==[
--- sinks = { { type = "no" } }
local shared = { node = "x" }
--[[ node = 1
]]
return {
  reason = "node = 2, { type = 3 }", -- node = 3
  [ "node" ] = "a\"b", model = [[
node = 4 ]],
  watchers = { "beam",
    { name = "redis",
      skill = "x" } },
  ["limits"] = { calls = 5; usd = math.max(1,
      2), tokens = f { usd = 7 },
  },
  ['prices'] = { ["my-model.v1"] = { input = 1,
      output = node == 5 } },
  deadline = function() return { 1, 2 } end, [7] = 1,
  port = 8,
  chunk = { iterations = 5 },
}
]==]

describe("the line of a key", function()
  local path

  setup(function()
    path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(TEXT)
    file:close()
    uv.fs_chmod(path, 384)
  end)

  teardown(function() os.remove(path) end)

  for _, case in ipairs {
    { 6, "reason" }, { 7, "node" }, { 7, "model" }, { 9, "watchers" }, { 9, "watchers", 1 }, { 10, "watchers", 2 },
    { 11, "watchers", 2, "skill" }, { 12, "limits", "calls" }, { 12, "limits", "usd" }, { 13, "limits", "tokens" },
    { 15, "prices", "my-model.v1" }, { 16, "prices", "my-model.v1", "output" }, { 17, 7 }, { 18, "port" },
  } do
    local keys = { unpack(case, 2) }
    it(table.concat(keys, ".") .. " is told", function() assert.equal(case[1], key_line(path, keys)) end)
  end

  it("is that of the last one found, where those behind it are not written there", function()
    assert.equal(12, key_line(path, { "limits", "iterations" }))
    assert.equal(10, key_line(path, { "watchers", 2, "mode" }))
  end)

  it("is not guessed where the first one is not there", function()
    assert.is_nil(key_line(path, { "type" }))
    assert.is_nil(key_line(path, { "input" }))
    assert.is_nil(key_line("/no/such/file", { "node" }))
  end)
end)
