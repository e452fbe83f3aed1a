--- SIGHUP asks a program that runs for long to read its files again. A terminal that hangs up sends it too: then the
--- program ends, as it would if nobody listened, unless it was told to outlive its terminal (nohup).

local uv = require "luv"

local hangup = {}

-- Whether there is a terminal that is ours.
local function terminal()
  local fd = uv.fs_open("/dev/tty", "r", 0)
  if fd then uv.fs_close(fd) end
  return fd ~= nil
end

-- By the mask of ignored signals, whose lowest bit is SIGHUP's.
local function is_ignored()
  local status = io.open "/proc/self/status"
  local digit = status and status:read("*a"):match "SigIgn:%s*%x*(%x)\n"
  if status then status:close() end
  return digit ~= nil and tonumber(digit, 16) % 2 == 1
end

local outlives -- known once it was asked, for luv sets the signal back to what ends a program
local keeper   -- what goes on listening then

local function listener(fn)
  local signal = uv.new_signal()
  signal:start("sighup", fn)
  signal:unref()
  return signal
end

--- Calls a function for each SIGHUP that asks for something, until the function that it gives is called.
---@param asked fun()   in the loop: must not wait
---@return fun() off
function hangup.listen(asked)
  if outlives == nil then outlives = is_ignored() end
  if outlives and not keeper then keeper = listener(function() end) end
  local had_terminal = not outlives and terminal()
  local signal = listener(function()
    if had_terminal and not terminal() then return uv.kill(uv.os_getpid(), "sigterm") end
    asked()
  end)
  return function()
    signal:stop()
    signal:close()
  end
end

return hangup
