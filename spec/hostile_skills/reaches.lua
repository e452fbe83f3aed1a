--- Names that a skill file has no business with: each is nil there, and so a call of it an error.

local list = {}

for name, call in pairs {
  io = "io.popen('id')", os = "os.execute('id')", ffi = "ffi.C.system('id')", require = "require 'ffi'",
  package = "package.loaded.io.open('/etc/passwd')", debug = "debug.getregistry()", getfenv = "getfenv(0)",
  setfenv = "setfenv(1, {})", load = "load('return 1')", loadstring = "loadstring('return io')()",
  loadfile = "loadfile('/etc/passwd')", dofile = "dofile('/etc/passwd')", _G = "_G.io.open('x')",
  jit = "jit.on()", coroutine = "coroutine.create(print)", newproxy = "newproxy(true)",
  rawset = "rawset({}, 1, 2)", rawget = "rawget({}, 1)", getmetatable = "getmetatable('').__index.rep('x', 2)",
  setmetatable = "setmetatable({}, {})", pcall = "pcall(error)", xpcall = "xpcall(error, error)",
  collectgarbage = "collectgarbage('stop')", module = "module('io')", print = "print('x')",
  gcinfo = "gcinfo()", arg = "arg[0]:len()", vim = "vim.loop.os_exit()", uv = "uv.kill(1, 9)",
} do
  list[#list + 1] = {
    what = "reaches for " .. name, file = "local stolen = " .. call,
    says = "^hostile%.lua:1: attempt to %w+ %w+ '" .. name .. "'",
  }
end
table.sort(list, function(a, b) return a.what < b.what end)

local function gone(what, call)
  list[#list + 1] = { what = what, file = "local x = " .. call, says = "^hostile%.lua:1: attempt to call" }
end
gone("makes bytecode of a function", "string.dump(function() end)")
gone("makes bytecode by way of a string's methods", "(''):dump()")
gone("throws everybody's dice", "math.randomseed(1)")
gone("makes a table of a buffer", "table.new(1e9, 0)")

return list
