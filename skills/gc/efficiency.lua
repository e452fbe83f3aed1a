--- What the collections of one process bring. A process does not count what it allocates, so its collections are
--- traced for a moment: the heap in use at the begin and the end of each, and what grew in between.

return {
  queries = {
    -- The asking process is the tracer, so the flag goes when it ends, however it ends. A process has one tracer, so
    -- nothing is done to one that is traced already. After 1,000 collections the trace is over before the window is.
    efficiency = (...).gc .. [=[
  V = fun(K, I) -> Get(K, I) end,
  Used = fun(I) -> V(heap_size, I) + V(old_heap_size, I) + V(mbuf_size, I) end,
  T = fun() -> erlang:monotonic_time(nanosecond) end,
  Wait = fun Wait(_, _, 1000, A) -> A;
             Wait(P, E, N, A) ->
               receive {trace_ts, P, K, I, S} when K =:= gc_minor_start; K =:= gc_major_start ->
                         Wait(P, E, N, [{K, Used(I), S} | A]);
                       {trace_ts, P, K, I, S} -> Wait(P, E, N + 1, [{K, Used(I), S} | A])
               after max(0, (E - T()) div 1000000) -> A end end,
  Sum = fun Sum([{K, U, S}, {_, X, Y} | L], {At, N, M, D, C, G, Z}) ->
              Sum(L, {X, N + 1, if K =:= gc_major_start -> M + 1; true -> M end, D + max(0, U - At), C + max(0, U - X),
                G + Y - S, max(Z, Y - S)});
            Sum(_, R) -> R end,
  case Find(Pid) of
    P when is_pid(P) ->
      case catch erlang:trace_info(P, tracer) of
        {tracer, []} when P =/= self() ->
          B = T(),
          case catch begin
            1 = erlang:trace(P, true, [garbage_collection, monotonic_timestamp]),
            U0 = Used(Item(P, garbage_collection_info)),
            L = lists:reverse(Wait(P, B + WindowMs * 1000000, 0, [])),
            catch erlang:trace(P, false, [garbage_collection, monotonic_timestamp]),
            E = T(), Z = Item(P, garbage_collection_info),
            {U0, case L of [{gc_minor_end, _, _} | R] -> R; [{gc_major_end, _, _} | R] -> R; _ -> L end, E, Z} end of
            {U0, L, E, Z} ->
              {At, N, M, D, C, G, Most} = Sum(L, {U0, 0, 0, 0, 0, 0, 0}),
              D1 = if is_list(Z), N < 1000 -> D + max(0, Used(Z) - At); true -> D end,
              Some([{pid, Show(P)}, {seconds, max(1, (E - B) div 1000) / 1000000}, {collections, N},
                {major_collections, M}, {total_reclaimed_mb, Mb(C * Word)}, {total_allocated_mb, Mb(D1 * Word)},
                {efficiency_ratio, if D1 > 0, N > 0 -> round(1000 * C / D1) / 1000; true -> undefined end},
                {gc_ms, round(G / 10000) / 100}, {max_gc_ms, round(Most / 10000) / 100},
                {gc_time_pct, Pct(G, max(1, E - B))}, {ended, if Z =:= undefined -> true; true -> undefined end},
                {name, case Item(P, registered_name) of X when is_atom(X), X =/= undefined -> Text(X); _ -> undefined
                  end}]);
            _ -> gone end;
        {tracer, X} -> {traced, unicode:characters_to_binary(io_lib:format("~0tP", [X, 8]))};
        _ -> gone end;
    _ -> gone end.]=],
  },

  callbacks = {
    gc_calculate_efficiency = {
      doc = "Traces the collections of one process for the window, 1,000 of them at most: what it allocated and what "
        .. "was reclaimed. efficiency_ratio is reclaimed to allocated: near 1 it makes short-lived garbage, near 0 it "
        .. "keeps what it makes, over 1 it let go of older things. Binaries outside the heap are not in it.",
      args = { { name = "pid", type = "string" },
        { name = "window_ms", type = "integer", min = 100, max = 10000, default = 1000, waits = true } },
      class = "CAUTION",
      cost = "two trace messages for each collection of this process, to the asking one; the flag goes with it",
      returns = { "seconds", "pid", "name (if registered)", "collections", "major_collections", "total_reclaimed_mb",
        "total_allocated_mb", "efficiency_ratio (absent without a collection)", "gc_ms (in collections)", "max_gc_ms",
        "gc_time_pct (of the window)", "ended (true: it ended meanwhile)" },
      run = function(node, args)
        local seen, err = node.ask("efficiency", args)
        if seen == nil then return nil, err end
        if type(seen) == "table" and seen.collections then return seen end
        if type(seen) == "table" and tostring(seen[1]) == "traced" then
          return { unavailable = "somebody traces this process already, tracer " .. seen[2]
            .. "; a process has one tracer, ask again when that has ended" }
        end
        return nil, "no such process now; pid is text like <0.123.0>, or a registered name"
      end,
    },
  },
}
