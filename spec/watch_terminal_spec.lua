-- A watch and a run on a terminal, as a person sees them: stdout and stderr are one screen.

local async = require "runtime.async"
local live = require "spec.support.live_node"
local pty = require "spec.support.pty"
local until_true = require "spec.support.until_true"

local STUCK = [[register(never_reads, spawn(fun() -> timer:sleep(infinity) end)),
  [never_reads ! early || _ <- lists:seq(1, 200000)],
  register(sends, spawn(fun F() -> [never_reads ! {order, X} || X <- lists:seq(1, 200)], timer:sleep(20), F() end)).]]
local SILENT = [[return function() require("runtime.async").sleep(120) end]]
local SLOW = [[return function(_, turn)
  if turn > 1 then require("runtime.async").sleep(120) end
  return { calls = { { name = "think" } },
    usage = { input = 1200, cache_write = 0, cache_read = 30, output = 4, cost_usd = 0.0123 } }
end]]
local CONFIG = [[return { watchers = { "beam" },
  anomaly = { collection_interval_ms = 200, learning_duration_ms = 600000 } }]]

describe("on one terminal", function()
  local shop

  local function start(args, more)
    local env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home, BEAMLENS_NODE = shop.name,
      XDG_STATE_HOME = shop.home .. "/state", BEAMLENS_COOKIE_FILE = shop.cookie_file }
    for name, value in pairs(more or {}) do env[name] = value end
    return pty.start(args, { env = env, whole = true, columns = env.COLUMNS })
  end

  -- A machine under load leaves seconds out.
  local function shows(running, pattern)
    until_true(pattern, function() return running.screen():find(pattern) end)
  end

  -- What stood on the screen at last, line by line.
  local function lines_of(screen)
    local lines = {}
    for line in screen:gmatch "[^\n]+" do
      lines[#lines + 1] = line:gsub("^.*\r\27%[K", ""):gsub("\27%[[%d;]*m", ""):gsub("[\194-\244][\128-\191]+", ".")
    end
    return lines
  end

  -- A path is not broken.
  local function too_long(screen, columns)
    local long = {}
    for _, line in ipairs(lines_of(screen)) do
      if #line > columns and not line:find "/%S+$" then long[#long + 1] = line end
    end
    return long
  end

  setup(function() shop = live.start { code = STUCK } end)
  teardown(live.stop_all)

  describe("a watch", function()
    local screen

    setup(function()
      async.run(function()
        local running = start { "watch", "--config", shop:write("watch.lua", CONFIG) }
        running.see "kept as r"
        async.sleep(0.3)
        running.kill "sigint"
        running.wait()
        screen = running.screen()
      end)
    end)

    it("writes each of its lines where a line begins", function()
      local mixed = {}
      for line in screen:gmatch "[^\n]+" do
        local seen = line:gsub("^.*\r\27%[K", "")
        if seen:find "^.+%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ " then mixed[#mixed + 1] = line end
      end
      assert.same({}, mixed)
      assert.matches("\r\27[K", screen, 1, true)
    end)

    it("tells one trouble in one line before its report, as a sentence", function()
      local told = {}
      for line in screen:match "^(.-)\nSICK":gmatch "[^\n]+" do
        line = line:gsub("^.*\r\27%[K", "")
        told[#told + 1] = line:match "^%S+ (.- of never_reads grows)"
      end
      assert.same({ "beam says (critical): The queue of never_reads grows" }, told)
    end)
  end)

  it("a run tells one trouble once before its report, and no line is longer than the terminal", live.test(function()
    local running = start({ "coordinator.lua" }, { COLUMNS = 60 })
    assert.equal(1, (running.wait()))
    local before = table.concat(lines_of(running.screen():match "^(.-)\n[^\n]*SICK"), "\n")
    assert.equal(1, select(2, before:gsub("queue of%s+never_reads", "")), before)
    assert.matches("beam noticed: The queue", before, 1, true)
    assert.same({}, too_long(running.screen(), 60))
  end))

  for _, args in ipairs { { "doctor" }, { "runs" }, { "health" }, { "show", "last" } } do
    it(("%s fits a terminal of 60 columns"):format(args[1]), live.test(function()
      local running = start(args, { COLUMNS = 60 })
      assert.equal(0, (running.wait()), running.screen())
      assert.same({}, too_long(running.screen(), 60))
    end))
  end

  it("a run tells for how long it goes on, what models took, and what is looked at", live.test(function()
    local running = start({ "coordinator.lua", "--skills", "beam" })
    shows(running, "%d s · beam: snapshot")
    running.wait()
    local slow = shop:write("slow.lua", SLOW)
    running = start({ "coordinator.lua", "--provider", "script" }, { BEAMLENS_SCRIPT = slow })
    shows(running, "%d s · 1,234 tokens, 0%.0123 USD · waiting for script, [1-9]%d* s")
    running.kill "sigint"
    running.wait()
  end))

  it("a run tells for how long it waits for a model, and who interrupts it is told so", live.test(function()
    local silent = shop:write("silent.lua", SILENT)
    local running = start({ "coordinator.lua", "--provider", "script" }, { BEAMLENS_SCRIPT = silent })
    shows(running, "waiting for script, [2-9]%d* s")
    running.kill "sigint"
    assert.equal(130, (running.wait()))
    assert.matches("interrupted before the model answered", running.screen(), 1, true)
    assert.is_nil(running.screen():find("no answer from the model in time", 1, true))
  end))
end)
