local actions = require "runtime.actions"
local approval = require "runtime.approval"
local async = require "runtime.async"
local database = require "host.db"
local ledger = require "runtime.ledger"
local live = require "spec.support.live_node"
local policy = require "runtime.policy"
local state_home = require "spec.support.state_home"
local telemetry = require "runtime.telemetry"
local uv = require "luv"
local victim = require "spec.support.victim"

local PERSON = { kind = "person" }

local at, store

local function propose(name, args, more)
  local o = { store = store, reason = "it floods", by = { kind = "operator", name = "beam" } }
  for key, value in pairs(more or {}) do o[key] = value end
  return actions.propose(at.node, name or "kill_process", args or { process = "victim" }, o)
end

local function proposed(...) return assert(propose(...)) end

local function key() return assert(approval.key {}) end

local function approved(...) return assert(actions.approve(proposed(...), key())) end

-- Nothing came of it, for this reason, and the process was not told anything.
local function assert_refused(why, p, authority, node)
  local outcome, err = actions.perform(node or at.node, p, authority or PERSON)
  assert.is_nil(outcome)
  assert.equal(why, err.message)
  assert.same({ "gate", 5 }, { err.stage, err.exit })
  assert.equal(0, victim.count(at))
  assert.equal("refused", state_home.told(p.id):match "%w+$")
end

-- Somebody writes into the store, past us.
local function tamper(sql, ...)
  local db = assert(database.open(state_home.path "beamlens.db"))
  assert(db:run(sql, ...))
  db:close()
end

local function sign_again(p, at_time)
  tamper("update actions set state = 'approved', approval = ?",
    require("runtime.json").encode(approval.sign(assert(actions.get(store, p.id)), key(), at_time)))
end

local FORGED = "the approval of a1 is not of what stands there now: it was forged, or the action was changed"

