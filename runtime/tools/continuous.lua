--- The tools of an operator without an end: those of runtime/tools/operator.lua without `done`, with a
--- `wait` that sets the pace. A watcher is the same under older names.

local async = require "runtime.async"
local continuous = require "runtime.continuous"
local operator = require "runtime.tools.operator"

-- The names that watchers had. The others are understood too.
local OLDER = { send_notification = "fire_alert", get_notifications = "get_alerts" }

local LONGEST_MS = 3600000

local wait = {
  name = "wait",
  doc = "Waits, and so sets the pace. A question ends it early.",
  parameters = operator.shapes.object({ ms = { type = "integer", minimum = 1, maximum = LONGEST_MS } }, { "ms" }),
  repeatable = true,
  waits = true,
  paces = function(args) return args.ms >= 1000 end,
  seconds = LONGEST_MS / 1000 + 1,
  run = function(state, args)
    state.emit("operator.wait", { ms = args.ms })
    local started = async.now()
    local ok, why = continuous.wait(state, args.ms)
    if not ok then return nil, why end
    return { waited_ms = math.floor((async.now() - started) * 1000 + 0.5) }
  end,
}

local function renamed(tool, name)
  local copy = {}
  for key, value in pairs(tool) do copy[key] = value end
  copy.name, copy.also = name, tool.name
  return copy
end

--- The continuous form of a list of tools.
---@param list Tool[]       of an operator
---@param names? "operator"|"watcher"
---@return Tool[]
return function(list, names)
  local endless = {}
  for _, tool in ipairs(list) do
    local older = names == "watcher" and OLDER[tool.name]
    if tool.name == "wait" then
      endless[#endless + 1] = wait
    elseif not tool.ends then
      endless[#endless + 1] = older and renamed(tool, older) or tool
    end
  end
  return endless
end
