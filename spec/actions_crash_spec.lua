-- kill -9 at every step of an action's path: what stands in the store and in the audit fits what happened
-- to the node, the next look says so, and nothing is done a second time.

local actions = require "runtime.actions"
local async = require "runtime.async"
local epmd = require "runtime.node.epmd"
local held_up = require "spec.support.held_up"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local ours = require "host.files"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local state_home = require "spec.support.state_home"
local victim = require "spec.support.victim"

local PATIENCE_S = 60

local at, relay, running, folder, node_port

local function go(step) assert(io.open(("%s/%s"):format(folder, step), "w")):close() end

local function until_true(what, check)
  local deadline = async.now() + PATIENCE_S
  while not check() do
    if async.now() > deadline then
      error(("never came to %s\n%s%s"):format(what, running.stdout(), (running.stderr or running.screen)()), 2)
    end
    async.sleep(0.005)
  end
end

local function environment()
  return { XDG_STATE_HOME = folder, HOME = at.home, ERL_EPMD_PORT = tostring(at.epmd_port) }
end

local function start(id)
  return program.start({ "spec/support/performer.lua", at.name, at.cookie_file, tostring(relay.port), folder, id },
    { path = ours.exe, env = environment() })
end

-- A performer that stands before this step, with those before it behind it.
local function before(step)
  running = start()
  for _, name in ipairs { "propose", "approve", "perform" } do
    until_true(name, function() return running.stdout():find("before " .. name, 1, true) end)
    if name == step then return end
    go(name)
  end
end

-- Bytes that arrived for the node and that it has not read yet: of the fullest of its connections.
local function unread()
  local most, port = 0, (":%04X"):format(node_port)
  for line in io.lines "/proc/net/tcp" do
    local address, queue = line:match "^%s*%d+: %x+(:%x+) %S+ %x+ %x+:(%x+)"
    if address == port then most = math.max(most, tonumber(queue, 16)) end
  end
  return most
end

local function kill()
  running.kill "sigkill"
  running.wait()
end

-- Reads it as another process may, while the performer writes.
local function state()
  local db = assert(require("host.db").open(state_home.path "beamlens.db"))
  local rows = db:rows "select state from actions where number = 1"
  db:close()
  return rows and rows[1] and rows[1].state
end

-- What the program shows of it afterwards; by then it has looked, where it could.
local function listed(env)
  local all = environment()
  for name, value in pairs(env or {}) do all[name] = value end
  local run = program.run({ "actions", "--json" }, { env = all })
  assert.equal(0, run.code, run.stdout .. run.stderr)
  return assert(json.decode(run.stdout)).actions
end

local function only() return listed()[1] end

