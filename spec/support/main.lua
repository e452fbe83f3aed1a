--- The spec host: `spec-host FILE.lua args…` runs a Lua file, `spec-host spec` or
--- `spec-host a_spec.lua …` runs specs under busted, with the program's own modules.

local root = require("host.files").root
package.path = root .. "/?.lua;" .. package.path .. ";/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua"

local first = arg[1]
if first and first:match "%.lua$" and not first:match "_spec%.lua$" then
  arg = { [0] = first, select(2, unpack(arg)) }
  return assert(loadfile(first))(unpack(arg))
end

-- busted ends the process itself; its summary is turned into the line that CI reads.
arg = { [0] = "busted", "-o", "spec.support.summary", "-p", "_spec", unpack(arg) }
require "busted.runner" { standalone = false }
