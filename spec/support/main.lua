--- The spec host: `spec-host FILE.lua args…` runs a Lua file, `spec-host spec` or
--- `spec-host a_spec.lua …` runs specs under busted, with the program's own modules.

local root = require("host.files").root
package.path = root .. "/?.lua;" .. package.path .. ";/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua"

local first = arg[1]
if first and first:match "%.lua$" and not first:match "_spec%.lua$" then
  arg = { [0] = first, select(2, unpack(arg)) }
  return assert(loadfile(first))(unpack(arg))
end

require("runtime.telemetry").only(require "runtime.events") -- an event that nobody described is a fault

-- Under a main of ours, busted leaves by raising nothing or an empty table instead of ending.
arg = { [0] = "busted", "-o", "spec.support.summary", "-p", "_spec", unpack(arg) }
local ok, why = pcall(require "spec.support.kept_apart", { "XDG_STATE_HOME", "SPEC_STATE_HOME" }, function()
  require "busted.runner" { standalone = false }
  return true  -- no tail call: busted looks at its caller, and ends the process when that is not a file
end)
if not ok and why ~= nil and (type(why) ~= "table" or next(why)) then error(why, 0) end

local counted = require "spec.support.summary"
print(("%d passed, %d failed"):format(counted.passed, counted.failed))
return counted.failed == 0 and counted.passed > 0 and 0 or 1
