-- Chunks that would never end, in Lua and inside functions of C.

local function endless(name, code) return { name = name, expect = { "timeout" }, code = code } end

return {
  endless("a loop", [[while true do end]]),
  endless("a loop by goto", [[::again:: goto again]]),
  endless("a loop that repeats", [[repeat until false]]),
  endless("a loop that counts", [[local x = 0 for i = 1, 1e15 do x = x + i % 7 end return x]]),
  endless("a loop backwards from infinity", [[for _ = math.huge, 1, -1 do end]]),
  endless("a loop by a step of nothing", [[for _ = 1, 2, 0 do end]]),
  endless("a loop over an iterator that never says nil", [[for _ in function() return 1 end do end]]),
  endless("a loop within pcall, again and again", [[while true do pcall(function() while true do end end) end]]),
  endless("a loop in the handler of xpcall",
    [[xpcall(function() error() end, function() while true do end end) return 1]]),
  endless("a handler that starts anew", [[
    local function f() error "x" end
    local function again() while true do xpcall(f, again) end end
    again()]]),
  endless("tail calls", [[local function f() return f() end return f()]]),
  endless("tail calls of two", [[local g local function f() return g() end g = function() return f() end return f()]]),
  endless("a coroutine that loops", [[coroutine.wrap(function() while true do end end)()]]),
  endless("a coroutine that yields for ever", [[
    local co = coroutine.wrap(function() while true do coroutine.yield() end end)
    while true do co() end]]),
  endless("a coroutine in a coroutine that catches all", [[
    local function loop() while true do pcall(function() while true do end end) end end
    coroutine.wrap(function() coroutine.wrap(function() coroutine.resume(coroutine.create(loop)) end)() end)()]]),
  endless("many short coroutines", [[while true do coroutine.wrap(function() return 1 end)() end]]),
  endless("waiting for the clock", [[local t = os.clock() while os.clock() - t < 1e9 do end]]),
  endless("waiting for another day", [[local t = os.time() while os.time() - t < 86400 do end]]),
  endless("a metamethod __index", [[return setmetatable({}, { __index = function() while true do end end }).x]]),
  endless("a metamethod __newindex", [[setmetatable({}, { __newindex = function() while true do end end }).x = 1]]),
  endless("a metamethod __call", [[setmetatable({}, { __call = function() while true do end end })()]]),
  endless("a metamethod __eq",
    [[local m = { __eq = function() while true do end end } return setmetatable({}, m) == setmetatable({}, m)]]),
  endless("a metamethod __lt", [[local m = { __lt = function() while true do end end }
    return setmetatable({}, m) < setmetatable({}, m)]]),
  endless("a metamethod __concat", [[return setmetatable({}, { __concat = function() while true do end end }) .. "x"]]),
  endless("a metamethod __unm", [[return -setmetatable({}, { __unm = function() while true do end end })]]),
  endless("a metamethod __tostring",
    [[return tostring(setmetatable({}, { __tostring = function() while true do end end }))]]),
  endless("a metamethod that calls itself and catches it", [[
    local t = setmetatable({}, { __concat = function(a, b) return a .. b end })
    while true do pcall(function() return t .. t end) end]]),
  endless("a comparison of sort", [[table.sort({ 2, 1 }, function() while true do end end)]]),
  endless("a sort again and again", [[local t = {} for i = 1, 1e5 do t[i] = -i end
    while true do table.sort(t, function(a, b) return a < b end) table.sort(t, function(a, b) return a > b end) end]]),
  endless("a replacement of gsub", [[return ("x"):gsub(".", function() while true do end end)]]),
  endless("a replacement of gsub that calls gsub", [[
    local function again(c) return (("xxxxxxxxxx"):gsub(".", pcall(again or error, c) and "x" or function()
      for _ = 1, 1e9 do ("x"):gsub(".", "y") end end)) end
    return again "x"]]),
  endless("a replacement of gsub by a table with __index",
    [[return ("x"):gsub(".", setmetatable({}, { __index = function() while true do end end }))]]),
  endless("an iterator of gmatch that finds the empty text", [[while true do for _ in (""):gmatch "" do end end]]),
  endless("a pattern with many -", [[local s = ("a"):rep(3000) .. "b" return s:find(("a-"):rep(12) .. "c")]]),
  endless("a pattern with many .-", [[return ("x"):rep(5000):find((".-"):rep(10) .. "b")]]),
  endless("a pattern with many *", [[return ("x"):rep(3000):match((".*"):rep(12) .. "b")]]),
  endless("a pattern with many ? and classes", [[return ("x"):rep(5000):find(("[%w%p]*"):rep(9) .. "\1")]]),
  endless("a pattern of captures", [[return ("x"):rep(3000):find(("(x*)"):rep(10) .. "y")]]),
  endless("a pattern with %f", [[return ("x "):rep(3000):find(("%f[%w].-"):rep(10) .. "y")]]),
  endless("balanced brackets that never close", [[local s = ("("):rep(1e6) return s:find "%b()"]]),
  endless("gsub with a pattern that finds nothing", [[local s = ("a"):rep(20000) while true do s:gsub(".-b", "") end]]),
  endless("a pattern caught again and again",
    [[while true do pcall(string.find, ("x"):rep(5000), (".-"):rep(10) .. "b") end]]),
  endless("inserting at the front of what is long",
    [[local t = {} for i = 1, 1e6 do t[i] = 0 end while true do table.insert(t, 1, 0) table.remove(t, 1) end]]),
  endless("inserting far before the first", [[local t = {} table.insert(t, -2 ^ 31, 1) table.insert(t, 2 ^ 40, 1)]]),
  endless("reversing what is long", [[local s = ("x"):rep(1e7) while true do s:reverse() s:upper() s:lower() end]]),
  endless("joining what is long",
    [[local t = {} for i = 1, 1e5 do t[i] = "xxxxxxxxxx" end while true do table.concat(t) end]]),
  endless("unpacking what is long",
    [[local t = {} for i = 1, 7000 do t[i] = i end while true do select("#", unpack(t)) end]]),
  endless("formatting what is long", [[local s = ("x"):rep(1e6) while true do ("%s%q"):format(s, s) end]]),
  endless("numbers out of text", [[local s = ("9"):rep(3e5) while true do tonumber(s) tonumber(s, 10) end]]),
  endless("comparing texts that differ at the end",
    [[local a, b = ("x"):rep(1e7) .. "a", ("x"):rep(1e7) .. "b" while true do local _ = a < b end]]),
  endless("going through a table that is sparse", [[local t = { [2 ^ 20] = 1 } for i = 1, 2 ^ 20 do t[i] = i end
    for i = 1, 2 ^ 20 do t[i] = nil end while true do next(t) end]]),
  endless("printing without an end", [[while true do print "x" end]]),
  endless("failing without an end", [[while true do pcall(error, { "x" }) end]]),
}
