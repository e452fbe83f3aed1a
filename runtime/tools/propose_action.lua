--- The one tool that reaches beyond looking, shared by operators and the coordinator: it puts an
--- action on a list. There is no tool that approves one; a person does, at a terminal.

local actions = require "runtime.actions"

local TYPES = { integer = "integer", number = "number", any = "string" }

-- One object for the arguments of every action, so that a provider can be strict about it: what an action does
-- not take is refused by its own list.
local function arguments_of(entries, shapes)
  local properties = {}
  for _, e in ipairs(entries) do
    for _, arg in ipairs(e.args) do
      local type = TYPES[arg.type] or "string"
      local known = properties[arg.name]
      if not known then
        properties[arg.name] = { type = type, description = arg.doc or arg.name }
      elseif known.type ~= type then
        known.type = { "string", "number" }
      end
    end
  end
  return shapes.object(properties)
end

local function doc_of(entries)
  local lines = {}
  for i, e in ipairs(entries) do lines[i] = ("%s, %s: %s"):format(actions.call(e), e.class, e.doc) end
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
    if not e.undo_only then entries[#entries + 1], names[#names + 1] = e, e.name end
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
