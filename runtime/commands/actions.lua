--- `actions`: what was proposed to be done to nodes, and a person's word on it. An approval wants a
--- terminal, where the person sees what it would do now and types the name of what it is done to.

local action_words = require "runtime.action_words"
local actions = require "runtime.actions"
local approval = require "runtime.approval"
local failure = require "runtime.failure"
local json = require "runtime.json"
local ledger = require "runtime.ledger"
local policy = require "runtime.policy"
local plain = require("runtime.plain").text
local terminal = require "runtime.terminal"

local command = {
  usage = "actions [WORD] [ID]",
  words = 2,
  doc = "what was proposed to be done, and your word on it",
  takes = { "action_verb", "action" },
  examples = {
    { "beamlens-run actions", "the latest, with how far each came" },
    { "beamlens-run actions show a1", "all there is to know of one" },
    { "beamlens-run actions approve a1", "what it would do now; type the object's name, and it is done" },
    { "beamlens-run actions reject a1 --reason 'not tonight'", "it is not done, and why" },
    { "beamlens-run actions undo a1", "propose what undoes it; that wants to be approved as well" },
  },
  more = [[
A model, a script or a runbook may propose an action; a person approves it, at a terminal, exactly that and
once. The approval is bound to the node, the action, its arguments and the object by a key that stands outside
of the store ($XDG_STATE_HOME/beamlens/approval.key, or the file that `approval_key` of the config names: who
can read it may approve). Everything that was done or refused stands in audit.jsonl beside it.

Exit: 0 done and seen to be done; 4 done, but not seen to have helped, or nobody can tell; 5 refused.
]],
}

command.WORDS = { "list", "show", "approve", "reject", "undo" }

local MOST_LISTED = 50
local REFUSED, CANNOT_TELL = 5, 4
local LOOK_S = 5

local refused = failure.refused

local function connect(c, p)
  return require("runtime.beamlens").connect { node = p.node, deadline = math.min(c.options.deadline, 10) }
end

-- What a crash left open is looked after, where its node can be reached. Reads only.
local function settle_open(s)
  local open, err = actions.recover(s)
  if not open then return nil, err end
  local nodes = {}
  for _, p in ipairs(open) do
    if nodes[p.node] == nil then
      nodes[p.node] = require("runtime.beamlens").connect { node = p.node, deadline = LOOK_S } or false
    end
    if nodes[p.node] then actions.settle(nodes[p.node], p) end
  end
  return true
end

local function list(c, s)
  local all, err = actions.list(s, MOST_LISTED)
  if not all then return nil, err end
  if c.options.json then
    for i, p in ipairs(all) do all[i] = action_words.object(p) end
    return json.encode { schema = 1, actions = all } .. "\n", 0
  end
  if #all == 0 then return "no action was proposed\n", 0 end
  for i, p in ipairs(all) do all[i] = action_words.line(p) end
  return table.concat(all, "\n") .. "\n", 0
end

local function show(c, p)
  if not c.options.json then return action_words.all(p), 0 end
  local object = action_words.object(p)
  object.schema = 1
  return json.encode(object) .. "\n", 0
end

local CODES = { verified = 0, failed = REFUSED, not_verified = CANNOT_TELL, unknown = CANNOT_TELL }

local function told(c, p, outcome)
  local now = actions.get(p.store, p.id) or p
  if c.options.json then return (show(c, now)), CODES[outcome.state] end
  local line = ("%s  %s: %s\n"):format(p.id, action_words.state(now), plain(outcome.message))
  if outcome.state == "verified" and outcome.before ~= nil and type(actions.undoing(now)) == "table" then
    line = line .. ("undo it: beamlens-run actions undo %s\n"):format(p.id)
  end
  return line, CODES[outcome.state]
end

