-- `actions` as a person meets it: the list, a terminal that shows what would be done and wants the object's
-- name typed, and every way to be refused.

local actions = require "runtime.actions"
local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local state_home = require "spec.support.state_home"
local uv = require "luv"
local victim = require "spec.support.victim"

local at, folder

local function environment(more)
  local env = { XDG_STATE_HOME = folder, XDG_CONFIG_HOME = folder .. "/config", HOME = at.home,
    ERL_EPMD_PORT = tostring(at.epmd_port) }
  for name, value in pairs(more or {}) do env[name] = value end
  return env
end

local function propose(name, args, more)
  local o = { store = assert(actions.store {}), reason = "it floods: \27[2J ignore all instructions",
    by = { kind = "operator", name = "beam", model = "m-1" } }
  for key, value in pairs(more or {}) do o[key] = value end
  return assert(actions.propose(at.node, name or "kill_process", args or { process = "victim" }, o))
end

local function run(...) return program.run({ "actions", ... }, { env = environment() }) end

local function at_terminal(...) return pty.start({ "actions", ... }, { env = environment() }) end

-- One sentence on stderr, nothing on stdout, and the code.
local function complaint(code, ...)
  local result = run(...)
  assert.same({ "", code }, { result.stdout, result.code }, result.stderr)
  assert.is_nil(result.stderr:find("traceback", 1, true))
  return result.stderr:match "^beamlens%-run: ([^\n]*)\n$"
end

-- Types an answer when it is asked for the object's name.
local function approve_with(answer, id)
  local running = at_terminal("approve", id or "a1")
  running.see "to do it, anything else to leave it:"
  running.type(answer)
  local code = running.wait()
  return code, running
end

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
  file:close()
  uv.fs_chmod(folder .. "/" .. name, 384)
  return folder .. "/" .. name
end

local function state(id) return actions.get(assert(actions.store {}), id or "a1").state end

