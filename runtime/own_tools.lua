--- Tools of the user's own, beside those of an operator: a look that a team makes again and again, under a name and
--- with typed arguments, written in Lua in the `tools` folder of the settings. It runs confined, like a skill of the
--- user's, and reaches the node only by the callbacks of the operator's skill. What it answers can be cited.
---
---   return {
---     name = "queue_of", doc = "How long the mailbox of a process is, and what it does.", skills = { "beam" },
---     parameters = { type = "object", properties = { process = { type = "string" } }, required = { "process" } },
---     run = function(look, args) return look("beam_process", args.process) end,
---   }

local async = require "runtime.async"
local crypto = require "host.crypto"
local execute = require "runtime.execute"
local failure = require "runtime.failure"
local files = require "runtime.files"
local in_use = require "runtime.in_use"
local json = require "runtime.json"
local stand_in = require "runtime.stand_in"
local tools = require "runtime.tools.operator"

local own_tools = {}

local LONGEST_DOC, MOST_PARAMETERS = 500, 4000 -- characters: all of it is sent with every request
local TYPES = { string = true, integer = true, number = true, boolean = true, array = true, object = true }
local FIELDS = { name = true, doc = true, parameters = true, run = true, skills = true }

-- The older names of a watcher are taken too.
local TAKEN = { fire_alert = true, get_alerts = true }
for _, tool in ipairs(tools.list) do TAKEN[tool.name] = true end

local function schema_fault(schema, where)
  if type(schema) ~= "table" then return where .. " must be a table" end
  if not TYPES[schema.type] then
    return where .. ".type must be string, integer, number, boolean, array or object"
  end
  if schema.type == "array" then return schema_fault(schema.items, where .. ".items") end
  if schema.type ~= "object" then return end
  if type(schema.properties) ~= "table" then return where .. ".properties must be a table" end
  for name, inner in next, schema.properties do
    if type(name) ~= "string" then return ("%s.properties: %s is no name"):format(where, tostring(name)) end
    local why = schema_fault(inner, ("%s.%s"):format(where, name))
    if why then return why end
  end
  for _, name in ipairs(type(schema.required) == "table" and schema.required or {}) do
    if not schema.properties[name] then return ("%s.required: there is no %s"):format(where, tostring(name)) end
  end
  json.object(schema.properties)
end

local function fault(tool, name)
  if type(tool) ~= "table" then return "must return a table" end
  for key in next, tool do
    if not FIELDS[key] then return ("knows no %s, but name, doc, parameters, skills, run"):format(tostring(key)) end
  end
  if tool.name ~= name then return ("name must be %s, as its file"):format(name) end
  if not name:match "^%l[%l%d_]*$" then return "a tool's name is of small letters, digits and _" end
  if TAKEN[name] then return ("%s is a tool of ours, which none replaces"):format(name) end
  if type(tool.doc) ~= "string" or tool.doc == "" then return "doc must be a text: the model chooses by it" end
  if #tool.doc > LONGEST_DOC then return ("doc has more than %d characters"):format(LONGEST_DOC) end
  if type(tool.run) ~= "function" then return "run must be a function" end
  if tool.skills ~= nil and type(tool.skills) ~= "table" then return "skills must be a list of names" end
  tool.parameters = tool.parameters or { type = "object", properties = {} }
  if tool.parameters.type ~= "object" then return 'parameters.type must be "object"' end
  local why = schema_fault(tool.parameters, "parameters")
  if why then return why end
  if #json.encode(tool.parameters) > MOST_PARAMETERS then return "parameters are too many to be sent every time" end
end

-- What is wrong in it is told to the model as a sentence, with the line in the file.
local function run(tool, state, args)
  local look, log = execute.looking(state)
  local ok, result, why = pcall(tool.run, function(name, ...) return look(tostring(name), { ... }) end, args)
  if async.current().cancelled then return nil, async.current().cancelled end
  if not ok then return nil, ("%s failed: %s"):format(tool.name, tostring(result)) end
  if result == nil then return nil, tostring(why or tool.name .. " found nothing") end
  return { observation = execute.observed(state, log, result), callbacks = log.callbacks, result = result }
end

local function load(name)
  local text, file = files.read(("tools/%s.lua"):format(name))
  if not text then return nil, file end
  local function broken(why)
    return nil, failure.new("tool", ("%s: %s"):format(file, why), "correct it, or move the file away", 2)
  end
  local tool, err = stand_in.load(text, file)
  if err then return nil, err end
  local why = fault(tool, name)
  if why then return broken(why) end
  return { name = name, doc = tool.doc, parameters = tool.parameters, skills = tool.skills, from_node = true,
    version = crypto.sha256(text):sub(1, 12),
    run = function(state, args) return run(tool, state, args) end }
end

-- All of the folder together: a file that comes or goes is an edit like any other.
local function all()
  local list, sums = {}, {}
  for i, name in ipairs(files.list("tools", ".lua")) do
    local tool, err = load(name)
    if not tool then return nil, err end
    list[i], sums[i] = tool, name .. tool.version
  end
  return list, crypto.sha256(table.concat(sums)):sub(1, 12)
end

--- Those that are in use.
---@return Tool[]?
---@return Failure? err   with file and line
function own_tools.open()
  local list, err = in_use.open("tools", "of the settings", all)
  return list, err
end

local function is_for(tool, skill)
  for _, name in ipairs(tool.skills or { skill }) do
    if name == skill then return true end
  end
end

--- A list of tools, and behind it those of the user's that are for a skill.
---@param list Tool[]
---@param skill string
---@param versions? Versions   of the run that uses them
---@return Tool[]
function own_tools.behind(list, skill, versions)
  local more = { unpack(list) }
  for _, tool in ipairs(own_tools.open() or {}) do
    if is_for(tool, skill) then
      more[#more + 1] = tool
      if versions then versions:uses("tool", tool.name, tool.version) end
    end
  end
  return more
end

return own_tools
