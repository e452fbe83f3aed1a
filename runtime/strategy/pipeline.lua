--- In three steps: classify (the model chooses skills by the reason), gather (their operators look, side by side),
--- synthesize (the model joins what they told into insights). It costs fewer requests than a conversation; but nobody
--- is asked again. A question (`beamlens-run ask`) is answered at the end: its words choose who looks where rules are
--- the mind, and only those that were chosen are part of the run.

local CHOOSE = {
  name = "choose_skills",
  doc = "Names the skills that should look.",
}

local function schema(skills)
  return {
    type = "object", additionalProperties = false, required = { "skills" },
    properties = { skills = { type = "array", minItems = 1, items = { type = "string", enum = skills } } },
  }
end

-- Whoever was asked has ended, and nobody comes back to it.
local LEFT_OUT = { "invoke_operators", "message_operator", "get_operator_statuses", "wait", "schedule" }

-- One step, told with its beginning and its end.
local function step(run, name, fn)
  local left = run.left()
  run.emit(("coordinator.pipeline_%s_start"):format(name), { system_time = os.time() * 1e9 })
  local result, told = fn()
  run.emit(("coordinator.pipeline_%s_complete"):format(name), { duration = (left - run.left()) * 1e9 }, told)
  return result
end

-- Who cannot choose lets everybody look: a domain that was left out without a reason is a gap.
local function classify(run)
  if run.question and run.rules_think then
    local skills = run.route()
    return skills, { skills = skills }
  end
  if #run.skills == 1 or run.reason == "" then return run.skills, { skills = run.skills } end
  local chosen, why = run.ask { prompt = "classify",
    tool = { name = CHOOSE.name, doc = CHOOSE.doc, parameters = schema(run.skills) } }
  local skills = chosen and chosen.skills or run.skills
  return skills, { skills = skills, reason = why }
end

return {
  name = "pipeline",
  prompts = { "classify", "synthesize" },
  run = function(run)
    local skills = step(run, "classify", function() return classify(run) end)
    if run.question then run.only(skills) end
    run.invoke(skills)
    if run.question then run.look_for_answer() end -- while the others look
    run.wait()
    return step(run, "synthesize", function()
      local outcome = { ended = "done", text = "The operators had nothing to tell." }
      if #run.notifications() > 0 then outcome = run.agent { prompt = "synthesize", without = LEFT_OUT } end
      if run.question then run.answer() end
      return outcome
    end)
  end,
}
