--- Settings of beamlens-run, in $XDG_CONFIG_HOME/beamlens/config.lua or given by --config.
--- Only you may be able to write this file. Command line and environment win over it.

return {
  -- node = "shop@host",
  -- cookie_file = "/home/me/.shop.cookie",
  -- skills = { "beam", "ets" },
  -- operators = { "beam", { name = "tables", skill = "ets" } },   -- what a run uses where --skills names none
  -- watchers = { "beam", { name = "redis", skill = "skills/redis.lua" } },   -- what `watch` keeps on, for ever
  -- hosts = { "127.0.0.1:6379 REDIS_PASSWORD" },   -- where skills may go by tcp or http, and with which secret
  -- provider = "analyst",   -- or "anthropic", "openai", "ollama", … or a client of the registry
  -- model = "claude-haiku-4-5-20251001",
  -- client_registry = { primary = "Main", cheap = "Local", clients = {   -- cheap: doubts what was found
  --   { name = "Main", provider = "fallback", options = { strategy = { "Claude", "Local" } } },   -- or "round-robin"
  --   { name = "Claude", provider = "anthropic", options = { api_key_file = "/home/me/.claude-key" },
  --     retry_policy = { max_retries = 3, first_ms = 200, busy_ms = 2000, factor = 1.5, longest_ms = 10000 } },
  --   { name = "Local", provider = "ollama", options = { model = "llama3" } } } },
  -- prices = { ["my-model"] = { input = 0.5, output = 1.5 } },      -- USD for a million tokens, over our list
  -- limits = { iterations = 25, calls = 100, tokens = 500000, usd = 0.5 },   -- within them, and one answer more
  deadline = 300,            -- seconds
  -- store = "/srv/beamlens/beamlens.db",   -- runs, findings, what `watch` learned; else below ~/.local/state
  -- retention = { runs_days = 90, events_days = 7 },
  -- anomaly = { collection_interval_ms = 30000, learning_duration_ms = 300000, z_threshold = 3.0,
  --             consecutive_required = 3, cooldown_ms = 900000, auto_trigger = true, max_triggers_per_hour = 3 },
  -- listen = "127.0.0.1:9464", token_file = "/etc/beamlens/token",   -- of `watch`: /healthz, /metrics, POST /run
  -- sinks = {   -- where events go; `beamlens-run help events` has their names
  --   { type = "jsonl", file = "/var/log/beamlens/events.jsonl", events = { "*" } },
  --   { type = "prometheus", file = "/var/lib/prometheus/node-exporter/beamlens.prom", seconds = 15 },
  --   { type = "webhook", url = "https://hooks.example.com/beamlens", secret_file = "/etc/beamlens/webhook.secret",
  --     events = { "coordinator.insight_produced", "node.down" } },   -- signed: see runtime/sinks/webhook.lua
  --   { type = "syslog", address = "/dev/log" },   -- or udp://127.0.0.1:514, tcp://loghost:601
  -- },
  -- chunk = { wall_ms = 2000, callback_ms = 30000, total_ms = 60000, mem_bytes = 64 * 2 ^ 20, max_calls = 64,
  --           args_max = 16384, reply_max = 131072, result_max = 65536, print_max = 16384, code_max = 65536 },
  -- autonomy = { callbacks = { "beam_binary_leak" },   -- CAUTION ones that `watch` may call
  --              runbooks = { "free_binaries" }, per_hour = 3, quiet_hours = "08:00-10:00",
  --              dry_run = true },   -- until the reports show what you would have done yourself
}
