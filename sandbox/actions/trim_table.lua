-- Deletes some rows of one ETS table: the first ones, or those whose field is an integer below a bound, as of a time.
-- ETS keeps no age of a row, so without such a field only an ordered_set has an order that means anything.
-- DANGEROUS, as flush_table is, and undone like it.

local objects = require "sandbox.objects.table"

-- The rows are read before they are deleted, and deleted as they were read: one that changed meanwhile stays. Equal
-- rows of a duplicate_bag go together, so all of them are read, over the limit too.
local CHOOSE = objects.keep .. [=[
  Spec = case Field of
    0 -> [{'$1', [], ['$1']}];
    _ -> [{'$1', [{'>=', {size, '$1'}, Field}, {is_integer, {element, Field, '$1'}},
                  {'<', {element, Field, '$1'}, Below}], ['$1']}] end,
  Equals = fun(T, duplicate_bag, L) -> K = ets:info(T, keypos),
                 lists:append([[X || X <- ets:lookup(T, element(K, R)), X =:= R] || R <- lists:usort(L)]);
              (_, _, L) -> L end,
  Chosen = fun(T, N) -> case ets:select(T, Spec, N) of
      {L, _} -> Equals(T, ets:info(T, type), lists:sublist(L, N)); '$end_of_table' -> [] end end,
]=]

local CHECK = CHOOSE .. objects.check

return {
  name = "trim_table",
  title = "delete rows of an ETS table",
  class = "DANGEROUS",
  args = {
    { name = "table", type = "string", doc = "its name, or its id (#Ref<…>)" },
    { name = "limit", type = "integer", min = 1, max = 1000000, doc = "so many rows at most" },
    { name = "field", type = "integer", min = 0, max = 255, default = 0,
      doc = "which element of a row is compared, counted from 1; 0: none, the first rows go" },
    { name = "below", type = "integer", min = -2 ^ 53, max = 2 ^ 53, default = 0,
      doc = "rows whose field is an integer below this go: of a time field, the older ones" },
    { name = "without_undo", type = "choice", of = { "no", "yes" }, default = "no",
      doc = "yes: rows are not kept, so that more than 10,000 of them or 1 MB may go" },
  },
  doc = "Deletes up to limit rows of a public ETS table: those whose field, an integer like a time, is below a bound; "
    .. "or with field 0 the first ones, which are the smallest keys of an ordered_set and chance in any other type. "
    .. "Right where old entries fill a table that is in use. The same tables are refused as by flush_table.",
  undo_doc = "put_back puts the rows back that were kept: all, unless without_undo was yes",
  timeout = 30,

  queries = {
    preview = CHOOSE .. [=[
  Count = fun(_, S) when Field =:= 0 -> min(S, Limit);
             (T, _) -> min(Limit, ets:select_count(T, [{H, G, [true]} || {H, G, _} <- Spec])) end,
  Which = fun(Y) when Field =:= 0 -> if Y =:= ordered_set -> "the smallest keys";
               true -> "chance decides: a " ++ atom_to_list(Y) ++ " keeps no order" end;
             (_) -> "those whose element " ++ integer_to_list(Field) ++ " is below " ++ integer_to_list(Below) end,
  Found = fun(T, S) -> case NoUndo(WithoutUndo) of
      true -> Count(T, S);
      false -> case Fits(Chosen(T, min(Limit, 10001))) of many -> many; L -> length(L) end end end,
  Look = fun({table, T, _, _, Y, _, S} = I) -> case Found(T, S) of
      many -> TooMany;
      0 -> {refused, Say("no row is to be deleted by this")};
      N -> #{object => Say(Called(I)), identity => I,
        figures => maps:from_list([{which, Say(Which(Y))}, {lost, Say([Many(N, "row"), " of ", Num(S),
          case NoUndo(WithoutUndo) of true -> ", for good"; _ -> ", kept here to be put back" end])} | Facts(I)])}
      end end,
  case OpenTable() of {refused, _} = W -> W; I -> Look(I) end.]=],

    check = CHECK .. [=[ CheckTable().]=],

    -- Without undo in pieces, for a million rows are more than we may hold; fixed meanwhile, so that none is missed.
    deed = CHECK .. [=[
  Drop = fun(L) -> lists:foreach(fun(R) -> ets:delete_object(T, R) end, L), length(L) end,
  Pieces = fun Pieces('$end_of_table', N) -> N;
               Pieces({L, _}, N) when N + length(L) >= Limit -> N + Drop(lists:sublist(L, Limit - N));
               Pieces({L, C}, N) -> M = N + Drop(L), Pieces(ets:select(C), M) end,
  Trim = fun() -> Z = ets:info(T, size), case NoUndo(WithoutUndo) of
      true -> ets:safe_fixtable(T, true), N = Pieces(ets:select(T, Spec, min(Limit, 200)), 0),
        ets:safe_fixtable(T, false), {done, {rows, T, N, none, Z}};
      false -> case Fits(Chosen(T, min(Limit, 10001))) of
        many -> TooMany;
        L -> Drop(L), {done, {rows, T, length(L), L}} end end end,
  case CheckTable() of
    same -> try Trim() catch error:badarg -> {changed, Say("the table was deleted meanwhile")} end;
    No -> No end.]=],

    after = objects.table .. [=[
  {table, T, _, _, _, K, Proposed} = Identity,
  Left = fun(L) -> length([R || R <- lists:sublist(L, 1000), lists:member(R, ets:lookup(T, element(K, R)))]) end,
  Size = Info(T, size),
  Tell = fun(N) -> {ok, Say([Many(N, "row"), " deleted; it has ", Num(Size)])} end,
  case Before of
    _ when Size =:= undefined -> {failed, Say("the table was deleted since")};
    {rows, _, N, L} when is_list(L) -> case Left(L) of
      0 -> Tell(N); X -> {failed, Say([Many(X, "row"), " of those deleted are there again: somebody fills it"])} end;
    {rows, _, N, none, Z} when Size < Z -> Tell(N);
    {rows, _, _, none, _} -> {failed, Say(["it has ", Many(Size, "row"), ", as many as before: somebody fills it"])};
    _ when Size < Proposed -> {ok, Say(["it had ", Many(Proposed, "row"), " and has ", Num(Size)])};
    _ -> {failed, Say("nothing shows that rows were deleted")} end.]=],
  },

  undo = function(args, before)
    if tostring(before[4]) == "none" then return "its rows were not kept; who owns the table has to fill it again" end
    return { name = "put_back", args = { table = args.table }, given = true }
  end,
}
