--- A conversation as one client may be sent it. What a reply's blocks look like is its maker's own
--- business, and thinking in them is signed: they go back to the client that made them and to no
--- other. Another one is told the same turn in our words, with names and ids that each will take.

local crypto = require "host.crypto"

local retold = {}

local LONGEST_ID, LONGEST_NAME = 40, 64

local function id_of(id)
  if id:find "^[%w_-]+$" and #id <= LONGEST_ID then return id end
  return "call_" .. crypto.sha256(id):sub(1, 24)
end

local function name_of(name)
  name = name:gsub("[^%w_-]", "_"):sub(1, LONGEST_NAME)
  return name ~= "" and name or "unnamed"
end

local function by_another(message)
  local calls = {}
  for i, call in ipairs(message.calls or {}) do
    calls[i] = { id = id_of(call.id), name = name_of(call.name), args = call.args, bad_args = call.bad_args }
  end
  return { role = "assistant", text = message.text, calls = calls }
end

local function with_ids(message)
  local results = {}
  for i, result in ipairs(message.results) do
    results[i] = { id = id_of(result.id), name = name_of(result.name or ""), ok = result.ok, text = result.text,
      data = result.data }
  end
  return { role = "tool", results = results }
end

--- The messages for one client.
---@param messages table[]
---@param client string   its name, as it stands in `raw.by`
---@return table[]
function retold.messages(messages, client)
  local out, foreign = {}, false -- results answer the message before them
  for i, message in ipairs(messages) do
    if message.role == "assistant" then
      foreign = not message.raw or message.raw.by ~= client
      out[i] = foreign and by_another(message)
        or { role = "assistant", text = message.text, calls = message.calls, raw = message.raw.blocks }
    else
      out[i] = foreign and message.role == "tool" and with_ids(message) or message
    end
  end
  return out
end

--- Marks what a client made.
---@param raw any
---@param client string
---@return table?
function retold.marked(raw, client) return raw ~= nil and { by = client, blocks = raw } or nil end

return retold
