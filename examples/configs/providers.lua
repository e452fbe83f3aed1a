--- Who thinks, by name. `primary` does unless --provider names another:
---   beamlens-run coordinator.lua --node shop@host --config providers.lua --provider Ollama
--- Keys stand in no config: ANTHROPIC_API_KEY, or api_key_file = "/home/me/.claude-key" of mode 0600.

return {
  client_registry = {
    primary = "Main",
    clients = {
      -- Claude; while it cannot be reached, the model on your own machine.
      { name = "Main", provider = "fallback", options = { strategy = { "Claude", "Ollama" } } },
      { name = "Claude", provider = "anthropic", options = { model = "claude-haiku-4-5-20251001" },
        retry_policy = { max_retries = 2 } },
      -- Ollama, and whatever else speaks OpenAI's wire.
      { name = "Ollama", provider = "openai-generic",
        options = { base_url = "http://localhost:11434/v1", model = "llama3" } },
      -- Each agent of a run the next one, in turn: the load is shared.
      { name = "Both", provider = "round-robin", options = { strategy = { "Ollama", "Second" } } },
      { name = "Second", provider = "openai-generic",
        options = { base_url = "http://localhost:8000/v1", model = "qwen3" } },
    },
  },
}