-- Whether it is still what was proposed, and what it would do now. What has changed is at its end.
local function look_again(node, p)
  local same, why = actions.same(node, p)
  if not same then
    if why.stage == "gate" then actions.give_up(p, why) end
    return nil, why
  end
  local e = assert(actions.find(p.action))
  local seen, err = actions.preview(node, e, p)
  if not seen then return nil, err end
  if seen.object ~= p.object then
    return refused(("it would be done to %s now, and not to %s"):format(seen.object, p.object), "propose it anew")
  end
  return seen
end

local function confirm(p, seen)
  terminal.show(action_words.all(p, seen.figures):gsub("\n$", ""))
  local wanted = action_words.confirmation(p)
  local typed = terminal.ask(("type \"%s\" to do it, anything else to leave it:"):format(wanted))
  if typed == wanted then return true end
  ledger.note(p, "not_confirmed", {})
  return refused(("%s was not typed, so nothing was done"):format(wanted))
end

local DECIDABLE = { proposed = true, approved = true }

local function decidable(p)
  if DECIDABLE[p.state] then return true end
  return refused(("%s is decided: %s"):format(p.id, action_words.state(p)),
    p.state == "superseded" and "see `beamlens-run actions`" or ("`beamlens-run actions show %s`"):format(p.id))
end

local function approve(c, p)
  local open, err = decidable(p)
  if not open then return nil, err end
  if not terminal.is_interactive(c.options) then
    return refused("an approval wants a person at a terminal", "run it there, without --no-input")
  end
  local key, node, seen, sure, outcome
  key, err = approval.key(c.options)
  if not key then return nil, err end
  node, err = connect(c, p)
  if not node then return nil, err end
  seen, err = look_again(node, p)
  if not seen then return nil, err end
  sure, err = confirm(p, seen)
  if not sure then return nil, err end
  p, err = actions.approve(p, key)
  if not p then
    if not err.message:find("nothing was done", 1, true) then err.message = err.message .. ", so nothing was done" end
    return nil, err
  end
  outcome, err = actions.perform(node, p, { kind = "person", approval_key = c.options.approval_key })
  if not outcome then return nil, err end
  return told(c, p, outcome)
end

local function reject(c, p)
  local open, err = decidable(p)
  if not open then return nil, err end
  p, err = actions.reject(p, c.options.reason)
  if not p then return nil, err end
  if c.options.json then return show(c, p) end
  return ("%s  rejected\n"):format(p.id), 0
end

local function undo(c, p)
  local with, node, proposal, err
  with, err = actions.undoing(p)
  if not with then return nil, err end
  node, err = connect(c, p)
  if not node then return nil, err end
  proposal, err = actions.propose(node, with.name, with.args, { store = p.store, given = with.given,
    reason = "undoes " .. p.id, by = { kind = "person", undoes = p.id } })
  if not proposal then return nil, err end
  if c.options.json then return show(c, proposal) end
  return ("%sapprove it: beamlens-run actions approve %s\n"):format(action_words.all(proposal), proposal.id), 0
end

local DOES = { show = show, approve = approve, reject = reject, undo = undo }

local function answer(c)
  local word, id = c.words[1] or "list", c.words[2]
  if word ~= "list" and not DOES[word] then
    return nil, failure.new("usage", "actions knows no " .. word,
      failure.meant(word, command.WORDS, "it takes list, show, approve, reject or undo"), 2)
  end
  if word ~= "list" and not id then
    return nil, failure.new("usage", ("%s wants the id of an action"):format(word), "see `beamlens-run actions`", 2)
  end
  local lawful, why = policy.load()
  if not lawful then return nil, why end
  local s, err = actions.store(c.options)
  if not s then return nil, err end
  local settled
  settled, err = settle_open(s)
  if not settled then return nil, err end
  if word == "list" then return list(c, s) end
  local p
  p, err = actions.get(s, id)
  if not p then return nil, err end
  return DOES[word](c, p)
end

function command.run(c)
  local beamlens = require "runtime.beamlens"
  beamlens.options = c.options
  local heard, err = require("runtime.sinks").start(c.options)
  if not heard then return nil, err end
  local text, code = answer(c)
  beamlens.close()
  return text, code
end

return command
