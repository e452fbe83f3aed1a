local uv = require "luv"
local actions = require "runtime.actions"
local approval = require "runtime.approval"
local etf = require "host.etf"
local ledger = require "runtime.ledger"
local crowd = require "spec.support.crowd"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local state_home = require "spec.support.state_home"

local ROOT = require("host.files").root

-- A check that finds the trouble at once, where ours of the same trouble look for two seconds.
local CHECK = [[
return { { id = "spec_leak", mechanism = "spec_leak", look = { { "beam_get_memory" } },
  suspect = function(snapshot) return snapshot.binary_memory_mb > 16 end,
  confirm = function() return { object = "they", severity = "warning", hypothesis = "they hold it", figures = {},
    unlike = {}, next_steps = {} } end } }]]

describe("run_runbook", function()
  local at, folder, store

  local function write(name, changes)
    local file = assert(io.open(ROOT .. "/examples/runbooks/free_binaries.lua"))
    local text = file:read("*a"):gsub("free_binaries", name):gsub("binary_refs_held", "spec_leak")
    file:close()
    for from, to in pairs(changes or {}) do
      local first, last = text:find(from, 1, true)
      text = text:sub(1, first - 1) .. to .. text:sub(last + 1)
    end
    file = assert(io.open(("%s/beamlens/runbooks/%s.lua"):format(folder, name), "w"))
    file:write(text)
    file:close()
  end

  setup(function()
    at = live.start()
    held.in_task(crowd.load, at, "holders")
    held.in_task(at.evaluate, at, "holders:start(300).")
    folder = uv.fs_realpath(uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX")
    os.execute(("mkdir -p %s/beamlens/runbooks %s/beamlens/checks"):format(folder, folder))
    uv.os_setenv("XDG_CONFIG_HOME", folder)
    local file = assert(io.open(folder .. "/beamlens/checks/beam_spec.lua", "w"))
    file:write(CHECK)
    file:close()
    write "free_binaries"
  end)
  teardown(function()
    live.stop_all()
    uv.os_unsetenv "XDG_CONFIG_HOME"
    os.execute("rm -rf " .. folder)
  end)
  before_each(function()
    state_home.open()
    store = assert(actions.store {})
  end)
  after_each(function() state_home.close() end)

  local function propose(name)
    return actions.propose(at.node, "run_runbook", { runbook = name }, { store = store, reason = "they hold it" })
  end

  local function do_it(p)
    p = assert(actions.approve(p, assert(approval.key {})))
    return actions.perform(at.node, p, { kind = "person" })
  end

  local function holding() return at.eval "holders:holding()." end

  it("shows each step before it is approved, and does nothing yet", live.test(function()
    local before = holding()
    local p = assert(propose "free_binaries")
    assert.same({ "free_binaries", "DANGEROUS", "proposed" }, { p.object, p.class, p.state })
    assert.equal(3, p.figures.steps)
    assert.matches('^gc_process (<0%.%d+%.0>) %(process = "%1"%); is lost: nothing but .*: "it waits in .* and refers '
      .. "to %d+ kB of binaries", p.figures.step_1)
    assert.equal(before, holding())
  end))

  it("does the steps that were approved, each an action of its own", live.test(function()
    local before = holding()
    local p = assert(propose "free_binaries")
    local outcome = assert(do_it(p))
    assert.equal("verified", outcome.state)
    assert.matches("^3 of 3 steps: a2 gc_process is verified, a3", outcome.after)
    assert.equal(3, before - holding())
    local child = assert(actions.get(store, "a2"))
    assert.same({ "verified", "runbook", p.id }, { child.state, child.by.kind, child.by.parent })
    assert.equal("proposed approved executing executed verified", state_home.told(p.id))
    assert.equal("proposed executing executed verified", state_home.told "a2")
  end))

  it("does none of them when one is not what it was", live.test(function()
    local p = assert(propose "free_binaries")
    local pid = p.figures.step_3:match "<[%d.]+>"
    at.eval("exit(list_to_pid(binary_to_list(P)), kill), receive after 200 -> ok end.", { P = pid })
    local before = holding()
    local same, why = actions.same(at.node, p)
    assert.is_nil(same)
    assert.matches("is not what was proposed any more", tostring(why))
    local outcome = assert(do_it(p))
    assert.equal("failed", outcome.state)
    assert.matches("^nothing was done: " .. pid:gsub("%p", "%%%0"), outcome.message)
    assert.equal(before, holding())
  end))

  -- As who can only write the store would have it.
  local function swapped(p, step, version)
    local identity = etf.decode(ledger.bytes(p.identity))
    identity[1] = version or identity[1]
    for at_place, value in pairs(step) do identity[2][1][at_place] = value end
    assert(store:transaction(function(db)
      return db:run("update actions set identity = ?", ledger.pack(identity))
    end))
    return assert(actions.get(store, p.id))
  end

  it("does no step that its file does not allow, whatever stands in the store", live.test(function()
    local p = swapped(assert(propose "free_binaries"), { "kill_process" })
    local before = holding()
    local same, why = actions.same(at.node, p)
    assert.is_nil(same)
    assert.matches("the runbook free_binaries does not allow kill_process", tostring(why), 1, true)
    assert.matches("does not allow kill_process", assert(do_it(p)).message, 1, true)
    assert.equal(before, holding())
  end))

  it("asks the node anew what each step is done to", live.test(function()
    local p = swapped(assert(propose "free_binaries"), { [3] = "something harmless" })
    local seen, why = actions.preview(at.node, actions.find "run_runbook", p)
    assert.is_nil(seen)
    assert.matches("step 1 would be done to <0%.%d+%.0> now, and not to something harmless", tostring(why))
  end))

  it("does nothing when its file was edited since", live.test(function()
    local p = swapped(assert(propose "free_binaries"), {}, "000000000000")
    local same, why = actions.same(at.node, p)
    assert.is_nil(same)
    assert.matches("the runbook free_binaries was edited since", tostring(why), 1, true)
  end))

  it("is refused where its check finds nothing", live.test(function()
    write("quiet", { ['mechanism = "spec_leak"'] = 'mechanism = "mailbox_flood"' })
    local p, err = propose "quiet"
    assert.is_nil(p)
    assert.matches("no check finds now what it is for", tostring(err))
  end))

  it("is refused with a step that the runbook does not allow", live.test(function()
    write("greedy", { ['action = "gc_process"'] = 'action = "kill_process"' })
    local p, err = propose "greedy"
    assert.is_nil(p)
    assert.matches("the runbook greedy does not allow kill_process", tostring(err))
  end))

  it("is refused for a runbook that is not there", live.test(function()
    local p, err = propose "nothing"
    assert.is_nil(p)
    assert.matches("there is no runbook nothing", tostring(err))
  end))

  it("runs no runbook that runs runbooks", live.test(function()
    write("circle", { ['allows = { "gc_process" }'] = 'allows = { "run_runbook" }' })
    local p, err = propose "circle"
    assert.is_nil(p)
    assert.matches("allows: no runbook runs another", tostring(err))
  end))
end)
