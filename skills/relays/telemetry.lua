-- What Ecto's repos measure of every query, by a handler on the node's own library `telemetry`. The
-- handler runs in the process that made the query, so it does next to nothing: it counts, and while it has
-- credit it hands the measurements to our worker, which does the sums. The worker grants credit for 100 queries
-- each 100 ms; of what goes beyond, only the slow ones are handed over, 20 in that time. A handler that raised would
-- be detached and logged by telemetry, so this one catches what it meets. Of a query's result it takes whether it
-- was an error and which, never a row; parameters are not read at all.
--
-- Half a second that had queries brings one sum and at most twelve queries: slow, failed, longest so far, or a sample.
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
  text = [=[
    A = atomics:new(5, []), Id = beamlens_telemetry, State = {0, 0, 1, [], [], 0, 0, 0, []},
    Us = fun(X) when is_integer(X) -> erlang:convert_time_unit(X, native, microsecond); (_) -> false end,
    Has = fun(M, F, N) -> erlang:function_exported(M, F, N) end,
    Envs = fun(K) -> [X || {I, _, _} <- application:loaded_applications(), {ok, X} <- [application:get_env(I, K)],
                           is_list(X)] end,
    Meta = fun(X) -> case Has('Elixir.Ecto.Repo.Registry', lookup, 1) andalso
                          catch 'Elixir.Ecto.Repo.Registry':lookup(X) of
                       {_, M} when is_map(M) -> M; M when is_map(M) -> M; _ -> maps:new() end end,
    Repos = fun() ->
      L = case Has('Elixir.Ecto.Repo.Registry', all_running, 0) of
            true -> 'Elixir.Ecto.Repo.Registry':all_running(); false -> [] end,
      lists:usort([X || X <- lists:append([L | Envs(ecto_repos)]), is_atom(X), is_pid(whereis(X))]) end,
    Snake = fun(X) -> Y = re:replace(X, "([A-Z]+)([A-Z][a-z])", "\\1_\\2", [global]),
      Z = re:replace(Y, "([a-z0-9])([A-Z])", "\\1_\\2", [global, {return, list}]),
      list_to_existing_atom(string:lowercase(Z)) end,
    Event = fun(X) -> case maps:get(telemetry, Meta(X), none) of
        {_, _, [_ | _] = L} -> L;
        _ -> case lists:keyfind(telemetry_prefix, 1, lists:append(Envs(X))) of
               {_, L} -> L ++ [query];
               _ -> ["Elixir" | L] = string:lexemes(atom_to_list(X), "."), lists:map(Snake, L) ++ [query] end end end,
    Hear = fun(_, M, D, {R, C}) ->
      catch case atomics:add_get(C, 1, 1) > atomics:get(C, 2) andalso
                 (maps:get(total_time, M) < atomics:get(C, 5) orelse atomics:add_get(C, 3, 1) > atomics:get(C, 4)) of
        true -> ok;
        false -> R ! {C, M, case maps:get(result, D) of {error, E} -> E; _ -> ok end, maps:get(source, D),
                      maps:get(query, D), maps:get(repo, D)} end end,
    On = fun(R) ->
      Events = [E || X <- Repos(), [_ | _] = E <- [catch Event(X)]],
      case Has(telemetry, attach_many, 4) andalso Events of
        false -> {missing, "the library telemetry is not loaded on this node: no Ecto repo runs there"};
        [] -> {missing, "no Ecto repo runs on this node: none is in Ecto's registry or in an application's ecto_repos"};
        L ->
          G = erlang:group_leader(), erlang:group_leader(Ctl, self()),
          X = telemetry:attach_many(Id, L, Hear, {R, A}), erlang:group_leader(G, self()),
          case X of
            ok -> atomics:put(A, 5, erlang:convert_time_unit(SlowMs, millisecond, native)), ok;
            _ -> {taken, "a handler beamlens_telemetry is attached already: another beamlens listens to this node"}
          end end end,
    Off = fun(R) ->
      [telemetry:detach(Id) || X <- telemetry:list_handlers([]), maps:get(id, X) =:= Id,
                               element(1, maps:get(config, X)) =:= R] end,
    Cut = fun(B) when is_binary(B), byte_size(B) > 2048 -> binary:part(B, 0, 2048);
             (B) when is_binary(B) -> B; (_) -> false end,
    Code = fun(P) when is_map(P) -> maps:get(code, P, false); (_) -> false end,
    Fail = fun(E) when is_map(E) -> {maps:get('__struct__', E, error), Code(maps:get(postgres, E, false))};
              (ok) -> false; (_) -> {error, false} end,
    Told = fun({W, T, M, E, Z, Q, P}) ->
      {query, W, T, Us(maps:get(query_time, M, false)), Us(maps:get(queue_time, M, false)),
       Us(maps:get(decode_time, M, false)), Cut(Z), Cut(Q), P, Fail(E)} end,
    Share = fun(L) -> maps:to_list(lists:foldl(fun(X, Y) ->
      B = trunc(8 * math:log2(X + 1)), Y#{B => maps:get(B, Y, 0) + 1} end, maps:new(), L)) end,
    Take = fun({X, M, E, Z, Q, P}, {I, N, G, Ts, Qs, F, W, H, L}) when X =:= A ->
        T = max(0, Us(maps:get(total_time, M, 0))), K = length(L),
        Y = if E =/= ok -> error; T >= SlowMs * 1000 -> slow; T > H -> longest; N rem G =:= 0 -> sample; true -> no end,
        V = case Us(maps:get(queue_time, M, false)) of false -> Qs; U -> [max(0, U) | Qs] end,
        {none, {I, N + 1, G, [T | Ts], V,
                if E =/= ok -> F + 1; true -> F end, if T >= SlowMs * 1000 -> W + 1; true -> W end, max(T, H),
                if Y =:= no -> L; K < 12 -> [{Y, T, M, E, Z, Q, P} | L]; true -> L end}};
      ({X, P}, S) when X =:= A -> {event, P, S};
      (_, S) -> {none, S} end,
    Every = 100,
    Beat = fun({I, N, _, Ts, Qs, F, W, H, L}) when I >= 4 ->
        C = atomics:exchange(A, 1, 0),
        if C > 0; N > 0 ->
             self() ! {A, {sum, max(C, N), N, lists:sum(Ts), H, F, W, Share(Ts), length(Qs), lists:sum(Qs),
                           lists:max([0 | Qs]), Share(Qs)}},
             lists:foreach(fun(X) -> self() ! {A, Told(X)} end, lists:reverse(L));
           true -> ok end,
        atomics:put(A, 2, 100), atomics:put(A, 3, 0), atomics:put(A, 4, 20),
        {0, 0, max(1, N div 4), [], [], 0, 0, 0, []};
      (S) ->
        atomics:put(A, 2, atomics:get(A, 1) + 100), atomics:put(A, 3, 0), atomics:put(A, 4, 20),
        setelement(1, S, element(1, S) + 1) end,
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
