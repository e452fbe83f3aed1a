--- The catalogue of events for a person: `help events`.

local events = require "runtime.events"

local HEAD = [[
beamlens-run tells what it does by events. A script hears them:

  beamlens.on("operator.notification_sent", function(event, measurements, metadata) … end)
  beamlens.on("operator.*", fn)   beamlens.on("*", fn)

and so do the sinks of the config: jsonl, prometheus, webhook, syslog. Each event measures numbers (duration and
system_time in ns) and tells whatever says which one it was; one of a run (*) tells its trace_id too.

]]

local function named(word, list) return #list > 0 and (" %s %s"):format(word, table.concat(list, ", ")) or "" end

---@return string
return function()
  local names, lines = {}, {}
  for name in pairs(events) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local e = events[name]
    local more = named("measures", e.measures) .. (#e.measures > 0 and #e.tells > 0 and ";" or "")
      .. named("tells", e.tells)
    lines[i] = ("  %-44s%s"):format(name .. (e.of == "run" and " *" or ""), more):gsub("%s+$", "")
  end
  return HEAD .. table.concat(lines, "\n") .. "\n"
end
