--- The person at the terminal: whether there is one, and what they answer. The loop goes on while
--- they think, for a node drops who does not answer its ticks.

local uv = require "luv"
local async = require "runtime.async"
local plain = require("runtime.plain").text

local terminal = {}

local LONGEST_LINE = 1024
local SILENCE_S, MOST_ROUNDS = 0.05, 20

--- Whether somebody is there to answer: stdin and stderr are a terminal, and `--no-input` was not given.
---@param options { no_input?: boolean }
---@return boolean
function terminal.is_interactive(options)
  return not options.no_input and uv.guess_handle(0) == "tty" and uv.guess_handle(2) == "tty"
end

--- Shows text on stderr as a terminal may have it: control characters of a node's names are shown, not sent.
---@param text string   may have several lines
function terminal.show(text)
  for line in (text .. "\n"):gmatch "(.-)\n" do io.stderr:write(plain(line), "\n") end
  io.stderr:flush()
end

-- What was typed or pasted before the question is no answer to it: it is read away until there is silence.
local function forget_what_waits(tty)
  local heard = true
  tty:read_start(function() heard = true end)
  for _ = 1, MOST_ROUNDS do
    if not heard then break end
    heard = false
    if not async.sleep(SILENCE_S) then break end
  end
  tty:read_stop()
end

--- Asks, and waits for a line that is typed after the question stands there. In raw bytes, without its end; spaces
--- around it are the person's own slip.
---@param question string   is followed by a space
---@param seconds? number   how long to wait; without end if left out
---@return string? line     nil when there was none: the end of the input, too late, or cancelled
---@return string? why
function terminal.ask(question, seconds)
  local tty = uv.new_tty(0, true)
  forget_what_waits(tty)
  io.stderr:write(plain(question), " ")
  io.stderr:flush()
  local line, typed = nil, ""
  local ok, why = async.await(function(resume)
    tty:read_start(function(err, bytes)
      typed = typed .. (bytes or "")
      line = typed:match "^(.-)\r?\n"
      if err or not bytes or line or #typed > LONGEST_LINE then
        tty:read_stop()
        resume(true)
      end
    end)
  end, seconds and async.now() + seconds or nil)
  tty:close()
  if not line then io.stderr:write "\n" end -- what is said next begins on a line of its own
  if not ok then return nil, tostring(why) end
  if not line then return nil, "nothing was typed" end
  return (line:gsub("^%s+", ""):gsub("%s+$", ""))
end

return terminal
