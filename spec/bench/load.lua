--- What watching costs a node of 100,000 processes: the snapshots of all skills every 30 seconds, the sampler's beats
--- with them, and how late a process that wants to run every millisecond gets to run meanwhile. The hard case is
--- measured: rounds without a pause, beside recon:proc_count/2 without a pause.

local etf = require "host.etf"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local sampler = require "runtime.sampler"
local skill = require "runtime.skill"

local PROCESSES, ROUNDS, WINDOWS, WINDOW_S, EVERY_S = 100000, 3, 5, 4, 30

-- Four processes as short of time as a server that answers within a millisecond; compiled, since an
-- interpreted loop would measure itself. Each keeps the lateness of its last ticks in microseconds.
local TICKER = [[
-module(bl_ticker).
-export([start/0, take/1]).
start() -> [spawn(fun() -> loop([]) end) || _ <- lists:seq(1, 4)].
loop(Seen) ->
    T = erlang:monotonic_time(microsecond),
    receive {take, From} -> From ! {self(), Seen}, loop([])
    after 1 -> loop([erlang:monotonic_time(microsecond) - T - 1000 | Seen]) end.
take(Pids) ->
    [P ! {take, self()} || P <- Pids],
    lists:sort(lists:append([receive {P, Seen} -> Seen end || P <- Pids])).
]]

-- Milliseconds: the lateness that 99 of 100 ticks stayed under while `work` was repeated.
local function p99(at, work)
  at.eval "length(bl_ticker:take(persistent_term:get(bl_ticker)))."
  local stop = async.now() + WINDOW_S
  while async.now() < stop do work() end
  return at.eval [[ L = bl_ticker:take(persistent_term:get(bl_ticker)),
                    lists:nth(max(1, length(L) * 99 div 100), L) / 1000.]]
end

-- CPU seconds of the node itself, all threads.
local function cpu(at)
  local file = assert(io.open(("/proc/%d/stat"):format(at.os_pid)))
  local user, system = file:read("*a"):match "%) %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)"
  file:close()
  return (tonumber(user) + tonumber(system)) / 100
end

-- What watching does to a node again and again: the snapshots of all skills, and the sampler's kept queries.
local function watching(at)
  local skills = {}
  for i, name in ipairs(skill.names()) do skills[i] = assert(skill.open(name)) end
  local kept = sampler.start(at.node, skills)
  kept:stop() -- its own beats come when they like
  local function snapshots()
    for _, s in ipairs(skills) do
      local figures, err = skill.snapshot(s, at.node)
      if not figures then error(("the snapshot of %s failed: %s"):format(s.name, tostring(err)), 0) end
    end
  end
  return snapshots, function()
    snapshots()
    kept:beat()
    assert(kept.failed == 0 and kept.skipped == 0, "a kept query was not answered, or slow")
  end, #skills
end

-- Milliseconds of the node's CPU that one round takes. Both halves are as long as each other, so that what the node
-- does by itself is in both.
local function cost(at, round)
  local spent, rounds = {}, 20
  for i = 1, ROUNDS do
    local before, started = cpu(at), async.now()
    for _ = 1, rounds do round() end
    local worked, took = cpu(at) - before, async.now() - started
    before = cpu(at)
    async.sleep(took)
    spent[i] = math.max(0, worked - (cpu(at) - before)) / rounds * 1000
  end
  return measure.median(spent)
end

return async.run(function()
  local at = live.start { args = { "-pa", measure.recon_path(), "+P", "2000000" } }
  at.eval(measure.CROWD, { N = PROCESSES })
  local snapshots, round, count = watching(at)
  round() -- relays start, forms travel
  local alone, with_beats = cost(at, snapshots), cost(at, round)
  measure.compile(at, "bl_ticker", TICKER)
  at.eval "persistent_term:put(bl_ticker, bl_ticker:start())."
  local idle, ours, recons = {}, {}, {}
  for i = 1, WINDOWS do
    idle[i] = p99(at, function() async.sleep(0.1) end)
    ours[i] = p99(at, function() round() end)
    recons[i] = p99(at, function()
      assert(at.node:call("recon", "proc_count", { etf.A.memory, 10 }, { timeout = 60 }))
    end)
  end
  at.stop()
  -- Other work of the machine adds to a lateness, and never takes away: the least of the windows is the truest.
  local a, b, c = math.min(unpack(ours)), math.min(unpack(idle)), math.min(unpack(recons))
  local name = "a 1 ms ticker's p99 lateness, watching without pause"
  local function row(what, ms, target)
    return { name = what, ours = ("%.0f ms a round"):format(ms), peer = "-", target = target,
      ratio = ms / 10 / EVERY_S }
  end
  return {
    row(("%d snapshots every %d s, 100k: %% of a scheduler"):format(count, EVERY_S), alone, "<= 1"),
    row("the same, and the sampler's beats", with_beats, "-"),
    { name = name, ours = ("%.2f ms"):format(a), peer = ("%.2f ms, idle"):format(b), ratio = a - b, target = "<= 4" },
    { name = "the same", ours = ("%.2f ms"):format(a), peer = ("%.2f ms, recon"):format(c), ratio = a / c,
      target = "<= 1" },
  }
end)
