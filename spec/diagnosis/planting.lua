--- A node with a shop on it and, beside the shop, what a case plants.

local async = require "runtime.async"
local at_work = require "spec.support.at_work"
local live = require "spec.support.live_node"

local planting = {}

local SETTLES_S = 1.5

local PLANT = [[
  {module, M} = code:load_binary(binary_to_atom(Name), "src", Code),
  M:start(),
  ok.]]

-- Compiles elsewhere than on the node, which then has nothing of a compiler loaded; meanwhile the node can boot. Gives
-- who waits for the code, in the same order.
local function compiling(programs)
  local at = io.popen "mktemp -d"
  local folder = at:read "*l"
  at:close()
  local sources = {}
  for i, p in ipairs(programs) do
    sources[i] = ("'%s/%s.erl'"):format(folder, p.module)
    local file = assert(io.open(("%s/%s.erl"):format(folder, p.module), "w"))
    file:write(p.source)
    file:close()
  end
  local log = io.popen(("erlc -o '%s' %s 2>&1"):format(folder, table.concat(sources, " ")))
  return function()
    local said, code = log:read "*a", {}
    log:close()
    for i, p in ipairs(programs) do
      local beam = assert(io.open(("%s/%s.beam"):format(folder, p.module), "rb"), said)
      code[i] = beam:read "*a"
      beam:close()
    end
    os.execute(("rm -r '%s'"):format(folder))
    return code
  end
end

--- Starts a node and plants all of them there, the background first. Inside a task.
---@param programs Planting[]
---@param settles? number
---@return table at   as live_node.start gives it
function planting.start(programs, settles)
  local compiled = compiling(programs)
  local within, args = {}, {}
  for _, p in ipairs(programs) do
    for _, word in ipairs(p.within) do within[#within + 1] = word end
    for _, word in ipairs(p.args) do args[#args + 1] = word end
  end
  local at = live.start { within = within, args = args }
  at.eval(at_work)
  local code = compiled()
  for i, p in ipairs(programs) do at.eval(PLANT, { Name = p.module, Code = code[i] }) end
  async.sleep(settles or SETTLES_S)
  return at
end

return planting
