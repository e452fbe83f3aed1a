--- Idle processes hold on to large binaries that they passed on long ago: collect the garbage of those
--- that hold most, and see whether that was all. `beamlens-run init runbooks/free_binaries.lua` copies it
--- into your settings; it does nothing before config.lua names it:
---
---   autonomy = { runbooks = { "free_binaries" }, per_hour = 3, quiet_hours = "08:00-10:00", dry_run = true }
---
--- Leave dry_run until the reports show what you would have done yourself.

local HOLDS_KB = 256 -- below that it is not worth a collection

return {
  name = "free_binaries",
  title = "collect the idle processes that hold most of the binary memory",
  when = { mechanism = "binary_refs_held", severity = "warning" },
  allows = { "gc_process" },
  limits = { per_run = 3 },

  -- Who works collects by itself, so only those that wait are worth it.
  steps = function(finding, look)
    local top, why = look("beam_binary_top_memory", 20)
    if not top then return nil, why end
    local steps = {}
    for _, process in ipairs(top.processes) do
      if process.status == "waiting" and process.binary_memory_kb >= HOLDS_KB then
        steps[#steps + 1] = {
          action = "gc_process", arguments = { process = process.pid },
          why = ("it waits in %s and refers to %d kB of binaries; %s"):format(process.current_function,
            process.binary_memory_kb, finding.hypothesis),
        }
      end
    end
    return steps
  end,
}
