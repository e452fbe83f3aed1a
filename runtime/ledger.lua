--- What is written down of actions: a row for each, which says how far it came, and a line of the
--- audit for every step. A step and its line are one transaction, on the disk when it returns. The
--- lines then go into the audit's file too; those that a crash kept from it follow at the next step.
--- Each step is an event: beamlens.action.proposed and so on.

local audit = require "runtime.audit"
local crypto = require "host.crypto"
local etf = require "host.etf"
local failure = require "runtime.failure"
local json = require "runtime.json"
local telemetry = require "runtime.telemetry"

local ledger = {}

---@class Proposal
---@field id string            a1, a2, …: what a person types
---@field node string
---@field life string          which life of the node: another one after it was restarted
---@field action string
---@field arguments table<string, any>
---@field class string
---@field object string        what the person types to approve it
---@field identity string      hex: the term of the preview in external format
---@field figures table        what the preview showed
---@field given? string        hex: a term that an undo needs
---@field reason string        of whoever proposed it: not to be trusted
---@field by table             { kind = "person"|"operator"|"coordinator"|"runbook"|"script", undoes = id?, … }
---@field trace_id? string
---@field proposed_at integer  seconds since 1970, as every time here
---@field state string         proposed, superseded, rejected, approved, executing, executed, failed, unknown, verified,
---  not_verified
---@field approval? table      { approved_at, nonce, approver, mac }
---@field authority? table     { kind, name }: by whose word it was done
---@field performer? string    the process that does it
---@field performed_at? integer
---@field before? string       hex: what the deed left for an undo
---@field outcome? table       { message, after }
---@field store Store          where it stands; not among its fields when they are counted

