--- The options that stand inside an address. None may hold what ends a host or a path, for then the key
--- would go where nobody meant it to.

local address_parts = {}

local HOST = { "^[%w-]+$", "may hold letters, digits and - only" }
local PATH = { "^%w[%w._:-]*$", "may hold letters, digits and . _ : - only" }

local FORMS = { region = HOST, location = HOST, resource_name = HOST, project_id = PATH, deployment_id = PATH,
  api_version = PATH }

--- Why a value is not to stand in an address. The value itself is not said: it may be a key.
---@param name string   of an option, or of any other
---@param value string
---@return string?
function address_parts.fault(name, value)
  local form = FORMS[name]
  return form and not value:find(form[1]) and form[2] or nil
end

return address_parts
