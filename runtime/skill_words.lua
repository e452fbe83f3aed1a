--- What a model reads of a skill's callbacks: one line for each in the prompt, which is sent with every request,
--- and all of it for who asks. Both come from the table that runs them.

local skill_words = {}

local LONGEST_BRIEF = 100 -- bytes

---@param name string
---@param c Callback
---@return string   beam_top_processes(limit?, sort_by?)
function skill_words.call(name, c)
  local params = {}
  for i, arg in ipairs(c.args or {}) do params[i] = arg.default ~= nil and arg.name .. "?" or arg.name end
  return ("%s(%s)"):format(name, table.concat(params, ", "))
end

-- A few words: the skill's own, else its first sentence.
local function brief(c)
  if c.brief then return c.brief end
  local first = c.doc:match "^(.-)[%.:;]%s" or c.doc:match "^(.-)%.?%s*$"
  if #first > LONGEST_BRIEF then first = first:match "^(.-),%s" or first end
  return #first <= LONGEST_BRIEF and first or first:sub(1, LONGEST_BRIEF):match "^(.*)%s" or ""
end

--- A line for each callback.
---@param s Skill
---@return string
function skill_words.list(s)
  local names, lines = {}, {}
  for name in pairs(s.callbacks) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local c = s.callbacks[name]
    local words = { c.class ~= "SAFE" and c.class or nil }
    words[#words + 1] = brief(c):match "%S" and brief(c) or nil
    lines[i] = skill_words.call(name, c) .. (#words > 0 and ": " .. table.concat(words, ". ") or "")
  end
  return table.concat(lines, "\n")
end

local function literal(v) return type(v) == "string" and ("%q"):format(v) or tostring(v) end

local function meaning(arg)
  local words = { arg.of and "one of " .. table.concat(arg.of, ", ") or arg.type }
  if arg.min or arg.max then words[#words + 1] = ("from %s to %s"):format(arg.min or "any", arg.max or "any") end
  words[#words + 1] = arg.default ~= nil and ("%s if left out"):format(literal(arg.default)) or nil
  return ("%s: %s"):format(arg.name, table.concat(words, ", "))
end

--- All about one callback: what it does, what it takes and answers, and what it costs the node.
---@param name string
---@param c Callback
---@return string
function skill_words.whole(name, c)
  local lines = { ("%s, %s: %s"):format(skill_words.call(name, c), c.class, c.doc) }
  for _, arg in ipairs(c.args or {}) do lines[#lines + 1] = meaning(arg) end
  lines[#lines + 1] = ("Returns %s."):format(table.concat(c.returns, ", "))
  lines[#lines + 1] = c.cost and ("Costs the node: %s."):format(c.cost) or nil
  return table.concat(lines, "\n")
end

return skill_words
