--- A line that a person types and nobody sees: a password or a passphrase for a program that asks through us.

local uv = require "luv"
local async = require "runtime.async"
local plain = require("runtime.plain").text

local LONGEST = 1024
local HEARD_S = 1
local RAW, NORMAL = 1, 0
local INTERRUPT, END, ERASE, ERASE_TOO, ERASE_ALL = "\3", "\4", "\127", "\8", "\21"

-- What was typed with these bytes behind it, and whether that was the end: "line", "interrupt", "end".
local function typed_on(line, bytes)
  for key in bytes:gmatch "." do
    if key == "\r" or key == "\n" then return line, "line" end
    if key == INTERRUPT then return line, "interrupt" end
    if key == END and line == "" then return line, "end" end
    if key == ERASE or key == ERASE_TOO then line = line:sub(1, -2)
    elseif key == ERASE_ALL then line = ""
    elseif #line < LONGEST then line = line .. key end
  end
  return line
end

--- Asks, and waits for it. Inside a task.
---@param question string   is followed by a space
---@return string? line     nil when there was none: the end of the input, an interrupt, or cancelled
return function(question)
  local tty, line, ended = uv.new_tty(0, true), "", nil
  io.stderr:write(plain(question), " ")
  io.stderr:flush()
  tty:set_mode(RAW)
  async.await(function(resume)
    tty:read_start(function(_, bytes)
      if bytes then line, ended = typed_on(line, bytes) else ended = "end" end
      if ended then
        tty:read_stop()
        resume(true)
      end
    end)
  end)
  tty:set_mode(NORMAL)
  tty:close()
  io.stderr:write "\n"
  if ended == "interrupt" then
    uv.kill(uv.os_getpid(), "sigint")
    async.sleep(HEARD_S) -- it cancels us
  end
  return ended == "line" and line or nil
end
