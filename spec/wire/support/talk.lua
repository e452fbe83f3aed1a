--- Conversations as an agent has them with a provider: the real tools, its first turn and the next one.

local async = require "runtime.async"
local calls = require "runtime.calls"
local json = require "runtime.json"

local talk = {}

local SYSTEM = "You look at a running node. Figures first; \"quotes\", Größe, 健康 and \\ stay as they are."
local PATIENCE_S = 30

talk.operator = calls.specs(require("runtime.tools.operator").list)
talk.coordinator = calls.specs(require("runtime.tools.coordinator").list)

--- Asks, inside a task.
---@param provider table
---@param messages table[]|string   a string: the first message alone
---@param more? table   further fields of the request; `tools = false`: none
---@return table|nil reply
---@return ProviderFault? err
function talk.ask_here(provider, messages, more)
  more = more or {}
  if type(messages) == "string" then messages = { { role = "user", text = messages } } end
  local tools = more.tools == nil and talk.operator or more.tools or nil
  return provider:ask { system = SYSTEM, tools = tools, messages = messages, max_tokens = 4096,
    on_text = more.on_text, deadline = async.now() + (more.seconds or PATIENCE_S) }
end

--- The same in a task of its own.
function talk.ask(...)
  local given = { ... }
  return async.run(function() return talk.ask_here(unpack(given, 1, 3)) end)
end

--- A reply as the message that the next request carries.
function talk.said(reply) return { role = "assistant", text = reply.text, calls = reply.calls, raw = reply.raw } end

--- The results of a reply's calls: the first is good, the others failed.
function talk.results(reply)
  local results = {}
  for i, call in ipairs(reply.calls) do
    results[i] = { id = call.id, name = call.name, ok = i == 1, data = {},
      text = i == 1 and json.encode { result = { memory = 123456, name = 'Größe "x"' } } or "no such table" }
  end
  return { role = "tool", results = results }
end

--- What a reply says, without what is the provider's own.
function talk.plain(reply)
  local list = {}
  for i, call in ipairs(reply.calls) do list[i] = { id = call.id, name = call.name, args = call.args } end
  return { text = reply.text, calls = list, stop = reply.stop, usage = reply.usage }
end

return talk
