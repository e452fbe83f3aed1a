--- Calls in sequence: `erlang:memory/0`, one after the other, as fast as each way allows. Ours,
--- erpc between two BEAM nodes, and erl_call, which starts a process for every call. All three
--- take turns in one run, and the ratio is the median of the rounds': a busy machine slows all alike.

local async = require "runtime.async"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"

local ROUNDS, CALLS, COMMANDS = 11, 2000, 40

-- Compiled there, because erl_eval between the calls would slow erpc down.
local LOOP = [[
-module(bl_bench).
-export([run/2]).
run(Node, N) -> {T, ok} = timer:tc(fun() -> loop(Node, N) end), T.
loop(_, 0) -> ok;
loop(Node, N) -> [_ | _] = erpc:call(Node, erlang, memory, []), loop(Node, N - 1).
]]

-- The peer ends when the node that started it does.
local function prepare(at)
  measure.compile(at, "bl_bench", LOOP)
  return at.eval [[
    {ok, _, N} = peer:start(#{name => bl_bench_peer, host => "127.0.0.1", longnames => true,
                              args => ["-kernel", "inet_dist_use_interface", "{127,0,0,1}"]}), N.]]
end

local function erpc_per_second(at, peer)
  local microseconds = at.eval("bl_bench:run(N, C).", { N = peer, C = CALLS })
  return CALLS / microseconds * 1e6
end

local function ours_per_second(at)
  local started = async.now()
  for _ = 1, CALLS do assert(at.node:call("erlang", "memory", {})) end
  return CALLS / (async.now() - started)
end

local function erl_call_per_second(at)
  local command = ("HOME='%s' ERL_EPMD_PORT=%d; export HOME ERL_EPMD_PORT; i=0; while [ $i -lt %d ]; do "
    .. "erl_call -name '%s' -a 'erlang memory []' > /dev/null || exit 1; i=$((i + 1)); done")
  local started = async.now()
  assert(os.execute(command:format(at.home, at.epmd_port, COMMANDS, at.name)) == 0, "erl_call failed")
  return COMMANDS / (async.now() - started)
end

local at = live.start()
local ours, erpc, erl_call = {}, {}, {}
async.run(function()
  local peer = prepare(at)
  for round = 1, ROUNDS do
    ours[round] = ours_per_second(at)
    erpc[round] = erpc_per_second(at, peer)
    erl_call[round] = erl_call_per_second(at)
  end
end)
at.stop()

local beside_erpc, beside_erl_call = measure.ratio(ours, erpc), measure.ratio(ours, erl_call)
local mine, theirs, command = measure.median(ours), measure.median(erpc), measure.median(erl_call)
return {
  {
    name = "erlang:memory/0 in sequence, beside erpc", ratio = beside_erpc, target = ">= 0.8",
    ours = ("%.0f/s"):format(mine), peer = ("%.0f/s erpc"):format(theirs),
  },
  {
    name = "erlang:memory/0 in sequence, beside erl_call", ratio = beside_erl_call, target = ">= 10",
    ours = ("%.0f/s"):format(mine), peer = ("%.0f/s erl_call"):format(command),
  },
}
