--- The loop: ask the model, run the tools it called, add the results, again. An operator and the
--- coordinator are this loop with other tools. It knows no skill, no node and no provider by name.
---
--- It ends by itself when a tool that ends it was run or the model answers without a call. Where
--- a limit ends it (steps, time, budget, going round in circles), the model is asked once more
--- without tools, so that every run closes with an answer. Whoever runs it may have it go on
--- instead (`go_on`): a coordinator for its follow-ups, a continuous operator for ever.

local async = require "runtime.async"
local asking = require "runtime.asking"
local calls = require "runtime.calls"
local compaction = require "runtime.compaction"
local spending = require "runtime.spending"

local agent = { iterations = 25 }

---@class AgentOptions
---@field kind "operator"|"coordinator"   the first word of its events
---@field provider table        `ask(self, request) -> reply | nil, err`
---@field system string
---@field task string           the first message
---@field first? table[]        calls { id, name, args } that are made for it before its first turn: it begins with
---  what it would ask for anyway
---@field alert? string         what others said that made somebody look; it stands in the first result
---@field tools Tool[]
---@field state any             handed to every tool
---@field deadline? number      absolute; some of it is kept for the last answer
---@field turn_seconds? number  instead of a deadline: the run has none, but each turn does
---@field iterations? integer   with `turn_seconds`: of one stretch, between two pauses
---@field emit fun(event: string, measurements?: table, metadata?: table)
---@field clean? fun(value: any): any    for whatever the model is shown
---@field purse? Purse           what it may use of the run's limits, all if left out; when there is no more, it ends
---@field led? true             what was found stands without its words: once its budget is spent it is asked for none
---@field refresh? fun(): { system: string, tools: Tool[] }?   before each turn: what holds from now on, if it changed
---@field ready? fun(): string?, table?   before each turn; waits where there is nothing to ask for, and may end the run
---@field forgot? fun()         what tools answered so far may not stand in the conversation any more
---@field inbox? Inbox          what others ask it while it runs
---@field go_on? fun(ended: string, err: table?): string|true|nil   instead of ending: what to say first, true: nothing

---@class Outcome
---@field ended "done"|"answer"|"iterations"|"deadline"|"budget"|"provider"|"node"|"interrupted"
---@field text? string          the model's last words
---@field err? table            of the provider, or { class = "limit", message }: which one was reached
---@field iterations integer

-- Of the time that is left when the run starts, this share is kept for the last answer.
local RESERVE, LONGEST_RESERVE = 0.15, 20
-- A model that is told so often in a row that its answer was of no use will not learn it.
local USELESS_TURNS = 4
local REFUSED_REPEATS = 4

local LAST_WORDS = {
  iterations = "This was the last step", deadline = "The time is up", budget = "The budget is spent",
}
local EMPTY = "Your answer was empty. Call a tool; where there is no more to do, the one that says so."
local TOO_LONG = "Your answer was cut for its length. Be short: call a tool."
local PASSED_ON = "Your answer was passed on. Go on with your work."
local LAST_REQUEST = "%s, and there are no tools any more. Say in a few sentences what you found, with the figures "
  .. "and their observation ids, and what is still open."

