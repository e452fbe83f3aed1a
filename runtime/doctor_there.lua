--- What `doctor` looks at beyond this machine: the way to the node, the node, and what of it can be looked at. Part of
--- runtime/doctor_checks.lua.

local uv = require "luv"
local async = require "runtime.async"
local epmd = require "runtime.node.epmd"
local etf = require "host.etf"
local skill = require "runtime.skill"
local troubles = require "runtime.door.troubles"

local there = {}

local EPMD_S = 3

--- Whether the port mapper answers, and whom it knows.
---@param c DoctorContext
function there.epmd(c)
  if c.options.via then return nil end
  if c.options.port then return "ok", "not asked: the port was given" end
  local host = (c.options.node or ""):match "@(.+)$" or "localhost"
  local known, err = epmd.names(host, async.now() + EPMD_S)
  if not known then return c.options.node and "bad" or "warn", err.message, err end
  return "ok", ("on %s, it knows %s"):format(host, #known > 0 and table.concat(known, ", ") or "no node")
end

local function installed(program)
  for folder in (os.getenv "PATH" or ""):gmatch "[^:]+" do
    local path = ("%s/%s"):format(folder, program)
    if uv.fs_access(path, "X") then return path end
  end
end

-- Beside the way's own program.
local BESIDE = {
  ecs = { program = "session-manager-plugin", from = troubles.PLUGIN },
}

--- Whether what leads there is installed here.
---@param c DoctorContext
function there.way(c)
  if not c.options.via then return nil end
  local found, err = require("runtime.door.profiles").resolve(c.options)
  if not found then
    c.refused = err
    return "bad", err.message, err
  end
  if not found.target then return "ok", ("%s is reached over the network"):format(found.node) end
  local way, name = found.target.way, found.target.name
  if not way.program then return "ok", ("%s: nothing has to be installed"):format(name) end
  local paths = {}
  for _, wanted in ipairs { way, BESIDE[name] } do
    local path = installed(wanted.program)
    if not path then
      return "bad", ("%s: %s is not installed here"):format(name, wanted.program),
        ("install %s: %s"):format(wanted.program, wanted.from)
    end
    paths[#paths + 1] = path
  end
  return "ok", ("%s, by %s"):format(name, table.concat(paths, " and "))
end

-- Attaches, once: the door and the node are told apart by who refused.
local function attach(c)
  if c.node or c.refused then return c.node end
  c.node, c.refused = require("runtime.beamlens").connect()
  if c.node then c.node.deadline = async.now() + c.options.deadline end
  return c.node
end

local function refused_by_door(c)
  return c.refused.stage == "connect" and c.refused.message:sub(1, #c.options.via + 1) == c.options.via .. ":"
end

--- What was found behind the door.
---@param c DoctorContext
function there.door(c)
  if not c.options.via then return nil end
  local node = attach(c)
  if not node and refused_by_door(c) then return "bad", c.refused.message, c.refused end
  if not node then return "warn", "not known: see below" end
  local door = node.door
  if not door then return nil end
  local words = {}
  for _, row in ipairs(require("runtime.door.probe").told(door.found, door.at)) do
    words[#words + 1] = ("%s: %s"):format(row[1], row[2])
  end
  words[#words + 1] = door.told
  return "ok", table.concat(words, "; ")
end

--- Whether we get in.
---@param c DoctorContext
function there.node(c)
  local node = attach(c)
  if not node and c.options.via and refused_by_door(c) then return "warn", "unknown: the door did not open" end
  if not node then return "bad", c.refused.message, c.refused end
  local release = node:call("erlang", "system_info", { etf.A.otp_release })
  return "ok", ("%s, OTP %s"):format(node.name, release and tostring(release) or "unknown: it does not answer")
end

--- Whether each question is bounded there.
---@param c DoctorContext
function there.limits(c)
  if not c.node then return "warn", "unknown: not attached" end
  if c.node.calls:limited() then return "ok", "each question has a heap limit, a low priority and an end" end
  return "warn", "the node cannot start processes for us: questions run through rex, limited by themselves",
    "OTP 23 or newer can"
end

--- Whose needs the node meets, and which file of the user's is no skill.
---@param c DoctorContext
function there.skills(c)
  if not c.node then return "warn", "unknown: not attached" end
  local has, lacks, broken = {}, {}, {}
  for _, name in ipairs(skill.names()) do
    local s, err = skill.open(name)
    local has_it, why
    if s then has_it, why = skill.available(s, c.node) end
    if not s then
      broken[#broken + 1] = ("%s does not load: %s"):format(name, err.message)
    elseif has_it == true then
      has[#has + 1] = name
    else
      lacks[#lacks + 1] = ("%s (%s)"):format(name, tostring(has_it or why))
    end
  end
  local told = table.concat(has, ", ") .. (#lacks > 0 and "; not on this node: " .. table.concat(lacks, ", ") or "")
  if #broken == 0 then return "ok", told end
  return "warn", ("%s; those that do: %s"):format(table.concat(broken, "; "), told), "mend the file, or move it away"
end

return there
