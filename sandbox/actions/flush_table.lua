-- Deletes all rows of one ETS table. DANGEROUS: the rows may be all that there is of something. They are brought home
-- first, where they are not too many, and put_back puts them back.

local objects = require "sandbox.objects.table"

local CHECK = objects.keep .. objects.check

return {
  name = "flush_table",
  title = "empty an ETS table",
  class = "DANGEROUS",
  args = {
    { name = "table", type = "string", doc = "its name, or its id (#Ref<…>)" },
    { name = "without_undo", type = "choice", of = { "no", "yes" }, default = "no",
      doc = "yes: rows are not kept, so that more than 10,000 of them or 1 MB may go" },
  },
  doc = "Deletes all rows of a public ETS table. Right for a cache that can be filled again and holds the "
    .. "node's memory; wrong where nobody can say who would fill it again. Tables of the system, of Mnesia and of a "
    .. "Registry are refused, and protected and private ones cannot be written to.",
  undo_doc = "put_back puts the rows back that were kept: all, unless without_undo was yes",
  timeout = 30,

  queries = {
    preview = objects.keep .. [=[
  Rows = fun(T, S) -> case NoUndo(WithoutUndo) of
      true -> none;
      false when S > 10000 -> many;
      false -> case Info(T, memory) of
        M when is_integer(M), M =< 2000000 -> Fits(ets:tab2list(T)); _ -> many end end end,
  Look = fun({table, T, _, _, _, _, S} = I) -> case Rows(T, S) of
      many -> TooMany;
      R -> #{object => Say(Called(I)), identity => I,
        figures => maps:from_list([{lost, Say([Many(S, "row"), case R of none -> ", for good";
          _ -> ", kept here to be put back" end])} | Facts(I)])} end end,
  case OpenTable() of
    {refused, _} = W -> W;
    {table, _, _, _, _, _, 0} -> {refused, Say("the table is empty already")};
    I -> Look(I) end.]=],

    check = CHECK .. [=[ CheckTable().]=],

    -- Row by row what was read, and no other: a row that came meanwhile is not ours to delete.
    deed = CHECK .. [=[
  Delete = fun(many) -> TooMany;
              (L) -> lists:foreach(fun(R) -> ets:delete_object(T, R) end, L), {done, {rows, T, length(L), L}} end,
  Flush = fun() -> S = ets:info(T, size), case NoUndo(WithoutUndo) of
      true -> ets:delete_all_objects(T), {done, {rows, T, S, none}};
      false when S > 10000 -> TooMany;
      false -> case ets:info(T, memory) of
        M when M =< 2000000 -> Delete(Fits(ets:tab2list(T))); _ -> TooMany end end end,
  case CheckTable() of
    same -> try Flush() catch error:badarg -> {changed, Say("the table was deleted meanwhile")} end;
    No -> No end.]=],

    after = objects.table .. [=[
  {table, T, _, _, _, _, Proposed} = Identity,
  Had = case Before of {rows, _, N, _} -> N; _ -> Proposed end,
  case Info(T, size) of
    0 -> {ok, Say(["it is empty; it had ", Many(Had, "row")])};
    S when is_integer(S), S < Had -> {ok, Say(["it had ", Many(Had, "row"), " and has ", Num(S), " that came since"])};
    S when is_integer(S) -> {failed, Say(["it has ", Many(S, "row"), ", as many as before: somebody fills it again"])};
    _ -> {failed, Say("the table was deleted since")} end.]=],
  },

  undo = function(args, before)
    if tostring(before[4]) == "none" then return "its rows were not kept; who owns the table has to fill it again" end
    return { name = "put_back", args = { table = args.table }, given = true }
  end,
}
