--- A skill of your own, by its path (--skills beam,./examples/own_skill.lua), or by its name
--- once it lies in your settings folder as skills/peers.lua.

return {
  name = "peers",
  title = "Connected nodes",
  about = "Which other nodes this one is connected to.",
  prompt = "You watch the connections of one BEAM node. Worth a notification: a peer that was there and is gone.",

  queries = {
    counts = "#{visible => length(nodes()), hidden => length(nodes(hidden))}.",
    list = "[#{node => atom_to_binary(N)} || N <- lists:sublist(lists:sort(nodes(connected)), Limit)].",
  },
  snapshot = "counts",

  callbacks = {
    peers_list = {
      doc = "The connected nodes by name, hidden ones too; we are one of those.",
      args = { { name = "limit", type = "integer", min = 1, max = 50, default = 10 } },
      class = "SAFE",
      returns = { "[]: node" },
      query = "list",
    },
  },
}
