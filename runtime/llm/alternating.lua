--- A conversation for a wire that knows two roles, taking turns: what a user says after results goes behind them, in
--- one message. Parts are JSON already and go in as they are: decoding and encoding again would turn {} into [].

local alternating = {}

---@param messages table[]
---@param model string   their word for its role
---@param parts_of fun(message: table, i: integer): string[]   called in the order of the messages
---@return { role: string, parts: string[] }[]
function alternating.turns(messages, model, parts_of)
  local turns = {}
  for i, message in ipairs(messages) do
    local role = message.role == "assistant" and model or "user"
    local last = turns[#turns]
    if not last or last.role ~= role then
      last = { role = role, parts = {} }
      turns[#turns + 1] = last
    end
    for _, part in ipairs(parts_of(message, i)) do last.parts[#last.parts + 1] = part end
  end
  return turns
end

---@param turns { role: string, parts: string[] }[]
---@param field string   their word for parts
---@return string
function alternating.json(turns, field)
  local out = {}
  for i, turn in ipairs(turns) do
    out[i] = ('{"%s":[%s],"role":"%s"}'):format(field, table.concat(turn.parts, ","), turn.role)
  end
  return "[" .. table.concat(out, ",") .. "]"
end

return alternating
