-- The answer to a question where a model is the mind: what it may say, and what stands in its place where it is lost.
-- By rules it is in spec/ask_command_spec. Only the models are played.
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local gate = require "runtime.gate"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local report = require "runtime.report"
local skill = require "runtime.skill"
local strategy = require "runtime.strategy"

local calls, says, results = model.calls, model.says, model.results

local QUESTION = "is the table sessions growing?"

describe("an answer by a model", function()
  local at

  setup(function()
    at = live.start { code = [[
      spawn(fun() -> ets:new(sessions, [named_table, public]),
        ets:insert(sessions, [{I, I} || I <- lists:seq(1, 20000)]), receive stop -> ok end end).]] }
  end)

  teardown(live.stop_all)

  local quiet = { model.says "nothing" }

  local function run(leader, way, question)
    return async.run(function()
      local o = { node = at.node, skills = { assert(skill.open "beam"), assert(skill.open "ets") },
        mind = model.mind({ ets = model.played(quiet), beam = model.played(quiet) }, leader), gate = gate.new {},
        deadline = async.now() + 60, strategy = assert(strategy.open(way or "pipeline")), reason = QUESTION }
      if question ~= false then o.question = question or QUESTION end
      return assert(coordinator.run(o))
    end)
  end

  local chosen = calls { "choose_skills", { skills = { "ets" } } }

  -- The figure of a path among what it was shown.
  local function shown(request, path)
    for _, look in ipairs(json.decode(request.messages[3].results[1].text).looks) do
      for _, claim in ipairs(look.figures) do
        if claim.path == path then return claim end
      end
    end
  end

  local function answers(text, value)
    return function(request)
      local claim = shown(request, "size")
      return calls { "answer", { text = text, answered = true,
        evidence = { { observation = claim.observation, path = claim.path, value = value or claim.value } } } }
    end
  end

  it("is in its words, quoted, with the figure read again", function()
    local r = run(model.played { chosen, answers "sessions has 20,000 rows and stands still" })
    assert.same({ "sessions has 20,000 rows and stands still", true, "model", { "ets" } },
      { r.answer.text, r.answer.answered, r.answer.by, r.answer.looked })
    assert.same({ "size", 20000, "ets_table_info" },
      { r.answer.figures[1].path, r.answer.figures[1].value, r.answer.figures[1].callback })
    assert.matches('^ANSWER  "sessions has 20,000 rows and stands still"\n', report.text(r))
  end)

  it("is sent back where a figure does not stand, and where it has none", function()
    local leader = model.played { chosen, answers("it has 7 rows", 7),
      calls { "answer", { text = "it grows, trust me", answered = true, evidence = {} } }, answers "20,000 rows" }
    local r = run(leader)
    assert.matches("size is 20000, not 7", results(leader.asked[3])[1].text, 1, true)
    assert.matches("no figure bears it out", results(leader.asked[4])[1].text, 1, true)
    assert.equal("20,000 rows", r.answer.text)
  end)

  it("may say that it cannot be told, and what would tell", function()
    local r = run(model.played { chosen, calls { "answer", { text = "It was seen for 3 s.", answered = false,
      evidence = {}, would_tell = { "a look an hour later" } } } })
    assert.same({ false, { "a look an hour later" } }, { r.answer.answered, r.answer.would_tell })
  end)

  it("is the rules' where the model only talks", function()
    local r = run(model.played { chosen, says "it grows!" })
    assert.same({ "rules", true }, { r.answer.by, r.answer.answered })
    assert.matches("^The table sessions does not grow: it has 20,000 rows", r.answer.text)
    assert.same({ "the model did not answer: the model gave no answer" }, r.answer.would_tell)
  end)

  it("is the rules' where the model is lost", function()
    local r = run(model.played { chosen, function() return nil, { class = "fatal", message = "no such model" } end })
    assert.equal("rules", r.answer.by)
    assert.same({ "the model did not answer: no such model" }, r.answer.would_tell)
  end)

  it("denies nothing that nobody looked for", function()
    local r = run(model.played { chosen, says "no leak!" }, nil, "is there an ets table leak?")
    assert.same({ "ets_table_leak", false }, { r.answer.topics[1], r.answer.answered })
    assert.is_nil(r.answer.text:find("no sign", 1, true))
  end)

  it("is asked of it with what is the node's inside a marked result alone", function()
    local leader = model.played { chosen, answers "20,000 rows" }
    run(leader)
    local asked = leader.asked[2]
    assert.is_nil((asked.system .. asked.messages[1].text):find("20000", 1, true))
    assert.matches('"trust":"node"', results(asked)[1].text, 1, true)
  end)

  it("has a field in no report of a run without a question", function()
    local r = run(model.played { says "well" }, "agent_loop", false)
    assert.is_nil(r.answer)
  end)
end)
