--- The nodes that this program is attached to: each is left, whatever way it ends.

local async = require "runtime.async"
local failure = require "runtime.failure"
local progress = require "runtime.progress"
local reach = require "runtime.reach"

local attached = {}

local LONGEST_S = 10     -- of attaching
local LONGEST_WAY_S = 45 -- of opening a door before that: a cloud takes its time

local nodes = {}

--- Whether an option is a node already, and no name of one.
---@param v any
---@return boolean
function attached.is_node(v) return type(v) == "table" and type(v.query) == "function" end

-- A door takes its time. Where a run tells what it does the door is told of there.
local function opened(door, o)
  local talks = not o.quiet and not progress.is_on()
  if talks then progress.start() end
  local open, err = door:ready(async.now() + math.min(o.deadline, LONGEST_WAY_S))
  if talks then progress.stop() end
  return open, err
end

-- Behind a door there are two cookies to be wrong about: the one that was given here, and the one that lies there.
local function other_cookie(door, name, cookie_file)
  if cookie_file then
    return failure.new("cookie", ("%s: the cookie in %s is not that of %s"):format(door.via, cookie_file, name),
      "leave --cookie-file out: the node's own is then read beside it, and stays there", 3)
  end
  return failure.new("cookie", ("%s: the cookie that lies there (in %s) is not that of %s"):format(door.via,
    door.at.cookie, name), "it may have been set after its start: pass the node's own with --cookie-file", 3)
end

--- Attaches to one. Inside a task.
---@param o table   settled options
---@return table? node
---@return Failure? err
function attached.to(o)
  if not o.node and not o.via then
    return nil, failure.new("usage", "no node was given", "name it: --node shop@host (or BEAMLENS_NODE)", 2)
  end
  if o.node and o.node:find(",", 1, true) then
    return nil, failure.new("usage", "several nodes were given: " .. o.node, "name one; only watch takes several", 2)
  end
  local hosts, err = reach.hosts(o.hosts)
  if not hosts then return nil, err end
  local door, name, cookie_file = nil, o.node, o.cookie_file
  if o.via then
    local way
    way, err = require("runtime.door.profiles").resolve(o)
    if not way then return nil, err end
    name, cookie_file = way.node, way.cookie_file
    if way.target then
      door = require("runtime.door").new(way.target, name, require("runtime.terminal").is_interactive(o))
      local open
      open, err = opened(door, o)
      if not open then return nil, err end
      name = door.node
    end
  end
  local function connect()
    return require("runtime.node").connect {
      name = name, cookie_file = cookie_file, port = o.port, door = door,
      deadline = async.now() + math.min(o.deadline, LONGEST_S), relays = not o.no_relays and {} or false,
    }
  end
  local node
  node, err = connect()
  if not node and door then
    local back
    back, err = door:step_back(err, async.now() + math.min(o.deadline, LONGEST_WAY_S))
    if back then node, err = connect() end
  end
  if not node then
    if door then door:close() end
    return nil, door and err.stage == "cookie" and not door.no_cookie and other_cookie(door, name, cookie_file) or err
  end
  reach.attach(node, hosts, function() return o.hosts end, o.config)
  nodes[#nodes + 1] = node
  return node
end

---@param node table   from `to`
function attached.leave(node)
  node:leave()
  for i, other in ipairs(nodes) do
    if other == node then return table.remove(nodes, i) end
  end
end

function attached.leave_all()
  while nodes[1] do attached.leave(nodes[1]) end
end

return attached
