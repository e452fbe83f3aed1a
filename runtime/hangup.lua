--- SIGHUP asks a program that runs for long to read its files again. A terminal that hangs up sends it too: then the
--- program ends, as it would if nobody listened, unless it was told to outlive its terminal (nohup).

local uv = require "luv"
local interrupt = require "host.interrupt"

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

local outlives     -- known once it was asked, for luv sets the signal back to what ends a program
local had_terminal
local heeding      -- who asks to be told
local missed       -- it came before anybody did

local function heard()
  if had_terminal and not terminal() then return uv.kill(uv.os_getpid(), "sigterm") end
  if heeding then return heeding() end
  missed = true
end

--- Hears it from now on. Before somebody listens, it is kept for the first that does.
function hangup.expect()
  if outlives ~= nil then return end
  outlives = is_ignored()
  had_terminal = not outlives and terminal()
  local signal = uv.new_signal()
  signal:start("sighup", heard)
  signal:unref()
  interrupt.hear_hangup()
end

--- Calls a function for each SIGHUP that asks for something, until the function that it gives is called.
---@param asked fun()   in the loop: must not wait
---@return fun() off
function hangup.listen(asked)
  hangup.expect()
  heeding = asked
  if missed then asked() end
  missed = nil
  return function()
    if heeding == asked then heeding = nil end
  end
end

return hangup
