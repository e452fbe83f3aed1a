--- A runbook: what its owner lets the program do by itself when a finding stands, written as a table of
--- data in the `runbooks` folder of the settings. It is loaded like a skill of the user's, confined.
--- What becomes of it is runtime/autonomy.lua's.

local action_entry = require "runtime.action_entry"
local crypto = require "host.crypto"
local failure = require "runtime.failure"
local files = require "runtime.files"
local gravity = require "runtime.gravity"
local ours = require "host.files"
local stand_in = require "runtime.stand_in"
local uv = require "luv"

local runbook = {}

---@class Runbook
---@field name string             as its file
---@field title string            one line for people
---@field when { mechanism: string, severity?: "warning"|"critical", object?: string }   a finding of this mechanism,
---  as grave as this at least, of this very object
---@field allows string[]         the actions that it may do
---@field steps RunbookStep[]|fun(finding: Finding, look: fun(callback: string, ...): any, string?): RunbookStep[]
---  look: runs a callback of the run's skills, as the gate permits
---@field limits? { per_hour?: integer, per_run?: integer }   of all that runbooks do; of its own steps in one run
---@field version string          set here: twelve characters that change with its text

---@class RunbookStep
---@field action string
---@field arguments table<string, any>
---@field why string

local PER_RUN = 5

local function broken(file, why)
  return failure.new("runbook", ("%s: %s"):format(file, why), "correct it, or take it out of autonomy.runbooks", 2)
end

local function whole(v, least) return type(v) == "number" and v % 1 == 0 and v >= least end

local function limits_fault(limits)
  if limits == nil then return end
  if type(limits) ~= "table" then return "limits must be a table" end
  for name, value in pairs(limits) do
    if name ~= "per_hour" and name ~= "per_run" then return ("limits knows no %s"):format(name) end
    if not whole(value, 0) then return ("limits.%s must be a whole number"):format(name) end
  end
end

local function when_fault(when)
  if type(when) ~= "table" or type(when.mechanism) ~= "string" then return "when.mechanism must be a word" end
  if when.severity ~= nil and not gravity.grave[when.severity] then
    return "when.severity must be warning or critical"
  end
  if when.object ~= nil and type(when.object) ~= "string" then return "when.object must be a text" end
end

local function allows_fault(allows)
  if type(allows) ~= "table" or #allows == 0 then return "allows must list actions, one at least" end
  for _, name in ipairs(allows) do
    local entry, err = action_entry.find(tostring(name))
    if not entry then return "allows: " .. tostring(err) end
    if entry.answers then return "allows: no runbook runs another" end
    if entry.undo_only then return ("allows: %s only undoes what another action did"):format(name) end
  end
end

local function fault(r, name)
  if type(r) ~= "table" then return "must return a table" end
  if r.name ~= name then return ("name must be %s, as its file"):format(name) end
  if type(r.title) ~= "string" then return "title must be a text" end
  if type(r.steps) ~= "table" and type(r.steps) ~= "function" then return "steps must be a list or a function" end
  return when_fault(r.when) or allows_fault(r.allows) or limits_fault(r.limits)
end

local function missing(name, path)
  local there = files.list("runbooks", ".lua")
  for _, ours_is in ipairs(ours.embedded "examples/runbooks/") do
    there[#there + 1] = ours_is:match "([^/]+)%.lua$"
  end
  local near = failure.nearest(name, there)
  local next_step = near and ("did you mean %s?"):format(near) or "write it, or take it out of autonomy.runbooks"
  if ours.read(("examples/runbooks/%s.lua"):format(name)) then
    next_step = ("read it, then copy it there: `beamlens-run init runbooks/%s.lua`"):format(name)
  end
  return failure.new("runbook", ("there is no runbook %s (%s)"):format(name, path), next_step, 2)
end

--- A runbook of the owner's. Ours are examples: they do nothing where they lie.
---@param name string
---@return Runbook?
---@return Failure? err
function runbook.open(name)
  local path = ("%s/runbooks/%s.lua"):format(files.config_home(), name)
  if not name:match "^%l[%w_]*$" then return nil, broken(name, "a runbook's name is of small letters, digits and _") end
  if not uv.fs_stat(path) then return nil, missing(name, path) end
  local text, err = files.read_users(path, "runbook")
  if not text then return nil, err end
  local r
  r, err = stand_in.load(text, path)
  if err then return nil, failure.new("runbook", err.message, "correct that line", 2) end
  local why = fault(r, name)
  if why then return nil, broken(path, why) end
  r.version, r.file = crypto.sha256(text):sub(1, 12), path
  return r
end

local function step_fault(step)
  if type(step) ~= "table" or type(step.action) ~= "string" then return "wants an action" end
  if type(step.arguments) ~= "table" then return "wants arguments, a table with names" end
  if type(step.why) ~= "string" then return "wants a why" end
end

--- What it would do about a finding.
---@param r Runbook
---@param finding Finding
---@param look fun(callback: string, ...): any, string?
---@return RunbookStep[]?
---@return Failure? err
function runbook.steps(r, finding, look)
  local steps = r.steps
  if type(steps) == "function" then
    local ok, answer, why = pcall(steps, finding, look)
    if not ok then
      local err = failure.of(answer, "runbook", 2)
      err.next = "correct it, or take it out of autonomy.runbooks"
      return nil, err
    end
    if answer == nil and why then return nil, broken(r.file, tostring(why)) end
    steps = answer or {}
  end
  if type(steps) ~= "table" then return nil, broken(r.file, "steps must make a list") end
  local most = r.limits and r.limits.per_run or PER_RUN
  local kept = {}
  for i, step in ipairs(steps) do
    local why = step_fault(step)
    if why then return nil, broken(r.file, ("step %d %s"):format(i, why)) end
    if i <= most then kept[i] = step end
  end
  return kept
end

return runbook
