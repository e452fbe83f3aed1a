--- The classes of what may be asked of a node, by effect, and what lets each run. Data: the
--- judging is runtime/gate.lua's. Not overridden by any user folder: what an owner may add, and that
--- it is only stricter, stands in runtime/policy.lua.

return {
  SAFE = {
    effect = "reads",
    runs = "always",
  },
  CAUTION = {
    effect = "has a side effect on the running system",
    runs = "allowed",
    word = "caution", -- what `--allow` takes for the whole class
  },
  DANGEROUS = {
    effect = "changes or ends something on the node",
    runs = "confirmed",
  },
  never = {
    effect = "is forbidden by the owner's policy",
    runs = "never",
  },
}
