--- What is proposed so far, and what that or one file more would make of the runs: whose troubles are over, and what a
--- run that was right would lose.

local files = require "runtime.files"
local judging = require "runtime.lessons.judging"
local skill_file = require "runtime.skill_file"

local proposal = {}

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

---@class Proposal
---@field cases RecordedCase[]
---@field trials Trials
---@field texts table<string, string>   by path of a file of checks
---@field lessons Lesson[]
---@field refused string[]              what is not proposed, and why
local Proposal = {}
Proposal.__index = Proposal

---@param list RecordedCase[]
---@param trials Trials
---@return Proposal
function proposal.new(list, trials)
  return setmetatable({ cases = list, trials = trials, texts = {}, lessons = {}, refused = {} }, Proposal)
end

--- A path as the user has it, in the folder of the settings.
---@param path string   skills/checks/ets.lua
---@return string
function proposal.shown(path) return (path:gsub("^skills/checks/", "checks/")) end

--- A file as it would be.
---@return string?
function Proposal:text_of(path) return self.texts[path] or (files.read(path)) end

--- What is proposed so far, and one file more.
---@return table<string, string> texts
function Proposal:with(path, text)
  local texts = {}
  for name, other in pairs(self.texts) do texts[name] = other end
  texts[path] = text
  return texts
end

-- A run with what is proposed so far, and as it would be with these texts.
local function both(self, case, texts, name)
  local before, err = self.trials:of(case, self.texts, name)
  if not before then return nil, nil, err end
  return before, self.trials:of(case, texts, name)
end

--- What would be worse in any run.
---@param texts table<string, string>
---@param name? string   by the checks of this skill alone
---@return string?
function Proposal:harm(texts, name)
  for _, case in ipairs(self.cases) do
    local before, after, err
    if case.said then before, after, err = both(self, case, texts, name) end
    local why = after and judging.harm(case, before, after) or case.said and not after and tostring(err)
    if why then return why end
  end
end

--- Those of the troubles that would be over.
---@param troubles table[]
---@param texts table<string, string>
---@param name? string   by the checks of this skill alone
---@return table[]
function Proposal:solved(troubles, texts, name)
  local list = {}
  for _, trouble in ipairs(troubles) do
    local before, after = both(self, trouble.case, texts, name)
    if before and after and judging.solved(trouble, before, after) then list[#list + 1] = trouble end
  end
  return list
end

--- Those of the troubles that what is proposed so far has not ended.
---@param troubles table[]
---@return table[]
function Proposal:left_of(troubles)
  local left = {}
  for _, trouble in ipairs(troubles) do
    local now = self.trials:of(trouble.case, self.texts) or trouble.case.before
    local there = now.found[trouble.key] ~= nil
    if there == (trouble.kind == "false_alarm") then left[#left + 1] = trouble end
  end
  return left
end

--- The files with a check of a trouble's mechanism, of the skills that looked in its run.
---@param trouble table
---@return { path: string, skill: string }[]
function Proposal:files_of(trouble)
  local list = {}
  for _, name in ipairs(trouble.case.skills) do
    for _, path in ipairs(name:find "%.lua$" and {} or skill_file.check_files(name)) do
      if (self:text_of(path) or ""):find(('"%s"'):format(trouble.mechanism), 1, true) then
        list[#list + 1] = { path = path, skill = name }
      end
    end
  end
  return list
end

--- Proposes a file of checks with another text.
---@param path string
---@param text string
---@param lesson Lesson   without its file
function Proposal:add(path, text, lesson)
  self.texts[path] = text
  lesson.file = proposal.shown(path)
  self.lessons[#self.lessons + 1] = lesson
end

--- Proposes nothing for a trouble.
---@param trouble table
---@param why string
function Proposal:refuse(trouble, why)
  self.refused[#self.refused + 1] = ("%s in %s: %s"):format(trouble.key, trouble.case.name, why)
end

--- The runs of troubles as a lesson has them.
---@param troubles table[]
---@param solved boolean
---@return { run: string, key: string, solved: boolean }[]
function proposal.runs_of(troubles, solved)
  local list = {}
  for i, trouble in ipairs(troubles) do
    list[i] = { run = trouble.case.name, key = trouble.key, solved = solved }
  end
  return list
end

return proposal
