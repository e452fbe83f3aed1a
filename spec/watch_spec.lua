-- `beamlens-run watch`: the real program against a real node, with short times: it learns, sees a mailbox
-- grow a thousandfold, looks into it once, keeps still, and knows after a kill -9 what it knew before.

local uv = require "luv"
local async = require "runtime.async"
local kept_in = require "runtime.store"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local watching = require "spec.support.watching"

local lines, until_told, stop = watching.lines, watching.until_told, watching.stop
local shop, config, store

local NEVER_READS = [[register(never_reads, spawn(fun() -> timer:sleep(infinity) end)).]]
local SEND = [[[never_reads ! {order, X} || X <- lists:seq(1, N)], ok.]]
local GROW = [[register(sends, spawn(fun F() ->
  [never_reads ! {order, X} || X <- lists:seq(1, 200)], timer:sleep(20), F() end)), ok.]]
local CALM = [[[exit(P, kill) || N <- [sends, never_reads], P <- [whereis(N)], is_pid(P)], ok.]]
local CROWD = [[[spawn(fun() -> timer:sleep(60000) end) || _ <- lists:seq(1, 3000)], ok.]]
-- By its own hand, as the connection may be the one that is cut.
local CUT = [[spawn(fun() -> [erlang:disconnect_node(N) || N <- nodes(hidden)] end), ok.]]

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

local function settings(more)
  return write(config, ([[return { store = %q, anomaly = { collection_interval_ms = 100, learning_duration_ms = 1000,
    cooldown_ms = 600000, %s } }]]):format(store, more or ""))
end

local function start(...)
  return program.start({ "watch", "--node", shop.name, "--cookie-file", shop.cookie_file, "--config", config,
    "--json", ... }, { env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home } })
end

local function flood()
  shop.eval(SEND, { N = 20000 })
  shop.eval(GROW)
end

