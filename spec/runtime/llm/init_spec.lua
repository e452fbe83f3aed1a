local llm = require "runtime.llm"
local uv = require "luv"

local KEY = "sk-ant-Very-Secret-1234567890"

describe("llm.choose", function()
  local folder

  setup(function() folder = assert(uv.fs_mkdtemp("/tmp/beamlens-spec-XXXXXX")) end)

  teardown(function()
    for _, name in ipairs { "key", "script.lua" } do os.remove(folder .. "/" .. name) end
    uv.fs_rmdir(folder)
  end)

  local function choose(options, env) return llm.choose(options, function(name) return (env or {})[name] end) end

  local function write(name, text, mode)
    local path = folder .. "/" .. name
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    assert(uv.fs_chmod(path, tonumber(mode, 8)))
    return path
  end

  local function complaint(options, env)
    local mind, err = choose(options, env)
    assert.is_nil(mind)
    assert.is_nil(tostring(err):find("Secret", 1, true))
    return tostring(err), err
  end

  it("takes the analyst without a key, who sends nothing anywhere", function()
    local mind = assert(choose {})
    assert.same({ "analyst", nil }, { mind.name, mind.destination })
  end)

  it("takes anthropic with one, and says where text will go", function()
    local mind = assert(choose({}, { ANTHROPIC_API_KEY = KEY }))
    assert.same({ "anthropic", "api.anthropic.com", "claude-haiku-4-5-20251001" },
      { mind.name, mind.destination, mind.model })
    assert.equal("anthropic", mind.operator({}).name)
    assert.are_not.equal(mind.coordinator({}), mind.coordinator({}))
  end)

  it("sends an unknown model's name through", function()
    local mind = assert(choose({ provider = "anthropic", model = "claude-next" }, { ANTHROPIC_API_KEY = KEY }))
    assert.equal("claude-next", mind.model)
  end)

  it("takes no model for granted where any server may be asked", function()
    local text, err = complaint({ provider = "openai" }, { OPENAI_API_KEY = KEY })
    assert.equal("there is no default model at api.openai.com; name the model: --model NAME", text)
    assert.same({ "provider", 2 }, { err.stage, err.exit })
  end)

  it("reads a key from a file that only its owner reads", function()
    assert.equal("anthropic", choose({}, { ANTHROPIC_API_KEY_FILE = write("key", KEY .. "\n", "600") }).name)
    local path = write("key", KEY, "640")
    local text, err = complaint({ provider = "anthropic" }, { ANTHROPIC_API_KEY_FILE = path })
    assert.equal(("others may read the key in %s; chmod 600 %s"):format(path, path), text)
    assert.same({ "provider", 2 }, { err.stage, err.exit })
    for _, no_file in ipairs { folder, folder .. "/" .. ("x"):rep(300), path .. "/below" } do
      assert.equal(("ANTHROPIC_API_KEY_FILE names no file: %s; put the key into it, with mode 0600"):format(no_file),
        (complaint({ provider = "anthropic" }, { ANTHROPIC_API_KEY_FILE = no_file })))
    end
    assert.matches("^OPENAI_API_KEY_FILE names no file: /none; ",
      (complaint({ provider = "openai" }, { OPENAI_API_KEY_FILE = "/none" })))
  end)

  it("reads no key that belongs to somebody else, who may change it", function()
    local path, getuid = write("key", KEY, "600"), uv.getuid
    assert(uv.fs_chown(path, getuid() == 0 and 65534 or getuid(), uv.getgid())) -- what is root's is anybody's to read
    uv.getuid = function() return 4242 end
    local mind, err = choose({ provider = "anthropic" }, { ANTHROPIC_API_KEY_FILE = path })
    uv.getuid = getuid
    assert.same({ nil, ("the key in %s belongs to another user; copy it to a file of yours"):format(path) },
      { mind, tostring(err) })
  end)

  it("says what to set when there is no key", function()
    local text, err = complaint { provider = "anthropic" }
    assert.equal("there is no key for anthropic; set ANTHROPIC_API_KEY or ANTHROPIC_API_KEY_FILE, "
      .. "or use --provider analyst", text)
    assert.equal("provider", err.stage)
    assert.matches("^there is no key for openai; set OPENAI_API_KEY", (complaint { provider = "openai" }))
  end)

  it("refuses a key that would break a header", function()
    assert.matches("holds a space or a sign that no key has",
      (complaint({ provider = "anthropic" }, { ANTHROPIC_API_KEY = "Secret\r\nX: y" })))
  end)

  it("sends no key unencrypted over a network", function()
    for _, url in ipairs { "http://proxy.example/v1", "http://127.0.0.1.example.com", "http://127.evil" } do
      assert.matches("would send the key unencrypted to",
        (complaint({ provider = "openai" }, { OPENAI_API_KEY = KEY, OPENAI_BASE_URL = url })))
      assert.matches("would send the key unencrypted to",
        (complaint({ provider = "anthropic" }, { ANTHROPIC_API_KEY = KEY, ANTHROPIC_BASE_URL = url })))
    end
    assert.matches("holds a user name or password",
      (complaint({ provider = "openai" }, { OPENAI_API_KEY = KEY, OPENAI_BASE_URL = "http://127.0.0.1@evil.com/" })))
    assert.matches("is no http:// or https:// address",
      (complaint({ provider = "openai" }, { OPENAI_API_KEY = KEY, OPENAI_BASE_URL = "ftp://127.0.0.1/" })))
  end)

  it("takes for this machine what is it, and no name that looks so", function()
    for _, host in ipairs { "LOCALHOST", "127.0.0.1", "127.255.0.1", "[::1]" } do
      local env = { OPENAI_API_KEY = KEY, OPENAI_BASE_URL = ("http://%s:9/v1"):format(host) }
      assert.equal(host .. ":9", assert(choose({ provider = "openai", model = "m" }, env)).destination)
    end
    for _, host in ipairs { "127.0.0.999", "127.0.0.1.1", "127.0.256.1", "localhost.example" } do
      assert.matches("would send the key unencrypted to " .. host:gsub("%.", "%%."), (complaint({ provider = "openai" },
        { OPENAI_API_KEY = KEY, OPENAI_BASE_URL = ("http://%s:9/v1"):format(host) })))
    end
  end)

  it("shows no key that stands where a file, a model or a provider belongs", function()
    assert.equal("ANTHROPIC_API_KEY_FILE names no file, and is not shown, for it may be the key; put the key into a "
      .. "file of mode 0600 and give the path of that", (complaint({}, { ANTHROPIC_API_KEY_FILE = KEY })))
    assert.matches("^the model of anthropic looks like a key, and is neither shown nor sent; ",
      (complaint({ model = KEY }, { ANTHROPIC_API_KEY = KEY })))
    assert.matches("^there is no provider <key>; take one of ", (complaint { provider = KEY }))
  end)

  it("lets a server on this machine be asked without a key", function()
    local env = { OPENAI_BASE_URL = "http://localhost:11434/v1" }
    local mind = assert(choose({ provider = "openai", model = "qwen3" }, env))
    assert.same({ "localhost:11434", "qwen3" }, { mind.destination, mind.model })
  end)

  it("names the nearest for a provider that does not exist", function()
    local text, err = complaint { provider = "antropic" }
    assert.same({ "there is no provider antropic; did you mean anthropic?", "usage" }, { text, err.stage })
  end)

  describe("script", function()
    local function play(text)
      return assert(choose({ provider = "script" }, { BEAMLENS_SCRIPT = write("script.lua", text, "600") }))
    end

    it("plays a list of replies, to each agent from the beginning", function()
      local mind = play [[return { { calls = { { name = "look" } } }, { text = "done" } }]]
      assert.is_nil(mind.destination)
      for _ = 1, 2 do
        local provider = mind.operator { name = "ets" }
        local reply = assert(provider:ask {})
        assert.same({ { id = "call_1_1", name = "look", args = {} } }, reply.calls)
        assert.equal("calls", reply.stop)
        local last = provider:ask {}
        assert.same({ "done", "done" }, { last.text, last.stop })
        assert.equal("the script has no reply for turn 3", tostring(select(2, provider:ask {})))
      end
    end)

    it("asks a function for the reply, and tells it who asks", function()
      local mind = play [[return function(request, turn, who)
        return { text = table.concat({ request.system, turn, who.agent, who.skill or "-" }, " ") }
      end]]
      assert.equal("s 1 operator ets", mind.operator({ name = "ets" }):ask({ system = "s" }).text)
      assert.equal("s 1 coordinator -", mind.coordinator({}):ask({ system = "s" }).text)
    end)

    it("plays failures too", function()
      local mind = play [[return { { err = { class = "wait", message = "slow down" } } }]]
      local _, err = mind.operator({}):ask {}
      assert.same({ "wait", "slow down" }, { err.class, tostring(err) })
    end)

    it("says in a sentence what is wrong with the file", function()
      assert.equal("there is no script to play; set BEAMLENS_SCRIPT to a Lua file of replies",
        (complaint { provider = "script" }))
      for text, wanted in pairs { ["return 1"] = "returns no replies; let it", ["return {"] = "script.lua:1: ",
        ["error 'slip'"] = "slip; mend" } do
        local path = write("script.lua", text, "600")
        local found = complaint({ provider = "script" }, { BEAMLENS_SCRIPT = path })
        assert.truthy(found:find(wanted, 1, true), found)
      end
    end)
  end)
end)
