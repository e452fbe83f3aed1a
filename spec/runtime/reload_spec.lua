-- An operator of a live node whose files somebody edits while it runs; only the model is played.
local async = require "runtime.async"
local beamlens = require "runtime.beamlens"
local clock_skill = require "spec.support.clock_skill"
local config = require "runtime.config"
local coordinator = require "runtime.coordinator"
local edited = require "spec.support.edited"
local figures = require "runtime.anomaly.figures"
local gate = require "runtime.gate"
local in_use = require "runtime.in_use"
local llm = require "runtime.llm"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local operator = require "runtime.operator"
local policy = require "runtime.policy"
local reload = require "runtime.reload"
local secret_patterns = require "runtime.secret_patterns"
local uv = require "luv"

local calls, results = model.calls, model.results

local clock, NEW, LATER = clock_skill.text, clock_skill.new, clock_skill.later

local function execute(code) return calls { "execute", { code = code } } end

describe("runtime.reload", function()
  local at, unwatch

  setup(function()
    at = live.start()
    reload.quiet_s = 0.01
  end)
  teardown(live.stop_all)

  before_each(function()
    edited.open()
    edited.save("skills/clock.lua", clock "You keep the time.")
  end)
  after_each(function()
    if unwatch then async.run(unwatch) end
    unwatch = nil
    edited.close()
    policy.start()
    assert(secret_patterns.load())
  end)

  local function begin(wanted, options)
    local skills = assert(beamlens.skills { wanted or "clock" })
    unwatch = reload.begin { node = at.node, skills = skills, options = options }
    return skills
  end

  -- An operator whose model says these turns; its report.
  local function run(turns, wanted)
    local skills, provider = begin(wanted), model.played(turns)
    local report = assert(operator.run {
      node = at.node, skill = skills[1], mind = model.mind { clock = provider }, gate = gate.new {},
      deadline = async.now() + 60,
    })
    return report, provider
  end

  -- Of this one, or of the first.
  local function loaded(deed, name)
    return edited.until_told("reload.loaded", deed, function(m) return m.name == (name or m.name) end)
  end

  local function rejected(deed) return edited.until_told("reload.rejected", deed) end

  it("has a running operator use an edited skill at its next turn", live.test(function()
    local value, told
    local report, provider = run {
      function()
        told = loaded(function() edited.save("skills/clock.lua", NEW) end)
        return execute "return clock_now()"
      end,
      execute "return clock_later()",
      function(request)
        value = results(request)[1].data.result.ms
        return calls { "done" }
      end,
    }
    assert.is_true(value > 1e12)
    assert.is_nil(provider.asked[1].system:find("You know more.", 1, true))
    assert.is_truthy(provider.asked[2].system:find("You know more.", 1, true))
    assert.is_truthy(provider.asked[2].system:find("clock_later(", 1, true))
    local v = report.versions
    assert.same({ "clock", told.before, told.version, told.version },
      { v.reloaded[1].name, v.reloaded[1].from, v.reloaded[1].to, v.skills.clock })
  end))

  it("lets a call that is under way end with what it began with", live.test(function()
    local waiting = [[clock_patient = { doc = "d", class = "SAFE", returns = { "ms" }, run = function(node)
      repeat local gate = node.ask "gate" until gate.open
      return node.ask "now"
    end },]]
    edited.save("skills/clock.lua", clock("p", waiting, 'gate = "#{open => persistent_term:get(gate, false)}."'))
    local answered
    run {
      function()
        async.spawn(function()
          loaded(function() edited.save("skills/clock.lua", (clock("p"):gsub("now = \"", "time = \"")
            :gsub('"now"', '"time"'))) end)
          at.eval "persistent_term:put(gate, true)."
        end)
        return execute "return clock_patient()"
      end,
      function(request)
        answered = answered or results(request)[1]
        return calls { "done" }
      end,
    }
    assert.is_true(answered.ok, answered.text)
  end))

  it("keeps the conversation", live.test(function()
    local _, provider = run {
      function()
        loaded(function() edited.save("skills/clock.lua", NEW) end)
        return execute "return clock_now()"
      end,
      calls { "done" },
    }
    local roles = {}
    for i, message in ipairs(provider.asked[2].messages) do roles[i] = message.role end
    assert.same({ "user", "assistant", "tool" }, roles)
  end))

  it("changes nothing by a broken edit, and tells file and line", live.test(function()
    local told
    local report, provider = run {
      function()
        told = rejected(function() edited.save("skills/clock.lua", (NEW:gsub("queries = ", "queries == "))) end)
        return execute "return clock_now()"
      end,
      calls { "done" },
    }
    assert.matches("^" .. edited.path "skills/clock.lua" .. ":3: ", told.reason)
    assert.same({ "skill", "clock" }, { told.kind, told.name })
    assert.equal(provider.asked[1].system, provider.asked[2].system)
    assert.is_true(results(provider.asked[2])[1].ok)
    assert.same({}, report.versions.reloaded)
  end))

  it("refuses what the node does not understand, with file and line", live.test(function()
    begin()
    local told = rejected(function()
      edited.save("skills/clock.lua", clock("p", LATER, 'later = "#{ms => ."'))
    end)
    assert.matches("clock.lua:3: query later does not parse", told.reason)
  end))

  it("refuses what does more than it declares", live.test(function()
    begin()
    local told = rejected(function()
      edited.save("skills/clock.lua", clock("p", LATER, 'later = "#{ms => erlang:halt()}."'))
    end)
    assert.matches("clock.lua:3: query later of clock_later is declared SAFE, and is DANGEROUS", told.reason)
  end))

  it("refuses another name, and a callback that another skill in use has", live.test(function()
    begin()
    local told = rejected(function()
      edited.save("skills/clock.lua", (clock("p"):gsub('name = "clock"', 'name = "watch"')))
    end)
    assert.equal("the skill clock calls itself watch now; start again to use it by that name", told.reason)
  end))

  it("takes the next save after a half-written one, and an empty one", live.test(function()
    local skills = begin()
    for _, half in ipairs { NEW:sub(1, 200), "" } do
      local told = rejected(function() edited.save("skills/clock.lua", half) end)
      assert.equal("clock", told.name)
      assert.equal("You keep the time.", in_use.now(skills[1]).prompt)
    end
    loaded(function() edited.save("skills/clock.lua", NEW) end)
    assert.equal("You know more.", in_use.now(skills[1]).prompt)
  end))

  it("takes a file that an editor puts in place by a rename", live.test(function()
    local skills = begin()
    loaded(function() edited.rename("skills/clock.lua", NEW) end)
    assert.equal("You know more.", in_use.now(skills[1]).prompt)
  end))

  it("tells a broken file once, whatever else is edited", live.test(function()
    begin()
    local list = edited.told_while("rejected", function()
      rejected(function() edited.save("skills/clock.lua", "return 5") end)
      rejected(function() edited.save("policy.lua", "return 5") end)
    end)
    assert.same({ "skill clock", "settings policy" }, list)
  end))

  it("takes a skill that was opened by its path, wherever it lies", live.test(function()
    local path = edited.save(edited.home .. "/elsewhere/clock.lua", clock "You keep the time.")
    local skills = begin(path)
    loaded(function() edited.save(path, NEW) end)
    assert.equal("You know more.", in_use.now(skills[1]).prompt)
  end))

  it("follows a link to the file that is edited", live.test(function()
    local path = edited.save(edited.home .. "/dotfiles/clock.lua", clock "You keep the time.")
    edited.remove "skills/clock.lua"
    assert(uv.fs_symlink(path, edited.path "skills/clock.lua"))
    local skills = begin()
    loaded(function() edited.save(path, NEW) end)
    assert.equal("You know more.", in_use.now(skills[1]).prompt)
  end))

  it("takes checks and parts that come into being beside a skill", live.test(function()
    local skills = begin()
    loaded(function()
      edited.save("checks/clock.lua", [[
        return { { id = "late", mechanism = "clock_jump", look = { { "clock_now" } },
          suspect = function() return true end, confirm = function() end } }]])
    end)
    assert.equal("late", in_use.now(skills[1]).checks[1].id)
    loaded(function()
      edited.save("skills/clock/more.lua", [[
        return { queries = { zone = "#{offset => 0}." },
          callbacks = { clock_zone = { doc = "d", class = "SAFE", returns = { "offset" }, query = "zone" } } }]])
    end)
    assert.equal("zone", in_use.now(skills[1]).callbacks.clock_zone.query)
  end))

  it("goes back to ours when the user's copy is removed", live.test(function()
    local files = require "runtime.files"
    local ours = assert(files.read "skills/ets.lua")
    edited.save("skills/ets.lua", (ours:gsub('title = "[^"]*"', 'title = "Mine"')))
    local skills = begin "ets"
    assert.equal("Mine", skills[1].title)
    loaded(function() edited.remove "skills/ets.lua" end)
    assert.are_not.equal("Mine", in_use.now(skills[1]).title)
  end))

  it("has an edited prompt in the next request, and names both versions", live.test(function()
    local ours = assert(require("runtime.files").read "prompts/operator.md")
    local told
    local report, provider = run {
      function()
        told = loaded(function() edited.save("prompts/operator.md", ours .. "\nSpeak like a sailor.\n") end)
        return execute "return clock_now()"
      end,
      calls { "done" },
    }
    assert.is_truthy(provider.asked[2].system:find("Speak like a sailor.", 1, true))
    assert.same({ "prompt", "operator", told.before, told.version }, { report.versions.reloaded[1].kind,
      report.versions.reloaded[1].name, report.versions.reloaded[1].from, report.versions.prompts.operator })
  end))

  it("keeps a prompt when the edited one cannot be filled, and tells file and line", live.test(function()
    local ours = assert(require("runtime.files").read "prompts/operator.md")
    local told
    local _, provider = run {
      function()
        told = rejected(function() edited.save("prompts/operator.md", ours .. "\n{{colour}}\n") end)
        return execute "return clock_now()"
      end,
      calls { "done" },
    }
    assert.matches("^" .. edited.path "prompts/operator.md" .. ":%d+: unknown field {{colour}}", told.reason)
    assert.equal(provider.asked[1].system, provider.asked[2].system)
  end))

  it("has the coordinator and its operators meet edits between their turns", live.test(function()
    local ours = assert(require("runtime.files").read "prompts/coordinator.md")
    local skills = begin()
    local operators = { clock = model.played {
      function()
        loaded(function() edited.save("skills/clock.lua", NEW) end, "clock")
        return execute "return clock_now()"
      end,
      execute "return clock_later()", calls { "done" }, calls { "done" },
    } }
    local leader = model.played {
      calls { "invoke_operators", { skills = { "clock" } } },
      function()
        loaded(function() edited.save("prompts/coordinator.md", ours .. "\nBe brief.\n") end, "coordinator")
        return calls { "wait", { ms = 60000 } }
      end,
      calls { "done", { summary = "s" } },
    }
    local report = assert(coordinator.run { node = at.node, skills = skills, mind = model.mind(operators, leader),
      gate = gate.new {}, deadline = async.now() + 60 })
    assert.is_truthy(leader.asked[3].system:find("Be brief.", 1, true))
    assert.is_true(results(operators.clock.asked[3])[1].ok)
    local order = {}
    for i, e in ipairs(report.versions.reloaded) do order[i] = e.kind .. " " .. e.name end
    table.sort(order)
    assert.same({ "prompt coordinator", "skill clock" }, order)
  end))

  it("has a monitor take the figures of the edited snapshot", live.test(function()
    local skills = begin()
    local function failed(_, why) error(why) end
    assert.is_nil(figures.take(skills, at.node, failed)["clock.drift"])
    loaded(function()
      edited.save("skills/clock.lua", (clock("p"):gsub("#{ms", "#{drift => 3, ms")))
    end)
    assert.equal(3, figures.take(skills, at.node, failed)["clock.drift"])
  end))

  it("opens for the next run what was in use last, when the file is broken by then", live.test(function()
    begin()
    rejected(function() edited.save("skills/clock.lua", "return") end)
    assert.equal("You keep the time.", assert(beamlens.skills { "clock" })[1].prompt)
  end))

  it("renews at its first turn a run whose skills were opened before the edit", live.test(function()
    local older = begin()[1]
    loaded(function() edited.save("skills/clock.lua", NEW) end)
    local provider = model.played { calls { "done" }, calls { "done" } }
    local report = assert(operator.run { node = at.node, skill = older, gate = gate.new {},
      mind = model.mind { clock = provider }, deadline = async.now() + 60 })
    assert.is_truthy(provider.asked[1].system:find("You know more.", 1, true))
    assert.equal(1, #report.versions.reloaded)
  end))

  it("is no affair of a run that ended before another began with what it had opened", live.test(function()
    local skills = begin()
    unwatch()
    unwatch = reload.begin { node = at.node, skills = skills }
    loaded(function() edited.save("skills/clock.lua", NEW) end)
    assert.equal("You know more.", in_use.now(skills[1]).prompt)
  end))

  it("gives a run of rules the checks that it began with, to its end", live.test(function()
    local skills = begin()
    local provider = model.played {
      function()
        loaded(function() edited.save("skills/clock.lua", NEW) end)
        return calls { "take_snapshot" }
      end,
      calls { "done" },
    }
    provider.fixed = true
    local report = assert(operator.run { node = at.node, skill = skills[1], gate = gate.new {},
      mind = model.mind { clock = provider }, deadline = async.now() + 60 })
    assert.equal(provider.asked[1].system, provider.asked[2].system)
    assert.same({}, report.versions.reloaded)
  end))

  it("has who keeps watch by rules judge by edited checks from its next look on", live.test(function()
    local watcher = assert(operator.start { node = at.node, skill = begin()[1], gate = gate.new {}, mode = "continuous",
      mind = assert(llm.choose({ provider = "analyst" }, function() end)), every = 0.05 })
    local told = edited.until_told("operator.notification_sent", function()
      edited.save("checks/clock.lua", [[return { { id = "late", mechanism = "other", look = { { "clock_now" } },
        suspect = function() return true end,
        confirm = function(results)
          return { object = "the clock", severity = "warning", hypothesis = "it ticks", unlike = {}, next_steps = {},
            figures = { { look = 1, path = "ms", value = results[1].ms } } }
        end } }]])
    end)
    watcher:stop()
    assert.equal("warning", told.severity)
  end))

  it("has secrets masked that the user adds, and a runbook as it was while its file is broken", live.test(function()
    local secrets = require "runtime.secrets"
    local runbook = require "runtime.autonomy"
    local book = [[return { name = "tidy", title = "%s", when = { mechanism = "ets_growth" }, allows = { "gc_process" },
      steps = {} }]]
    edited.save("runbooks/tidy.lua", book:format "Mine")
    local group = { runbooks = { "tidy" }, quiet_hours = "", per_hour = 1, dry_run = true }
    assert(runbook.settle(group))
    begin()
    edited.until_told("reload.looked", function()
      edited.save("secrets.lua", 'return { names = { "droplet" } }')
    end)
    assert.is_true(secrets.names "droplet_of_db")
    rejected(function() edited.save("runbooks/tidy.lua", "return {") end)
    assert.equal("Mine", assert(runbook.settle(group)).runbooks[1].title)
    loaded(function() edited.save("runbooks/tidy.lua", book:format "Yours") end)
    assert.equal("Yours", assert(runbook.settle(group)).runbooks[1].title)
  end))

  it("looks at all files again on SIGHUP", live.test(function()
    begin()
    policy.start()
    local before = policy.generation()
    edited.until_told("reload.looked", function() uv.kill(uv.os_getpid(), "sighup") end)
    assert.equal(before + 1, policy.generation())
  end))

  it("has a stricter policy in force at once", live.test(function()
    policy.start()
    begin()
    edited.until_told("reload.looked", function()
      edited.save("policy.lua", 'return { callbacks = { clock_now = "never" } }')
    end)
    assert.equal("never", policy.callback("clock_now", "SAFE"))
  end))

  it("tells nothing of a file that says the same again", live.test(function()
    begin()
    local list = edited.told_while("loaded", function()
      edited.until_told("reload.looked", function() edited.save("skills/clock.lua", clock "You keep the time.") end)
    end)
    assert.same({}, list)
  end))

  it("applies of an edited config what may change, tells the rest, and keeps all of a broken one", live.test(function()
    edited.save("config.lua", 'return { anomaly = { z_threshold = 5 }, deadline = 9 }')
    local options = assert(config.settle({}, function() end))
    local judged = options.anomaly
    begin("clock", options)
    local told = edited.until_told("reload.config", function()
      edited.save("config.lua", 'return { anomaly = { z_threshold = 7 }, hosts = { "db:5432" }, deadline = 10 }')
    end)
    assert.same({ { "hosts", "anomaly" }, { "deadline" } }, { told.applied, told.waiting })
    assert.same({ 7, { "db:5432" }, 9 }, { judged.z_threshold, options.hosts, options.deadline })
    told = rejected(function() edited.save("config.lua", 'return {\n  anomaly = { z_treshold = 1 } }') end)
    assert.matches("anomaly has no z_treshold; did you mean z_threshold?", told.reason)
    assert.same({ 7, { "db:5432" } }, { judged.z_threshold, options.hosts })
  end))

  it("keeps the watchers when a skill of theirs is not there", live.test(function()
    edited.save("config.lua", "return { watchers = { 'beam' } }")
    local options = assert(config.settle({}, function() end))
    begin("clock", options)
    local told = rejected(function() edited.save("config.lua", "return { watchers = { 'beam', 'beem' } }") end)
    assert.matches("the watcher beem: there is no skill beem; did you mean beam%?", told.reason)
    assert.same({ "beam" }, options.watchers)
  end))

  for option, case in pairs {
    hosts = { '{ "db" }', "hosts: db is no host with its port" },
    operators = { '{ { skill = "ets", mode = "often" } }', "operators[1] has a mode" },
    prices = { '{ m = { input = 1 } }', 'prices["m"] needs input and output' },
    sinks = { '{ { type = "jsonl" } }', "sinks[1]" },
    watchers = { '{ { skill = "" } }', "watchers[1] wants a skill" },
  } do
    it(("keeps the config when its %s are wrong, and says what is"):format(option), live.test(function()
      edited.save("config.lua", "return {}")
      local options = assert(config.settle({}, function() end))
      local before = options[option]
      begin("clock", options)
      local told = rejected(function()
        edited.save("config.lua", ("return { %s = %s, anomaly = { z_threshold = 9 } }"):format(option, case[1]))
      end)
      assert.is_truthy(told.reason:find(case[2], 1, true), told.reason)
      assert.same({ before, 3 }, { options[option], options.anomaly.z_threshold })
    end))
  end
end)
