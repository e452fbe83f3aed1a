--- The usual way: one conversation with all of the coordinator's tools. The model decides whom it starts, whom it asks
--- again, and when it knows enough.

return {
  name = "agent_loop",
  prompts = { "coordinator" },
  run = function(run) return run.agent { prompt = "coordinator" } end,
}
