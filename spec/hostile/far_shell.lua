--- A shell behind a door whose answers are spoiled on their way: `luajit far_shell.lua SEED`. What it is told it does,
--- for the door would come nowhere otherwise; what it says comes back changed, doubled, cut, late or not at all.

local ffi = require "ffi"

package.path = arg[0]:match "^(.*)/" .. "/?.lua"
local dice = require("dice").new(tonumber(arg[1]))

ffi.cdef [[
  long write(int fd, const void *bytes, size_t length);
  long read(int fd, void *bytes, size_t length);
  int pipe(int *fds);
  int fork(void);
  int dup2(int from, int to);
  int close(int fd);
  int execlp(const char *file, const char *word, ...);
  int usleep(unsigned microseconds);
  void _exit(int code);
]]
local C = ffi.C

local MOST = 65536

local function start_shell()
  local fds = ffi.new "int[2]"
  C.pipe(fds)
  if C.fork() == 0 then
    C.dup2(fds[1], 1)
    C.dup2(fds[1], 2)
    C.close(fds[0])
    C.close(fds[1])
    C.execlp("sh", "sh", ffi.cast("char *", nil))
    C._exit(127)
  end
  C.close(fds[1])
  return fds[0]
end

local spoils = {
  function(text) return dice:spoil(text) end,
  function(text) return dice:spoil(text) end,
  function() return "" end,
  function(text) return text .. text end,
  function(text) return text .. dice:bytes(dice:int(1, 5000)) end,
  function(text) return ("x"):rep(dice:int(1, 200000)) .. text end,
  function(text) return "\27]0;own\7\27[2J\194\155" .. text end,
  function(text) return "password: " .. text end,
  function(text)
    C.usleep(dice:int(1, 999) * 1000)
    return text
  end,
  function() C._exit(dice:int(0, 255)) end,
}

local function say(text)
  local at = 0
  while at < #text do
    local n = tonumber(C.write(1, ffi.cast("const char *", text) + at, #text - at))
    if n <= 0 then C._exit(1) end
    at = at + n
  end
end

local from, buffer = start_shell(), ffi.new("char[?]", MOST)
local calm, percent = dice:int(0, 20), dice:int(1, 12) -- how far it comes, and what becomes of it then
while true do
  local n = tonumber(C.read(from, buffer, MOST))
  if n <= 0 then break end
  calm = calm - 1
  local text = ffi.string(buffer, n)
  say(calm < 0 and dice:chance(percent) and dice:pick(spoils)(text) or text)
end
