--- A model for specs of the whole program (provider `script`): the ets operator proposes an action, and nothing else
--- is said. See runtime/llm/script.lua.

local TURNS = {
  operator = {
    { name = "take_snapshot" },
    { name = "propose_action", args = { action = "gc_process", arguments = { process = "orders_inbox" },
      reason = "its heap is larger than what is in it" } },
  },
  coordinator = {
    { name = "invoke_operators", args = { skills = { "ets" } } },
    { name = "wait", args = { ms = 60000 } },
  },
}

return function(_, turn, who) return { calls = { TURNS[who.agent][turn] or { name = "done" } } } end
