--- One question to the model about what was seen on the node, answered by one call. What was seen stands in the result
--- of a tool, marked as what the node says is; so a question with nothing of the node's in it needs none of this.

local agent = require "runtime.agent"
local json = require "runtime.json"
local shapes = require("runtime.tools.operator").shapes

local consult = {}

local TURNS = 4 -- three answers, of which two did not fit; the last turn has no tools

---@param case Case
---@param emit fun(event: string, measurements?: table, metadata?: table)
---@param o { system: string, task: string, shows: table, tool: { name: string, doc?: string, parameters: table },
---  check?: fun(args: table): any, string? }   shows: what was seen; check: nil and why sends the model back
---@return table? args
---@return string? why
function consult.ask(case, emit, o)
  local got
  local facts = { name = "get_facts", doc = "What was seen on the node.", parameters = shapes.object {},
    repeatable = true, from_node = true, run = function() return json.object(o.shows) end }
  local tool = { name = o.tool.name, doc = o.tool.doc or "", parameters = o.tool.parameters, ends = true,
    run = function(_, args)
      if o.check then
        local ok, why = o.check(args)
        if not ok then return nil, why end
      end
      got = args
      return json.object {}
    end }
  local outcome = agent.run {
    kind = "coordinator", provider = case.mind.coordinator(case.skills), system = o.system, task = o.task,
    tools = { facts, tool }, first = { { id = "first", name = facts.name, args = {} } }, state = {},
    deadline = case.deadline, iterations = TURNS, emit = emit, clean = case.clean, purse = case.spending:purse(),
    led = true,
  }
  if got then return got end
  return nil, outcome.err and tostring(outcome.err.message or outcome.err) or "the model gave no answer"
end

return consult
