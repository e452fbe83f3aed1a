--- What can be learned from runs that a person gave their word on: other numbers for the limits of checks, and drafts
--- of checks for what nobody found. Each is tried on every recorded run, and what would break a run that was right is
--- no proposal. Nothing is written: a person reads the difference and applies it.

local cases = require "runtime.lessons.cases"
local difference = require "runtime.lessons.difference"
local draft = require "runtime.lessons.draft"
local files = require "runtime.files"
local judging = require "runtime.lessons.judging"
local limits = require "runtime.lessons.limits"
local proposal = require "runtime.lessons.proposal"
local sorted_keys = require "runtime.sorted_keys"
local trial = require "runtime.lessons.trial"

local lessons = {}

-- Whose check it would be.
local function skill_of(p, trouble)
  local file = p:files_of(trouble)[1]
  return file and file.skill or (trouble.case.skills[1]:gsub("%.lua$", ""))
end

local function propose_draft(p, trouble)
  local others = {}
  for _, case in ipairs(p.cases) do
    if case ~= trouble.case and case.said then others[#others + 1] = case.before end
  end
  local seen = draft.sighting(trouble.case.before.observations, trouble.object, others)
  local path, text = draft.write(trouble, trouble.case.name, skill_of(p, trouble), seen)
  if p:text_of(path) then
    return p:refuse(trouble, ("%s is there already and does not find it"):format(proposal.shown(path)))
  end
  local texts = p:with(path, text)
  local why = p:harm(texts)
  if why then return p:refuse(trouble, "a check for it would do, but " .. why) end
  p:add(path, text, { kind = "missed", mechanism = trouble.mechanism,
    runs = proposal.runs_of({ trouble }, #p:solved({ trouble }, texts) > 0),
    seen = seen and { callback = seen.call[1], field = seen.field, value = seen.value, others = seen.others } })
end

-- Troubles of one kind and mechanism, and what ends them: a limit as long as one ends any, then drafts of checks.
local function learn(p, troubles)
  local why
  repeat
    troubles = p:left_of(troubles)
    local proposed = false
    if #troubles > 0 then proposed, why = limits.propose(p, troubles) end
  until not proposed
  for _, trouble in ipairs(troubles) do
    if trouble.kind == "missed" then propose_draft(p, trouble) else p:refuse(trouble, why) end
  end
end

local function grouped(list)
  local groups, by_key = {}, {}
  for _, case in ipairs(list) do
    for _, trouble in ipairs(judging.troubles(case)) do
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
local function replayed(p)
  local list = {}
  for i, case in ipairs(p.cases) do
    local after = p.trials:of(case, p.texts) or case.before
    list[i] = { run = case.run, cassette = case.path, kept = case.kept ~= nil, name = case.name, said = case.said,
      before = { verdict = case.before.verdict, found = sorted_keys(case.before.found) },
      after = { verdict = after.verdict, found = sorted_keys(after.found), unanswered = after.unanswered
        - case.before.unanswered } }
  end
  return list
end

-- All changes in one, and which files have to be copied first.
local function patch_of(texts)
  local parts, copies = {}, {}
  for _, path in ipairs(sorted_keys(texts)) do
    local was, _, ours = files.read(path)
    parts[#parts + 1] = difference.of(proposal.shown(path), was, texts[path])
    if was and ours then copies[#copies + 1] = proposal.shown(path) end
  end
  return table.concat(parts), copies
end

--- Learns what there is to learn. Inside a task.
---@param s Store|false
---@param options table   of the command
---@param tell? fun(text: string)   what is being done
---@return { lessons: Lesson[], refused: string[], replayed: table[], unread: string[], unheard: string[],
---  patch: string, copies: string[] }?
---@return Failure? err
function lessons.learn(s, options, tell)
  local trials = trial.new(options)
  local list, rest = cases.all(s, options, trials)
  if not list then return nil, rest end
  local p = proposal.new(list, trials)
  for _, troubles in ipairs(grouped(list)) do
    if tell then tell(("%s: trying what would have told it apart"):format(troubles[1].key)) end
    learn(p, troubles)
  end
  local patch, copies = patch_of(p.texts)
  return { lessons = p.lessons, refused = p.refused, replayed = replayed(p), unread = rest.unread,
    unheard = rest.unheard, patch = patch, copies = copies }
end

return lessons
