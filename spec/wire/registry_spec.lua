-- Several providers as one, each of them aimock by another wire: who is down is passed over, who is well takes
-- turns, and a reply says who gave it.
local aimock = require "spec.wire.support.aimock"
local llm = require "runtime.llm.init"
local talk = require "spec.wire.support.talk"

describe("a registry", function()
  local server

  setup(function() server = aimock.start() end)
  teardown(function() server.stop() end)

  local function mind(provider, strategy)
    local one_try = { max_retries = 0 }
    local chosen, why = llm.choose({ client_registry = { primary = "Main", clients = {
      { name = "Main", provider = provider, options = { strategy = strategy } },
      { name = "Poor", provider = "anthropic", options = { model = "without-money", base_url = server.url } },
      { name = "Down", provider = "google-ai", options = { model = "out-of-order", base_url = server.url },
        retry_policy = one_try },
      { name = "Nowhere", provider = "ollama", options = { model = "m", base_url = "http://127.0.0.1:1/v1" },
        retry_policy = one_try },
      { name = "Well", provider = "openai-generic", options = { model = "m", base_url = server.url .. "/v1",
        api_key_env = "OWN_KEY" } },
      { name = "Too", provider = "anthropic", options = { model = "m", base_url = server.url } },
    } } }, function(name)
      return ({ ANTHROPIC_API_KEY = aimock.key, GEMINI_API_KEY = aimock.key, OWN_KEY = aimock.key })[name]
    end)
    return assert(chosen, tostring(why))
  end

  it("falls back from those who are not paid, overloaded or not there, by whatever wire", function()
    local provider = mind("fallback", { "Poor", "Down", "Nowhere", "Well" }).operator()
    local messages = { { role = "user", text = "look twice" } }
    local reply = assert(talk.ask(provider, messages))
    assert.same({ "Well", "m", "calls" }, { reply.provider, reply.model, reply.stop })
    messages[2], messages[3] = talk.said(reply), talk.results(reply)
    assert.equal("Both looks are in.", assert(talk.ask(provider, messages)).text)
  end)

  it("says what is wrong when nobody is left", function()
    local _, err = talk.ask(mind("fallback", { "Poor", "Down" }).operator(), "say one word")
    assert.matches("Down", err.message)
  end)

  it("takes turns by agent, and an agent stays with its own", function()
    local one = mind("round-robin", { "Well", "Too" })
    local who = {}
    for i = 1, 4 do
      local provider = one.operator()
      local first, second = assert(talk.ask(provider, "say one word")), assert(talk.ask(provider, "say one word"))
      assert.equal(first.provider, second.provider)
      who[i] = first.provider
    end
    table.sort(who)
    assert.same({ "Too", "Too", "Well", "Well" }, who)
  end)
end)
