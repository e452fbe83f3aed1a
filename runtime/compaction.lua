--- Makes room in a conversation that grew too long: the answers of old tool calls are left out,
--- the last messages stay as they are. Nothing is lost, for observations live in evidence and
--- are cited by id; and no model is asked, so nothing is retold wrongly.

local compaction = {
  tokens = 50000,  -- of input, from which on it is worth it
  keep = 5,        -- messages at the end that stay verbatim
}

local LEFT_OUT = '{"left_out":"an older answer, to save room; its observation is on record and can still be cited"}'

local function shorter(message)
  local results, saved = {}, 0
  for i, result in ipairs(message.results) do
    local text = result.text
    if #text > #LEFT_OUT * 2 then
      saved = saved + #text - #LEFT_OUT
      text = LEFT_OUT
    end
    results[i] = { id = result.id, name = result.name, ok = result.ok, text = text, data = result.data }
  end
  return { role = "tool", results = results }, saved
end

--- Shortens the messages in place.
---@param messages table[]
---@return integer saved   bytes; 0 when there was nothing left to shorten
function compaction.run(messages)
  local total = 0
  for i = 1, #messages - compaction.keep do
    if messages[i].role == "tool" then
      local saved
      messages[i], saved = shorter(messages[i])
      total = total + saved
    end
  end
  return total
end

return compaction
