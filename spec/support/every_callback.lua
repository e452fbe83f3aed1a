--- Runs every callback of every skill once, with arguments that the node itself gave: a pid from its
--- list of processes, a table from its list of tables. For specs and benches that have to see all of them.

local uv = require "luv"
local skill = require "runtime.skill"

local every = {}

-- Where an argument without a default comes from: a callback, its arguments, and the way to the value.
local FOUND = {
  pid = { "beam_top_processes", {}, "processes", 1, "pid" },
  table_name = { "ets_top_tables", {}, "tables", 1, "id" },
  port_id = { "ports_list_inet", {}, "sockets", 1, "id" },
  supervisor_name = { "sup_list", {}, "supervisors", 1, "pid" },
  allocator_name = { "allocator_summary", {}, "allocators", 1, "name" },
  exception_id = { "exception_recent", {}, "exceptions", 1, "id" },
  exception_type = { "exception_recent", {}, "exceptions", 1, "type" },
}

-- Those that nothing on the node has to fit.
local GIVEN = { pattern = "error", module_name = "gen_server", module = "init", func = "get_status", arity = 0 }

local function owner_of(skills, name)
  for _, s in ipairs(skills) do
    if s.callbacks[name] then return s end
  end
end

local function found(skills, node, way)
  local s = owner_of(skills, way[1])
  local value = s and skill.call(s, way[1], way[2], node)
  for i = 3, #way do value = type(value) == "table" and value[way[i]] or nil end
  return value
end

local function arguments(skills, node, callback)
  local list = {}
  for i, arg in ipairs(callback.args or {}) do
    if arg.default ~= nil then list[i] = arg.default
    elseif GIVEN[arg.name] ~= nil then list[i] = GIVEN[arg.name]
    elseif FOUND[arg.name] then
      list[i] = found(skills, node, FOUND[arg.name])
      if list[i] == nil then return nil, arg.name end
    else
      error(("%s: nothing is known that fits the argument %s"):format(callback.doc, arg.name), 0)
    end
  end
  return list
end

---@return Skill[]  all that the program brings
function every.skills()
  local skills = {}
  for i, name in ipairs(skill.names()) do skills[i] = assert(skill.open(name)) end
  return skills
end

--- Takes every snapshot and runs every callback once, one after the other.
---@param skills Skill[]
---@param node table
---@param only? Skill      of them, and no other; its arguments may come from any
---@return { skill: string, name: string, ms: number, result: any, err: any, without: string? }[]  `without`: the
---  argument that this node has nothing for, and then it was not run
function every.run(skills, node, only)
  local rows = {}
  local function run(s, name, f)
    local began = uv.hrtime()
    local result, err = f()
    rows[#rows + 1] = { skill = s.name, name = name, ms = (uv.hrtime() - began) / 1e6, result = result, err = err }
  end
  for _, s in ipairs(only and { only } or skills) do
    local names = {}
    for name, c in pairs(s.callbacks) do
      if not c.home then names[#names + 1] = name end
    end
    table.sort(names)
    run(s, "snapshot", function() return skill.snapshot(s, node) end)
    for _, name in ipairs(names) do
      local list, without = arguments(skills, node, s.callbacks[name])
      if list then
        run(s, name, function() return skill.call(s, name, list, node) end)
      else
        rows[#rows + 1] = { skill = s.name, name = name, ms = 0, without = without }
      end
    end
  end
  return rows
end

return every
