--- A mind that is played: replies written down beforehand. For specs, and for trying a tool
--- without a model. A script is a Lua file that returns a list of replies, or a function that
--- makes one of the request, the turn, and who asks.

local failure = require "runtime.failure"
local fault = require "runtime.llm.fault"

local script = {}

local Script = { name = "script" }
Script.__index = Script

-- What a script leaves out is filled in; a reply without calls ends the turn.
local function whole(reply, turn)
  local calls = {}
  for i, call in ipairs(reply.calls or {}) do
    calls[i] = { id = call.id or ("call_%d_%d"):format(turn, i), name = call.name,
      args = call.args or (not call.bad_args and {} or nil), bad_args = call.bad_args }
  end
  return { text = reply.text or "", calls = calls, stop = reply.stop or (#calls > 0 and "calls" or "done"),
    usage = reply.usage or { input = 0, cache_write = 0, cache_read = 0, output = 0 }, raw = reply.raw }
end

---@param request table
---@return table|nil reply
---@return ProviderFault? err
function Script:ask(request)
  self.turn = self.turn + 1
  local reply, err = self.replies, nil
  if type(reply) == "function" then
    reply, err = reply(request, self.turn, self.who)
  else
    reply = reply[self.turn]
  end
  if reply == nil then
    if type(err) == "table" then return nil, fault.new(err.class or "fatal", err.message or "scripted failure", err) end
    return nil, fault.new("fatal", err or ("the script has no reply for turn %d"):format(self.turn))
  end
  if reply.err then return nil, fault.new(reply.err.class or "fatal", reply.err.message or "scripted", reply.err) end
  if request.on_text and reply.text then request.on_text(reply.text) end
  return whole(reply, self.turn)
end

---@param replies table[]|fun(request: table, turn: integer, who: table?): table?, any
---@param who? { agent: "operator"|"coordinator", skill?: string }
---@return table provider
function script.new(replies, who) return setmetatable({ replies = replies, who = who, turn = 0 }, Script) end

--- The replies of a file.
---@param path string?
---@return table|function|nil replies
---@return Failure?
function script.load(path)
  if not path or path == "" then
    return nil, failure.new("provider", "there is no script to play", "set BEAMLENS_SCRIPT to a Lua file of replies", 2)
  end
  local chunk, why = loadfile(path)
  local ok, replies = pcall(chunk or error, not chunk and why or nil)  -- a person's file, like any script
  if not ok then return nil, failure.new("provider", "the script fails: " .. tostring(replies), "mend " .. path, 2) end
  if type(replies) ~= "table" and type(replies) ~= "function" then
    return nil, failure.new("provider", path .. " returns no replies", "let it return a list of them, or a function", 2)
  end
  return replies
end

return script
