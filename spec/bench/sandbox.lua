--- A chunk in the sandbox from the call to the outcome: a trivial one, the way of a callback, work beside
--- Debian's erlang-luerl (a Lua that runs on the node itself), and how long after its time the slowest of the
--- attacks of spec/escapes is over.

local uv = require "luv"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local sandbox = require "runtime.sandbox"

local TRIVIAL_ROUNDS, WORK_ROUNDS, CALLS = 200, 3, 60
local ALLOWED_US, ALLOWED_MS = 300, 60
local ENDLESS = { "endless", "memory", "stack", "values", "results", "callbacks", "parser", "names" }
local SOON_S = 0.1

local SORT = [[
  local x, records = 42, {}
  for i = 1, 100000 do
    x = (x * 16807) % 2147483647
    records[i] = { key = x, place = i }
  end
  table.sort(records, function(a, b) return a.key < b.key end)
  return records[1].key]]

-- Not local: Luerl does not find a local function in itself.
local FIB = "function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end return fib(27)"

local LUERL = [[
  {Took, {[R | _], _}} = timer:tc(fun() -> luerl:do(binary_to_list(Code), luerl:init()) end),
  {Took, round(R)}.]]

local function execute(code, more)
  local chunk = { code = code, names = {}, call = function() end, limits = { run_s = 30 } }
  for key, value in pairs(more or {}) do chunk[key] = value end
  return sandbox.execute(chunk)
end

-- The next spare is started, and has locked itself in, while a model thinks.
local function rest()
  async.sleep(0.005)
  assert(sandbox.protection().strength == "strict")
end

local function rested(code, more)
  rest()
  return execute(code, more)
end

local function trivial()
  local took = {}
  for i = 1, TRIVIAL_ROUNDS do
    rest()
    local start = uv.hrtime()
    assert(execute("return 1 + 1").result == 2)
    took[i] = (uv.hrtime() - start) / 1e3
  end
  return measure.figures("execute of a trivial chunk, a spare waiting", "us", measure.median(took), "allowed",
    ALLOWED_US, "<= 1")
end

-- What a chunk with callbacks takes longer than one without, for each of them.
local function callback()
  local function loop(body)
    return ("local x for i = 1, %d do %s end return x"):format(CALLS, body)
  end
  local echo = { names = { "echo" }, call = function(_, args) return args[1] end }
  local each = {}
  for i = 1, 21 do
    local without = rested(loop "x = i", echo).elapsed_ms
    each[i] = (rested(loop "x = echo(i)", echo).elapsed_ms - without) / CALLS * 1000
  end
  local us = measure.median(each)
  return { name = "a callback and its answer", ours = ("%.1f us"):format(us), peer = "-", target = "-" }
end

local function beside_luerl(at, name, code, target)
  local mine, theirs, ratios = {}, {}, {}
  for i = 1, WORK_ROUNDS do
    local out = rested(code)
    local answer = at.node.query(LUERL, { Code = code }, { timeout = 120, heap_words = 0 })
    assert(out.result == answer[2], ("%s: %s here, %s there"):format(name, tostring(out.result), tostring(answer[2])))
    mine[i], theirs[i] = out.elapsed_ms, answer[1] / 1e3
    ratios[i] = theirs[i] / mine[i]
  end
  return measure.figures(name, "ms", measure.median(mine), "luerl", measure.median(theirs), target,
    measure.median(ratios))
end

-- Those that only the clock ends, and one whose worker does not even hear the clock.
local function attacks()
  local list = {}
  for _, file in ipairs(ENDLESS) do
    for _, attack in ipairs(require("spec.escapes." .. file)) do
      if attack.expect[1] == "timeout" then list[#list + 1] = { code = attack.code, name = attack.name } end
    end
  end
  list[#list + 1] = { name = "a worker that was stopped", code = "stop() while true do end", call = function()
    local children = io.open(("/proc/self/task/%d/children"):format(uv.os_getpid()))
    for pid in children:read("*a"):gmatch "%d+" do uv.kill(tonumber(pid), "sigstop") end
    children:close()
  end }
  return list
end

local function overshoot()
  local demo = require "runtime.demo_callbacks"
  local worst, count = { ms = 0 }, 0
  for _, attack in ipairs(attacks()) do
    local codes = type(attack.code) == "table" and attack.code or { attack.code }
    local names = attack.call and { "stop" } or demo.names
    for i, code in ipairs(codes) do
      local out = rested(code, { names = names, call = attack.call or demo.call, limits = { run_s = SOON_S } })
      local late = out.elapsed_ms - SOON_S * 1000
      if i == #codes then
        assert(out.kind == "timeout", attack.name)
        count = count + 1
      end
      if late > worst.ms then worst = { ms = late, name = attack.name } end
    end
  end
  return measure.figures(("%d attacks, the last to stop: %s"):format(count, worst.name):sub(1, 58), "ms", worst.ms,
    "allowed", ALLOWED_MS, "<= 1")
end

return async.run(function()
  local rows = { trivial(), callback() }
  local at = live.start {}
  at.eval "{ok, _} = application:ensure_all_started(luerl)."
  rows[3] = beside_luerl(at, "a chunk that sorts 100,000 records", SORT, ">= 10")
  rows[4] = beside_luerl(at, "a chunk that reckons fib(27)", FIB, ">= 20")
  at.stop()
  rows[5] = overshoot()
  sandbox.close()
  return rows
end)
