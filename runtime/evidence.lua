--- What was seen, by id, and whether a claim about it holds. Every snapshot and every result of
--- `execute` is an observation o1, o2, …; they are kept here whole, outside any conversation.
--- A claim names an observation, a path in it and the value found there, and is read again.
---
--- What a script put together itself proves nothing: `return { queue = 99999 }` is a result too.
--- So a claimed value must also stand in an answer that the node gave during that observation.

local json = require "runtime.json"

---@class Observation
---@field id string            "o1"
---@field kind "snapshot"|"execute"
---@field operator string      the skill that looked
---@field callback string      what the node was asked, as "beam_top_processes"; several with commas
---@field value any            plain values, as JSON would carry them
---@field at string            ISO 8601, UTC
---@field answers? any[]       what each callback answered, where the value was made by a script

---@class Claim
---@field observation string
---@field path string          "processes[1].message_queue"
---@field value any            a number, a text or a boolean
---@field callback? string     set by the check

---@class Evidence
---@field private list Observation[]
---@field private by_id table<string, Observation>
local Evidence = {}
Evidence.__index = Evidence

local evidence = {}

--- @param clean? fun(value: any): any   how a value looks to the model, which cites what it was shown
---@return Evidence
function evidence.new(clean)
  return setmetatable({ list = {}, by_id = {}, made = 0, clean = clean or function(v) return v end }, Evidence)
end

-- A copy in plain values: nobody's later change reaches it, and atoms or pids are their text.
local function plain(value) return json.decode(json.encode({ value }))[1] end

