--- An operator that runs: how it is, what it tells as it tells it, questions to it, its end. Whoever
--- started it holds this; what it does is runtime/operator.lua's.

local async = require "runtime.async"
local verdict = require "runtime.verdict"

---@class Handle
---@field case Case
---@field entry table          of case.operators
---@field task Task            the run itself
---@field private outer Task   sees how it ends
---@field private told table[] what nobody took yet
local Handle = {}
Handle.__index = Handle

local handle = {}

-- Who never asks for what is told must not make us keep it for ever.
local MOST_TOLD = 200
local ANSWER_S = 120

local function tell(self, item)
  self.told[#self.told + 1] = item
  if #self.told > MOST_TOLD then
    table.remove(self.told, 1)
    self.missed = self.missed + 1
  end
  local wake = self.wake
  self.wake = nil
  if wake then wake(true) end
end

-- Of what an operator emits, what somebody who follows it wants to read.
local KINDS = {
  ["operator.notification_sent"] = function(m) return { kind = "notification", notification = m.notification } end,
  ["operator.state_change"] = function(m) return { kind = "state", from = m.from, to = m.to, reason = m.reason } end,
  ["operator.llm_error"] = function(m) return { kind = "trouble", reason = m.reason } end,
}

--- Whoever still asks an operator that ended gets its last words.
---@param case Case
---@param entry table
function handle.hush(case, entry)
  local words = entry.text and entry.text:match "%S" and entry.text or entry.inbox.said
    or ("it ended (%s) in state %s"):format(entry.ended or "stopped", entry.state)
  local unread = entry.inbox:close(words)
  if unread > 0 then
    case:emit("operator.unexpected_message", { count = unread }, { operator = entry.skill, node = entry.node })
  end
end

-- Once, whoever comes first: the run's own watcher, or a caller who was cancelled and cannot wait for it.
local function conclude(self)
  local entry = self.entry
  if entry.running then
    entry.running = false
    handle.hush(self.case, entry)
    self.case:promote()
  end
  return verdict.report(self.case)
end

local function watched(self)
  local ok, why = self.task:join()
  local entry = self.entry
  if self.task.cancelled then
    entry.ended = self.task.cancelled == "deadline" and "deadline" or "interrupted"
  elseif not ok then
    entry.ended, entry.why = "crashed", tostring(why):match "^[^\n]*"
  end
  self.report = conclude(self)
  self.over = true -- before who reads it is woken, here and now
  tell(self, { kind = "ended", ended = entry.ended, why = entry.why, report = self.report })
  return self.report
end

--- How it is now.
---@return { skill: string, node: string, mode: string, state: string, iterations: integer, running: boolean,
---  notifications: integer, seconds: number, usage: table, ended: string?, why: string? }
function Handle:status()
  local entry, case = self.entry, self.case
  return {
    skill = entry.skill, node = entry.node, mode = entry.mode, state = entry.state, iterations = entry.iterations,
    running = entry.running, ended = entry.ended, why = entry.why, notifications = case.told,
    seconds = async.now() - self.started, usage = case:spent(), trace_id = case.trace_id,
  }
end

--- Asks it something, and waits for its answer: its next words. It is no order to it, only a question.
---@param text string
---@param seconds? number   120 if left out
---@return string? answer
---@return string? err
function Handle:message(text, seconds)
  return self.entry.inbox:post(text, async.now() + (seconds or ANSWER_S))
end

--- Ends it; what it found stands in the report.
---@param why? string
function Handle:stop(why) self.task:cancel(why or "interrupted") end

--- Waits for its end. When the caller is cancelled meanwhile, it ends too, with what there is.
---@param deadline? number
---@return table? report
---@return string? err   "timeout": it still runs
function Handle:join(deadline)
  local ok, report = self.outer:join(deadline)
  if ok then return report end
  if async.current().cancelled then
    self:stop(async.current().cancelled)
    return self.report or conclude(self)
  end
  if self.outer.finished then error(report, 0) end
  return nil, report
end

--- What happens, as it comes: { kind = "notification" | "state" | "trouble" | "ended", … }. Ends behind "ended".
---@return fun(): table?
function Handle:messages()
  return function()
    while #self.told == 0 do
      if self.over then return nil end
      local woken = async.await(function(resume)
        self.wake = resume
        return function() end
      end)
      if not woken then return nil end
    end
    return table.remove(self.told, 1)
  end
end

--- Starts following a run.
---@param case Case
---@param entry table
---@param run fun()      the run itself
---@return Handle
function handle.start(case, entry, run)
  local self = setmetatable({ case = case, entry = entry, told = {}, missed = 0, started = async.now() }, Handle)
  function entry.tell(event, metadata)
    local item = KINDS[event] and KINDS[event](metadata)
    if item then tell(self, item) end
  end
  self.task = async.spawn(run)
  self.outer = async.spawn(watched, self)
  return self
end

return handle
