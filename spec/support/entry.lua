--- The entry of an action, run step by step as its file has it, without the machinery that asks a person.

local etf = require "host.etf"
local form = require "runtime.skill_form"
local plain = tostring

local entry = {}

local A = etf.A

--- One entry on one node: `e.preview(args)`, `e.check(args, identity)`, `e.deed(args, identity)`,
--- `e.after(args, identity, before)`. The answers are { word, the rest… } with words as Lua strings; the deed's has
--- `before` too, as it was sent; the preview answers a table with object, identity and figures, or { "refused", why }.
function entry.open(node, name)
  local e = require("sandbox.actions." .. name)

  local function ask(step, args, identity, before, given)
    local bindings = { Identity = identity or A.none, Before = before or A.none, Given = given or A.none }
    for _, arg in ipairs(e.args) do
      local value = args[arg.name]
      if value == nil then value = arg.default end
      bindings[form.variable(arg.name)] = value
    end
    local bytes, err = node.query(e.queries[step], bindings, { timeout = 30, raw = true })
    if bytes == nil then error(("%s: %s: %s"):format(name, step, tostring(err)), 3) end
    local answer = etf.decode(bytes)
    if etf.kind(answer) ~= "tuple" then return etf.kind(answer) == "atom" and plain(answer) or answer end
    answer[1] = plain(answer[1])
    -- What undo is given is what the node had, byte for byte: a whole float would be an integer else.
    if answer[1] == "done" then answer.before = etf.raw(bytes:match "^\131h\2.-done(.*)$") end
    return answer
  end

  local opened = { entry = e }
  function opened.preview(args, given) return ask("preview", args, nil, nil, given) end
  function opened.check(args, identity, given) return ask("check", args, identity, nil, given) end
  function opened.deed(args, identity, given) return ask("deed", args, identity, nil, given) end
  function opened.after(args, identity, before) return ask("after", args, identity, before) end
  --- All of it, as far as it goes: the preview, then what the deed and the look after it said.
  function opened.run(args, given)
    local seen = opened.preview(args, given)
    if not seen.identity then error(("%s was refused: %s"):format(name, tostring(seen[2])), 2) end
    local done = opened.deed(args, seen.identity, given)
    return seen, done, done[1] == "done" and opened.after(args, seen.identity, done.before) or nil
  end
  return opened
end

return entry
