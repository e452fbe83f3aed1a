-- What whole runs come to on live nodes, whatever the models make of it; only the models are played.
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local gate = require "runtime.gate"
local json = require "runtime.json"
local ledger = require "spec.support.ledger"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local report = require "runtime.report"
local skill = require "runtime.skill"
local until_true = require "spec.support.until_true"
local uv = require "luv"

local calls, says, results = model.calls, model.says, model.results

describe("runtime.verdict", function()
  local sick, quiet, skills

  setup(function()
    sick, quiet = live.start { code = ledger.CODE }, live.start {}
    skills = { assert(skill.open "ets") }
  end)

  teardown(live.stop_all)

  local function run(at, leader, ets, more)
    local mind = model.mind({ ets = ets }, leader)
    for key, value in pairs(more and more.mind or {}) do mind[key] = value end
    return async.run(function()
      return assert(coordinator.run { node = at.node, skills = skills, mind = mind, gate = gate.new {},
        deadline = async.now() + 60, strategy = more and more.strategy })
    end)
  end

  local INVOKE, WAIT = { "invoke_operators", { skills = { "ets" } } }, { "wait", { ms = 60000 } }

  local function leader(...) return model.played { calls(INVOKE, WAIT), calls { "get_notifications" }, ... } end

  local function finder() return ledger.finder "critical" end

  -- Says that something is wrong, shows no figure of it, and wants to go.
  local function alarmist(...)
    return model.played { calls({ "take_snapshot" }, ...), function(request)
      return calls({ "send_notification", { type = "t", context = "c", observation = "tables look odd",
        severity = "warning", snapshot_ids = { results(request)[1].data.id } } }, { "done" })
    end, calls { "done" } }
  end

  local function insight(severity, evidence)
    return { "produce_insight", {
      notification_ids = { "n1" }, correlation_type = "single", summary = "ledger grows", severity = severity,
      matched_observations = { "ledger grew" }, root_cause = { object = "ledger", mechanism = "ets_growth" },
      confidence = "low", evidence = evidence or {},
    } }
  end

  -- What a snapshot of ets always leaves to look at.
  local LOOKS = { { "execute", { code = ledger.LOOK } },
    { "execute", { code = "return ets_table_growth(100)" } } }

  local RESOLVED = { "update_notification_statuses",
    { notification_ids = { "n1" }, status = "resolved", reason = "it is fine" } }

  describe("of a node whose trouble is proven", function()
    local WRONG = { { observation = "o1", path = "nothing", value = 1 } }

    it("is not healthy because an insight words it as info", function()
      local told
      local r = run(sick, leader(calls(insight("critical", WRONG)), calls(insight("info", WRONG)), function(request)
        told = results(request)[1].data
        return calls { "done" }
      end), finder())
      assert.same({ "cannot_tell", 4, "info" }, { r.verdict, report.exit(r), r.insights[1].severity })
      assert.same({ "n1 says: ledger grew; its figures stand, and it was set aside: i1 is only info" }, r.would_tell)
      assert.matches("^n1 is critical and its figures stand, so info leaves it open; what stands is o2 tables%[1%]",
        told.open)
    end)

    it("is sick when a graver insight follows, and the cause stands in the report once", function()
      local r = run(sick, leader(function(request)
        local claims = results(request)[1].data.notifications[1].evidence
        return calls(insight("info", claims), insight("critical", claims))
      end, calls { "done" }), finder())
      assert.same({ "sick", 1, "critical" }, { r.verdict, #r.insights, r.insights[1].severity })
    end)

    it("is sick when what was worded as info is open again", function()
      local r = run(sick, leader(calls(insight "info"), calls { "update_notification_statuses",
        { notification_ids = { "n1" }, status = "unread" } }, calls { "done" }), finder())
      assert.same({ "sick", 1, "critical" }, { r.verdict, #r.insights, r.insights[1].severity })
    end)
  end)

  describe("of a node whose snapshot leaves looks open", function()
    for what, call in pairs { ["resolved with a reason"] = RESOLVED, ["made an insight of info"] = insight "info" } do
      it(("is not healthy because words without a figure were told, and %s"):format(what), function()
        local ets = alarmist()
        local r = run(sick, leader(calls(call), calls { "done" }), ets)
        assert.equal("cannot_tell", r.verdict)
        assert.matches("look with .*ets_growth_stats", table.concat(r.would_tell, "\n"))
        assert.matches("^not yet, .*ets_growth_stats", json.decode(results(ets.asked[3])[2].text).error)
      end)
    end
  end)

  describe("of a node whose looks a model made and made nothing of", function()
    local LOOK = { "execute", { code = "return ets_growth_stats(0.03)" } }
    local TABLES = { "execute", { code = "return ets_table_growth(1800)" } }

    it("is not healthy as long as a look stays to be made that the first one calls for", function()
      local ets = model.played { calls({ "take_snapshot" }, LOOK, TABLES), calls { "done" } }
      local r = run(sick, leader(calls { "done" }), ets)
      assert.same({ "cannot_tell",
        { "the answer of ets_growth_stats does not rule out ets_growth; look with it again" } },
        { r.verdict, r.would_tell })
      assert.matches("not yet, .*ets_growth_stats does not rule out ets_growth", results(ets.asked[3])[1].text)
    end)

    it("is told a look that many checks call for once, with the words of all", function()
      local node = live.start { name = "bl_queue@127.0.0.1", code = [[ spawn(fun() ->
        register(parked, self()), [self() ! N || N <- lists:seq(1, 500)], receive stop -> ok end end).]] }
      local beam = model.played { calls({ "take_snapshot" },
        { "execute", { code = "return beam_queue_growth(1500, 10)" } }), calls { "done" } }
      local r = async.run(function()
        return assert(coordinator.run { node = node.node, skills = { assert(skill.open "beam") }, gate = gate.new {},
          mind = model.mind({ beam = beam }, model.played {
            calls({ "invoke_operators", { skills = { "beam" } } }, WAIT), calls { "done" } }),
          deadline = async.now() + 60 })
      end)
      local watched = {}
      for _, text in ipairs(r.would_tell) do
        watched[#watched + 1] = text:match "^the answer of beam_watch_process does not rule out (.*); look with it"
      end
      assert.same({ "slow_consumer, slow_server, active_socket_flood, selective_receive_scan, unhandled_messages, "
        .. "process_suspended, sys_suspended, serialising_process, other" }, watched)
    end)

    it("is not healthy where the rules find in its answers what it did not tell", function()
      local function close(request)
        local id = results(request)[1].data.result.tables[1].id
        return calls { "execute", { code = ("return ets_table_info(%q, 2000)"):format(id) } }
      end
      local ets = model.played { calls({ "take_snapshot" }, LOOK, TABLES), calls(LOOK), close, calls { "done" } }
      local r = run(sick, leader(calls { "done" }), ets)
      assert.same({ "cannot_tell", { "the looks that were made show ets_growth of ledger, and nobody told it" } },
        { r.verdict, r.would_tell })
      assert.matches("the looks that were made show ets_growth, and you did not tell it", results(ets.asked[5])[1].text)
    end)

    it("is healthy where the rules find nothing either", function()
      local ets = model.played { calls({ "take_snapshot" }, LOOK, TABLES), calls { "done" } }
      local r = run(quiet, leader(calls { "done" }), ets)
      assert.same({ "healthy", {} }, { r.verdict, r.would_tell })
      assert.equal(2, #ets.asked)
    end)
  end)

  it("is healthy where all looks were made and an alarm without a figure was resolved", function()
    local r = run(quiet, leader(calls(RESOLVED), calls { "done" }), alarmist(unpack(LOOKS)))
    assert.same({ "healthy", {}, json.null, 0 }, { r.verdict, r.would_tell, r.incomplete, report.exit(r) })
    assert.is_false(r.restarted)
  end)

  it("is whole and healthy when an operator that lost its model looked again to the end", function()
    local asked = 0
    local ets = { name = "played", ask = function()
      asked = asked + 1
      if asked == 1 then return nil, { class = "fatal", message = "hiccup" } end
      return asked == 2 and calls({ "take_snapshot" }, unpack(LOOKS)) or says "nothing"
    end }
    local r = run(quiet, model.played { calls(INVOKE, WAIT), calls(INVOKE, WAIT), calls { "done" } }, ets)
    assert.same({ "healthy", json.null, 0 }, { r.verdict, r.incomplete, report.exit(r) })
  end)

  it("does not call healthy a node that was restarted during the run, and the report says so", function()
    local old = live.start { name = "bl_reborn@127.0.0.1", cookie = "REBORN" }
    local ets = model.played { calls({ "take_snapshot" }, unpack(LOOKS)), function()
      uv.kill(old.os_pid, "sigkill")
      live.start { name = old.name, cookie = "REBORN" }
      until_true("the new node", function() return old.node.lives > 1 and old.node.state == "up" end)
      return calls { "take_snapshot" }
    end, calls { "done" } }
    local r = run(old, leader(calls { "done" }), ets)
    assert.same({ "cannot_tell", true, false, 4 }, { r.verdict, r.restarted, r.lost, report.exit(r) })
    assert.same({ "bl_reborn@127.0.0.1 was restarted during the run: see in its log or crash dump why, and run again" },
      r.would_tell)
    assert.matches("\nrestarted: the node was started anew during the run", report.text(r))
  end)

  it("says of a run whose operator crashed that it is not whole", function()
    local r = run(quiet, leader(calls { "done" }), nil, { mind = { operator = function() error "boom" end } })
    assert.same({ "cannot_tell", "crashed", 4 }, { r.verdict, r.incomplete, report.exit(r) })
    assert.matches("\nincomplete: a part of it crashed\n", report.text(r))
  end)

  it("says of a run whose strategy crashed that it is not whole", function()
    local r = run(quiet, nil, nil, { strategy = { name = "mine", run = function() error "boom" end } })
    assert.same({ "cannot_tell", "crashed", 4 }, { r.verdict, r.incomplete, report.exit(r) })
  end)
end)
