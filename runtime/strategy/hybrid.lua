--- Rules first, then a model: every skill is looked with by its checks, which takes seconds and no tokens. A model is
--- given what they proved and left open; it explains, and has operators look where no rule leads. What these say is
--- looked for by the rules that know it, also where the model was lost meanwhile. Then the leading cause is doubted
--- once, by a model that knows nothing of the conversation, and a second look decides. A node that is well costs one
--- request.

local CARRIED_ON = { done = true, answer = true }

-- Its findings hold what these would answer; and it comes back to nothing, since rules have looked twice.
local LEFT_OUT = { "get_notifications", "get_operator_statuses", "schedule", "think" }

return {
  name = "hybrid",
  prompts = { "hybrid", "doubt" },
  run = function(run)
    if run.rules_think then return run.agent { prompt = "coordinator" } end -- the same, with nobody to explain it
    run.by_rules()
    local outcome = run.agent { prompt = "hybrid", after_rules = true, without = LEFT_OUT }
    run.look_again()
    if CARRIED_ON[outcome.ended] then run.doubt() end
    return outcome
  end,
}