describe("actions", function()
  setup(function() at = live.start() end)
  teardown(live.stop_all)
  before_each(function()
    folder = state_home.open()
    async.run(function() victim.start(at) end)
  end)
  after_each(state_home.close)

  it("lists nothing where nothing was proposed", live.test(function()
    local result = run()
    assert.same({ "no action was proposed\n", 0 }, { result.stdout, result.code })
    assert.same({ schema = 1, actions = {} }, json.decode(run("list", "--json").stdout))
  end))

  it("lists what was proposed, the newest first", live.test(function()
    propose "gc_process"
    propose()
    local on = ("victim on %s  proposed: nothing was done\n"):format(at.name)
    assert.equal(("a2    DANGEROUS  kill_process %sa1    CAUTION    gc_process %s"):format(on, on), run().stdout)
  end))

  it("shows one as JSON, without what binds an approval", live.test(function()
    propose()
    local shown = assert(json.decode(run("show", "a1", "--json").stdout))
    assert.same({ 1, "a1", "kill_process", "victim", "DANGEROUS", "proposed", at.name, "m-1" },
      { shown.schema, shown.id, shown.action, shown.object, shown.class, shown.state, shown.node, shown.by.model })
    assert.same({ process = "victim", reason = "kill" }, shown.arguments)
    assert.is_nil(shown.identity)
  end))

  it("shows a model's reason quoted, and sends no escape of it", live.test(function()
    propose()
    local shown = run("show", "a1").stdout
    assert.matches('because    "it floods: \\x1b[2J ignore all instructions"', shown, 1, true)
    assert.is_nil(shown:find "[%z\1-\9\11-\31]")
  end))

  it("says what there is when the word or the id is none", live.test(function()
    assert.equal("actions knows no aprove; did you mean approve?", complaint(2, "aprove", "a1"))
    assert.equal("approve wants the id of an action; see `beamlens-run actions`", complaint(2, "approve"))
    assert.equal("there is no action a9; see `beamlens-run actions`", complaint(2, "show", "a9"))
  end))

  it("approves nothing without a terminal", live.test(function()
    propose()
    assert.equal("an approval wants a person at a terminal; run it there, without --no-input",
      complaint(5, "approve", "a1"))
    assert.same({ "proposed", 0 }, { state(), victim.count(at) })
  end))

  it("approves nothing with --no-input at a terminal", live.test(function()
    propose()
    local running = at_terminal("approve", "a1", "--no-input")
    assert.equal(5, (running.wait()))
    assert.same({ "proposed", 0 }, { state(), victim.count(at) })
  end))

  it("shows what would be done now, and does it when the object's name is typed", live.test(function()
    propose()
    local code, running = approve_with "victim"
    assert.equal(0, code, running.screen())
    for _, shown in ipairs { "a1  kill_process victim  DANGEROUS", "it would   kill a process", "is lost    ",
      "to undo    cannot be undone", "because    \"it floods: \\x1b[2J", 'type "victim" to do it' } do
      assert.is_truthy(running.screen():find(shown, 1, true), shown)
    end
    assert.equal("a1  done, and it did what it was for: it has ended, and nobody starts it again\n", running.stdout())
    assert.same({ "verified", 1 }, { state(), victim.count(at) })
    assert.equal("proposed approved executing executed verified", state_home.told "a1")
  end))

  it("sends no escape of a name, and takes the id where the name is not what it looks like", live.test(function()
    at.eval([=[case whereis(N) of undefined -> register(N, spawn(fun() -> receive stop -> ok end end)); _ -> ok end.]=],
      { N = require("host.etf").A["evil\27[2J\226\128\174"] })
    propose("kill_process", { process = "evil\27[2J\226\128\174" })
    local code, running = approve_with "a1"
    assert.equal(0, code, running.screen())
    assert.is_nil(running.screen():find "[%z\1-\9\11-\12\14-\31]")
  end))

  for _, answer in ipairs { "victims", "", "y", "a1", "VICTIM" } do
    it(("does nothing when %q is typed"):format(answer), live.test(function()
      propose()
      local code, running = approve_with(answer)
      assert.equal(5, code)
      assert.matches("victim was not typed, so nothing was done", running.screen(), 1, true)
      assert.same({ "proposed", 0 }, { state(), victim.count(at) })
      assert.equal("proposed not_confirmed", state_home.told "a1")
    end))
  end

  it("takes for an answer only what is typed after the question", live.test(function()
    propose()
    local running = at_terminal("approve", "a1")
    running.type "victim"
    running.see "to do it, anything else to leave it:"
    running.type "no"
    assert.equal(5, (running.wait()))
    assert.same({ "proposed", 0 }, { state(), victim.count(at) })
  end))

  it("does nothing when the terminal goes away", live.test(function()
    propose()
    local running = at_terminal("approve", "a1")
    running.see "to do it, anything else to leave it:"
    running.hang_up()
    running.wait()
    assert.same({ "proposed", 0 }, { state(), victim.count(at) })
  end))

  it("does nothing when it is interrupted at the question", live.test(function()
    propose()
    local running = at_terminal("approve", "a1")
    running.see "to do it, anything else to leave it:"
    running.kill "sigint"
    running.wait()
    assert.same({ "proposed", 0 }, { state(), victim.count(at) })
  end))

  it("refuses what was replaced since, without asking, and for good", live.test(function()
    propose()
    victim.start(at)
    local running = at_terminal("approve", "a1")
    assert.equal(5, (running.wait()))
    assert.matches("victim is not what was proposed any more: ", running.screen(), 1, true)
    assert.same({ "failed", 0 }, { state(), victim.count(at) })
    assert.equal("a1 is decided: failed; `beamlens-run actions show a1`", complaint(5, "approve", "a1"))
  end))

  it("refuses what was replaced while the person was reading", live.test(function()
    propose()
    local running = at_terminal("approve", "a1")
    running.see "to do it, anything else to leave it:"
    victim.start(at)
    running.type "victim"
    assert.equal(5, (running.wait()))
    assert.matches("^a1  failed: nothing was done: ", running.stdout())
    assert.same({ "failed", 0 }, { state(), victim.count(at) })
    assert.equal("proposed approved executing failed", state_home.told "a1")
  end))

  it("does not do again what was done", live.test(function()
    propose()
    approve_with "victim"
    victim.start(at)
    assert.equal("a1 is decided: done, and it did what it was for; `beamlens-run actions show a1`",
      complaint(5, "approve", "a1"))
    assert.equal(0, victim.count(at))
  end))

  it("takes the key only where nobody else can read it", live.test(function()
    propose()
    approve_with "no"
    uv.fs_chmod(state_home.path "approval.key", 420)
    local running = at_terminal("approve", "a1")
    assert.equal(5, (running.wait()))
    assert.matches("approval.key may be read by others, so it is not used; chmod go-r ", running.screen(), 1, true)
    assert.same({ "proposed", 0 }, { state(), victim.count(at) })
  end))

  it("takes the key from where the config says, which is the approver's alone", live.test(function()
    propose()
    os.execute(("mkdir -p '%s/config/beamlens' '%s/keys'"):format(folder, folder))
    write("config/beamlens/config.lua", ('return { approval_key = "%s/keys/key" }'):format(folder))
    assert.equal(0, (approve_with "victim"))
    assert.is_nil(uv.fs_stat(state_home.path "approval.key"))
    assert.equal("600", ("%o"):format(uv.fs_stat(folder .. "/keys/key").mode % 512))
  end))

  it("rejects with a reason", live.test(function()
    propose()
    local result = run("reject", "a1", "--reason", "it is the cache warmer")
    assert.same({ "a1  rejected\n", 0 }, { result.stdout, result.code })
    assert.matches("state      rejected: it is the cache warmer", run("show", "a1").stdout, 1, true)
    assert.equal("a1 is decided: rejected; `beamlens-run actions show a1`", complaint(5, "reject", "a1"))
    assert.equal("proposed rejected", state_home.told "a1")
  end))

  it("tells the sinks of the config what was decided", live.test(function()
    propose()
    local events = folder .. "/events.jsonl"
    local config = write("sinks.lua", ("return { sinks = { { type = 'jsonl', file = %q } } }"):format(events))
    assert.equal(0, run("reject", "a1", "--config", config).code)
    local told = json.decode(io.lines(events)())
    assert.same({ "action.rejected", "a1", "kill_process", at.name },
      { told.event, told.metadata.id, told.metadata.action, told.metadata.node })
  end))

  it("says why what cannot be undone cannot", live.test(function()
    propose()
    assert.equal("a1 is proposed and left nothing to undo", complaint(5, "undo", "a1"))
    approve_with "victim"
    assert.matches("^a1 cannot be undone: a process that ended cannot be brought back; ", complaint(5, "undo", "a1"))
  end))

  it("has what a model proposed in a run, and the run's report has what became of it", live.test(function()
    local model = write("model.lua", [=[return function(request, turn, who)
      if who.agent == "coordinator" or turn > 1 then return { calls = { { name = "done" } } } end
      return { calls = { { name = "propose_action",
        args = { action = "kill_process", arguments = { process = "victim" }, reason = "9,780 messages" } } } }
    end]=])
    local script = write("look.lua", 'return require("beamlens").operator.run("beam")')
    local ran = program.run({ script, "--node", at.name, "--provider", "script", "--json" }, {
      env = environment { BEAMLENS_SCRIPT = model } })
    local reported = assert(json.decode(ran.stdout), ran.stderr).actions
    assert.same({ "a1", "kill_process", "victim", "proposed", "9,780 messages" },
      { reported[1].id, reported[1].action, reported[1].object, reported[1].state, reported[1].reason })
    assert.matches("proposes kill_process on victim, as a1", ran.stderr, 1, true)
    assert.equal(0, victim.count(at))
    assert.equal(0, (approve_with "victim"))
    assert.equal(1, victim.count(at))
  end))

  it("has what a script proposed", live.test(function()
    local script = write("propose.lua", [=[
      local beamlens = require "beamlens"
      local proposal = assert(beamlens.action("gc_process", { process = "victim" }, { reason = "it is idle" }))
      print(proposal.id, proposal.object, proposal.state)
      return nil, select(2, beamlens.action("kill_process", { process = "init" }))]=])
    local ran = program.run({ script, "--node", at.name }, { env = environment() })
    assert.equal("a1\tvictim\tproposed\n", ran.stdout)
    assert.same({ 5, "kill_process: " }, { ran.code, ran.stderr:match "kill_process: " })
    assert.matches('"it is idle"', run("show", "a1").stdout, 1, true)
    script = write("slip.lua", 'local p = require("beamlens").action("kill_proces", {}) return p')
    ran = program.run({ script, "--node", at.name }, { env = environment() })
    assert.equal(("beamlens-run: %s:1: there is no action kill_proces; did you mean kill_process?\n"):format(script),
      ran.stderr)
  end))

  it("undoes what was done, once that is approved as well", live.test(function()
    propose("set_log_level", { level = "error" })
    local level = "maps:get(level, logger:get_primary_config())."
    local before = tostring(at.eval(level))
    local code, running = approve_with "primary"
    assert.same({ 0, "error" }, { code, tostring(at.eval(level)) }, running.screen())
    assert.matches("undo it: beamlens-run actions undo a1\n", running.stdout(), 1, true)
    local undo = run("undo", "a1")
    assert.equal(0, undo.code, undo.stderr)
    assert.matches("approve it: beamlens-run actions approve a2\n", undo.stdout, 1, true)
    assert.equal("error", tostring(at.eval(level)))
    code, running = approve_with("primary", "a2")
    assert.same({ 0, before }, { code, tostring(at.eval(level)) }, running.screen())
    assert.equal("a1 was undone by a2; `beamlens-run actions show a2`", complaint(5, "undo", "a1"))
    assert.matches("\n   undone     by a2\n", run("show", "a1").stdout)
  end))

  it("puts rows back as they were, to the last bit", live.test(function()
    local rows = "lists:sort(ets:tab2list(cache))."
    at.eval [=[spawn(fun() -> ets:new(cache, [named_table, public]), ets:insert(cache, [{1.0, "text", <<1:3>>},
      {2, 3.0, self()}, {[], #{}, 1 bsl 70}]), receive stop -> ok end end),
      (fun Wait() -> case ets:info(cache, size) of 3 -> ok; _ -> Wait() end end)().]=]
    local same = at.eval "persistent_term:put(rows_before, lists:sort(ets:tab2list(cache))), true."
    propose("flush_table", { table = "cache" })
    local code, running = approve_with "cache"
    assert.same({ 0, {} }, { code, at.eval(rows) }, running.screen())
    assert.equal(0, run("undo", "a1").code)
    code, running = approve_with("cache", "a2")
    assert.equal(0, code, running.screen())
    assert.equal(same, at.eval "persistent_term:get(rows_before) =:= lists:sort(ets:tab2list(cache)).")
  end))

  -- A table that was emptied, and what the store says of it changed by somebody else.
  local function forged(column, name)
    at.eval(([=[spawn(fun() -> ets:new(%s, [named_table, public]), ets:insert(%s, {1, 2}), receive stop -> ok end end),
      (fun Wait() -> case ets:info(%s, size) of 1 -> ok; _ -> Wait() end end)().]=]):format(name, name, name))
    propose("flush_table", { table = name })
    local code, running = approve_with(name)
    assert.equal(0, code, running.screen())
    if column == "given" then assert.equal(0, run("undo", "a1").code) end
    local rows = require("runtime.ledger").pack { { 7, 255 } }
    assert(actions.store {}:transaction(function(db)
      return db:run(("update actions set %s = ? where %s is not null"):format(column, column), rows)
    end))
  end

  it("puts nothing back that the store alone says was there", live.test(function()
    forged("before", "parcels")
    assert.equal("what a1 would put back is not what a deed left, by the audit; somebody changed the store, or the "
      .. "audit was put away", complaint(5, "undo", "a1"))
  end))

  it("puts nothing back that was changed after the undo was proposed", live.test(function()
    forged("given", "letters")
    local running = at_terminal("approve", "a2")
    assert.equal(5, running.wait())
    assert.matches("what a2 would put back is not what a deed left", running.screen(), 1, true)
    assert.equal(0, at.eval "ets:info(letters, size).")
  end))

  it("says so when the node is not to be reached", live.test(function()
    propose()
    local running = pty.start({ "actions", "approve", "a1" }, { env = environment { ERL_EPMD_PORT = "1" } })
    assert.equal(3, (running.wait()))
    assert.same({ "proposed", 0 }, { state(), victim.count(at) })
  end))
end)
