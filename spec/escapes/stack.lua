-- The stacks: recursion in Lua and in C, coroutines, errors in the handling of errors.

return {
  { name = "recursion without an end", expect = { "error", "stack overflow" },
    code = [[local function f() return 1 + f() end return f()]] },
  { name = "recursion by pcall", expect = { "ok", "true" },
    code = [[local function f() return pcall(f) end return (f())]] },
  { name = "recursion by metamethods", expect = { "error", "stack overflow" },
    code = [[local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k .. "x"] end
      return t.x]] },
  { name = "recursion by __call", expect = { "error", "stack overflow" },
    code = [[local t = setmetatable({}, {}) getmetatable(t).__call = function() return 1 + t() end return t()]] },
  { name = "recursion by gsub", expect = { "crash", "recursion without an end" },
    code = [[local function f() return (("x"):gsub(".", f)) end return f()]] },
  { name = "recursion by sort", expect = { "error", "stack overflow" },
    code = [[local function f() table.sort({ 2, 1 }, f) return true end return f()]] },
  { name = "recursion by tostring", expect = { "error", "stack overflow" },
    code = [[local t = setmetatable({}, { __tostring = function(s) return tostring(s) .. "" end })
      return tostring(t)]] },
  { name = "recursion by coroutines", expect = { "crash", "recursion without an end" },
    code = [[local function f() return coroutine.wrap(f)() end return f()]] },
  { name = "recursion by coroutines that are resumed", expect = { "crash", "recursion without an end" },
    code = [[local function f() return coroutine.resume(coroutine.create(f)) end f() return false]] },
  { name = "a ring of __index", expect = { "error", "loop" },
    code = [[local a, b = {}, {} setmetatable(a, { __index = b }) setmetatable(b, { __index = a }) return a.x]] },
  { name = "a ring of __newindex", expect = { "error", "loop" },
    code = [[local a, b = {}, {} setmetatable(a, { __newindex = b }) setmetatable(b, { __newindex = a }) a.x = 1]] },
  { name = "a long chain of __index", expect = { "error", "loop" },
    code = [[local t = {} for _ = 1, 1000 do t = setmetatable({}, { __index = t }) end return t.x]] },
  { name = "a long chain of __call", expect = { "error", "attempt to call" },
    code = [[local t = {} for _ = 1, 300 do t = setmetatable({}, { __call = t }) end return t()]] },
  { name = "arguments that multiply", expect = { "error", "stack overflow" },
    code = [[local function f(...) return f(1, 1, 1, 1, 1, 1, 1, 1, ...) end return f()]] },
  { name = "unpack of far too much", expect = { "error", "too many results to unpack" },
    code = [[return unpack({}, 1, 1e8)]] },
  { name = "unpack of an impossible range", expect = { "error", "too many results to unpack" },
    code = [[return unpack({}, -2 ^ 31, 2 ^ 31 - 1)]] },
  { name = "unpack backwards", expect = { "ok", "0" }, code = [[return select("#", unpack({ 1, 2, 3 }, 3, 1))]] },
  { name = "string.byte of far too much", expect = { "error", "string slice too long" },
    code = [[return string.byte(("a"):rep(1e7), 1, -1)]] },
  { name = "as many arguments as there may be", expect = { "ok", "7000" },
    code = [[local t = {} for i = 1, 7000 do t[i] = 65 end return #string.char(unpack(t))]] },
  { name = "more captures than there may be", expect = { "error", "too many captures" },
    code = [[return ("a"):rep(300):match(("(a)"):rep(40))]] },
  { name = "a pattern that nests too deeply", expect = { "error", "pattern too complex" },
    code = [[return (("a"):rep(3e5)):match(("a?"):rep(3e5))]] },
  { name = "an unfinished pattern", expect = { "error", "malformed pattern" }, code = [[return ("a"):find "[%"]] },
  { name = "a pattern that ends in %", expect = { "error", "malformed pattern" }, code = [[return ("a"):find "%"]] },
  { name = "a back reference to nothing", expect = { "error", "capture index" }, code = [[return ("a"):find "%1"]] },
  { name = "a replacement with a capture that is not there", expect = { "error", "capture index" },
    code = [[return (("a"):gsub("a", "%9"))]] },
  { name = "a handler that fails", expect = { "ok", "false" },
    code = [[local function h(e) error(e) end return (xpcall(function() error "x" end, h))]] },
  { name = "a handler that is no function", expect = { "error", "function expected" },
    code = [[return (xpcall(error, 42))]] },
  { name = "a handler that is a callback", expect = { "ok", "[false,[\"x\"]]" },
    code = [[return xpcall(function() error("x", 0) end, echo)]] },
  { name = "a handler that is a callback which fails", expect = { "ok", "false" },
    code = [[return (xpcall(function() error("x", 0) end, boom))]] },
  { name = "a yield across pcall", expect = { "ok", "[1,2]" },
    code = [[
      local co = coroutine.wrap(function() pcall(function() coroutine.yield(1) end) return 2 end)
      return co(), co()]] },
  { name = "a yield in a comparison of sort", expect = { "error", "attempt to yield" },
    code = [[coroutine.wrap(function()
      table.sort({ 3, 2, 1 }, function(a, b) coroutine.yield() return a < b end) end)()]] },
  { name = "a yield in a replacement of gsub", expect = { "error", "attempt to yield" },
    code = [[coroutine.wrap(function() return (("x"):gsub(".", coroutine.yield)) end)()]] },
  { name = "a yield to nobody", expect = { "error", "attempt to yield" }, code = [[return coroutine.yield(1)]] },
  { name = "a coroutine that resumes itself", expect = { "ok", "false" },
    code = [[local co co = coroutine.create(function() return coroutine.resume(co) end)
      local _, ok = coroutine.resume(co) return ok]] },
  { name = "a coroutine that resumes who started it", expect = { "ok", "false" },
    code = [[local main = coroutine.running()
      return main ~= nil and coroutine.wrap(function() return (coroutine.resume(main)) end)()]] },
  { name = "a coroutine that is dead", expect = { "error", "dead coroutine" },
    code = [[local f = coroutine.wrap(function() end) f() f()]] },
  { name = "a comparison that lies", expect = { "ok", "1" },
    code = [[local t = {} for i = 1, 1000 do t[i] = i % 7 end pcall(table.sort, t, function() return true end)
      return 1]] },
  { name = "a comparison that empties what is sorted", expect = { "error", "attempt to compare" },
    code = [[local t = {} for i = 1, 100 do t[i] = -i end
      table.sort(t, function(a, b) for i in pairs(t) do t[i] = nil end return a < b end)]] },
  { name = "a table that changes while it is walked", expect = { "ok", "1" },
    code = [[local t = {} for i = 1, 100 do t["k" .. i] = i end
      pcall(function()

           for k in pairs(t) do t[k] = nil for i = 1, 500 do t["n" .. i] = i end
      for i = 1, 500 do t["n" .. i] = nil end end
      end)
      return 1]] },
  { name = "next of a key that is not there", expect = { "error", "invalid key to 'next'" },
    code = [[return next({}, "x")]] },
  { name = "a key that is nil", expect = { "error", "index is nil" }, code = [[local t = {} t[nil] = 1]] },
  { name = "a key that is no number", expect = { "error", "index is NaN" }, code = [[local t = {} t[0 / 0] = 1]] },
}
