--- A skill of your own, by its path (--skills beam,./examples/own_skill.lua), or by its name
--- once it lies in your settings folder as skills/peers.lua.

return {
  name = "peers",
  title = "Connected nodes",
  about = "Which other nodes this one is connected to.",
  prompt = "You watch the connections of one BEAM node. Worth a notification: a peer that was there and is gone.",

  queries = {
    counts = "#{visible => length(nodes()), hidden => length(nodes(hidden))}.",
    list = [[ L = lists:sort(nodes(hidden)),
              #{total => length(L), peers => [atom_to_binary(N) || N <- lists:sublist(L, Limit)]}. ]],
  },
  snapshot = "counts",

  callbacks = {
    peers_hidden = {
      doc = "The hidden nodes that are connected, by name: tools, and we are one of them.",
      args = { { name = "limit", type = "integer", min = 1, max = 50, default = 10 } },
      class = "SAFE",
      returns = { "total", "peers[]" },
      query = "list",
    },
  },

  -- What an expert looks for, as data. Without a model these decide; with one they are its advice.
  checks = {
    {
      id = "tools", mechanism = "tools_left_attached", expert = "more than five hidden nodes: tools that never left",
      suspect = function(snapshot) return snapshot.hidden > 5 end,
      look = { { "peers_hidden", 50 } },
      confirm = function(results)
        return {
          object = "hidden nodes", severity = "warning", hypothesis = "many tools are attached at once",
          figures = { { look = 1, path = "total", value = results[1].total } },
          unlike = { cluster = "the nodes of a cluster are visible, these are hidden" },
          next_steps = { { text = "find who runs them: their names are in peers", risk = "SAFE" } },
        }
      end,
    },
  },
}
