--- Pre-configured operators: with this config (`--config operators.lua`, or as your config.lua) a run of the
--- coordinator uses these and no others, unless --skills names some. Those with mode = "continuous" go on for ever
--- under `watch`, or where a script calls beamlens.operators(), see examples/continuous.lua. `name` is how --skills and
--- scripts call one, and what `watch` says of it; a report names the skill.

return {
  operators = {
    "beam",
    { name = "tables", skill = "ets", mode = "on_demand" },
  },
}
