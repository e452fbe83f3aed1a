-- Puts rows back into an ETS table that flush_table or trim_table took out: only as the undo of one of these.
-- DANGEROUS: it writes. A row whose key has another row by now is left out, so nothing that came since is lost.

local objects = require "sandbox.objects.table"

local CHECK = objects.table .. [=[
  Taken = case Given of {rows, _, _, L} when is_list(L) -> Given; _ -> none end,
  Mine = fun({refused, _} = W) -> W;
            (_) when Taken =:= none -> {refused, Say("no rows were kept that could be put back")};
            ({table, T, _, _, _, _, _} = I) when T =:= element(2, Taken) -> I;
            (_) -> {changed, Say("the table was deleted and made again since its rows were taken")} end,
]=]

local SAME = CHECK .. [=[
  Check = case Mine(OpenTable()) of {table, X, _, _, _, _, _} -> SameTable(Identity, X); W -> W end,
]=]

return {
  name = "put_back",
  title = "put rows back into an ETS table",
  class = "DANGEROUS",
  undo_only = true,
  args = { { name = "table", type = "string", doc = "its name, or its id (#Ref<…>)" } },
  doc = "Puts back the rows that flush_table or trim_table took out of a table.",
  undo_doc = "flush_table or trim_table take them out again",
  timeout = 30,

  queries = {
    preview = CHECK .. [=[
  case Mine(OpenTable()) of
    {table, _, _, _, _, _, _} = I -> {rows, _, N, _} = Taken,
      #{object => Say(Called(I)), identity => I, figures => maps:from_list([{rows_kept, N},
        {lost, Say("nothing: a row whose key has another row by now is left out")} | Facts(I)])};
    {_, W} -> {refused, W} end.]=],

    check = SAME .. [=[ Check.]=],

    -- A bag may have many rows of one key, which insert_new refuses from the second on.
    deed = SAME .. [=[
  Put = fun({rows, T, _, L}) -> New = case ets:info(T, type) of
      Y when Y =:= set; Y =:= ordered_set -> fun ets:insert_new/2; _ -> fun ets:insert/2 end,
    {done, {put, T, length(L), length([R || R <- L, New(T, R)])}} end,
  case Check of
    same -> try Put(Taken) catch error:badarg -> {changed, Say("the table was deleted meanwhile")} end;
    _ -> Check end.]=],

    after = objects.table .. [=[
  case {Before, Info(element(2, Identity), size)} of
    {_, undefined} -> {failed, Say("the table was deleted since")};
    {{put, _, N, N}, S} -> {ok, Say([Many(N, "row"), " put back; it has ", Num(S)])};
    {{put, _, N, M}, S} -> {ok, Say([Num(M), " of ", Many(N, "row"), " put back, the other keys had new ones; it has ",
      Num(S)])};
    {_, S} when S > element(7, Identity) -> {ok, Say(["it has ", Many(S, "row"), ", more than before"])};
    _ -> {failed, Say("nothing shows that rows were put back")} end.]=],
  },

  undo = function() return "flush_table or trim_table take rows out again; look first which ones" end,
}
