-- The catalogue against runs of both minds on a real node: each event that comes is one that stands there, with
-- what it promises, and all of a run tell its trace_id.

local async = require "runtime.async"
local beamlens = require "runtime.beamlens"
local config = require "runtime.config"
local events = require "runtime.events"
local files = require "host.files"
local live = require "spec.support.live_node"
local provider = require "spec.support.played_provider"
local state_home = require "spec.support.state_home"
local stderr = require "spec.support.stderr"
local telemetry = require "runtime.telemetry"
local until_true = require "spec.support.until_true"
local uv = require "luv"

local shop, heard

local GROW = [[register(never_reads, spawn(fun() -> timer:sleep(infinity) end)),
  [never_reads ! {order, X} || X <- lists:seq(1, 20000)],
  register(sends, spawn(fun F() -> [never_reads ! {order, X} || X <- lists:seq(1, 100)], timer:sleep(20), F() end)),
  ok.]]

local function hear(fn)
  heard = {}
  local off = telemetry.on("*", function(event, measurements, metadata)
    heard[#heard + 1] = { event = event, measures = measurements, tells = metadata }
  end)
  fn()
  off()
end

-- What is missing of what the catalogue promises.
local function missing()
  local list = {}
  for _, one in ipairs(heard) do
    local promised = events[one.event]
    for _, name in ipairs(promised.measures) do
      if type(one.measures[name]) ~= "number" then list[#list + 1] = one.event .. " measures no " .. name end
    end
    for _, name in ipairs(promised.tells) do
      if one.tells[name] == nil then list[#list + 1] = one.event .. " tells no " .. name end
    end
  end
  return list
end

local function traces()
  local of, without = {}, {}
  for _, one in ipairs(heard) do
    if events[one.event].of == "run" then
      local id = one.tells.trace_id
      if id then of[id] = true else without[#without + 1] = one.event end
    end
  end
  local ids = {}
  for id in pairs(of) do ids[#ids + 1] = id end
  return ids, without
end

local function kinds()
  local seen = {}
  for _, one in ipairs(heard) do seen[one.event] = true end
  return seen
end

local function settle()
  beamlens.options = assert(config.settle({ node = shop.name, cookie_file = shop.cookie_file, quiet = true,
    store = ":memory:" }, function() end))
end

local function run(opts)
  settle()
  return assert(beamlens.coordinator.run(opts))
end

describe("events", function()
  setup(function()
    state_home.open()
    shop = live.start { code = GROW }
  end)
  teardown(function()
    async.run(beamlens.close)
    live.stop_all()
    state_home.close()
  end)

  it("of a run by rules are as the catalogue has them, and of one trace", live.test(function()
    local report
    hear(function() report = run { provider = "analyst", reason = "slow" } end)
    assert.same({}, missing())
    local ids, without = traces()
    assert.same({ { report.trace_id }, {} }, { ids, without })
    local seen = kinds()
    for _, name in ipairs { "coordinator.started", "operator.notification_sent", "coordinator.insight_produced",
      "run.stop", "node.up" } do
      assert.is_true(seen[name] or false, name)
    end
  end))

  it("of a run in a pipeline are so too", live.test(function()
    local report
    hear(function() report = run { provider = "analyst", reason = "slow", strategy = "pipeline" } end)
    assert.same({}, missing())
    local ids, without = traces()
    assert.same({ { report.trace_id }, {} }, { ids, without })
    assert.is_true(kinds()["coordinator.pipeline_classify_start"])
  end))

  it("of a watcher are so too", live.test(function()
    hear(function()
      settle()
      local watcher = assert(beamlens.operator.start("beam", { mode = "continuous", names = "watcher", every = 1,
        provider = "analyst" }))
      until_true("a turn", function() return kinds()["watcher.iteration_start"] end)
      watcher:stop()
      watcher:join(30)
    end)
    assert.same({}, missing())
    local ids, without = traces()
    assert.same({ 1, {} }, { #ids, without })
    assert.is_true(kinds()["watcher.started"])
  end))

  it("of a run with a model that fails on the way are so too", live.test(function()
    local asked = 0
    local server = provider.start("anthropic", function(talk)
      asked = asked + 1
      if talk.who == "coordinator" and talk.turn == 1 then
        return { calls = { { "invoke_operators", { skills = { "beam" } } } } }
      end
      if talk.who == "coordinator" then return { calls = { { "wait", { ms = 2000 } }, { "nonsense", {} } } } end
      if talk.turn == 1 then return { calls = { { "take_snapshot", {} }, { "think", { thought = "so" } } } } end
      if talk.turn == 2 then return { calls = { { "execute", { code = "return beam_get_memory()" } } } } end
      if talk.turn == 3 then return { calls = { { "execute", { code = "return nothing_there()" } } } } end
      return { calls = { { "done", {} } } }
    end, function(n, response)
      if n ~= 2 then return false end
      response:send(529, { type = "error", error = { type = "overloaded_error", message = "Overloaded" } },
        { ["retry-after-ms"] = 10 })
      return true
    end)
    uv.os_setenv("ANTHROPIC_API_KEY", "sk-test-0123456789")
    uv.os_setenv("ANTHROPIC_BASE_URL", server.url)
    stderr.catch() -- where it says who gets what is found
    hear(function() run { provider = "anthropic", reason = "slow", limits = { iterations = 6 },
      strategy = "agent_loop" } end)
    stderr.release()
    uv.os_unsetenv "ANTHROPIC_API_KEY"
    uv.os_unsetenv "ANTHROPIC_BASE_URL"
    server.stop()
    assert.same({}, missing())
    local ids, without = traces()
    assert.same({ 1, {} }, { #ids, without })
    assert.is_true(asked > 4)
    assert.is_true(kinds()["operator.execute_error"])
    assert.is_true(kinds()["llm.retry"])
  end))

  it("that begin something measure when, and those that end it how long", function()
    local without = {}
    local function measures(name, what)
      for _, one in ipairs(events[name].measures) do
        if one == what then return end
      end
      without[#without + 1] = name
    end
    for name, event in pairs(events) do
      local begins = name:match "[._]start$" or name:match "%.started$"
      if event.of == "run" and begins then measures(name, "system_time") end
      if name:match "%.stop$" or name:match "%.exception$" or name:match "^coordinator.pipeline.*_complete$" then
        measures(name, "duration")
      end
    end
    assert.same({}, without)
  end)

  it("are all in the catalogue, wherever in the program they are named", function()
    local known, unknown = {}, {}
    local pipe = assert(io.popen(("grep -rhoE --include=*.lua 'emit(ted)?[( ]+\"[a-z_]+[.][a-z_]+\"' '%s/runtime'")
      :format(files.root)))
    for line in pipe:lines() do
      local name = line:match '"(.*)"'
      if events[name] then known[name] = true else unknown[#unknown + 1] = name end
    end
    pipe:close()
    assert.is_true(known["run.stop"]) -- that it was looked at all
    assert.same({}, unknown)
  end)
end)
