--- By what a secret is known, as data. `secrets.lua` in the config folder may hold the same fields
--- and adds to these; nothing there takes one of ours away.

return {
  -- A name with one of these inside, or with one of those at its end, stands before a secret; small letters,
  -- with _ for - and the like.
  names = { "password", "passwd", "passphrase", "secret", "api_key", "apikey", "access_key", "accesskey",
    "private_key", "privatekey", "signing_key", "signingkey", "encryption_key", "encryptionkey", "credential",
    "authorization" },
  names_at_end = { "token", "cookie", "cookies", "pwd", "auth", "bearer", "session_id", "sessionid", "session_key",
    "sessionkey", "jwt" },

  -- Words that begin so, go on with these characters (what stands between the brackets of a pattern) and
  -- are so long at least.
  forms = {
    { begins = "eyJ", of = "%w_%-%.", least = 20 },
    { begins = "sk-", of = "%w_%-", least = 16 },
    { begins = "rk-", of = "%w_%-", least = 16 },
    { begins = "pk-", of = "%w_%-", least = 16 },
    { begins = "sk_", of = "%w_%-", least = 16 },
    { begins = "rk_", of = "%w_%-", least = 16 },
    { begins = "pk_", of = "%w_%-", least = 16 },
    { begins = "AKIA", of = "%u%d", least = 20 },
    { begins = "ASIA", of = "%u%d", least = 20 },
    { begins = "ghp_", of = "%w", least = 20 },
    { begins = "gho_", of = "%w", least = 20 },
    { begins = "ghu_", of = "%w", least = 20 },
    { begins = "ghs_", of = "%w", least = 20 },
    { begins = "ghr_", of = "%w", least = 20 },
    { begins = "github_pat_", of = "%w_", least = 20 },
    { begins = "glpat-", of = "%w_%-", least = 16 },
    { begins = "xox", of = "%w%-", least = 14 },
    { begins = "xapp-", of = "%w%-", least = 14 },
    { begins = "AIza", of = "%w_%-", least = 30 },
    { begins = "ya29.", of = "%w_%-", least = 20 },
    { begins = "npm_", of = "%w", least = 30 },
    { begins = "hf_", of = "%w", least = 20 },
    { begins = "SG.", of = "%w_%-%.", least = 30 },
  },

  -- What is always hidden, as it stands.
  texts = {},
}
