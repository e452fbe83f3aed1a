--- One request to a model and its reply in the one form that the loop reads, whatever came back:
--- the provider may raise, never answer, or send what is no reply at all, and none of it ends a run.

local async = require "runtime.async"
local json = require "runtime.json"
local utf8 = require "runtime.utf8"

local asking = {}

-- Where it was not enough there is four times the room from then on: of newer models thoughts count too, and a server
-- with a small context takes no more than it needs.
local MAX_TOKENS, MOST_TOKENS = 4096, 16384
-- A reply of MAX_TOKENS is far below; what is above would be sent again with every turn.
local LONGEST_TEXT, LONGEST_ARGS = 64 * 1024, 256 * 1024
local MOST_CALLS = 64

--- A fault of the provider's that no other try mends.
---@param message string
---@return table
function asking.fatal(message) return { class = "fatal", message = message } end

local function joined(run, task)
  local ok, reply, err = task:join(run.deadline)
  if ok then return reply, err end
  local why = tostring(reply):match "^[^\n]*"
  if task.finished then return nil, asking.fatal("the provider failed inside: " .. why) end
  task:cancel(why)
  return nil, { class = "cancelled", message = async.current().cancelled and "interrupted before the model answered"
    or "no answer from the model in time" }
end

--- Asks, in a task of its own. `tools` left out: the last step, which may call none.
---@param run table       of agent.lua; what a request takes is settled with its purse
---@param tools? table[]  as a provider is given them
---@return table? reply
---@return table? err     { class, message }
function asking.ask(run, tools)
  local started = async.now()
  local who = { provider = run.provider.name, model = run.provider.model }
  run.purse:begin()
  run.emit("llm.start", { system_time = os.time() * 1e9 }, { provider = who.provider, model = who.model })
  local reply, err = joined(run, async.spawn(run.provider.ask, run.provider, {
    system = run.system, tools = tools, messages = run.messages, max_tokens = run.room or MAX_TOKENS,
    deadline = run.deadline,
    emit = run.emit, -- what happens on the way is of this run
  }))
  local took = { duration = (async.now() - started) * 1e9 }
  if reply == nil then
    run.purse:settle(nil)
    who.reason = tostring(type(err) == "table" and err.message or err)
    run.emit("llm.exception", took, who)
    return nil, type(err) == "table" and err or asking.fatal(tostring(err))
  end
  if type(reply) ~= "table" then reply = {} end
  if reply.stop == "length" then run.room = MOST_TOKENS end
  local usage = {} -- figures, whatever came
  for key, value in pairs(type(reply.usage) == "table" and reply.usage or {}) do
    usage[key] = type(value) == "number" and value or nil
  end
  reply.usage = usage
  run.purse:settle(usage)
  who.provider, who.model = reply.provider or who.provider, reply.model or who.model
  took.input_tokens = (usage.input or 0) + (usage.cache_read or 0) + (usage.cache_write or 0)
  took.output_tokens, took.cost_usd = usage.output or 0, usage.cost_usd
  run.emit("llm.stop", took, who)
  return reply
end

local function call_of(given, i)
  local call = {
    id = type(given.id) == "string" and given.id or "call_" .. i,
    name = type(given.name) == "string" and given.name or "", args = given.args, bad_args = given.bad_args,
  }
  local ok, text = pcall(json.encode, given.args) -- what a provider of somebody else's hands us may hold itself
  local size = math.max(ok and #text or math.huge, #tostring(given.bad_args or ""))
  if size <= LONGEST_ARGS then return call, false end
  call.args, call.bad_args = nil, nil
  call.too_long = ("longer than %d bytes"):format(LONGEST_ARGS)
  return call, true
end

--- The reply as a message of the conversation; nil when there is nothing in it. What is too long
--- to be sent again with every turn is cut, and then goes back in our own words.
---@param reply table
---@return table? message
function asking.readable(reply)
  if type(reply) ~= "table" then return nil end
  local text = type(reply.text) == "string" and reply.text or ""
  local given = type(reply.calls) == "table" and reply.calls or {}
  local list, changed = {}, #text > LONGEST_TEXT or #given > MOST_CALLS
  for i = 1, math.min(#given, MOST_CALLS) do
    if type(given[i]) == "table" then
      local call, cut = call_of(given[i], i)
      list[#list + 1], changed = call, changed or cut
    end
  end
  if #list == 0 and not text:match "%S" then return nil end
  -- A call that was cut off is half of one, even where what there is of it can be read.
  if reply.stop == "length" and list[1] then list[#list].cut_off = true end
  if changed then text = utf8.cut(utf8.well_formed(text), LONGEST_TEXT) end
  return { role = "assistant", text = text, calls = list, raw = not changed and reply.raw or nil }
end

return asking
