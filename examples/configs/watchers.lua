--- Watchers: operators that `beamlens-run watch --node shop@host` keeps on for ever, each by itself. One that ends is
--- started again, ever more rarely; what it tells of warning or worse is looked into. A model that watches costs money
--- every minute: with `watch --escalate` the analyst watches, and a model is called only on an anomaly.

return {
  watchers = {
    "beam",
    "redis",   -- an example of ours: `beamlens-run init skills/redis.lua` makes it yours, once
  },
  -- A skill that uses tcp or http reaches these and nothing else.
  hosts = { "127.0.0.1:6379" },
}
