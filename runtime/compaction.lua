--- Makes room in a conversation that grew too long; the last messages stay as they are. Old answers of tools
--- become digests, and where a conversation has no end, old turns as a whole become one. A call and its results
--- stay together, for no provider takes one without the other. No model is asked, so nothing is retold wrongly;
--- and it is one big step, since what stands before the last messages is in the provider's cache.

local digest = require "runtime.digest"
local json = require "runtime.json"

local compaction = {
  tokens = 50000,  -- of input, from which on it is worth it
  keep = 5,        -- messages at the end that stay verbatim
  longest = 200,   -- messages of a conversation without an end
}

-- Of all its bytes; below that, a conversation whose last messages are long would lose the provider's cache at every
-- turn, for next to nothing.
local WORTH = 0.2
local NOTES, LOOKS, STATES = 30, 10, 3 -- of a digest of turns
local NOTE = "earlier turns, in short; observations are on record and can still be cited"
-- What says or does something that a later turn has to know.
local TELLS = { send_notification = true, fire_alert = true, produce_insight = true, propose_action = true }

local function decoded(text)
  local value = json.decode(text)
  return type(value) == "table" and value or {}
end

local function calls_of(message) return type(message.calls) == "table" and message.calls or {} end

local function args_of(call) return type(call.args) == "table" and call.args or {} end

-- The claims of a call that stood when they were read again: what fell is no figure.
local function standing(call, answer)
  local fell, claims = {}, {}
  for _, d in ipairs(type(answer.dropped) == "table" and answer.dropped or {}) do
    fell[("%s %s"):format(d.observation, d.path)] = true
  end
  local evidence = args_of(call).evidence
  for _, claim in ipairs(type(evidence) == "table" and evidence or {}) do
    if not fell[("%s %s"):format(claim.observation, claim.path)] then claims[#claims + 1] = claim end
  end
  return claims
end

-- What was cited of each observation.
local function cited_in(messages)
  local cited, calls = {}, {}
  for _, message in ipairs(messages) do
    if message.role == "assistant" then calls = calls_of(message) end
    for i, result in ipairs(message.role == "tool" and message.results or {}) do
      local call = calls[i]
      local claims = call and result.ok and args_of(call).evidence and standing(call, decoded(result.text)) or {}
      for _, claim in ipairs(claims) do
        cited[claim.observation] = cited[claim.observation] or {}
        table.insert(cited[claim.observation], claim)
      end
    end
  end
  return cited
end

local function bytes_of(messages)
  local sum = 0
  for _, message in ipairs(messages) do
    sum = sum + #(message.text or "")
    for _, result in ipairs(message.results or {}) do sum = sum + #result.text end
    for _, call in ipairs(calls_of(message)) do sum = sum + #json.encode(call.args or json.null) end
  end
  return sum
end

local function shorter(message, cited)
  local results = {}
  for i, result in ipairs(message.results) do
    local short = digest.of(result, cited)
    local text = short and json.encode(short)
    if not text or #text >= #result.text then text = result.text end
    results[i] = { id = result.id, name = result.name, ok = result.ok, text = text, data = result.data }
  end
  return { role = "tool", results = results, digest = message.digest }
end

-- The same messages, old answers as digests.
local function shortened(messages)
  local out, cited = {}, cited_in(messages)
  for i, message in ipairs(messages) do
    local old = i <= #messages - compaction.keep and message.role == "tool"
    out[i] = old and shorter(message, cited) or message
  end
  return out
end

local function push(list, item, most)
  list[#list + 1] = item
  if #list > most then table.remove(list, 1) end
end

local function tell(into, note)
  for i, other in ipairs(into.told) do
    if other.id == note.id then table.remove(into.told, i) break end
  end
  push(into.told, note, NOTES)
end

-- Takes one turn, a message of calls and that of their results, into the digest of turns.
local function take(into, calls, message, cited)
  into.turns = into.turns + 1
  for i, result in ipairs(message.results) do
    local args, answer = args_of(calls[i] or {}), result.ok and decoded(result.text) or {}
    if TELLS[result.name] and answer.id then
      local note = digest.note(answer.id, args)
      note.evidence = digest.claims(standing(calls[i] or {}, answer))
      tell(into, note)
    elseif type(answer.notifications) == "table" then
      for _, n in ipairs(answer.notifications) do tell(into, digest.note(n.id, n)) end
    elseif result.name == "set_state" and result.ok then
      push(into.states, { state = args.state, reason = args.reason }, STATES)
    elseif answer.observation or answer.data ~= nil or answer.figures then
      local look = digest.of(result, cited) or answer
      look.shortened, look.trust, look.suspects = nil, nil, nil
      push(into.looks, look, LOOKS)
    end
  end
end

-- The turns before the last messages as one call and its result: as a text of ours it would speak with our voice,
-- and it quotes the node.
local function folded(into)
  return { role = "assistant", text = "", calls = { { id = "earlier_turns", name = "get_notifications", args = {} } } },
    { role = "tool", digest = into, results = { { id = "earlier_turns", name = "get_notifications", ok = true,
      text = json.encode { earlier = NOTE, turns = into.turns, notifications = into.told, states = into.states,
        looks = into.looks, trust = "node" } } } }
end

-- The first of the last messages: never results without their calls.
local function cut_at(messages)
  local first = #messages - compaction.keep + 1
  while first > 2 and messages[first].role == "tool" do first = first - 1 end
  return first
end

local function begun(before)
  if not before then return { turns = 0, told = {}, states = {}, looks = {} } end
  return { turns = before.turns, told = { unpack(before.told) }, states = { unpack(before.states) },
    looks = { unpack(before.looks) } }
end

-- The task, what was before in short, and the last messages.
local function fold(messages)
  local first = cut_at(messages)
  if first <= 4 then return messages end -- the task and one digest: no turn is older
  local into, calls, cited = begun(messages[3].digest), {}, cited_in(messages)
  for i = 2, first - 1 do
    local message = messages[i]
    if message.role == "assistant" then
      calls = calls_of(message)
    elseif message.role == "tool" and not message.digest then
      take(into, calls, message, cited)
    end
  end
  local out = { messages[1], folded(into) }
  for i = first, #messages do out[#out + 1] = messages[i] end
  return out
end

local function replace(messages, by)
  for i = 1, math.max(#messages, #by) do messages[i] = by[i] end
end

--- Shortens the messages in place.
---@param messages table[]
---@param opts? { fold?: any, must?: boolean }   fold: the conversation has no end, so old turns go as a whole; must:
---  it is too long for the model as it is
---@return integer saved   bytes; 0 where nothing was shortened, for there is nothing left that would be worth it
function compaction.run(messages, opts)
  opts = opts or {}
  local before = bytes_of(messages)
  local least = opts.must and 1 or before * WORTH
  for _, way in ipairs(opts.fold and { fold } or opts.must and { shortened, fold } or { shortened }) do
    local short = way(messages)
    local saved = before - bytes_of(short)
    if saved >= least then
      replace(messages, short)
      return saved
    end
  end
  return 0
end

return compaction
