--- The memory alert went off, and it is binaries that idle processes hold: collect those that hold most, all at once,
--- and have processes that start from now on give back sooner. Nothing is lost by either; the flag can be undone.
--- `beamlens-run init runbooks/memory_alert.lua` copies it into your settings; it does nothing before config.lua
--- names it:
---
---   autonomy = { runbooks = { "memory_alert" }, per_hour = 3, quiet_hours = "08:00-10:00", dry_run = true }
---
--- What calls it is a run that finds the trouble: `beamlens-run watch --listen 127.0.0.1:9464` takes alerts by POST
--- /run. Of memory that grows for another reason it does nothing: a table, a heap or a queue is not collected away.

local PROCESSES = 20       -- are collected; each stands still meanwhile
local FULLSWEEP_AFTER = 20 -- minor collections, and then one of everything; the machine's own value is 65535

return {
  name = "memory_alert",
  title = "give back binary memory that idle processes hold",
  when = { mechanism = "binary_refs_held", severity = "warning" },
  allows = { "gc_holders", "set_system_flag" },
  limits = { per_run = 2 },

  steps = function(finding, look)
    local memory, why = look "beam_get_memory"
    if not memory then return nil, why end
    local held = ("%.0f of %.0f MB are binaries; %s"):format(memory.binary_mb, memory.total_mb, finding.hypothesis)
    return {
      { action = "gc_holders", arguments = { limit = PROCESSES }, why = held },
      { action = "set_system_flag", arguments = { flag = "fullsweep_after", value = FULLSWEEP_AFTER },
        why = "so that processes started from now on keep less; " .. held },
    }
  end,
}
