--- The tool calls of one turn. They are independent, for each was made without seeing another's
--- result, so they run in parallel, each with its own deadline; their results come back in the
--- order of the calls. Whatever is wrong with a call is its result, in words for the model.

local arguments = require "runtime.arguments"
local async = require "runtime.async"
local cut = require "runtime.cut"
local failure = require "runtime.failure"
local json = require "runtime.json"
local loop_guard = require "runtime.loop_guard"

---@class Tool
---@field name string
---@field doc string
---@field parameters table       JSON schema of an object
---@field takes? table           the same with what only our own rules say: it is taken, and shown to no model
---@field run fun(state: any, args: table, context: { deadline: number }): any, string?   data, or nil and why
---@field repeatable? boolean    the same call again may bring something new
---@field waits? boolean         time passes by it: whoever does it between two looks does not go in circles
---@field ends? boolean          the run ends when it succeeds
---@field seconds? number        its deadline, 60 if left out
---@field from_node? boolean     its answers and errors may quote the node
---@field narrow? fun(state: any, data: any): string?   what to ask for less with, where an answer was cut
---@field paces? fun(args: table): boolean   whether a new stretch begins after it: steps and repeats count anew
---@field also? string           another name that it is understood by
---@field says? string           the argument that is said, and nothing done

local calls = {}

local SECONDS = 60
local BYTES, BYTES_OF_TURN = 16 * 1024, 64 * 1024 -- of one answer; of all in one turn
local MOST = 16

---@param tools Tool[]
---@return table[]   as a provider is given them
function calls.specs(tools)
  local specs = {}
  for i, tool in ipairs(tools) do
    specs[i] = { name = tool.name, description = tool.doc, parameters = tool.parameters }
  end
  return specs
end

---@param tools Tool[]
function calls.by_name(tools)
  local by_name = {}
  for _, tool in ipairs(tools) do
    by_name[tool.name] = tool
    if tool.also then by_name[tool.also] = tool end
  end
  return by_name
end

calls.guard = loop_guard.new

