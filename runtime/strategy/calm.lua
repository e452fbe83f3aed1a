--- What a strategy calls, so that it holds up nobody: a loop over these functions lets the rest of the program go on,
--- and ends when the run is stopped or long over. A strategy's own code cannot wait, so it is here or nowhere.

local async = require "runtime.async"

local calm = { breath_s = 0.02 } -- the longest that one who asks and asks has the program for himself

local GRACE_S = 5    -- after the deadline, for the last words
local IDLE_S = 0.2   -- of a wait for nobody

---@param run table      from means.of
---@param crew Crew
---@param deadline number   of the run
---@return table
function calm.of(run, crew, deadline)
  local last = async.now()

  -- Theirs has no pcall, so this is the end of it.
  local function check()
    local cancelled = async.current().cancelled
    if cancelled then error(cancelled, 0) end
    if async.now() > deadline + GRACE_S then error("the time was up, and it went on", 0) end
  end

  local function breathe()
    if async.now() - last >= calm.breath_s then
      async.sleep(0)
      last = async.now()
    end
    check()
  end

  local function after(...)
    check()
    return ...
  end

  local calmed = {}
  for name, value in pairs(run) do
    calmed[name] = type(value) == "function" and function(...)
      breathe()
      return after(value(...))
    end or value
  end

  -- A wait of so many seconds takes some time, though nobody runs: it may stand in a loop.
  local wait = calmed.wait
  function calmed.wait(seconds)
    local idle = seconds and (not crew:busy() or async.now() >= crew.deadline)
    local statuses = wait(seconds)
    if idle then async.sleep(math.min(seconds, IDLE_S)) end
    return after(statuses)
  end
  return calmed
end

return calm
