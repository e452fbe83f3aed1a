--- Binaries of more than 64 bytes lie outside the heaps; processes hold references to them. A process that
--- rarely collects its garbage keeps what it passed on long ago.

local texts = ...
local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }
local ROW = "processes[]: pid, name, current_function, status, memory_kb, message_queue, reductions, "
local PID = { name = "pid", type = "string" }

return {
  queries = {
    -- A binary counts as often as it is referred to where a process is ranked, once where it is shown.
    binary_top = texts.refs .. [=[
  S = All(),
  List(S, Rank(binary_memory_kb, [X || {_, Y, _, P} <- Top(S, [], Shape(binary), 10 + Limit, 0),
                                       X <- Row(P, Held(Refs(P), Y))], Limit)).]=],

    binary_leak = texts.refs .. [=[
  S = All(), B = erlang:memory(binary),
  L = [{P, length(X)} || {_, _, _, P} <- Top(S, [], Shape(binary), 200, 0), X <- [Refs(P)], is_list(X)],
  lists:foreach(fun(H) -> lists:foreach(fun erlang:garbage_collect/1, H) end, S),
  A = erlang:memory(binary),
  R = [maps:merge(X, #{binary_delta => N - maps:get(binary_count, X)}) || {P, N} <- L, H <- [Refs(P)], is_list(H),
    X <- Row(P, Held(H, 0))],
  maps:merge(List(S, Rank(binary_delta, [X || X <- R, maps:get(binary_delta, X) > 0], Limit)),
             #{binary_mb => Mb(A), binary_mb_before => Mb(B)}).]=],

    binary_info = texts.refs .. [=[
  P = Find(Pid), L = case is_pid(P) andalso erlang:is_process_alive(P) of true -> Refs(P); false -> gone end,
  if is_list(L) ->
       U = lists:sublist(lists:reverse(lists:keysort(2, lists:usort(L))), 50),
       [maps:merge(Held(L, 0), #{pid => Show(P), total => length(lists:usort(L)), showing => length(U),
                                 binaries => [#{size_bytes => B, refcount => R} || {_, B, R} <- U]})];
     L =:= undefined -> [list_to_binary("large")];
     true -> [] end.]=],
  },

  callbacks = {
    beam_binary_leak = {
      brief = "collects garbage: who let go",
      doc = "Collects the garbage of every process, which costs, at most once a minute; then shows who let most "
        .. "references "
        .. "to binaries go, of the 200 that held most. A process stuck in native code lets it fail at the deadline.",
      args = { LIMIT },
      class = "CAUTION",
      cost = "a full collection of every process, one after another: each is held up by its own; the list of "
        .. "binaries of 200",
      returns = { "binary_mb_before", "binary_mb", "total", "showing",
        ROW .. "binary_delta (references let go), binary_count, binary_memory_kb (both after)" },
      timeout = 60,
      every = 60,
      query = "binary_leak",
    },

    beam_binary_top_memory = {
      brief = "who holds most",
      doc = "Who holds most in binaries, without a GC. binary_count is absent where a heap is over 32 MB.",
      args = { LIMIT },
      class = "SAFE",
      cost = "one item of every process, none of them woken; the list of binaries of those shown and ten more",
      returns = { "total", "showing", ROW .. "binary_count (references), binary_memory_kb" },
      query = "binary_top",
    },

    beam_binary_info = {
      brief = "the 50 largest it holds",
      doc = "The binaries that one process refers to, the largest 50.",
      args = { PID },
      class = "SAFE",
      cost = "wakes the one process and copies its list of binaries",
      returns = { "pid", "binary_count (references)", "binary_memory_kb", "total", "showing",
        "binaries[]: size_bytes, refcount" },
      run = function(node, args)
        local found, err = node.ask("binary_info", args)
        if not found then return nil, err end
        if found[1] == "large" then
          return { unavailable = "its heap is over 32 MB, too large to list binaries; see beam_binary_top_memory" }
        end
        if #found == 0 then return nil, "no such process now; pid is text like <0.123.0>, or a registered name" end
        return found[1]
      end,
    },
  },
}
