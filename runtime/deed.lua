--- Doing what was approved: the one place that changes a node. Before the deed is sent, the step
--- stands on the disk; the check that the object is still the same and the deed are one query there.
--- What came of it is looked after and written down as well. A crash leaves a step behind it, never
--- a deed to be done again: what nobody can know is `unknown`, until a look that only reads tells.

local uv = require "luv"
local approval = require "runtime.approval"
local async = require "runtime.async"
local audit = require "runtime.audit"
local entry = require "runtime.action_entry"
local etf = require "host.etf"
local failure = require "runtime.failure"
local incarnation = require "runtime.incarnation"
local ledger = require "runtime.ledger"
local policy = require "runtime.policy"
local process_start = require "runtime.process_start"

local deed = {}

local AFTER_S, AFTER_PAUSE_S, SETTLE_S = 10, 0.25, 2
local GIVEN_UP_S = 120 -- whoever did it has given up to look after it by then, and may live on

local refused = failure.refused

local function boot()
  local file = io.open "/proc/sys/kernel/random/boot_id"
  local id = file and file:read "*l"
  if file then file:close() end
  return id or "?"
end

local function ourselves() return ("%d %s %s"):format(uv.os_getpid(), process_start(uv.os_getpid()) or "?", boot()) end

-- Whether the process that does it is still there to tell what came of it.
local function lives(p)
  local pid, started, machine = (p.performer or ""):match "^(%d+) (%S+) (%S+)$"
  return pid and machine == boot() and process_start(tonumber(pid)) == started
end

local OPEN = { proposed = true, approved = true }

-- By whose word. What a runbook may do, its caller read from the owner's config.
local AUTHORITIES = {
  person = function(p, authority)
    local key, err = approval.key(authority)
    if not key then return nil, err end
    local ok
    ok, err = approval.check(p, key)
    if not ok then return nil, err end
    return { from = { "approved" }, nonce = p.approval.nonce,
      by = { kind = "person", name = p.approval.approver, approved_at = p.approval.approved_at } }
  end,
  runbook = function(p, authority)
    for _, name in ipairs(authority.allows or {}) do
      if name == p.action then
        local hour = authority.per_hour and { kind = "runbook", since = os.time() - 3600, most = authority.per_hour }
        return { from = { "proposed" }, limit = hour,
          by = { kind = "runbook", name = authority.name, version = authority.version } }
      end
    end
    return refused(("the runbook %s does not allow %s"):format(tostring(authority.name), p.action),
      "a person may approve it: beamlens-run actions approve " .. p.id)
  end,
}

-- The store may have been put back to where the approval was fresh; the audit was not.
local function used(nonce, p)
  if not nonce then return end
  local found, err = audit.tells(('"used":"%s"'):format(nonce))
  if found == nil then return err end
  return found and failure.new("gate", ("the approval of %s was used already"):format(p.id), "approve it anew", 5)
end

local function permitted(node, p, authority)
  local word = AUTHORITIES[authority.kind]
  if not word then return refused "nobody's word stands for it" end
  if node.name ~= p.node then
    return refused(("%s is for %s, not for %s"):format(p.id, p.node, node.name), "attach to that node")
  end
  if policy.action(p.action, p.class) == "never" then
    return refused(("your policy forbids %s"):format(p.action), "see " .. policy.path())
  end
  local allowed, err = word(p, authority)
  err = err or used(allowed.nonce, p)
  if err then return nil, err end
  return allowed
end

local function deny(p, err, authority)
  ledger.note(p, "refused", { message = tostring(err), authority = { kind = authority.kind, name = authority.name } })
  return nil, err
end

local function ended(p, to, message, more)
  more = more or {}
  return ledger.step(p, { to = to, from = more.from or { "executing", "unknown" },
    set = { outcome = { message = message, after = more.after }, before = more.before },
    more = { message = message, left = more.before and ledger.sum_of(more.before) } })
end

