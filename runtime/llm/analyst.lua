--- The analyst: a provider that needs no key. It reads the same messages as a model and calls the
--- same tools, by the checks that the skills bring with them, so it knows no fault by name. Given
--- the same answers it says the same.
---
--- An agent's whole course is one function here (operate, coordinate), written from top to bottom:
--- `turn` hands calls to the loop and comes back with their results at the next `ask`.

local async = require "runtime.async"
local clues = require "runtime.llm.clues"
local gravity = require "runtime.gravity"
local in_use = require "runtime.in_use"
local rounds = require "runtime.llm.rounds"
local verdict = require "runtime.verdict"

local analyst = {}

local NOTHING_USED = { input = 0, cache_write = 0, cache_read = 0, output = 0 }
local MOST_CALLS = 16      -- the loop takes no more in one answer
local LONGEST_WAIT = 60000 -- ms; asked again while somebody runs
local MOST_WAITS = 30
local EVERY_S = 30         -- of a watch

local STATE = { critical = "critical", warning = "warning", info = "observing" }

local function reply(text, calls)
  return { text = text, calls = calls, stop = calls[1] and "calls" or "done", usage = NOTHING_USED }
end

local Analyst = {}
Analyst.__index = Analyst

function Analyst:calls(wanted)
  local calls = {}
  for i, call in ipairs(wanted) do
    self.count = self.count + 1
    calls[i] = { id = "a" .. self.count, name = call[1], args = call[2] }
  end
  return calls
end

--- The calls of one turn, as { tool, args } each; gives their results in the same order.
---@param rest? number   seconds to wait before
---@return { ok: boolean, text: string, data: any }[]
function Analyst:turn(text, wanted, rest)
  local calls = self:calls(wanted)
  local by_id, results = coroutine.yield(reply(text, calls), rest), {}
  for i, call in ipairs(calls) do
    results[i] = by_id[call.id] or { ok = false, text = "no result came back" }
  end
  return results
end

--- One call, tried once more when it fails.
function Analyst:call(text, tool, args)
  local result = self:turn(text, { { tool, args } })[1]
  if not result.ok and not rounds.out_of_time(result.text) then result = self:turn(text, { { tool, args } })[1] end
  return result
end

local function results_of(messages)
  local by_id = {}
  for _, message in ipairs(messages) do
    for _, result in ipairs(message.role == "tool" and message.results or {}) do by_id[result.id] = result end
  end
  return by_id
end

--- One step of the course. The last step of a run has no tools, and then there is only to say so.
---@param request table
---@return table? reply
---@return table? err
function Analyst:ask(request)
  if not request.tools then return reply(self.said or "The run ended before all looks were made.", {}) end
  self.offered = {}
  for _, tool in ipairs(request.tools) do self.offered[tool.name] = true end
  if coroutine.status(self.course) == "dead" then return reply(self.said or "Nothing more to do.", {}) end
  local ok, answer, rest = coroutine.resume(self.course, results_of(request.messages))
  if rest then async.sleep(rest) end
  if not ok then
    return nil, setmetatable({ class = "fatal", message = "the analyst failed: " .. tostring(answer) },
      { __tostring = function(err) return err.message end })
  end
  return answer
end

-- What goes on for ever takes up edited checks at its next look; the others go by those that they began with.
local function provider(course, endless)
  local self = setmetatable({ name = "analyst", count = 0, fixed = not endless }, Analyst)
  self.course = coroutine.create(function() return course(self) end)
  return self
end

--- What is left open is asked for once by the loop; the second `done` always ends.
function Analyst:finish(text, args)
  self.said = text
  self:call(text, "done", args)
  return reply(text, {})
end