-- The next message of ours; two in a row become one.
local function tell(run, text)
  local last = run.messages[#run.messages]
  if last.role == "user" then
    run.messages[#run.messages] = { role = "user", text = last.text .. "\n\n" .. text }
  else
    run.messages[#run.messages + 1] = { role = "user", text = text }
  end
end

local function compact(run, must)
  run.emit("compaction.start", { system_time = os.time() * 1e9 })
  local started = async.now()
  local saved = compaction.run(run.messages, { fold = run.endless, must = must })
  run.emit("compaction.stop", { saved_bytes = saved, duration = (async.now() - started) * 1e9 })
  if saved > 0 then
    run.guard:forget()
    run.forgot()
  end
  return saved > 0
end

local ANOTHER = "try another --model, or --provider analyst"

local function useless(run, message)
  run.useless = run.useless + 1
  if run.useless >= USELESS_TURNS then
    local err = { class = "useless", message = ("the model gave nothing usable %d times in a row; %s")
      :format(run.useless, ANOTHER) }
    run.emit(run.kind .. ".llm_error", nil, { reason = err.message, class = err.class })
    return "provider", err
  end
  if message then tell(run, message) end
end

local function failed(run, err)
  run.emit(run.kind .. ".llm_error", nil, { reason = tostring(err.message), class = err.class })
  if async.current().cancelled then return "interrupted" end
  if err.class == "shrink" then
    if compact(run, true) then return nil end
    return run.endless and "provider" or "budget", err -- who is to go on, begins anew
  end
  if async.now() >= run.deadline then return "deadline", err end
  return "provider", err
end

-- Why this step has to be the last one, and the limit that it is, with its figure.
local function limit(run)
  if run.steps >= run.most then return "iterations", ("limits.iterations is %d"):format(run.most) end
  if async.now() >= run.soft then return "deadline" end
  local circles = run.guard.refused >= REFUSED_REPEATS and "the same calls again and again" or run.guard.over
  if circles then
    run.emit(run.kind .. ".loop_stopped", nil, { reason = circles })
    return "iterations", circles
  end
  local ok, why = run.purse:may(run.deadline)
  if not ok then
    run.emit(run.kind .. ".loop_stopped", nil, { reason = why })
    return "budget", why
  end
end

-- Nobody pays for words that nobody needs: who has seen nothing yet has none, and what an operator told stands.
local function last_step(run, why, reached)
  local err = reached and { class = "limit", message = reached }
  if why == "budget" and (run.led or run.iterations == 1) then return why, err end
  tell(run, LAST_REQUEST:format(LAST_WORDS[why]))
  local reply = asking.ask(run, nil)
  if async.current().cancelled then return "interrupted" end
  local message = asking.readable(reply)
  if message then run.text = message.text end
  return why, err
end

-- What a person edited meanwhile holds from the next turn on; the conversation stays.
local function renew(run)
  local now = run.refresh()
  if not now then return end
  run.system, run.specs, run.tools = now.system, calls.specs(now.tools), calls.by_name(now.tools)
end

-- Words and no call. They end the run, but where they answer somebody who asked.
local function said(run, reply, message, answered)
  if reply.stop == "length" then return useless(run, TOO_LONG) end
  if answered then return tell(run, PASSED_ON) end
  run.text = message.text
  return "answer"
end

local function too_large(run, usage)
  local input = (usage.input or 0) + (usage.cache_read or 0) + (usage.cache_write or 0)
  return input > compaction.tokens or run.endless and #run.messages > compaction.longest
end

-- What a reply says: its text, else what it says by a tool, as models do that write no text beside their calls.
local function words_of(run, message)
  if message.text:match "%S" then return message.text end
  for _, call in ipairs(message.calls) do
    local tool = run.tools[call.name]
    local words = tool and tool.says and type(call.args) == "table" and call.args[tool.says]
    if type(words) == "string" then return words end
  end
  return ""
end

local function act(run, reply, message)
  local results, ended, fit = calls.run(run, message.calls)
  run.messages[#run.messages + 1] = { role = "tool", results = results }
  if async.current().cancelled then return "interrupted" end
  if ended then
    run.text = message.text
    return "done"
  end
  local circling = calls.circling(run, message.calls, results)
  if circling then tell(run, circling) end
  if fit == 0 then return useless(run) end
  run.useless = 0
  if too_large(run, type(reply.usage) == "table" and reply.usage or {}) then compact(run) end
end

-- What it would ask for anyway: nobody pays for a turn that says so.
local function begin(run, first)
  run.messages[2] = { role = "assistant", text = "", calls = first }
  run.messages[3] = { role = "tool", results = (calls.run(run, first)) }
end

local function turn(run)
  local lost, gone = run.ready()
  if async.current().cancelled then return "interrupted" end
  if lost then return lost, gone end
  if run.endless then run.deadline = async.now() + run.endless end
  if async.now() >= run.deadline then return "deadline" end
  run.iterations, run.steps = run.iterations + 1, run.steps + 1
  run.emit(run.kind .. ".iteration_start", { iteration = run.iterations, system_time = os.time() * 1e9 })
  renew(run)
  local why, reached = limit(run)
  if async.current().cancelled then return "interrupted" end
  if why == "iterations" and run.endless then return why end
  if why then return last_step(run, why, reached) end

  local reply, err = asking.ask(run, run.specs)
  if not reply then return failed(run, err) end
  local message = asking.readable(reply)
  if reply.stop == "refused" then return failed(run, asking.fatal("the model refused to go on; " .. ANOTHER)) end
  if reply.stop == "context_full" then
    return failed(run, { class = "shrink", message = "the conversation is longer than the model can read" })
  end
  if not message then return useless(run, EMPTY) end

  run.messages[#run.messages + 1] = message
  local answered = run.inbox and run.inbox:hears(words_of(run, message))
  if reply.stop == "pause" then return nil end
  if #message.calls == 0 then return said(run, reply, message, answered) end
  return act(run, reply, message)
end

local function same(value) return value end
local function nothing() end

-- After something that would have ended the run.
local function resume(run, ended, err)
  local text = ended ~= "interrupted" and run.go_on(ended, err)
  if async.current().cancelled then return "interrupted" end
  if not text then return ended, err end
  run.useless = 0
  if run.endless then run.steps, run.guard = 0, calls.guard() end
  if text ~= true then tell(run, text) end
end

--- Runs until it ends by itself or something ends it. Always returns.
---@param opts AgentOptions
---@return Outcome
function agent.run(opts)
  local now = async.now()
  local deadline = opts.deadline or math.huge
  local run = {
    kind = opts.kind, provider = opts.provider, system = opts.system, state = opts.state, emit = opts.emit,
    messages = { { role = "user", text = opts.task } }, deadline = deadline, endless = opts.turn_seconds,
    soft = deadline - math.min(LONGEST_RESERVE, RESERVE * (deadline - now)),
    most = opts.iterations or agent.iterations, iterations = 0, steps = 0, useless = 0,
    clean = opts.clean or same, purse = opts.purse or spending.new { limits = {} }:purse(), led = opts.led,
    refresh = opts.refresh or nothing, forgot = opts.forgot or nothing, ready = opts.ready or nothing,
    go_on = opts.go_on or nothing, inbox = opts.inbox, alert = opts.alert,
    specs = calls.specs(opts.tools), tools = calls.by_name(opts.tools), guard = calls.guard(),
  }
  if opts.first then begin(run, opts.first) end
  local ended, err
  repeat
    ended, err = turn(run)
    if ended then ended, err = resume(run, ended, err) end
  until ended
  if ended ~= "done" and ended ~= "answer" then
    run.emit(run.kind .. ".loop_stopped", { iterations = run.iterations },
      { reason = ended, error = err and tostring(err.message) })
  end
  return { ended = ended, text = run.text, err = err, iterations = run.iterations }
end

return agent
