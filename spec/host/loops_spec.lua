-- LuaJIT as Debian 12 has it (2022-03) compiles nested loops over pairs() wrongly: the outer one ends early
-- (LuaJIT issue 827). Everything here runs interpreted for that.
describe("a loop over pairs", function()
  it("goes through the whole table, however often it ran before", function()
    local inner, short = { 1, 2, 3, 4, 5 }, 0
    local outer = { a = inner, b = inner, c = inner, d = inner, e = inner }
    local function rest() for _ = 1, 100 do end end -- back in the interpreter
    for _ = 1, 100000 do
      rest()
      local rounds = 0
      for _, list in pairs(outer) do
        for _ in pairs(list) do end
        rounds = rounds + 1
      end
      if rounds ~= 5 then short = short + 1 end
    end
    assert.equal(0, short)
  end)
end)
