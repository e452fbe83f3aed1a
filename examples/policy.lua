--- Your own word on what may be done to a node, over our classes: $XDG_CONFIG_HOME/beamlens/policy.lua.
--- Only you may be able to write this file. It is data; it makes things stricter, at once. Laxer is only
--- what the program knows nothing of and therefore calls dangerous: that takes a reason, holds from the next
--- start on, and is written to the audit.

return {
  callbacks = {
    -- tracer_start = "DANGEROUS",   -- one of CAUTION, DANGEROUS, never
  },
  actions = {
    -- kill_process = "never",
  },
  functions = {
    -- ["ets:tab2list/1"] = "CAUTION",
    -- ["my_app:stats/0"] = { class = "SAFE", why = "reads three counters" },
  },
  texts = {
    -- The SHA-256 of a query of your own skill, as the refusal prints it.
    -- ["…64 hex digits…"] = { class = "SAFE", why = "reviewed: it walks the pool's own table" },
  },
}
