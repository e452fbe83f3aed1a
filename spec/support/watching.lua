--- A `watch` that runs, for specs: what it has told so far, and waiting until it tells something.

local async = require "runtime.async"
local json = require "runtime.json"

local watching = {}

local PATIENCE_S = 60

--- The lines of --json of one kind of event, so far.
---@param running table      of program.start
---@param event string
---@param fits? fun(told: table): any
---@return table[]
function watching.lines(running, event, fits)
  local found = {}
  for line in running.stdout():gmatch "[^\n]+\n" do
    local told = json.decode(line)
    if told.event == event and (not fits or fits(told)) then found[#found + 1] = told end
  end
  return found
end

--- The first such line; waits for it.
function watching.until_told(running, event, fits)
  local patience = async.now() + PATIENCE_S
  while #watching.lines(running, event, fits) == 0 do
    assert(async.now() < patience, ("no %s: %s%s"):format(event, running.stdout(), running.stderr()))
    async.sleep(0.05)
  end
  return watching.lines(running, event, fits)[1]
end

--- Waits until what stands on stdout has this in it.
function watching.until_said(running, pattern)
  local patience = async.now() + PATIENCE_S
  while not running.stdout():find(pattern) do
    assert(async.now() < patience, ("no %s: %s%s"):format(pattern, running.stdout(), running.stderr()))
    async.sleep(0.05)
  end
end

--- Ends it as a person or a service manager does.
---@return integer code
function watching.stop(running)
  running.kill "sigterm"
  return (running.wait(30))
end

return watching
