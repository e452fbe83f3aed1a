--- `spec-host spec/support/doors/session.lua KEY=VALUE…`: a stand-in for a cloud's session: a shell on a real terminal
--- behind a program that has a banner, is slow, cuts where it likes, wraps, colours and says things of its own. It
--- imitates what is seen of such doors; it is none of them.
---
---   shell=COMMAND   on the far terminal, which edits and echoes lines like any other
---   chop=N          so many bytes at a time come back
---   wrap=N          a line break after so many
---   colour=N        a colour between, after so many
---   broadcast=N     a message to everybody between, after so many
---   deaf=MS         what is typed in this time is lost
---   delay=MS        each way
---   cut=TEXT        closes where that would have come back
---   idle=FILE       is told to have been idle for too long, as soon as that file is there

local uv = require "luv"
local async = require "runtime.async"
local line = require "runtime.door.line"

local how = {}
for _, word in ipairs(arg) do
  local key, value = word:match "^(%w+)=(.*)$"
  how[key] = tonumber(value) or value
end

local COLOUR = "\27[1;32m\27[0m"
local BROADCAST = "\r\n\r\nBroadcast message from root@mgmt (somewhere):\r\n\r\nmaintenance {soon}\r\n"

local shown = 0

local out = uv.new_pipe()
out:open(1)

local function say(text) out:write(text) end

local function say_all()
  while out:get_write_queue_size() > 0 do async.sleep(0.005) end
end

-- After every so many bytes of what comes back something else stands.
local function mix(text, every, with)
  if not every then return text end
  local parts = {}
  for i = 1, #text do
    shown = shown + 1
    parts[#parts + 1] = text:sub(i, i)
    if shown % every == 0 then parts[#parts + 1] = with end
  end
  return table.concat(parts)
end

local function later(fn)
  if not how.delay then return fn() end
  local timer = uv.new_timer()
  timer:start(how.delay, 0, function()
    timer:close()
    fn()
  end)
end

async.run(function()
  say "\r\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\r\n\r\n"
  say "\r\nStarting session with SessionId: ecs-execute-command-0f00ba4\r\n"
  local began, back = uv.now(), ""
  local inner
  inner = assert(line.start({ "sh", "-c", "stty sane; exec " .. (how.shell or "sh -i") }, {
    on_bytes = function(bytes)
      bytes = mix(bytes, how.wrap, "\r\n")
      bytes = mix(bytes, how.colour, COLOUR)
      bytes = mix(bytes, how.broadcast, BROADCAST)
      later(function()
        local cut = how.cut and (back .. bytes):find(how.cut, 1, true)
        if cut then bytes = bytes:sub(1, math.max(cut - 1 - #back, 0)) end
        for from = 1, #bytes, how.chop or #bytes do say(bytes:sub(from, from + (how.chop or #bytes) - 1)) end
        if cut then os.exit(0) end
        if how.cut then back = back .. bytes end
      end)
    end,
    on_end = function() end,
  }))
  local typed = uv.new_pipe()
  typed:open(0)
  local over
  typed:read_start(function(_, bytes)
    if not bytes then
      over = true
      return
    end
    if how.deaf and uv.now() - began < how.deaf then return end
    later(function() inner:write(bytes) end)
  end)
  while not (over or inner.ended) do
    async.sleep(0.005)
    if how.idle and uv.fs_stat(how.idle) then
      say "\r\n\r\nSessionId: ecs-execute-command-0f00ba4 : Your session timed out due to inactivity and has been "
      say "terminated.\r\n"
      break
    end
  end
  inner:close()
  say "\r\n\r\nExiting session with sessionId: ecs-execute-command-0f00ba4.\r\n\r\n"
  say_all()
end)
