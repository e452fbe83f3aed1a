--- The one tool that reaches beyond looking, shared by operators and the coordinator: it puts an
--- action on a list. There is no tool that approves one; a person does, at a terminal.

local actions = require "runtime.actions"
local files = require "runtime.files"

local TYPES = { integer = "integer", number = "number", any = "string" }

local function meaning(arg)
  local words = { arg.of and "one of " .. table.concat(arg.of, ", ") or nil }
  words[#words + 1] = arg.doc
  return table.concat(words, "; ")
end

-- What one name means to each action that takes it: those that mean the same by it stand together.
local function description(uses)
  local order, by_meaning = {}, {}
  for _, use in ipairs(uses) do
    local of = by_meaning[use.meaning]
    if not of then
      of = {}
      by_meaning[use.meaning], order[#order + 1] = of, use.meaning
    end
    of[#of + 1] = use.action
  end
  if #order == 1 then return order[1] end
  for i, text in ipairs(order) do order[i] = ("%s: %s"):format(table.concat(by_meaning[text], ", "), text) end
  return table.concat(order, ". ")
end

-- One object for the arguments of every action, so that a provider can be strict about it: what an action does
-- not take is refused by its own list.
local function arguments_of(entries, shapes)
  local properties, uses = {}, {}
  for _, e in ipairs(entries) do
    for _, arg in ipairs(e.args) do
      local type, known = TYPES[arg.type] or "string", properties[arg.name]
      if not known then
        known, uses[arg.name] = { type = type }, {}
        properties[arg.name] = known
      elseif known.type ~= type then
        known.type = { "string", "number" }
      end
      table.insert(uses[arg.name], { action = e.name, meaning = meaning(arg) })
    end
  end
  for name, property in pairs(properties) do property.description = description(uses[name]) end
  return shapes.object(properties)
end

-- What it does and when it is right: the rest is for the person.
local function short(doc)
  local _, first = doc:find("%.%s")
  local second = first and doc:find("%.%s", first + 1)
  return second and doc:sub(1, second) or doc
end

local function doc_of(entries)
  local lines = {}
  for i, e in ipairs(entries) do lines[i] = ("%s, %s: %s"):format(actions.call(e), e.class, short(e.doc)) end
  return "Proposes a deed that would help. It is not done: a person sees what it would do, and approves it or not. "
    .. "Propose only what figures support, for the object that they name. Answers { id, object, figures }. "
    .. "The actions, with what they take:\n" .. table.concat(lines, "\n")
end

--- The tool, in the shapes of the other tools.
---@param shapes table   of runtime/tools/operator.lua
---@return Tool
return function(shapes)
  local entries, names = {}, {}
  for _, e in ipairs(actions.entries()) do
    local none = e.name == "run_runbook" and #files.list("runbooks", ".lua") == 0 -- the owner wrote no runbook
    if not (e.undo_only or none) then entries[#entries + 1], names[#names + 1] = e, e.name end
  end
  return {
    name = "propose_action",
    doc = doc_of(entries),
    parameters = shapes.object({
      action = shapes.word(names), arguments = arguments_of(entries, shapes),
      reason = shapes.text "why, with the figures: the person reads it",
    }, { "action", "arguments", "reason" }),
    from_node = true,
    run = function(state, args)
      local by = state.skill and { kind = "operator", name = state.skill.name } or { kind = "coordinator" }
      local p, err = state.case:propose(by, args.action, args.arguments, args.reason)
      if not p then return nil, tostring(err) end
      return { id = p.id, object = p.object, class = p.class, figures = p.figures,
        note = "it stands on the list; nothing was done" }
    end,
  }
end
