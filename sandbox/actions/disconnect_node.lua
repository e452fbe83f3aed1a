-- Cuts the connection to one other node. DANGEROUS: links and monitors across it end, and what is registered globally
-- there is gone here; both sides take the other for dead, and may act on it.

local objects = require "sandbox.objects.process"

-- A connection has a controller of its own, a port or a process, so a second connection is told from the first.
-- Ours is the node where what we print goes.
local OPEN = objects.words .. [=[
  Other = Atom(Node),
  Ctrl = fun() -> Get(Other, erlang:system_info(dist_ctrl)) end,
  Us = node(group_leader()),
  Open = fun() -> case lists:member(Other, nodes(connected)) of
      false -> {refused, Say("the node is not connected to any node of this name")};
      true when Other =:= Us -> {refused, Say("this is not done: it is our own connection")};
      true -> {node, Other, Ctrl()} end end,
  Check = fun() -> case Open() of
      {refused, W} -> {changed, W};
      I when I =:= Identity -> same;
      _ -> {changed, Say("it was connected anew since")} end end,
]=]

return {
  name = "disconnect_node",
  title = "disconnect a node",
  class = "DANGEROUS",
  args = { { name = "node", type = "string", doc = "the other node's name, as in shop@10.0.0.5" } },
  doc = "Cuts the connection to one other node. Right where one node harms this one across it: floods it, or holds up "
    .. "what waits for it. They connect again as soon as either sends to the other. From OTP 25 on global may cut "
    .. "a visible node off from its other peers too, lest the cluster be split.",
  undo_doc = "connect_node connects them again; links and monitors that ended stay so",

  queries = {
    preview = OPEN .. [=[
  Hidden = lists:member(Other, nodes(hidden)),
  case Open() of
    {refused, _} = W -> W;
    {node, _, _} = I -> #{object => Node, identity => I, figures => #{
      type => list_to_binary(case Hidden of true -> "hidden"; false -> "visible" end),
      connected_nodes => length(nodes(connected)),
      lost => Say("links and monitors to its processes, messages on their way, and what global and pg have from it")}}
  end.]=],

    check = OPEN .. [=[ Check().]=],

    deed = OPEN .. [=[
  Hidden = lists:member(Other, nodes(hidden)),
  Cut = fun() -> case erlang:disconnect_node(Other) of
      true -> {done, {disconnected, list_to_binary(case Hidden of true -> "hidden"; false -> "visible" end)}};
      _ -> {refused, Say("the node is not connected to any node of this name")} end end,
  case Check() of same -> Cut(); No -> No end.]=],

    after = OPEN .. [=[
  case {lists:member(Other, nodes(connected)), Ctrl(), Identity} of
    {false, _, _} -> {ok, Say("it is not connected any more")};
    {true, C, {_, _, C}} -> {not_yet, Say("it is connected still")};
    _ -> {failed, Say("it is connected again: one of the two sent something to the other")} end.]=],
  },

  undo = function(args) return { name = "connect_node", args = { node = args.node }, given = true } end,
}
