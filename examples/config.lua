--- Settings of beamlens-run, in $XDG_CONFIG_HOME/beamlens/config.lua or given by --config.
--- Only you may be able to write this file. Command line and environment win over it.

return {
  -- node = "shop@host",
  -- cookie_file = "/home/me/.shop.cookie",
  -- skills = { "beam", "ets" },
  -- provider = "analyst",   -- or "anthropic", "openai"
  -- model = "claude-haiku-4-5-20251001",
  deadline = 300,            -- seconds
}
