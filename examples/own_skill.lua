--- A skill of your own: copy it to skills/timers.lua in your settings folder, or name its path:
--- beamlens-run coordinator.lua --node shop@host --skills beam,./examples/own_skill.lua

return {
  name = "timers",
  title = "Timers",
  about = "Running timers of a node: how many, and whether they pile up.",
  prompt = "You watch the timers of one BEAM node. A count that rises at every look is worth a notification.",

  queries = {
    count = [[ #{timer_count => proplists:get_value(total, [{total, 0}]),
                 process_count => erlang:system_info(process_count)}. ]],
    atoms = [[ #{above => erlang:system_info(atom_count) > Threshold}. ]],
  },
  snapshot = "count",

  callbacks = {
    timers_atoms_above = {
      doc = "Whether the node has more atoms than threshold.",
      args = { { name = "threshold", type = "integer", min = 1, max = 1000000, default = 10000 } },
      class = "SAFE",
      returns = { "above" },
      query = "atoms",
    },
  },
}
