-- LuaJIT of 2022, as Debian 12 has it, compiles loops over pairs() that now and then end before what they walk does
-- (LuaJIT's issue 827). No loop is compiled, then none is wrong.

-- The shape of that issue. As a text, for the compiler to see it as it stands; says how many loops ended early.
local LOOPS = [[
  local t = { 1, 2, 3, 4, 5 }
  local tab = { a = t, b = t, c = t, d = t, e = t }
  local function f(...) for j = 1, 100 do end end
  local short = 0
  for i = 1, 100000 do
    f()
    local rounds = 0
    for k, v in pairs(tab) do
      for _ in pairs(v) do end
      rounds = rounds + 1
    end
    if rounds ~= 5 then short = short + 1 end
  end
  return short
]]

describe("the program's Lua", function()
  it("is interpreted", function() assert.is_false((require "jit".status())) end)

  it("walks all of a table, each time", function() assert.equal(0, loadstring(LOOPS)()) end)
end)
