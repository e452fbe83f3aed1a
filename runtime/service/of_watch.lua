--- The service of a watch: its nodes, its turns, its investigations. What it answers may be read by others than the
--- screen is, so it goes through runtime/privacy.lua as what is recorded does.

local failure = require "runtime.failure"
local json = require "runtime.json"
local metrics = require "runtime.metrics"
local privacy = require "runtime.privacy"
local service = require "runtime.service"

-- learning, active or cooldown, while its monitor goes on
local function monitor_of(node)
  local view = node and node.uses.monitor and node.uses.monitor()
  return view and view.state().state or nil
end

-- How those are that the config names, if any.
local function watchers_of(w)
  local list = w and w.watchers and w.watchers:statuses() or {}
  return #list > 0 and list or nil
end

local function nodes_of(watch)
  local list = {}
  for i, name in ipairs(watch.names) do
    local w = watch.nodes[name]
    list[i] = { name = name, state = w and w:state() or "down", monitor = monitor_of(w and w.node),
      watchers = watchers_of(w) }
  end
  return list
end

local function investigate(watch, mask, wanted)
  local watched = watch.nodes[wanted.node]
  local node = watched and watched.node
  if not node then return nil, wanted.node .. " cannot be reached now" end
  node:conceal(mask)
  return watch:look_into(node, wanted.reason, wanted.skills, wanted.occasion)
end

--- Opens the door where the options ask for one.
---@param watch Watch
---@return Service|false|nil   false where none was asked for
---@return Failure? err
return function(watch)
  local o = watch.o
  if not o.listen then
    if not o.token_file then return false end
    return nil, failure.new("usage", "--token-file is for POST /run, and nothing listens",
      "give --listen 127.0.0.1:9464, or leave it out", 2)
  end
  local mask, err = privacy.open(o.store == ":memory:")
  if not mask then return nil, err end
  if watch.mind.conceal then watch.mind.conceal(mask) end
  for _, name in ipairs(watch.names) do mask:keep(name) end
  metrics.start()
  return service.start {
    listen = o.listen, token_file = o.token_file, gate = watch.queue, metrics = metrics.text,
    nodes = function() return nodes_of(watch) end,
    clean = function(value) return mask:clean(json.decode(json.encode(value))) end,
    investigate = function(wanted) return investigate(watch, mask, wanted) end,
  }
end
