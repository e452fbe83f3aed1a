--- The ten sockets that read most, of 900 and of 9,000: beside recon:inet_count/2, which is compiled and was put
--- there for this bench.

local etf = require "host.etf"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local skill = require "runtime.skill"

local ROUNDS = 25

local POOL = [=[
  Me = self(),
  spawn(fun() ->
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {backlog, 1024}, {ip, {127, 0, 0, 1}}]),
    {ok, N} = inet:port(L),
    lists:foreach(fun(I) -> {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, [binary, {active, false}]),
      {ok, A} = gen_tcp:accept(L), ok = gen_tcp:send(C, lists:duplicate(I, 1)), {ok, _} = gen_tcp:recv(A, I) end,
      lists:seq(1, Pairs)),
    Me ! ready, receive stop -> ok end end),
  receive ready -> ok end.]=]

return async.run(function()
  local at = live.start { args = { "-pa", measure.recon_path() } }
  local ports, rows, there = assert(skill.open "ports"), {}, 0
  local function ours() return skill.call(ports, "ports_top", { 10, "input" }, at.node) end
  local function peer() return at.node:call("recon", "inet_count", { etf.A.recv_oct, 10 }) end
  for i, size in ipairs { { 900, "<= 10" }, { 9000, "<= 4" } } do
    at.eval(POOL, { Pairs = (size[1] - there) / 2 })
    there = size[1]
    rows[i] = measure.row(("ports_top(10, input), %d sockets"):format(there), "recon:inet_count", size[2], ROUNDS, ours,
      peer)
  end
  at.stop()
  return rows
end)
