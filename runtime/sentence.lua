--- What was told, in the one sentence that a person wants of it.

local sentence = {}

--- Of a notification's event: what it comes to, where whoever looked says so, else what was seen.
---@param m { observation?: string, notification?: table }
---@return string
function sentence.of(m)
  local said = m.notification and m.notification.hypothesis
  return type(said) == "string" and said:find "%S" and said or m.observation or m.type or ""
end

--- Of a node that went away; where the reason names it already, it is not named twice.
---@param m { node: string, reason?: string, never?: boolean, gone?: boolean }
---@return string
function sentence.lost(m)
  local what = m.never and "cannot reach" or m.gone and "no longer watching" or "lost"
  local told = ("%s %s: "):format(what, m.node)
  local reason = m.reason or "no word from it"
  return reason:sub(1, #told) == told and reason or told .. reason
end

return sentence
