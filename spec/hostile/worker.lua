--- Stands in for our worker and speaks as somebody would who has taken it over: a script that
--- spec/hostile/workers.lua writes runs this under plain LuaJIT with { seed, hello, folder }.
--- host/worker.c describes the frames that it abuses.

local ffi = require "ffi"

local given = ...
package.path = given.folder .. "/?.lua"
local dice = require("dice").new(given.seed)

ffi.cdef [[
  long write(int fd, const void *bytes, size_t length);
  long read(int fd, void *bytes, size_t length);
  int fcntl(int fd, int command, ...);
  int shutdown(int fd, int how);
  int close(int fd);
  unsigned sleep(unsigned seconds);
  int usleep(unsigned microseconds);
  int kill(int pid, int number);
  int getpid(void);
  void _exit(int code);
]]
local C = ffi.C

local PIPE, F_SETFL = 3, 4
local LONGEST_REPLY = 2 ^ 20

local function u32(n)
  return string.char(math.floor(n / 2 ^ 24) % 256, math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
end

local function say(bytes)
  local at = 0
  while at < #bytes do
    local n = tonumber(C.write(PIPE, ffi.cast("const char *", bytes) + at, #bytes - at))
    if n <= 0 then C._exit(1) end
    at = at + n
  end
end

local function frame(kind, body, length) return u32(length or #body) .. kind .. body end

local function hear(count)
  local buffer, at = ffi.new("char[?]", count), 0
  while at < count do
    local n = tonumber(C.read(PIPE, buffer + at, count - at))
    if n <= 0 then C._exit(1) end
    at = at + n
  end
  return ffi.string(buffer, count)
end

local function hear_frame()
  local a, b, c, d = hear(5):byte(1, 4)
  local length = ((a * 256 + b) * 256 + c) * 256 + d
  if length > 0 and length <= LONGEST_REPLY then hear(length) end
end

local function nested(depth) return ("["):rep(depth) .. ("]"):rep(depth) end

-- JSON, or nearly.
local function json()
  local text = dice:pick {
    "[]", "{}", "null", "1e308", "-1e999", "[1,null,3]", '"\\ud800"', '"\\u0000"', '{"a":1,"a":2}', "[nan]", "",
    '{"__index":1}', "9007199254740993", '["' .. ("x"):rep(dice:int(1, 9000)) .. '"]', nested(dice:int(1, 1200)),
    ("[" .. ("1,"):rep(dice:int(1, 3000)) .. "1]"), '"' .. dice:bytes(20) .. '"', '{"' .. ("k"):rep(300) .. '":[]}',
  }
  return dice:chance(20) and dice:spoil(text) or text
end

local function message()
  return dice:pick {
    "chunk:3: something", "chunk:99999999999999999999: x", "chunk:-1: y", ("%s%n%c"):rep(20), dice:bytes(200),
    ("chunk:1:"):rep(200), "attempt to call global 'x' (a nil value)", "attempt to call global '%' (a nil value)", "",
    ("a"):rep(2048), "chunk:1: \27[2J near '", "\0\0\0",
    "attempt to call global '" .. dice:bytes(60) .. "' (a nil value)",
  }
end

local function printed() return dice:pick { "", "hello\n", ("p"):rep(16000), dice:bytes(100), "\27]0;x\7" } end

-- A length that should be that of the text, and now and then is not.
local function length_of(text)
  return u32(dice:chance(85) and #text or dice:pick { 0, #text + 1, 2 ^ 32 - 1, 2 ^ 31, dice:throw() })
end

local function call_frame()
  local index = dice:chance(85) and string.char(0, dice:int(0, 4)) or dice:bytes(dice:int(0, 2))
  local text = dice:chance(75) and "[" .. dice:pick { "", "1", '"x",2', "null,1", nested(40), json() } .. "]" or json()
  return frame("C", index .. text)
end

local frames = { call_frame }

function frames.done()
  local text = printed()
  return frame("D", length_of(text) .. text .. json())
end

function frames.failed()
  local text = printed()
  return frame("E", u32(dice:throw()) .. length_of(text) .. text .. message())
end

function frames.stopped() return frame("K", string.char(dice:int(0, 4)) .. u32(dice:throw()) .. printed()) end
function frames.hello() return given.hello end
function frames.ours() return frame(dice:pick { "X", "R" }, dice:bytes(dice:int(0, 60))) end
function frames.unknown() return frame(dice:bytes(1), dice:bytes(dice:int(0, 300))) end
function frames.spoilt() return dice:spoil(frames.done()) end
function frames.huge() return frame(dice:pick { "C", "D", "E", "K", "H" }, dice:bytes(10), dice:throw()) end
function frames.short() return frame(dice:pick { "C", "D", "E", "K", "H" }, dice:bytes(dice:int(0, 7))) end

local KINDS = {
  "done", "done", "failed", "failed", "stopped", "stopped", "hello", "ours", "unknown", "spoilt", "huge",
  "short", "short", "short",
}

local function any_frame() return dice:chance(25) and call_frame() or frames[dice:pick(KINDS)]() end

local deeds = {}

function deeds.call()
  say(call_frame())
  if dice:chance(75) then hear_frame() end
end

function deeds.frame() say(any_frame()) end

function deeds.many() say(any_frame():rep(dice:int(2, 3000))) end

function deeds.cut()
  local bytes = any_frame()
  say(bytes:sub(1, dice:int(1, #bytes)))
  if dice:chance(50) then C._exit(0) end
end

function deeds.drip()
  for byte in any_frame():sub(1, 200):gmatch "." do
    say(byte)
    C.usleep(100)
  end
end

function deeds.flood()
  local bytes = dice:bytes(4096)
  for _ = 1, dice:int(1, 400) do say(bytes) end
end

function deeds.silence() C.sleep(1000) end

function deeds.half_closed()
  C.shutdown(PIPE, dice:int(0, 1))
  C.sleep(dice:pick { 0, 1000 })
end

function deeds.hung_up()
  C.close(PIPE)
  C.sleep(1000)
end

function deeds.die()
  if dice:chance(50) then C._exit(dice:int(0, 255)) end
  C.kill(C.getpid(), dice:pick { 4, 6, 8, 9, 11, 14, 15, 19, 24, 31 })
end

function deeds.wait() C.usleep(dice:int(1, 30) * 1000) end

local DEEDS = {
  "call", "call", "call", "frame", "frame", "frame", "frame", "frame", "frame",
  "many", "cut", "drip", "flood", "silence", "half_closed",
  "hung_up", "die", "wait",
}

C.fcntl(PIPE, F_SETFL, ffi.new("int", 0)) -- say and hear wait
if dice:chance(97) then say(given.hello) elseif dice:chance(60) then say(any_frame()) end
if dice:chance(80) then hear_frame() end
for _ = 1, dice:int(1, 12) do deeds[dice:pick(DEEDS)]() end
if dice:chance(50) then C.sleep(1000) end
C._exit(0)
