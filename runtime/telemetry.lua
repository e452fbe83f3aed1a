--- Events: who does something says so, who wants to know listens. Knows nobody.

local plain = require "runtime.plain"

local telemetry = {}

local handlers = {} -- event -> { fn, … } in the order they came; "*" hears all

---@param event string   "operator.notification_sent", or "*" for every event
---@param fn fun(event: string, measurements: table, metadata: table)
---@return fun() off
function telemetry.on(event, fn)
  local list = handlers[event] or {}
  handlers[event] = list
  list[#list + 1] = fn
  return function()
    for i, other in ipairs(list) do
      if other == fn then return table.remove(list, i) end
    end
  end
end

-- A listener's fault is the listener's: whoever emits is in the middle of its work.
local function tell(list, event, measurements, metadata)
  for _, fn in ipairs({ unpack(list or {}) }) do
    local ok, why = pcall(fn, event, measurements, metadata)
    if not ok then io.stderr:write("beamlens-run: a listener of ", event, " failed: ", plain.text(why), "\n") end
  end
end

---@param event string
---@param measurements table?   numbers: counts, durations in ns, system_time in ns
---@param metadata table?       whatever tells which one it was; trace_id among them
function telemetry.emit(event, measurements, metadata)
  measurements, metadata = measurements or {}, metadata or {}
  tell(handlers[event], event, measurements, metadata)
  tell(handlers["*"], event, measurements, metadata)
end

return telemetry
