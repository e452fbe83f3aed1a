--- What is a secret to you beside what we know by ourselves: $XDG_CONFIG_HOME/beamlens/secrets.lua.
--- Only you may be able to write this file. It is data and only adds: none of our own patterns goes away.
--- What is found is replaced by a name, the same in every run, before anything leaves.

return {
  -- What stands behind a name with one of these inside is hidden: customer_pin=…, {customer_pin, "…"}.
  names = {
    -- "customer_pin",
  },
  -- The same of names that end so.
  names_at_end = {
    -- "iban",
  },
  -- Words that begin so, go on with these characters (as between the brackets of a Lua pattern) and are so
  -- long at least.
  forms = {
    -- { begins = "acme_", of = "%w", least = 20 },
  },
  -- Hidden as they stand, wherever they stand.
  texts = {
    -- "Project Falcon",
  },
}
