--- The service of a watch: its nodes, its turns, its investigations.

local metrics = require "runtime.metrics"
local service = require "runtime.service"

-- learning, active or cooldown, while its monitor goes on
local function monitor_of(node)
  local view = node and node.uses.monitor and node.uses.monitor()
  return view and view.state().state or nil
end

local function nodes_of(watch)
  local list = {}
  for i, name in ipairs(watch.names) do
    local w = watch.nodes[name]
    list[i] = { name = name, state = w and w:state() or "down", monitor = monitor_of(w and w.node) }
  end
  return list
end

local function investigate(watch, wanted)
  local watched = watch.nodes[wanted.node]
  local node = watched and watched.node
  if not node then return nil, wanted.node .. " cannot be reached now" end
  return watch:look_into(node, wanted.reason, wanted.skills, wanted.occasion)
end

--- Opens the door where the options ask for one.
---@param watch Watch
---@return Service|false|nil   false where none was asked for
---@return Failure? err
return function(watch)
  local o = watch.o
  if not o.listen then return false end
  metrics.start()
  return service.start {
    listen = o.listen, token_file = o.token_file, gate = watch.queue, metrics = metrics.text,
    nodes = function() return nodes_of(watch) end,
    investigate = function(wanted) return investigate(watch, wanted) end,
  }
end
