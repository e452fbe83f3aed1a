-- The whole program with a reader of its stdout or stderr that stops: Ctrl-S, a pager, a log driver that is stuck.
-- That an end comes by itself is seen by its coming before the ten seconds of grace, after which the host ends it.

local async = require "runtime.async"
local client = require "spec.support.http_client"
local full_pipe = require "spec.support.full_pipe"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

local EARLIER_S = 9
local shop, pipe, running

local function read(path)
  local file = io.open(path)
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

local function until_true(what, fn)
  local patience = async.now() + 60
  while true do
    local found = fn()
    if found then return found end
    assert(async.now() < patience, ("%s: %s"):format(what, pipe:text()))
    async.sleep(0.02)
  end
end

local function start(args, descriptors)
  descriptors.env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home,
    XDG_STATE_HOME = shop.home .. "/state" }
  for _, word in ipairs { "--node", shop.name, "--cookie-file", shop.cookie_file } do args[#args + 1] = word end
  running = program.start(args, descriptors)
end

local function ended(seconds)
  local code = running.wait(seconds)
  running = nil
  return code
end

-- A watch that has told something to a reader who had stopped.
local function stopped_watch()
  local events = shop.home .. "/events.jsonl"
  os.remove(events)
  local config = shop:write("watch.lua", ([[return { sinks = { { type = "jsonl", file = %q } },
    anomaly = { collection_interval_ms = 100, learning_duration_ms = 2000 } }]]):format(events))
  pipe:read()
  start({ "watch", "--store", ":memory:", "--config", config, "--listen", "127.0.0.1:0" }, { stdout = pipe.write_fd })
  local port = until_true("listening", function() return pipe:text():match "listening on [^\n]*:(%d+)" end)
  pipe:stop()
  until_true("learned", function() return read(events):find("learning_complete", 1, true) end)
  return tonumber(port)
end

describe("a reader that stops", function()
  setup(function() shop = live.start {} end)
  teardown(live.stop_all)
  before_each(function() pipe = full_pipe.new() end)
  after_each(function()
    if running then
      running.kill "sigkill"
      async.run(ended)
    end
    pipe:close()
  end)

  it("of what a watch tells does not keep it from answering others", live.test(function()
    assert.equal(200, client.ask(stopped_watch(), "GET", "/healthz", {}).status)
  end))

  it("of what a watch tells does not keep SIGTERM from ending it", live.test(function()
    stopped_watch()
    running.kill "sigterm"
    assert.equal(130, ended(EARLIER_S))
  end))

  it("of the talk does not keep a run from its end, and its result is whole", live.test(function()
    pipe:stop()
    start({ "coordinator.lua", "--provider", "analyst", "--skills", "ets", "--store", ":memory:" },
      { stderr = pipe.write_fd })
    local said = running.stdout
    assert.equal(0, ended(60))
    assert.matches("HEALTHY", said())
  end))

  it("of a result that reads on has it whole", live.test(function()
    local LONG = [[lists:duplicate(20000, "a line of a long result").]]
    start({ "eval", LONG }, {})
    local whole = running.stdout
    assert.equal(0, ended(60))
    pipe:stop()
    start({ "eval", LONG }, { stdout = pipe.write_fd })
    pipe:close_write_end()
    pipe:read()
    assert.equal(0, ended(60))
    until_true("the end", function() return pipe.ended end)
    assert.equal(whole(), pipe:text())
  end))
end)
