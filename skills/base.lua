--- What every skill is given: the clock of the node, and who it is.

---@type Skill
return {
  name = "base",
  title = "Basics",
  about = "The node's clock and identity; part of every other skill.",
  prompt = "You look at the clock and the identity of one BEAM node.",

  queries = {
    -- The conversion is a BIF: the calendar module might not be loaded there. Nor might erl_bits, which
    -- erl_eval takes for any <<...>>, so no text of ours has one.
    time = [[
  T = erlang:system_time(millisecond),
  {{Y, M, D}, {H, N, S}} = erlang:posixtime_to_universaltime(T div 1000),
  Pad = fun(X, W) -> L = integer_to_list(X), [lists:duplicate(W - length(L), $0), L] end,
  #{unix_ms => T,
    timestamp => iolist_to_binary([Pad(Y, 4), "-", Pad(M, 2), "-", Pad(D, 2), "T",
                                   Pad(H, 2), ":", Pad(N, 2), ":", Pad(S, 2), ".", Pad(T rem 1000, 3), "Z"])}.]],

    node = [[
  {F, N} = erlang:system_info(os_type),
  #{node => atom_to_binary(node()), uptime_seconds => element(1, erlang:statistics(wall_clock)) div 1000,
    os_type => atom_to_binary(F), os_name => atom_to_binary(N),
    otp_release => list_to_binary(erlang:system_info(otp_release))}.]],
  },

  snapshot = "node",

  callbacks = {
    get_current_time = {
      brief = "",
      doc = "The time by the node's own clock.",
      class = "SAFE",
      cost = "nothing but the call",
      returns = { "timestamp (ISO 8601, UTC)", "unix_ms" },
      query = "time",
    },

    get_node_info = {
      brief = "",
      doc = "Which node this is, and since when it runs.",
      class = "SAFE",
      cost = "nothing but the call",
      returns = { "node", "uptime_seconds", "os_type (unix or win32)", "os_name", "otp_release" },
      query = "node",
    },
  },
}
