--- A skill's check on played answers, run as the analyst runs it: look by look, until one has seen enough. The
--- figures that a finding cites are read again in the answers.

local skill = require "runtime.skill"

local played = {}

local function check_of(s, id)
  for _, c in ipairs(s.checks) do
    if c.id == id then return c end
  end
  error("no check " .. id)
end

local function read(value, path)
  for key in path:gmatch "[%w_]+" do value = type(value) == "table" and value[tonumber(key) or key] or nil end
  return value
end

--- A table with some fields changed.
function played.with(base, changes)
  local t = {}
  for key, value in pairs(base) do t[key] = value end
  for key, value in pairs(changes or {}) do t[key] = value end
  return t
end

--- The checks of a skill alone, for answers that its looks would not lead to.
---@param name string    of the skill
---@return fun(id: string): Check
---@return fun(ids: string[], results: any[]): string[]   the mechanisms that these find in the same answers
function played.confirming(name)
  local s = assert(skill.open(name))
  local function check(id) return check_of(s, id) end
  return check, function(ids, results)
    local words = {}
    for _, id in ipairs(ids) do
      local finding = check(id).confirm(results)
      if finding then words[#words + 1] = check(id).mechanism end
    end
    return words
  end
end

---@param name string    of the skill
---@return fun(id: string, results: any[]): table? finding, integer looks   made before it had seen enough
---@return fun(id: string, snapshot: table): boolean   whether that snapshot makes it suspect
function played.of(name)
  local s = assert(skill.open(name))
  local function find(id, results)
    local check, seen = check_of(s, id), {}
    for i, look in ipairs(check.look) do
      local call = look
      if type(look) == "function" then call = look(seen) end
      if not call then return nil, i - 1 end
      assert(s.callbacks[call[1]], call[1])
      seen[i] = results[i]
    end
    local finding = check.confirm(seen)
    for _, figure in ipairs(finding and finding.figures or {}) do
      assert(read(seen[figure.look], figure.path) == figure.value, "not in the answers: " .. figure.path)
    end
    return finding, #check.look
  end
  return find, function(id, snapshot) return check_of(s, id).suspect(snapshot) and true or false end
end

return played
