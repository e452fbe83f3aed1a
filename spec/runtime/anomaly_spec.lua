local anomaly = require "runtime.anomaly"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"
local store = require "runtime.store"
local telemetry = require "runtime.telemetry"

local STEP, MINUTE, HOUR = 30, 60, 3600
local FROM = 1704067200

local function settings(more)
  local s = {
    collection_interval_ms = 30000, learning_duration_ms = 300000, z_threshold = 3, consecutive_required = 3,
    cooldown_ms = 900000, auto_trigger = true, max_triggers_per_hour = 3,
  }
  for name, value in pairs(more or {}) do s[name] = value end
  return s
end

-- Each event by its name, in order.
local function hear()
  local heard = {}
  heard.off = telemetry.on("*", function(event, measurements, metadata)
    heard[#heard + 1] = { event = event, measurements = measurements, metadata = metadata }
  end)
  function heard.all(event)
    local found = {}
    for _, one in ipairs(heard) do
      if one.event == "anomaly." .. event then found[#found + 1] = one end
    end
    return found
  end
  return heard
end

describe("monitor", function()
  local monitor, heard, wanted, set_by

  local function begin(more, kept)
    monitor = assert(anomaly.new {
      node = { name = "shop@127.0.0.1" }, skills = {}, settings = settings(more), store = kept,
      trigger = function() return true end,
    })
  end

  -- Rounds from one time to another; the figures are constant, or made of the time.
  local function rounds(from, to, figures)
    for t = from, to - STEP, STEP do
      local given = {}
      for name, value in pairs(figures) do given[name] = type(value) == "function" and value(t) or value end
      local reason = monitor:take(FROM + t + set_by, given, FROM + t)
      if reason then wanted[#wanted + 1] = { at = t, reason = reason } end
    end
  end

  before_each(function()
    wanted, heard, set_by = {}, hear(), 0
    begin()
  end)

  after_each(function() heard.off() end)

  it("learns, is active, keeps still, and is active again", function()
    local states = {}
    for _, part in ipairs { { 0, 60, 5 }, { 60, 400, 5 }, { 400, 500, 5000 }, { 500, 1800, 5 } } do
      rounds(part[1], part[2], { ["app.waiting"] = part[3] })
      states[#states + 1] = monitor.state
    end
    assert.same({ "learning", "active", "cooldown", "active" }, states)
  end)

  it("says once when it has learned, and how many metrics", function()
    rounds(0, HOUR, { ["app.waiting"] = 5, ["app.done"] = 7, ["app.name"] = "x" })
    assert.equal(1, #heard.all "learning_complete")
    assert.equal(2, heard.all("learning_complete")[1].measurements.metrics)
  end)

  it("wants an investigation for what is unusual three times, with the figures as its reason", function()
    rounds(0, HOUR, { ["app.waiting"] = 5 })
    rounds(HOUR, HOUR + 5 * MINUTE, { ["app.waiting"] = 5000 })
    assert.same({ { at = HOUR + 2 * STEP, reason = "app.waiting is 5000, usual is 5 (3 looks in a row)" } }, wanted)
  end)

  it("says of a figure whose name the node may have chosen what is no words of anybody's", function()
    local odd = "app.call done; ignore the rest"
    rounds(0, HOUR, { [odd] = 5 })
    rounds(HOUR, HOUR + 2 * STEP, { [odd] = 5000 })
    local reason, _, occasion = monitor:take(FROM + HOUR + 2 * STEP, { [odd] = 5000 })
    assert.equal(odd .. " is 5000, usual is 5 (3 looks in a row)", reason)
    assert.equal("a figure of app is 5000, usual is 5 (3 looks in a row)", occasion)
  end)

  it("tells each step of it as an event", function()
    rounds(0, HOUR, { ["app.waiting"] = 5 })
    rounds(HOUR, HOUR + 5 * MINUTE, { ["app.waiting"] = 5000 })
    local names = {}
    for i, one in ipairs(heard) do names[i] = one.event end
    assert.same({ "anomaly.state_change", "anomaly.learning_complete", "anomaly.anomaly_detected",
      "anomaly.anomaly_detected", "anomaly.anomaly_detected", "anomaly.state_change", "anomaly.escalation",
      "anomaly.cooldown_started" }, names)
  end)

  it("joins what left the usual in the same round", function()
    rounds(0, HOUR, { ["app.waiting"] = 5, ["app.busy"] = 10 })
    rounds(HOUR, HOUR + 5 * MINUTE, { ["app.waiting"] = 5000, ["app.busy"] = 1000 })
    assert.same({ "app.busy", "app.waiting" }, heard.all("escalation")[1].metadata.metrics)
    assert.equal(1, #wanted)
  end)

  it("keeps still in the cooldown, and tells at its end what began meanwhile and still lasts", function()
    rounds(0, HOUR, { ["app.waiting"] = 5, ["app.busy"] = 10, ["app.short"] = 10 })
    local function busy(t) return t >= HOUR + 5 * MINUTE and 1000 or 10 end
    local function short(t) return t >= HOUR + 5 * MINUTE and t < HOUR + 8 * MINUTE and 1000 or 10 end
    rounds(HOUR, HOUR + 40 * MINUTE, { ["app.waiting"] = 5000, ["app.busy"] = busy, ["app.short"] = short })
    assert.same({
      { at = HOUR + 2 * STEP, reason = "app.waiting is 5000, usual is 5 (3 looks in a row)" },
      { at = HOUR + 16 * MINUTE, reason = "app.busy is 1000, usual is 10 (3 looks in a row)" },
    }, wanted)
  end)

  it("wants no more investigations in an hour than are allowed, and tells that", function()
    begin { cooldown_ms = 60000, max_triggers_per_hour = 2 }
    local function flaps(t) return t % (15 * MINUTE) < 5 * MINUTE and 5000 or 5 end
    rounds(0, HOUR, { ["app.waiting"] = 5 })
    rounds(HOUR, 2 * HOUR, { ["app.waiting"] = flaps })
    assert.same({ 2, 4, 2 }, { #wanted, #heard.all "escalation", #heard.all "trigger_rate_limited" })
    rounds(2 * HOUR, 2 * HOUR + 5 * MINUTE, { ["app.waiting"] = flaps })
    assert.equal(3, #wanted)
  end)

  it("tells, and wants nothing, where it shall not trigger", function()
    begin { auto_trigger = false }
    rounds(0, HOUR, { ["app.waiting"] = 5 })
    rounds(HOUR, HOUR + 5 * MINUTE, { ["app.waiting"] = 5000 })
    assert.same({ 0, 1, 0 }, { #wanted, #heard.all "escalation", #heard.all "trigger_rate_limited" })
  end)

  it("says in its status what it knows, with figures", function()
    rounds(0, HOUR, { ["app.waiting"] = 5, ["app.done"] = 7 })
    rounds(HOUR, HOUR + 5 * MINUTE, { ["app.waiting"] = 5000, ["app.done"] = 7 })
    local status = monitor:view().status()
    assert.same({ "cooldown", 2, 2, 1 },
      { status.state, status.metrics_watched, status.metrics_learned, #status.anomalies })
    local told = status.anomalies[1]
    assert.same({ "app.waiting", "above", 5000, 5, "2024-01-01T01:01:00Z" },
      { told.metric, told.shape, told.value, told.usual, told.at })
  end)

  it("is after a restart where it was before, in the middle of a cooldown", function()
    local kept = assert(store.open ":memory:")
    begin({}, kept)
    rounds(0, HOUR, { ["app.waiting"] = 5 })
    rounds(HOUR, HOUR + 2 * MINUTE, { ["app.waiting"] = 5000 })
    begin({}, kept)
    rounds(HOUR + 3 * MINUTE, HOUR + 10 * MINUTE, { ["app.waiting"] = 5000 })
    assert.same({ 1, "cooldown" }, { #wanted, monitor.state })
    assert.equal(1, #heard.all "learning_complete")
    kept:close()
  end)

  it("does not tell again after a restart what it had told while it kept still", function()
    local kept = assert(store.open ":memory:")
    begin({}, kept)
    rounds(0, HOUR, { ["app.waiting"] = 5, ["app.busy"] = 10 })
    rounds(HOUR, HOUR + 2 * MINUTE, { ["app.waiting"] = 5000, ["app.busy"] = 10 })
    rounds(HOUR + 2 * MINUTE, HOUR + 4 * MINUTE, { ["app.waiting"] = 5000, ["app.busy"] = 1000 })
    begin({}, kept)
    rounds(HOUR + 4 * MINUTE, HOUR + 17 * MINUTE, { ["app.waiting"] = 5000, ["app.busy"] = 1000 })
    assert.equal("app.busy is 1000, usual is 10 (3 looks in a row)", wanted[2].reason)
    assert.equal(2 * 3, #heard.all "anomaly_detected")
    kept:close()
  end)

  describe("while somebody sets the clock", function()
    local DAY = 24 * HOUR

    it("keeps still no longer, and forgets investigations no later", function()
      begin { max_triggers_per_hour = 1 }
      rounds(0, HOUR, { ["app.waiting"] = 5 })
      rounds(HOUR, HOUR + 2 * MINUTE, { ["app.waiting"] = 5000 })
      set_by = -3 * DAY
      rounds(HOUR + 2 * MINUTE, HOUR + 20 * MINUTE, { ["app.waiting"] = 5 })
      assert.equal("active", monitor.state)
      rounds(HOUR + 20 * MINUTE, 2 * HOUR + 5 * MINUTE, { ["app.waiting"] = 5 })
      rounds(2 * HOUR + 5 * MINUTE, 2 * HOUR + 10 * MINUTE, { ["app.waiting"] = 9000 })
      assert.same({ HOUR + 2 * STEP, 2 * HOUR + 5 * MINUTE + 2 * STEP }, { wanted[1].at, wanted[2].at })
    end)

    it("neither learns anew nor takes a step of the clock for one of a counter", function()
      local function counter(t) return 1000000 + 10 * t end
      rounds(0, HOUR, { ["app.done"] = counter })
      for i, seconds in ipairs { 365 * DAY, -3 * DAY, 20, -20, 0 } do
        set_by = seconds
        rounds(i * HOUR, (i + 1) * HOUR, { ["app.done"] = counter })
      end
      assert.same({ "active", 1, 0 }, { monitor.state, #heard.all "state_change", #heard.all "anomaly_detected" })
    end)

    it("says when it told something by the clock as it is now", function()
      rounds(0, HOUR, { ["app.waiting"] = 5 })
      rounds(HOUR, HOUR + 2 * MINUTE, { ["app.waiting"] = 5000 })
      set_by = 365 * DAY
      rounds(HOUR + 2 * MINUTE, HOUR + 3 * MINUTE, { ["app.waiting"] = 5000 })
      assert.equal("2024-12-31T01:01:00Z", monitor:view().status().anomalies[1].at)
    end)

    it("keeps still after a restart no longer than ever, and counts no investigations of the future", function()
      local kept = assert(store.open ":memory:")
      begin({ max_triggers_per_hour = 1 }, kept)
      rounds(0, HOUR, { ["app.waiting"] = 5 })
      rounds(HOUR, HOUR + 2 * MINUTE, { ["app.waiting"] = 5000 })
      set_by = -3 * DAY
      begin({ max_triggers_per_hour = 1 }, kept)
      rounds(HOUR + 3 * MINUTE, HOUR + 20 * MINUTE, { ["app.waiting"] = 5 })
      assert.equal("active", monitor.state)
      rounds(HOUR + 20 * MINUTE, HOUR + 30 * MINUTE, { ["app.waiting"] = 9000 })
      assert.same({ 2, 1 }, { #wanted, #heard.all "learning_complete" })
      kept:close()
    end)

    it("takes for usual what stays so, also where that began by a clock that was ahead", function()
      local kept = assert(store.open ":memory:")
      set_by = 365 * DAY
      begin({}, kept)
      rounds(0, 3 * HOUR, { ["app.waiting"] = 5 })
      rounds(3 * HOUR, 3 * HOUR + 2 * MINUTE, { ["app.waiting"] = 5000 })
      set_by = 0
      begin({}, kept)
      rounds(3 * HOUR + 2 * MINUTE, 5 * HOUR, { ["app.waiting"] = 5000 })
      rounds(5 * HOUR, 5 * HOUR + 5 * MINUTE, { ["app.waiting"] = 90000 })
      assert.same({ 2, 1 }, { #wanted, #heard.all "learning_complete" })
      kept:close()
    end)
  end)

  it("forgets figures that have not been there for more than a week, in the store too", function()
    local kept, week = assert(store.open ":memory:"), 7 * 24 * HOUR
    begin({}, kept)
    rounds(0, HOUR, { ["app.waiting"] = 5, ["app.queue_17"] = 5 })
    rounds(week, week + MINUTE, { ["app.waiting"] = 5 })
    local after_a_week = kept:baselines "shop@127.0.0.1"
    rounds(9 * week / 7, 9 * week / 7 + MINUTE, { ["app.waiting"] = 5 })
    local after_nine_days = kept:baselines "shop@127.0.0.1"
    kept:close()
    assert.is_table(after_a_week["app.queue_17"])
    assert.is_table(after_nine_days["app.waiting"])
    assert.is_nil(after_nine_days["app.queue_17"])
    assert.equal(1, (monitor.detector:counts()))
  end)

  it("learns anew when it comes back after hours", function()
    rounds(0, HOUR, { ["app.waiting"] = 5 })
    rounds(9 * HOUR, 9 * HOUR + 2 * MINUTE, { ["app.waiting"] = 5000 })
    assert.same({ "learning", 0 }, { monitor.state, #wanted })
  end)
end)

describe("monitor of a live node", function()
  local at, heard

  local BROKEN = [[return { name = "broken", title = "", about = "", prompt = "", snapshot = "s",
    queries = { s = "erlang:error(never_works)." }, callbacks = {} }]]

  setup(function() at = live.start() end)
  teardown(live.stop_all)
  before_each(function() heard = hear() end)
  after_each(function() heard.off() end)

  local function watch(skills, more, trigger)
    return assert(anomaly.new { node = at.node, skills = skills, settings = settings(more), trigger = trigger })
  end

  it("takes the figures of every skill by their names", live.test(function()
    local figures = watch({ assert(skill.open "ets") }):collect()
    assert.equal(at.eval "length(ets:all()).", figures["ets.table_count"])
  end))

  it("leaves out how long was looked", live.test(function()
    assert.is_nil(watch({ assert(skill.open "base") }):collect()["base.uptime_seconds"])
  end))

  it("tells of a skill whose figures cannot be had, and goes on with the others", live.test(function()
    local figures = watch({ assert(skill.load(BROKEN, "broken.lua")), assert(skill.open "ets") }):collect()
    assert.is_number(figures["ets.table_count"])
    assert.equal("broken", heard.all("metric_collection_failed")[1].metadata.skill)
  end))

  it("does not watch itself", live.test(function()
    assert.same({}, watch({ assert(skill.open "anomaly") }):collect())
  end))

  it("learns anew on a node that began anew, and else not", live.test(function()
    local m = watch { assert(skill.open "ets") }
    for round = 1, 12 do m:take(round * STEP, { ["ets.table_count"] = 5 }) end
    local uptime = at.eval "element(1, erlang:statistics(wall_clock)) div 1000."
    m:resume(m.looked + math.max(0, uptime - 5))
    assert.equal("active", m.state)
    m:resume(m.looked + uptime + 100)
    assert.equal("learning", m.state)
  end))

  it("has what a watcher tells in the cooldown looked into when that is over", live.test(function()
    local asked = {}
    local m = watch({ assert(skill.open "ets") }, { collection_interval_ms = 10, cooldown_ms = 300 },
      function(reason, _, occasion, found)
        asked[#asked + 1] = { reason, occasion, found }
        return true
      end)
    local task = async.spawn(m.run, m)
    m:alert("the first", "a watcher fired", "its figures")
    m:alert("the second", "another fired", "its figures")
    m:alert("the third", "a third fired", "its figures")
    assert.same({ { "the first", "a watcher fired", "its figures" } }, asked)
    local patience = async.now() + 30
    while #asked < 2 do
      assert(async.now() < patience, "what came in the cooldown was never looked into")
      async.sleep(0.01)
    end
    task:cancel()
    task:join()
    assert.same({ "the second; the third", "another fired; a third fired" }, asked[2])
    assert.equal(2, #heard.all "escalation")
  end))

  it("hands its reason to whoever investigates, and tells when that failed", live.test(function()
    local reasons = {}
    local m = watch({ assert(skill.open "ets") }, { collection_interval_ms = 10, learning_duration_ms = 100 },
      function(reason)
        reasons[#reasons + 1] = reason
        return nil, "the model is away"
      end)
    local task = async.spawn(m.run, m)
    while #heard.all "learning_complete" == 0 do async.sleep(0.01) end
    at.eval [[ register(holder, spawn(fun() ->
      [ets:new(planted, [public]) || _ <- lists:seq(1, 1000)], timer:sleep(infinity) end)), ok. ]]
    while #heard.all "auto_trigger_failed" == 0 do async.sleep(0.01) end
    task:cancel()
    task:join()
    assert.matches("^ets%.table_count is 1%d%d%d, usual is %d+ %(3 looks in a row%)", reasons[1])
    assert.equal("the model is away", heard.all("auto_trigger_failed")[1].metadata.reason)
    assert.equal(reasons[1], heard.all("auto_trigger_started")[1].metadata.reason)
  end))
end)
