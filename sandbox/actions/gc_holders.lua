-- Collects the processes that hold most in binaries outside their heaps, as recon:bin_leak/1 does with all processes.
-- CAUTION: each stands still while it is collected. Which ones, is settled when the action is proposed.

local objects = require "sandbox.objects.process"

-- One item of every process, read without waking it, in slices and in compiled code; of those with most the identity.
local HOLDERS = objects.process .. [=[
  {Gci, Items} = erlang:process_info(self(), garbage_collection_info),
  Pattern = [case K of bin_vheap_size -> {K, '$1'}; bin_old_vheap_size -> {K, '$2'}; _ -> '_' end || {K, _} <- Items],
  Held = {'+', '$1', '$2'},
  Slices = fun Slices(L, K, A) when K > 5000 -> {H, T} = lists:split(5000, L), Slices(T, K - 5000, [H | A]);
               Slices(L, _, A) -> [L | A] end,
  Spec = ets:match_spec_compile([{{{Gci, Pattern}, '$3'}, [{'>', Held, 0}], [{{Held, '$3'}}]}]),
  Most = fun Most([], _, A) -> A;
             Most([H | T], N, A) ->
               V = ets:match_spec_run(lists:zip(lists:zipwith(fun erlang:process_info/2, H,
                 lists:duplicate(length(H), Gci)), H), Spec),
               Most(T, N, lists:sublist(lists:reverse(lists:sort(V ++ A)), N)) end,
]=]

local CHECK = objects.process .. [=[
  {holders, L} = Identity, Same1 = [P || {process, P, _, _, _, _, _} = I <- L, Same(I, P) =:= same],
]=]

return {
  name = "gc_holders",
  title = "collect the processes that hold most binaries",
  class = "CAUTION",
  args = { { name = "limit", type = "integer", min = 1, max = 50, default = 10, doc = "so many processes" } },
  doc = "Collects the processes that hold most in binaries. Right where binary memory grows and the holders are idle, "
    .. "so that they do not collect by themselves: then memory falls at once. It is a relief, no cure: what passes "
    .. "binaries on without need goes on doing so.",
  undo_doc = "nothing to undo: only what nobody refers to goes",
  timeout = 30,

  queries = {
    preview = HOLDERS .. [=[
  All = lists:delete(self(), erlang:processes()),
  L = [{N, P, I} || {N, P} <- Most(Slices(All, length(All), []), Limit, []), I <- [Id(P)], I =/= gone],
  case L of
    [] -> {refused, Say("no process holds binaries outside its heap")};
    _ -> #{object => atom_to_binary(node()), identity => {holders, [I || {_, _, I} <- L]},
      figures => #{processes => [Say([Name(I), ", ", What(I), ": ", Num(Kb(N)), " kB of binaries"]) || {N, _, I} <- L],
        binary_mb => erlang:memory(binary) div 1048576,
        lost => Say("nothing but what they no longer refer to; each stands still meanwhile")}} end.]=],

    check = CHECK .. [=[ case Same1 of [] -> {changed, Say("all of these processes have ended")}; _ -> same end.]=],

    -- Asked for all at once, and waited for: none keeps the others waiting.
    deed = CHECK .. [=[
  Wait = fun(R, T) -> receive {garbage_collect, R, X} -> X
    after max(0, T - erlang:monotonic_time(millisecond)) -> waits end end,
  Collect = fun() -> B = erlang:memory(binary), T = erlang:monotonic_time(millisecond) + 15000,
    Rs = [begin R = make_ref(), erlang:garbage_collect(P, [{async, R}]), R end || P <- Same1],
    N = length([R || R <- Rs, Wait(R, T) =:= true]),
    {done, {collected, N, length(L), B, erlang:memory(binary)}} end,
  case Same1 of [] -> {changed, Say("all of these processes have ended")}; _ -> Collect() end.]=],

    after = objects.process .. [=[
  case Before of
    {collected, 0, _, _, _} -> {failed, Say("none was collected within 15 s: they run native code, or are suspended")};
    {collected, N, M, B, A} -> {ok, Say([Num(N), " of ", Num(M), " processes collected; binary memory was ",
      Num(B div 1024), " kB and was ", Num(A div 1024), " kB after it"])};
    _ -> {failed, Say("a collection leaves no trace to see; it may be proposed again without harm")} end.]=],
  },

  undo = function() return "a collection cannot be undone and need not be" end,
}
