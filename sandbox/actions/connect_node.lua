-- Connects a node again that disconnect_node cut off, visibly or hidden as it was: only as its undo. DANGEROUS: it lets
-- another node in, with all the rights that a connected node has.

local objects = require "sandbox.objects.process"

local OPEN = objects.words .. [=[
  Other = Atom(Node),
  Open = fun() -> case {Given, lists:member(Other, nodes(connected))} of
      {{disconnected, _}, false} when Other =/= undefined -> {apart, Other};
      {{disconnected, _}, true} -> {refused, Say("it is connected already")};
      _ -> {refused, Say("only a node that an action disconnected is connected again")} end end,
  Check = fun() -> case Open() of
      I when I =:= Identity -> same;
      {refused, W} -> {changed, W};
      _ -> {changed, Say("it is another node now")} end end,
]=]

return {
  name = "connect_node",
  title = "connect a node again",
  class = "DANGEROUS",
  undo_only = true,
  args = { { name = "node", type = "string", doc = "the other node's name" } },
  doc = "Connects a node again that disconnect_node cut off.",
  undo_doc = "disconnect_node cuts it off again",
  timeout = 20,

  queries = {
    preview = OPEN .. [=[
  case Open() of
    {refused, _} = W -> W;
    I -> #{object => Node, identity => I, figures => #{connected_nodes => length(nodes(connected)),
      lost => Say("nothing; links and monitors that ended do not come back")}} end.]=],

    check = OPEN .. [=[ Check().]=],

    deed = OPEN .. [=[
  Join = fun() -> {_, How} = Given, X = case binary_to_list(How) of
      "hidden" -> net_kernel:hidden_connect_node(Other); _ -> net_kernel:connect_node(Other) end,
    {done, {connected, X =:= true}} end,
  case Check() of same -> Join(); No -> No end.]=],

    after = OPEN .. [=[
  case {lists:member(Other, nodes(connected)), Before} of
    {true, _} -> {ok, Say("it is connected")};
    {false, {connected, false}} -> {failed, Say("it could not be reached")};
    _ -> {not_yet, Say("it is not connected yet")} end.]=],
  },

  undo = function(args) return { name = "disconnect_node", args = { node = args.node } } end,
}
