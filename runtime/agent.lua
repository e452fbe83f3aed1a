--- The loop: ask the model, run the tools it called, add the results, again. An operator and the
--- coordinator are this loop with other tools. It knows no skill, no node and no provider by name.
---
--- It ends by itself when a tool that ends it was run or the model answers without a call. Where
--- a limit ends it (steps, time, budget, going round in circles), the model is asked once more
--- without tools, so that every run closes with an answer.

local async = require "runtime.async"
local calls = require "runtime.calls"
local compaction = require "runtime.compaction"

local agent = { iterations = 25 }

---@class AgentOptions
---@field kind "operator"|"coordinator"   the first word of its events
---@field provider table        `ask(self, request) -> reply | nil, err`
---@field system string
---@field task string           the first message
---@field tools Tool[]
---@field state any             handed to every tool
---@field deadline number       absolute; some of it is kept for the last answer
---@field iterations? integer
---@field emit fun(event: string, measurements?: table, metadata?: table)
---@field clean? fun(value: any): any    for whatever the model is shown
---@field count? fun(usage: table)       after each reply
---@field budget? fun(): true?, string?  before each request; nil, why ends the run
---@field refresh? fun(): { system: string, tools: Tool[] }?   before each turn: what holds from now on, if it changed

---@class Outcome
---@field ended "done"|"answer"|"iterations"|"deadline"|"budget"|"provider"|"interrupted"
---@field text? string          the model's last words
---@field err? table            of the provider
---@field iterations integer

-- Of the time that is left when the run starts, this share is kept for the last answer.
local RESERVE, LONGEST_RESERVE = 0.15, 20
-- A model that is told so often in a row that its answer was of no use will not learn it.
local USELESS_TURNS = 4
local REFUSED_REPEATS = 4
local MAX_TOKENS = 4096

local LAST_WORDS = {
  iterations = "This was the last step", deadline = "The time is up", budget = "The budget is spent",
}
local EMPTY = "Your answer was empty. Call a tool; call done when there is no more to do."
local LAST_REQUEST = "%s, and there are no tools any more. Say in a few sentences what you found, with the figures "
  .. "and their observation ids, and what is still open."

local function fatal(message) return { class = "fatal", message = message } end

-- In a task of its own, so that a provider that raises or never answers ends no run.
local function ask(run, tools)
  local request = {
    system = run.system, tools = tools, messages = run.messages, max_tokens = MAX_TOKENS, deadline = run.deadline,
  }
  local started = async.now()
  run.emit("llm.start", { system_time = os.time() * 1e9 }, { provider = run.provider.name })
  local task = async.spawn(run.provider.ask, run.provider, request)
  local ok, reply, err = task:join(run.deadline)
  if not ok then
    local why = tostring(reply):match "^[^\n]*"
    if task.finished then
      reply, err = nil, fatal("the provider failed inside: " .. why)
    else
      task:cancel(why)
      reply, err = nil, { class = "cancelled", message = "no answer from the model in time" }
    end
  end
  local took = { duration = (async.now() - started) * 1e9 }
  if reply == nil then
    run.emit("llm.exception", took, { provider = run.provider.name, reason = tostring(err and err.message or err) })
    return nil, type(err) == "table" and err or fatal(tostring(err))
  end
  run.emit("llm.stop", took, { provider = run.provider.name })
  return reply
end

