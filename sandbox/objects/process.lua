--- Erlang that actions share: how a process is found, told from every other, and which ones are never touched. Not
--- from `skills/texts/`, which a user may replace: what an action runs is reviewed with the program.

-- Put together here from constants, and nowhere else. No binary is written in these texts and no map is matched:
-- erl_eval would load a module for the one, and is slow at the other.

local WORDS = [=[
  Say = fun(L) -> unicode:characters_to_binary(L) end,
  Text = fun(X) -> case atom_to_list(X) of [$E, $l, $i, $x, $i, $r, $. | R] -> R; L -> L end end,
  Num = fun Num(N) when N < 1000 -> integer_to_list(N);
            Num(N) -> Num(N div 1000) ++ "," ++ tl(integer_to_list(1000 + N rem 1000)) end,
  Many = fun(1, S) -> "1 " ++ S; (N, S) -> Num(N) ++ " " ++ S ++ "s" end,
  Kb = fun(X) -> X * erlang:system_info(wordsize) div 1024 end,
  Get = fun(K, L) -> case lists:keyfind(K, 1, L) of {_, X} -> X; _ -> undefined end end,
  Some = fun(L) -> maps:from_list([X || {_, V} = X <- L, V =/= undefined]) end,
  Atom = fun(B) -> case catch binary_to_existing_atom(B) of X when is_atom(X) -> X; _ -> undefined end end,
  Item = fun(P, I) -> case catch erlang:process_info(P, I) of {I, X} -> X; _ -> undefined end end,
  Alive = fun(P) -> (catch is_process_alive(P)) =:= true end,
  Func = fun({M, F, A}) when is_atom(M), is_atom(F), is_integer(A) ->
               Text(M) ++ ":" ++ atom_to_list(F) ++ "/" ++ integer_to_list(A);
            (_) -> "" end,
]=]

-- `Id` is what tells a process from another that took its pid or its name: the pid (which the restarted node has
-- with another creation), name, what it was started with, who started it, and the reductions, which only grow. What
-- proc_lib notes stands in the dictionary. Before OTP 26.2 that is copied to be read: once for each process, and not
-- of one of over 32 MB, nor is it compared then. `Same` answers same, or what the caller passes on.
local PROCESS = WORDS .. [=[
  Find = fun(B) -> L = binary_to_list(B),
    case catch case L of [$< | _] -> list_to_pid(L); _ -> whereis(binary_to_existing_atom(B)) end of
      P when is_pid(P), node(P) =:= node() -> case Alive(P) of true -> P; _ -> none end;
      _ -> case catch whereis(list_to_existing_atom("Elixir." ++ L)) of P when is_pid(P) -> P; _ -> none end end end,
  Noted = ['$initial_call', '$ancestors', '$beamlens'],
  Keyed = try is_tuple(erlang:process_info(self(), {dictionary, '$ancestors'})) catch error:badarg -> false end,
  Copied = fun(P) -> case Item(P, dictionary) of
      D when is_list(D) -> [X || X <- D, lists:member(element(1, X), Noted)]; _ -> unread end end,
  Read = fun(P) when Keyed -> [{K, V} || K <- Noted, V <- [Item(P, {dictionary, K})], V =/= undefined];
            (P) -> case Item(P, total_heap_size) of
              H when is_integer(H), H =< 4000000 -> D = Copied(P), H > 500000 andalso erlang:garbage_collect(), D;
              _ -> unread end end,
  Dict = fun(P) -> case erlang:get({dict, P}) of undefined -> D = Read(P), erlang:put({dict, P}, D), D; D -> D end end,
  Key = fun(_, unread) -> unread; (K, D) -> Get(K, D) end,
  Id = fun(P) -> D = Dict(P),
    case catch erlang:process_info(P, [registered_name, initial_call, reductions]) of
      [{_, N}, {_, C}, {_, R}] ->
        {process, P, if is_atom(N) -> N; true -> undefined end, C, Key('$initial_call', D),
         {Item(P, parent), Key('$ancestors', D)}, R};
      _ -> gone end end,
  Alike = fun(X, X) -> true; (unread, _) -> true; (_, unread) -> true;
             ({X, unread}, {X, _}) -> true; ({X, _}, {X, unread}) -> true; (_, _) -> false end,
  Same = fun({process, P, N, C, S, A, R}, Now) -> case Id(P) of
        gone -> {changed, Say("the process is gone")};
        _ when Now =/= P -> {changed, Say("another process goes by this name now")};
        {process, _, M, _, _, _, _} when M =/= N -> {changed, Say("its registered name is another now")};
        {process, _, _, B, T, Y, Z} -> case B =:= C andalso Alike(S, T) andalso Alike(A, Y) andalso Z >= R of
          true -> same;
          false -> {changed, Say("another process has this pid now")} end end;
     (_, _) -> {changed, Say("what was proposed is no process")} end,
  Name = fun({process, P, undefined, _, _, _, _}) -> pid_to_list(P); ({process, _, N, _, _, _, _}) -> Text(N) end,
  What = fun({process, _, _, C, S, _, _}) -> case Func(S) of [] -> Func(C); L -> L end end,
  Nobody = {refused, Say("no such process now; give a pid like <0.123.0> or a registered name of this node")},
]=]

