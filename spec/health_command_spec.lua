-- `health` by the real program on a real node with one long mailbox, and an Oban of the documented form in a real
-- PostgreSQL. Oban itself is not there. Figures are compared with what the node and psql say.

local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local parts = require "runtime.health.parts"
local postgres = require "spec.support.postgres"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local rules = require "runtime.health.rules"
local shop = require "spec.support.shop"
local until_true = require "spec.support.until_true"

local JOBS = [[
CREATE TYPE oban_job_state AS ENUM
  ('available', 'scheduled', 'executing', 'retryable', 'completed', 'discarded', 'cancelled');
CREATE TABLE oban_jobs (id bigserial PRIMARY KEY, state oban_job_state NOT NULL, queue text NOT NULL DEFAULT 'mail',
  worker text NOT NULL DEFAULT 'Shop.Mailer', scheduled_at timestamp NOT NULL DEFAULT timezone('UTC', now()),
  attempted_at timestamp);
INSERT INTO oban_jobs (state, scheduled_at) SELECT 'available', timezone('UTC', now()) - interval '20 minutes'
  FROM generate_series(1, 7);
INSERT INTO oban_jobs (state) SELECT 'executing' FROM generate_series(1, 3);
INSERT INTO oban_jobs (state) SELECT 'completed' FROM generate_series(1, 50);
]]
local LOADED = [[ok = application:load({application, oban, [{vsn, "2.17.0"}, {modules, []}, {registered, []},
  {applications, []}]}).]]