describe("watch", function()
  setup(function()
    shop = live.start { code = NEVER_READS }
    config, store = shop.home .. "/watch.lua", shop.home .. "/kept/store.db"
  end)
  teardown(live.stop_all)

  before_each(function()
    os.execute(("rm -rf '%s/kept'"):format(shop.home))
    settings()
    async.run(function()
      shop.eval(CALM)
      while shop.eval "whereis(sends) =/= undefined orelse whereis(never_reads) =/= undefined." do async.sleep(0.01) end
      shop.eval(NEVER_READS)
      shop.eval(SEND, { N = 5 })
    end)
  end)

  it("says when it learns, and when it has learned", live.test(function()
    local running = start()
    assert.equal("learning", until_told(running, "anomaly.started").state)
    assert.is_true(until_told(running, "anomaly.learning_complete").metrics > 5)
    assert.equal(0, stop(running))
    assert.same({ 0, 0 }, { lines(running, "ended")[1].reports, lines(running, "ended")[1].sick })
  end))

  it("looks once into a mailbox that grows a thousandfold, finds it, and then keeps still", live.test(function()
    local running = start()
    until_told(running, "anomaly.learning_complete")
    flood()
    local told = until_told(running, "anomaly.escalation")
    assert.matches("beam%.max_message_queue is %d%d%d%d+, usual is 5 %(3 looks in a row%)", told.reason)
    local report = until_told(running, "report").report
    assert.same({ "sick", "never_reads", told.reason },
      { report.verdict, report.insights[1].root_cause.object, report.reason })
    shop.eval(CROWD) -- the next anomaly, within the cooldown
    until_told(running, "anomaly.anomaly_detected", function(l) return l.metric == "beam.process_count" and l.told end)
    assert.equal(1, stop(running))
    assert.same({ 1, 1, 1, 1 }, { #lines(running, "anomaly.escalation"), #lines(running, "report"),
      #lines(running, "anomaly.cooldown_started"), #lines(running, "anomaly.auto_trigger_started") })
  end))

  it("knows after a kill -9 what it had learned", live.test(function()
    settings "auto_trigger = false"
    local running = start()
    local metrics = until_told(running, "anomaly.learning_complete").metrics
    running.kill "sigkill"
    running.wait(30)
    running = start()
    local began = until_told(running, "anomaly.started")
    assert.same({ "active", metrics }, { began.state, began.metrics })
    flood()
    until_told(running, "anomaly.escalation")
    assert.equal(0, stop(running))
    assert.same({}, lines(running, "anomaly.learning_complete"))
  end))

  it("goes on when the connection was lost and came back", live.test(function()
    settings "auto_trigger = false"
    local running = start()
    until_told(running, "anomaly.learning_complete")
    local ours_again = false -- our own link is cut too
    shop.node:on_change(function(state) ours_again = ours_again or state == "up" end)
    shop.eval(CUT)
    until_told(running, "node.down")
    until_told(running, "node.up", function(l) return l.attempt end)
    while not ours_again do async.sleep(0.02) end
    flood()
    until_told(running, "anomaly.escalation")
    assert.equal(0, stop(running))
  end))

  it("tells and does not look when it may not", live.test(function()
    settings "max_triggers_per_hour = 0"
    local running = start()
    until_told(running, "anomaly.learning_complete")
    flood()
    until_told(running, "anomaly.trigger_rate_limited")
    until_told(running, "anomaly.cooldown_started")
    assert.equal(0, stop(running))
    assert.same({}, lines(running, "report"))
  end))

  it("can be had by a script too, which goes on when it is ended", live.test(function()
    local script = write(shop.home .. "/watch_it.lua", [[
      local beamlens = require "beamlens"
      beamlens.on("anomaly.started", function() io.stderr:write "it watches\n" end)
      local ended = assert(beamlens.watch { skills = { "ets" }, anomaly = { collection_interval_ms = 100 } })
      return 7 + ended.reports]])
    local running = program.start({ script, "--node", shop.name, "--cookie-file", shop.cookie_file },
      { env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home } })
    local patience = async.now() + 60
    while not running.stderr():find "it watches" and async.now() < patience do async.sleep(0.05) end
    assert.equal(7, stop(running))
  end))

  it("begins with no callback in its config that is not CAUTION, and says so at once", live.test(function()
    settings [[auto_trigger = true }, autonomy = { callbacks = { "beam_get_memory" } ]]
    local running = start()
    assert.equal(2, running.wait())
    settings()
    local said = "autonomy.callbacks: beam_get_memory is SAFE, and only what is CAUTION can be let"
    assert.matches(said, running.stdout())
  end))

  it("says that the node is not there", live.test(function()
    local result = program.run({ "watch", "--node", "nobody@127.0.0.1", "--cookie-file", shop.cookie_file },
      { env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home } })
    assert.same({ 3, "" }, { result.code, result.stdout })
    assert.matches("nobody", result.stderr)
  end))

  it("keeps its file to itself", live.test(function()
    local running = start()
    until_told(running, "anomaly.learning_complete")
    local modes = {}
    for _, path in ipairs { shop.home .. "/kept", store, store .. "-wal" } do
      modes[#modes + 1] = ("%o"):format(uv.fs_stat(path).mode % 512)
    end
    stop(running)
    assert.same({ "700", "600", "600" }, modes)
  end))

  it("goes on in memory where the pages of its own store are broken, and says what to do", live.test(function()
    local folder = shop.home .. "/.local/state/beamlens"
    local path = folder .. "/beamlens.db"
    os.execute(("rm -rf '%s' && mkdir -p '%s' && chmod -R 700 '%s/.local'"):format(folder, folder, shop.home))
    assert(kept_in.open(path)):close()
    local size = uv.fs_stat(path).size
    local file = assert(io.open(path, "r+b"))
    file:seek("set", 4096)
    file:write(("\0"):rep(size - 4096))
    file:close()
    write(config, "return { anomaly = { collection_interval_ms = 100, learning_duration_ms = 1000 } }")
    local running = start()
    assert.equal(path .. ": database disk image is malformed; move it away", until_told(running, "store.failed").reason)
    until_told(running, "anomaly.learning_complete")
    assert.equal(0, stop(running))
    assert.equal(1, #lines(running, "store.failed"))
    os.execute(("rm -rf '%s'"):format(folder))
  end))

  it("is told in lines for people without --json", live.test(function()
    local running = program.start({ "watch", "--node", shop.name, "--cookie-file", shop.cookie_file, "--config",
      config }, { env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home } })
    local patience = async.now() + 60
    while not running.stdout():find("learned %d+ metrics\n") and async.now() < patience do async.sleep(0.05) end
    stop(running)
    assert.matches("^%S+Z attached to bl_spec@127.0.0.1\n%S+Z watching bl_spec@127.0.0.1: learning what is usual\n"
      .. "%S+Z learned %d+ metrics\n%S+Z ended: 0 investigations, 0 found something\n$", running.stdout())
  end))
end)
