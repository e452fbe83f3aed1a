-- Watchers of the config under `watch`: kept on, started again where one ends, looked into when they tell, by
-- rules alone with --escalate.

local client = require "spec.support.http_client"
local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local watching = require "spec.support.watching"

local lines, until_told, stop = watching.lines, watching.until_told, watching.stop
local shop

local NEVER_READS = [[register(never_reads, spawn(fun() -> timer:sleep(infinity) end)).]]
local GROW = [[is_pid(whereis(never_reads)) orelse register(never_reads, spawn(fun() -> timer:sleep(infinity) end)),
  register(sends, spawn(fun F() ->
  [never_reads ! {order, X} || X <- lists:seq(1, 200)], timer:sleep(20), F() end)), ok.]]
local CALM = [[[exit(P, kill) || N <- [sends, never_reads], P <- [whereis(N)], is_pid(P)], ok.]]

-- A model with a course for each agent and skill; what a course is done with, it waits.
local MODEL = [[
local function call(name, args) return { calls = { { name = name, args = args } },
  usage = { input = 1000, cache_write = 0, cache_read = 0, output = 10 } } end
local COURSES = {
%s
}
local FAILS = { fail = { class = "fatal", message = "the key was refused" },
  quota = { class = "quota", message = "the quota is used up", status = 429 },
  refused = { class = "fatal", message = "the key was refused", status = 401 },
  busy = { class = "retry", message = "it is overloaded", status = 529 } }
local waiting = call("wait", { ms = 50 })
return function(_, turn, who)
  local course = COURSES[who.skill or who.agent] or {}
  local now = course[turn]
  if FAILS[now] then return nil, FAILS[now] end
  return course[turn] or (who.skill and waiting or call "done")
end]]

local function start(config, courses, ...)
  local path = shop:write("watch.lua", ("return { provider = 'script', limits = { iterations = 1000 }, %s, "
    .. "anomaly = { collection_interval_ms = 100, learning_duration_ms = 600000 } }"):format(config))
  return program.start({ "watch", "--node", shop.name, "--cookie-file", shop.cookie_file, "--config", path, "--json",
    ... }, { env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home, XDG_STATE_HOME = shop.home .. "/state",
      BEAMLENS_SCRIPT = shop:write("model.lua", MODEL:format(courses or "")) } })
end

-- The first event with this in its name, of a file that comes to be.
local function until_in(path, name)
  local patience = async.now() + 60
  while true do
    local file = io.open(path)
    for line in file and file:lines() or function() end do
      local told = json.decode(line)
      if told and told.event:find(name, 1, true) then return told end
    end
    assert(async.now() < patience, ("no %s in %s"):format(name, path))
    async.sleep(0.05)
  end
end

local function of(name) return function(told) return told.watcher == name end end

