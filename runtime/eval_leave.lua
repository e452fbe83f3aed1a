--- Whether an expression may run: by its class, by what `--allow` said, by what a person answers at the
--- terminal. CAUTION takes a yes; DANGEROUS takes the typing of what will be done, and where.

local classify = require "sandbox.classify"
local failure = require "runtime.failure"
local functions = require "sandbox.functions"
local owners = require "runtime.policy"
local plain = require "runtime.plain"
local policy = require "sandbox.policy"
local terminal = require "runtime.terminal"

local leave = {}

local USAGE, REFUSED = 2, 5
local MOST_SHOWN = 8     -- reasons that do not decide
local MOST_DEEDS = 20    -- that one confirmation is for
local LONGEST_TYPED = 60 -- bytes of what has to be typed for a function's name

-- lists:map/2 and Enum.map/2 are names of functions, and this is how the table has them.
local function mfa_of(word)
  local module, name, arity = word:match "^(%u[%w_%.]*)%.([^%.]+)/(%d+)$"
  return module and ("Elixir.%s:%s/%s"):format(module, name, arity) or word
end

local function usage(message, next_step) return nil, failure.new("usage", message, next_step, USAGE) end

local ALLOWED = policy.CAUTION.word

local function allowable()
  local words = { ALLOWED }
  for mfa, entry in pairs((functions.all())) do
    if entry.class == "CAUTION" then words[#words + 1] = mfa end
  end
  table.sort(words)
  return words
end

--- Whether `--allow` names what it can allow: a slip would quietly leave out what a person meant to allow.
---@param allow string[]
---@return true?
---@return Failure? err
function leave.check(allow)
  for _, word in ipairs(allow) do
    local entry = word ~= ALLOWED and classify.entry(mfa_of(word))
    if word ~= ALLOWED and not entry then
      return usage(("--allow knows no %s"):format(word), failure.meant(word, allowable(),
        ("here it takes %s, or a function by its name: erlang:garbage_collect/1"):format(ALLOWED)))
    elseif entry and entry.class == "DANGEROUS" then
      return usage(("--allow cannot allow %s, which is DANGEROUS: %s"):format(word, entry.why),
        "leave that out, and confirm it at a terminal")
    end
  end
  return true
end

--- Class and reasons as a person reads them.
---@param expression Expression
---@return string[] lines
function leave.lines(expression)
  local lines, reasons = { expression.class }, expression.reasons
  for i, r in ipairs(reasons) do
    if i > MOST_SHOWN and (r.class ~= expression.class or r.class == "SAFE") then
      lines[#lines + 1] = ("  and %d more reasons"):format(#reasons - MOST_SHOWN)
      break
    end
    lines[#lines + 1] = "  " .. plain.text(("%s%s: %s%s"):format(r.class == expression.class and "" or r.class .. ", ",
      r.what, r.why, type(r.line) == "number" and r.line > 1 and (" (line %d)"):format(r.line) or ""))
  end
  return lines
end

local function of_class(expression)
  local list = {}
  for _, r in ipairs(expression.reasons) do
    if r.class == expression.class then list[#list + 1] = r end
  end
  return list
end

local function is_allowed(expression, allow)
  local allowed = {}
  for _, word in ipairs(allow) do
    if word == ALLOWED then return true end
    allowed[mfa_of(word)] = true
  end
  for _, r in ipairs(of_class(expression)) do
    if not allowed[r.mfa or r.what] then return false end
  end
  return true
end

local function refused(message, next_step) return nil, failure.new("gate", message, next_step, REFUSED) end

-- The first of what makes it so, and how many there are besides.
local function because(expression)
  local all = of_class(expression)
  local more = #all > 1 and (" (and %d more)"):format(#all - 1) or ""
  return ("%s: %s: %s%s"):format(expression.class, all[1].what, all[1].why, more), all[1]
end

--- What a person types to have a DANGEROUS expression run: the deed, and the node it is done to.
---@param expression Expression
---@param node_name string
---@return string
function leave.phrase(expression, node_name)
  local all = of_class(expression)
  local what = all[1].what
  if #what > LONGEST_TYPED or what:find "[^\32-\126]" then what = "this" end
  return ("run %s%s on %s"):format(what, #all > 1 and (" and %d more"):format(#all - 1) or "", node_name)
end

local function caution(expression, o)
  if is_allowed(expression, o.allow) then return true end
  local why, first = because(expression)
  local by_name = first.mfa and (" (or --allow %s)"):format(first.what) or ""
  if not terminal.is_interactive(o) then
    return refused(why .. "; it was not allowed",
      ("allow it with --allow %s%s, or run it at a terminal"):format(ALLOWED, by_name))
  end
  local answer = terminal.ask "run it? [y/N]"
  if answer and (answer:lower() == "y" or answer:lower() == "yes") then return true end
  return refused(why .. "; not run", ("answer y next time, or allow it with --allow %s%s"):format(ALLOWED, by_name))
end

local function dangerous(expression, o, node_name)
  local why = because(expression)
  if not terminal.is_interactive(o) then
    return refused(why .. "; it runs only after a person confirmed exactly this",
      "run it at a terminal; no option allows it")
  end
  if #of_class(expression) > MOST_DEEDS then
    return refused(("DANGEROUS: these are %d deeds, too many for one confirmation"):format(#of_class(expression)),
      "have them done one after another")
  end
  local phrase = leave.phrase(expression, node_name)
  -- In one line with the question: what is typed before it stands there is not taken.
  local typed, why_not = terminal.ask(("to have it done, type: %s >"):format(phrase))
  if typed == phrase then return true end
  return refused(("%s; not run, for %s"):format(why, typed and "something else was typed" or why_not),
    "type what is shown, letter by letter")
end

--- Asks whoever has to be asked.
---@param expression Expression
---@param o { allow: string[], no_input?: boolean }
---@param node_name string
---@return true?
---@return Failure? err
function leave.take(expression, o, node_name)
  for _, r in ipairs(expression.reasons) do
    if r.mfa and owners.forbids(r.mfa) then
      return refused(("your policy forbids %s"):format(r.what), "see " .. owners.path())
    end
  end
  if expression.class == "SAFE" then return true end
  if expression.class == "CAUTION" then return caution(expression, o) end
  return dangerous(expression, o, node_name)
end

return leave
