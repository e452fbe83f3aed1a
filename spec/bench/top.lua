--- The top ten by memory of 100,000 processes, beside recon:proc_count/2: time over the same link,
--- and the largest heap that the asking process reached on the node.

local uv = require "luv"
local etf = require "host.etf"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local PROCESSES, ROUNDS = 100000, 15

local function recon_path()
  local pipe = assert(io.popen [[
    ls -d /usr/lib/rabbitmq/lib/*/plugins/recon-*/ebin /usr/lib/erlang/lib/recon-*/ebin 2>/dev/null]])
  local path = pipe:read "*l"
  pipe:close()
  return path
end

-- The asking process is traced: at every collection it tells how large its heap was before and after.
local HEAP = [[
  Keys = [heap_block_size, old_heap_block_size, mbuf_size],
  Size = fun(L) -> lists:sum([V || {K, V} <- L, lists:member(K, Keys)]) end,
  Ask = case What of
    <<"recon">> -> fun() -> recon:proc_count(memory, 10) end;
    _ -> {ok, T, _} = erl_scan:string(binary_to_list(What)), {ok, E} = erl_parse:parse_exprs(T),
         fun() -> erl_eval:exprs(E, [{'Limit', 10}, {'SortBy', <<"memory">>}]) end end,
  Me = self(),
  P = spawn(fun() -> receive go -> Ask() end,
        {_, L} = process_info(self(), garbage_collection_info), Me ! {self(), Size(L)} end),
  erlang:trace(P, true, [garbage_collection]),
  P ! go,
  Most = fun Most(M) -> receive {P, N} -> max(M, N); {trace, P, _, L} -> Most(max(M, Size(L))) end end,
  Most(0).]]

local function median(values)
  local sorted = { unpack(values) }
  table.sort(sorted)
  return sorted[math.ceil(#sorted / 2)]
end

-- Round by round: the two of a round met the same machine, and the luckiest of each may not have.
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
  at.eval([[
    lists:foreach(fun(I) -> spawn_opt(timer, sleep, [infinity], [{min_heap_size, 233 + I rem 7 * 100}]) end,
                  lists:seq(1, N)).]],
    { N = PROCESSES })
  local beam = assert(skill.open "beam")
  local function ours() return skill.call(beam, "beam_top_processes", { 10, "memory" }, at.node) end
  local function peer() return at.node:call("recon", "proc_count", { etf.A.memory, 10 }) end
  local mine, theirs = {}, {}
  for i = 1, ROUNDS do
    mine[i] = timed(ours)
    theirs[i] = recon and timed(peer)
  end
  local heap = at.eval(HEAP, { What = beam.queries.top }) * 8 / 2 ^ 20
  local recons = recon and at.eval(HEAP, { What = "recon" }) * 8 / 2 ^ 20
  at.stop()
  local function row(name, unit, our, other, target, ratio)
    return { name = name, ours = ("%.1f %s"):format(our, unit), ratio = ratio or other and our / other, target = target,
      peer = other and ("%.1f %s, recon"):format(other, unit) or "recon not found" }
  end
  return {
    row("beam_top_processes(10, memory), 100,000 processes", "ms", median(mine), recon and median(theirs), "<= 0.7",
      recon and median_ratio(mine, theirs)),
    row("the same: largest heap of the asking process", "MB", heap, recons, "<= 0.4"),
  }
end)
