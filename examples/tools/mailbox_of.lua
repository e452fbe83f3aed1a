--- A tool of your own, offered to operators beside ours once it lies in your settings folder as
--- tools/mailbox_of.lua: `beamlens-run init tools/mailbox_of.lua`. The model calls it by name; `look` runs a callback
--- of the operator's skill, and what you return can be cited, by the paths that stand here.

return {
  name = "mailbox_of",
  doc = "One process, looked at for a second: its mailbox, whether it takes messages, and what it does meanwhile.",
  skills = { "beam" },
  parameters = {
    type = "object",
    properties = { process = { type = "string", description = "a pid or a registered name" } },
    required = { "process" },
  },

  run = function(look, args)
    local seen, why = look("beam_watch_process", args.process, 1000)
    if not seen then return nil, why end
    local change = seen.queue_last - seen.queue_first
    return {
      process = seen.name or seen.pid,
      waiting = seen.queue_last,
      change_per_s = change / seen.seconds,
      taken_at_least = seen.taken_at_least,
      reads_none = seen.queue_last > 0 and seen.taken_at_least == 0,
      busy_in = seen.functions[1] and seen.functions[1].current_function,
    }
  end,
}
