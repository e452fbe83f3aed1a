--- An expression that a person typed: parsed on the node, judged at home, evaluated as the very forms that
--- were judged. A text is read once; between its reading and its running nothing turns text into code.
---
--- Elixir takes one step more: its quoted form is screened (sandbox/elixir.lua) before it is expanded.

local async = require "runtime.async"
local classify = require "sandbox.classify"
local elixir = require "sandbox.elixir"
local etf = require "host.etf"
local failure = require "runtime.failure"
local guards = require "sandbox.guards"
local policy = require "runtime.policy"
local query = require "runtime.node.query"
local texts = require "runtime.eval_texts"
local utf8 = require "runtime.utf8"
local words = require "runtime.eval_words"

local eval = { LONGEST_TEXT = 8192, NEW_ATOMS = 64 }

local A, kind = etf.A, etf.kind

local USAGE, REFUSED = 2, 5

---@class Expression
---@field forms any[]       as the node parsed or expanded them
---@field elixir boolean
---@field class "SAFE"|"CAUTION"|"DANGEROUS"
---@field reasons Reason[]
---@field private link Link   over which it was read

local function fault(message, next_step) return nil, failure.new("expression", message, next_step, USAGE) end

local function check_text(text)
  if text:find "^%s*$" then
    return fault("the expression is empty", "for example: beamlens-run eval 'erlang:memory(total)'")
  elseif #text > eval.LONGEST_TEXT then
    return fault(("the expression has %d bytes, and at most %d are taken"):format(#text, eval.LONGEST_TEXT),
      "say less at a time, or write a skill")
  elseif utf8.well_formed(text) ~= text then
    return fault("the expression is not UTF-8", "set the terminal to UTF-8")
  end
  return true
end

local function too_many_atoms(count)
  return fault(("the expression has %s words that are new to the node, and each would stay there as an atom; "
    .. "at most %d are taken"):format(count, eval.NEW_ATOMS), "say less at a time, with texts in double quotes")
end

local function where(place)
  if kind(place) == "tuple" then return ("line %s, column %s"):format(tostring(place[1]), tostring(place[2])) end
  if type(place) == "number" then return "line " .. place end
end

-- Chardata of the node's parser, as one line.
local function said(message)
  if kind(message) ~= "list" then return tostring(message) end
  local out = {}
  for i, part in ipairs(message) do out[i] = said(part) end
  return table.concat(out)
end

local function sentence(message)
  local text = said(message):gsub("%s+", " "):gsub(" $", ""):gsub("^nofile:%d+: ", "")
  return text:find "before:$" and "it ends too early" or text
end

local function wrong(answer, language)
  local place, text = where(answer[2]), sentence(answer[3])
  return fault(("the expression is no %s%s: %s"):format(language, place and ", " .. place or "", text), "correct it")
end

local NO_INTERNALS = "this node's Elixir cannot be asked for what a text expands to"

local function no_answer(answer, language)
  if answer == A.empty then return check_text "" end
  if answer == A.no_elixir then
    return fault("no Elixir runs on this node", "leave out --elixir and write Erlang: 'Elixir.Foo':bar()")
  elseif kind(answer) == "tuple" and answer[1] == A.atoms then
    return too_many_atoms(tostring(answer[2]))
  elseif kind(answer) == "tuple" and answer[1] == A.wrong then
    return wrong(answer, language)
  end
  return fault(NO_INTERNALS, "write Erlang, without --elixir: 'Elixir.Foo':bar()")
end

local function decoded(bytes)
  local value, why = etf.decode(bytes, 1, true) -- exactly, for it is sent again
  if value == nil then return fault(("the expression cannot be judged: %s"):format(tostring(why)),
      "say less at a time; what is long belongs into a text") end
  return value
end

-- Asks one of the texts above. Forms come in external form, so that this process decides how they are read.
local function ask(n, text, variables, language, o)
  variables.Most = eval.NEW_ATOMS
  local answer, err = n.query(text, variables, o)
  if answer == nil then return nil, err end
  if kind(answer) ~= "tuple" or answer[1] ~= A.ok or kind(answer[2]) ~= "binary" then
    return no_answer(answer, language)
  end
  return answer
end

local function read_erlang(n, text, o)
  local answer, err = ask(n, texts.PARSE, { S = text, Words = words.of(text) }, "Erlang", o)
  if not answer then return nil, err end
  return decoded(answer[2])
end

-- As if inside a function, Elixir leaves it to the module whether it has a function foo; there is no module.
local function local_call(form)
  if kind(form) == "tuple" then
    local callee = form[3]
    local what = kind(callee) == "tuple" and callee[1]
    if form[1] == A.call and what == A.atom and kind(form[4]) == "list" then return callee[3], #form[4] end
    if form[1] == A["fun"] and what == A["function"] and #callee == 3 then return callee[2], callee[3] end
  end
  for i = 1, type(form) == "table" and #form or 0 do
    local name, arity = local_call(form[i])
    if name ~= nil then return name, arity end
  end
end

local function turned_away(found)
  return nil, failure.new("gate", ("DANGEROUS: %s%s is not expanded: %s; no confirmation allows it"):format(found.what,
    found.line and (" in line %d"):format(found.line) or "", found.why),
    "write it with functions alone, with the module before each name", REFUSED)
end

local function read_elixir(n, text, o)
  local answer, err = ask(n, texts.QUOTE, { S = text }, "Elixir", o)
  if not answer then return nil, err end
  local quoted
  quoted, err = decoded(answer[2])
  if quoted == nil then return nil, err end
  local passes, found = elixir.screen(quoted, kind(answer[3]) == "list" and answer[3] or {})
  if not passes then return turned_away(found) end
  -- The bytes that were screened go back as they came.
  answer, err = ask(n, texts.EXPAND, { Q = answer[2] }, "Elixir", o)
  if not answer then return nil, err end
  local forms
  forms, err = decoded(answer[2])
  local name, arity = local_call(forms)
  if name ~= nil then
    return fault(("Kernel has no function %s/%s"):format(tostring(name), tostring(arity)),
      "write its module before it")
  end
  return forms, err
end

-- The classifier follows more ways to a function than a guard can be put before.
local function out_of_reach(forms, judged)
  local _, met = guards.needed(forms)
  for mfa, uses in pairs(judged.guarded) do
    if uses ~= met[mfa] then
      return failure.new("gate", ("%s is reached in a way that no guard can be put before"):format(classify.title(mfa)),
        "call it by its name, with its arguments", REFUSED)
    end
  end
end

--- Reads a text on the node and judges it. Nothing of it runs.
---@param n AttachedNode
---@param text string
---@param o? { elixir?: boolean, timeout?: number }
---@return Expression?
---@return Failure? err
function eval.read(n, text, o)
  o = o or {}
  local fits, err = check_text(text)
  if not fits then return nil, err end
  local link = n.link
  local forms
  forms, err = (o.elixir and read_elixir or read_erlang)(n, text, { timeout = o.timeout })
  if not forms then return nil, err end
  if kind(forms) ~= "list" then return fault("the node answered with no expressions", "look at its erl_parse") end
  local judged = classify.expressions(forms, { entry = policy.entry })
  err = out_of_reach(forms, judged)
  if err then return nil, err end
  return {
    forms = forms, elixir = o.elixir or false, class = judged.class, reasons = judged.reasons, link = link,
  }
end

local function guard_forms(n, forms, o)
  local of, needed = {}, guards.needed(forms)
  needed[#needed + 1] = "watch"
  for _, mfa in ipairs(needed) do
    local form, err = query.form(n, guards.TEXTS[mfa].text, o)
    if not form then return nil, err end
    of[mfa] = form
  end
  return of
end

local function refused_by_guard(err)
  local reason = err.reason
  local narrow = kind(reason) == "tuple" and reason[1] == A.beamlens_guard and guards.narrow(reason[2])
  if not narrow then return end
  return failure.new("gate", ("%s is refused: %s"):format(reason[2], tostring(reason[3])), narrow, REFUSED)
end

---@class Evaluated
---@field raw string        the value in external form
---@field printed? string
---@field elapsed_ms number

--- Evaluates what was read. Whether it may run was decided before.
---@param n AttachedNode
---@param expression Expression
---@param o? { timeout?: number }
---@return Evaluated?
---@return Failure? err
---@return string? printed
function eval.run(n, expression, o)
  local timeout = o and o.timeout
  local placed, err = guard_forms(n, expression.forms, { timeout = timeout })
  if not placed then return nil, err end
  local forms = guards.watched(guards.place(expression.forms, function(mfa) return placed[mfa] end), placed.watch)
  -- Whoever answers after a break may be another: a node that was started anew is not told by its name.
  if n.link ~= expression.link then
    return nil, failure.new("gate", ("the connection to %s broke since the expression was judged"):format(n.name),
      "run it again", REFUSED)
  end
  local from = async.now()
  local raw, failed, printed = query.evaluate(n, forms, { timeout = timeout, raw = true, subject = "the expression" })
  if raw == nil then return nil, refused_by_guard(failed) or failed, printed end
  return { raw = raw, printed = printed, elapsed_ms = (async.now() - from) * 1000 }
end

return eval
