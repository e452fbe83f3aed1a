-- A run writes itself down while it goes on: real runs on a live node with a played model, looked at from outside
-- by another connection to the same file.

local uv = require "luv"
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local database = require "host.db"
local gate = require "runtime.gate"
local journal = require "runtime.journal"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local played_case = require "spec.support.played_case"
local runs = require "runtime.runs"
local script = require "runtime.llm.script"
local skill = require "runtime.skill"
local store = require "runtime.store"
local telemetry = require "runtime.telemetry"

local at, folder, path, other
local RETENTION = { runs_days = 90, events_days = 7 }

local function mind()
  return {
    name = "played", model = "m1", destination = "nowhere",
    operator = function(s) return script.new(played_case, { agent = "operator", skill = s.name }) end,
    coordinator = function() return script.new(played_case, { agent = "coordinator" }) end,
  }
end

-- A whole run; `heard` are functions by event, called while it goes on.
local function investigate(heard)
  local kept = assert(journal.open { store = path, retention = RETENTION })
  local offs = {}
  for event, fn in pairs(heard or {}) do offs[#offs + 1] = telemetry.on(event, fn) end
  local report = assert(coordinator.run {
    node = at.node, skills = { assert(skill.open "ets") }, mind = mind(), gate = gate.new {}, reason = "why not",
    deadline = async.now() + 60, journal = kept,
  })
  kept:ended(report)
  for _, off in ipairs(offs) do off() end
  return report, kept
end

local function rows(sql)
  other = other or assert(database.open(path))
  return assert(other:rows(sql))
end

describe("runtime.journal", function()
  setup(function() at = live.start() end)
  teardown(function() live.stop_all() end)
  before_each(function()
    folder = assert(uv.fs_mkdtemp "/tmp/spec-journal-XXXXXX")
    path = folder .. "/store.db"
  end)
  after_each(function()
    if other then other:close() end
    other = nil
    store.close_all()
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  it("has a row for the run before anything is asked of the node", live.test(function()
    local seen
    investigate { ["coordinator.started"] = function()
      seen = rows "select node, skills, reason, mind, ended_at from runs"
    end }
    assert.same({ { node = at.name, skills = '["ets"]', reason = "why not", mind = "played m1" } }, seen)
  end))

  it("has a notification on the disk, with what it rests on, before anybody is told", live.test(function()
    local told, kept, observed
    investigate { ["operator.notification_sent"] = function(_, _, n)
      told, kept = n.id, rows "select id, body from notifications"
      observed = rows "select id, body from observations"
    end }
    assert.same({ told, "there are tables" }, { kept[1].id, json.decode(kept[1].body).observation })
    assert.equal(json.decode(kept[1].body).evidence[1].value, json.decode(observed[1].body).value.table_count)
  end))

  it("has an insight on the disk before anybody is told", live.test(function()
    local told, kept
    investigate { ["coordinator.insight_produced"] = function(_, _, i)
      told, kept = i.summary, rows "select node, object, mechanism, operators, body from insights"
    end }
    assert.equal(told, json.decode(kept[1].body).summary)
    kept[1].body = nil
    assert.same({ { node = at.name, object = "tables", mechanism = "other", operators = '["ets"]' } }, kept)
  end))

  it("keeps the report, the figures of the snapshots and the events", live.test(function()
    local report = investigate()
    local s = assert(store.shared { store = path })
    assert.same(json.decode(json.encode(report)), (runs.report(s, "r1")))
    local figures = assert(runs.history(s, at.name, "ets.table_count", 1))
    assert.equal(report.looks[1].figures.table_count, figures[1].value)
    local events = {}
    for _, row in ipairs(rows "select event, body from events order by seq") do
      events[row.event] = json.decode(row.body)
    end
    assert.equal("ets", events["operator.notification_sent"].operator)
    assert.equal(report.insights[1].summary, events["coordinator.insight_produced"].summary)
  end))

  it("ends no run when another holds the store, tells it once, and keeps all of it once that one lets go",
    live.test(function()
      local failed, holder = 0, nil
      local report = investigate {
        ["coordinator.started"] = function()
          holder = assert(database.open(path))
          assert(holder:exec "begin immediate")
        end,
        ["store.failed"] = function() failed = failed + 1 end,
        ["coordinator.done"] = function()
          assert(holder:exec "rollback")
          holder:close()
        end,
      }
      assert.same({ 1, "sick", "r1" }, { failed, report.verdict, report.run })
      assert.same({ { notifications = 1, insights = 1, ended = 1 } }, rows [[select
        (select count(*) from notifications) as notifications, (select count(*) from insights) as insights,
        (select count(*) from runs where report is not null) as ended]])
    end))

  it("says in the report that it is not kept where the store never came back", live.test(function()
    local holder
    local report = investigate { ["coordinator.started"] = function()
      holder = assert(database.open(path))
      assert(holder:exec "begin immediate")
    end }
    holder:close()
    assert.same({ "sick", nil }, { report.verdict, report.run })
    assert.equal(path .. ": database is locked; another beamlens-run writes to it: try again", report.not_kept)
  end))

  it("listens to no event any more once the run is over", live.test(function()
    local report, kept = investigate()
    telemetry.emit("node.up", {}, { node = at.name, trace_id = report.trace_id })
    assert.same({}, kept.waiting)
  end))

  it("keeps all that is told at the same time while another holds the store", live.test(function()
    local kept = assert(journal.open { store = path, retention = RETENTION })
    local holder = assert(database.open(path))
    assert(holder:exec "begin immediate")
    local case = { trace_id = ("a"):rep(32), node = at.node, skills = {}, reason = "", mind = { name = "played" },
      evidence = { get = function() end } }
    local tasks = { async.spawn(kept.begin, kept, case) }
    for i = 1, 3 do tasks[#tasks + 1] = async.spawn(kept.notification, kept, { id = "n" .. i }) end
    assert(holder:exec "rollback")
    holder:close()
    for _, task in ipairs(tasks) do task:join(async.now() + 20) end
    assert.same({ { n = 3 } }, rows "select count(*) as n from notifications where run = 1")
    assert.is_nil(kept.why)
    kept:ended(nil)
  end))

  it("takes the row of a run away that came to nothing before it began", live.test(function()
    local kept = assert(journal.open { store = path, retention = RETENTION })
    local case = { trace_id = ("a"):rep(32), node = at.node, skills = {}, reason = "", mind = { name = "played" } }
    kept:begin(case)
    assert.same({ { n = 1 } }, rows "select count(*) as n from runs")
    kept:ended(nil)
    assert.same({ { n = 0 } }, rows "select count(*) as n from runs")
  end))

  it("knows a process by its start, not by its number alone", function()
    local pid = uv.os_getpid()
    assert.matches("^" .. pid .. ":%d+$", journal.process(pid))
    assert.is_nil(journal.process(4194305))
  end)
end)