---@param given table   an Observation without its id
---@return string id
function Evidence:add(given)
  self.made = self.made + 1
  local o = { id = "o" .. self.made, kind = given.kind or "execute", operator = given.operator,
    callback = given.callback, value = plain(given.value), at = given.at }
  if given.answers then
    o.answers = {}
    for i, answer in ipairs(given.answers) do o.answers[i] = plain(answer) end
  end
  if self.called then o.id = self.called(o) end -- a replay calls it what it was called before
  self.list[#self.list + 1], self.by_id[o.id] = o, o
  return o.id
end

---@return Observation?
function Evidence:get(id) return self.by_id[id] end

--- Lets go of the oldest, but for those that are cited.
---@param cited table<string, true>
---@param most integer   how many of the others stay
function Evidence:prune(cited, most)
  local loose, kept = 0, {}
  for _, o in ipairs(self.list) do loose = loose + (cited[o.id] and 0 or 1) end
  for _, o in ipairs(self.list) do
    if not cited[o.id] and loose > most then
      loose, self.by_id[o.id] = loose - 1, nil
    else
      kept[#kept + 1] = o
    end
  end
  self.list = kept
end

---@return Observation[]   in the order they were made
function Evidence:all() return { unpack(self.list) } end

--- "a.b[2].c" and 'a["odd key"]' as a list of keys; nil when it is no path.
---@param path string
---@return (string|integer)[]?
function evidence.keys(path)
  local keys, at = {}, 1
  while at <= #path do
    local name, index, quoted, stop
    name, stop = path:match("^%.?([^%.%[%]]+)()", at)
    if not name then index, stop = path:match("^%[(%d+)%]()", at) end
    if not name and not index then quoted, stop = path:match('^%["(.-)"%]()', at) end
    if not stop then return nil end
    keys[#keys + 1] = name or quoted or tonumber(index)
    at = stop
  end
  return keys
end

local function follow(value, path)
  local keys = evidence.keys(path)
  if not keys then return nil, ("%q is no path: write it like processes[1].message_queue"):format(path) end
  local at = {}
  for _, key in ipairs(keys) do
    local where = #at == 0 and "it" or table.concat(at, ".")
    if type(value) ~= "table" then return nil, ("%s is not a table, so there is no %s in it"):format(where, key) end
    local found = value[key]
    if found == nil then
      if type(key) == "number" then return nil, ("%s has %d entries, counted from 1"):format(where, #value) end
      local names = {}
      for k in pairs(value) do names[#names + 1] = tostring(k) end
      table.sort(names)
      return nil, ("no %s in %s; there is %s"):format(key, where, table.concat(names, ", ", 1, math.min(#names, 12)))
    end
    value, at[#at + 1] = found, tostring(key)
  end
  return value
end

-- The result as it was shown is wrapped in `result` or `data`; both ways to cite it are right.
local function look_up(o, path)
  local value, why = follow(o.value, path)
  if value ~= nil then return value, path end
  local bare = path:match "^result%.?(.*)" or path:match "^data%.?(.*)"
  if bare then
    local again = follow(o.value, bare)
    if again ~= nil then return again, bare end
  end
  return nil, why
end

--- What stands at a place of an observation.
---@param id string
---@param path string
---@return any value   nil where there is none
function Evidence:value(id, path)
  local o = self.by_id[id]
  return o and (look_up(o, path))
end

-- JSON has no integers of its own, and a figure with two decimals is cited with two decimals.
local function close(claimed, found)
  if claimed == found then return true end
  if type(found) ~= "number" then return false end
  claimed = tonumber(claimed)
  if not claimed then return false end
  if math.abs(claimed - found) <= 1e-9 * math.abs(found) then return true end
  if found % 1 == 0 then return false end
  local decimals = #(("%.10f"):format(claimed):gsub("0+$", ""):match "%.(%d*)")
  return math.abs(claimed - found) <= 0.5000001 * 10 ^ -decimals and claimed ~= 0
end

local function contains(answer, value)
  if type(answer) ~= "table" then return answer == value or (type(value) == "number" and close(value, answer)) end
  for _, inner in pairs(answer) do
    if contains(inner, value) then return true end
  end
  return false
end

local function measured(o, value)
  if not o.answers then return true end
  for _, answer in ipairs(o.answers) do
    if contains(answer, value) then return true end
  end
  return false
end

local function shown(value)
  local text = json.encode(value)
  return #text > 80 and text:sub(1, 77) .. "…" or text
end

-- Of many, the latest: older ones may have been let go.
local function there_are(self)
  local function number(i) return tonumber(self.list[i].id:match "%d+") end
  local last = #self.list
  local first = last
  while first > 1 and number(first - 1) == number(first) - 1 do first = first - 1 end
  return ("%s %s to %s"):format(first == 1 and "there are" or "the latest are", self.list[first].id,
    self.list[last].id)
end

--- Reads again what a claim cites. The claim that stands carries the value as it was measured,
--- not as it was retold.
---@param claim Claim
---@return Claim?
---@return string? why   it does not stand, worded for who made it
function Evidence:check(claim)
  local o = self.by_id[claim.observation]
  if not o then
    return nil, ("there is no observation %s%s"):format(tostring(claim.observation),
      #self.list > 0 and "; " .. there_are(self) or " yet: take a snapshot or execute first")
  end
  local value, path = look_up(o, claim.path)
  if value == nil then return nil, ("%s: %s"):format(o.id, path) end
  if type(value) == "table" then
    return nil, ("%s: %s holds several values; cite one of them"):format(o.id, claim.path)
  end
  if not close(claim.value, value) and claim.value ~= self.clean(value) then
    return nil, ("%s: %s is %s, not %s"):format(o.id, claim.path, shown(value), shown(claim.value))
  end
  if not measured(o, value) then
    return nil, ("%s: %s was worked out by the script and no callback answered it; return the callback's own figures "
      .. "and cite those"):format(o.id, claim.path)
  end
  return { observation = o.id, callback = o.callback, path = path, value = value }
end

--- Those of the claims that stand, and why the others do not.
---@param claims? Claim[]
---@return Claim[] stand
---@return { observation: string, path: string, why: string }[] dropped
function Evidence:check_all(claims)
  local stand, dropped = {}, {}
  for _, claim in ipairs(claims or {}) do
    local checked, why = self:check(claim)
    if checked then
      stand[#stand + 1] = checked
    else
      dropped[#dropped + 1] = { observation = claim.observation, path = claim.path, why = why }
    end
  end
  return stand, dropped
end

--- Whether a hypothesis is more than one look at one figure: facts of two operators, or two
--- observations, one of them made on purpose, with a look-alike told apart by them.
---@param claims Claim[]   that stand
---@param mechanism string?
---@param considered { mechanism: string, why_not: string }[]
---@return boolean
function Evidence:grounded(claims, mechanism, considered)
  local operators, observations, looks, told_apart = {}, {}, 0, false
  local seen_operators, seen = 0, 0
  for _, claim in ipairs(claims) do
    local o = self.by_id[claim.observation]
    if not observations[o.id] then
      observations[o.id], seen = true, seen + 1
      if o.kind == "execute" then looks = looks + 1 end
    end
    if not operators[o.operator] then operators[o.operator], seen_operators = true, seen_operators + 1 end
  end
  for _, other in ipairs(considered) do
    if other.mechanism ~= mechanism and other.why_not:match "%S" then told_apart = true end
  end
  return seen_operators >= 2 or (seen >= 2 and looks >= 1 and told_apart)
end

return evidence
