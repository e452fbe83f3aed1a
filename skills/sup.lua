--- Supervisors, seen from outside. Who started whom is an item of every process since OTP 25, read without a
--- signal; so trees are drawn without a word to any supervisor, and one that is stuck shows like the others. What only
--- a supervisor knows (ids, children that do not run, its restarts) costs a call to it, which has a deadline.

local texts = ...

-- Put together here from constants, and nowhere else. `Kin` is the living children of every process that started
-- any. Supervisors were started by proc_lib and trap exits, which both are seen without a signal; of those that
-- may be one the dictionary tells, where it cannot be too large to be copied: not if the process holds over
-- 32 MB beyond 256 bytes for each child. Before OTP 25 the parent is asked of every dictionary. Where there are
-- very many, their pids stand beside our heap as binaries meanwhile (`Pack`): of a million, lists are too much of it.
local TREE = texts.walk .. [=[
  Run = fun(L, M) -> ets:match_spec_run(L, ets:match_spec_compile(M)) end,
  Modern = try is_tuple(erlang:process_info(self(), parent)) catch error:badarg -> false end,
  Up = fun(P) -> case Item(P, dictionary) of
      D when is_list(D) -> case Get('$ancestors', D) of
          [X | _] when is_pid(X) -> X; [X | _] when is_atom(X) -> whereis(X); _ -> undefined end;
      _ -> undefined end end,
  Ups = fun(H) when Modern -> Run(lists:zip(Ask(H, parent), H),
              [{{{parent, '$1'}, '$2'}, [{is_pid, '$1'}], [['$1' | '$2']]}]);
           (H) -> [[X | P] || P <- H, X <- [Up(P)], is_pid(X)] end,
  Group = case erlang:function_exported(maps, groups_from_list, 3) of
    true -> fun(L) -> maps:groups_from_list(fun erlang:hd/1, fun erlang:tl/1, L) end;
    false -> fun(L) -> lists:foldl(fun([K | V], A) -> maps:put(K, [V | maps:get(K, A, [])], A) end, #{}, L) end end,
  Pack = fun() -> case erlang:system_info(process_count) > 200000 of
    true -> Lean(lists:map(fun erlang:term_to_binary/1, All())); false -> All() end end,
  Open = fun(H) when is_binary(H) -> binary_to_term(H); (H) -> H end,
  Kin = fun(S) -> lists:foldl(fun(H, A) ->
    maps:merge_with(fun(_, X, Y) -> X ++ Y end, Group(Ups(Open(H))), A) end, #{}, S) end,
  Kids = fun(P, K) -> maps:get(P, K, []) end,
  Able = fun(H, K) ->
    C = Run(lists:zip3(Ask(H, initial_call), Ask(H, trap_exit), H),
      [{{{initial_call, {proc_lib, init_p, 5}}, {trap_exit, true}, '$1'}, [], ['$1']}]),
    {I, G, X, _} = Shape(memory), L = lists:zip(Ask(C, I), C),
    Run(L, [{{G, '$7'}, [{'=<', X, 4000000}], ['$7']}])
      ++ [P || {P, W} <- Run(L, [{{G, '$7'}, [{'>', X, 4000000}], [{{'$7', X}}]}]),
               W =< 4000000 + 32 * length(Kids(P, K))] end,
  Sups = fun(S, K) -> C = lists:append([Able(Open(H), K) || H <- S]), Pa = maps:keys(maps:with(C, K)),
    A = lists:sublist(Pa ++ (C -- Pa), 50000),
    {Run(lists:zip(lists:map(fun proc_lib:translate_initial_call/1, A), A),
      [{{{supervisor, '_', '_'}, '$1'}, [], ['$1']}]), length(C) - length(A)} end,
  Who = fun(P) -> case erlang:process_info(P, [registered_name, initial_call, total_heap_size]) of
      [{_, []}, {_, {proc_lib, _, _}}, {_, H}] when H =< 4000000 -> Func(proc_lib:translate_initial_call(P));
      [{_, R}, {_, I}, {_, H}] -> Name(P, R, I, H); _ -> undefined end end,
  Main = fun(N) -> case Find(N) of P when is_pid(P) -> case is_process_alive(P) of true -> P; _ -> none end;
    _ -> none end end,
]=]

-- Asks many at once. Who does not answer in time answers to a process that is no more. Whoever is no supervisor is
-- never sent a call: it might die of it.
local CALLS = TREE .. [=[
  Call = fun(L, M, Ms) -> T = Now() + Ms,
    R = [{P, monitor(process, P)} || P <- L],
    lists:foreach(fun({P, X}) -> P ! M({self(), X}) end, R),
    [{P, receive {X, Y} -> {ok, Y}; {'DOWN', X, _, _, _} -> gone after max(0, T - Now()) -> silent end}
     || {P, X} <- R] end,
  Gen = fun(Q) -> fun(F) -> {'$gen_call', F, Q} end end,
]=]

-- `Listed` is what a supervisor says of its children, none at all where it has more than can be copied.
local ONE = CALLS .. [=[
  K = Kin(Pack()),
  Listed = fun(P) -> case Sups([[P]], K) of
      {[P], _} -> case length(Kids(P, K)) of
          X when X > 20000 -> {many, X};
          _ -> [{_, X}] = Call([P], Gen(which_children), 1000), X end;
      _ -> none end end,
  Id = fun(undefined) -> undefined; (X) when is_atom(X) -> Text(X);
          (X) -> unicode:characters_to_binary(lists:sublist(lists:flatten(io_lib:format("~0tP", [X, 8])), 80)) end,
]=]

local SILENT = "the supervisor does not answer within 1 s: it may be starting a child; sup_tree shows its children "
  .. "without asking it, beam_process_info what it does"
local NO_SUPERVISOR = "no such supervisor now; give a pid or a registered name, as sup_list has them"
local SUPERVISOR = { name = "supervisor_name", type = "string" }

---@type Skill
return {
  name = "sup",
  title = "Supervisors",
  about = "Supervision trees: who started whom, children that restart or do not run, processes nobody supervises.",

  prompt = [[
You look after the supervision trees of one BEAM node.
Worth a notification: a supervisor that restarts children again and again, above all near its intensity; children
that are restarting; a supervisor that does not answer; processes that became more and that nobody is linked to;
children that outlived their supervisor.
Not worth one: children that are undefined (a start function returned ignore, or the child was temporary and is done),
one crash that was restarted, dynamic children that come and go, a few unlinked processes of OTP itself.
Name the supervisor and the child, how many restarts in what time, and the intensity and period that allow them.]],

  uses = { "history" },
  keep = { "orphan_pids" },
  snapshot = "totals",
  texts = { tree = TREE, calls = CALLS, one = ONE, silent = SILENT, no_supervisor = NO_SUPERVISOR },

  queries = {
    totals = TREE .. [=[
  S = Pack(), K = Kin(S), {L, _} = Sups(S, K),
  #{supervisor_count => length(L), total_children => lists:sum(lists:map(fun erlang:length/1,
    maps:values(maps:with(L, K))))}.]=],

    list = CALLS .. [=[
  S = Pack(), K = Kin(S), {L, Left} = Sups(S, K),
  Sizes = lists:zip(lists:map(fun erlang:length/1, lists:map(fun(P) -> Kids(P, K) end, L)), L),
  Most = lists:sublist(lists:reverse(lists:sort(Sizes)), 50),
  Said = maps:from_list(Call([P || {N, P} <- Most, N =< 20000], Gen(count_children), 1000)),
  Line = fun({N, P}) -> Some([{pid, Show(P)}, {name, Who(P)}, {active_children, N} | case maps:get(P, Said, many) of
      {ok, [_ | _] = C} -> [{child_count, proplists:get_value(workers, C, 0) + proplists:get_value(supervisors, C, 0)},
        {answers, true}];
      silent -> [{answers, false}];
      _ -> [] end]) end,
  Rows = lists:map(Line, Most),
  #{total => length(L), showing => length(Rows), left_out => Left, supervisors => Rows}.]=],

    children = ONE .. [=[
  P = Main(SupervisorName),
  Rows = fun(L) -> [maps:merge(Some([{id, Id(I)}, {type, atom_to_binary(T)}, {status, atom_to_binary(X)}]),
      case is_pid(C) andalso node(C) =:= node() andalso Row(C, #{}) of
        [Y] -> maps:with([pid, name, current_function, message_queue], Y);
        _ when is_pid(C) -> #{pid => Show(C)};
        _ -> #{} end) || {X, I, C, T} <- lists:sublist(L, 50)] end,
  Out = fun(L) -> R = Rows(L), Some([{supervisor, Who(P)}, {supervisor_pid, Show(P)}, {total, length(L)},
    {showing, length(R)}, {children, R}]) end,
  State = fun(C) when is_pid(C) -> running; (restarting) -> restarting; (_) -> undefined end,
  case is_pid(P) andalso Listed(P) of
    {ok, L} when is_list(L) ->
      Out([X || {_, X} <- lists:keysort(1, [{case State(C) of running -> 2; undefined -> 1; _ -> 0 end,
        {State(C), I, C, T}} || {I, C, T, _} <- L])]);
    {many, _} -> maps:put(told_by, list_to_binary("parents"),
      Out([{running, undefined, C, unknown} || C <- Kids(P, K)]));
    silent -> silent;
    _ -> none end.]=],

    -- Level by level, 100 processes at most: of each first 20 supervisors, then ten others.
    tree = TREE .. [=[
  K = Kin(Pack()), P = Main(SupervisorName),
  Few = fun(X, L, Is) -> S = maps:with(L, Is), N = lists:sublist(lists:sort(maps:keys(S)), 20),
    lists:zip3(lists:duplicate(length(N), X), N, lists:duplicate(length(N), supervisor))
      ++ [{X, C, process} || C <- lists:sublist(lists:sort(case maps:size(S) of 0 -> L; _ -> L -- maps:keys(S) end),
                                                10)] end,
  Down = fun Down([], _, _, A) -> A;
             Down(_, _, N, A) when N =< 0 -> A;
             Down([{_, X, _} | T], Is, N, A) -> L = Few(X, Kids(X, K), Is), Down(T, Is, N - length(L), A ++ L) end,
  Levels = fun Levels([], _, _, A) -> A;
               Levels(_, D, N, A) when D =:= 0; N =:= 0 -> A;
               Levels(L, D, N, A) ->
                 {S, _} = (fun(X) -> Sups(Slices(X, length(X), []), K) end)
                   (lists:append([Kids(X, K) || {_, X, _} <- L])),
                 Is = maps:from_list(lists:zip(S, lists:duplicate(length(S), supervisor))),
                 R = lists:sublist(Down(L, Is, N, []), N),
                 Levels([Y || {_, C, _} = Y <- R, is_map_key(C, K)], D - 1, N - length(R), A ++ R) end,
  Line = fun({X, C, T}) -> Some([{pid, Show(C)}, {name, Who(C)}, {kind, atom_to_binary(T)}, {parent, Show(X)},
    {active_children, length(Kids(C, K))}]) end,
  Kind = fun() -> case Sups([[P]], K) of {[P], _} -> supervisor; _ -> process end end,
  Tree = fun(none) -> none; (_) -> L = [{P, P, Kind()}], lists:map(Line, Levels(L, Depth, 100, L)) end,
  Tree(P).]=],

    -- How long something has been an orphan, history tells.
    orphan_pids = TREE .. [=[
  K = Kin(Pack()), Home = Run(maps:keys(K), [{'$1', [{'=:=', {node, '$1'}, {node}}], ['$1']}]),
  Dead = Run(lists:zip(lists:map(fun erlang:is_process_alive/1, Home), Home), [{{false, '$1'}, [], ['$1']}]),
  lists:map(Show, lists:sublist(lists:append(maps:values(maps:with(Dead, K))), 300)).]=],
  },

  callbacks = {
    sup_list = {
      doc = "The 50 supervisors with most living children.",
      class = "SAFE",
      cost = "four items of every process, without a signal; wakes those that may be supervisors; one count_children "
        .. "to each supervisor shown",
      returns = { "total", "showing", "left_out (processes that were not asked whether they are one)",
        "supervisors[]: pid, name, active_children (alive, seen from outside), child_count (what it says itself), "
          .. "answers (false: not within 1 s)" },
      query = "list",
    },

    sup_children = {
      doc = "The children of one supervisor, those that do not run first. Ids are the supervisor's own, and absent for "
        .. "dynamic ones.",
      args = { SUPERVISOR },
      class = "SAFE",
      cost = "one item of every process; one which_children to the supervisor, which copies its children (20,000 at "
        .. "most); wakes the children shown",
      returns = { "supervisor", "supervisor_pid", "total", "showing",
        "told_by (parents: too many to be asked for, seen from outside)",
        "children[] (50): id, pid, type, status (running, restarting, undefined), name, current_function, "
          .. "message_queue" },
      run = function(node, args)
        local found, err = node.ask("children", args)
        if not found then return nil, err end
        if type(found) == "table" and found.total then return found end
        if tostring(found) == "silent" then return { unavailable = SILENT } end
        return nil, NO_SUPERVISOR
      end,
    },

    sup_tree = {
      brief = "Who started whom, below one process",
      doc = "The tree below a supervisor or any other process, without asking it: who started whom.",
      args = { SUPERVISOR, { name = "depth", type = "integer", min = 1, max = 8, default = 4 } },
      class = "SAFE",
      cost = "one item of every process, without a signal; wakes those that are shown or may be supervisors",
      returns = { "showing (processes, 100 at most)", "tree: pid, name, kind (supervisor, process), active_children, "
        .. "left_out (of these), children[] (the same again)" },
      run = function(node, args)
        local rows, err = node.ask("tree", args)
        if not rows then return nil, err end
        if type(rows) ~= "table" or not rows[1] then
          return nil, "no such process now; give a pid or a registered name, as sup_list has them"
        end
        local index = {}
        for i, row in ipairs(rows) do
          local above = i > 1 and index[row.parent]
          index[row.pid], row.parent, row.left_out = row, nil, row.active_children
          if above then
            above.children = above.children or {}
            above.children[#above.children + 1] = row
            above.left_out = above.left_out - 1
          end
        end
        return { showing = #rows, tree = rows[1] }
      end,
    },
  },
}
