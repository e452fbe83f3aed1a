-- What Ecto's repos measure of every query, by a handler on the node's own library `telemetry`. The
-- handler runs in the process that made the query, so it does next to nothing: it counts, and while it has
-- credit it hands the measurements to our worker, which does the sums. The worker grants credit for 50 queries
-- each 100 ms, and up to 250 wait unused; of what goes beyond, only slow ones are handed over, 20 in that time.
-- A handler that raised would be detached and logged by telemetry, so this one catches what it meets. Of a
-- query's result it takes whether it was an error and which, never a row; parameters are not read at all.
--
-- Half a second that had queries brings one sum and at most twelve queries: failed, slow, longest, samples.
-- On the node little is done in Take, which is interpreted for each query, and the sums in compiled code.
-- An event, as `node.events.of("telemetry", …)` returns it:
--   type        sum, query
-- of a sum:
--   count       queries in this half second
--   timed       of these, how many were measured; the other figures are of them
--   total_us, longest_us, errors, slow
--   times       list of { bucket, count }: bucket b is of 2^(b/8) - 1 µs and more
--   waits, wait_us, longest_wait_us, wait_times   the same of the time in the queue for a connection
-- of a query:
--   why         slow, error, longest, sample
--   total_us, query_us, wait_us, decode_us        absent where Ecto did not measure it
--   text        at most 2 KiB of SQL, as the repo sent it: whoever shows it takes literals out
--   source, repo, error, code
--   age, datetime from the runtime

local function text_of(v) return v and (tostring(v):gsub("^Elixir%.", "")) or nil end
local function number_of(v) return type(v) == "number" and v or nil end

local function pairs_of(list)
  local read = {}
  for i, pair in ipairs(list) do read[i] = { bucket = pair[1], count = pair[2] } end
  return read
end

