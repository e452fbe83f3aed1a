--- The top ten of all processes, by memory, mailbox and reductions, on nodes of a thousand, a hundred
--- thousand and a million of them: beside recon:proc_count/2, time over the same link and the largest
--- heap that the asking process reached; beside observer_backend, which sends every process unsorted,
--- the time on the node. And who holds binaries, beside recon:bin_leak/1, which collects everybody's garbage.

local etf = require "host.etf"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local skill = require "runtime.skill"

-- Processes, rounds, and what we aim at: share of recon's time by attribute, and of its heap.
local SIZES = {
  { processes = 1000, shown = "1k", rounds = 31 },
  { processes = 100000, shown = "100k", rounds = 11, memory = "<= 0.7", heap = "<= 0.4" },
  { processes = 1000000, shown = "1M", rounds = 5, memory = "<= 0.5", message_queue = "<= 0.15",
    reductions = "<= 0.15", heap = "<= 0.15" },
}
local ATTRIBUTES = { memory = "memory", message_queue = "message_queue_len", reductions = "reductions" }
local ORDER = { "memory", "message_queue", "reductions" }
local HOLDERS = 20000
local FREE = { timeout = 120, heap_words = 0, priority = "normal" } -- as a person at a shell would ask

-- The asking process is traced: at every collection it tells how large its heap was before and after.
local HEAP = [[
  Keys = [heap_block_size, old_heap_block_size, mbuf_size],
  Size = fun(L) -> lists:sum([V || {K, V} <- L, lists:member(K, Keys)]) end,
  Ask = case What of
    <<"recon">> -> fun() -> recon:proc_count(binary_to_atom(Attribute), 10) end;
    _ -> {ok, T, _} = erl_scan:string(binary_to_list(What)), {ok, E} = erl_parse:parse_exprs(T),
         fun() -> erl_eval:exprs(E, [{'Limit', 10}, {'SortBy', Attribute}]) end end,
  Me = self(),
  P = spawn(fun() -> receive go -> Ask() end,
        {_, L} = process_info(self(), garbage_collection_info), Me ! {self(), Size(L)} end),
  erlang:trace(P, true, [garbage_collection]),
  P ! go,
  Most = fun Most(M) -> receive {P, N} -> max(M, N); {trace, P, _, L} -> Most(max(M, Size(L))) end end,
  Most(0).]]

local CROWD_WITH_BINARIES = [[
  lists:foreach(fun(I) -> spawn(fun() -> B = [binary:copy(<<I>>, 100 + I rem 500) || _ <- lists:seq(1, 1 + I rem 5)],
                            receive stop -> B end end) end, lists:seq(1, N)).]]

local function start(crowd, processes, recon)
  local at = live.start { args = { "-pa", recon, "+P", "2000000" } }
  at.eval(crowd, { N = processes })
  return at
end

local function top(rows, recon, size)
  local at, beam = start(measure.CROWD, size.processes, recon), assert(skill.open "beam")
  for _, by in ipairs(ORDER) do
    local mine, theirs, backend = measure.turns(size.rounds,
      function() return skill.call(beam, "beam_top_processes", { 10, by }, at.node) end,
      function() return at.node:call("recon", "proc_count", { etf.A[ATTRIBUTES[by]], 10 }, { timeout = 120 }) end,
      function()
        return at.node.query("observer_backend:etop_collect(self()), receive {_, I} -> element(1, I) end.", {}, FREE)
      end)
    local name = ("beam_top_processes(10, %s), %s"):format(by, size.shown)
    rows[#rows + 1] = measure.times(name, mine, "recon", theirs, size[by])
    rows[#rows + 1] = measure.times("the same", mine, "observer_backend", backend)
    local heap = assert(at.node.query(HEAP, { Attribute = by, What = beam.queries.top }, FREE))
    local recons = assert(at.node.query(HEAP, { Attribute = ATTRIBUTES[by], What = "recon" }, FREE))
    rows[#rows + 1] = measure.figures("the same: largest heap of who asks", "MB", heap * 8 / 2 ^ 20, "recon",
      recons * 8 / 2 ^ 20, size.heap)
  end
  at.stop()
end

local function holders(rows, recon)
  local at, beam = start(CROWD_WITH_BINARIES, HOLDERS, recon), assert(skill.open "beam")
  local mine, leak, count = measure.turns(11,
    function() return skill.call(beam, "beam_binary_top_memory", { 10 }, at.node) end,
    function() return at.node:call("recon", "bin_leak", { 10 }, { timeout = 60 }) end,
    function() return at.node:call("recon", "proc_count", { etf.A.binary_memory, 10 }, { timeout = 60 }) end)
  rows[#rows + 1] = measure.times("beam_binary_top_memory(10), 20k holders", mine, "recon:bin_leak", leak, "<= 0.4")
  rows[#rows + 1] = measure.times("the same", mine, "recon:proc_count", count)
  at.stop()
end

return async.run(function()
  local rows, recon = {}, measure.recon_path()
  for _, size in ipairs(SIZES) do top(rows, recon, size) end
  holders(rows, recon)
  return rows
end)
