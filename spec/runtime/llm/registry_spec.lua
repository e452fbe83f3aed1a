local llm = require "runtime.llm"
local uv = require "luv"
local clients = require "spec.support.wire_clients"

local KEY = clients.key

local function claude(more)
  local c = { name = "Claude", provider = "anthropic", options = { model = "claude-haiku-4-5" } }
  for key, value in pairs(more or {}) do c[key] = value end
  return c
end

local function of_local()
  return { name = "Local", provider = "openai-generic", options = { base_url = "http://localhost:11434/v1",
    model = "llama3" } }
end

local function joined(kind, strategy)
  return { name = "Main", provider = kind or "fallback", options = { strategy = strategy } }
end

local ENV = { ANTHROPIC_API_KEY = KEY }

local function choose(registry, more, env)
  local options = { client_registry = registry }
  for key, value in pairs(more or {}) do options[key] = value end
  return llm.choose(options, function(name) return (env or ENV)[name] end)
end

describe("a registry of clients", function()
  describe("is refused as a whole, with a sentence, for", function()
    local CASES = {
      { "a field nobody knows", { primry = "Claude", clients = { claude() } },
        "client_registry: there is no field primry; did you mean primary?" },
      { "no clients", { primary = "Claude" },
        'client_registry: has no clients; for example clients = { { name = "Claude", provider = "anthropic" } }' },
      { "a client without a name", { clients = { { provider = "anthropic" } } },
        "client_registry: client 1: has no name; give it one" },
      { "two of one name", { clients = { claude(), claude() } },
        "client_registry: Claude: two clients have this name; rename one of them" },
      { "a provider nobody knows", { clients = { claude { provider = "antropic" } } },
        "client_registry: Claude: there is no provider antropic; did you mean anthropic?" },
      { "an option nobody knows", { clients = { claude { options = { modl = "x" } } } },
        "client_registry: Claude: there is no option modl; did you mean model?" },
      { "an option of another kind", { clients = { claude { options = { model = 5 } } } },
        "client_registry: Claude: options.model must be a text; mend it, or take it out" },
      { "a key that stands there", { clients = { claude { options = { api_key = KEY } } } },
        "client_registry: Claude: api_key stands in the config, where it does not belong; put it into an environment "
          .. 'variable (api_key_env = "NAME") or a file of mode 0600 (api_key_file = "/path")' },
      { "a field of a client nobody knows", { clients = { claude { retry = {} } } },
        "client_registry: Claude: there is no field retry; did you mean retry_policy?" },
      { "a key in the place of its variable", { clients = { claude { options = { api_key_env = KEY } } } },
        "client_registry: Claude: options.api_key_env is no name of a variable, and is not shown, for it may be the "
          .. 'key; for example api_key_env = "MY_KEY"' },
      { "a key in the place of a provider", { clients = { claude { provider = KEY } } },
        "client_registry: Claude: there is no provider <key>; there are anthropic, aws-bedrock, azure-openai, "
          .. "fallback, google-ai, ollama, openai, openai-generic, openrouter, round-robin, vertex-ai" },
      { "a region that is a host", { clients = { { name = "B", provider = "aws-bedrock",
        options = { model = "m", region = "evil.example/x?" } } } },
        "client_registry: B: options.region may hold letters, digits and - only; check it" },
      { "a location that is one", { clients = { { name = "V", provider = "vertex-ai",
        options = { model = "m", location = "evil.example/x?" } } } },
        "client_registry: V: options.location may hold letters, digits and - only; check it" },
      { "a resource that is one", { clients = { { name = "A", provider = "azure-openai",
        options = { model = "m", resource_name = "evil.example/x?" } } } },
        "client_registry: A: options.resource_name may hold letters, digits and - only; check it" },
      { "a deployment that is a path", { clients = { { name = "A", provider = "azure-openai",
        options = { model = "m", deployment_id = "../x" } } } },
        "client_registry: A: options.deployment_id may hold letters, digits and . _ : - only; check it" },
      { "a project that is one", { clients = { { name = "V", provider = "vertex-ai",
        options = { model = "m", project_id = "ours/x" } } } },
        "client_registry: V: options.project_id may hold letters, digits and . _ : - only; check it" },
      { "a retry policy nobody can keep", { clients = { claude { retry_policy = { max_retries = "3" } } } },
        "client_registry: Claude: retry_policy.max_retries must be a number from 0 to 1000000; mend it" },
      { "a strategy with a client that is not there", { clients = { claude(), joined("fallback", { "Claude", "Locl" }),
        of_local() } }, "client_registry: Main: there is no client Locl; did you mean Local?" },
      { "a strategy of nobody", { clients = { joined("fallback", {}) } },
        'client_registry: Main: options.strategy must name clients; for example { "Claude", "Local" }' },
      { "a client that leads back to itself", { clients = { joined("fallback", { "Other" }),
        { name = "Other", provider = "round-robin", options = { strategy = { "Main" } } } } },
        "client_registry: Main: it leads back to itself; take it out of the strategy behind it" },
      { "a cheap one that is not there", { primary = "Claude", cheap = "Locl", clients = { claude(), of_local() } },
        "client_registry: there is no client Locl; did you mean Local?" },
      { "a primary that is not there", { primary = "Cloud", clients = { claude() } },
        "client_registry: there is no client Cloud; did you mean Claude?" },
    }

    for _, case in ipairs(CASES) do
      it(case[1], function()
        local mind, err = choose(case[2])
        assert.same({ nil, case[3], "config", 2 }, { mind, tostring(err), err.stage, err.exit })
      end)
    end
  end)

  it("is asked by its primary, and each of its clients by name", function()
    local registry = { primary = "Main", clients = { joined(nil, { "Claude", "Local" }), claude(), of_local() } }
    local mind = assert(choose(registry))
    assert.same({ "Main", "claude-haiku-4-5, llama3", "api.anthropic.com, localhost:11434" },
      { mind.name, mind.model, mind.destination })
    mind = assert(choose(registry, { provider = "Local" }))
    assert.same({ "Local", "llama3", "localhost:11434" }, { mind.name, mind.model, mind.destination })
    mind = assert(choose(registry, { provider = "Claude", model = "claude-next" }))
    assert.equal("claude-next", mind.model)
    assert.equal("anthropic", assert(choose(registry, { provider = "anthropic" })).name)
  end)

  describe("with a cheap one", function()
    local registry = { primary = "Claude", cheap = "Local", clients = { claude(), of_local() } }

    it("is asked by both, and says where both are", function()
      local mind = assert(choose(registry))
      assert.same({ "claude-haiku-4-5, llama3", "api.anthropic.com, localhost:11434" },
        { mind.model, mind.destination })
      assert.same({ "Local", "llama3" }, { mind.cheap().name, mind.cheap().model })
    end)

    it("asks it no more where somebody names another client, or a model", function()
      for _, more in ipairs { { provider = "Local" }, { model = "claude-next" } } do
        assert.is_nil(assert(choose(registry, more)).cheap)
      end
    end)

    it("keeps no limit in money where its price is not known", function()
      local other = claude { name = "Other", options = { model = "nobodys" } }
      local _, err = choose({ primary = "Claude", cheap = "Other", clients = { claude(), other } },
        { limits = { usd = 1 } })
      assert.matches("the price of nobodys is not known", err.message)
    end)
  end)

  it("is a choice like any other for a name that is none", function()
    local _, err = choose({ clients = { claude() } }, { provider = "Cluade" })
    assert.equal("there is no provider Cluade; did you mean Claude?", tostring(err))
  end)

  it("takes no model for several clients", function()
    local _, err = choose({ primary = "Main", clients = { joined(nil, { "Claude" }), claude() } }, { model = "x" })
    assert.equal("--model, but Main is several clients; name one of them with --provider, or take --model away",
      tostring(err))
  end)

  it("says which of its clients lacks what", function()
    local CASES = {
      { claude(), "there is no key for Claude; set ANTHROPIC_API_KEY or ANTHROPIC_API_KEY_FILE, or use "
        .. "--provider analyst" },
      { claude { options = { api_key_env = "MINE" } }, "there is no key for Claude; set MINE or MINE_FILE, or use "
        .. "--provider analyst" },
      { claude { options = { api_key_file = "/none" } }, "api_key_file of Claude names no file: /none; put the key "
        .. "into it, with mode 0600" },
      { claude { options = { api_key_file = "Very-Secret-0123456789" } }, "api_key_file of Claude names no file, and "
        .. "is not shown, for it may be the key; put the key into a file of mode 0600 and give the path of that" },
      { claude { options = { api_key_file = "/etc/" .. KEY } }, "api_key_file of Claude names no file: /etc/<key>; put "
        .. "the key into it, with mode 0600" },
      { claude { options = { api_key_env = "very_secret_0123456789" } }, "there is no key for Claude; set the variable "
        .. "that api_key_env names, or use --provider analyst" },
      { claude { options = { model = KEY } }, "the model of Claude looks like a key, and is neither shown nor sent; "
        .. "name a model there; the key belongs into its variable, or a file of mode 0600", ENV },
      { claude { options = { model = "x-zz.Plain.Word.0123" } }, "the model of Claude looks like a key, and is neither "
        .. "shown nor sent; name a model there; the key belongs into its variable, or a file of mode 0600",
        { ANTHROPIC_API_KEY = "zz.Plain.Word.0123" } },
      { { name = "B", provider = "aws-bedrock", options = { model = "m" } }, "region of B may hold letters, digits and "
        .. "- only; check it in its options, or AWS_REGION, AWS_DEFAULT_REGION", { AWS_REGION = "evil.example/x?" } },
      { { name = "V", provider = "vertex-ai", options = { model = "m", project_id = "p" } }, "location of V may hold "
        .. "letters, digits and - only; check it in its options, or GOOGLE_CLOUD_LOCATION",
        { GOOGLE_CLOUD_LOCATION = "evil.example/x?" } },
      { claude { options = { base_url = "http://proxy.example" }, name = "Proxy" },
        "base_url of Proxy would send the key unencrypted to proxy.example; use https://",
        { ANTHROPIC_API_KEY = KEY } },
      { { name = "G", provider = "openai-generic", options = { model = "m" } }, "where is G? it has no base_url; give "
        .. "base_url in its options, or set OPENAI_GENERIC_BASE_URL" },
      { { name = "G", provider = "ollama" }, "there is no default model at localhost:11434; give options.model of G" },
      { { name = "A", provider = "azure-openai", options = { model = "m" } }, "where is A? it has no base_url or "
        .. "resource_name; give base_url or resource_name in its options, or set AZURE_OPENAI_ENDPOINT" },
      { { name = "V", provider = "vertex-ai", options = { model = "m" } }, "V needs project_id; give it in its "
        .. "options, or set GOOGLE_CLOUD_PROJECT" },
      { { name = "B", provider = "aws-bedrock", options = { model = "m" } }, "B needs region; give it in its options, "
        .. "or set AWS_REGION" },
      { { name = "B", provider = "aws-bedrock", options = { model = "m", region = "eu-central-1",
        base_url = "http://gateway.example" } }, "base_url of B would send the key unencrypted to gateway.example; use "
        .. "https://", { AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = KEY } },
      { { name = "B", provider = "aws-bedrock", options = { model = "m", region = "eu-central-1" } },
        "there are no credentials for AWS; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of "
        .. "~/.aws/credentials", { HOME = "/nowhere" } },
    }
    for _, case in ipairs(CASES) do
      local mind, err = choose({ primary = case[1].name, clients = { case[1] } }, nil, case[3] or {})
      assert.same({ nil, case[2], 2 }, { mind, tostring(err), err and err.exit })
    end
  end)

  it("finds each provider where its makers have it", function()
    local env = { ANTHROPIC_API_KEY = KEY, OPENAI_API_KEY = KEY, OPENROUTER_API_KEY = KEY, AZURE_OPENAI_API_KEY = KEY,
      AZURE_OPENAI_ENDPOINT = "https://ours.openai.azure.com/", GOOGLE_API_KEY = KEY, VERTEX_ACCESS_TOKEN = KEY,
      GOOGLE_CLOUD_PROJECT = "p", GOOGLE_CLOUD_LOCATION = "europe-west4", AWS_REGION = "eu-central-1",
      AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = KEY, OLLAMA_HOST = "gpu-box" }
    local HOSTS = { anthropic = "api.anthropic.com", openai = "api.openai.com", openrouter = "openrouter.ai",
      ollama = "gpu-box:11434", ["azure-openai"] = "ours.openai.azure.com",
      ["google-ai"] = "generativelanguage.googleapis.com", ["vertex-ai"] = "europe-west4-aiplatform.googleapis.com",
      ["aws-bedrock"] = "bedrock-runtime.eu-central-1.amazonaws.com" }
    for provider, host in pairs(HOSTS) do
      local mind = assert(llm.choose({ provider = provider, model = "m" }, function(name) return env[name] end))
      assert.same({ provider, host, "m" }, { mind.name, mind.destination, mind.model })
    end
  end)

  it("finds Ollama as its own tools do", function()
    for given, host in pairs { ["0.0.0.0"] = "127.0.0.1:11434", ["gpu:1234"] = "gpu:1234",
      ["http://gpu/"] = "gpu:11434", ["https://gpu:443/v1"] = "gpu:443" } do
      local mind = assert(llm.choose({ provider = "ollama", model = "m" }, function(name)
        return name == "OLLAMA_HOST" and given or nil
      end))
      assert.equal(host, mind.destination)
    end
  end)

  it("sends no server of another kind the key of OpenAI", function()
    local env = { OPENAI_API_KEY = KEY }
    for _, c in ipairs { of_local(), { name = "Local", provider = "ollama", options = { model = "m" } } } do
      local mind = assert(choose({ primary = "Local", clients = { c } }, nil, env))
      assert.same({ "no key", nil }, { mind.leaves[1].key, mind.leaves[1].make().key })
    end
  end)

  describe("sends the key of OpenAI by itself", function()
    local function of_openai(base_url, more)
      local options = { model = "m", base_url = base_url }
      for key, value in pairs(more or {}) do options[key] = value end
      return { primary = "Mine", clients = { { name = "Mine", provider = "openai", options = options } } }
    end
    local function sent(registry, env) return assert(choose(registry, nil, env)).leaves[1].make().key end
    local OURS = { OPENAI_API_KEY = KEY, MINE = "sk-mine-Secret" }

    it("to OpenAI, wherever that has a host", function()
      for _, url in ipairs { "https://api.openai.com/v1", "https://eu.api.openai.com:443/v1" } do
        assert.equal(KEY, sent(of_openai(url), OURS))
      end
      assert.equal(KEY, sent(of_openai(nil), OURS))
    end)

    it("to no other server, which is named a key of its own", function()
      for _, url in ipairs { "https://gateway.example/v1", "https://api.openai.com.evil.example/v1",
        "https://evilapi.openai.com/v1", "https://evil.example/?api.openai.com" } do
        local mind, err = choose(of_openai(url), nil, OURS)
        assert.same({ nil, 'there is no key for Mine; name its variable in the options, api_key_env = "NAME" '
          .. "(OPENAI_API_KEY goes to api.openai.com alone), or use --provider analyst", 2 },
          { mind, tostring(err), err and err.exit })
      end
      assert.equal("sk-mine-Secret", sent(of_openai("https://gateway.example/v1", { api_key_env = "MINE" }), OURS))
      assert.equal(KEY, sent(of_openai("https://gateway.example/v1", { api_key_env = "OPENAI_API_KEY" }), OURS))
    end)

    it("not to a server of this machine, which is asked without one", function()
      assert.is_nil(sent(of_openai "http://localhost:11434/v1", OURS))
    end)

    it("where a person set both in the environment", function()
      local env = { OPENAI_API_KEY = KEY, OPENAI_BASE_URL = "https://gateway.example/v1" }
      assert.equal(KEY, sent(of_openai(nil), env))
    end)
  end)

  it("reads a key file anew while it runs, and hides the new key as it did the old one", function()
    local path = os.tmpname()
    local function write(key)
      local file = assert(io.open(path, "w"))
      file:write(key)
      file:close()
      assert(uv.fs_chmod(path, 384))
    end
    write(KEY)
    local server = clients.serve(function() return { text = "ok" } end)
    local form = clients.form("anthropic", server.url)
    form.options.api_key_file = path
    local mind = clients.mind({ form }, "C")
    local known = {}
    mind.conceal { know = function(_, secret) known[#known + 1] = secret end }
    local provider = mind.operator {}
    local function ask()
      return clients.ask(provider, { system = "s", messages = { { role = "user", text = "x" } } })
    end
    assert(ask())
    write "sk-renewed-Secret"
    assert(ask())
    os.remove(path)
    assert(ask())
    server.stop()
    local keys = {}
    for i, request in ipairs(server.requests) do keys[i] = request.headers["x-api-key"] end
    assert.same({ KEY, "sk-renewed-Secret", "sk-renewed-Secret" }, keys)
    assert.same({ KEY, "sk-renewed-Secret" }, known)
  end)

  it("hides the keys of all clients that may be asked", function()
    local known = {}
    local mind = assert(choose({ primary = "Main", clients = { joined("round-robin", { "Claude", "Mine" }), claude(),
      { name = "Mine", provider = "openai", options = { model = "m", api_key_env = "MINE" } } } }, nil,
      { ANTHROPIC_API_KEY = KEY, MINE = "sk-mine-Secret" }))
    mind.conceal { know = function(_, secret) known[#known + 1] = secret end }
    assert.same({ KEY, "sk-mine-Secret" }, known)
  end)

  it("keeps no limit in money that it cannot count", function()
    local registry = { primary = "Claude", clients = { claude { options = { model = "claude-next" } } } }
    local limits = { usd = 1 }
    local _, err = choose(registry, { limits = limits })
    assert.equal("limits.usd cannot be kept: the price of claude-next is not known; set prices in the config: "
      .. '["claude-next"] = { input = …, output = … }', tostring(err))
    assert(choose(registry, { limits = limits, prices = { ["claude-next"] = { input = 1, output = 5 } } }))
    assert(choose({ primary = "Claude", clients = { claude() } }, { limits = limits }))
  end)
end)