describe("an action whose program is killed", function()
  setup(function() at = live.start() end)
  teardown(live.stop_all)
  before_each(function()
    folder = state_home.open()
    async.run(function()
      victim.start(at)
      node_port = assert(epmd.port("127.0.0.1", at.name:match "^(.-)@", async.now() + PATIENCE_S))
      relay = held_up.start(node_port)
    end)
  end)
  after_each(function()
    at:thaw()
    relay.close()
    state_home.close()
  end)

  it("before it was proposed, is nowhere", live.test(function()
    before "propose"
    kill()
    assert.same({}, listed())
    assert.equal(0, victim.count(at))
  end))

  it("when it was proposed, is proposed", live.test(function()
    before "approve"
    kill()
    assert.equal("proposed", only().state)
    assert.equal("proposed", state_home.told "a1")
    assert.equal(0, victim.count(at))
  end))

  it("when it was approved, is approved and not done", live.test(function()
    before "perform"
    kill()
    assert.equal("approved", only().state)
    assert.equal("proposed approved", state_home.told "a1")
    assert.equal(0, victim.count(at))
  end))

  it("before the node got the deed, is found not to have been done", live.test(function()
    before "perform"
    relay.up = false
    go "perform"
    until_true("executing", function() return state() == "executing" end)
    kill()
    local shown = only()
    assert.same({ "not_verified", "it may have been done: the program ended while it was at it; it has not ended yet" },
      { shown.state, shown.outcome.message })
    assert.equal("proposed approved executing unknown not_verified", state_home.told "a1")
    assert.equal(0, victim.count(at))
  end))

  it("after the node did the deed, is found to have been done", live.test(function()
    before "perform"
    relay.down = false
    go "perform"
    until_true("the deed", function() return victim.count(at) == 1 end)
    assert.equal("executing", state())
    kill()
    assert.equal("verified", only().state)
    assert.equal("proposed approved executing unknown verified", state_home.told "a1")
    assert.equal(1, victim.count(at))
  end))

  it("before it was looked after, is looked after by the next", live.test(function()
    before "perform"
    function relay.on_down() relay.up = false end -- the answer comes back, and no more is asked
    go "perform"
    until_true("executed", function() return state() == "executed" end)
    kill()
    assert.equal("verified", only().state)
    assert.equal("proposed approved executing executed verified", state_home.told "a1")
    assert.equal(1, victim.count(at))
  end))

  it("and whose node cannot be reached, is unknown: it may have been done", live.test(function()
    before "perform"
    relay.down = false
    go "perform"
    until_true("the deed", function() return victim.count(at) == 1 end)
    kill()
    assert.equal("unknown", listed({ ERL_EPMD_PORT = "1" })[1].state)
    local env = { ERL_EPMD_PORT = "1", XDG_STATE_HOME = folder, HOME = at.home }
    assert.matches("unknown: it may have been done", program.run({ "actions" }, { env = env }).stdout, 1, true)
    assert.equal("proposed approved executing unknown", state_home.told "a1")
  end))

  it("at the person's terminal, while the node stands still, is done once when the node goes on", live.test(function()
    local store = assert(actions.store {})
    assert(actions.propose(at.node, "kill_process", { process = "victim" }, { store = store }))
    running = pty.start({ "actions", "approve", "a1" }, { env = environment() })
    running.see "to do it, anything else to leave it:"
    at:freeze()
    running.type "victim"
    until_true("a deed on its way", function() return state() == "executing" and unread() > 1000 end)
    kill()
    assert.equal("proposed approved executing", state_home.told "a1")
    at:thaw()
    until_true("the deed", function() return victim.count(at) == 1 end)
    assert.equal("verified", only().state)
    assert.equal("proposed approved executing unknown verified", state_home.told "a1")
    assert.equal(1, victim.count(at))
  end))

  it("is not taken for dead by another look while it is at it", live.test(function()
    before "perform"
    relay.up = false
    go "perform"
    until_true("executing", function() return state() == "executing" end)
    assert.equal("executing", only().state)
    assert.equal("proposed approved executing", state_home.told "a1")
    kill()
  end))

  it("or that is cut off before the answer comes, is unknown, until the next look tells", live.test(function()
    before "perform"
    relay.down = false
    go "perform"
    until_true("the deed", function() return victim.count(at) == 1 end)
    relay.close()
    assert.equal(0, (running.wait()))
    assert.equal("unknown", running.stdout():match "performed: (%a+)\n")
    assert.equal("proposed approved executing unknown", state_home.told "a1")
    assert.equal("verified", only().state)
    assert.equal("proposed approved executing unknown verified", state_home.told "a1")
    assert.equal(1, victim.count(at))
  end))

  local function audit_lines()
    local lines = {}
    for line in io.lines(state_home.path "audit.jsonl") do lines[#lines + 1] = line end
    return lines
  end

  -- As it is when the program ended after the lines were written into the store: this much of them is in the file.
  local function file_has(text)
    local file = assert(io.open(state_home.path "audit.jsonl", "w"))
    file:write(text)
    file:close()
    local db = assert(require("host.db").open(state_home.path "beamlens.db"))
    assert(db:run "update audit set told = 0")
    db:close()
  end

  it("between the store and the audit, has its line all the same, and each once", live.test(function()
    before "perform"
    kill()
    local lines = audit_lines()
    file_has(lines[1] .. "\n")
    assert.equal("approved", only().state)
    assert.same(lines, audit_lines())
  end))

  it("in the middle of its line, has the whole of it after the half", live.test(function()
    before "perform"
    kill()
    local lines = audit_lines()
    file_has(lines[1] .. "\n" .. lines[2]:sub(1, -10))
    assert.equal("approved", only().state)
    assert.same({ lines[1], lines[2]:sub(1, -10), lines[2] }, audit_lines())
  end))

  it("that nobody killed is done once by three that perform it at the same time", live.test(function()
    before "perform"
    local all = { running, start "a1", start "a1" }
    for _, other in ipairs(all) do
      running = other
      until_true("perform", function() return other.stdout():find("before perform", 1, true) end)
    end
    go "perform"
    local ends = {}
    for _, one in ipairs(all) do
      one.wait()
      ends[#ends + 1] = one.stdout():match "(%l+): [^\n]*\n$"
    end
    table.sort(ends)
    assert.same({ "performed", "refused", "refused" }, ends)
    assert.equal(1, victim.count(at))
    assert.equal(1, select(2, state_home.told("a1"):gsub("executing", "")))
  end))
end)
