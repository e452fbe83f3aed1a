--- What the functions of a strategy take, and a sentence for whoever hands them something else: a slip in a
--- strategy's file must be told as one, by the name that its author knows.

local arguments = require "runtime.arguments"
local shapes = require("runtime.tools.operator").shapes

local taken = {}

local text, list, object = shapes.text, shapes.list, shapes.object
local SECONDS, ANYTHING = { type = "number", minimum = 0 }, { type = "object" }

-- In the order of the parameters.
local CALLS = {
  invoke = { { "skills", list(text()), true }, { "context", text() } },
  wait = { { "seconds", SECONDS } },
  only = { { "skills", list(text()), true } },
  cite = { { "observation", text(), true }, { "path", text(), true } },
  message = { { "skill", text(), true }, { "text", text(), true }, { "seconds", SECONDS } },
  emit = { { "event", text(), true }, { "measurements", ANYTHING }, { "metadata", ANYTHING } },
}

-- One table with fields.
local TABLES = {
  ask = object({ prompt = text(), task = text(), shows = ANYTHING,
    tool = object({ name = text(), doc = text(), parameters = ANYTHING }, { "name", "parameters" }),
  }, { "prompt", "tool" }),
  agent = object({ prompt = text(), task = text(), without = list(text()), after_rules = { type = "boolean" } },
    { "prompt" }),
}

local function slip(name, why) error(("run.%s: %s"):format(name, why), 0) end

--- The parameters of a call as they were meant.
---@param name string
---@return any ...
function taken.call(name, ...)
  local properties, required, given = {}, {}, {}
  for i, parameter in ipairs(CALLS[name]) do
    local called, schema, must = unpack(parameter)
    properties[called], given[called] = schema, (select(i, ...))
    if must then required[#required + 1] = called end
  end
  local checked, why = arguments.check(object(properties, required), given)
  if not checked then slip(name, why) end
  local out = {}
  for i, parameter in ipairs(CALLS[name]) do out[i] = checked[parameter[1]] end
  return unpack(out, 1, #CALLS[name])
end

--- The fields of the one table that a call takes.
---@param name string
---@param given any
---@return table
function taken.table(name, given)
  local checked, why = arguments.check(TABLES[name], given)
  if not checked then slip(name, why) end
  if checked.tool and checked.tool.parameters.type ~= "object" then
    slip(name, 'tool.parameters is a JSON schema: { type = "object", properties = … }')
  end
  return checked
end

--- A look: a list of the callback's name and its arguments.
---@param call any
---@param where? string
---@return any[]
function taken.look(call, where)
  where = where or "look"
  if type(call) ~= "table" or type(call[1]) ~= "string" then
    slip(where, 'takes a callback and its arguments: { "beam_top_processes", 5, "memory" }')
  end
  for i = 2, table.maxn(call) do
    local kind = type(call[i])
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
      slip(where, ("argument %d of %s is a %s"):format(i - 1, call[1], kind))
    end
  end
  return call
end

--- The steps of a plan.
---@param steps any
---@return table[]
function taken.steps(steps)
  local checked, why = arguments.check(object({ steps = list(object({ what = text(), ends = text(),
    calls = list(list { type = { "string", "number", "boolean" } }) }, { "what", "calls" })) }, { "steps" }),
    { steps = steps })
  if not checked then slip("approve", why) end
  for _, step in ipairs(checked.steps) do
    for _, call in ipairs(step.calls) do taken.look(call, "approve") end
  end
  return checked.steps
end

local ENDS = { done = true, answer = true, iterations = true, deadline = true, budget = true, provider = true,
  interrupted = true, crashed = true }

--- How a strategy says that it ended. Who says nothing is done.
---@param outcome any
---@return { ended: string, text?: string, why?: string, iterations?: integer }   text: its last words
function taken.outcome(outcome)
  if type(outcome) ~= "table" or outcome.ended == nil then return { ended = "done" } end
  local ended = outcome.ended
  if not ENDS[ended] then
    return { ended = "crashed", why = ("it returned ended = %s; take \"done\", or what run.agent returned"):format(
      type(ended) == "string" and ('"%s"'):format(ended) or "a " .. type(ended)) }
  end
  return { ended = ended, text = type(outcome.text) == "string" and outcome.text or nil,
    why = type(outcome.why) == "string" and outcome.why or nil,
    iterations = type(outcome.iterations) == "number" and outcome.iterations or nil }
end

return taken
