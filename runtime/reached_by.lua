--- A command of ours as somebody types it next, for the node that was just looked at.

local plain = require("runtime.plain").text

local reached_by = {}

-- Those that lead to the node, in the order in which people write them.
local OPTIONS = { "node", "via", "env", "task", "through", "cookie_file", "port", "config" }

--- A word as sh takes it.
---@param text any
---@return string
function reached_by.word(text)
  text = plain(text)
  if text:find "^[%w_@%%+=:,./][%w_@%%+=:,./-]*$" then return text end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- The command with the options that lead to the same node.
---@param o table          settled options
---@param name string      of the node that was reached
---@param command string   without the program's name, as it is typed
---@return string[]   the parts that belong together: the command, then each option with its value
function reached_by.parts(o, name, command)
  local parts = { "beamlens-run " .. command }
  for _, option in ipairs(OPTIONS) do
    local value = o[option]
    if option == "node" and not o.via then value = name end
    if value ~= nil then parts[#parts + 1] = ("--%s %s"):format(option:gsub("_", "-"), reached_by.word(value)) end
  end
  return parts
end

--- The same as one line.
---@return string
function reached_by.command(o, name, command) return table.concat(reached_by.parts(o, name, command), " ") end

return reached_by
