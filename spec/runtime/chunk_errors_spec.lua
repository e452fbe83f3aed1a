-- What a model is told of its own slips: each row is a chunk in a real worker, the line that is named, and what to do.

local async = require "runtime.async"
local demo = require "runtime.demo_callbacks"
local explain = require "runtime.chunk_errors"
local sandbox = require "runtime.sandbox"

local function execute(code)
  return async.run(function()
    return sandbox.execute { code = code, names = demo.names, call = demo.call, limits = { run_s = 20 } }
  end)
end

local SYNTAX = {
  { "local x = 1\nif x != 1 then end", 2, "Lua writes `~=` for not equal" },
  { "local x = 1\nx += 1", 2, "Lua has no `+=`: write `x = x + 1`" },
  { "return {\n  end = 1,\n}", 2, '`end` is a reserved word: write `["end"] = …` as a key' },
  { "local x = 1\nx++", 2, "Lua has no `++`: write `x = x + 1`" },
  { "if 1 && 2 then end", 1, "Lua writes `and`" },
  { "if 1 || 2 then end", 1, "Lua writes `or`" },
  { "return map(x => x)", 1, "Lua's functions are `function(x) return … end`" },
  { "if a then\nreturn 1\nelse if b then\nreturn 2\nend", 5, "an `end` is missing" },
  { "if a then\nelif b then\nend", 2, "Lua writes `elseif … then`" },
  { "for i = 1, 3 do\ngoto continue\nend", 2, "Lua has no `continue`: use `goto` or turn the condition round" },
  { "x := 1", 1, "Lua assigns with `=`" },
  { "let x = 1", 1, "Lua writes `local x = 1`" },
  { "const x = 1", 1, "Lua writes `local x = 1`" },
  { "def f():\nreturn 1", 1, "Lua's functions are `function(x) return … end`" },
  { "local x <const> = 1", 1, "locals have no attributes here: leave it out" },
  { "local x = 1 // one", 1, "Lua's comments begin with `--`" },
  { "return 7 // 2", 1, "math.floor(a / b)" },
  { "return 7 & 2", 1, "bit.band" },
  { "return 7 << 2", 1, "bit.lshift" },
  { "return !true", 1, "Lua writes `not x`" },
  { "return 1 ? 2 : 3", 1, "Lua has no `? :`" },
  { "return `a`", 1, "Lua joins texts with `..`" },
  { "return [1, 2]", 1, "Lua's lists are written { 1, 2 }" },
  { "for i in 1..3 do end", 1, "a range is `for i = 1, 3 do`" },
  { "if 1 { return 2 }", 1, "Lua writes `if x then … end`" },
  { "while 1 { }", 1, "Lua writes `for … do … end` and `while x do … end`" },
  { 'return { "a": 1 }', 1, 'Lua\'s keys are written { a = 1 }, or { ["a b"] = 1 }' },
  { "local s = 'abc\nreturn s", 1, "close the quote on its line" },
  { "function f()\nreturn 1", 2, "an `end` is missing" },
  { "local x = 1 end\nreturn x", 1, "there is an `end` too many" },
  { "return 1\nprint(2)", 2, "`return` must be the last statement of its block" },
  { "return await x", 1, "leave `await` out" },
  { "local x = {}\nreturn x.end", 2, 'write `x["end"]` instead of `x.end`' },
  { "return { function = 1 }", 1, 'write `["function"] = …` as a key' },
  { "1 + 1", 1, "this is an expression: write `return` before it" },
}

