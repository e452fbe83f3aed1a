--- How a coordinator works, as a module of Lua. Ours are in runtime/strategy; `--strategy ./mine.lua` names one of the
--- user's, as does the name of one in the folder `strategies` of their settings, where a copy of ours wins over it
--- (`beamlens-run init strategies/pipeline.lua`). Theirs runs confined like a skill. A strategy is a table:
---
---   return {
---     name = "mine",
---     prompts = { "synthesize" },              -- those that it uses: a broken one is told before the run
---     also = { "tracer" },                     -- skills that run.look may use beside the run's own
---     run = function(run)
---       run.invoke(run.skills, "…")            -- names of skills -> { started, running, unknown }
---       run.wait(60)                           -- until all have ended, 60 s at most -> their statuses
---       if #run.notifications() == 0 then return end
---       return run.agent { prompt = "synthesize", without = { "invoke_operators" } }
---     end,
---   }
---
--- What it is handed, plain data and functions that may wait:
---
---   run.skills          the names of the skills, and run.about[name] what each looks at
---   run.reason, run.node, run.left()           what made somebody look, without the words of
---                       others, which stand in the first result; the node's name; seconds until the deadline
---   run.rules_think     true where the analyst is the mind, and there is no model to ask
---   run.invoke(names, context?), run.wait(seconds?), run.statuses(), run.message(skill, text, seconds?)
---   run.notifications() all that was told, with its evidence
---   run.ask { prompt, tool = { name, doc, parameters }, task?, shows? }   one question to the model that is answered
---                       by one call -> its arguments | nil, why; shows: what of the node it is about, a table
---   run.look { callback, args… }   one look, as the gate permits -> { observation, value } | nil, why
---   run.cite(observation, path)    a figure of it as a claim that stands -> claim | nil
---   run.approve { { what, calls, ends? }, … }   shows a plan of looks to the person, and has approved what does more
---                       than read -> each with class, cost, state ("approved", "refused") and why
---   run.report { specialist = … }  a field of the report
---   run.question        what the report is to answer, where somebody asked; then run.route() -> the skills that its
---                       words choose, run.only(names), run.look_for_answer() and, at the end, run.answer()
---   run.agent { prompt, task?, without? = { tools }, after_rules? = true }   the whole loop with the coordinator's
---                       tools -> { ended, text, iterations }; after_rules: with what they found as its first result
---                       A prompt is a name in prompts/ (yours first), with the field `skills`.
---   run.by_rules()      every skill is looked with by its checks, and what they prove is concluded
---   run.look_again()    what others than the rules say, and rules could have seen, is looked for by their checks
---   run.doubt()         the leading cause is doubted by a model, and a second look by the checks decides
---   run.conclude(args)  an insight, as produce_insight -> insight | nil, why
---   run.promote()       makes insights of what stands and names its cause
---   run.emit(event, measurements?, metadata?)  "coordinator.…"
---
--- What it returns is how the run ended: an outcome of run.agent, or nothing. Whatever it does, code decides the
--- verdict by what stands.

local uv = require "luv"
local failure = require "runtime.failure"
local files = require "runtime.files"
local stand_in = require "runtime.stand_in"

local strategy = {}

local OURS = { "hybrid", "agent_loop", "pipeline", "specialist" }
local LONGEST_RUN_S = 86400 + 60 -- the run's own deadline ends it

local function broken(path, why)
  return nil, failure.new("strategy", ("%s: %s"):format(path, why), "see runtime/strategy/init.lua", 2)
end

local function users(path)
  local text, err = files.read_users(path, "strategy")
  if not text then return nil, err end
  local s, fault = stand_in.load(text, path, nil, LONGEST_RUN_S)
  if fault then return nil, failure.new("strategy", fault.message, "correct that line", 2) end
  if type(s) ~= "table" then return broken(path, "returns no table") end
  if type(s.name) ~= "string" or s.name == "" then return broken(path, "name must be a text") end
  if type(s.run) ~= "function" then return broken(path, "run must be a function") end
  for _, field in ipairs { "prompts", "also" } do
    if s[field] ~= nil and type(s[field]) ~= "table" then return broken(path, field .. " must be a list of names") end
    for _, named in ipairs(s[field] or {}) do
      if type(named) ~= "string" then return broken(path, field .. " must be a list of names") end
    end
  end
  return s
end

--- The names of ours, and of those in the user's folder.
---@return string[]
function strategy.names()
  local names, known = { unpack(OURS) }, {}
  for _, name in ipairs(OURS) do known[name] = true end
  for _, name in ipairs(files.list("strategies", ".lua")) do
    if not known[name] then names[#names + 1] = name end
  end
  return names
end

--- Where the user's own of that name lies: a copy of ours, which wins over it, or one that only they have.
---@param name string
---@return string? path   nil where there is none
function strategy.of_user(name)
  local path = name:find "^[%w_]+$" and ("%s/strategies/%s.lua"):format(files.config_home(), name)
  return path and uv.fs_stat(path) and path or nil
end

--- A strategy by its name, or the path of the user's own.
---@param name string
---@return { name: string, run: fun(run: table): table? }?
---@return Failure? err
function strategy.open(name)
  local theirs = strategy.of_user(name)
  if theirs then return users(theirs) end
  for _, known in ipairs(OURS) do
    if known == name then return require("runtime.strategy." .. name) end
  end
  if name:find("/", 1, true) or name:find("%.lua$") then return users(name) end
  local names = strategy.names()
  return nil, failure.new("usage", ("there is no strategy %s"):format(name),
    failure.meant(name, names, ("take %s, or the path of a Lua file"):format(table.concat(names, ", "))), 2)
end

--- How one works when nobody says how: rules that think need no rules before them.
---@param mind Mind
---@return string name
function strategy.usual(mind) return mind.by_rules and "agent_loop" or "hybrid" end

return strategy
