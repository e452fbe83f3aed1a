--- A strategy of your own: how a coordinator works. Run it with
---   beamlens-run coordinator.lua --node shop@host --skills beam,ets,system --strategy ./own_strategy.lua
--- It runs confined, with what it is handed and nothing else:
---   run.skills, run.about[skill], run.reason, run.node, run.left()   names and texts; seconds until the deadline
---   run.invoke(skills, context?), run.wait(seconds?), run.statuses(), run.notifications()
---   run.message(skill, text, seconds?)           a question to an operator -> its next words
---   run.ask { prompt, task?, tool }              one question to the model, answered by one call -> its arguments
---   run.agent { prompt, task?, without? }        the whole loop with the coordinator's tools -> how it ended
---   run.look { callback, arguments… }            one look of your own, as the gate permits -> { observation, value }
---   run.approve(steps)                           a plan of looks, shown to the person, who says yes above SAFE
---   run.by_rules(), run.doubt()                  the checks of all skills first; the leading cause doubted at the end
---   run.conclude(insight), run.promote()         as produce_insight; what stands and names its cause
--- A prompt is a file in prompts/ (yours first). In the folder strategies/ of your settings a strategy goes by its
--- name; a copy of ours lies there, too (`beamlens-run init strategies/specialist.lua`). What it returns is how the run
--- ended; code decides the verdict.
---
--- This one looks cheaply first: one skill, and with the others only when it has something to tell. What nobody looked
--- at cannot be called healthy, so a quiet night ends as "cannot tell" unless the first skill is the only one.

return {
  name = "first_one_then_all",
  prompts = { "synthesize" }, -- a broken prompt is told before the run, and not in the middle of it
  run = function(run)
    run.invoke { run.skills[1] }
    run.wait()
    local told = run.notifications()
    if #told == 0 then return end
    run.invoke({ unpack(run.skills, 2) }, ("first seen by %s: %s"):format(run.skills[1], told[1].observation))
    run.wait()
    return run.agent { prompt = "synthesize", without = { "invoke_operators", "wait" } }
  end,
}
