--- The looks that checks ask for, in rounds: all first looks at once, then all second ones. Two
--- checks that want the same look at the same place share it, for a look costs the node time.

local json = require "runtime.json"

---@class Look
---@field call any[]          callback and arguments, and `after`
---@field observation? string
---@field value? any          what the callback answered
local Look = {}
Look.__index = Look

local rounds = {}

--- Whether a call failed because the node had no time for it. It has none the next moment either.
---@param text string
---@return boolean
function rounds.out_of_time(text) return text:find("no answer", 1, true) ~= nil end

--- Why a call failed, without the form that a model is given it in.
---@param result { text: string }
---@return string
function rounds.reason(result)
  local told = json.decode(result.text)
  return type(told) == "table" and type(told.error) == "string" and told.error or result.text
end

local function literal(value)
  if type(value) == "string" then return ("%q"):format(value) end
  return ("%.14g"):format(value)
end

local function script(call)
  local args = {}
  for i = 2, #call do args[i - 1] = literal(call[i]) end
  return ("return %s(%s)"):format(call[1], table.concat(args, ", "))
end

--- The script of this look. A look made on purpose a second time says so, lest it be taken for a
--- conversation that goes in circles.
function Look:code(attempt)
  local remark = self.times > 1 and (" -- look %d"):format(self.times) or ""
  if attempt > 1 then remark = remark .. " -- once more" end
  return script(self.call) .. remark
end

---@param result { ok: boolean, text: string, data: any }
function Look:answer(result)
  local data = result.ok and result.data or {}
  self.why = not result.ok and rounds.reason(result) or nil
  self.observation, self.value = data.observation, data.result
end

local Round = {}
Round.__index = Round

--- The looks that have no answer yet and may get one.
---@return Look[]
function Round:open()
  local open = {}
  for _, look in ipairs(self.looks) do
    if look.value == nil and not rounds.out_of_time(look.why or "") then open[#open + 1] = look end
  end
  return open
end

---@class Rounds
---@field failed string[]     what could not be looked at, and why
---@field skipped Check[]     what was not looked for, since who was asked first found that nobody would get an answer
local Rounds = {}
Rounds.__index = Rounds

-- Checks come from files that people edit: one that trips must not take the others with it.
local function try(all, check, f, ...)
  local ok, value = pcall(f, ...)
  if ok then return value end
  all.failed[#all.failed + 1] = ("check %s failed: %s"):format(check.id, tostring(value))
end

--- The checks that a snapshot makes suspect. Those that are urgent go first: what they see may take all the time that
--- there is, and then the looks of the others would only wait and add to the work.
---@param checks Check[]
---@param snapshot table
---@param history History
---@return Rounds
function rounds.new(checks, snapshot, history)
  local all = setmetatable({ snapshot = snapshot, going = {}, later = {}, failed = {}, made = {}, skipped = {},
    found = {} }, Rounds)
  for _, check in ipairs(checks) do
    if try(all, check, check.suspect, snapshot, history) then
      local urgent = check.urgent and try(all, check, check.urgent, snapshot)
      local list = urgent and all.going or all.later
      list[#list + 1] = { check = check, looks = {}, results = {} }
    end
  end
  return all
end

-- What gives way to something that was found already, at whatever object, need not be looked at any more.
local function settled(all, run)
  for word, where in pairs(run.check.yields_to or {}) do
    if where == "any" and word ~= "*" and all.found[word] then return true end
  end
  return false
end

local function next_look(all, run)
  if settled(all, run) then return nil end
  local wanted = run.check.look[#run.looks + 1]
  if type(wanted) == "function" then wanted = try(all, run.check, wanted, run.results) end
  return wanted
end

-- What each check that goes on wants to look at next. Those who want to wait do so when nobody else looks at once.
local function wanted(all)
  local now, later = {}, {}
  for _, run in ipairs(all.going) do
    local call = not run.over and next_look(all, run)
    if not call then
      run.over = true
    else
      local list = call.after and later or now
      list[#list + 1] = { run = run, call = call }
    end
  end
  return #now > 0 and now or later
end

-- The next look of every check that goes on, the same ones once.
local function round_of(all)
  local round, shared = setmetatable({ looks = {}, runs = {}, rest = 0 }, Round), {}
  for _, one in ipairs(wanted(all)) do
    local run, call, key = one.run, one.call, script(one.call)
    if not shared[key] then
      all.made[key] = (all.made[key] or 0) + 1
      shared[key] = setmetatable({ call = call, times = all.made[key] }, Look)
      round.looks[#round.looks + 1] = shared[key]
      round.rest = math.max(round.rest, call.after or 0)
    end
    run.looks[#run.looks + 1] = shared[key]
    round.runs[#round.runs + 1] = run
  end
  return round
end

-- Takes in what a round brought. A look that failed ends the checks that wanted it.
local function take(all, round)
  local said = {}
  for _, run in ipairs(round.runs) do
    local look = run.looks[#run.looks]
    local value = look.value
    local why = look.why or type(value) == "table" and value.unavailable
    if why then
      run.over = true
      -- What vanished before its second look was no lasting trouble; a first look has to be made.
      if not said[look] and (look.why or #run.looks == 1) then
        said[look] = true
        all.failed[#all.failed + 1] = ("%s: %s"):format(look.call[1], tostring(why))
      end
    else
      run.results[#run.results + 1] = value
    end
  end
end


-- A figure of a look as a claim that cites its observation.
local function evidence_of(run, finding)
  local claims = {}
  for i, figure in ipairs(finding.figures or {}) do
    claims[i] = { observation = run.looks[figure.look].observation, path = figure.path, value = figure.value }
  end
  return claims
end

local function confirmed(self, run)
  local finding = try(self, run.check, run.check.confirm, run.results)
  if not finding then return nil end
  finding.check, finding.mechanism = run.check, run.check.mechanism
  finding.evidence = evidence_of(run, finding)
  return finding
end

--- What the checks found that made all their looks.
---@return Finding[]  with `check` and `evidence`
function Rounds:findings()
  local findings = {}
  for _, run in ipairs(self.going) do
    if not run.confirmed and #run.results == #run.check.look then
      run.confirmed, run.finding = true, confirmed(self, run)
    end
    findings[#findings + 1] = run.finding
  end
  return findings
end

-- Whether somebody who was asked first sees what lets nobody else have any time.
local function held(self)
  for _, run in ipairs(self.going) do
    local holds = run.check.holds
    if holds and #run.results > 0 and try(self, run.check, holds, run.results, self.snapshot) then return true end
  end
  return false
end

local function join(self)
  for _, run in ipairs(self.later) do self.going[#self.going + 1] = run end
  self.later = {}
end

-- A node that is only full answers late, and what else is wrong with it may be why it is full: there the others join
-- at once. What holds them back until the end and is confirmed then, leaves them out.
local function leave_out(self)
  if not held(self) or #self:findings() == 0 then return join(self) end
  for i, run in ipairs(self.later) do self.skipped[i] = run.check end
  self.later = {}
end

--- The rounds, one after another; each has to be answered before the next is asked for.
function Rounds:each()
  local last
  return function()
    if last then
      take(self, last)
      for _, finding in ipairs(self:findings()) do self.found[finding.mechanism] = finding.severity ~= "info" end
      if not held(self) then join(self) end
    end
    last = round_of(self)
    if #last.looks == 0 and #self.later > 0 then
      leave_out(self)
      last = round_of(self)
    end
    if #last.looks > 0 then return last end
  end
end

return rounds
