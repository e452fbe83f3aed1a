--- What can be learned from runs that a person gave their word on: other numbers for the limits of checks, and drafts
--- of checks for what nobody found. Each is tried on every recorded run, and what would break a run that was right is
--- no proposal. Nothing is written: a person reads the difference and applies it.

local cases = require "runtime.lessons.cases"
local difference = require "runtime.lessons.difference"
local draft = require "runtime.lessons.draft"
local files = require "runtime.files"
local knobs = require "runtime.lessons.knobs"
local search = require "runtime.lessons.search"
local skill_file = require "runtime.skill_file"
local sorted_keys = require "runtime.sorted_keys"
local trial = require "runtime.lessons.trial"

local lessons = {}

---@class Lesson              a change that is proposed
---@field file string         below the folder of the settings: checks/beam_mailboxes.lua
---@field kind "false_alarm"|"missed"
---@field mechanism string
---@field runs { run: string, key: string, solved: boolean }[]   what it is for
---@field knob? string        a limit that moves, at `line`, `from` and `to`; none of a new check
---@field solved_at? number
---@field harmed_at? number
---@field harm? string        what would be lost there
---@field figure? { name: string, value: number }   what the limit was compared with
---@field seen? { callback: string, field: string, value: number, others: number }   what a new check goes by

---@class Learner
---@field cases RecordedCase[]
---@field trials Trials
---@field texts table<string, string>   what is proposed so far, by path
---@field lessons Lesson[]
---@field refused string[]
local Learner = {}
Learner.__index = Learner

local function text_of(self, path) return self.texts[path] or (files.read(path)) end

-- What is proposed so far, and one file more.
local function with(self, path, text)
  local texts = {}
  for name, other in pairs(self.texts) do texts[name] = other end
  texts[path] = text
  return texts
end

-- A run as it is with what is proposed so far, and as it would be with these texts: by the checks of one skill, or the
-- whole of it.
local function both(self, case, texts, name)
  local before, err = self.trials:of(case, self.texts, name)
  if not before then return nil, err end
  return before, self.trials:of(case, texts, name)
end

-- What would be worse in any run.
local function harm(self, texts, name)
  for _, case in ipairs(self.cases) do
    local before, after, err
    if case.said then before, after, err = both(self, case, texts, name) end
    local why = after and cases.harm(case, before, after) or case.said and not after and tostring(err or after)
    if why then return why end
  end
end

