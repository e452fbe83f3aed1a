--- An operator that runs: how it is, what it tells as it tells it, questions to it, its end. Whoever
--- started it holds this; what it does is runtime/operator.lua's.

local async = require "runtime.async"
local slip = require "runtime.slip"
local verdict = require "runtime.verdict"

---@class Handle
---@field case Case
---@field entry table          of case.operators
---@field task Task            the run itself
---@field private outer Task   sees how it ends
---@field private told table[] what nobody took yet
---@field private waiting table<fun(woken: true), true>   who waits for more
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
  local waiting = self.waiting
  self.waiting = {}
  for wake in pairs(waiting) do wake(true) end
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

-- A handle is a script's, and so are the slips.
local function check(self, called)
  if getmetatable(self) ~= Handle then
    slip(("%s is a method"):format(called), ("call it with a colon: handle:%s()"):format(called))
  end
end

local function check_seconds(seconds, called, example)
  if seconds == nil or type(seconds) == "number" and seconds >= 0 then return end
  slip(called .. " wants seconds", "for example " .. example)
end

--- How it is now. `missed`: how many items that nobody took were let go for later ones.
---@return { skill: string, node: string, mode: string, state: string, iterations: integer, running: boolean,
---  notifications: integer, missed: integer, seconds: number, usage: table, ended: string?, why: string? }
function Handle:status()
  check(self, "status")
  local entry, case = self.entry, self.case
  return {
    skill = entry.skill, node = entry.node, mode = entry.mode, state = entry.state, iterations = entry.iterations,
    running = entry.running, ended = entry.ended, why = entry.why, notifications = case.told, missed = self.missed,
    seconds = async.now() - self.started, usage = case:spent(), trace_id = case.trace_id,
  }
end

--- Asks it something, and waits for its answer: its next words. It is no order to it, only a question.
---@param text string
---@param seconds? number   120 if left out
---@return string? answer
---@return string? err
function Handle:message(text, seconds)
  check(self, "message")
  if type(text) ~= "string" or not text:match "%S" then
    slip("message wants a text", 'for example handle:message("what grows?")')
  end
  check_seconds(seconds, "message", 'handle:message("what grows?", 30)')
  return self.entry.inbox:post(text, async.now() + (seconds or ANSWER_S))
end

--- Ends it; what it found stands in the report.
---@param why? string
function Handle:stop(why)
  check(self, "stop")
  if why ~= nil and type(why) ~= "string" then
    slip("stop wants words that say why, or nothing", "for example handle:stop()")
  end
  self.task:cancel(why or "interrupted")
end

--- Waits for its end. When the caller is cancelled meanwhile, it ends too, with what there is.
---@param seconds? number   for ever, if left out
---@return table? report
---@return string? err   "timeout": it still runs
function Handle:join(seconds)
  check(self, "join")
  check_seconds(seconds, "join", "handle:join(30)")
  local ok, report = self.outer:join(seconds and async.now() + seconds)
  if ok then return report end
  if async.current().cancelled then
    self:stop(async.current().cancelled)
    return self.report or conclude(self)
  end
  if self.outer.finished then error(report, 0) end
  return nil, report
end

--- What happens, as it comes: { kind = "notification" | "state" | "trouble" | "ended", … }. Ends behind "ended".
--- Where several follow, each item goes to one of them.
---@return fun(): table?
function Handle:messages()
  check(self, "messages")
  return function()
    while #self.told == 0 do
      if self.over then return nil end
      local woken = async.await(function(resume)
        self.waiting[resume] = true
        return function() self.waiting[resume] = nil end
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
  local self = setmetatable({ case = case, entry = entry, told = {}, missed = 0, waiting = {},
    started = async.now() }, Handle)
  function entry.tell(event, metadata)
    local item = KINDS[event] and KINDS[event](metadata)
    if item then tell(self, item) end
  end
  self.task = async.spawn(run)
  self.outer = async.spawn(watched, self)
  return self
end

return handle
