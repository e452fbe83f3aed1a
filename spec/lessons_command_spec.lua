-- What is learned from runs that somebody judged, by the real program: limits that move, drafts of checks, what would
-- be lost by them. The runs are those of one real node, and of the same with other figures.

local uv = require "luv"
local async = require "runtime.async"
local cassette = require "runtime.cassette"
local feedback = require "runtime.feedback"
local json = require "runtime.json"
local kept_run = require "spec.support.kept_run"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local store = require "runtime.store"

-- Who handles more slowly than it is sent to.
local PLANT = [[
  register(orders_inbox, spawn(fun() -> (fun W() -> receive _ -> timer:sleep(20), W() end end)() end)),
  spawn(fun F() -> [orders_inbox ! {order, X} || X <- lists:seq(1, 20)], timer:sleep(10), F() end), true.]]

local home, tape, folder, s, made

-- How many it took out is near the limits of checks on a slow machine, so that it is no matter of the machine.
local function mailbox(name, growth, queue)
  return { name = name, queue_growth = growth, final_queue = queue, queue_first = queue, queue_last = queue + growth,
    queue_min = queue, queue_max = queue + growth, taken_at_least = 100 }
end

-- A run in the store, with its cassette.
local function run(fields)
  made = made + 1
  local path = ("%s/run%d.cassette"):format(folder, made)
  return kept_run.keep(s, kept_run.record(tape, path, ("%x"):format(made):rep(32), fields), path), path
end

-- One that was not recorded.
local function unrecorded(fields)
  made = made + 1
  local path = ("%s/gone%d"):format(folder, made)
  local report, observations = kept_run.record(tape, path, ("%x"):format(made):rep(32), fields)
  os.remove(path)
  return kept_run.keep(s, report, nil, observations)
end

local function say(id, word, cause)
  assert(feedback.keep(s, { id = id, state = "ended" }, { word = word, note = "",
    cause = cause and assert(feedback.cause(cause, s)) or nil }))
end

local function environment() return { HOME = folder, XDG_STATE_HOME = folder, ERL_EPMD_PORT = "1" } end

local function beamlens(...)
  return program.run({ ... }, { env = environment(), cwd = folder })
end

local function learned(...)
  local ran = beamlens("lessons", "--json", "--quiet", ...)
  assert.equal(0, ran.code, ran.stderr)
  return assert(json.decode(ran.stdout))
end

local function told(...)
  local ran = beamlens("lessons", "--quiet", ...)
  assert.equal(0, ran.code, ran.stderr)
  return ran.stdout
end

local function refused(...)
  local ran = beamlens("lessons", ...)
  assert.same({ 2, "" }, { ran.code, ran.stdout })
  return (ran.stderr:gsub("^beamlens%-run: ", ""):gsub("\n$", ""):gsub(folder:gsub("%p", "%%%0"), "FOLDER"))
end

local function limits(done)
  local list = {}
  for i, lesson in ipairs(done.lessons) do
    list[i] = { lesson.file, lesson.kind, lesson.knob, lesson.from, lesson.to }
  end
  return list
end

local function after(done)
  local list = {}
  for i, one in ipairs(done.replayed) do list[i] = ("%s %s"):format(one.name, table.concat(one.after.found, ", ")) end
  return list
end