describe("watchers of the config", function()
  setup(function() shop = live.start { code = NEVER_READS } end)
  teardown(live.stop_all)
  before_each(function() os.execute(("rm -rf '%s/state'"):format(shop.home)) end)
  after_each(function() async.run(function() shop.eval(CALM) end) end)

  it("are started, each as an operator without an end", live.test(function()
    local running = start [[watchers = { "beam", { name = "tables", skill = "ets" } }]]
    until_told(running, "watcher.started", of "beam")
    until_told(running, "watcher.started", of "tables")
    assert.equal(0, stop(running))
  end))

  it("are joined by the operators that go on for ever", live.test(function()
    local running = start [[watchers = { "beam" }, operators = { "gc", { skill = "ets", mode = "continuous" } }]]
    until_told(running, "watcher.started", of "ets")
    until_told(running, "watcher.started", of "beam")
    assert.equal(0, stop(running))
    assert.equal(2, #lines(running, "watcher.started"))
  end))

  it("leave the others running when one ends, which is started again", live.test(function()
    local running = start([[watchers = { "beam", "ets" }]], [[beam = { "fail" },
      ets = { call "take_snapshot", call("set_state", { state = "healthy", reason = "small" }) },]])
    local again = until_told(running, "watcher.restarting", of "beam")
    assert.matches("the key was refused", again.reason)
    until_told(running, "watcher.restarting", function(told)
      return told.watcher == "beam" and told.wait_s > again.wait_s
    end)
    assert.same({}, lines(running, "watcher.restarting", of "ets"))
    assert.equal("healthy", until_told(running, "watcher.state_change", of "ets").to)
    assert.equal(0, stop(running))
  end))

  it("rest for an hour when the quota is used up, and say so in every place", live.test(function()
    local running = start([[watchers = { "beam" }]], [[beam = { "quota" },]], "--listen", "127.0.0.1:0")
    local rests = until_told(running, "watcher.restarting", of "beam")
    assert.same({ 3600, "the quota is used up" }, { rests.wait_s, rests.reason })
    local port = tonumber(until_told(running, "service.listening").url:match ":(%d+)$")
    local health = client.ask(port, "GET", "/healthz").json
    assert.same({ { watcher = "beam", state = "resting", iterations = 0, model = "down" } }, health.nodes[1].watchers)
    local metrics = client.ask(port, "GET", "/metrics").body
    assert.matches('beamlens_watcher_up{node="' .. shop.name .. '",watcher="beam"} 0', metrics, 1, true)
    assert.equal(0, stop(running))
    assert.same({}, lines(running, "watcher.llm_down"))
  end))

  it("do not ask every second where the provider refuses them", live.test(function()
    local running = start([[watchers = { "beam" }]], [[beam = { "refused" },]])
    assert.equal(300, until_told(running, "watcher.restarting", of "beam").wait_s)
    assert.equal(0, stop(running))
  end))

  it("tell once that their model cannot be asked, and once that it can again", live.test(function()
    local running = start([[watchers = { "beam" }]], [[beam = { "busy", "busy", call "take_snapshot" },]])
    assert.equal("it is overloaded", until_told(running, "watcher.llm_down", of "beam").reason)
    until_told(running, "watcher.llm_up", of "beam")
    assert.equal(0, stop(running))
    assert.same({ 1, 1 }, { #lines(running, "watcher.llm_down"), #lines(running, "watcher.llm_up") })
  end))

  it("have what they tell looked into, once", live.test(function()
    local running = start([[watchers = { "beam" }]], [[beam = { call "take_snapshot", call("fire_alert", {
        type = "mailbox", context = "idle before", observation = "the queue of never_reads grew", severity = "warning",
        snapshot_ids = { "o1" } }) },
      coordinator = { call "done", call "done" },]])
    assert.equal("warning", until_told(running, "watcher.alert_fired").severity)
    local report = until_told(running, "report").report
    assert.equal("the watcher beam says: the queue of never_reads grew", report.reason)
    assert.equal(0, stop(running))
    assert.equal(1, #lines(running, "report"))
  end))

  it("think by rules with --escalate, and call the model for what they found", live.test(function()
    shop.eval(GROW)
    local running = start([[watchers = { "beam" }]], [[coordinator = { call "done", call "done" },]], "--escalate")
    local alert = until_told(running, "watcher.alert_fired")
    assert.matches("never_reads", alert.observation)
    assert.equal("script", until_told(running, "report").report.usage.provider)
    shop.eval(CALM)
    assert.equal(1, stop(running))
  end))

  it("have what they proved in the report, with its figures, where the model says that it is done at once",
    live.test(function()
      shop.eval(GROW)
      local running = start([[watchers = { "beam" }]], [[coordinator = { call "done", call "done" },]], "--escalate")
      local report = until_told(running, "report").report
      assert.same({ "sick", "never_reads" }, { report.verdict, report.insights[1].root_cause.object })
      assert.is_true(#report.insights[1].evidence > 0)
      shop.eval(CALM)
      assert.equal(1, stop(running))
      assert.equal(1, lines(running, "ended")[1].sick)
    end))

  it("have what they proved in the report where the model fails", live.test(function()
    shop.eval(GROW)
    local running = start([[watchers = { "beam" }]], [[coordinator = { "fail" },]], "--escalate")
    local report = until_told(running, "report").report
    shop.eval(CALM)
    assert.same({ "sick", "provider", "never_reads" },
      { report.verdict, report.incomplete, report.insights[1].root_cause.object })
    assert.equal(1, stop(running))
  end))

  it("have what they proved told by an insight of the watch, while the model still thinks", live.test(function()
    shop.eval(GROW)
    local file = shop.home .. "/events.jsonl"
    local running = start(("watchers = { 'beam' }, sinks = { { type = 'jsonl', file = '%s', events = "
      .. "{ 'coordinator.*' } } }"):format(file), [[coordinator = {
        call("invoke_operators", { skills = { "beam" } }), call("wait", { ms = 600000 }) },]], "--escalate")
    assert.equal("never_reads", until_in(file, "insight_produced").metadata.root_cause.object)
    until_in(file, "coordinator.wait")
    assert.same({}, lines(running, "report"))
    shop.eval(CALM)
    assert.equal(1, stop(running))
    assert.equal("sick", lines(running, "report")[1].report.verdict)
  end))

  it("have no model to call with --escalate where only rules think", live.test(function()
    local running = start([[watchers = { "beam" }]], nil, "--escalate", "--provider", "analyst")
    assert.equal(2, (running.wait(30)))
    assert.matches("%-%-escalate has no model to call", running.stdout())
  end))

  it("are refused at once where the config is wrong", live.test(function()
    local running = start [[watchers = { { name = "redis" } }]]
    assert.equal(2, (running.wait(30)))
    assert.matches("watchers%[1%] wants a skill", running.stdout())
  end))

  it("are refused at once where a skill is not there, and not tried again for ever", live.test(function()
    local running = start [[watchers = { "beem" }]]
    assert.equal(2, (running.wait(30)))
    assert.matches('"the watcher beem: there is no skill beem","next":"did you mean beam%?"', running.stdout())
    assert.same({}, lines(running, "watcher.restarting"))
  end))
end)
