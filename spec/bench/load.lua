--- What watching costs a node of 100,000 processes: the snapshots of all skills, one round of them every
--- 30 seconds, and how late a process that wants to run every millisecond gets to run meanwhile. The
--- hard case is measured: rounds without a pause, beside recon:proc_count/2 without a pause.

local etf = require "host.etf"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local PROCESSES, ROUNDS, WINDOW_S, EVERY_S = 100000, 3, 6, 30

local CROWD = [[
  lists:foreach(fun(I) -> spawn_opt(timer, sleep, [infinity], [{min_heap_size, 233 + I rem 7 * 100}]) end,
                lists:seq(1, N)).]]

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

local function compiled(at)
  local file = assert(io.open(at.home .. "/bl_ticker.erl", "w"))
  file:write(TICKER)
  file:close()
  at.eval([[
    {ok, M, B} = compile:file(binary_to_list(F), [binary]),
    {module, M} = code:load_binary(M, "bl_ticker.beam", B), persistent_term:put(bl_ticker, bl_ticker:start()).]],
    { F = at.home .. "/bl_ticker.erl" })
end

-- Milliseconds: the lateness that 99 of 100 ticks stayed under while `work` was repeated.
local function p99(at, work)
  at.eval "length(bl_ticker:take(persistent_term:get(bl_ticker)))."
  local stop = async.now() + WINDOW_S
  while async.now() < stop do work() end
  return at.eval [[ L = bl_ticker:take(persistent_term:get(bl_ticker)),
                    lists:nth(max(1, length(L) * 99 div 100), L) / 1000.]]
end

local function all_snapshots(at, skills)
  for _, s in ipairs(skills) do
    local figures, err = skill.snapshot(s, at.node)
    if not figures then error(("the snapshot of %s failed: %s"):format(s.name, tostring(err)), 0) end
  end
end

-- CPU seconds of the node itself, all threads.
local function cpu(at)
  local file = assert(io.open(("/proc/%d/stat"):format(at.os_pid)))
  local user, system = file:read("*a"):match "%) %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)"
  file:close()
  return (tonumber(user) + tonumber(system)) / 100
end

local function median(values)
  local sorted = { unpack(values) }
  table.sort(sorted)
  return sorted[math.ceil(#sorted / 2)]
end

local function recon_path()
  local pipe = assert(io.popen [[
    ls -d /usr/lib/rabbitmq/lib/*/plugins/recon-*/ebin /usr/lib/erlang/lib/recon-*/ebin 2>/dev/null]])
  local path = pipe:read "*l"
  pipe:close()
  return assert(path, "recon is not here: make deps-bench")
end

return async.run(function()
  local at, skills = live.start { args = { "-pa", recon_path(), "+P", "2000000" } }, {}
  for i, name in ipairs(skill.names()) do skills[i] = assert(skill.open(name)) end
  at.eval(CROWD, { N = PROCESSES })
  all_snapshots(at, skills) -- relays start, forms travel

  -- Both halves as long as each other, so that what the node does by itself is in both.
  local spent, rounds = {}, 20
  for i = 1, ROUNDS do
    local before, started = cpu(at), async.now()
    for _ = 1, rounds do all_snapshots(at, skills) end
    local worked, took = cpu(at) - before, async.now() - started
    before = cpu(at)
    async.sleep(took)
    spent[i] = math.max(0, worked - (cpu(at) - before)) / rounds
  end
  compiled(at)
  local idle, ours, recons = {}, {}, {}
  for i = 1, ROUNDS do
    idle[i] = p99(at, function() async.sleep(0.1) end)
    ours[i] = p99(at, function() all_snapshots(at, skills) end)
    recons[i] = p99(at, function()
      assert(at.node:call("recon", "proc_count", { etf.A.memory, 10 }, { timeout = 60 }))
    end)
  end
  at.stop()
  local share = 100 * median(spent) / EVERY_S
  local a, b, c = median(ours), median(idle), median(recons)
  local name = ("a 1 ms ticker's p99 lateness, snapshots without pause")
  return {
    { name = ("all %d snapshots every %d s, 100k: %% of one scheduler"):format(#skills, EVERY_S),
      ours = ("%.0f ms a round"):format(median(spent) * 1000), peer = "-", ratio = share, target = "<= 1" },
    { name = name, ours = ("%.2f ms"):format(a), peer = ("%.2f ms, idle"):format(b), ratio = a - b, target = "<= 4" },
    { name = "the same", ours = ("%.2f ms"):format(a), peer = ("%.2f ms, recon"):format(c), ratio = a / c,
      target = "<= 1" },
  }
end)