return {
  name = "telemetry",
  about = "what Ecto measures of its queries: counts and times of all, and the text of slow, failed and sampled ones",
  class = "SAFE",
  keep = 3000,
  per_second = 40,
  variables = { SlowMs = 100 },
  -- attach_many writes to the node's log that a handler is a fun of no module, and then does what we do. A
  -- handler whose worker is dead is what remains of us where worker and janitor were killed at once.
  -- A fun carries what every fun before it used, and each copy of it to a process or a table is whole: so the
  -- handler comes first, and helpers stand inside the fun that needs them.
  text = [=[
    A = atomics:new(5, []), Id = beamlens_telemetry, State = {0, 0, []},
    Hear = fun(_, M, D, {R, C}) ->
      catch case atomics:add_get(C, 1, 1) > atomics:get(C, 2) andalso
                 (maps:get(total_time, M) < atomics:get(C, 5) orelse atomics:add_get(C, 3, 1) > atomics:get(C, 4)) of
        true -> ok;
        false -> R ! {C, M, case maps:get(result, D) of {error, E} -> E; _ -> ok end, maps:get(source, D),
                      maps:get(query, D), maps:get(repo, D)} end end,
    On = fun(R) ->
      Has = fun(M, F, N) -> erlang:function_exported(M, F, N) end,
      Envs = fun(K) -> [X || {I, _, _} <- application:loaded_applications(), {ok, X} <- [application:get_env(I, K)],
                             is_list(X)] end,
      Meta = fun(X) -> case Has('Elixir.Ecto.Repo.Registry', lookup, 1) andalso
                            catch 'Elixir.Ecto.Repo.Registry':lookup(X) of
                         {_, M} when is_map(M) -> M; M when is_map(M) -> M; _ -> maps:new() end end,
      Snake = fun(X) -> Y = re:replace(X, "([A-Z]+)([A-Z][a-z])", "\\1_\\2", [global]),
        Z = re:replace(Y, "([a-z0-9])([A-Z])", "\\1_\\2", [global, {return, list}]),
        list_to_existing_atom(string:lowercase(Z)) end,
      Event = fun(X) -> case maps:get(telemetry, Meta(X), none) of
          {_, _, [_ | _] = L} -> L;
          _ -> case lists:keyfind(telemetry_prefix, 1, lists:append(Envs(X))) of
                 {_, L} -> L ++ [query];
                 _ -> ["Elixir" | L] = string:lexemes(atom_to_list(X), "."), lists:map(Snake, L) ++ [query] end end end,
      Running = case Has('Elixir.Ecto.Repo.Registry', all_running, 0) of
        true -> 'Elixir.Ecto.Repo.Registry':all_running(); false -> [] end,
      Repos = lists:usort([X || X <- lists:append([Running | Envs(ecto_repos)]), is_atom(X), is_pid(whereis(X))]),
      Known = Has(telemetry, attach_many, 4) andalso case persistent_term:get(telemetry, none) of
        {telemetry_pt, _} -> frozen; _ -> [E || X <- Repos, [_ | _] = E <- [catch Event(X)]] end,
      case Known of
        false -> {missing, "the library telemetry is not loaded on this node: no Ecto repo runs there"};
        frozen -> {missing, "telemetry:persist/0 was called: a new handler would have every process collect garbage"};
        [] -> {missing, "no Ecto repo runs on this node: none is in Ecto's registry or in an application's ecto_repos"};
        L ->
          atomics:put(A, 2, 250), atomics:put(A, 4, 20),
          atomics:put(A, 5, erlang:convert_time_unit(SlowMs, millisecond, native)),
          [telemetry:detach(Id) || X <- telemetry:list_handlers([]), maps:get(id, X) =:= Id,
                                   {P, C} <- [maps:get(config, X)], is_reference(C), not is_process_alive(P)],
          X = case Has(telemetry_handler_table, insert, 4) of
            true -> telemetry_handler_table:insert(Id, L, Hear, {R, A});
            false -> telemetry:attach_many(Id, L, Hear, {R, A}) end,
          case X of
            ok -> ok;
            _ -> {taken, "a handler beamlens_telemetry is attached already: another beamlens listens to this node"}
          end end end,
    Off = fun(R) ->
      [telemetry:detach(Id) || X <- telemetry:list_handlers([]), maps:get(id, X) =:= Id,
                               element(1, maps:get(config, X)) =:= R] end,
    Take = fun({X, _, _, _, _, _} = M, {I, O, L}) when X =:= A -> {none, {I, O, [M | L]}};
              ({X, P}, S) when X =:= A -> {event, P, S};
              (_, S) -> {none, S} end,
    Sum = fun(C, L) ->
      Us = fun(X) when is_integer(X) -> erlang:convert_time_unit(X, native, microsecond); (_) -> false end,
      Cut = fun(B) when is_binary(B), byte_size(B) > 2048 -> binary:part(B, 0, 2048);
               (B) when is_binary(B) -> B; (_) -> false end,
      Code = fun(P) when is_map(P) -> maps:get(code, P, false); (_) -> false end,
      Fail = fun(E) when is_map(E) -> {maps:get('__struct__', E, error), Code(maps:get(postgres, E, false))};
                (ok) -> false; (_) -> {error, false} end,
      Told = fun(W, {_, M, E, Z, Q, P}) ->
        X = fun(K) -> Us(maps:get(K, M, false)) end,
        {query, W, X(total_time), X(query_time), X(queue_time), X(decode_time), Cut(Z), Cut(Q), P, Fail(E)} end,
      Pass = fun(W, Y) -> lists:foreach(fun(X) -> self() ! {A, Told(W, X)} end, Y) end,
      Bucket = fun(X) -> trunc(8 * math:log2(max(0, Us(X)) + 1)) end,
      Share = fun(Y) ->
        Z = lists:foldl(fun(B, M) -> M#{B => maps:get(B, M, 0) + 1} end, maps:new(), lists:map(Bucket, Y)),
        maps:to_list(Z) end,
      Ran = fun(M, E, G, X) ->
        Y = [{{'_', M, E, '_', '_', '_'}, [{is_integer, '$1'} | G], [X]}],
        ets:match_spec_run(L, ets:match_spec_compile(Y)) end,
      T = #{total_time => '$1'}, Slow = {'>=', '$1', erlang:convert_time_unit(SlowMs, millisecond, native)},
      Ts = Ran(T, '_', [], '$1'), Qs = Ran(#{queue_time => '$1'}, '_', [], '$1'), H = lists:max([0 | Ts]),
      F = Ran(T, '$2', [{'=/=', '$2', ok}], '$_'), W = Ran(T, ok, [Slow], '$_'),
      self() ! {A, {sum, C, length(Ts), Us(lists:sum(Ts)), Us(H), length(F), length(Ran(T, '_', [Slow], '$1')),
                    Share(Ts), length(Qs), Us(lists:sum(Qs)), Us(lists:max([0 | Qs])), Share(Qs)}},
      Pass(error, lists:sublist(F, 3)), Pass(slow, lists:sublist(W, 5)),
      Pass(longest, lists:sublist(Ran(T, ok, [{'=:=', '$1', H}, {'not', Slow}], '$_'), 1)),
      Y = Ran(T, ok, [{'<', '$1', H}, {'not', Slow}], '$_'), N = length(Y),
      Pass(sample, [lists:nth(I, Y) || N > 0, I <- lists:usort([N, (N + 1) div 2, 1])]) end,
    Every = 100,
    Beat = fun({I, O, L}) ->
      C = atomics:get(A, 1), atomics:put(A, 2, min(max(atomics:get(A, 2), C) + 50, C + 250)),
      atomics:put(A, 4, atomics:get(A, 3) + 20),
      case I >= 4 andalso {C, L} of
        false -> {I + 1, O, L};
        {O, []} -> {0, O, []};
        _ -> Sum(max(C - O, length(L)), L), {0, C, []} end end,
  ]=],
  read = function(payload)
    if tostring(payload[1]) == "sum" then
      return {
        type = "sum", count = payload[2], timed = payload[3], total_us = payload[4], longest_us = payload[5],
        errors = payload[6], slow = payload[7], times = pairs_of(payload[8]),
        waits = payload[9], wait_us = payload[10], longest_wait_us = payload[11], wait_times = pairs_of(payload[12]),
      }
    end
    local failed = payload[10] or {}
    return {
      type = "query", why = tostring(payload[2]), total_us = payload[3], query_us = number_of(payload[4]),
      wait_us = number_of(payload[5]), decode_us = number_of(payload[6]), source = payload[7] or nil,
      text = payload[8] or nil, repo = text_of(payload[9]), error = text_of(failed[1]), code = text_of(failed[2]),
    }
  end,
}