-- {done, Before} in external form: the bytes of Before as they came.
local function before_of(raw)
  for _, spelling in ipairs { "\131h\2w\4done", "\131h\2d\0\4done" } do
    if raw:sub(1, #spelling) == spelling then return "\131" .. raw:sub(#spelling + 1) end
  end
end

local function send(node, e, p)
  if incarnation.now(node) ~= p.life then -- of this very connection, and nothing is asked before the deed
    return ended(p, "failed", ("nothing was done: %s was restarted since it was proposed"):format(p.node))
  end
  local raw, err = entry.ask(node, e, "deed", p, true)
  if raw == nil then return ended(p, "unknown", "it may have been done: " .. tostring(err)) end
  local before = before_of(raw)
  if before then return ended(p, "executed", "done", { before = ledger.hex(before) }) end
  local answer = etf.decode(raw)
  local tag, why = entry.tagged(answer)
  if tag == "changed" or tag == "refused" then
    return ended(p, "failed", ("nothing was done: %s"):format(entry.words(why)))
  end
  return ended(p, "unknown", "it may have been done: the node answered " .. entry.words(answer))
end

-- Whether it did what it was for; asks again while it is not there yet.
local function look_after(node, e, p, patience)
  local till = async.now() + patience
  while true do
    local life = incarnation.of(node)
    if life and life ~= p.life then
      return "not_verified", p.node .. " was restarted since, so it cannot be told"
    end
    local answer, err = entry.ask(node, e, "after", p)
    if answer == nil then return nil, tostring(err) end
    local tag, rest = entry.tagged(answer)
    if tag == "ok" then return "verified", rest end
    if tag ~= "not_yet" or async.now() > till then return "not_verified", rest end
    local ok, why = async.sleep(AFTER_PAUSE_S)
    if not ok then return nil, why end
  end
end

--- Looks whether an action did what it was for, and writes it down: after the deed, or when a crash left it open.
--- Reads only.
---@param node table
---@param p Proposal         executed or unknown
---@param patience? number   seconds, for what takes time to be seen
---@return Proposal?         as it was where it cannot be told
---@return Failure? err
function deed.settle(node, p, patience)
  local e, err = entry.find(p.action)
  if not e then return nil, err end
  local to, said = look_after(node, e, p, patience or SETTLE_S)
  if not to then return p end
  local text = said ~= nil and entry.words(said) or ""
  local message = p.state == "unknown" and ("%s; %s"):format(p.outcome.message, text) or text
  return ended(p, to, message, { from = { p.state }, after = text })
end

-- What the caller is told.
local function outcome_of(p)
  return { id = p.id, state = p.state, message = p.outcome.message, after = p.outcome.after,
    before = p.before and etf.decode(ledger.bytes(p.before)) }
end

--- Does what was approved, once: of two that try, one is refused.
---@param node table
---@param proposal Proposal
---@param authority { kind: "person"|"runbook", approval_key?: string, name?: string, version?: string,
---  allows?: string[], per_hour?: integer }   allows: the actions that a runbook may do; per_hour: of all runbooks
---@return { id: string, state: string, message: string, before: any, after: string? }?
---@return Failure? err   it was refused, and nothing was done
function deed.perform(node, proposal, authority)
  local p, err = ledger.get(proposal.store, proposal.id)
  if not p then return nil, err end
  local e
  e, err = entry.find(p.action)
  if not e then return nil, err end
  if not OPEN[p.state] then return deny(p, ledger.taken(p), authority) end
  local allowed
  allowed, err = permitted(node, p, authority)
  if not allowed then return deny(p, err, authority) end
  local ready, life
  if not e.answers then -- so that nothing is asked between the check of the node and the deed
    ready, err = node:parse(e.queries.deed)
    if not ready then return nil, err end
  end
  life, err = incarnation.of(node)
  if not life then return nil, err end
  local going
  going, err = ledger.step(p, { to = "executing", from = allowed.from, nonce = allowed.nonce, limit = allowed.limit,
    set = { authority = allowed.by, performer = ourselves(), performed_at = os.time() },
    more = { authority = allowed.by, used = allowed.nonce } })
  if not going then
    local now = ledger.get(p.store, p.id)
    if now and now.state == "executing" and now.performer == ourselves() then -- but its line is not in the audit
      ended(now, "failed", "nothing was done: " .. tostring(err))
    end
    if failure.is(err) and not err.message:find("nothing was done", 1, true) then
      err.message = err.message .. ", so nothing was done"
    end
    return deny(p, err, authority)
  end
  local done
  done, err = send(node, e, going)
  if done and (done.state == "executed" or done.state == "unknown") then
    done, err = deed.settle(node, done, AFTER_S)
  end
  if not done then return nil, err end
  return outcome_of(done)
end

--- What a crash left in the middle becomes unknown: whether the deed was sent, nobody can say.
---@param store Store
---@return Proposal[]? open   what is to be settled: unknown, or done and not looked after
---@return Failure? err
function deed.recover(store)
  local told, err = ledger.tell(store)
  if not told then return nil, err end
  local rows
  rows, err = store:rows "select number from actions where state in ('executing', 'executed', 'unknown')"
  if not rows then return nil, err end
  local open = {}
  for _, row in ipairs(rows) do
    local p = ledger.get(store, ("a%d"):format(row.number))
    local busy = p and lives(p) and (p.state == "executing" or os.time() - (p.performed_at or 0) < GIVEN_UP_S)
    if p and not busy then
      if p.state == "executing" then
        p = ledger.step(p, { to = "unknown", from = { "executing" }, performer = p.performer,
          set = { outcome = { message = "it may have been done: the program ended while it was at it" } } })
      end
      if p then open[#open + 1] = p end -- else another look was first
    end
  end
  return open
end

return deed