describe("an action", function()
  setup(function() at = live.start() end)
  teardown(live.stop_all)
  before_each(function()
    state_home.open()
    async.run(function()
      victim.start(at)
      store = assert(actions.store {})
    end)
  end)
  after_each(state_home.close)

  it("does nothing to the node while it is only proposed", live.test(function()
    local p = proposed()
    assert.same({ "a1", "proposed", "victim", "DANGEROUS", at.name }, { p.id, p.state, p.object, p.class, p.node })
    assert.equal(0, victim.count(at))
    assert.equal("proposed", state_home.told "a1")
  end))

  it("is done once it was approved, and looked after", live.test(function()
    local outcome = assert(actions.perform(at.node, approved(), PERSON))
    assert.same({ "a1", "verified" }, { outcome.id, outcome.state })
    assert.equal(1, victim.count(at))
    assert.equal("proposed approved executing executed verified", state_home.told "a1")
  end))

  it("says so when it did not help", live.test(function()
    victim.start(at, true)
    local p = approved("kill_process", { process = "victim", reason = "shutdown" })
    p = assert(ledger.step(p, { to = "executed", from = { "approved" } }))
    p = assert(actions.settle(at.node, p, 0))
    assert.same({ "not_verified", "it has not ended: it traps exits, so it may refuse shutdown; kill ends it" },
      { p.state, p.outcome.message })
  end))

  it("is refused while nobody approved it", live.test(function()
    assert_refused("nobody approved a1", proposed())
  end))

  it("is refused when the approval was taken out again", live.test(function()
    local p = approved()
    tamper "update actions set approval = null"
    assert_refused("nobody approved a1", p)
  end))

  it("is refused when the approval was forged", live.test(function()
    local p = proposed()
    tamper("update actions set state = 'approved', approval = ?",
      require("runtime.json").encode(approval.sign(p, ("0"):rep(64))))
    assert_refused(FORGED, p)
  end))

  it("is refused when the approval has no HMAC", live.test(function()
    local p = proposed()
    tamper("update actions set state = 'approved', approval = ?",
      ('{"approved_at": %d, "nonce": "n", "approver": "root"}'):format(os.time()))
    assert_refused(FORGED, p)
  end))

  for column, value in pairs { arguments = '{"process":"init","reason":"kill"}', action = "gc_process",
    object = "another", life = "1/1/1", identity = "8361", class = "CAUTION", given = "8361" } do
    it("is refused when its " .. column .. " is not what was approved", live.test(function()
      local p = approved()
      tamper(("update actions set %s = ?"):format(column), value)
      assert_refused(FORGED, p)
    end))
  end

  it("is refused when the approval is of another one", live.test(function()
    local first, second = approved("gc_process", { process = "victim" }), proposed()
    tamper("update actions set state = 'approved', approval = (select approval from actions where number = 1) "
      .. "where number = 2")
    assert_refused((FORGED:gsub("a1", "a2")), second)
    assert.equal("approved", actions.get(store, first.id).state)
  end))

  it("is refused when the approval is older than ten minutes", live.test(function()
    local p = proposed()
    sign_again(p, os.time() - 660)
    assert_refused("the approval of a1 is 11 minutes old, and one lives 10", p)
  end))

  it("is refused when the approval is of a time to come", live.test(function()
    local p = proposed()
    sign_again(p, os.time() + 660)
    assert_refused("the approval of a1 is of a time to come", p)
  end))

  it("is done once only", live.test(function()
    local p = approved()
    assert(actions.perform(at.node, p, PERSON))
    local outcome, err = actions.perform(at.node, p, PERSON)
    assert.same({ nil, "a1 is verified, so nothing was done; `beamlens-run actions show a1` tells more" },
      { outcome, tostring(err) })
    assert.equal(1, victim.count(at))
  end))

  for column, value in pairs { arguments = "{", identity = "xyz", proposed_by = "5", proposed_at = "soon" } do
    it(("is told to be broken where its %s is nonsense"):format(column), live.test(function()
      local p = approved()
      tamper(("update actions set %s = ?"):format(column), value)
      local outcome, err = actions.perform(at.node, p, PERSON)
      assert.same({ nil, 2 }, { outcome, err.exit })
      assert.equal(("a1 in the store is broken: its %s is nothing that was written by us; somebody changed the store: "
        .. "move it away, and propose anew"):format(column), tostring(err))
    end))
  end

  it("is done once only though the store was put back", live.test(function()
    local p = approved()
    assert(actions.perform(at.node, p, PERSON))
    tamper "update actions set state = 'approved'"
    tamper "delete from nonces"
    local outcome, err = actions.perform(at.node, p, PERSON)
    assert.same({ nil, "the approval of a1 was used already; approve it anew" }, { outcome, tostring(err) })
    assert.equal(1, victim.count(at))
  end))

  it("is not done to a process that took the name", live.test(function()
    local p = approved()
    victim.start(at)
    local outcome = assert(actions.perform(at.node, p, PERSON))
    assert.equal("failed", outcome.state)
    assert.matches("^nothing was done: ", outcome.message)
    assert.equal(0, victim.count(at))
    assert.equal("proposed approved executing failed", state_home.told "a1")
  end))

  it("is not done to a process that took the pid", live.test(function()
    local p = proposed("kill_process", { process = tostring(at.eval "whereis(victim).") })
    -- Reductions only grow: one that has fewer than the preview saw is another.
    local identity = require("host.etf").decode(ledger.bytes(p.identity))
    identity[7] = identity[7] + 1e9
    tamper("update actions set identity = ?", ledger.pack(identity))
    sign_again(p)
    local outcome = assert(actions.perform(at.node, p, PERSON))
    assert.equal("failed", outcome.state)
    assert.equal(0, victim.count(at))
  end))

  it("is still what was proposed while nothing changed, and not when it was replaced", live.test(function()
    local p = proposed()
    assert.is_true(actions.same(at.node, p))
    victim.start(at)
    local same, err = actions.same(at.node, p)
    assert.is_nil(same)
    assert.matches("^victim is not what was proposed any more: ", err.message)
  end))

  it("is not done on another node", live.test(function()
    local p = approved()
    assert_refused(("a1 is for %s, not for other@127.0.0.1"):format(at.name), p, PERSON, { name = "other@127.0.0.1" })
  end))

  it("is refused by nobody's word", live.test(function()
    assert_refused("nobody's word stands for it", approved(), { kind = "model" })
  end))

  it("is done by the word of a runbook that allows it", live.test(function()
    local p = proposed("gc_process", { process = "victim" })
    local outcome = assert(actions.perform(at.node, p, { kind = "runbook", name = "free", allows = { "gc_process" } }))
    assert.equal("verified", outcome.state)
    assert.same({ kind = "runbook", name = "free" }, actions.get(store, p.id).authority)
  end))

  it("is refused by the word of a runbook that does not allow it", live.test(function()
    assert_refused("the runbook free does not allow kill_process", proposed(),
      { kind = "runbook", name = "free", allows = { "gc_process" } })
  end))

  it("is done by runbooks so often in an hour and no more", live.test(function()
    local free = { kind = "runbook", name = "free", allows = { "gc_process" }, per_hour = 2 }
    for _ = 1, 2 do assert(actions.perform(at.node, proposed("gc_process", { process = "victim" }), free)) end
    local p = proposed("gc_process", { process = "victim" })
    local outcome, err = actions.perform(at.node, p, free)
    assert.same({ nil, "runbooks: the actions of the last hour were 2 already, and no more were allowed, "
      .. "so nothing was done" },
      { outcome, err.message })
    assert.equal("proposed", actions.get(store, p.id).state)
  end))

  it("is rejected for good", live.test(function()
    local p = approved()
    p = assert(actions.reject(p, "not now"))
    assert.same({ "rejected", "not now" }, { p.state, p.outcome.message })
    local again, err = actions.approve(p, key())
    assert.same({ nil, "a1 is rejected, so nothing was done" }, { again, err.message })
    assert_refused("a1 is rejected, so nothing was done", p)
  end))

  it("makes way for the same one proposed again", live.test(function()
    proposed()
    proposed()
    assert.equal("superseded", actions.get(store, "a1").state)
    assert.equal("proposed", actions.get(store, "a2").state)
  end))

  it("is not done when its line cannot be written into the audit", live.test(function()
    local p = approved()
    uv.fs_chmod(state_home.path "audit.jsonl", 420)
    local outcome, err = actions.perform(at.node, p, PERSON)
    assert.is_nil(outcome)
    assert.matches("audit.jsonl may be read by others, so it is not used", err.message, 1, true)
    assert.equal(0, victim.count(at))
    uv.fs_chmod(state_home.path "audit.jsonl", 384)
    assert(ledger.tell(store))
    assert.equal("approved", actions.get(store, p.id).state)
  end))

  it("is neither proposed nor done when the owner's policy forbids it", live.test(function()
    local p = approved()
    local before = os.getenv "XDG_CONFIG_HOME"
    uv.os_setenv("XDG_CONFIG_HOME", state_home.folder)
    local file = assert(io.open(state_home.path "policy.lua", "w"))
    file:write 'return { actions = { kill_process = "never" } }'
    file:close()
    uv.fs_chmod(state_home.path "policy.lua", 384)
    assert(policy.reload())
    assert_refused("your policy forbids kill_process", p)
    local again, err = propose()
    assert.same({ nil, "your policy forbids kill_process; see " .. state_home.path "policy.lua" },
      { again, tostring(err) })
    if before then uv.os_setenv("XDG_CONFIG_HOME", before) else uv.os_unsetenv "XDG_CONFIG_HOME" end
    assert(policy.start())
  end))

  it("keeps all that it writes to its owner", live.test(function()
    assert(actions.perform(at.node, approved(), PERSON))
    for _, name in ipairs { "beamlens.db", "beamlens.db-wal", "audit.jsonl", "approval.key" } do
      assert.equal("600", ("%o"):format(uv.fs_stat(state_home.path(name)).mode % 512), name)
    end
  end))

  it("has each line of the audit once, with who and what", live.test(function()
    assert(actions.perform(at.node, approved(), PERSON))
    local marks = {}
    for _, line in ipairs(state_home.audit()) do
      assert.is_nil(marks[line.mark])
      marks[line.mark] = true
      assert.same({ "a1", at.name, "kill_process", "victim", { process = "victim", reason = "kill" } },
        { line.id, line.node, line.action, line.object, line.arguments })
    end
    local executing = state_home.audit()[3]
    assert.same({ "person", uv.os_get_passwd().username }, { executing.authority.kind, executing.authority.name })
  end))

  it("tells of each step", live.test(function()
    local told = {}
    local off = telemetry.on("*", function(event) told[#told + 1] = event:match "^action%..*" end)
    assert(actions.perform(at.node, approved(), PERSON))
    off()
    assert.same({ "action.proposed", "action.approved", "action.executed", "action.verified" }, told)
  end))

  it("names the nearest for an action or an argument that there is not", live.test(function()
    local function said(...) return tostring(select(2, propose(...))) end
    assert.equal("there is no action kil_process; did you mean kill_process?", said "kil_process")
    assert.equal("gc_process takes no proces; did you mean process?", said("gc_process", { proces = "victim" }))
    assert.equal("gc_process: process must be a string", said("gc_process", {}))
  end))

  it("is not proposed for what is not there, or never to be touched", live.test(function()
    local p, err = propose("kill_process", { process = "nobody_here" })
    assert.is_nil(p)
    assert.same({ "gate", 5 }, { err.stage, err.exit })
    p, err = propose("kill_process", { process = "init" })
    assert.is_nil(p)
    assert.same({ "gate", 5 }, { err.stage, err.exit })
    assert.same({}, actions.list(store, 10))
  end))
end)

describe("an action for a node that was restarted since", function()
  it("is refused, though the process has its name and its pid again", function()
    state_home.open()
    local cookie, p = "RESTARTED", nil
    at = live.start { name = "bl_again@127.0.0.1", cookie = cookie }
    async.run(function()
      store = assert(actions.store {})
      victim.start(at)
      p = approved()
    end)
    live.stop_all()
    at = live.start { name = "bl_again@127.0.0.1", cookie = cookie }
    async.run(function()
      victim.start(at)
      local same, err = actions.same(at.node, p)
      assert.is_nil(same)
      assert.equal("victim is not what was proposed any more: bl_again@127.0.0.1 was restarted since", err.message)
      local outcome = assert(actions.perform(at.node, p, PERSON))
      assert.same({ "failed", "nothing was done: bl_again@127.0.0.1 was restarted since it was proposed" },
        { outcome.state, outcome.message })
      assert.equal(0, victim.count(at))
    end)
    live.stop_all()
    state_home.close()
  end)
end)
