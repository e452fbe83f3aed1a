-- What runs leave behind, by the real program on a real node: `runs`, `show`, `insights`, also after a kill -9, with
-- two of us at once, and where the store cannot be used.

local uv = require "luv"
local async = require "runtime.async"
local database = require "host.db"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local store = require "runtime.store"

local PATIENCE_S = 60

local at, folder

local function environment(more)
  local env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home, XDG_STATE_HOME = folder,
    BEAMLENS_SCRIPT = "spec/support/played_case.lua" }
  for name, value in pairs(more or {}) do env[name] = value end
  return env
end

local RUN = { "coordinator.lua", "--skills", "ets", "--provider", "script", "--quiet" }

local function arguments(...)
  local args = { unpack(RUN) }
  for _, more in ipairs { "--node", at.name, "--cookie-file", at.cookie_file, ... } do args[#args + 1] = more end
  return args
end

local function start(env, ...) return program.start(arguments(...), { env = environment(env) }) end

local function finished(running)
  local code = running.wait(PATIENCE_S)
  return { code = code, stdout = running.stdout(), stderr = running.stderr() }
end

local function investigate(...) return finished(start(nil, ...)) end

local function beamlens(...)
  return program.run({ ... }, { env = environment() })
end

local function told(...)
  local ran = beamlens(...)
  assert.equal(0, ran.code, ran.stderr)
  return ran.stdout
end

local function decoded(...) return assert(json.decode(told(...))) end

local function path() return folder .. "/beamlens/beamlens.db" end

local function write(db, sql)
  local opened = assert(database.open(db))
  assert(opened:exec(sql))
  opened:close()
end

describe("what runs leave behind", function()
  setup(function() at = live.start() end)
  teardown(function() live.stop_all() end)
  before_each(function() folder = assert(uv.fs_mkdtemp "/tmp/spec-runs-XXXXXX") end)
  after_each(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  it("is listed by `runs`: number, node, verdict, reason", live.test(function()
    assert.equal(1, investigate("--reason", "checkout is slow").code)
    local run = decoded("runs", "--json").runs[1]
    assert.same({ "r1", at.name, "ended", "sick", "script", "checkout is slow" },
      { run.id, run.node, run.state, run.verdict, run.mind, run.reason })
    assert.matches('^r1  %d+%-%d+%-%d+ %d+:%d+  ' .. at.name:gsub("%p", "%%%0") .. "  sick  +[%d.]+ s  %-  script  "
      .. '"checkout is slow"\n$', told "runs")
  end))

  it("is the same report again with `show`, by number and by the beginning of the trace id", live.test(function()
    local report = json.decode(investigate("--json").stdout)
    assert.equal("r1", report.run)
    assert.same(report, decoded("show", "r1", "--json"))
    assert.same(report, decoded("show", "last", "--json"))
    assert.same(report, decoded("show", report.trace_id:sub(1, 6), "--json"))
    local first, rest = told("show", "r1"):match "^([^\n]*)\n(.*)$"
    assert.matches("^r1  %d+%-%d+%-%d+T%d+:%d+:%d+Z, [%d.]+ s, script$", first)
    assert.matches("^SICK  ", rest)
    assert.matches("kept as r1\n$", rest)
  end))

  it("are findings in `insights`, each once, open until a later run came to a verdict without it", live.test(function()
    investigate()
    investigate()
    local found = decoded("insights", "--json").insights
    assert.equal(1, #found)
    assert.same({ "tables", "other", "warning", 2, "r2", true },
      { found[1].object, found[1].mechanism, found[1].severity, found[1].times, found[1].run, found[1].open })
    local shown = pty.start({ "insights" }, { env = environment(), whole = true, columns = 80 })
    assert.equal(0, shown.wait())
    assert.equal(("warning  %s  tables: other\n    2 times since MOMENT, last MOMENT, r2\n"):format(at.name),
      (shown.screen():gsub("\r", ""):gsub("%d+%-%d+%-%d+ %d+:%d+", "MOMENT")))
    write(path(), [[insert into runs (trace_id, node, skills, reason, mind, started_at, process, ended_at, verdict)
      select 'f', node, skills, '', mind, started_at, process, ended_at, 'healthy' from runs where number = 1]])
    local gone = decoded("insights", at.name, "--json").insights[1]
    assert.same({ false, "r3" }, { gone.open, gone.gone_in })
    assert.same({ schema = 1, insights = {} }, decoded("insights", "other@host", "--json"))
    assert.equal("no run of other@host is kept\n", told("insights", "other@host"))
    assert.equal(("no run of %sx is kept; did you mean %s?\n"):format(at.name, at.name),
      told("insights", at.name .. "x"))
  end))

  it("is there for scripts as `beamlens.store`", live.test(function()
    local script = folder .. "/look.lua"
    local file = assert(io.open(script, "w"))
    file:write [[
      local beamlens = require "beamlens"
      local report = assert(beamlens.coordinator.run())
      local kept, first = beamlens.store, assert(beamlens.store.run(report.run))
      local figures = kept.history(report.nodes[1], "ets.table_count", 1)
      print(kept.runs(5)[1].verdict, first.verdict, kept.insights(report.nodes[1])[1].object, #figures)
      print(select(2, kept.run "r99"))
      for _, slip in ipairs { function() kept.runs("x") end, function() kept.run(5) end } do
        print((tostring(select(2, pcall(slip))):gsub("^.-look", "look")))
      end
      return 0]]
    file:close()
    local args = { script, unpack(arguments(), 2) }
    local ran = program.run(args, { env = environment() })
    assert.same({ 0, "sick\tsick\ttables\t1\nthere is no run r99; `beamlens-run runs` lists them\n"
      .. "look.lua:7: store.runs wants how many, a whole number; for example store.runs(20)\n"
      .. 'look.lua:7: store.run wants the name of a run; for example store.run("r17")\n' },
      { ran.code, ran.stdout }, ran.stderr)
  end))

  it("is nothing with --store :memory:", live.test(function()
    assert.equal(1, investigate("--store", ":memory:").code)
    assert.equal("no run is kept\n", told "runs")
    assert.equal("nothing was found in the runs that are kept\n", told "insights")
  end))

  it("is not made by who only looks", live.test(function()
    told "runs"
    assert.is_nil(uv.fs_stat(path()))
    local ran = beamlens("runs", "--store", folder .. "/typo.db")
    assert.same({ 2, ("beamlens-run: there is no store %s/typo.db; name the one that the runs were kept in\n")
      :format(folder) }, { ran.code, ran.stderr })
  end))

  local function told_so_far()
    local reader = uv.fs_stat(path()) and database.open(path())
    local rows = reader and reader:rows "select id from notifications" or {}
    if reader then reader:close() end
    return #rows
  end

  -- Until its notification stands in the file.
  local function until_told(running)
    local deadline = async.now() + PATIENCE_S
    while told_so_far() == 0 do
      assert(async.now() < deadline, running.stderr())
      async.sleep(0.02)
    end
  end

  it("is what was told until then, after a kill -9", live.test(function()
    local running = start { SPEC_HOLD = "1" }
    until_told(running)
    assert.equal("running", decoded("runs", "--json").runs[1].state)
    running.kill "sigkill"
    running.wait()
    assert.equal("interrupted", decoded("runs", "--json").runs[1].state)
    local report = decoded("show", "r1", "--json")
    assert.same({ "cannot_tell", "interrupted", "there are tables" },
      { report.verdict, report.incomplete, report.notifications[1].observation })
    assert.matches("ended before it had a report", told("show", "r1"))
  end))

  it("is a whole run after Ctrl-C, with what it had", live.test(function()
    local running = start { SPEC_HOLD = "1" }
    until_told(running)
    running.kill "sigint"
    assert.equal(1, finished(running).code)
    local run = decoded("runs", "--json").runs[1]
    assert.same({ "ended", "sick", "interrupted" }, { run.state, run.verdict, run.incomplete })
  end))

  it("is whole with two of us at once on one store", live.test(function()
    local two = { start(), start() }
    assert.same({ 1, 1 }, { finished(two[1]).code, finished(two[2]).code })
    local list = decoded("runs", "--json").runs
    assert.same({ "r2", "r1" }, { list[1].id, list[2].id })
    assert.same({ "sick", "sick" }, { list[1].verdict, list[2].verdict })
    assert.equal(2, decoded("insights", "--json").insights[1].times)
  end))

  it("is not kept where the usual store was written by a newer one: the run goes on and says so", live.test(function()
    assert(uv.fs_mkdir(folder .. "/beamlens", 448))
    assert(store.open(path())):close()
    write(path(), "pragma user_version = 99")
    local ran = investigate("--json")
    assert.equal(1, ran.code)
    assert.equal(1, select(2, ran.stderr:gsub("this run goes on, but is not kept: ", "")))
    assert.matches("was written by a newer beamlens%-run", json.decode(ran.stdout).not_kept)
  end))

  it("is not kept where there is no place for it: the run goes on and says so in its report", live.test(function()
    local ran = finished(start { XDG_STATE_HOME = "/proc/none" })
    assert.equal(1, ran.code)
    assert.matches("\nnot kept: /proc/none cannot be made: ", ran.stdout)
  end))

  it("refuses a store that was named and cannot be used, before anything is asked", live.test(function()
    local ran = investigate("--store", "/proc/none/store.db")
    assert.same({ 2, "" }, { ran.code, ran.stdout })
    assert.matches("^beamlens%-run: /proc/none/store.db cannot be made: ", ran.stderr)
  end))

  it("ends no run when the disk is full in the middle of it", live.test(function()
    assert(uv.fs_mkdir(folder .. "/beamlens", 448))
    assert(store.open(path())):close()
    -- 512 bytes a block: the file may not grow any more, as on a full disk.
    local words = {}
    for i, word in ipairs(arguments "--json") do words[i] = ("'%s'"):format(word) end
    local running = program.start({ "-c", ("trap '' XFSZ; ulimit -f 120; exec '%s' %s"):format(program.path,
      table.concat(words, " ")) }, { path = "/bin/sh", env = environment() })
    local ran = finished(running)
    assert.equal(1, ran.code, ran.stderr)
    local report = json.decode(ran.stdout)
    assert.same({ "sick", nil }, { report.verdict, report.run })
    assert.matches("disk I/O error", report.not_kept)
    assert.equal(1, select(2, ran.stderr:gsub("this run goes on, but is not kept: ", "")))
  end))

  it("lets go of what is older than `retention` says", live.test(function()
    investigate()
    -- and a run each week since
    write(path(), ([[update runs set started_at = NOW - 91 * 86400; update events set at = NOW - 91 * 86400;
      with recursive n(i) as (values (1) union all select i + 1 from n where i < 12)
      insert into runs (trace_id, node, skills, reason, mind, started_at, process)
        select 'x', 'n@h', '[]', '', '', NOW - (91 - 7 * i) * 86400, '' from n]]):gsub("NOW", os.time()))
    investigate()
    local opened = assert(store.open(path()))
    for _, name in ipairs { "insights", "notifications", "observations", "events" } do
      assert.same({ { run = 14 } }, opened:rows(("select distinct run from %s"):format(name)))
    end
    assert.same({ { least = 2 } }, opened:rows "select min(number) as least from runs")
    opened:close()
  end))

  it("are all there after a run by a clock that was wrong by years", live.test(function()
    investigate()
    local now = os.time()
    for _, wrong in ipairs { now + 31536000, 1000 } do
      write(path(), ([[update runs set started_at = %d, ended_at = 1000
        where number = (select max(number) from runs)]]):format(wrong))
      investigate()
    end
    local opened = assert(store.open(path()))
    assert.same({ { n = 3 } }, opened:rows "select count(*) as n from runs")
    opened:close()
  end))

  it("is told in words where somebody wrote nonsense into the store", live.test(function()
    investigate()
    write(path(), "update insights set operators = '7', body = 'x'; update runs set skills = '1', report = 'y'")
    assert.matches("tables: other", told "insights")
    assert.matches("^r1 ", told "runs")
    local ran = beamlens("show", "r1")
    assert.same({ 2, "beamlens-run: the report of r1 in the store is broken; somebody changed the store: move it "
      .. "away\n" }, { ran.code, ran.stderr })
  end))

  it("says what it takes when it is asked for what is not there", live.test(function()
    for words, said in pairs {
      ["show"] = "show wants a run; `beamlens-run runs` lists them",
      ["show r7"] = "there is no run r7; `beamlens-run runs` lists them",
      ["show last"] = "no run is kept; `beamlens-run coordinator.lua` makes one",
      ["show x"] = "x is no run; name it as r17, or by its trace_id",
      ["runs r7"] = "runs wants a number from 1 to 10000, not r7; one run stands in `beamlens-run show r7`",
    } do
      local list = {}
      for word in words:gmatch "%S+" do list[#list + 1] = word end
      local ran = beamlens(unpack(list))
      assert.same({ 2, "beamlens-run: " .. said .. "\n" }, { ran.code, ran.stderr })
    end
  end))
end)