-- Why a process is never killed, or none: `Sys` for what the node itself needs, `Guard` for what leads an application
-- besides. What a person started in the node's own shell stands below kernel_sup too, and is known by its group leader.
-- Who started whom is an item since OTP 25; before that the dictionary tells. Our own questions are told by
-- their group leader, who sits where ours does, and relays by their mark.
local GUARD = PROCESS .. [=[
  Up = fun(P) -> case Item(P, parent) of
      X when is_pid(X) -> X;
      _ -> case Key('$ancestors', Dict(P)) of
          [X | _] when is_pid(X) -> X; [X | _] when is_atom(X) -> whereis(X); _ -> undefined end end end,
  Above = fun Above(P, N) when is_pid(P), N > 0 -> [P | Above(Up(P), N - 1)]; Above(_, _) -> [] end,
  System = [init, kernel_sup, kernel_safe_sup, application_controller, code_server, erl_prim_loader, erts_code_purger,
    logger, logger_sup, logger_proxy, logger_std_h_default, file_server_2, rex, net_kernel, net_sup, erl_epmd, auth,
    global_name_server, global_group, global_group_check, inet_db, erl_signal_server, user, user_drv, user_sup,
    standard_error, standard_error_sup, socket_registry, timer_server, pg, kernel_refc, sasl_sup, sasl_safe_sup,
    release_handler, alarm_handler, elixir_sup, elixir_config, elixir_code_server, 'Elixir.Logger',
    'Elixir.Logger.Supervisor', 'Elixir.Logger.Handler', 'Elixir.Logger.BackendSupervisor'],
  Inner = [init, erl_prim_loader, erts_code_purger, erts_literal_area_collector, erts_dirty_process_signal_handler,
    erts_trace_cleaner, prim_file, socket_registry, logger_server, user_drv, group],
  Ours = fun(P) -> P =:= self() orelse Key('$beamlens', Dict(P)) =:= relay orelse
    (Item(P, initial_call) =:= {erpc, execute_call, 4} andalso
      case Item(P, group_leader) of G when is_pid(G) -> node(G) =:= node(group_leader()); _ -> false end) end,
  InShell = fun(P) -> G = Item(P, group_leader), G =/= whereis(user) andalso
    lists:member(group, [M || {M, _, _} <- [Item(G, initial_call), Key('$initial_call', Dict(G))]]) end,
  Sys = fun(P) -> {N, M} = case Id(P) of gone -> {none, none}; {_, _, X, {Y, _, _}, _, _, _} -> {X, Y} end,
    A = case catch application:get_application(P) of {ok, X1} -> X1; _ -> none end,
    case {Ours(P), lists:member(N, System) orelse lists:member(M, Inner) orelse
                   lists:member(A, [kernel, stdlib, sasl, elixir, logger]) orelse P =:= group_leader()} of
      {true, _} -> "it is one of our own, which ends by itself";
      {_, true} -> "it is of the system itself, without which the node does not go on";
      _ -> case lists:member(whereis(kernel_sup), Above(P, 100)) andalso not InShell(P) of
          true -> "it stands below kernel_sup, so it is of the system itself";
          false -> none end end end,
  Leads = fun(Q) -> case {Item(Q, initial_call), Item(Q, group_leader), Key('$initial_call', Dict(Q))} of
      {{application_master, _, _}, _, _} -> true; {_, _, {application_master, _, _}} -> true; {_, Q, _} -> true;
      _ -> false end end,
  Guard = fun(P) -> case {Sys(P), Leads(P) orelse lists:any(fun(X) -> X =:= start_it end,
      [F || {_, F, _} <- [Item(Up(P), initial_call)]])} of
      {none, true} -> "it leads an application, which would end with it, and the node too where that is permanent; "
        "take a process below it";
      {X, _} -> X end end,
  Refuse = fun(W) -> {refused, Say("this is not done: " ++ W)} end,
]=]

return { words = WORDS, process = PROCESS, guard = GUARD }