--- Makes the looks of one round, all at once, and those that failed once more.
function Analyst:look(round)
  for attempt = 1, 2 do
    local open = round:open()
    for first = 1, #open, MOST_CALLS do
      local wanted = {}
      for i = first, math.min(#open, first + MOST_CALLS - 1) do
        wanted[#wanted + 1] = { "execute", { code = open[i]:code(attempt) } }
      end
      local why = ("%d looks%s"):format(#wanted, attempt == 2 and ", that failed before" or "")
      local rest = attempt == 1 and first == 1 and round.rest > 0 and round.rest or nil
      for i, result in ipairs(self:turn(why, wanted, rest)) do open[first + i - 1]:answer(result) end
    end
  end
end

-- What the figures of now say: findings, the worst first, and the words for it; nil and why where nothing can be said.
local function judge(self, skill, history)
  local first = self:call("How is it now?", "take_snapshot", {})
  if not first.ok then return nil, "Nothing can be told: " .. rounds.reason(first) end
  local snapshot = first.data
  local blind = verdict.blind(skill, snapshot.data)
  if blind then return nil, blind, true end
  local all = rounds.new(skill.checks or {}, snapshot.data, history)
  for round in all:each() do self:look(round) end
  local findings = clues.settle(all:findings())
  if #all.skipped > 0 then clues.leave_open(findings[1], all.skipped) end
  local text = #findings > 0 and findings[1].hypothesis or #all.failed > 0
    and ("Not everything could be looked at: " .. table.concat(all.failed, "; ")) or "Nothing wrong was found."
  local worst
  for _, finding in ipairs(findings) do worst = clues.graver(worst, finding.severity) end
  return { findings = findings, snapshot = snapshot, text = text, failed = all.failed,
    state = STATE[worst] or #all.failed > 0 and "observing" or "healthy" }
end

local function operate(self, skill, history)
  local seen, why, blind = judge(self, skill, history)
  if blind then self:call(why, "set_state", { state = "observing", reason = why }) end
  if not seen then return self:finish(why, {}) end
  for _, finding in ipairs(seen.findings) do
    self:call(finding.hypothesis, "send_notification", clues.notification(finding, seen.snapshot))
  end
  self:call(seen.text, "set_state", { state = seen.state, reason = seen.text })
  return self:finish(seen.text, {})
end

-- The checks of some mechanisms alone, and what somebody would look at beside them. It tells nobody but who asked.
local function again(self, skill, history, wanted)
  local checks = {}
  for _, check in ipairs(skill.checks or {}) do
    if wanted.mechanisms[check.mechanism] then checks[#checks + 1] = check end
  end
  local seen = { call = wanted.code and self:call("What was asked for.", "execute", { code = wanted.code }) }
  local judged, why = judge(self, setmetatable({ checks = checks }, { __index = skill }), history)
  seen.judged, seen.why = judged, why
  wanted.seen(skill, seen)
  return self:finish(judged and judged.text or why, {})
end

-- For ever. What was told is told again only when it is graver, or was gone in between.
local function watch(self, skill, history, every)
  local told, state = {}, nil
  while true do
    local seen, why = judge(self, in_use.now(skill), history)
    local now = {}
    for _, finding in ipairs(seen and seen.findings or {}) do
      local key = ("%s of %s"):format(finding.mechanism, finding.object)
      now[key] = gravity.rank[finding.severity]
      if now[key] > (told[key] or 0) then
        self:call(finding.hypothesis, "send_notification", clues.notification(finding, seen.snapshot))
      end
    end
    if seen then told = now end
    local text = seen and seen.text or why
    local current = seen and seen.state or "observing"
    if current ~= state then self:call(text, "set_state", { state = current, reason = text }) end
    state = current
    self:turn(text, { { "wait", { ms = every * 1000 } } })
  end
end

-- Until nobody runs. The loop's own deadline ends it where somebody never stops.
local function wait(self)
  for _ = 1, MOST_WAITS do
    local result = self:turn("Waiting for the operators.", { { "wait", { ms = LONGEST_WAIT } } })[1]
    local running = 0
    for _, operator in ipairs(result.ok and result.data.operators or {}) do
      if operator.running then running = running + 1 end
    end
    if running == 0 then return end
  end
end

local function coordinate(self, skills)
  local names, checks = {}, {}
  for i, skill in ipairs(skills) do
    names[i] = skill.name
    for _, check in ipairs(skill.checks or {}) do checks[#checks + 1] = check end
  end
  -- Which of its tools it has, depends on the strategy of the run.
  if self.offered.choose_skills then return reply("", self:calls { { "choose_skills", { skills = names } } }) end
  if self.offered.invoke_operators then
    local started = self:call("Everybody looks at once.", "invoke_operators", { skills = names })
    if not started.ok then return self:finish("No operator could be started: " .. started.text, {}) end
    wait(self)
  end
  local told = self:call("What did they find?", "get_notifications", {})
  local insights = told.ok and clues.insights(told.data.notifications, checks) or {}
  for _, insight in ipairs(insights) do self:call(insight.summary, "produce_insight", insight) end
  local text = insights[1] and insights[1].summary or told.ok and #told.data.notifications == 0
    and "The operators found nothing wrong." or "Something was seen whose cause was not found."
  return self:finish(text, { summary = text })
end

---@param skill Skill
---@param history? History  of the node that it looks at
---@param how? { mode?: "on_demand"|"continuous", every?: number }   every: seconds from look to look
---@return table provider   for one run of one operator
function analyst.operator(skill, history, how)
  history, how = history or function() return {} end, how or {}
  local endless = how.mode == "continuous"
  return provider(function(self)
    if endless then return watch(self, skill, history, how.every or EVERY_S) end
    return operate(self, skill, history)
  end, endless)
end

---@class SecondLook
---@field mechanisms table<string, true>   whose checks are gone by
---@field code? string                     a script to be made first
---@field seen fun(skill: Skill, seen: { call?: table, judged?: table, why?: string })   judged: findings, snapshot,
---  failed (looks that were not made)

--- Looks a second time, on purpose.
---@param skill Skill
---@param history History
---@param wanted SecondLook
---@return table provider   for one run of one operator
function analyst.again(skill, history, wanted)
  return provider(function(self) return again(self, skill, history, wanted) end)
end

---@param skills Skill[]
---@return table provider   for one run of the coordinator
function analyst.coordinator(skills)
  return provider(function(self) return coordinate(self, skills) end)
end

return analyst