describe("health", function()
  local at, pg

  local function environment()
    return { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home, BEAMLENS_NODE = at.name,
      XDG_STATE_HOME = at.home .. "/state" }
  end

  local function run(...) return program.run({ "health", ... }, { env = environment() }) end

  local function decoded(...)
    local ran = run("--json", ...)
    return assert(json.decode(ran.stdout), ran.stderr), ran.code
  end

  local function by_what(answer)
    local found = {}
    for _, one in ipairs(answer.states) do found[one.what] = one end
    return found
  end

  setup(function()
    at = live.start()
    live.test(function()
      crowd.load(at)
      at.eval "crowd:deaf(sink, 20000)."
    end)()
  end)

  teardown(function()
    live.stop_all()
    if pg then pg:stop() end
  end)

  it("tells what the node itself says", live.test(function()
    local answer, code = decoded()
    assert.same({ 0, 1, at.name, {} }, { code, answer.schema, answer.node, answer.unanswered })
    assert.equal(at.eval "erlang:system_info(process_limit).", answer.processes.process_limit)
    assert.equal(at.eval "erlang:system_info(port_limit).", answer.processes.port_limit)
    assert.equal(at.eval "erlang:system_info(atom_limit).", answer.atoms.atom_limit)
    assert.equal(at.eval "erlang:system_info(ets_limit).", answer.ets.table_limit)
    assert.equal(at.eval "length(ets:all()).", answer.ets.table_count)
    assert.equal(at.eval "erlang:system_info(schedulers_online).", answer.schedulers.schedulers_online)
    assert.near(at.eval "erlang:memory(code)." / 2 ^ 20, answer.memory.code_mb, 0.5)
    assert.is_true(answer.schedulers.seconds >= 0.4)
  end))

  it("puts the longest mailbox first, with its name and where it stands", live.test(function()
    local row = decoded().top_by_mailbox.processes[1]
    assert.same({ "sink", 20000, "crowd:idle/0" }, { row.name, row.message_queue, row.current_function })
  end))

  it("says of each figure how it is, and what to run next", live.test(function()
    local answer = decoded()
    local mailbox = by_what(answer)["the longest mailbox"]
    assert.same({ "bad", 20000, 1000, 10000, "messages", true, answer.top_by_mailbox.processes[1].pid },
      { mailbox.state, mailbox.figure, mailbox.attention, mailbox.bad, mailbox.unit, mailbox.load, mailbox.pid })
    assert.same({ "bad", "yes" }, { answer.state, answer.overloaded })
    assert.equal(("beamlens-run call beam_process_info '%s' --node %s"):format(mailbox.pid, at.name), answer.next[1])
  end))

  it("leads to a command that runs as it stands there", live.test(function()
    local command = decoded().next[1]:gsub("^beamlens%-run", "\"$0\"")
    local ran = program.run({ "-c", command, program.path }, { path = "/bin/sh", env = environment() })
    assert.equal(0, ran.code, ran.stderr)
    assert.matches("\nmessage_queue: 20000\n", ran.stdout)
  end))

  it("costs the node few questions", live.test(function()
    assert.is_true(decoded().target_load.calls <= 6)
  end))

  it("is a page without colour in a pipe", live.test(function()
    local ran = run()
    assert.equal(0, ran.code)
    assert.is_nil(ran.stdout:find("\27", 1, true))
    assert.matches("\nmailboxes   bad  20,000 messages in the longest, of sink\n", ran.stdout)
  end))

  it("is one screen with colour on a terminal of 80 columns", live.test(function()
    local running = pty.start({ "health" }, { env = environment(), whole = true, columns = 80 })
    assert.equal(0, (running.wait()))
    local screen = running.screen()
    assert.matches("\nmailboxes   \27[1;31mbad\27[0m ", screen, 1, true)
    local _, lines = screen:gsub("\n", "")
    assert.is_true(18 <= lines and lines <= 34, screen)
  end))

  for name, value in pairs { NO_COLOR = "1", BEAMLENS_NO_COLOR = "1" } do
    it("has no colour with " .. name, live.test(function()
      local env = environment()
      env[name] = value
      local running = pty.start({ "health" }, { env = env, whole = true, columns = 80 })
      running.wait()
      assert.is_nil(running.screen():find("\27[1;31m", 1, true))
    end))
  end

  describe("with an Oban", function()
    setup(function()
      pg = postgres.start()
      pg:ask(JOBS)
      live.test(function()
        shop.open(at, pg, 2)
        at.eval(LOADED)
      end)()
    end)

    it("tells its jobs by state, and that they wait", live.test(function()
      local answer = decoded()
      assert.same({ 7, 3, 0 }, { answer.oban.available, answer.oban.executing, answer.oban.discarded })
      assert.near(1200, answer.oban.oldest_available_s, 60)
      assert.equal("bad", by_what(answer)["the oldest job that waits"].state)
      assert.matches("\noban        bad  available 7, executing 3; the oldest waits for 2%d min", run().stdout)
    end))

    it("shows the rest where its table is locked, says why, and exits with 4", live.test(function()
      local session = pg:session "locker"
      session.send "BEGIN; LOCK TABLE oban_jobs IN ACCESS EXCLUSIVE MODE;"
      pg:await("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted "
        .. "AND relation = 'oban_jobs'::regclass", "1")
      local answer, code = decoded()
      local page = run()
      session.close()
      assert.same({ 4, "oban" }, { code, answer.unanswered[1].part })
      assert.matches("a table is locked against reading", answer.unanswered[1].why)
      assert.equal(4, page.code)
      assert.matches("\noban        unknown  not answered: a table is locked against", page.stdout)
      assert.matches("\nmailboxes   bad ", page.stdout)
    end))
  end)
end)

describe("health of a node without time", function()
  local at

  -- Hundredths of a second of CPU time.
  local function spent(pid)
    local file = assert(io.open(("/proc/%d/stat"):format(pid)))
    local ticks = file:read("*a"):match("%) %a" .. (" %-?%d+"):rep(10) .. " (%d+)")
    file:close()
    return tonumber(ticks)
  end

  setup(function() at = live.start { args = { "+S", "1:1" } } end)
  teardown(live.stop_all)

  it("tells by counters that it had no turn for us", live.test(function()
    local etf = require "host.etf"
    crowd.load(at)
    at.eval([[spawn_opt(fun() -> timer:sleep(200), [spawn_opt(fun() -> crowd:spin(0) end, Options)
      || _ <- lists:seq(1, 8)] end, [{priority, max}]), ok.]], { Options = { etf.tuple(etf.A.priority, etf.A.high) } })
    local idle = spent(at.os_pid)
    until_true("their start", function() return spent(at.os_pid) > idle + 20 end)
    at.node.deadline = async.now() + 4
    local of, unanswered, exit = parts.ask(at.node)
    at.node.deadline = nil
    assert.same({ true, 1, 4 }, { of.starved, of.schedulers.schedulers_online, exit })
    assert.equal("figures", unanswered[1].part)
    assert.equal("yes", rules.overloaded(rules.judge(of)))
  end))
end)
