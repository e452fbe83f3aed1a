--- `spec-host spec/hostile/main.lua SECONDS [SEED]`, behind `make hostile`: for so long hostile workers against the
--- sandbox, hostile nodes against what attaches, and now and then the whole program against such a node, or through a
--- door whose far side spoils what it says to a node that means no harm. The seed is printed; given again it makes the
--- same attacks. Ends with 1 at the first that the host did not cope with.

local uv = require "luv"
local async = require "runtime.async"
local dice = require "spec.hostile.dice"
local live = require "spec.support.live_node"
local nodes = require "spec.hostile.nodes"
local ours = require "host.files"
local program = require "spec.support.program"
local sandbox = require "runtime.sandbox"
local workers = require "spec.hostile.workers"

local WORKERS_AT_ONCE, NODES_AT_ONCE, PROGRAMS_AT_ONCE = 6, 6, 1
local GOOD_EVERY = 10
local CONNECT_S = 1.5
local TELL_EVERY_S = 30
local MOST_MIB = 1536 -- with the quarantine of the sanitizer

local seconds, seed = tonumber(arg[1]) or 600, tonumber(arg[2]) or os.time() % 1000000

local ends, counts, next_seed, peak = 0, {}, {}, 0

local function count(what, kind)
  counts[what] = counts[what] or {}
  counts[what][kind] = (counts[what][kind] or 0) + 1
end

local function totals(what)
  local parts, sum = {}, 0
  for kind, n in pairs(counts[what] or {}) do
    parts[#parts + 1] = ("%s %d"):format(kind, n)
    sum = sum + n
  end
  table.sort(parts)
  return ("%s %d (%s)"):format(what, sum, table.concat(parts, ", "))
end

local function tell()
  collectgarbage()
  local mib = uv.resident_set_memory() / 2 ^ 20
  peak = math.max(peak, mib)
  print(("%s; %s; %s; %s; %d MiB"):format(totals "workers", totals "nodes", totals "programs", totals "doors", mib))
  io.stdout:flush()
  if mib > MOST_MIB then error(("more memory than %d MiB"):format(MOST_MIB), 0) end
end

-- One after the other until the time is over; `attack(seed) -> kind`.
local function keep_on(what, attack)
  return function()
    while async.now() < ends do
      next_seed[what] = (next_seed[what] or seed - 1) + 1
      local ok, kind = pcall(attack, next_seed[what])
      if not ok then
        ends = 0 -- for all
        error(("%s, seed %d: %s"):format(what, next_seed[what], tostring(kind)), 0)
      end
      count(what, kind)
    end
  end
end

-- The program that a person starts must end by itself, with a code of its own, without a word of the sanitizer or of
-- a fault of ours, and show nothing that steers a terminal.
local function run_program(args, env)
  local running = program.start(args, { env = env })
  local code, signal = running.wait(60)
  local said = running.stdout() .. running.stderr()
  if signal ~= 0 or code > 6 or said:find "[%z\1-\8\11-\31\127]" or said:find("fault in a callback", 1, true) then
    error(("exit %s, signal %s\n%s"):format(code, signal, said), 0)
  end
  return "exit " .. code
end

local function against_program(run)
  return function(its_seed)
    run.listener.turn(dice.new(its_seed))
    return run_program(
      { "health", "--node", run.name, "--port", tostring(run.listener.port), "--deadline", "3", "--json" },
      { BEAMLENS_COOKIE = run.cookie })
  end
end

local FAR_SHELL = "shell:luajit " .. ours.root .. "/spec/hostile/far_shell.lua "

local function through_a_door(at)
  local env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home }
  return function(its_seed)
    return run_program({ "health", "--node", at.name, "--via", FAR_SHELL .. its_seed, "--deadline", "8" }, env)
  end
end

async.run(function()
  print(("seed %d, %d s"):format(seed, seconds))
  local folder = os.tmpname()
  os.remove(folder)
  assert(uv.fs_mkdir(folder, 448))
  ends = async.now() + seconds
  local tasks, listeners = {}, {}
  local against_sandbox = workers.begin(folder)
  for _ = 1, WORKERS_AT_ONCE do
    tasks[#tasks + 1] = keep_on("workers", function(its_seed)
      local kind = workers.attack(against_sandbox, its_seed)
      if its_seed % GOOD_EVERY == 0 then workers.serve_a_good_one(its_seed) end
      return kind
    end)
  end
  for i = 1, NODES_AT_ONCE + PROGRAMS_AT_ONCE do
    local run = nodes.begin(CONNECT_S)
    listeners[i] = run
    local function one(its_seed) return nodes.attack(run, its_seed) end
    tasks[#tasks + 1] = i <= NODES_AT_ONCE and keep_on("nodes", one)
      or keep_on("programs", against_program(run))
  end
  local at = live.start { attach = false, name = live.own_name "bl_hostile" }
  tasks[#tasks + 1] = keep_on("doors", through_a_door(at))
  tasks[#tasks + 1] = function()
    while async.now() < ends do
      async.sleep(math.min(TELL_EVERY_S, math.max(0, ends - async.now())))
      tell()
    end
  end
  local failed = {}
  for i, task in ipairs(tasks) do tasks[i] = async.spawn(task) end
  for _, task in ipairs(tasks) do
    local ok, why = task:join()
    if not ok then failed[#failed + 1] = tostring(why) end
  end
  sandbox.close()
  for _, run in ipairs(listeners) do run.close() end
  live.stop_all()
  uv.fs_rmdir(folder)
  tell()
  print(("at most %d MiB"):format(peak))
  if #failed > 0 then error(table.concat(failed, "\n"), 0) end
end)
return 0
