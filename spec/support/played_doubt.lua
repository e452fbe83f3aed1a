--- A model for specs of the whole program (provider `script`) under the hybrid strategy: it adds nothing to what rules
--- found, and holds unhandled_messages against it.

return function(request, turn, who)
  if who.agent == "refuter" and turn == 1 then
    return { calls = { { name = "refute", args = { mechanism = "unhandled_messages",
      callback = "beam_top_processes", arguments = { 3 }, path = "processes[1].message_queue", why = "it may be stuck",
    } } } }
  end
  if not request.tools then return { text = "all is said" } end
  return { calls = { { name = "done" } } }
end
