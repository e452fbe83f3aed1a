-- A model that goes in circles: told once, then asked for its last words. The loop is real, the model is played.
local agent = require "runtime.agent"
local async = require "runtime.async"
local json = require "runtime.json"
local model = require "spec.support.played_model"

local calls, says = model.calls, model.says

describe("runtime.loop_guard", function()
  local tools, looks, stopped

  before_each(function()
    looks, stopped = 0, nil
    tools = {
      { name = "ask", doc = "Asks.", parameters = { type = "object", properties = { n = { type = "integer" } } },
        run = function(_, args)
          if (args.n or 0) < 0 then return nil, ("line %d: no such thing"):format(-args.n) end
          return { answer = args.n }
        end },
      { name = "look", doc = "Looks.", parameters = { type = "object", properties = json.object {} }, repeatable = true,
        run = function()
          looks = looks + 1
          return { seen = looks }
        end },
      { name = "poll", doc = "Polls.", parameters = { type = "object", properties = json.object {} }, repeatable = true,
        run = function() return { running = true } end },
      { name = "wait", doc = "Waits.", parameters = { type = "object", properties = json.object {} }, repeatable = true,
        waits = true, run = function() return { waited_ms = 1 } end },
    }
  end)

  -- Each turn one call, as text: what a model plays is easily read so.
  local function run(turns, fixed)
    for i, turn in ipairs(turns) do turns[i] = turn == "." and says "enough" or calls(unpack(turn)) end
    local provider = model.played(turns)
    provider.fixed = fixed
    local outcome = async.run(function()
      return agent.run {
        kind = "operator", provider = provider, system = "s", task = "t", tools = tools, state = {},
        deadline = async.now() + 60, emit = function(event, _, metadata)
          if event == "operator.loop_stopped" then stopped = stopped or metadata.reason end
        end,
      }
    end)
    return outcome, provider.asked
  end

  -- In which turns it was told that it goes in circles.
  local function told(asked)
    local turns = {}
    for i, request in ipairs(asked) do
      local last = request.messages[#request.messages]
      local text = last.role == "user" and last.text or ""
      for _, words in ipairs { "^You go back and forth", "^The same call has failed", "^You have made the same" } do
        if text:find(words) then turns[#turns + 1] = i - 1 end
      end
    end
    return turns
  end

  local A, B, LOOK, POLL = { { "ask", { n = 1 } } }, { { "ask", { n = 2 } } }, { { "look" } }, { { "poll" } }

  it("tells once who alternates between two turns, and then withdraws the tools", function()
    local outcome, asked = run { A, B, A, B, A, "." }
    assert.same({ 4 }, told(asked))
    assert.same({ "iterations", "enough" }, { outcome.ended, outcome.text })
    assert.same({ false, 6 }, { asked[6].tools ~= nil, #asked })
    assert.equal("two turns that alternate", stopped)
  end)

  it("lets go on who does something else when told", function()
    local outcome, asked = run { A, B, A, B, { { "ask", { n = 3 } } }, { { "ask", { n = 4 } } }, "." }
    assert.same({ 4 }, told(asked))
    assert.equal("answer", outcome.ended)
  end)

  it("takes two looks for the same only where they show the same", function()
    local _, asked = run { LOOK, A, LOOK, B, LOOK, POLL, LOOK, POLL, LOOK, POLL, "." }
    assert.same({}, told(asked))
    _, asked = run { POLL, A, POLL, A, "." }
    assert.same({ 4 }, told(asked))
  end)

  it("tells who makes the same call six times and nothing else, whatever it answers, and once more withdraws the tools",
    function()
      local turns = {}
      for n = 1, 12 do turns[n] = LOOK end
      turns[13] = "."
      local outcome, asked = run(turns)
      assert.same({ 6 }, told(asked))
      assert.same({ "iterations", "enough", "the same call and nothing else", 13 },
        { outcome.ended, outcome.text, stopped, #asked })
    end)

  it("lets look again and again who waits meanwhile", function()
    local turns = {}
    for n = 1, 12 do turns[n] = { LOOK[1], { "wait" } } end
    turns[13] = "."
    local outcome, asked = run(turns)
    assert.same({}, told(asked))
    assert.equal("answer", outcome.ended)
  end)

  it("lets look again and again who does something else in between", function()
    local outcome, asked = run { LOOK, LOOK, LOOK, LOOK, LOOK, A, LOOK, LOOK, LOOK, LOOK, LOOK, B, LOOK, "." }
    assert.same({}, told(asked))
    assert.equal("answer", outcome.ended)
  end)

  it("leaves alone what goes by rules and not by words", function()
    local outcome, asked = run({ POLL, A, POLL, A, POLL, { { "ask", { n = 3 } } }, "." }, true)
    assert.same({}, told(asked))
    assert.equal("answer", outcome.ended)
  end)

  it("knows a turn again by its calls in any order", function()
    local both, turned = { A[1], POLL[1] }, { POLL[1], A[1] }
    local _, asked = run { both, B, turned, B, "." }
    assert.same({ 4 }, told(asked))
  end)

  it("tells who gets the same error three times in eight turns, whatever line it names", function()
    local function wrong(n) return { { "ask", { n = -n } } } end
    local outcome, asked = run { wrong(1), A, wrong(2), LOOK, wrong(3), B, wrong(4), "." }
    assert.same({ 5 }, told(asked))
    assert.same({ "iterations", "enough", "the same error again and again" }, { outcome.ended, outcome.text, stopped })
  end)

  it("does not count an error that is longer ago than eight turns, nor one turn's errors apart", function()
    local wrong = { { "ask", { n = -1 } }, { "ask", { n = -2 } }, { "ask", { n = -3 } } }
    local turns = { wrong, { { "ask", { n = -4 } } } }
    for n = 1, 8 do turns[#turns + 1] = { { "ask", { n = n } } } end
    turns[#turns + 1] = { { "ask", { n = -5 } } }
    turns[#turns + 1] = "."
    local outcome, asked = run(turns)
    assert.same({}, told(asked))
    assert.equal("answer", outcome.ended)
  end)
end)
