--- A table that you know to be a cache grows and nobody deletes: take its oldest rows out. Only its owner can know
--- which table that is and which element of a row says how old it is, so fill in the three lines below first.
--- `beamlens-run init runbooks/ets_growth.lua` copies it into your settings; it does nothing before config.lua names
--- it:
---
---   autonomy = { runbooks = { "ets_growth" }, per_hour = 3, quiet_hours = "08:00-10:00", dry_run = true }
---
--- The rows are kept, and `beamlens-run actions undo ID` proposes to put them back: so at most 10,000, and 1 MB, go at
--- once, and a table of larger rows wants a smaller LIMIT. The cure is an expiry where the rows are written.

local TABLE = "sessions"   -- this table and no other
local WRITTEN_AT = 2       -- the element of a row that is the time it was written, in seconds since 1970
local KEEP_S = 3600        -- what is younger stays
local LIMIT = 1000         -- rows

return {
  name = "ets_growth",
  title = "delete the oldest rows of a cache that only grows",
  when = { mechanism = "ets_growth", severity = "warning", object = TABLE },
  allows = { "trim_table" },
  limits = { per_run = 1, per_hour = 2 },

  -- By the node's own clock, as the rows are.
  steps = function(finding, look)
    local now, why = look "get_current_time"
    if not now then return nil, why end
    return { {
      action = "trim_table",
      arguments = { table = TABLE, limit = LIMIT, field = WRITTEN_AT, below = math.floor(now.unix_ms / 1000) - KEEP_S },
      why = ("rows older than %d minutes; %s"):format(KEEP_S / 60, finding.hypothesis),
    } }
  end,
}
