-- Sets the primary level of the node's logger, or that of one module. CAUTION: it ends nothing and is undone to the
-- letter, but what is not logged meanwhile is not there later, and a low level on a busy node costs.

local objects = require "sandbox.objects.process"

local LEVEL = objects.words .. [=[
  Loaded = fun(X) -> is_atom(X) andalso X =/= undefined andalso erlang:module_loaded(X) end,
  Module1 = case binary_to_list(Module) of
    [] -> primary;
    L -> hd([X || X <- [Atom(Module), Atom(list_to_binary("Elixir." ++ L))], Loaded(X)] ++ [none]) end,
  Now = fun(primary) -> maps:get(level, logger:get_primary_config());
           (X) -> case logger:get_module_level(X) of [{X, Y}] -> Y; _ -> unset end end,
  Wanted = binary_to_existing_atom(Level),
  Open = fun() -> if
      Module1 =:= none -> {refused, Say("no such module is loaded; without a module the primary level is set")};
      Module1 =:= primary, Wanted =:= unset -> {refused, Say("the primary level cannot be unset; name one")};
      true -> {log_level, Module1, Now(Module1)} end end,
  Check = fun() -> case Open() of
      {refused, _} = W -> W;
      I when I =:= Identity -> same;
      {_, _, X} -> {changed, Say("somebody has set it since; it is " ++ atom_to_list(X) ++ " now")} end end,
]=]

return {
  name = "set_log_level",
  title = "set the log level",
  class = "CAUTION",
  args = {
    { name = "level", type = "choice", of = { "emergency", "alert", "critical", "error", "warning", "notice", "info",
      "debug", "all", "none", "unset" }, doc = "unset: a module follows the primary level again" },
    { name = "module", type = "string", default = "", doc = "one module's level; left out, the primary one" },
  },
  doc = "Sets what the node logs: the primary level, or one module's. Right where a storm of messages costs more than "
    .. "it tells, or for a look at what one module logs below the level. It lasts until the node's next start.",
  undo_doc = "set_log_level with the level from before",

  queries = {
    preview = LEVEL .. [=[
  Effect = fun(X, X) -> same;
              (_, unset) -> "it follows the primary level again";
              (unset, X) -> "messages of this module below " ++ atom_to_list(X) ++ ", and it logs all others";
              (X, Y) -> case logger:compare_levels(X, Y) of
                lt -> "messages below " ++ atom_to_list(Y) ++ " are not logged from then on";
                _ -> "nothing; it logs more, which costs a busy node much" end end,
  Title = case Module1 of primary -> "primary"; _ -> Text(Module1) end,
  case Open() of
    {refused, _} = W -> W;
    {log_level, _, Was} = I -> case Effect(Was, Wanted) of
      same -> {refused, Say("that is the level already")};
      E -> #{object => Say(Title), identity => I, figures => #{now => list_to_binary(atom_to_list(Was)),
        wanted => list_to_binary(atom_to_list(Wanted)), lost => Say(E)}} end end.]=],

    check = LEVEL .. [=[ Check().]=],

    deed = LEVEL .. [=[
  Set = fun(primary, X) -> logger:set_primary_config(level, X);
           (M1, unset) -> logger:unset_module_level(M1);
           (M1, X) -> logger:set_module_level(M1, X) end,
  case Check() of
    same -> case Set(Module1, Wanted) of ok -> {done, {was, element(3, Identity)}};
      _ -> {refused, Say("the logger refused it")} end;
    No -> No end.]=],

    after = LEVEL .. [=[
  case Now(element(2, Identity)) of
    Wanted -> {ok, Say("it is " ++ atom_to_list(Wanted) ++ " now")};
    X -> {failed, Say("it is " ++ atom_to_list(X))} end.]=],
  },

  undo = function(args, before)
    return { name = "set_log_level", args = { level = tostring(before[2]), module = args.module or "" } }
  end,
}
