--- A mailbox grows because its process was suspended through sys (a console, an upgrade that did not finish) and was
--- forgotten: let it go on. Nothing is lost by it; the process works off its queue. `beamlens-run init
--- runbooks/mailbox_growth.lua` copies it into your settings; it does nothing before config.lua names it:
---
---   autonomy = { runbooks = { "mailbox_growth" }, per_hour = 3, quiet_hours = "08:00-10:00", dry_run = true }
---
--- A mailbox that grows for another reason (slow_consumer, unhandled_messages) needs its code mended.

local WAITING = 1000 -- messages; below that somebody may be at work on it right now

return {
  name = "mailbox_growth",
  title = "resume a process that was suspended and forgotten, while its mailbox grows",
  when = { mechanism = "sys_suspended", severity = "warning" },
  allows = { "resume_process" },
  limits = { per_run = 1, per_hour = 1 },

  -- The finding names the process as people call it; the action wants the very process, and how long its queue is now.
  steps = function(finding, look)
    local top, why = look("beam_top_processes", 20, "message_queue")
    if not top then return nil, why end
    for _, process in ipairs(top.processes) do
      local meant = process.name == finding.object or process.pid == finding.object
      if meant and process.message_queue >= WAITING then
        return { {
          action = "resume_process", arguments = { process = process.pid },
          why = ("%d messages wait for it; %s"):format(process.message_queue, finding.hypothesis),
        } }
      end
    end
    return {}
  end,
}
