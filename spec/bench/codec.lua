--- The codec beside binary_to_term, on the answer that an inspection gets: 10,000 maps of
--- process_info. Each round of either starts with a clean heap.

local uv = require "luv"
local erlang = require "spec.support.erlang"
local etf = require "host.etf"
local measure = require "spec.bench.measure"

local ROUNDS = 11

-- The answer, then the microseconds of each round.
local PROGRAM = [==[
Items = [registered_name, current_function, initial_call, status, message_queue_len, links, dictionary, trap_exit,
  error_handler, priority, group_leader, total_heap_size, heap_size, stack_size, reductions, garbage_collection,
  suspending, memory, current_stacktrace, monitors],
Infos = [maps:from_list([{pid, P} | process_info(P, Items)]) || P <- processes()],
Bytes = term_to_binary([lists:nth(I rem length(Infos) + 1, Infos) || I <- lists:seq(1, 10000)]),
Round = fun() ->
  Us = fun() -> {T, _} = timer:tc(erlang, binary_to_term, [Bytes]), exit({took, T}) end,
  {Pid, Monitor} = spawn_monitor(Us),
  receive {'DOWN', Monitor, process, Pid, {took, T}} -> T end
end,
Frame = fun(B) -> [<<(byte_size(B)):32>>, B] end,
[Frame(Bytes) | [Frame(integer_to_binary(Round())) || _ <- lists:seq(1, ]==] .. ROUNDS .. [==[)]].
]==]

-- Megabytes in a second, of `size` bytes in so many microseconds.
local function throughput(size, times) return size / measure.median(times) end

local function ours(name, bytes)
  local times = {}
  for i = 1, ROUNDS do
    collectgarbage()
    collectgarbage()
    local start = uv.hrtime()
    assert(etf[name](bytes))
    times[i] = (uv.hrtime() - start) / 1e3
  end
  return throughput(#bytes, times)
end

local frames = erlang.unframe(erlang.run(PROGRAM))
local bytes, times = frames[1], {}
for i = 2, #frames do times[i - 1] = tonumber(frames[i]) end
local theirs = throughput(#bytes, times)

local function row(what, name, target)
  local speed = ours(name, bytes)
  return {
    name = ("%s, 10,000 process_info maps, %.1f MB"):format(what, #bytes / 1e6), ours = ("%.0f MB/s"):format(speed),
    peer = ("binary_to_term %.0f MB/s"):format(theirs), ratio = speed / theirs, target = target,
  }
end

return {
  row("term to Lua", "decode", ">= 1.0"),
  row("term to JSON", "json", ">= 1.8"),
}
