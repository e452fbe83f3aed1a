--- The one tool that reaches beyond looking, shared by operators and the coordinator: it puts an
--- action on a list. There is no tool that approves one; a person does, at a terminal.

local actions = require "runtime.actions"
local failure = require "runtime.failure"
local files = require "runtime.files"

local function doc_of(entries)
  local written = {}
  for i, e in ipairs(entries) do written[i] = actions.call(e) end
  return ("Puts an action on a person's list: %s."):format(table.concat(written, ", "))
end

-- Of those that a model may ask for.
local function unknown(name, entries)
  local names = {}
  for i, e in ipairs(entries) do names[i] = e.name end
  return ("there is no action %s; %s"):format(name,
    failure.meant(name, names, "there are " .. table.concat(names, ", ")))
end

-- An action is known by its name and what it takes; all else is told to who gets it wrong.
local function told(err, name)
  local why, e = tostring(err), actions.find(name)
  if not (e and failure.is(err) and err.stage == "usage") then return why end
  return ("%s\n%s"):format(why, actions.describe(e))
end

--- The tool, in the shapes of the other tools.
---@param shapes table   of runtime/tools/operator.lua
---@return Tool
return function(shapes)
  local entries = {}
  for _, e in ipairs(actions.entries()) do
    local none = e.name == "run_runbook" and #files.list("runbooks", ".lua") == 0 -- the owner wrote no runbook
    if not (e.undo_only or none) then entries[#entries + 1] = e end
  end
  return {
    name = "propose_action",
    doc = doc_of(entries),
    parameters = shapes.object({
      action = shapes.text(), arguments = { type = "object" }, reason = shapes.text(),
    }, { "action", "arguments", "reason" }),
    from_node = true,
    run = function(state, args)
      if not actions.find(args.action) then return nil, unknown(args.action, entries) end
      local by = state.skill and { kind = "operator", name = state.skill.name } or { kind = "coordinator" }
      local p, err = state.case:propose(by, args.action, args.arguments, args.reason)
      if not p then return nil, told(err, args.action) end
      return { id = p.id, object = p.object, class = p.class, figures = p.figures,
        note = "it stands on the list; nothing was done" }
    end,
  }
end
