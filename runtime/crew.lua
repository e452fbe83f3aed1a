--- The operators of one case: started by name, all at once, waited for, stopped. One that crashes
--- is told, and the others go on.

local async = require "runtime.async"
local handle = require "runtime.handle"
local operator = require "runtime.operator"

---@class Crew
---@field case Case
---@field deadline number         of every operator
---@field private tasks table<string, Task>
local Crew = {}
Crew.__index = Crew

local crew = {}

---@param case Case
---@param deadline number
---@param systems table<string, string>   each skill's prompt
---@return Crew
function crew.new(case, deadline, systems)
  return setmetatable({ case = case, deadline = deadline, systems = systems, tasks = {}, entries = {} }, Crew)
end

local function skill_named(self, name)
  for _, s in ipairs(self.case.skills) do
    if s.name == name then return s end
  end
end

local function work(self, s, entry, context)
  operator.investigate(self.case, s, entry, self.systems[s.name], context, self.deadline)
  self.case:emit("coordinator.operator_complete", { iterations = entry.iterations },
    { operator = s.name, ended = entry.ended })
end

-- The watcher outlives a crash of the operator and writes down how it ended.
local function watched(self, s, entry, context)
  local task = async.spawn(work, self, s, entry, context)
  local ok, why = task:join()
  local cancelled = async.current().cancelled
  if cancelled then task:cancel(cancelled) end
  entry.running = false
  if cancelled then
    entry.ended = cancelled == "deadline" and "deadline" or "interrupted"
  elseif not ok then
    entry.ended, entry.why = "crashed", tostring(why):match "^[^\n]*"
    self.case:emit("coordinator.operator_crashed", nil, { operator = s.name, reason = entry.why })
  end
  handle.hush(self.case, entry)
end

---@param name string
---@param context? string
---@param rules? Mind   goes by rules, in place of the run's own mind
---@return "started"|"running"|"unknown"
function Crew:start(name, context, rules)
  local s = skill_named(self, name)
  if not s then return "unknown" end
  local before = self.entries[name]
  if before and before.running then return "running" end
  local entry = operator.entry(self.case, s)
  entry.led, entry.rules = true, rules
  self.entries[name] = entry
  self.tasks[name] = async.spawn(watched, self, s, entry, context)
  return "started"
end

--- Starts several, all at once.
---@param names string[]
---@param context? string
---@param rules? Mind
---@return { started: string[], running: string[], unknown: string[] }
function Crew:invite(names, context, rules)
  local answer = { started = {}, running = {}, unknown = {} }
  for _, name in ipairs(names) do table.insert(answer[self:start(name, context, rules)], name) end
  self.case:emit("coordinator.invoke_operators", { count = #answer.started }, { skills = answer.started })
  return answer
end

--- Asks an operator something. One that runs answers with its next words, one that ended with its last.
---@param name string
---@param text string
---@param deadline number
---@return string? answer
---@return string? err
function Crew:message(name, text, deadline)
  local entry = self.entries[name]
  if entry then return entry.inbox:post(text, deadline) end
  if skill_named(self, name) then
    return nil, ("no %s operator was started: invoke it, with the question as its context"):format(name)
  end
  return nil, ("there is no skill %s; there are %s"):format(name, table.concat(self:names(), ", "))
end

---@return string[]
function Crew:names()
  local names = {}
  for i, s in ipairs(self.case.skills) do names[i] = s.name end
  return names
end

--- Whether somebody runs.
---@return boolean
function Crew:busy()
  for _, entry in pairs(self.entries) do
    if entry.running then return true end
  end
  return false
end

---@return string[]   skills that no operator looked with
function Crew:idle()
  local idle = {}
  for _, name in ipairs(self:names()) do
    if not self.entries[name] then idle[#idle + 1] = name end
  end
  return idle
end

local UNFINISHED = { deadline = true, budget = true, iterations = true, provider = true, interrupted = true,
  crashed = true }

---@return table[]   { skill, state, running, iterations, incomplete? }
function Crew:statuses()
  local list = {}
  for _, entry in ipairs(self.case.operators) do
    list[#list + 1] = {
      skill = entry.skill, state = entry.state, running = entry.running, iterations = entry.iterations,
      incomplete = UNFINISHED[entry.ended or ""] and entry.ended or nil,
    }
  end
  return list
end

--- Waits until nobody runs.
---@param deadline number
---@return true?
---@return string? err   when our own task was cancelled
function Crew:wait(deadline)
  for _, name in ipairs(self:names()) do
    local task = self.tasks[name]
    if task then task:join(deadline) end
    if async.current().cancelled then return nil, async.current().cancelled end
  end
  return true
end

--- Ends whoever still runs.
---@param why string
function Crew:stop(why)
  for _, name in ipairs(self:names()) do
    local task = self.tasks[name]
    if task then task:cancel(why) end
  end
end

return crew
