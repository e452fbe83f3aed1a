--- The catalogue of events for a person: `help events`.

local events = require "runtime.events"
local filled = require "runtime.filled"

local HEAD = {
  "beamlens-run tells what it does by events. A script hears them:",
  [[
  beamlens.on("node.down", function(event, measurements, metadata) … end)
  beamlens.on("operator.*", fn)   beamlens.on("*", fn)]],
  "and so do the sinks of the config: jsonl, prometheus, webhook, syslog. Each event measures numbers (duration and "
    .. "system_time in ns) and tells whatever says which one it was; one of a run (*) tells its trace_id too.",
}
local BELOW = 6 -- columns

local function named(word, list) return #list > 0 and ("%s %s"):format(word, table.concat(list, ", ")) or nil end

local function entry(name, e, width)
  local lines = { "  " .. name .. (e.of == "run" and " *" or "") }
  for _, told in ipairs { named("measures", e.measures) or false, named("tells", e.tells) or false } do
    if told then lines[#lines + 1] = (" "):rep(BELOW) .. filled.text(told, BELOW, width) end
  end
  return table.concat(lines, "\n")
end

---@param out { width: integer }
---@return string
return function(out)
  local names, lines = {}, {}
  for name in pairs(events) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do lines[i] = entry(name, events[name], out.width) end
  return table.concat({ filled.text(HEAD[1], 0, out.width), HEAD[2], filled.text(HEAD[3], 0, out.width),
    table.concat(lines, "\n") }, "\n\n") .. "\n"
end
