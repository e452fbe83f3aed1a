--- What a cassette comes to with other checks: by rules, with texts in the place of files. The same is never tried
--- twice.

local async = require "runtime.async"
local cassette = require "runtime.cassette"
local crypto = require "host.crypto"
local failure = require "runtime.failure"
local files = require "runtime.files"
local gravity = require "runtime.gravity"
local kept = require "runtime.lessons.kept"
local replay = require "runtime.replay"
local sorted_keys = require "runtime.sorted_keys"
local straight = require "runtime.lessons.straight"

local trial = {}

---@class Trial
---@field verdict string
---@field found table<string, table>   "object: mechanism" -> the insight; grave ones
---@field unanswered integer           questions that the recorded run did not ask
---@field observations Observation[]
---@field recorded { verdict: string, found: table<string, table> }   what it came to when it was recorded

---@class Trials
---@field private options table
---@field private known table<string, Trial|{ err: any }>   by what was tried
---@field private tapes table<string, table>
local Trials = {}
Trials.__index = Trials

---@param options table   of the command: own skills by path
---@return Trials
function trial.new(options)
  return setmetatable({ options = { skills = options.skills, provider = "analyst" }, known = {}, tapes = {} },
    Trials)
end

--- What a finding goes by.
---@param cause Cause
---@return string
function trial.key(cause) return ("%s: %s"):format(cause.object, cause.mechanism) end

local function grave(insights)
  local found = {}
  for _, insight in ipairs(insights) do
    if gravity.grave[insight.severity] then found[trial.key(insight.root_cause)] = insight end
  end
  return found
end

local function outcome(done)
  return { verdict = done.report.verdict, found = grave(done.report.insights), unanswered = done.changed.unanswered,
    observations = done.observations, recorded = { verdict = done.was.verdict, found = grave(done.was.insights) } }
end

local function sum_of(path, texts)
  local parts = { path }
  for _, name in ipairs(sorted_keys(texts)) do parts[#parts + 1] = name .. "\n" .. texts[name] end
  return crypto.sha256(table.concat(parts, "\n"))
end

-- With these texts in the place of files, whatever happens; once.
local function tried(self, key, texts, try)
  local known = self.known[key]
  if not known then
    files.trial = texts
    local ok, result, err = pcall(try)
    files.trial = {} -- nobody else reads a trial
    if async.current().cancelled then error(failure.new("interrupted", "interrupted", nil, 130), 0) end
    if not ok then error(result, 0) end
    known = result or { err = err }
    self.known[key] = known
  end
  if known.err then return nil, known.err end
  return known
end

--- The whole run again. Inside a task.
---@param path string                    of a cassette
---@param texts table<string, string>    path of a file of ours -> what it says in this trial
---@return Trial?
---@return Failure? err
function Trials:run(path, texts)
  return tried(self, sum_of(path, texts), texts, function()
    local done, err = replay.run(path, self.options)
    return done and outcome(done), err
  end)
end

--- The checks of one skill alone: found, unanswered and verdict, as of a whole run. Inside a task.
---@param path string
---@param texts table<string, string>
---@param name string   of the skill
---@return Trial?
---@return any err
function Trials:straight(path, texts, name)
  return tried(self, name .. sum_of(path, texts), texts, function()
    self.tapes[path] = self.tapes[path] or assert(cassette.read(path)) -- it was read before, by `run`
    return straight.run(self.tapes[path], name)
  end)
end

--- A run as it would be: the whole of it, or the checks of one skill alone; of one that was not recorded, its findings.
---@param case { path?: string, kept?: KeptFinding[], name: string }
---@param texts table<string, string>
---@param name? string   of the skill
---@return Trial?
---@return any err
function Trials:of(case, texts, name)
  if case.kept then
    return tried(self, (name or "") .. sum_of(case.name, texts), texts, function() return kept.try(case.kept, name) end)
  end
  if name then return self:straight(case.path, texts, name) end
  return self:run(case.path, texts)
end

return trial
