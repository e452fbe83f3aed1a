-- A thousand runs with a model that does whatever the dice say, on a live node. Whatever it does, a run ends with an
-- answer within its limits and leaves nothing behind. SEED=n plays other runs; a seed that fails is told.
local async = require "runtime.async"
local continuous = require "runtime.continuous"
local coordinator = require "runtime.coordinator"
local dice = require "spec.hostile.dice"
local gate = require "runtime.gate"
local json = require "runtime.json"
local left_open = require "spec.support.left_open"
local live = require "spec.support.live_node"
local uv = require "luv"
local operator = require "runtime.operator"
local pipeline = require "runtime.strategy.pipeline"
local random_model = require "spec.support.random_model"
local sandbox = require "runtime.sandbox"
local skill = require "runtime.skill"

local RUNS = 1000
local SEED = tonumber(os.getenv "SEED" or 1)
local CALLS, STEPS, AGENTS = 12, 5, 2
local WAYS = { "operator", "operator", "operator", "coordinator", "coordinator", "pipeline", "continuous" }
local VERDICTS = { sick = true, healthy = true, cannot_tell = true }

-- Every coroutine that was made while it is on, as long as somebody holds it.
local function counting_tasks()
  local made, create = setmetatable({}, { __mode = "k" }), coroutine.create
  coroutine.create = function(fn) -- luacheck: ignore 122
    local co = create(fn)
    made[co] = true
    return co
  end
  return function()
    coroutine.create = create -- luacheck: ignore 122
    left_open.memory()
    local count = 0
    for co in pairs(made) do count = count + (coroutine.status(co) ~= "dead" and 1 or 0) end
    return count
  end
end

-- Sockets and files. (The loop's handles cannot be walked: those of the jail are not luv's.)
local function descriptors()
  local list = io.popen(("ls /proc/%d/fd"):format(uv.os_getpid()))
  local _, count = list:read "*a":gsub("\n", "")
  list:close()
  return count
end

describe("a thousand runs of a random model", function()
  local at, skills, rests
  local seen = { memory = {}, files = {}, tasks = 0, wrong = {}, ended = {} }

  local function check(seed, report, without_end)
    local wrong
    if not report or not VERDICTS[report.verdict] then
      wrong = "no answer"
    else
      if report.usage.calls > CALLS + AGENTS then wrong = report.usage.calls .. " requests" end
      for _, o in ipairs(report.operators) do
        if o.iterations > STEPS and not without_end then wrong = ("%s made %d steps"):format(o.skill, o.iterations) end
      end
      seen.ended[report.incomplete == json.null and "by itself" or report.incomplete] = true
    end
    if wrong then seen.wrong[#seen.wrong + 1] = ("SEED=%d: %s"):format(seed, wrong) end
  end

  -- What has no end is asked something and stopped; its steps have no bound, but its requests do.
  local function endless(seed, d, opts)
    opts.mode, opts.names, opts.deadline = "continuous", d:pick { "operator", "watcher" }, nil
    local handle = assert(operator.start(opts))
    local asking = async.spawn(handle.message, handle, "how is it?", 0.01)
    if d:chance(50) then async.sleep(d:int(0, 10) / 1000) end
    handle:stop()
    asking:join()
    check(seed, handle:join(), true)
  end

  local function run(seed)
    local d = dice.new(seed)
    local opts = { node = at.node, skills = skills, skill = skills[1], mind = random_model.mind(seed),
      gate = gate.new {}, deadline = async.now() + 30, limits = { iterations = STEPS, calls = CALLS } }
    local way = d:pick(WAYS)
    if way == "continuous" then return endless(seed, d, opts) end
    opts.strategy = way == "pipeline" and pipeline or nil
    local task = async.spawn(way == "operator" and operator.run or coordinator.run, opts)
    if d:chance(5) then -- the caller goes away
      async.sleep(d:int(0, 3) / 1000)
      task:cancel "interrupted"
    end
    local ok, report = task:join()
    check(seed, ok and report or nil)
    if not ok then seen.wrong[#seen.wrong + 1] = ("SEED=%d: raised %s"):format(seed, report) end
  end

  -- Without the worker that is always spawned ahead; what is being closed takes a moment.
  local function measure(i)
    sandbox.close()
    local deadline = async.now() + 20
    repeat
      async.sleep(0.05)
      seen.memory[i], seen.files[i] = left_open.memory(), descriptors()
    until i == 1 or seen.files[2] == seen.files[1] or async.now() > deadline
  end

  setup(function()
    at = live.start()
    rests = { continuous.rest_s, continuous.pause_s }
    continuous.rest_s, continuous.pause_s = 0.002, 0.001
    skills = { assert(skill.open "ets") }
    async.run(function()
      for i = 1, 100 do run(SEED * 100000 + i) end -- what is made once and kept
      local tasks = counting_tasks()
      measure(1)
      for i = 101, RUNS do run(SEED * 100000 + i) end
      measure(2)
      seen.tasks = tasks()
    end)
  end)

  teardown(function()
    continuous.rest_s, continuous.pause_s = unpack(rests)
    live.stop_all()
  end)

  it("ends each with an answer, within its steps and requests", function() assert.same({}, seen.wrong) end)

  it("ends them in every way there is", function()
    for _, ended in ipairs { "by itself", "budget", "iterations", "provider", "interrupted" } do
      assert.is_true(seen.ended[ended], ended)
    end
  end)

  it("leaves no task waiting", function() assert.equal(0, seen.tasks) end)

  it("leaves no socket or file open", function() assert.equal(seen.files[1], seen.files[2]) end)

  it("keeps no memory of runs that are over", function()
    local grown = (seen.memory[2] - seen.memory[1]) / 1024
    assert.is_true(grown < 1024, ("%.0f KiB more than after the first hundred"):format(grown))
  end)
end)
