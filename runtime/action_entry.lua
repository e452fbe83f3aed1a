--- The actions there are, one file each in sandbox/actions/: what an action takes, how dear it is, and
--- the Erlang texts that preview it, do it and look after it. Core files: no folder of a user's
--- stands in for them. A text is asked here and nowhere else, with its variables bound.

local etf = require "host.etf"
local failure = require "runtime.failure"
local files = require "runtime.files"
local form = require "runtime.skill_form"
local ledger = require "runtime.ledger"
local skill_arguments = require "runtime.skill_arguments"
local term = require "runtime.node.term"

local action_entry = {}

---@class ActionEntry
---@field name string
---@field title string
---@field class "CAUTION"|"DANGEROUS"
---@field args Arg[]
---@field doc string              for the model and the person: what it does, when it is right
---@field queries table<"preview"|"check"|"deed"|"after", string>   `check` only where the identity holds what moves
---@field answers? table<string, fun(node: table, p: table): any, any?>   in place of the texts; the deed's as bytes
---@field undo fun(args: table, before: any): { name: string, args: table, given?: true }|string
---@field undo_doc? string        what can be said of undoing before it is done
---@field undo_only? true         nobody proposes it but an undo
---@field timeout? number         seconds for each of its texts

local FOLDER = "sandbox/actions"
local SECONDS = 10

local by_name, names

local function load()
  by_name, names = {}, files.list(FOLDER, ".lua")
  for _, name in ipairs(names) do by_name[name] = require("sandbox.actions." .. name) end
  by_name.run_runbook = require "runtime.run_runbook" -- whose steps are actions themselves
  names[#names + 1] = "run_runbook"
  table.sort(names)
end

--- All of them, sorted by name.
---@return ActionEntry[]
function action_entry.all()
  if not by_name then load() end
  local list = {}
  for i, name in ipairs(names) do list[i] = by_name[name] end
  return list
end

---@param name string
---@return ActionEntry?
---@return Failure? err
function action_entry.find(name)
  if not by_name then load() end
  if by_name[name] then return by_name[name] end
  return nil, failure.new("usage", "there is no action " .. name,
    failure.meant(name, names, "there are " .. table.concat(names, ", ")), 2)
end

--- Arguments by name, checked, with the defaults of those left out.
---@param e ActionEntry
---@param given table<string, any>
---@return table<string, any>?
---@return Failure? err
function action_entry.bind(e, given)
  local at, by_place, known = {}, {}, {}
  for i, arg in ipairs(e.args) do at[arg.name], known[i] = i, arg.name end
  for name, value in pairs(given) do
    local place = at[name]
    if not place then
      return nil, failure.new("usage", ("%s takes no %s"):format(e.name, tostring(name)), failure.meant(name, known,
        #known == 0 and "it takes nothing" or "it takes " .. table.concat(known, ", ")), 2)
    end
    by_place[place] = value
  end
  return skill_arguments.bind(e.name, e.args, by_place)
end

--- How one is written for a model or a person: kill_process(process, reason?).
---@param e ActionEntry
---@return string
function action_entry.call(e)
  local words = {}
  for i, arg in ipairs(e.args) do words[i] = arg.default ~= nil and arg.name .. "?" or arg.name end
  return ("%s(%s)"):format(e.name, table.concat(words, ", "))
end

--- All that a model may know of one: how it is written, what it does and when it is right, and what each argument is.
---@param e ActionEntry
---@return string
function action_entry.describe(e)
  local lines = { ("%s, %s: %s"):format(action_entry.call(e), e.class, e.doc) }
  for _, arg in ipairs(e.args) do
    local words = { arg.type, arg.of and "one of " .. table.concat(arg.of, ", ") or nil }
    words[#words + 1] = arg.doc
    lines[#lines + 1] = ("%s: %s"):format(arg.name, table.concat(words, "; "))
  end
  return table.concat(lines, "\n")
end

local UNKNOWN = etf.A.unknown

local function variables(p, query)
  local bound = { Given = p.given and ledger.term(p.given) or etf.A.none }
  for name, value in pairs(p.arguments) do bound[form.variable(name)] = value end
  if query ~= "preview" then bound.Identity = ledger.term(p.identity) end
  if query == "after" then bound.Before = p.before and ledger.term(p.before) or UNKNOWN end
  return bound
end

--- Asks one of its texts.
---@param node table
---@param e ActionEntry
---@param query "preview"|"check"|"deed"|"after"
---@param p table       arguments, given, identity, before: as a proposal has them
---@param raw? true     the answer as bytes
---@return any answer
---@return Failure? err
function action_entry.ask(node, e, query, p, raw)
  if e.answers then return e.answers[query](node, p) end
  return node.query(e.queries[query], variables(p, query), { timeout = e.timeout or SECONDS, raw = raw,
    outlives = query == "deed" or nil })
end

--- What a node says in words.
---@param v any
---@return string
function action_entry.words(v)
  if type(v) == "string" or type(v) == "userdata" then return tostring(v) end
  return term.text(v)
end

--- The tag of an answer and what follows it: {refused, <<"why">>} is "refused", "why".
---@param answer any
---@return string? tag
---@return any rest
function action_entry.tagged(answer)
  if etf.kind(answer) == "atom" then return tostring(answer) end
  if etf.kind(answer) == "tuple" and etf.kind(answer[1]) == "atom" then return tostring(answer[1]), answer[2] end
end

return action_entry
