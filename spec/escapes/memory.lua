-- Chunks that want more than their share, at once and slowly.

local function full(name, code) return { name = name, expect = { "memory" }, code = code } end

return {
  full("a text of a gigabyte", [[return #("a"):rep(1e9)]]),
  full("a text of a gigabyte by its separator", [[return #(""):rep(1e4, ("x"):rep(1e5))]]),
  full("a text that doubles", [[local s = "a" while true do s = s .. s end]]),
  full("a text that grows by gsub", [[local s = "x" for _ = 1, 40 do s = s:gsub(".", "%0%0") end return #s]]),
  full("a text that grows by format", [[local s = "x" while true do s = ("%s%s"):format(s, s) end]]),
  full("a text joined from many", [[
    local t, s = {}, ("x"):rep(1e6)
    for i = 1, 1000 do t[i] = s end
    return #table.concat(t)]]),
  full("a text joined with a huge separator",
    [[local t = {} for i = 1, 1000 do t[i] = "" end return #table.concat(t, ("x"):rep(1e6))]]),
  full("many texts", [[local t = {} for i = 1, 1e9 do t[i] = "s" .. i .. ("y"):rep(200) end]]),
  full("many tables", [[local t = {} for i = 1, 1e9 do t[i] = {} end]]),
  full("many functions", [[local t = {} for i = 1, 1e9 do t[i] = function() return i end end]]),
  full("many coroutines", [[local t = {} for i = 1, 1e9 do t[i] = coroutine.create(function() end) end]]),
  full("many coroutines that wait", [[
    local t = {}
    for i = 1, 1e9 do
      t[i] = coroutine.create(function() coroutine.yield() end)
      coroutine.resume(t[i])
    end]]),
  full("many boxed numbers", [[local t = {} for i = 1, 1e9 do t[i] = 1LL * i end]]),
  full("a table with many keys", [[local t = {} for i = 1, 1e9 do t["k" .. i] = true end]]),
  full("a table of the whole space at once", [[local t = {} for i = 1, 2 ^ 24 do t[i] = i end return #t]]),
  full("a chain of tables", [[local t = {} while true do t = { t } end]]),
  full("a chain of metatables", [[local t = {} while true do t = setmetatable({}, { __index = t }) end]]),
  full("caught again and again", [[while true do pcall(string.rep, "a", 1e9) end]]),
  full("caught by the handler of xpcall", [[return xpcall(string.rep, function() return "caught" end, "a", 1e9)]]),
  full("inside a coroutine", [[return coroutine.resume(coroutine.create(function() return ("a"):rep(1e9) end))]]),
  full("inside a metamethod",
    [[return pcall(function() return setmetatable({}, { __index = function() return ("a"):rep(1e9) end }).x end)]]),
  full("inside a comparison of sort",
    [[local t = {} return pcall(table.sort, { 2, 1 }, function() t[1] = ("a"):rep(1e9) return true end)]]),
  full("inside a replacement of gsub", [[return pcall(string.gsub, "x", ".", function() return ("a"):rep(1e9) end)]]),
  full("kept by an error", [[
    local kept = {}
    while true do local _, e = pcall(error, ("x"):rep(1e6) .. #kept) kept[#kept + 1] = e end]]),
  full("the reverse of what is large",
    [[local t, s = {}, ("x"):rep(1e6) for i = 1, 1e6 do t[i] = s:reverse() .. i end]]),
  full("stopped while it joins", [[local t = {} for i = 1, 60 do t[i] = ("x"):rep(1e6) end return table.concat(t)]]),
  { name = "much that is not kept is no matter", expect = { "ok", "1" },
    code = [[for i = 1, 200 do local s = ("x"):rep(1e6) .. i end return 1]] },
  { name = "a table told to be large is small", expect = { "ok", "1" },
    code = [[local t = {} t[2 ^ 26] = 1 t[2 ^ 52] = 1 t[-2 ^ 31] = 1 return t[2 ^ 26] ]] },
  { name = "half of it may be had", expect = { "ok", "30000000" }, code = [[return #("x"):rep(3e7)]] },
}
