--- What stays of a tool's answer when a conversation is made shorter: the ids, the figures that were cited or
--- else stand first, and of notifications who told what. Made from the text that the model was shown, so nothing
--- of it is less hidden than it was; and by rules, so nothing is retold wrongly.

local json = require "runtime.json"
local utf8 = require "runtime.utf8"

local digest = {}

local SHORT = 400          -- bytes: such an answer is its own digest
local FIGURES, CITED = 10, 20
local ROWS = 2             -- of a list of figures
local LONGEST_TEXT, LONGEST_TOLD = 60, 200
local NOTIFICATIONS = 30
local NOTE = "shortened to save room; its observation is on record and can still be cited"

local function keys_of(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = tostring(key) end
  table.sort(keys)
  return keys
end

local function short(v) return type(v) ~= "string" or #v <= LONGEST_TEXT end

-- Scalars with their paths, those of the upper levels first.
local function scalars(value, path, found, most)
  local deeper = {}
  local function take(key, v)
    if type(v) == "table" then
      deeper[#deeper + 1] = { v, key }
    elseif found.count < most and short(v) and v ~= json.null then
      found.of[key], found.count = v, found.count + 1
    end
  end
  if #value > 0 then
    for i = 1, math.min(#value, ROWS) do take(("%s[%d]"):format(path, i), value[i]) end
  else
    for _, key in ipairs(keys_of(value)) do take(path == "" and key or path .. "." .. key, value[key]) end
  end
  for _, next_one in ipairs(deeper) do
    if found.count < most then scalars(next_one[1], next_one[2], found, most) end
  end
end

local function figures_of(value, cited)
  local found = { of = json.object {}, count = 0 }
  for _, claim in ipairs(cited or {}) do
    if found.of[claim.path] == nil and found.count < CITED then
      found.of[claim.path], found.count = claim.value, found.count + 1
    end
  end
  if type(value) == "table" then
    scalars(value, "", found, math.max(FIGURES, found.count))
  elseif value ~= nil then
    found.of.result = short(value) and value or utf8.cut(value, LONGEST_TEXT) .. "…"
  end
  return found.of
end

local function told(text)
  if type(text) ~= "string" or #text <= LONGEST_TOLD then return text end
  return utf8.cut(text, LONGEST_TOLD) .. "…"
end

--- Claims in short, the first few.
---@param evidence table[]?
---@return table[]?
function digest.claims(evidence)
  local claims = {}
  for i, claim in ipairs(type(evidence) == "table" and evidence or {}) do
    if i > 4 then break end
    claims[i] = { observation = claim.observation, path = claim.path, value = claim.value }
  end
  return #claims > 0 and claims or nil
end

--- A notification, an insight or a proposal in a few words.
---@param id string
---@param n table
---@return table
function digest.note(id, n)
  return {
    id = id, operator = n.operator, type = n.type or n.action, severity = n.severity, status = n.status,
    observation = told(n.observation or n.summary or n.reason), root_cause = n.root_cause,
    notification_ids = n.notification_ids, evidence = digest.claims(n.evidence),
  }
end

local function notes(list)
  local out = {}
  for i, n in ipairs(list) do
    if i > NOTIFICATIONS then break end
    if type(n) == "table" then out[#out + 1] = digest.note(n.id, n) end
  end
  return out
end

--- The digest of one result.
---@param result { ok: boolean, text: string }
---@param cited table<string, table[]>   observation -> what was claimed of it
---@return table?   nil where the result is short, or a digest already
function digest.of(result, cited)
  if #result.text <= SHORT then return nil end
  local answer = json.decode(result.text)
  if type(answer) ~= "table" then return { shortened = NOTE } end
  if answer.shortened then return nil end
  local out = { shortened = NOTE, trust = answer.trust }
  if answer.error ~= nil then
    out.error = told(tostring(answer.error))
  elseif type(answer.notifications) == "table" then
    out.notifications, out.total = notes(answer.notifications), #answer.notifications
  else
    local id = answer.observation or answer.id
    out.observation, out.callbacks, out.taken_at = id, answer.callbacks, answer.taken_at
    local value = answer.result
    if value == nil then value = answer.data end
    if value == nil and id == nil then value = answer end
    out.figures = figures_of(value, cited[id or ""])
  end
  return out
end

return digest