-- Those of the troubles that are over.
local function solved(self, troubles, texts, name)
  local list = {}
  for _, trouble in ipairs(troubles) do
    local before, after = both(self, trouble.case, texts, name)
    if before and after and cases.solved(trouble, before, after) then list[#list + 1] = trouble end
  end
  return list
end

-- The files with a check of this mechanism, of the skills that looked.
local function files_of(self, troubles)
  local paths, seen = {}, {}
  for _, trouble in ipairs(troubles) do
    for _, name in ipairs(trouble.case.skills) do
      for _, path in ipairs(name:find "%.lua$" and {} or skill_file.check_files(name)) do
        local text = not seen[path] and text_of(self, path)
        seen[path] = true
        if text and text:find(('"%s"'):format(trouble.mechanism), 1, true) then
          paths[#paths + 1] = { path = path, skill = name }
        end
      end
    end
  end
  return paths
end

-- What the checks cited that stands where the limit has to be.
local function figure_of(move, troubles)
  local low, high = math.min(move.knob.value, move.solved_at), math.max(move.knob.value, move.solved_at)
  local best
  for _, trouble in ipairs(troubles) do
    local insight = trouble.case.before.found[trouble.key]
    for _, claim in ipairs(insight and insight.evidence or {}) do
      local value = claim.value
      local between = type(value) == "number" and value >= low and value <= high
      local off = between and math.abs(value - move.solved_at)
      if off and off <= math.max(1, 0.05 * move.solved_at) and (not best or off < best.off) then
        best = { name = claim.path:match "([^%.%[%]\"]+)$" or claim.path, value = value, off = off }
      end
    end
  end
  return best and { name = best.name, value = best.value }
end

local function better(a, b)
  if not b then return true end
  if #a.solves ~= #b.solves then return #a.solves > #b.solves end
  return a.move.change < b.move.change
end

-- One limit one way: the move, and whose troubles it ends; nil, and why where it would at a price. Searched by the
-- checks of its skill, and then proved by the whole run.
local function try(self, troubles, file, knob, up)
  local function changed(value) return with(self, file.path, knobs.set(file.text, knob, value)) end
  local far = search.far(knob, up)
  local targets = far and solved(self, troubles, changed(far), file.skill) or {}
  if #targets == 0 then return nil end
  local function ends(value) return #solved(self, targets, changed(value), file.skill) == #targets end
  local move, why = search.move(knob, up, ends, function(value) return harm(self, changed(value), file.skill) end)
  if not move then return nil, why end
  targets, why = solved(self, targets, changed(move.to)), harm(self, changed(move.to))
  if why then return nil, ("%s = %s would do, but %s"):format(knob.name, knobs.written(move.to), why) end
  return #targets > 0 and { file = file, move = move, solves = targets } or nil
end

-- The least move of one limit that ends most of the troubles.
local function least_move(self, troubles, refusals)
  local best
  for _, file in ipairs(files_of(self, troubles)) do
    file.text = text_of(self, file.path)
    for _, knob in ipairs(knobs.of(file.text)) do
      for _, up in ipairs { true, false } do
        local found, why = try(self, troubles, file, knob, up)
        if found and better(found, best) then best = found end
        if why then refusals[#refusals + 1] = ("%s: %s"):format(lessons.shown(file.path), why) end
      end
    end
  end
  return best
end

local function runs_of(troubles, solved_too)
  local list = {}
  for i, trouble in ipairs(troubles) do
    list[i] = { run = trouble.case.name, key = trouble.key, solved = solved_too }
  end
  return list
end

local function propose_move(self, found, trouble)
  local move, path = found.move, found.file.path
  local function changed(value) return knobs.set(found.file.text, move.knob, value) end
  local price = move.harmed_at and harm(self, with(self, path, changed(move.harmed_at)), found.file.skill)
  self.texts[path] = changed(move.to)
  self.lessons[#self.lessons + 1] = { file = lessons.shown(path), kind = trouble.kind,
    mechanism = trouble.mechanism, runs = runs_of(found.solves, true), knob = move.knob.name, line = move.knob.line,
    from = move.knob.value, to = move.to, solved_at = move.solved_at, harmed_at = move.harmed_at, harm = price or nil,
    figure = figure_of(move, found.solves) }
end

local function refuse(self, trouble, why)
  self.refused[#self.refused + 1] = ("%s in %s: %s"):format(trouble.key, trouble.case.name, why)
end

-- Where a check of this mechanism would be looked for.
local function skill_of(self, trouble)
  for _, name in ipairs(trouble.case.skills) do
    for _, path in ipairs(name:find "%.lua$" and {} or skill_file.check_files(name)) do
      if (text_of(self, path) or ""):find(('"%s"'):format(trouble.mechanism), 1, true) then return name end
    end
  end
  return (trouble.case.skills[1]:gsub("%.lua$", ""))
end

local function propose_draft(self, trouble)
  local others = {}
  for _, case in ipairs(self.cases) do
    if case ~= trouble.case and case.said then others[#others + 1] = case.before end
  end
  local seen = draft.sighting(trouble.case.before.observations, trouble.object, others)
  local path, text = draft.write(trouble, trouble.case.name, skill_of(self, trouble), seen)
  if text_of(self, path) then
    return refuse(self, trouble, ("%s is there already and does not find it"):format(lessons.shown(path)))
  end
  local texts = with(self, path, text)
  local why = harm(self, texts)
  if why then return refuse(self, trouble, "a check for it would do, but " .. why) end
  self.texts[path] = text
  self.lessons[#self.lessons + 1] = { file = lessons.shown(path), kind = "missed", mechanism = trouble.mechanism,
    runs = runs_of({ trouble }, #solved(self, { trouble }, texts) > 0),
    seen = seen and { callback = seen.call[1], field = seen.field, value = seen.value, others = seen.others } }
end

-- Those that what is proposed so far has not ended.
local function left_of(self, troubles)
  local left = {}
  for _, trouble in ipairs(troubles) do
    local now = self.trials:of(trouble.case, self.texts) or trouble.case.before
    local there = now.found[trouble.key] ~= nil
    if there == (trouble.kind == "false_alarm") then left[#left + 1] = trouble end
  end
  return left
end

-- Troubles of one kind and mechanism, and what ends them: a limit as long as one ends any, then drafts of checks.
local learn
function learn(self, troubles)
  troubles = left_of(self, troubles)
  local refusals = {}
  local found = #troubles > 0 and least_move(self, troubles, refusals)
  if found then
    propose_move(self, found, troubles[1])
    return learn(self, troubles)
  end
  for _, trouble in ipairs(troubles) do
    if trouble.kind == "missed" then
      propose_draft(self, trouble)
    else
      refuse(self, trouble, refusals[1] or "no limit of its checks moved tenfold tells it apart")
    end
  end
end

local function grouped(list)
  local groups, by_key = {}, {}
  for _, case in ipairs(list) do
    for _, trouble in ipairs(cases.troubles(case)) do
      local key = trouble.kind .. " " .. trouble.mechanism
      if not by_key[key] then
        by_key[key] = {}
        groups[#groups + 1] = by_key[key]
      end
      trouble.case = case
      table.insert(by_key[key], trouble)
    end
  end
  return groups
end

-- Every recorded run, before and after.
local function replayed(self)
  local list = {}
  for i, case in ipairs(self.cases) do
    local after = self.trials:of(case, self.texts) or case.before
    list[i] = { run = case.run, cassette = case.path, kept = case.kept ~= nil, name = case.name, said = case.said,
      before = { verdict = case.before.verdict, found = sorted_keys(case.before.found) },
      after = { verdict = after.verdict, found = sorted_keys(after.found), unanswered = after.unanswered
        - case.before.unanswered } }
  end
  return list
end

--- A path as the user has it, in the folder of the settings.
---@param path string   skills/checks/ets.lua
---@return string
function lessons.shown(path) return (path:gsub("^skills/checks/", "checks/")) end

-- All changes in one, and which files have to be copied first.
local function patch_of(self)
  local parts, copies = {}, {}
  for _, path in ipairs(sorted_keys(self.texts)) do
    local was, _, ours = files.read(path)
    parts[#parts + 1] = difference.of(lessons.shown(path), was, self.texts[path])
    if was and ours then copies[#copies + 1] = lessons.shown(path) end
  end
  return table.concat(parts), copies
end

--- Learns what there is to learn. Inside a task.
---@param s Store|false
---@param options table   of the command
---@param tell? fun(text: string)   what is being done
---@return { lessons: Lesson[], refused: string[], replayed: table[], unread: string[], unheard: string[],
---  patch: string, copies: string[], trials: integer }?
---@return Failure? err
function lessons.learn(s, options, tell)
  local trials = trial.new(options)
  local list, rest = cases.all(s, options, trials)
  if not list then return nil, rest end
  local self = setmetatable({ cases = list, trials = trials, texts = {}, lessons = {}, refused = {} }, Learner)
  for _, troubles in ipairs(grouped(list)) do
    if tell then tell(("%s: trying what would have told it apart"):format(troubles[1].key)) end
    learn(self, troubles)
  end
  local after = replayed(self)
  local patch, copies = patch_of(self)
  return { lessons = self.lessons, refused = self.refused, replayed = after, unread = rest.unread,
    unheard = rest.unheard, patch = patch, copies = copies, trials = trials.made }
end

return lessons
