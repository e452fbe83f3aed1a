--- What the checks of one skill find on a cassette, asked straight: no operator, no jail, nothing waited for. It tells
--- in milliseconds which number is worth a replay of the whole run (runtime/lessons/trial.lua); that has the last word.

local clues = require "runtime.llm.clues"
local gravity = require "runtime.gravity"
local recorded = require "runtime.node.recorded"
local rounds = require "runtime.llm.rounds"
local skill = require "runtime.skill"

local straight = {}

-- The same answers, at once.
local function hurried(tape)
  local entries = {}
  for i, entry in ipairs(tape.entries) do entries[i] = setmetatable({ took = 0 }, { __index = entry }) end
  local node = recorded.replaying { head = tape.head, entries = entries, last = tape.last }
  node.sleep = function() return true end
  return node
end

local function look(s, node, wanted)
  local value, err = skill.call(s, wanted.call[1], { unpack(wanted.call, 2) }, node)
  if value == nil then return wanted:answer { ok = false, text = tostring(err) } end
  wanted:answer { ok = true, data = { observation = "o", result = value } }
end

--- Inside a task.
---@param tape table     from cassette.read
---@param name string    of the skill
---@return { verdict: string, found: table<string, table>, unanswered: integer }?   as a Trial has them
---@return any err
function straight.run(tape, name)
  local s, err = skill.open(name)
  if not s then return nil, err end
  local node, found = hurried(tape), {}
  local snapshot, why = skill.snapshot(s, node)
  if not snapshot then return nil, why end
  local all = rounds.new(s.checks or {}, snapshot, skill.history(s, node))
  for round in all:each() do
    for _, wanted in ipairs(round:open()) do look(s, node, wanted) end
  end
  for _, finding in ipairs(clues.settle(all:findings())) do
    local key = ("%s: %s"):format(finding.object, finding.mechanism)
    if gravity.grave[finding.severity] and finding.mechanism ~= "other" then found[key] = finding end
  end
  return { verdict = next(found) and "sick" or #all.failed > 0 and "cannot_tell" or "healthy", found = found,
    unanswered = node.unanswered }
end

return straight