describe("lessons", function()
  setup(function()
    home = assert(uv.fs_mkdtemp "/tmp/spec-lessons-XXXXXX")
    tape = home .. "/live.cassette"
    local at = live.start()
    async.run(function()
      at.eval(PLANT)
      local ran = program.run({ "coordinator.lua", "--skills", "beam", "--provider", "analyst", "--quiet", "--node",
        at.name, "--cookie-file", at.cookie_file, "--record", tape },
        { env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home, XDG_STATE_HOME = home } })
      assert.equal(1, ran.code, ran.stderr)
    end)
    live.stop_all()
  end)
  teardown(function() os.execute(("rm -rf '%s'"):format(home)) end)
  before_each(function()
    folder, made = assert(uv.fs_mkdtemp "/tmp/spec-lessons-XXXXXX"), 0
    uv.fs_mkdir(folder .. "/beamlens", 448)
    s = assert(store.open(folder .. "/beamlens/beamlens.db"))
  end)
  after_each(function()
    s:close()
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  it("says what to do where nobody said anything", live.test(function()
    run {}
    assert.matches("^nobody said of a run whether it was right, so there is nothing to learn from\n", told())
    assert.same({}, learned().lessons)
  end))

  it("has nothing to propose where all was right", live.test(function()
    say(run {}, "right")
    local done = learned()
    assert.same({ {}, "", { "r1 orders_inbox: slow_consumer" } }, { done.lessons, done.diff, after(done) })
    assert.matches("\nnothing is proposed\n", told())
  end))

  it("moves a limit beyond what was not so, as far as what was right stays, and the commands that it prints apply it",
    live.test(function()
      say(run(mailbox("orders_inbox", 3000, 5000)), "right") -- whatever the real one grew by on a busy machine
      local wrong, path = run(mailbox("audit_log", 38, 60))
      say(wrong, "wrong", "healthy")
      local done = learned()
      assert.same({ { "checks/beam_mailboxes.lua", "false_alarm", "GROWS", 20, 40 } }, limits(done))
      assert.same({ 39, { name = "queue_growth", value = 38 } }, { done.lessons[1].solved_at, done.lessons[1].figure })
      assert.same({ "r1 orders_inbox: slow_consumer", "r2 " }, after(done))
      assert.is_nil(uv.fs_stat(folder .. "/.config/beamlens")) -- it writes nothing by itself
      local text = told("--diff", "lessons.patch")
      assert.matches("\n1. checks/beam_mailboxes.lua:%d+: GROWS = 40, now 20\n", text)
      assert.matches("r2  said wrong, there was nothing  sick, audit_log: slow_consumer +%-> healthy\n", text)
      local commands = text:match "\nnothing was changed; to apply it\n(.*)$"
      local applied = program.run({ "-ec", (commands:gsub("beamlens%-run", program.path)) },
        { path = "/bin/sh", env = environment(), cwd = folder })
      assert.equal(0, applied.code, applied.stderr)
      assert.equal("healthy", json.decode(beamlens("replay", path, "--json").stdout).report.verdict)
      assert.same({ {}, {} }, { learned().lessons, learned().refused })
    end))

  it("lowers a limit for what was missed, and says what another step would cost", live.test(function()
    say(run(mailbox("metrics", 5, 40)), "right")
    say(run(mailbox("mailer", 15, 40)), "wrong", "mailer:slow_consumer")
    local done = learned()
    local lesson = done.lessons[1]
    assert.same({ "missed", "GROWS", 15, 5, "r1 would name metrics: slow_consumer, which was not so" },
      { lesson.kind, lesson.knob, lesson.solved_at, lesson.harmed_at, lesson.harm })
    assert.is_true(lesson.to < 15 and lesson.to > 5)
    assert.same({ "r1 ", "r2 mailer: slow_consumer" }, after(done))
  end))

  it("proposes no limit that loses what was right, and says which run that was", live.test(function()
    say(run(mailbox("orders", 30, 60)), "right")
    say(run(mailbox("audit_log", 38, 60)), "wrong", "healthy")
    local done = learned()
    assert.same({}, done.lessons)
    assert.equal("audit_log: slow_consumer in r2: checks/beam_mailboxes.lua: GROWS = 39 would do, but r1 would lose "
      .. "orders: slow_consumer, which was right", done.refused[1])
    assert.matches("\nnot proposed audit_log: slow_consumer in r2: ", told())
  end))

  it("drafts a check for what no limit finds, which finds it and nothing else", live.test(function()
    say(run(mailbox("metrics", 1, 40)), "right")
    say(run(mailbox("mailer", 1, 400)), "wrong", "mailer:missing_process")
    local done = learned()
    local lesson = done.lessons[1]
    assert.same({ "missed", "missing_process", nil }, { lesson.kind, lesson.mechanism, lesson.knob })
    assert.matches("^checks/beam_missing_process_mailer.lua$", lesson.file)
    assert.same({ "r1 ", "r2 mailer: missing_process" }, after(done))
    assert.matches("\n%+%-%-%- A draft, from r2, where nothing found this:\n", done.diff)
  end))

  it("drafts a check that says nothing yet of what stands in no answer", live.test(function()
    say(run(mailbox("metrics", 1, 40)), "wrong", "a \"cron\" job:missing_process")
    local done = learned()
    assert.same({ "checks/beam_missing_process_a_cron_job.lua", false },
      { done.lessons[1].file, done.lessons[1].runs[1].solved })
    assert.same({ "r1 " }, after(done))
  end))

  it("tries the findings of runs that were not recorded, by the answers that are kept of them", live.test(function()
    say(unrecorded(mailbox("orders", 100, 60)), "right")
    say(unrecorded(mailbox("audit_log", 38, 60)), "wrong", "healthy")
    local done = learned()
    assert.same({ "GROWS", 39, "r1 would lose orders: slow_consumer, which was right" },
      { done.lessons[1].knob, done.lessons[1].solved_at, done.lessons[1].harm })
    assert.same({ "r1 orders: slow_consumer", "r2 " }, after(done))
    assert.same({ {}, {} }, { done.unheard, done.unread })
    assert.matches("\nr2  said wrong, there was nothing  audit_log: slow_consumer  %-> not found\n", told())
  end))

  it("finds again what the store of a real run keeps", live.test(function()
    local real = home .. "/beamlens/beamlens.db"
    local opened = assert(store.open(real))
    assert(opened.db:run "update runs set cassette = null")
    assert(feedback.keep(opened, { id = "r1", state = "ended" }, { word = "right", note = "" }))
    opened:close()
    local one = learned("--store", real).replayed[1]
    assert.same({ "r1", true, { "orders_inbox: slow_consumer" } }, { one.name, one.kept, one.before.found })
  end))

  it("takes cassettes that it is named, by file or folder, and knows their runs", live.test(function()
    local id, path = run(mailbox("audit_log", 38, 60))
    say(id, "wrong", "healthy")
    assert(s.db:run "update runs set cassette = null")
    local text = told()
    assert.matches("\nnot tried    r1: not without a cassette; ", text)
    assert.equal("r1", learned("--cassettes", path).replayed[1].name)
    assert.equal(40, learned("--cassettes", folder).lessons[1].to)
  end))

  it("says which cassettes it could not read, and goes on", live.test(function()
    say(run {}, "right")
    local _, path = run {}
    os.remove(path)
    assert.matches("run2.cassette cannot be read %(ENOENT%)", learned().unread[1])
  end))

  it("is refused where it is asked for what is not there", live.test(function()
    say(run {}, "right")
    assert.equal("FOLDER/none.cassette cannot be read (ENOENT); check the path",
      refused("--cassettes", folder .. "/none.cassette"))
    assert.equal("there is no cassette in FOLDER/beamlens; they end in .cassette: `--record FILE.cassette` of a run "
      .. "makes one", refused("--cassettes", folder .. "/beamlens"))
    assert.equal("--diff wants the name of a file for a difference, not run1.cassette; let it end in .patch",
      refused("--diff", "run1.cassette"))
    assert(io.open(folder .. "/mine.patch", "w")):close()
    assert.equal("mine.patch is there already; remove it, or name another file", refused("--diff", "mine.patch"))
    assert.is_not_nil(cassette.read(folder .. "/run1.cassette"))
  end))
end)
