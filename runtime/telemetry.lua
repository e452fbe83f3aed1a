--- Events: who does something says so, who wants to know listens. Knows nobody.

local plain = require "runtime.plain"

local telemetry = {}

local handlers = {} -- event, "operator.*" or "*" -> { fn, … } in the order they came
local known         -- the names there are, where somebody wants to have them checked

---@param event string   "operator.notification_sent", "operator.*" for those of a kind, "*" for every event
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

--- From now on an event that is none of these is a fault of whoever emits it. Specs run so.
---@param events table<string, any>
function telemetry.only(events) known = events end

-- A listener's fault is the listener's: whoever emits is in the middle of its work.
local function tell(list, event, measurements, metadata)
  if not list or #list == 0 then return end
  for _, fn in ipairs({ unpack(list) }) do
    local ok, why = pcall(fn, event, measurements, metadata)
    if not ok then io.stderr:write("beamlens-run: a listener of ", event, " failed: ", plain.text(why), "\n") end
  end
end

---@param event string
---@param measurements table?   numbers: counts, durations in ns, system_time in ns
---@param metadata table?       whatever tells which one it was; trace_id among them
function telemetry.emit(event, measurements, metadata)
  if known and not known[event] then error("unknown event " .. event .. ": add it to runtime/events.lua", 2) end
  measurements, metadata = measurements or {}, metadata or {}
  tell(handlers[event], event, measurements, metadata)
  tell(handlers[event:match "^[^.]*" .. ".*"], event, measurements, metadata)
  tell(handlers["*"], event, measurements, metadata)
end

return telemetry
