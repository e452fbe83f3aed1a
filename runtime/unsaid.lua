--- What the looks of a run show by the rules of its skills alone. A model that looked and saw nothing, or was talked
--- out of it, leaves the figures where they are: who decides a verdict reads them once more, without asking the node.

local json = require "runtime.json"
local skill = require "runtime.skill"

local unsaid = {}

local MOST = 8 -- answers to one call; a check asks for three at most

local function key_of(name, args) return name .. json.encode(args) end

--- Keeps what a callback answered.
---@param case Case
---@param name string    as the skill knows it
---@param args any[]
---@param began number   when it was asked
---@param ended number
---@param value any
function unsaid.keep(case, name, args, began, ended, value)
  local key = key_of(name, args)
  local list = case.looks[key] or {}
  case.looks[key] = list
  if #list < MOST then list[#list + 1] = { began = began, ended = ended, value = value } end
end

-- The first answer to this very call that was asked for after `from`.
local function answer(case, s, call, from)
  for _, look in ipairs(case.looks[key_of(skill.resolve(s, call[1]), { unpack(call, 2) })] or {}) do
    if look.began >= from + (call.after or 0) then return look end
  end
end

--- How far a check comes with the looks that were made. One whose first looks were made in other words cannot be
--- read here, and says nothing.
---@param case Case
---@param s Skill
---@param check Check
---@return any[]? again     a look that the answers before it call for, and that was not made
---@return Finding? finding   what the looks show
function unsaid.of(case, s, check)
  local results, ended = {}, {}
  for i, wanted in ipairs(check.look) do
    local follows, ok = type(wanted) == "function", true
    if follows then ok, wanted = pcall(wanted, results) end
    if not ok or not wanted then return nil end
    local made = answer(case, s, wanted, follows and ended[#ended] or 0)
    if not made then return follows and wanted or nil end
    results[i], ended[i] = made.value, made.ended
  end
  local ok, finding = pcall(check.confirm, results)
  return nil, ok and finding or nil
end

return unsaid
