--- Actions: what a model, a script or a person proposes to do to a node, and what became of it. A
--- proposal puts nothing on the node but the question what it would do. Done is only what a person
--- approved, exactly that, or what a runbook of the owner's allows: runtime/deed.lua.

local approval = require "runtime.approval"
local audit = require "runtime.audit"
local deed = require "runtime.deed"
local entry = require "runtime.action_entry"
local etf = require "host.etf"
local failure = require "runtime.failure"
local incarnation = require "runtime.incarnation"
local json = require "runtime.json"
local ledger = require "runtime.ledger"
local policy = require "runtime.policy"
local store_of = require "runtime.store"

local actions = {
  entries = entry.all, find = entry.find, call = entry.call, describe = entry.describe,
  get = ledger.get, list = ledger.list, undone_by = ledger.undone_by,
  perform = deed.perform, settle = deed.settle, recover = deed.recover,
}

local LONGEST_REASON = 500

--- The store that actions are kept in: the one that was named, else the one at home.
actions.store = store_of.shared

local refused = failure.refused

--- What an action would do, as the node says it now. Reads only.
---@param node table
---@param e ActionEntry
---@param p { arguments: table, given?: string }
---@return { object: string, identity: string, figures: table }?
---@return Failure? err
function actions.preview(node, e, p)
  local answer, err = entry.ask(node, e, "preview", p)
  if answer == nil then return nil, err end
  local tag, why = entry.tagged(answer)
  if tag then return refused(("%s: %s"):format(e.name, entry.words(why))) end
  local object = type(answer) == "table" and answer.object ~= nil and entry.words(answer.object)
  if not object or object == "" or answer.identity == nil then
    return refused(e.name .. " gave no preview that can be read", "propose something else")
  end
  return { object = object, identity = ledger.pack(answer.identity),
    figures = json.decode(json.encode(json.object(answer.figures or {}))) }
end

--- Puts an action on the list. Nothing happens on the node but the question what it would do.
---@param node table
---@param name string
---@param arguments table<string, any>
---@param o { store: Store, reason?: string, by?: table, trace_id?: string, given?: string }
---@return Proposal?
---@return Failure? err
function actions.propose(node, name, arguments, o)
  local e, err = entry.find(name)
  if not e then return nil, err end
  if e.undo_only and not o.given then
    return refused(name .. " only undoes what another action did", "`beamlens-run actions undo ID` proposes it")
  end
  local class = policy.action(name, e.class)
  if class == "never" then return refused(("your policy forbids %s"):format(name), "see " .. policy.path()) end
  local bound
  bound, err = entry.bind(e, arguments)
  if not bound then return nil, err end
  local life, seen
  life, err = incarnation.of(node)
  if not life then return nil, err end
  seen, err = actions.preview(node, e, { arguments = bound, given = o.given })
  if not seen then return nil, err end
  if incarnation.now(node) ~= life then return refused(node.name .. " was restarted meanwhile", "propose it again") end
  return ledger.add(o.store, {
    node = node.name, life = life, action = name, arguments = bound, class = class, object = seen.object,
    identity = seen.identity, figures = seen.figures, given = o.given, reason = (o.reason or ""):sub(1, LONGEST_REASON),
    by = o.by or { kind = "script" }, trace_id = o.trace_id, proposed_at = os.time(),
  })
end

local function changed(p, why)
  return failure.new("gate", ("%s is not what was proposed any more: %s"):format(p.object, why),
    "look again, and propose it anew", 5)
end

-- What an undo puts back is what the deed left, by the audit's word: who can only write the store has none.
local function vouched(p, kept)
  if not kept then return true end
  local found, err = audit.tells(('"left":"%s"'):format(ledger.sum_of(kept)))
  if found then return true end
  if err then return nil, err end
  return refused(("what %s would put back is not what a deed left, by the audit"):format(p.id),
    "somebody changed the store, or the audit was put away")
end

--- Whether the node and the object are still those of the proposal. Reads only.
---@param node table
---@param p Proposal
---@return true?
---@return Failure? err
function actions.same(node, p)
  local e, err = entry.find(p.action)
  if not e then return nil, err end
  local life
  life, err = incarnation.of(node)
  if not life then return nil, err end
  if life ~= p.life then return nil, changed(p, p.node .. " was restarted since") end
  local ok
  ok, err = vouched(p, p.given)
  if not ok then return nil, err end
  if not e.queries.check then
    local seen
    seen, err = actions.preview(node, e, p)
    if not seen then return nil, err end
    if seen.identity ~= p.identity then return nil, changed(p, "it was replaced, or it changed, since") end
    return true
  end
  local answer
  answer, err = entry.ask(node, e, "check", p)
  if answer == nil then return nil, err end
  local tag, why = entry.tagged(answer)
  if tag == "same" then return true end
  return nil, changed(p, entry.words(why))
end

--- A person's approval, written down. It is the caller that made sure of the person.
---@param p Proposal
---@param key string   of runtime/approval.lua
---@return Proposal?
---@return Failure? err
function actions.approve(p, key)
  local given = approval.sign(p, key)
  return ledger.step(p, { to = "approved", from = { "proposed", "approved" }, set = { approval = given },
    more = { approver = given.approver, nonce = given.nonce } })
end

---@param p Proposal
---@param why string   may be empty
---@return Proposal?
---@return Failure? err
function actions.reject(p, why)
  return ledger.step(p, { to = "rejected", from = { "proposed", "approved" },
    set = { outcome = { message = why ~= "" and why or "without a reason" } }, more = { message = why } })
end

--- What is not the same any more never will be: that is the end of it.
---@param p Proposal
---@param why Failure
function actions.give_up(p, why)
  return ledger.step(p, { to = "failed", from = { "proposed", "approved" },
    set = { outcome = { message = "nothing was done: " .. why.message } }, more = { message = tostring(why) } })
end

--- What an action is undone with, or why it cannot be.
---@param p Proposal
---@return { name: string, args: table, given?: string }?
---@return Failure? err
function actions.undoing(p)
  local e, err = entry.find(p.action)
  if not e then return nil, err end
  if not p.before then
    return refused(("%s is %s and left nothing to undo"):format(p.id, (p.state:gsub("_", " "))))
  end
  local by = ledger.undone_by(p)
  if by then return refused(("%s was undone by %s"):format(p.id, by), ("`beamlens-run actions show %s`"):format(by)) end
  local ok
  ok, err = vouched(p, p.before)
  if not ok then return nil, err end
  local undo = e.undo(p.arguments, (etf.decode(ledger.bytes(p.before))))
  if type(undo) ~= "table" then return refused(("%s cannot be undone: %s"):format(p.id, tostring(undo))) end
  return { name = undo.name, args = undo.args, given = undo.given and p.before or nil }
end

return actions