local RUNTIME = {
  { "local x = 1", nil, "put `return` before the value" },
  { "local a = beam_get_memroy()", 1, "no callback beam_get_memroy; did you mean beam_get_memory?" },
  { "local a = something_else()", 1, "the callbacks are beam_get_memory, beam_top_processes, boom, echo" },
  { "local a = beam_top_processes('x')\nreturn a", 1, 'n must be a number, not "x"' },
  { "local a = 1\nreturn beam_top_processes('x')", 2, 'n must be a number, not "x"' },
  { "return beam_get_memory.total", 1, "beam_get_memory is a callback: call it, `beam_get_memory(…)`" },
  { "local t = beam_get_memory()\nreturn t.totl.bytes", 2, "`totl` is nil: return the table around it" },
  { "local t = nil\nreturn t.x", 2, "`t` is nil" },
  { "\27LJ\2", nil, "wrong mode; send Lua as text, and no bytecode" },
  { "return beam_get_memory().total.mb", 1, "`total` is a number, no table: use it as it is" },
  { "local t = beam_top_processes(3)\nreturn t[0].pid", 2, "Lua counts from 1: the first is t[1]" },
  { "local t = beam_get_memory()\nreturn t[1].x", 2, "which # does not count" },
  { "local t = beam_get_memory()\nreturn t[#t].x", 2, "which # does not count" },
  { "local t = { 2, 1 }\nt:sort()", 2, "tables have no methods: write table.sort(t, …)" },
  { "local t = { 2, 1 }\nreturn t:unpack()", 2, "tables have no methods: write unpack(t)" },
  { "return ('a,b'):split(',')", 1, "texts have byte, char, find" },
  { "local n = table.unpack { 1 }", 1, "it is called unpack" },
  { "local n = table.map({}, print)", 1, "table has concat, insert, maxn, remove, sort" },
  { "local d = os.date()", 1, "os has time and clock here, and nothing else" },
  { "local x = json.encode {}", 1, "there is no `json` in a chunk" },
  { "local f = io.open 'x'", 1, "there is no `io` in a chunk" },
  { "try(print)", 1, "Lua catches errors with pcall" },
  { "return nowhere.x", 1, "there is no variable of that name" },
  { "count = count + 1", 1, "there is no variable of that name" },
  { "local t = beam_get_memory()\nfor k in t do end", 2, "to walk a table write `for k, v in pairs(t) do`" },
  { "local t = beam_get_memory()\nfor _ in ipairs(t.list) do end", 2, "what is walked is nil" },
  { "local n = beam_get_memory().totl + 1", 1, "`totl` is nil" },
  { "return 'a' + 1", 1, "make a number of it: tonumber(x)" },
  { "local s = 'a' .. {}", 1, "a table is no text" },
  { "local s = 'a' .. true", 1, "make a text of it: tostring(x)" },
  { "return {} < 1", 1, "compare fields of tables" },
  { "return 1 < '2'", 1, "make both numbers" },
  { "local t = { {}, {} }\ntable.sort(t, 'memory')", 2, "sort wants a function" },
  { "local t = table.concat({ {} }, ',')", 1, "table.concat joins texts and numbers" },
  { "return math.floor(nil)", 1, "bad argument #1 to 'floor' (number expected, got nil)" },
  { "local function f() return 1 + f() end\nreturn f()", 1, "a function calls itself without an end" },
  { "return ('a b'):find '('", 1, "stand for themselves after %" },
  { "return ('x'):rep(1e5)", nil, "return fewer rows, or only the fields that you need" },
  { "local t = {} t.t = t\nreturn t", nil, "return the fields that you need" },
  { "echo(('x'):rep(1e5))", 1, "send what tells the object apart" },
}

describe("what a model is told", function()
  teardown(sandbox.close)

  for title, rows in pairs { ["of what cannot be read"] = SYNTAX, ["of what goes wrong"] = RUNTIME } do
    for _, row in ipairs(rows) do
      it(("%s: %s"):format(title, row[1]:gsub("\n", " ")), function()
        local out = execute(row[1])
        assert.same({ "error", row[2] }, { out.kind, out.line }, out.message)
        assert.matches(row[3], out.message, 1, true)
      end)
    end
  end

  it("is the callback's own word alone, whatever it looks like", function()
    local _, message = explain.error("chunk:2: beam_get_memory: malformed number near '1..3'", "x\ny += 1",
      { "beam_get_memory" })
    assert.equal("beam_get_memory: malformed number near '1..3'", message)
  end)

  it("takes nothing that stands in quotes for a slip", function()
    assert.equal("'<eof>' expected near 'y'; `return` must be the last statement of its block",
      execute("return 'a != b && c' y").message)
  end)

  it("names no line where two calls could have lost theirs", function()
    assert.is_nil(execute("if os.time() then return math.floor('x') end\nreturn math.floor('y')").line)
  end)

  it("keeps the line where the worker was, over a call behind a return", function()
    assert.equal(2, execute("local function f() return echo(1) end\nerror('bare', 0)\nf()").line)
  end)
end)
