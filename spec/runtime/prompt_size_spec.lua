-- What a provider is sent before anything was looked at, and what of it stays the same over a run: both are
-- paid for with every request. Real runs, and the bytes of the requests as a server of ours got them.
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local gate = require "runtime.gate"
local hybrid = require "runtime.strategy.hybrid"
local live = require "spec.support.live_node"
local llm = require "runtime.llm"
local operator = require "runtime.operator"
local provider = require "spec.support.played_provider"
local skill = require "runtime.skill"

-- Seven tenths of what is to be undercut: 5,200 characters that all operators share and 7,000 of one skill;
-- 8,000 for a coordinator.
local OPERATOR, COORDINATOR = 0.7 * (5200 + 7000), 0.7 * 8000

local function open(names)
  local list = {}
  for i, name in ipairs(names) do list[i] = assert(skill.open(name)) end
  return list
end

describe("what is sent to a provider", function()
  local at

  setup(function() at = live.start {} end)

  teardown(live.stop_all)

  -- The bodies of a run's requests, in order.
  local function bodies(mind, run, wire)
    return async.run(function()
      local server = provider.start(wire or "anthropic", mind)
      local env = { ANTHROPIC_API_KEY = "sk-ant-spec", ANTHROPIC_BASE_URL = server.url,
        OPENAI_API_KEY = "sk-spec", OPENAI_BASE_URL = server.url .. "/v1" }
      local chosen = assert(llm.choose({ provider = wire or "anthropic", model = wire and "gpt-5-mini" },
        function(name) return env[name] end))
      assert(run { node = at.node, mind = chosen, gate = gate.new {}, deadline = async.now() + 60 })
      server.stop()
      assert.same({}, server.refused)
      local list = {}
      for i, talk in ipairs(server.talks) do list[i] = talk.request.body end
      return list
    end)
  end

  local function quiet() return { text = "nothing to tell" } end

  local function operator_of(s)
    return function(o)
      o.skill = s
      return operator.run(o)
    end
  end

  local function coordinator_of(skills)
    return function(o)
      o.skills = skills
      return coordinator.run(o)
    end
  end

  for _, name in ipairs(skill.names()) do
    it(("has at most %d characters before %s's first turn"):format(OPERATOR, name), function()
      local first = bodies(quiet, operator_of(open { name }[1]))[1]
      assert.is_true(#first <= OPERATOR, ("%s: %d characters"):format(name, #first))
    end)
  end

  it(("has at most %d characters before beam's first turn where each tool is wrapped once more"):format(OPERATOR),
    function()
      local first = bodies(quiet, operator_of(open { "beam" }[1]), "openai")[1]
      assert.is_true(#first <= OPERATOR, ("%d characters"):format(#first))
    end)

  it(("has at most %d characters before the coordinator's first turn"):format(COORDINATOR), function()
    local first = bodies(quiet, coordinator_of(open { "beam", "ets" }))[1]
    assert.is_true(#first <= COORDINATOR, ("%d characters"):format(#first))
  end)

  it(("has at most %d characters before a leader's first turn where rules have looked and found nothing"):format(
    COORDINATOR), function()
    local skills = open { "beam", "ets" }
    local first = bodies(quiet, function(o)
      o.skills, o.strategy = skills, hybrid
      return coordinator.run(o)
    end)[1]
    assert.is_true(#first <= COORDINATOR, ("%d characters"):format(#first))
  end)

  -- The messages, without the marks that say how far to cache, and all that stands before them.
  local function parts(body)
    local at_messages = assert(body:find('"messages":[', 1, true))
    return body:sub(at_messages, -3):gsub('"cache_control":{"type":"ephemeral"},', ""), body:sub(1, at_messages)
  end

  local function stays(list)
    for i = 2, #list do
      local before, rest = parts(list[i - 1])
      local now, rest_now = parts(list[i])
      assert.equal(rest, rest_now)
      assert.equal(before, now:sub(1, #before))
    end
  end

  it("begins with the same bytes in every turn of an operator", function()
    local turns = {
      { calls = { { "take_snapshot", {} }, { "think", { thought = "zwölf" } } } },
      { text = "Now closer.", calls = { { "execute", { code = "return beam_top_processes(3)" } } } },
      { calls = { { "get_snapshot", { id = "o9" } } } },
      { calls = { { "set_state", { state = "healthy", reason = "small" } } } },
      { text = "All is well." },
    }
    local list = bodies(function(talk) return turns[talk.turn] end, operator_of(open { "beam" }[1]))
    assert.equal(5, #list)
    stays(list)
  end)

  it("begins with the same bytes in every turn of a coordinator", function()
    local turns = {
      { text = "I look first.", calls = { { "get_operator_statuses", {} }, { "get_notifications", {} } } },
      { calls = { { "think", { thought = "nobody looked" } } } },
      { text = "Nobody looked." },
    }
    local list = bodies(function(talk) return turns[talk.turn] end, coordinator_of(open { "beam", "ets" }))
    assert.equal(3, #list)
    stays(list)
  end)
end)
