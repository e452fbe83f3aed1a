-- The analyst alone: what the loop would answer is played, so that every turn of its course shows.
local analyst = require "runtime.llm.analyst"
local async = require "runtime.async"

local TOOLS = { { name = "take_snapshot" }, { name = "execute" }, { name = "invoke_operators" } }

--- Asks until the analyst has no more calls. `answer(call)` gives { data } or { error } for each call.
local function play(provider, answer)
  local messages, turns = { { role = "user", text = "look" } }, {}
  for turn = 1, 50 do
    local reply = assert(provider:ask { tools = TOOLS, messages = messages })
    if #reply.calls == 0 then return turns, reply end
    turns[turn] = reply.calls
    local results, ended = {}, false
    for i, call in ipairs(reply.calls) do
      local given = answer(call)
      local ok = given.error == nil
      results[i] = { id = call.id, name = call.name, ok = ok, text = given.error or "", data = given.data }
      ended = ended or call.name == "done" and ok
    end
    messages[#messages + 1] = { role = "assistant", text = reply.text, calls = reply.calls }
    messages[#messages + 1] = { role = "tool", results = results }
    if ended then return turns, reply end
  end
  error "it never ended"
end

local function names(turns)
  local list = {}
  for i, calls in ipairs(turns) do
    local words = {}
    for j, call in ipairs(calls) do words[j] = call.name end
    list[i] = table.concat(words, " ")
  end
  return list
end

local function calls_of(turns, tool)
  local found = {}
  for _, calls in ipairs(turns) do
    for _, call in ipairs(calls) do
      if call.name == tool then found[#found + 1] = call.args end
    end
  end
  return found
end

local function codes(turns)
  local list = {}
  for i, args in ipairs(calls_of(turns, "execute")) do list[i] = args.code end
  return list
end

--- An operator's loop: every look answers `{ level = 7 }` unless the spec says otherwise.
local function operator(checks, given)
  given = given or {}
  local looked = 0
  return play(analyst.operator { name = "tanks", checks = checks }, function(call)
    if given[call.name] then return given[call.name](call) end
    if call.name == "take_snapshot" then return { data = { id = "o1", data = { full = true }, taken_at = "now" } } end
    if call.name == "execute" then
      looked = looked + 1
      local result = { level = 7, row = { { id = 3 } } }
      return { data = { observation = "o" .. looked + 1, callbacks = {}, result = result } }
    end
    return { data = { id = "n1" } }
  end)
end

local function check(o)
  local c = {
    id = "leak", mechanism = "leak", suspect = function() return true end, look = { { "tank_level", 2 } },
    confirm = function(results)
      return {
        object = "tank", severity = "warning", confidence = "high", hypothesis = "the tank leaks",
        figures = { { look = 1, path = "level", value = results[1].level } },
        unlike = { rain = "no cloud", drain = "the tap is shut" }, next_steps = { { text = "mend it", risk = "SAFE" } },
      }
    end,
  }
  for key, value in pairs(o or {}) do c[key] = value end
  return c
end

local function finding(object, severity)
  return function()
    return { object = object, severity = severity or "warning", hypothesis = object .. " is ill", figures = {},
      unlike = {}, next_steps = {} }
  end
end

local function no() return nil end

describe("the analyst as an operator", function()
  it("looks, tells, says how it is, and ends", function()
    assert.same({ "take_snapshot", "execute", "send_notification", "set_state", "done" }, names(operator { check() }))
  end)

  it("cites what it read, by the observation it read it in", function()
    local sent = calls_of(operator { check() }, "send_notification")[1]
    assert.same({ { observation = "o2", path = "level", value = 7 } }, sent.evidence)
    assert.same({ object = "tank", mechanism = "leak" }, sent.root_cause)
    assert.same({ { mechanism = "drain", why_not = "the tap is shut" }, { mechanism = "rain", why_not = "no cloud" } },
      sent.considered)
    assert.same({ "o1" }, sent.snapshot_ids)
    assert.same({ "warning", "high" }, { sent.severity, sent.confidence })
  end)

  it("makes the first looks of all checks in one turn, and a look that two want once", function()
    local turns = operator {
      check { id = "a", look = { { "tank_level", 2 }, { "tank_rows", 1 } }, confirm = no },
      check { id = "b", look = { { "tank_level", 2 } }, confirm = no },
      check { id = "c", look = { { "tank_rows", 5 } }, confirm = no },
    }
    assert.same({ "take_snapshot", "execute execute", "execute", "set_state", "done" }, names(turns))
    assert.same({ "return tank_level(2)", "return tank_rows(5)", "return tank_rows(1)" }, codes(turns))
  end)

  it("marks a second look as one, lest it seem to go in circles", function()
    local look = { "tank_level", 2, "by hand" }
    assert.same({ 'return tank_level(2, "by hand")', 'return tank_level(2, "by hand") -- look 2' },
      codes(operator { check { look = { look, look } } }))
  end)

  it("waits before a look that has to come later", function()
    local order = {}
    async.run(function()
      async.spawn(function()
        async.sleep(0.01)
        order[#order + 1] = "meanwhile"
      end)
      local looks = { { "tank_level", 2 }, { "tank_level", 2, after = 0.2 } }
      operator({ check { look = looks } }, { execute = function(call)
        order[#order + 1] = call.args.code
        return { data = { observation = "o2", callbacks = {}, result = { level = 7 } } }
      end })
    end)
    assert.same({ "return tank_level(2)", "meanwhile", "return tank_level(2) -- look 2" }, order)
  end)

  it("does not call healthy what it could not see, nor what no check was written for", function()
    local blind = operator({ check() }, { take_snapshot = function()
      return { data = { id = "o1", data = { unavailable = "no gauge" } } }
    end })
    assert.same({ "take_snapshot", "set_state", "done" }, names(blind))
    assert.same({ state = "observing", reason = "tanks cannot be looked at: no gauge" },
      calls_of(blind, "set_state")[1])
    assert.same({ state = "observing",
      reason = "the skill tanks has no checks, so the analyst cannot judge what it saw" },
      calls_of(operator {}, "set_state")[1])
  end)

  it("hands what was seen to the look that depends on it", function()
    local deeper = function(results) return { "tank_row", results[1].row[1].id } end
    assert.same({ "return tank_level(2)", "return tank_row(3)" },
      codes(operator { check { look = { { "tank_level", 2 }, deeper } } }))
  end)

  it("drops a check that the first look acquitted", function()
    local turns = operator { check { look = { { "tank_level", 2 }, no } } }
    assert.same({ "take_snapshot", "execute", "set_state", "done" }, names(turns))
    assert.equal("healthy", calls_of(turns, "set_state")[1].state)
  end)

  it("leaves alone what the snapshot does not make suspect", function()
    local seen
    local turns = operator { check { suspect = function(snapshot, history)
      seen = { snapshot.full, #history("full", 60) }
      return false
    end } }
    assert.same({ "take_snapshot", "set_state", "done" }, names(turns))
    assert.same({ true, 0 }, seen)
  end)

  it("lets the better explanation of one object stand", function()
    local turns = operator {
      check { id = "vague", mechanism = "wet", yields_to = { leak = "same" }, confirm = finding "tank" },
      check { confirm = finding "tank" },
    }
    assert.equal("leak", calls_of(turns, "send_notification")[1].root_cause.mechanism)
    assert.equal(1, #calls_of(turns, "send_notification"))
  end)

  it("lets nobody wait for one who wants to look later", function()
    local later = { { "tank_level", 2 }, { "tank_level", 2, after = 0.01 } }
    local made
    async.run(function()
      local soon = { { "tank_level", 2 }, { "tank_rows", 1 }, { "tank_rows", 5 } }
      local prompt = check { id = "prompt", look = soon, confirm = no }
      made = codes((operator { check { id = "patient", look = later }, prompt }))
    end)
    assert.same({ "return tank_level(2)", "return tank_rows(1)", "return tank_rows(5)",
      "return tank_level(2) -- look 2" }, made)
  end)

  it("looks no more for what gives way, at any object, to what was found already", function()
    local function vague(how)
      return check { id = "vague", mechanism = "wet", yields_to = { leak = how }, confirm = finding "floor",
        look = { { "tank_level", 2 }, { "tank_rows", 1 } } }
    end
    assert.same({ "return tank_level(2)" }, codes((operator { vague "any", check() })))
    assert.same({ "return tank_level(2)", "return tank_rows(1)" }, codes((operator { vague "same", check() })))
    local slight = check { confirm = finding("tank", "info") }
    assert.same({ "return tank_level(2)", "return tank_rows(1)" }, codes((operator { vague "any", slight })))
  end)

  it("tells both where they are about different objects, the graver one first", function()
    local turns = operator {
      check { id = "vague", mechanism = "wet", yields_to = { leak = "same" }, confirm = finding "floor" },
      check { confirm = finding("tank", "critical") },
    }
    local sent = calls_of(turns, "send_notification")
    assert.same({ "tank", "floor" }, { sent[1].root_cause.object, sent[2].root_cause.object })
    assert.equal("critical", calls_of(turns, "set_state")[1].state)
  end)

  it("lets the unexplained give way to any explanation, whatever its object", function()
    local sent = calls_of(operator {
      check { id = "some", mechanism = "other", yields_to = { ["*"] = "any" }, confirm = finding "floor" },
      check { confirm = finding "tank" },
    }, "send_notification")
    assert.same({ 1, "tank" }, { #sent, sent[1].root_cause.object })
  end)

  it("tells two unexplained things, and lets neither silence the other", function()
    local sent = calls_of(operator {
      check { id = "a", mechanism = "other", yields_to = { ["*"] = "any" }, confirm = finding "floor" },
      check { id = "b", mechanism = "other", yields_to = { ["*"] = "any" }, confirm = finding "tank" },
    }, "send_notification")
    assert.equal(2, #sent)
  end)

  it("tells what nothing explains as a fact, and accuses nobody", function()
    local sent = calls_of(operator { check { mechanism = "other" } }, "send_notification")[1]
    assert.is_nil(sent.root_cause)
    assert.same({ "unexplained", "warning" }, { sent.type, sent.severity })
  end)

  -- Two looks, the first of which is urgent.
  local function urgent(holds, confirm)
    local first = check { id = "flood", mechanism = "flood", urgent = function(s) return s.full end, holds = holds,
      look = { { "tank_flood" }, { "tank_flood", 2 } } }
    first.confirm = confirm or first.confirm
    return operator { check(), first }
  end

  it("makes an urgent look first and alone, then those of the others", function()
    local turns = urgent()
    assert.same({ "return tank_flood()", "return tank_flood(2)", "return tank_level(2)" }, codes(turns))
    assert.equal(2, #calls_of(turns, "send_notification"))
  end)

  it("lets the others wait while it sees what leaves nobody any time, and leaves them out when that is so", function()
    local turns = urgent(function() return true end)
    assert.same({ "return tank_flood()", "return tank_flood(2)" }, codes(turns))
    local sent = calls_of(turns, "send_notification")
    assert.equal(1, #sent)
    assert.matches("nobody looked for leak, since", sent[1].next_steps[#sent[1].next_steps].text)
  end)

  it("goes on to the others where that was not confirmed", function()
    local turns = urgent(function() return true end, no)
    assert.same({ "return tank_flood()", "return tank_flood(2)", "return tank_level(2)" }, codes(turns))
    assert.equal(1, #calls_of(turns, "send_notification"))
  end)

  it("does not ask again what the node had no time for", function()
    local turns = operator({ check() }, { execute = function()
      return { error = "the query had no answer after 30 s and was ended on the node" }
    end })
    assert.equal(1, #codes(turns))
  end)

  it("does not ask again what got no answer in all the time that a look has", function()
    local turns = operator({ check() }, { execute = function()
      return { error = "line 1: tank_level: no answer in 12 s" }
    end })
    assert.equal(1, #codes(turns))
  end)

  it("tries a look that failed once more, then goes on without that check and does not call it healthy", function()
    local turns = operator({ check(), check { id = "fine", look = { { "tank_rows", 1 } }, confirm = no } }, {
      execute = function(call)
        if call.args.code:find "tank_level" then return { error = "timeout" } end
        return { data = { observation = "o2", callbacks = {}, result = {} } }
      end,
    })
    assert.same({ "return tank_level(2)", "return tank_rows(1)", "return tank_level(2) -- once more" }, codes(turns))
    assert.same({ 0, "observing" }, { #calls_of(turns, "send_notification"), calls_of(turns, "set_state")[1].state })
    assert.matches("tank_level: timeout", calls_of(turns, "set_state")[1].reason)
  end)

  it("says why a look failed in plain words", function()
    local turns = operator({ check() }, { execute = function()
      return { error = '{"error":"line 1: the query failed: badarg","trust":"node"}' }
    end })
    assert.equal("Not everything could be looked at: tank_level: line 1: the query failed: badarg",
      calls_of(turns, "set_state")[1].reason)
  end)

  it("takes a callback that is unavailable for an answer that settles nothing", function()
    local turns = operator({ check() }, { execute = function()
      return { data = { observation = "o2", callbacks = {}, result = { unavailable = "no gauge" } } }
    end })
    assert.same({ "take_snapshot", "execute", "set_state", "done" }, names(turns))
    assert.matches("tank_level: no gauge", calls_of(turns, "set_state")[1].reason)
  end)

  it("goes on when one check trips", function()
    local turns = operator {
      check { id = "broken", confirm = function() error "oops" end },
      check { id = "worse", suspect = function() error "oops" end }, check(),
    }
    assert.equal(1, #calls_of(turns, "send_notification"))
  end)

  it("says that nothing can be told without a snapshot", function()
    local function gone() return { error = '{"error":"the node is gone","trust":"node"}' } end
    local turns, last = operator({ check() }, { take_snapshot = gone })
    assert.same({ "take_snapshot", "take_snapshot", "done" }, names(turns))
    assert.equal("Nothing can be told: the node is gone", last.text)
  end)

  it("insists on ending when it is told that something is open", function()
    local times = 0
    local turns = operator({ check() }, { done = function()
      times = times + 1
      return times == 1 and { error = "not yet" } or { data = {} }
    end })
    assert.equal(2, #calls_of(turns, "done"))
  end)

  it("answers in words when it is given no tools", function()
    local reply = analyst.operator({ name = "tanks", checks = {} }):ask { messages = {} }
    assert.same({ 0, "done" }, { #reply.calls, reply.stop })
    assert.matches("%a", reply.text)
  end)
end)

describe("the analyst as the coordinator", function()
  local function notification(o)
    local n = {
      id = "n1", operator = "tanks", severity = "warning", confidence = "high", status = "unread",
      observation = "level 7", hypothesis = "the tank leaks",
      root_cause = { object = "tank", mechanism = "leak" },
      evidence = { { observation = "o2", callback = "tank_level", path = "level", value = 7 } },
      considered = { { mechanism = "rain", why_not = "no cloud" } }, next_steps = {},
    }
    for key, value in pairs(o) do n[key] = value end
    return n
  end

  local function coordinate(notifications, skills, waits)
    waits = waits or 1
    return play(analyst.coordinator(skills or { { name = "tanks" }, { name = "pipes" } }), function(call)
      if call.name == "wait" then
        waits = waits - 1
        return { data = { operators = { { skill = "tanks", running = waits > 0 }, { skill = "pipes" } } } }
      end
      if call.name == "get_notifications" then return { data = { notifications = notifications } } end
      return { data = { started = {}, unknown = {}, id = "i1" } }
    end)
  end

  it("starts everybody at once and waits until nobody runs", function()
    local turns = coordinate({}, nil, 3)
    assert.same({ "invoke_operators", "wait", "wait", "wait", "get_notifications", "done" }, names(turns))
    assert.same({ "tanks", "pipes" }, turns[1][1].args.skills)
  end)

  it("makes an insight of a notification, with its cause and its evidence", function()
    local insight = calls_of(coordinate { notification {} }, "produce_insight")[1]
    assert.same({ "n1" }, insight.notification_ids)
    assert.same({ "single", "warning", "high" },
      { insight.correlation_type, insight.severity, insight.confidence })
    assert.same({ object = "tank", mechanism = "leak" }, insight.root_cause)
    assert.same({ { observation = "o2", path = "level", value = 7 } }, insight.evidence)
  end)

  it("joins those about one object, the gravest in the lead", function()
    local insights = calls_of(coordinate {
      notification { id = "n1", operator = "pipes", root_cause = { object = "pipe", mechanism = "burst" },
        hypothesis = "pipe burst, it belongs to tank" },
      notification { id = "n2", severity = "critical" },
      notification { id = "n3", root_cause = { object = "tank", mechanism = "rust" }, severity = "info" },
    }, "produce_insight")
    assert.equal(1, #insights)
    assert.same({ "n2", "n1", "n3" }, insights[1].notification_ids)
    assert.same({ "causal", "leak", 3 },
      { insights[1].correlation_type, insights[1].root_cause.mechanism, #insights[1].evidence })
  end)

  it("keeps apart what only has a part of a name in common", function()
    local insights = calls_of(coordinate {
      notification { id = "n1", root_cause = { object = "tank_1", mechanism = "leak" }, hypothesis = "tank_1 leaks" },
      notification { id = "n2", root_cause = { object = "tank_10", mechanism = "leak" }, severity = "critical",
        hypothesis = "tank_10 leaks" },
    }, "produce_insight")
    assert.same({ "tank_10", "tank_1" }, { insights[1].root_cause.object, insights[2].root_cause.object })
  end)

  it("calls a symptom what a check knows as one of something that stands", function()
    local skills = { { name = "tanks", checks = { check { mechanism = "wet", symptom_of = { "leak" } } } } }
    local insights = calls_of(coordinate({
      notification {},
      notification { id = "n2", root_cause = { object = "floor", mechanism = "wet" }, hypothesis = "wet" },
    }, skills), "produce_insight")
    assert.same({ "single", "symptomatic" }, { insights[1].correlation_type, insights[2].correlation_type })
  end)

  it("names a cause before its symptom, however grave that is", function()
    local skills = { { name = "tanks", checks = { check { mechanism = "wet", symptom_of = { "leak" } } } } }
    local insights = calls_of(coordinate({
      notification {},
      notification { id = "n2", root_cause = { object = "floor", mechanism = "wet" }, hypothesis = "wet",
        severity = "critical" },
    }, skills), "produce_insight")
    assert.same({ "leak", "wet" }, { insights[1].root_cause.mechanism, insights[2].root_cause.mechanism })
  end)

  it("leaves what has no cause, or no figure that stands, to the verdict", function()
    local nameless = notification {}
    nameless.root_cause = nil
    local turns = coordinate { nameless, notification { id = "n2", evidence = {} } }
    assert.same({}, calls_of(turns, "produce_insight"))
    assert.matches("cause was not found", calls_of(turns, "done")[1].summary)
  end)
end)