local function names_of(tools)
  local names = {}
  for name, tool in pairs(tools) do names[#names + 1] = tool.name == name and name or nil end
  table.sort(names)
  return names
end

local function unknown(run, name)
  local names = names_of(run.tools)
  local near = failure.nearest(name, names)
  return ("there is no tool %q%s; the tools are %s"):format(name, near and (", did you mean " .. near) or "",
    table.concat(names, ", "))
end

-- A call that fits its schema; else nil and what is wrong with it.
local function fitting(run, call)
  local tool = run.tools[call.name]
  if not tool then return nil, unknown(run, call.name) end
  if call.too_long then return nil, ("the arguments of %s are %s; say it shorter"):format(call.name, call.too_long) end
  if call.cut_off then
    return nil, ("your answer was cut for its length in this call, so %s was not run; say it shorter"):format(call.name)
  end
  if call.bad_args then
    return nil, ("the arguments of %s are no JSON object: %s"):format(call.name, tostring(call.bad_args):sub(1, 200))
  end
  if type(call.args) ~= "table" then return nil, ("%s needs its arguments as a JSON object"):format(call.name) end
  local args, why = arguments.check(tool.takes or tool.parameters, call.args)
  if not args then return nil, ("%s: %s"):format(call.name, why) end
  return tool, args
end

local REPEATED = "you made this very call before and its answer stands above; a third time it is refused"
local REFUSED = "this very call was made twice already; use its answers, or ask something else"

-- How often this very call was made: told the second time, refused from the third on.
local function repeats(run, tool, args)
  if tool.repeatable then return 1 end
  local key = tool.name .. json.encode(args)
  local seen = (run.guard.seen[key] or 0) + 1
  run.guard.seen[key] = seen
  if seen > 2 then run.guard.refused = run.guard.refused + 1 end
  return seen
end

local function bad(run, call, why, tool)
  local shown = run.clean { error = why }
  if tool and tool.from_node then shown.trust = "node" end
  return { id = call.id, name = call.name, ok = false, shown = shown }
end

-- The answer as the model reads it. `data` stays as it is, for who reads figures and not text.
local function good(run, call, tool, data, note)
  local shown = run.clean(json.decode(json.encode(data)))
  if type(shown) ~= "table" or #shown > 0 then shown = { answer = shown } end
  json.object(shown)
  if tool.from_node then shown.trust = "node" end
  shown.note = note or shown.note
  return { id = call.id, name = call.name, ok = true, shown = shown, data = data,
    narrow = tool.narrow and tool.narrow(run.state, data) }
end

-- The results as they go to the model: the very first with what made somebody look, the last with what somebody
-- asks meanwhile. Both may quote the node.
local function written(run, results, ended)
  if run.alert and results[1] then
    local shown = results[1].shown
    shown.alert, shown.trust, run.alert = run.clean(run.alert), "node", nil
  end
  local question = not ended and results[1] and run.inbox and run.inbox:take()
  if question then
    local shown = results[#results].shown
    shown.message, shown.trust = run.clean(question), "node"
  end
  local room = math.min(BYTES, math.floor(BYTES_OF_TURN / math.min(#results, MOST)))
  for _, result in ipairs(results) do
    result.text, result.shown, result.narrow = cut.text(result.shown, room, result.narrow), nil, nil
  end
  return results
end

local function start(run, call, tool, args)
  local deadline = math.min(async.now() + (tool.seconds or SECONDS), run.soft)
  run.emit("tool.start", { system_time = os.time() * 1e9 }, { tool = tool.name })
  return { call = call, tool = tool, args = args, started = async.now(), deadline = deadline,
    task = async.spawn(tool.run, run.state, args, { deadline = deadline }) }
end

-- Joining a task is the pcall around a tool: a bug in one must not end the run it serves.
local function finish(run, going)
  local ok, data, err = going.task:join(going.deadline)
  local tool, why = going.tool, nil
  if not ok then
    local text = tostring(data):match "^[^\n]*"
    if going.task.finished then
      why = ("%s failed inside, which is no fault of your call: %s"):format(tool.name, text)
    else
      going.task:cancel(text)
      why = text == "timeout"
        and ("%s had no answer after %.0f s; ask for less"):format(tool.name, async.now() - going.started)
        or ("%s was stopped: %s"):format(tool.name, text)
    end
  elseif data == nil then
    why = tostring(err or (tool.name .. " had no answer"))
  end
  local took = { duration = (async.now() - going.started) * 1e9 }
  if why then
    run.emit("tool.exception", took, { tool = tool.name, reason = why })
    return bad(run, going.call, why, tool)
  end
  run.emit("tool.stop", took, { tool = tool.name })
  return good(run, going.call, tool, data, going.note), tool.ends
end

--- Whether what the model does goes in circles.
---@param run table       of agent.lua
---@param list table[]    the calls of one answer
---@param results table[]
---@return string? told   what to say to the model, the first time
function calls.circling(run, list, results)
  if run.provider.fixed then return nil end -- what goes by rules comes to an end
  return run.guard:after(list, results, function(call, result)
    local tool, key = run.tools[call.name], call.name .. json.encode(call.args or call.bad_args or json.null)
    if tool and tool.waits and not result then return run.iterations .. key end
    return tool and tool.repeatable and result and key .. result.text or key
  end)
end

--- Runs the calls of one answer.
---@param run table       of agent.lua
---@param list table[]    { id, name, args | bad_args }
---@return table[] results
---@return boolean? ended   a tool that ends the run succeeded
---@return integer fit      how many of the calls were well formed
function calls.run(run, list)
  local results, going, fit, ended = {}, {}, 0, nil
  for i, call in ipairs(list) do
    local tool, args, seen
    if i <= MOST then tool, args = fitting(run, call) end -- of the others nothing is made, so nothing counts
    if tool then seen = repeats(run, tool, args) end
    if i > MOST then
      results[i] = bad(run, call, ("at most %d calls in one answer"):format(MOST))
    elseif not tool then
      run.emit(run.kind .. ".invalid_intent", nil, { tool = call.name, reason = args })
      results[i] = bad(run, call, args)
    elseif seen > 2 then
      fit = fit + 1
      results[i] = bad(run, call, REFUSED)
    else
      fit = fit + 1
      going[i] = start(run, call, tool, args)
      going[i].note = seen == 2 and REPEATED or nil
    end
  end
  for i = 1, #list do
    if going[i] then
      local ends
      results[i], ends = finish(run, going[i])
      ended = ended or ends
      local tool = going[i].tool
      if results[i].ok and tool.paces and tool.paces(going[i].args) then run.steps, run.guard = 0, calls.guard() end
    end
  end
  return written(run, results, ended), ended, fit
end

return calls