local function unhex(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

--- A term as it is kept: hex of its external format.
ledger.pack = function(term) return crypto.hex(etf.encode(term)) end
--- The bytes of one that was kept, and how they are sent again: not a bit changed.
ledger.bytes = unhex
ledger.term = function(kept) return etf.raw(unhex(kept):sub(2)) end
ledger.hex = crypto.hex

--- What the audit says of a term that a deed left for an undo: the store alone is nobody's word for it.
---@param kept string
---@return string
function ledger.sum_of(kept) return crypto.sha256(kept) end

-- Columns that hold JSON, under the names that a proposal has for them.
local AS_JSON = { arguments = "arguments", figures = "figures", proposed_by = "by", approval = "approval",
  authority = "authority", outcome = "outcome" }

local AS_HEX = { identity = true, given = true, before = true }

-- Who can write the store can write nonsense there.
local function broken(row, column)
  return nil, failure.new("store", ("a%s in the store is broken: its %s is nothing that was written by us")
    :format(tostring(row.number), column), "somebody changed the store: move it away, and propose anew", 2)
end

local function proposal_of(store, row)
  local p = setmetatable({}, { __index = { store = store } })
  for column, value in pairs(row) do
    local name = AS_JSON[column]
    p[name or column] = value
    if name then p[name] = json.decode(tostring(value)) end
    if name and type(p[name]) ~= "table" then return broken(row, column) end
    if AS_HEX[column] and (not tostring(value):find "^%x+$" or #value % 2 == 1) then return broken(row, column) end
  end
  if type(p.proposed_at) ~= "number" then return broken(row, "proposed_at") end
  p.id, p.number = "a" .. row.number, nil
  -- What was approved is bound to the text that stands there, not to what it is read as.
  p.written = row.arguments
  return p
end

local function number_of(id) return tonumber((tostring(id):match "^a(%d+)$")) end

local function note(db, kind, p, more)
  local fields = { kind = "action." .. kind, id = p.id, node = p.node, life = p.life, action = p.action,
    arguments = json.object(p.arguments or {}), class = p.class, object = p.object, trace_id = p.trace_id }
  for key, value in pairs(more or {}) do fields[key] = value end
  fields.mark = crypto.hex(crypto.random(8)) -- so that no two lines are alike
  return db:run("insert into audit (body) values (?)", audit.line(fields))
end

local MOST_LINES = 200

--- Sees to it that every line stands in the audit's file. What happens next may need that it does.
---@param store Store
---@return true?
---@return Failure? err
function ledger.tell(store)
  local kept, err = store:transaction(function(db)
    local rows, why = db:rows("select seq, body from audit where told = 0 order by seq limit " .. MOST_LINES)
    if not rows then return nil, why end
    local lines = {}
    for _, row in ipairs(rows) do
      local there, fault = audit.tells(row.body .. "\n") -- it was written, and the crash came before that was noted
      if there == nil then return nil, fault end
      if not there then lines[#lines + 1] = row.body end
    end
    if #lines > 0 then
      local ok, fault = audit.append(lines)
      if not ok then return nil, fault end
    end
    local last = rows[#rows]
    local ok
    ok, why = db:run("update audit set told = 1 where told = 0 and seq <= ?", last and last.seq or 0)
    if not ok then return nil, why end
    return #rows
  end)
  if not kept then return nil, err end
  return kept < MOST_LINES or ledger.tell(store)
end

--- A proposal by its id.
---@param store Store
---@param id string
---@return Proposal?
---@return Failure? err
function ledger.get(store, id)
  local rows, err = store:rows("select * from actions where number = ?", number_of(id) or -1)
  if not rows then return nil, err end
  if not rows[1] then
    return nil, failure.new("usage", "there is no action " .. tostring(id), "see `beamlens-run actions`", 2)
  end
  return proposal_of(store, rows[1])
end

--- The latest, the newest first; without what they left for an undo, which may be a megabyte.
---@param store Store
---@param most integer
---@return Proposal[]?
---@return Failure? err
function ledger.list(store, most)
  local rows, err = store:rows("select *, null as before from actions order by number desc limit ?", most)
  if not rows then return nil, err end
  for i, row in ipairs(rows) do
    rows[i], err = proposal_of(store, row)
    if not rows[i] then return nil, err end
  end
  return rows
end

local UNDOES = [[select number from actions where state = 'verified'
  and case when json_valid(proposed_by) then json_extract(proposed_by, '$.undoes') end = ?
  order by number desc limit 1]]

--- The action that undid this one.
---@param p Proposal
---@return string? id
function ledger.undone_by(p)
  local rows = p.store:rows(UNDOES, p.id)
  return rows and rows[1] and ("a%d"):format(rows[1].number) or nil
end

local function emitted(event, store, id, more)
  local p, err = ledger.get(store, id)
  if not p then return nil, err end
  local told = { id = p.id, node = p.node, action = p.action, object = p.object, class = p.class, by = p.by,
    state = p.state, trace_id = p.trace_id }
  for key, value in pairs(more) do told[key] = value end
  if event then telemetry.emit("action." .. event, { system_time = os.time() * 1e9 }, told) end
  return p
end

local ADD = [[insert into actions (node, life, action, arguments, class, object, identity, figures, given, reason,
  proposed_by, trace_id, proposed_at, state) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'proposed')]]
local SUPERSEDE = [[update actions set state = 'superseded'
  where state = 'proposed' and node = ? and action = ? and arguments = ? and given is ?]]

--- Puts one on the list. An older one for the same deed, which nobody has decided on, makes way for it.
---@param store Store
---@param p Proposal   without id and state
---@return Proposal?
---@return Failure? err
function ledger.add(store, p)
  local arguments = json.encode(json.object(p.arguments))
  local number, err = store:transaction(function(db)
    local ok, row = db:run(SUPERSEDE, p.node, p.action, arguments, p.given)
    if ok then
      ok, row = db:run(ADD, p.node, p.life, p.action, arguments, p.class, p.object, p.identity,
        json.encode(p.figures), p.given, p.reason, json.encode(p.by), p.trace_id, p.proposed_at)
    end
    if not ok then return nil, row end
    p.id = "a" .. ("%d"):format(row)
    local noted, why = note(db, "proposed", p, { reason = p.reason, by = p.by })
    if not noted then return nil, why end
    return row
  end)
  if not number then return nil, err end
  local told
  told, err = ledger.tell(store)
  if not told then return nil, err end
  return emitted("proposed", store, p.id, { reason = p.reason })
end

local COLUMNS = { approval = true, authority = true, performer = true, performed_at = true, before = true,
  outcome = true, class = true }

---@class Step
---@field to string             the state that it comes to
---@field from string[]         the states that it may come from
---@field set? table            what is written with it
---@field more? table           what the audit's line tells beside
---@field nonce? string         is used up by it
---@field performer? string     only if this process is the one that does it
---@field limit? { kind: string, since: integer, most: integer }   only while fewer were done by this authority

-- What comes of it in the end: it did what it was for, or not, or nobody knows.
local EVENTS = { approved = "approved", rejected = "rejected", executed = "executed", verified = "verified",
  failed = "failed", unknown = "failed", not_verified = "failed" }

--- Of one that is not in a state to be done: another was first, or it is decided.
---@param p { id: string, state: string }
---@return Failure
function ledger.taken(p)
  return failure.new("gate", ("%s is %s, so nothing was done"):format(p.id, p.state:gsub("_", " ")),
    ("`beamlens-run actions show %s` tells more"):format(p.id), 5)
end

local function spent(db, step)
  local rows = step.nonce and db:rows("select 1 from nonces where nonce = ?", step.nonce)
  return rows and rows[1] ~= nil
end

local COUNT = "select count(*) as n from actions where performed_at > ? and json_extract(authority, '$.kind') = ?"

local function limited(db, limit)
  if not limit then return end
  local rows = db:rows(COUNT, limit.since, limit.kind)
  if rows and rows[1].n < limit.most then return end
  return failure.new("gate", ("%ss: the actions of the last hour were %s already, and no more were allowed")
    :format(limit.kind, rows and rows[1].n or "an unknown number"), "wait, or let a person approve it", 5)
end

--- One step of a proposal: written with its line of the audit, or not at all. Of two that try at once, one does it.
---@param p Proposal
---@param step Step
---@return Proposal?    as it is now
---@return Failure? err
function ledger.step(p, step)
  local store = p.store
  local sets, values = { "state = ?" }, { step.to }
  for name, value in pairs(step.set or {}) do
    assert(COLUMNS[name])
    sets[#sets + 1] = name .. " = ?"
    values[#values + 1] = type(value) == "table" and json.encode(json.object(value)) or value
  end
  local froms = {}
  for i, state in ipairs(step.from) do froms[i] = ("'%s'"):format(state) end
  local sql = ("update actions set %s where number = ? and state in (%s)%s"):format(table.concat(sets, ", "),
    table.concat(froms, ", "), step.performer and " and performer = ?" or "")
  values[#values + 1] = number_of(p.id)
  values[#values + 1] = step.performer
  local done, err = store:transaction(function(db)
    local over = limited(db, step.limit)
    if over then return nil, over end
    local changed, why = db:run(sql, unpack(values))
    if not changed then return nil, why end
    if changed == 0 then
      local now = db:rows("select state from actions where number = ?", number_of(p.id))
      return nil, ledger.taken { id = p.id, state = now and now[1] and now[1].state or "gone" }
    end
    if spent(db, step) then
      return nil, failure.new("gate", ("the approval of %s was used already"):format(p.id), "approve it anew", 5)
    end
    if step.nonce then
      local ok, fault = db:run("insert into nonces values (?)", step.nonce)
      if not ok then return nil, fault end
    end
    local ok, fault = note(db, step.to, p, step.more)
    if not ok then return nil, fault end
    return changed
  end)
  if not done then return nil, err end
  local told
  told, err = ledger.tell(store)
  if not told then return nil, err end
  return emitted(EVENTS[step.to], store, p.id, { reason = (step.more or {}).message })
end

--- A line of the audit for what was kept from being done; the proposal stays as it is.
---@param p Proposal
---@param kind string
---@param more table
---@return true?
---@return Failure? err
function ledger.note(p, kind, more)
  local ok, err = p.store:transaction(function(db) return note(db, kind, p, more) end)
  if not ok then return nil, err end
  return ledger.tell(p.store)
end

return ledger