-- The next message of ours; two in a row become one.
local function tell(run, text)
  local last = run.messages[#run.messages]
  if last.role == "user" then
    run.messages[#run.messages] = { role = "user", text = last.text .. "\n\n" .. text }
  else
    run.messages[#run.messages + 1] = { role = "user", text = text }
  end
end

local function compact(run)
  run.emit("compaction.start", { system_time = os.time() * 1e9 })
  local saved = compaction.run(run.messages)
  run.emit("compaction.stop", { saved_bytes = saved })
  return saved > 0
end

-- A reply in the one form the loop reads, whatever came; nil when there is nothing in it.
local function readable(reply)
  if type(reply) ~= "table" then return nil end
  local text = type(reply.text) == "string" and reply.text or ""
  local list = {}
  for i, call in ipairs(type(reply.calls) == "table" and reply.calls or {}) do
    if type(call) == "table" then
      list[#list + 1] = {
        id = type(call.id) == "string" and call.id or "call_" .. i,
        name = type(call.name) == "string" and call.name or "",
        args = call.args, bad_args = call.bad_args,
      }
    end
  end
  if #list == 0 and not text:match "%S" then return nil end
  return { role = "assistant", text = text, calls = list, raw = reply.raw }
end

local function useless(run, message)
  run.useless = run.useless + 1
  if run.useless >= USELESS_TURNS then
    return "provider", fatal(("the model gave nothing usable %d times in a row"):format(run.useless))
  end
  if message then tell(run, message) end
end

local function failed(run, err)
  run.emit(run.kind .. ".llm_error", nil, { reason = tostring(err.message), class = err.class })
  if async.current().cancelled then return "interrupted" end
  if err.class == "shrink" then
    if compact(run) then return nil end
    return "budget", err
  end
  if async.now() >= run.deadline then return "deadline" end
  return "provider", err
end

-- Why this step has to be the last one.
local function limit(run)
  if run.iterations >= run.most then return "iterations" end
  if async.now() >= run.soft then return "deadline" end
  if run.guard.refused >= REFUSED_REPEATS then
    run.emit(run.kind .. ".loop_stopped", nil, { reason = "the same calls again and again" })
    return "iterations"
  end
  local ok, why = run.budget()
  if not ok then
    run.emit(run.kind .. ".loop_stopped", nil, { reason = why })
    return "budget"
  end
end

local function last_step(run, why)
  tell(run, LAST_REQUEST:format(LAST_WORDS[why]))
  local reply = ask(run, nil)
  if async.current().cancelled then return "interrupted" end
  local message = readable(reply)
  if message then
    run.count(reply.usage)
    run.text = message.text
  end
  return why
end

-- What a person edited meanwhile holds from the next turn on; the conversation stays.
local function renew(run)
  local now = run.refresh()
  if not now then return end
  run.system, run.specs, run.tools = now.system, calls.specs(now.tools), calls.by_name(now.tools)
end

local function turn(run)
  if async.current().cancelled then return "interrupted" end
  if async.now() >= run.deadline then return "deadline" end
  run.iterations = run.iterations + 1
  run.emit(run.kind .. ".iteration_start", { iteration = run.iterations })
  renew(run)
  local why = limit(run)
  if why then return last_step(run, why) end

  local reply, err = ask(run, run.specs)
  if not reply then return failed(run, err) end
  if type(reply) ~= "table" then return useless(run, EMPTY) end
  run.count(reply.usage)
  local message = readable(reply)
  if reply.stop == "refused" then return failed(run, fatal "the model refused to go on") end
  if reply.stop == "context_full" then
    return failed(run, { class = "shrink", message = "the conversation is longer than the model can read" })
  end
  if not message then return useless(run, EMPTY) end

  run.messages[#run.messages + 1] = message
  if reply.stop == "pause" then return nil end
  if #message.calls == 0 then
    if reply.stop == "length" then return useless(run, "Your answer was cut for its length. Be short: call a tool.") end
    run.text = message.text
    return "answer"
  end
  local results, ended, fit = calls.run(run, message.calls)
  run.messages[#run.messages + 1] = { role = "tool", results = results }
  if async.current().cancelled then return "interrupted" end
  if ended then
    run.text = message.text
    return "done"
  end
  if fit == 0 then return useless(run) end
  run.useless = 0
  local usage = reply.usage or {}
  if (usage.input or 0) + (usage.cache_read or 0) + (usage.cache_write or 0) > compaction.tokens then compact(run) end
end

local function same(value) return value end
local function nothing() end
local function yes() return true end

--- Runs until it ends by itself or something ends it. Always returns.
---@param opts AgentOptions
---@return Outcome
function agent.run(opts)
  local now = async.now()
  local run = {
    kind = opts.kind, provider = opts.provider, system = opts.system, state = opts.state, emit = opts.emit,
    messages = { { role = "user", text = opts.task } }, deadline = opts.deadline,
    soft = opts.deadline - math.min(LONGEST_RESERVE, RESERVE * (opts.deadline - now)),
    most = opts.iterations or agent.iterations, iterations = 0, useless = 0,
    clean = opts.clean or same, count = opts.count or nothing, budget = opts.budget or yes,
    refresh = opts.refresh or nothing,
    specs = calls.specs(opts.tools), tools = calls.by_name(opts.tools), guard = calls.guard(),
  }
  local ended, err
  repeat ended, err = turn(run) until ended
  if ended ~= "done" and ended ~= "answer" then
    run.emit(run.kind .. ".loop_stopped", { iterations = run.iterations },
      { reason = ended, error = err and tostring(err.message) })
  end
  return { ended = ended, text = run.text, err = err, iterations = run.iterations }
end

return agent
