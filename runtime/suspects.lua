--- What a snapshot leaves suspect: the checks that it does not acquit, with what an expert knows of each and
--- the looks that would settle it. It comes with the snapshot and not with the prompt, so advice is read where
--- there is reason for it. Checks that want the same looks stand together, for a look costs the node time.

local json = require "runtime.json"
local mechanisms = require "runtime.mechanisms"

local suspects = {}

--- Whether a snapshot leaves a check suspect. A check comes from a file that people edit: one that trips
--- over a snapshot must not take the run with it. What it did not acquit, stays suspect.
---@param check Check
---@param snapshot any
---@param history History
---@return boolean
function suspects.is(check, snapshot, history)
  local ok, suspect = pcall(check.suspect, snapshot, history)
  return not ok or suspect and true or false
end

local function urgent(check, snapshot)
  if not check.urgent then return false end
  local ok, first = pcall(check.urgent, snapshot)
  return ok and first and true or false
end

local function call_text(look)
  local args = {}
  for i = 2, #look do args[#args + 1] = json.encode(look[i]) end
  return ("%s(%s)"):format(look[1], table.concat(args, ", "))
end

-- The looks that are named beforehand; what follows from their answers, who looks will see.
local function looks_of(check)
  local looks = {}
  for _, look in ipairs(check.look) do
    if type(look) == "table" then looks[#looks + 1] = call_text(look) end
  end
  return looks
end

local function add(row, check)
  local said, word = row.may_show[check.mechanism], check.mechanism
  local text = check.expert or mechanisms[word] or check.id
  row.may_show[word] = said and said ~= text and ("%s / %s"):format(said, text) or text
end

---@class Suspects
---@field look string[]               the calls to make
---@field may_show table<string, string>   mechanism -> what an expert knows of it
---@field urgent? true                before all others

--- What to look at after a snapshot, the urgent first. Each check is told once.
---@param checks? Check[]
---@param snapshot any
---@param history History
---@param told table<string, true>   by the id of a check; what is told now is added
---@return Suspects[]
function suspects.of(checks, snapshot, history, told)
  if type(snapshot) ~= "table" or snapshot.unavailable then return {} end
  local first, later, by_key = {}, {}, {}
  for _, check in ipairs(checks or {}) do
    if not told[check.id] and suspects.is(check, snapshot, history) then
      told[check.id] = true
      local before = urgent(check, snapshot)
      local looks = looks_of(check)
      local key = tostring(before) .. table.concat(looks, " ")
      if not by_key[key] then
        by_key[key] = { look = looks, may_show = {}, urgent = before or nil }
        table.insert(before and first or later, by_key[key])
      end
      add(by_key[key], check)
    end
  end
  for _, row in ipairs(later) do first[#first + 1] = row end
  return first
end

return suspects
