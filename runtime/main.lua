--- The command line: which command, which options, and what its answer means as an exit code.
--- stdout is the result, stderr the talk.

local uv = require "luv"
local async = require "runtime.async"
local config = require "runtime.config"
local failure = require "runtime.failure"
local hangup = require "runtime.hangup"
local interrupt = require "host.interrupt"
local json = require "runtime.json"
local manual = require "runtime.manual"
local outlet = require "runtime.outlet"
local plain = require("runtime.plain").text
local unread_variables = require "runtime.unread_variables"

local OURS = 70
local INTERRUPTED = 130

local function is_script(word) return word:find("/", 1, true) or word:match "%.lua$" end

-- `-node`, as Erlang has it; a lone hyphen is stdin, and a number an argument.
local function is_single_dash(word) return word:find "^%-%a" ~= nil end

-- A word that is neither is a script by its bare name, or a slip of the fingers.
local function choose(words)
  if #words == 0 then return "help", {} end
  if manual.is_command(words[1]) then return words[1], { unpack(words, 2) } end
  if is_single_dash(words[1]) then return nil, config.unknown(words[1]) end
  if not is_script(words[1]) and not manual.command("script").find(words[1]) then
    return nil, failure.new("usage", "there is no command or script " .. words[1],
      require "runtime.misplaced"(words[1], { "coordinator", "operator", unpack(manual.COMMANDS) }), 2)
  end
  return "script", words
end

-- The commonest word too many is the node's name, without its option.
local function too_many(name, command, words)
  local word = words[command.words + 1]
  if is_single_dash(word) and name ~= "eval" then return config.unknown(word) end
  local most = command.words == 0 and "no words" or command.words == 1 and "one word at most" or "two words at most"
  return failure.new("usage", ("%s takes %s, and there is %s"):format(name, most, word),
    word:find("@", 1, true) and name ~= "eval" and ("did you mean --node %s?"):format(word)
      or command.too_many or ("see `beamlens-run help %s`"):format(name), 2)
end

--- Runs one command. It returns what stands on stdout and the exit code, or nil and what is wrong.
---@param fault? Failure   of the options, for a command that tells of it
local function dispatch(line, options, fault)
  local name, words = choose(line.words)
  if not name then return nil, words end
  local stray = config.stray(line.options, name)
  if stray then return nil, stray end
  local command = manual.command(name)
  if #words > command.words then return nil, too_many(name, command, words) end
  options.args = line.args
  return command.run { options = options, words = words, fault = fault }
end

local EPIPE = 32
local PATIENCE_S, LAST_S = 2, 0.5 -- with a reader who takes nothing; after a signal

-- What waits to be written, in a task that may be cancelled or become so. Of the result nothing is given up unless
-- somebody ends us.
local function finish(file, patience_s)
  local ok, why, name
  if not async.current().cancelled then ok, why, name = file:finish(patience_s) end
  if not async.current().cancelled then return ok, why, name end
  return async.shield(function() return file:finish(LAST_S) end)
end

-- What stands on stdout is what a runbook goes by: it is all there, or the exit code says otherwise.
-- A reader that has had enough, as `head` has, is no fault.
local function put(text, code)
  finish(outlet.err, PATIENCE_S) -- on a terminal the talk comes first
  local ok, why, name = io.stdout:flush() -- what a script printed
  if ok then
    outlet.out:result(text)
    ok, why, name = finish(outlet.out)
  end
  if ok or name == "EPIPE" or name == EPIPE then return code end
  if name == "ETIMEDOUT" then return INTERRUPTED end
  local err = failure.new("internal", "cannot write the result: " .. tostring(why), "make room, and run it again", 2)
  io.stderr:write("beamlens-run: ", plain(err), "\n")
  return err.exit
end

local function tell(err, as_json)
  if as_json then
    local body = { stage = err.stage, message = err.message, next = err.next or json.null }
    return put(json.encode { schema = 1, error = body } .. "\n", err.exit)
  end
  io.stderr:write("beamlens-run: ", plain(err), "\n")
  return err.exit
end

local function fault_of_ours(trace, as_json)
  local debugging = os.getenv "BEAMLENS_DEBUG"
  if debugging then io.stderr:write(require("runtime.plain").lines(trace), "\n") end
  return tell(failure.new("internal", "a fault of ours: " .. trace:match "^[^\n]*",
    "please report it with what BEAMLENS_DEBUG=1 shows", OURS), as_json)
end

-- The first Ctrl-C asks the run to come to an end with what it has. The second is not asked
-- here at all: host/interrupt.c ends the program even when no Lua gets to run.
local function on_interrupt(root)
  for _, name in ipairs { "sigint", "sigterm" } do
    local signal = uv.new_signal()
    signal:start(name, function() root:cancel "interrupted" end)
    signal:unref()
  end
  hangup.expect()
  interrupt.guard()
end

local function work()
  local line, err, read = config.parse(arg)
  if line and line.words[1] == "connect" then line, err, read = require("runtime.commands.connect").unfolded(line) end
  local options, fault, settled = config.settle(line and line.options or read, os.getenv)
  local as_json = (options or settled).json
  local told = line and line.words[1] == "doctor" and fault or nil -- what is wrong is its business
  err = err or not told and fault
  if err then return tell(err, as_json) end
  if not options or not options.quiet then
    for _, said in ipairs(unread_variables(uv.os_environ())) do io.stderr:write("beamlens-run: ", plain(said), "\n") end
  end
  local root = async.current()
  on_interrupt(root)
  local ok, text, code = xpcall(dispatch, function(why)
    return failure.is(why) and why or { fault = debug.traceback(tostring(why), 2) }
  end, line, options or settled, told)
  if ok and text ~= nil then return put(text, code) end
  err = ok and code or text
  if type(err) == "table" and err.fault then return fault_of_ours(err.fault, as_json) end
  if root.cancelled then
    err = failure.new("interrupted", "interrupted before there was an answer", nil, INTERRUPTED)
  end
  return tell(config.placed(options or settled, failure.of(err, "internal", OURS)), as_json)
end

-- A thread that hangs in a write would be waited for at the end of the process: it is not joined.
local function leave(code)
  finish(outlet.err, PATIENCE_S)
  if outlet.out:is_stuck() or outlet.err:is_stuck() then interrupt.leave(code) end
  return code
end

local stderr, exit = io.stderr, os.exit

local function main()
  io.stderr = outlet.err -- luacheck: ignore 122
  os.exit = function(...) -- luacheck: ignore 122
    outlet.err:drain(PATIENCE_S)
    exit(...)
  end
  return leave(work())
end

local ok, code = pcall(async.run, main)
io.stderr = stderr -- luacheck: ignore 122
return ok and code or fault_of_ours(tostring(code), false)
