--- What was loaded from files and is in use while a run or a watch goes on: skills, prompts, tools and runbooks, each
--- the last that passed its check. Whoever opens one meets that, whatever stands in the file meanwhile; whoever holds
--- an older one asks for what it is `now`. Nothing is changed under anybody: a renewed skill is another table.

local async = require "runtime.async"
local failure = require "runtime.failure"

local in_use = {}

---@class Unit
---@field kind "skill"|"prompt"|"tool"|"runbook"
---@field name string
---@field value any
---@field version string       changes with its text
---@field load fun(): any, string|Failure   the value and its version; or nil, err
---@field refused? string      why what stands in its file now is not taken

local units, order = {}, {}
local holders, generation = 0, 0

local function key(kind, name) return kind .. " " .. name end

local function keep(unit)
  local k = key(unit.kind, unit.name)
  if not units[k] then order[#order + 1] = k end
  units[k] = unit
end

--- What is in use by this name; else it is loaded.
---@param kind string
---@param name string
---@param load fun(): any, string|Failure   the value and its version; or nil, err
---@return any value
---@return Failure? err
---@return string? version
function in_use.open(kind, name, load)
  local unit = units[key(kind, name)]
  if unit and holders > 0 then return unit.value, nil, unit.version end
  local value, version = load()
  if value == nil then return nil, version end
  keep { kind = kind, name = name, value = value, version = version, load = load }
  return value, nil, version
end

--- What was opened before, and is to be in use from now on; what is in use by that name already stays.
---@param kind string
---@param name string
---@param value any
---@param version string
---@param load fun(): any, string|Failure
function in_use.adopt(kind, name, value, version, load)
  if units[key(kind, name)] then return end
  keep { kind = kind, name = name, value = value, version = version, load = load }
end

--- Says that what is opened stays in use; until the function it gives is called.
---@return fun() release
function in_use.hold()
  holders = holders + 1
  local held = true
  return function()
    if not held then return end
    held, holders = false, holders - 1
    if holders == 0 then units, order = {}, {} end
  end
end

--- A number that is another one when something was renewed.
---@return integer
function in_use.generation() return generation end

--- A skill as it is in use now.
---@param s Skill
---@return Skill
function in_use.now(s)
  local unit = holders > 0 and s.opened and units[key("skill", s.opened)]
  return unit and unit.value or s
end

-- A file that people edit may be anything: what trips over it must not end whoever renews.
local function loaded(unit)
  local ok, value, version = pcall(unit.load)
  if not ok then return nil, failure.new(unit.kind, tostring(value):match "^[^\n]*", "correct the file", 2) end
  return value, version
end

-- What became of one: nil when all is as it was, or was told already.
local function renewed(unit, check)
  local value, version = loaded(unit)
  local err = value == nil and version or nil
  if not err and version == unit.version then
    local again = unit.refused and { unit = unit, before = version, was = unit.value }
    unit.refused = nil
    return again or nil -- who read that it is not used shall read that it is well
  end
  local ok
  if not err then ok, err = check(unit, value) end
  if async.current().cancelled then return end -- it is nobody's fault that the check came to no end
  if not ok then
    local why = tostring(err)
    if why == unit.refused then return end
    unit.refused = why
    return { unit = unit, err = failure.of(err, unit.kind, 2) }
  end
  local before, was = unit.version, unit.value
  unit.value, unit.version, unit.refused = value, version, nil
  generation = generation + 1
  return { unit = unit, before = before, was = was }
end

--- Loads everything anew. What differs and passes is in use from now on; what does not pass is told once. Others have
--- their turn in between. Inside a task.
---@param check fun(unit: Unit, value: any): true?, any   beyond what loading checks; may wait
---@param tell fun(outcome: { unit: Unit, before?: string, was?: any, err?: Failure })
function in_use.renew(check, tell)
  for _, k in ipairs { unpack(order) } do
    local unit = units[k]
    local outcome = unit and renewed(unit, check)
    if outcome then tell(outcome) end
    if not async.sleep(0) then return end
  end
end

return in_use
