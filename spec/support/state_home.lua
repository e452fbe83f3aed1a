--- A home of its own for what is kept between runs: the store of actions, the audit, the key.

local uv = require "luv"
local json = require "runtime.json"

local state_home = {}

local before

--- Makes one, and has this process use it.
---@return string folder   XDG_STATE_HOME
function state_home.open()
  local folder = os.tmpname()
  os.remove(folder)
  assert(uv.fs_mkdir(folder, 448))
  before = os.getenv "XDG_STATE_HOME"
  uv.os_setenv("XDG_STATE_HOME", folder)
  state_home.folder = folder
  return folder
end

function state_home.close()
  require("runtime.store").close_all()
  if before then uv.os_setenv("XDG_STATE_HOME", before) else uv.os_unsetenv "XDG_STATE_HOME" end
  os.execute(("rm -rf '%s'"):format(state_home.folder))
end

---@param name string   audit.jsonl, beamlens.db, approval.key
function state_home.path(name) return ("%s/beamlens/%s"):format(state_home.folder, name) end

--- The lines of the audit, decoded.
---@return table[]
function state_home.audit()
  local lines = {}
  for line in io.lines(state_home.path "audit.jsonl") do lines[#lines + 1] = assert(json.decode(line)) end
  return lines
end

--- What happened to an action, by the audit: "proposed approved executing executed verified".
---@param id string
---@return string
function state_home.told(id)
  local kinds = {}
  for _, line in ipairs(state_home.audit()) do
    if line.id == id then kinds[#kinds + 1] = line.kind:match "^action%.(.*)$" end
  end
  return table.concat(kinds, " ")
end

return state_home
