--- Erlang that the actions on ETS tables share: how a table is found, told from one that was made again under its name,
--- and which ones are never touched; and how rows are read home, so that they can be put back.

local process = require "sandbox.objects.process"

-- A table's reference is its own for ever, so it tells a table from its successor by the same name. Size is in the
-- identity for who looks after a crash of ours; it moves, and is not compared. Only public tables can be written to
-- from outside. What Mnesia and Elixir's Registry keep in public tables must be changed through them.
local TABLE = process.guard .. [=[
  Info = fun(T, I) -> case catch ets:info(T, I) of {'EXIT', _} -> undefined; X -> X end end,
  Tid = fun(B) -> L = unicode:characters_to_list(B),
    As = fun(X) -> case catch list_to_existing_atom(X) of A when is_atom(A) -> A; _ -> undefined end end,
    Named = fun(undefined) -> none;
               (N) -> case Info(N, id) of
                 R when is_reference(R) -> R;
                 _ -> All = ets:all(),
                   case [X || {V, X} <- lists:zip(lists:zipwith(fun ets:info/2, All,
                                lists:duplicate(length(All), name)), All), V =:= N] of
                     [X] -> Info(X, id); [] -> none; _ -> several end end end,
    case catch list_to_ref(L) of
      R when is_reference(R) -> case Info(R, id) of R -> R; _ -> none end;
      _ -> case Named(As(L)) of none -> Named(As("Elixir." ++ L)); X -> X end end end,
  TableId = fun(T) -> case [Info(T, I) || I <- [name, owner, type, keypos, size]] of
      [N, O, Y, K, S] when is_pid(O) -> {table, T, N, O, Y, K, S};
      _ -> gone end end,
  SameTable = fun({table, T, N, O, Y, K, _}, T) -> case TableId(T) of
        {table, T, N, O, Y, K, _} -> same;
        {table, T, N, _, _, _, _} -> {changed, Say("the table belongs to another process now")};
        gone -> {changed, Say("the table was deleted since")};
        _ -> {changed, Say("the table has another name now")} end;
     ({table, _, _, _, _, _, _}, X) when is_reference(X) ->
        {changed, Say("the table was deleted and made again under this name")};
     (_, _) -> {changed, Say("the table was deleted since")} end,
  Owner = fun(O) -> case Id(O) of gone -> pid_to_list(O); I -> Name(I) end end,
  Theirs = fun(O) -> case Key('$initial_call', Dict(O)) of
      {'Elixir.Registry.Partition', _, _} -> registry;
      {supervisor, 'Elixir.Registry.Supervisor', _} -> registry;
      _ -> case Item(O, registered_name) of mnesia_monitor -> mnesia; mnesia_tm -> mnesia; _ -> none end end end,
  Closed = fun({table, T, _, O, _, _, _}) -> case {Sys(O), Theirs(O), Info(T, protection)} of
      {none, none, public} -> none;
      {none, registry, _} -> "it is a table of Elixir's Registry, which forgets its processes when they end";
      {none, mnesia, _} -> "it is a table of Mnesia, which would not know of it; mnesia:clear_table empties it";
      {none, none, X} -> "the table is " ++ atom_to_list(X) ++ ", so nobody but its owner (" ++ Owner(O) ++ ") may "
        "write to it; what would empty it is a function of its owner, or restart_child of that: the table goes with it";
      {W, _, _} -> "its owner is " ++ Owner(O) ++ ", and " ++ W end end,
  OpenTable = fun() -> case Tid(Table) of
      none -> {refused, Say("no such table now; ets_list_tables gives names and ids")};
      several -> {refused, Say("several tables have this name; give the id (#Ref<...>) of the one")};
      T -> case TableId(T) of
        gone -> {refused, Say("the table was deleted just now")};
        I -> case Closed(I) of none -> I; W -> Refuse(W) end end end end,
  Called = fun({table, T, N, _, _, _, _}) -> case Info(T, named_table) of
      true -> Text(N); _ -> ref_to_list(T) end end,
  Facts = fun({table, T, N, O, Y, _, S}) -> [{name, Say(Text(N))}, {owner, Say(Owner(O))},
    {type, list_to_binary(atom_to_list(Y))}, {rows, S}, {memory_kb, Kb(Info(T, memory))}] end,
  NoUndo = (fun(B) -> binary_to_list(B) =:= "yes" end),
]=]

-- Rows that come home are 10,000 at most and 1 MB as bytes. `Fits` is the rows, or that they are too many.
local KEEP = TABLE .. [=[
  Fits = fun(L) when length(L) > 10000 -> many;
            (L) -> case erlang:external_size(L) of S when S > 1048576 -> many; _ -> L end end,
  TooMany = {refused, Say("over 10,000 rows or 1 MB, which is more than is kept to be put back: take fewer, or say "
    "without_undo yes and lose them")},
]=]

-- The check that stands in front of a deed: refused, changed or same.
local CHECK = [=[
  CheckTable = fun() -> case OpenTable() of
      {refused, _} = W -> case Tid(Table) of R when is_reference(R) -> W; _ -> SameTable(Identity, none) end;
      I -> SameTable(Identity, element(2, I)) end end,
  T = element(2, Identity),
]=]

return { table = TABLE, keep = KEEP, check = CHECK }
