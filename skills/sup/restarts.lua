--- What goes on under supervisors: restarts, and children that are not what they should be.

local texts = ...

local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }

return {
  queries = {
    -- A supervisor keeps the times of its restarts within `period`, and forgets them at the next one only: that is
    -- the sensor, and nothing else of its state is kept. Those whose children changed in the window are asked
    -- first; none whose heap is over 1.6 MB, and 32 MB together, for a state comes as a copy. One that is between
    -- two children at the second look has none that are new: the times tell how many were started, too. What shows
    -- them is made only where there are any: most nodes have none.
    restarts = texts.calls .. [=[
  {L, K} = (fun(S) -> (fun(X) -> {Y, _} = Sups(S, X), {Y, maps:with(Y, X)} end)(Kin(S)) end)(Pack()), T = Now(),
  receive after WindowMs -> ok end,
  After = (fun(X) -> maps:with(L, X) end)(Kin(Pack())), W = Since(T),
  New = (fun() -> maps:from_list([{P, Z} || P <- L, Z <- [Kids(P, After) -- Kids(P, K)], Z =/= []]) end)(),
  {I, G, X, _} = Shape(memory),
  Size = lists:reverse(lists:sort([{length(maps:get(P, New, [])), Z, P} || {P, Z} <- Run(lists:zip(Ask(L, I), L),
    [{{G, '$7'}, [{'=<', X, 200000}], [{{'$7', X}}]}])])),
  Fit = fun Fit([{_, Z, P} | R], N, A) when Z =< N, length(A) < 500 -> Fit(R, N - Z, [P | A]);
            Fit(_, _, A) -> lists:reverse(A) end,
  Asked = Fit(Size, 4000000, []),
  Of = fun(M) when is_map(M) -> {maps:get(max_restarts, M, none), maps:get(max_seconds, M, none),
                maps:get(restarts, M, none), none};
          (M) when is_tuple(M), tuple_size(M) >= 10, element(1, M) =:= state ->
            {element(6, M), element(7, M), element(8, M), element(4, M)};
          (_) -> {none, none, none, none} end,
  Sec = erlang:monotonic_time(second),
  Mail = maps:from_list(lists:zip(Asked, Ask(Asked, message_queue_len))),
  Said = Call(Asked, fun(F) -> {system, F, get_state} end, 1000),
  Rows = [{length(R), P, {N, Per, R, Db}}
    || {P, {ok, St}} <- Said, {N, Per, [_ | _] = R, Db} <- [Of(St)], is_integer(N), is_integer(Per)],
  Out = case Rows of
    [] -> [];
    _ ->
      Id = fun(Y) when is_atom(Y) -> Text(Y);
              (Y) -> unicode:characters_to_binary(lists:sublist(lists:flatten(io_lib:format("~0tP", [Y, 8])), 80)) end,
      Late = fun({_, M}, P) when is_map(M) -> Then = maps:from_list([{C, 1} || C <- Kids(P, K)]),
                 [{Id(N), C} || {N, Z} <- maps:to_list(M), is_tuple(Z), tuple_size(Z) > 2, C <- [element(2, Z)],
                   is_tuple(C) orelse is_pid(C) andalso not is_map_key(C, Then)];
               (_, P) -> [{undefined, C} || C <- maps:get(P, New, [])] end,
      Child = fun({N, C}) when is_pid(C) -> Some([{id, N}, {pid, Show(C)}, {name, Who(C)},
                    {status, list_to_binary("running")}]);
                 ({N, _}) -> Some([{id, N}, {status, list_to_binary("restarting")}]) end,
      [Some([{supervisor, Who(P)}, {pid, Show(P)}, {intensity, N}, {period_seconds, Per}, {restarts, length(R)},
          {restarts_in_period, length([x || Y <- R, Y >= Sec - Per])}, {last_restart_seconds, max(0, Sec - hd(R))},
          {restarts_per_minute, round(6000 * length(R) / max(1, Sec - lists:last(R))) / 100},
          {looping, length([x || Y <- R, Y >= Sec - Per]) >= 3},
          {started, max(length(maps:get(P, New, [])), length([x || Y <- R, Y > Sec - round(W)]))},
          {children, lists:map(Child, lists:sublist(Late(Db, P), 5))}])
        || {_, P, {N, Per, R, Db}} <- lists:sublist(lists:reverse(lists:keysort(1, Rows)), Limit)] end,
  Silent = [P || {P, silent} <- Said],
  #{seconds => W, asked => length(Asked), left_out => length(L) - length(Asked), total => length(Rows),
    showing => length(Out), restarts => Out,
    silent => [Some([{pid, Show(P)}, {name, Who(P)}, {message_queue, element(2, maps:get(P, Mail))},
        {started, length(maps:get(P, New, []))}, {stack, case Item(P, current_stacktrace) of
          Z when is_list(Z) -> [Func({X, F, A}) || {X, F, A, _} <- lists:sublist(Z, 6)]; _ -> undefined end}])
      || P <- lists:sublist(Silent, 10), is_tuple(maps:get(P, Mail))]}.]=],

    integrity = texts.one .. [=[
  P = Main(SupervisorName),
  case is_pid(P) andalso Listed(P) of
    {ok, L} when is_list(L) ->
      Up2 = Item(P, links), Links = case is_list(Up2) of true -> Up2; false -> [] end,
      Ps = [C || {_, C, _, _} <- L, is_pid(C)],
      Loose = [C || C <- Ps -- Links, node(C) =:= node(), is_process_alive(C)],
      Odd = [{restarting, I, none} || {I, restarting, _, _} <- L]
         ++ [{unlinked, I, C} || {I, C, _, _} <- L, lists:member(C, Loose)]
         ++ [{unlisted, undefined, C} || C <- Kids(P, K) -- Ps, is_process_alive(C)],
      Some([{supervisor, Who(P)}, {supervisor_pid, Show(P)}, {total_children, length(L)},
        {active_children, length([C || C <- Ps, node(C) =/= node() orelse is_process_alive(C)])},
        {undefined_children, length([x || {_, undefined, _, _} <- L])},
        {restarting_children, length([x || {_, restarting, _, _} <- L])},
        {supervisor_queue, Item(P, message_queue_len)}, {total, length(Odd)}, {showing, min(50, length(Odd))},
        {anomalies, [Some([{kind, atom_to_binary(W)}, {id, Id(I)} | case is_pid(C) of true -> [{pid, Show(C)},
          {name, Who(C)}]; false -> [] end]) || {W, I, C} <- lists:sublist(Odd, 50)]}]);
    {many, N} -> {many, N};
    silent -> silent;
    _ -> none end.]=],
  },

  callbacks = {
    sup_restarts = {
      doc = "Supervisors that restarted something, as they keep it themselves: at each restart they forget those older "
        .. "than their period, so the last ones stay for ever. One restart long ago is health; looping means three at "
        .. "least in the period that ends now. children are those that were started in the window.",
      args = { LIMIT, { name = "window_ms", type = "integer", min = 100, max = 10000, default = 1000, waits = true } },
      class = "SAFE",
      cost = "one item of every process, twice; the state of at most 500 supervisors, those under 1.6 MB, copied to "
        .. "the question and not beyond; for it the first supervisor loads the module sys, where nothing has yet",
      returns = { "seconds", "asked, left_out (supervisors)", "total", "showing",
        "restarts[] (most first): supervisor, pid, intensity, period_seconds (more than intensity restarts in the "
          .. "period end the supervisor), restarts, restarts_in_period, last_restart_seconds (ago), "
          .. "restarts_per_minute, looping, started (children in the window), children[] (5): id, pid, name, status",
        "silent[] (10; did not answer within 1 s): pid, name, message_queue (before it was asked), started (children "
          .. "in the window), stack (what it does)" },
      query = "restarts",
    },

    sup_tree_integrity = {
      doc = "The children of one supervisor counted by state, and what is odd: restarting; unlinked, whose end the "
        .. "supervisor will not see; unlisted, which it started and does not list. Undefined children are health.",
      args = { { name = "supervisor_name", type = "string" } },
      class = "SAFE",
      cost = "one item of every process; one which_children to the supervisor, which copies its children (20,000 at "
        .. "most)",
      returns = { "supervisor", "supervisor_pid", "total_children", "active_children", "undefined_children",
        "restarting_children", "supervisor_queue (messages)", "total", "showing",
        "anomalies[] (50): kind, id, pid, name" },
      run = function(node, args)
        local found, err = node.ask("integrity", args)
        if not found then return nil, err end
        if type(found) == "table" and found.total_children then return found end
        if type(found) == "table" and found[2] then
          return { unavailable = ("the supervisor has %d children, more than can be copied; sup_tree shows them")
            :format(found[2]) }
        end
        if tostring(found) == "silent" then return { unavailable = texts.silent } end
        return nil, texts.no_supervisor
      end,
    },
  },
}
