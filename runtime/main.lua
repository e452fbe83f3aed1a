--- The command line: which command, which options, and what its answer means as an exit code.
--- stdout is the result, stderr the talk.

local uv = require "luv"
local async = require "runtime.async"
local config = require "runtime.config"
local failure = require "runtime.failure"
local json = require "runtime.json"
local plain = require("runtime.plain").text

local COMMANDS = { "call", "health", "help", "init", "skills", "version" }

local OURS = 70
local INTERRUPTED = 130

local function is_script(word) return word:find("/", 1, true) or word:match "%.lua$" end

local function is_command(word)
  for _, name in ipairs(COMMANDS) do if name == word then return true end end
  return false
end

-- A word that is neither is a script by its bare name, or a slip of the fingers.
local function choose(words)
  if #words == 0 then return "help", {} end
  if is_command(words[1]) then return words[1], { unpack(words, 2) } end
  if not is_script(words[1]) and not require("runtime.commands.script").find(words[1]) then
    local near = failure.nearest(words[1], COMMANDS)
    return nil, failure.new("usage", ("there is no command or script %s"):format(words[1]),
      near and ("did you mean %s?"):format(near) or "see `beamlens-run help`", 2)
  end
  return "script", words
end

--- Runs one command. It returns what stands on stdout and the exit code, or nil and what is wrong.
local function dispatch(line)
  local options, err = config.settle(line.options, os.getenv)
  if not options then return nil, err end
  local name, words = choose(line.words)
  if not name then return nil, words end
  options.args = line.args
  local command = require("runtime.commands." .. name)
  return command.run { options = options, words = words, commands = COMMANDS }
end

local function tell(err, as_json)
  if as_json then
    local body = { stage = err.stage, message = err.message, next = err.next or json.null }
    print(json.encode { schema = 1, error = body })
  else
    io.stderr:write("beamlens-run: ", plain(err), "\n")
  end
end

-- The first Ctrl-C asks the run to come to an end with what it has. The second is not asked
-- here at all: host/interrupt.c ends the program even when no Lua gets to run.
local function on_interrupt(root)
  for _, name in ipairs { "sigint", "sigterm" } do
    local signal = uv.new_signal()
    signal:start(name, function() root:cancel "interrupted" end)
    signal:unref()
  end
  require("host.interrupt").guard()
end

local function main()
  local line, err = config.parse(arg)
  local as_json = line and line.options.json or os.getenv "BEAMLENS_JSON" == "1"
  if not line then
    tell(err, false)
    return err.exit
  end
  local root = async.current()
  on_interrupt(root)
  local ok, text, code = xpcall(dispatch, function(why)
    return failure.is(why) and why or { fault = debug.traceback(tostring(why), 2) }
  end, line)
  if ok and text ~= nil then
    io.stdout:write(text)
    return code
  end
  err = ok and code or text
  if type(err) == "table" and err.fault then error(err.fault, 0) end
  if root.cancelled then
    err = failure.new("interrupted", "interrupted before there was an answer", nil, INTERRUPTED)
  end
  err = failure.of(err, "internal", OURS)
  tell(err, as_json)
  return err.exit
end

local ok, code = pcall(async.run, main)
io.stdout:flush()
if ok then return code end
local first = tostring(code):match "^[^\n]*"
io.stderr:write("beamlens-run: a fault of ours: ", os.getenv "BEAMLENS_DEBUG" and tostring(code) or first,
  "\nPlease report it with what BEAMLENS_DEBUG=1 shows.\n")
return OURS
