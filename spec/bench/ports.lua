--- The ten sockets that read most, of 900 and of 9,000: beside recon:inet_count/2, which is compiled and was put
--- there for this bench.

local uv = require "luv"
local etf = require "host.etf"
local async = require "runtime.async"
local live = require "spec.support.live_node"
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

local function recon_path()
  local pipe = assert(io.popen [[
    ls -d /usr/lib/rabbitmq/lib/*/plugins/recon-*/ebin /usr/lib/erlang/lib/recon-*/ebin 2>/dev/null]])
  local path = pipe:read "*l"
  pipe:close()
  return path
end

local function median(values)
  local sorted = { unpack(values) }
  table.sort(sorted)
  return sorted[math.ceil(#sorted / 2)]
end

local function median_ratio(mine, theirs)
  local ratios = {}
  for i, took in ipairs(mine) do ratios[i] = took / theirs[i] end
  return median(ratios)
end

local function timed(f)
  local start = uv.hrtime()
  assert(f())
  return (uv.hrtime() - start) / 1e6
end

return async.run(function()
  local recon = recon_path()
  local at = live.start { args = recon and { "-pa", recon } or {} }
  local ports, rows, there = assert(skill.open "ports"), {}, 0
  local function ours() return skill.call(ports, "ports_top", { 10, "input" }, at.node) end
  local function peer() return at.node:call("recon", "inet_count", { etf.A.recv_oct, 10 }) end
  for _, size in ipairs { { 900, "<= 10" }, { 9000, "<= 4" } } do
    at.eval(POOL, { Pairs = (size[1] - there) / 2 })
    there = size[1]
    local mine, theirs = {}, {}
    for i = 1, ROUNDS do
      mine[i] = timed(ours)
      theirs[i] = recon and timed(peer)
    end
    rows[#rows + 1] = { name = ("ports_top(10, input), %d sockets"):format(there), target = size[2],
      ours = ("%.1f ms"):format(median(mine)), ratio = recon and median_ratio(mine, theirs),
      peer = recon and ("%.1f ms, recon:inet_count"):format(median(theirs)) or "recon not found" }
  end
  at.stop()
  return rows
end)
