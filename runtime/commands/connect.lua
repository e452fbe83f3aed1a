--- `connect TARGET [-- COMMAND…]`: the way to a node, by itself or for a command of ours.

local config = require "runtime.config"
local counted = require "runtime.counted"
local failure = require "runtime.failure"
local filled = require "runtime.filled"
local json = require "runtime.json"
local plain = require("runtime.plain").text
local probe = require "runtime.door.probe"
local reached_by = require "runtime.reached_by"
local screen = require "runtime.screen"

local connect = {
  usage = "connect TARGET [-- ...]",
  words = 1,
  doc = "attach where a node lives, run a command there",
  takes = { "way" },
  further = true, -- behind `--` stands a command of ours, for completions
  examples = {
    { "beamlens-run connect ssh:shop@10.0.0.7", "what is there, and what to do next" },
    { "beamlens-run connect ecs:prod/shop --env prod -- health", "a container of ECS, with the AWS profile prod" },
    { "beamlens-run connect kubectl:prod/shop-0 -- coordinator.lua --reason 'slow since noon'", "look and diagnose" },
    { "beamlens-run connect shop@10.0.0.7", "over the network, where it can be reached" },
  },
  more = [[
TARGET is a way with its target (ssh:USER@HOST, docker:NAME, kubectl:[NS/]POD[/CONTAINER],
ecs:[CLUSTER/]SERVICE[/CONTAINER], shell:COMMAND, local), a profile of the config file, or the name of a node.

COMMAND is any command or script of ours with its options; it is the same as that command with `--via TARGET`, and as
read-only as ever. Without one it attaches, shows what it found and leaves.

Where there is a choice (clusters, services, tasks, containers) and a person at the terminal, that person is asked;
else the names are told.
]],
}

--- The command line that stands behind `--`, with what stood before it: a command through a door is that command.
---@param line table   from config.parse
---@return table? line
---@return Failure? err
---@return table? options   those that were read nevertheless
function connect.unfolded(line)
  local target, given = line.words[2], line.options
  if target then given[target:find "^[^:]+@[^:]+$" and "node" or "via"] = target end
  if #line.args == 0 then return line end
  local inner, err, read = config.parse(line.args)
  if inner and inner.words[1] == "connect" then
    inner, err = nil, failure.new("usage", "connect leads to one place", "leave the second one out", 2)
  end
  local options = inner and inner.options or read or {}
  for name, value in pairs(given) do if options[name] == nil then options[name] = value end end
  return inner, err, options
end

local function release_of(node)
  local id = node:call("init", "script_id", {})
  return type(id) == "table" and id[2] and { name = tostring(id[1]), version = tostring(id[2]) } or nil
end

local function beside(door)
  local names, told = {}, { [door.node] = true }
  for _, other in ipairs(door.found.nodes) do
    if not told[other.name] then names[#names + 1] = other.name end
    told[other.name] = true
  end
  if door.found.nameless > 0 then
    names[#names + 1] = counted.of(door.found.nameless, "VM") .. " without a name"
  end
  return #names > 0 and table.concat(names, ", ") or nil
end

-- What is known of it, each row a word and what it means for who comes to look.
local function rows_of(node, door, found)
  local release = found.release and ("%s %s"):format(found.release.name, found.release.version)
  local rows = { { "node", node.name }, { "release", release }, { "otp", found.otp } }
  if not door then return rows end
  local ecs = door.target.ecs
  if ecs then
    rows[#rows + 1] = { "container", ("%s of task %s (cluster %s, service %s)"):format(ecs.container, ecs.task,
      ecs.cluster, ecs.service) }
  end
  for _, row in ipairs(probe.told(door.found, door.at)) do rows[#rows + 1] = row end
  rows[#rows + 1] = { "beside it", beside(door) }
  rows[#rows + 1] = { "way", door.told }
  return rows
end

local OPTIONS = { "env", "task", "through", "node", "cookie_file", "port", "config" }

-- How one types the same way again, with what a person chose on it, and with a command.
local function again(o, door, command)
  local ecs, profile = door and door.target.ecs, o.profiles and o.profiles[o.via]
  local target = ecs and not profile and ("ecs:%s/%s/%s"):format(ecs.cluster, ecs.service, ecs.container) or o.via
  local chosen = { task = ecs and ecs.several and ecs.task or false, node = o.via and o.node or false }
  local words = { "beamlens-run connect", reached_by.word(target or o.node) }
  for _, name in ipairs(OPTIONS) do
    local value = chosen[name]
    if value == nil then value = o[name] end
    if value then words[#words + 1] = ("--%s %s"):format(name:gsub("_", "-"), reached_by.word(value)) end
  end
  return table.concat(words, " ") .. " -- " .. command
end

local NEXT = {
  { "health", "memory, processes, limits, queues in one look" },
  { "coordinator.lua", "what is wrong, with proof" },
  { "top", "what works now, live" },
}

local COLUMN = 14

local function as_text(rows, door, o)
  local width, lines = screen.out(o).width, {}
  for _, row in ipairs(rows) do
    if row[2] then
      lines[#lines + 1] = ("%-" .. COLUMN .. "s%s"):format(row[1], filled.text(plain(row[2]), COLUMN, width))
    end
  end
  lines[#lines + 1] = "\nattached, looked and left: nothing of ours stays there. What to do next:"
  for _, step in ipairs(NEXT) do
    lines[#lines + 1] = "\n  # " .. step[2]
    lines[#lines + 1] = "  " .. again(o, door, step[1])
  end
  return table.concat(lines, "\n") .. "\n"
end

function connect.run(c)
  local o = c.options
  if not (o.via or o.node) then
    return nil, failure.new("usage", "connect wants to know where to", "beamlens-run connect ssh:shop@10.0.0.7", 2)
  end
  local beamlens = require "runtime.beamlens"
  beamlens.options = o
  local node, err = beamlens.connect()
  if not node then return nil, err end
  local otp = node:call("erlang", "system_info", { require("host.etf").A.otp_release })
  local found = { release = release_of(node), otp = otp and tostring(otp) }
  local door = node.door
  local rows = rows_of(node, door, found)
  beamlens.close()
  if not o.json then return as_text(rows, door, o), 0 end
  local told = json.object {}
  for _, row in ipairs(rows) do told[row[1]:gsub("%W", "_")] = row[2] end
  return json.encode {
    schema = 1, node = node.name, release = found.release or json.null, otp = found.otp or json.null,
    via = door and door.via or json.null, found = told,
  } .. "\n", 0
end

return connect
