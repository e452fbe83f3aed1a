-- A conversation that is made shorter: what stays, that providers still take it, and that one without an end does
-- not grow.
local agent = require "runtime.agent"
local anthropic = require "runtime.llm.anthropic"
local async = require "runtime.async"
local compaction = require "runtime.compaction"
local json = require "runtime.json"
local openai = require "runtime.llm.openai"
local provider = require "spec.support.played_provider"

local function rows(n, from)
  local list = {}
  for i = 1, n do list[i] = { name = ("server_%d"):format(i), message_queue = from + i, note = ("x"):rep(40) } end
  return list
end

local function result(id, name, answer) return { id = id, name = name, ok = true, text = json.encode(answer) } end

local function turn(id, name, args, answer)
  return { role = "assistant", text = "I look.", calls = { { id = id, name = name, args = args } } },
    { role = "tool", results = { result(id, name, answer) } }
end

local function add(messages, ...)
  for _, message in ipairs { ... } do messages[#messages + 1] = message end
end

-- A run of an operator: a snapshot, a look, what it told of it, and looks that came to nothing.
local function conversation(n)
  local messages = { { role = "user", text = "Look at your domain." } }
  add(messages, turn("c1", "take_snapshot", {}, { id = "o1", taken_at = "2026-01-01T00:00:00Z", trust = "node",
    data = { process_count = 912, max_message_queue = 50000 }, suspects = rows(20, 0) }))
  add(messages, turn("c2", "execute", { code = "return beam_top_processes(30)" }, { observation = "o2", trust = "node",
    callbacks = { "beam_top_processes" }, result = { total = 912, processes = rows(30, 1000) } }))
  add(messages, turn("c3", "send_notification", { type = "mailbox", severity = "critical",
    observation = "server_7 has 1007 messages", root_cause = { object = "server_7", mechanism = "unhandled_messages" },
    evidence = { { observation = "o2", path = "processes[7].message_queue", value = 1007 },
      { observation = "o2", path = "processes[8].message_queue", value = 999999 } } }, { id = "n1", dropped = {
      { observation = "o2", path = "processes[8].message_queue", why = "it is 1008, not 999999" } } }))
  add(messages, turn("c4", "set_state", { state = "critical", reason = "a mailbox grows" }, { state = "critical" }))
  for i = 5, 4 + (n or 4) do
    add(messages, turn("c" .. i, "execute", { code = "return beam_overview(" .. i .. ")" }, { observation = "o" .. i,
      trust = "node", callbacks = { "beam_overview" }, result = { total_mb = i, top = rows(20, i) } }))
  end
  return messages
end

local function answer_of(message, i) return json.decode(message.results[i or 1].text) end

describe("runtime.compaction", function()
  it("keeps of an old answer its ids, the figures that were cited, and those that stand first", function()
    local messages = conversation()
    assert.is_true(compaction.run(messages) > 1000)
    local snapshot, look = answer_of(messages[3]), answer_of(messages[5])
    assert.same({ "o1", "2026-01-01T00:00:00Z", "node" }, { snapshot.observation, snapshot.taken_at, snapshot.trust })
    assert.same({ process_count = 912, max_message_queue = 50000 }, snapshot.figures)
    assert.same({ "o2", { "beam_top_processes" }, "node" }, { look.observation, look.callbacks, look.trust })
    local figures = look.figures
    assert.same({ 1007, 912 }, { figures["processes[7].message_queue"], figures.total })
    assert.is_nil(figures["processes[8].message_queue"])
    assert.same({ 1001, "server_1" }, { figures["processes[1].message_queue"], figures["processes[1].name"] })
  end)

  it("leaves the last messages, short answers and all that the model said as they were", function()
    local messages, before = conversation(), conversation()
    compaction.run(messages)
    assert.equal(#before, #messages)
    for i = #before - compaction.keep + 1, #before do assert.same(before[i], messages[i]) end
    for i = 2, #before, 2 do assert.same(before[i], messages[i]) end
    assert.same(before[7].results[1].text, messages[7].results[1].text)
  end)

  it("keeps of notifications who told what, with what figures", function()
    local messages = { { role = "user", text = "Investigate." } }
    add(messages, turn("c1", "get_notifications", {}, { trust = "node", notifications = {
      { id = "n1", operator = "beam", severity = "critical", context = ("c"):rep(600), status = "unread",
        observation = "inbox has 50000 messages", root_cause = { object = "inbox", mechanism = "slow_consumer" },
        evidence = { { observation = "o2", path = "processes[1].message_queue", value = 50000, callback = "x" } } },
    } }))
    for i = 2, 4 do add(messages, turn("c" .. i, "think", { thought = "t" .. i }, { noted = true })) end
    assert.is_true(compaction.run(messages) > 0)
    assert.same({ id = "n1", operator = "beam", severity = "critical", status = "unread",
      observation = "inbox has 50000 messages", root_cause = { object = "inbox", mechanism = "slow_consumer" },
      evidence = { { observation = "o2", path = "processes[1].message_queue", value = 50000 } } },
      answer_of(messages[3]).notifications[1])
  end)

  it("shortens no answer twice, and does nothing that is not worth the provider's cache", function()
    local messages = conversation()
    compaction.run(messages)
    local before = json.encode(messages)
    assert.equal(0, compaction.run(messages))
    assert.equal(before, json.encode(messages))
  end)

  it("folds old turns into one call and its result where the conversation has no end", function()
    local messages, before = conversation(20), conversation(20)
    assert.is_true(compaction.run(messages, { fold = true }) > 10000)
    assert.equal(3 + compaction.keep + 1, #messages)
    assert.same(before[1], messages[1])
    for i = 0, compaction.keep do assert.same(before[#before - i], messages[#messages - i]) end
    local digest = answer_of(messages[3])
    assert.same({ "node", 21 }, { digest.trust, digest.turns })
    assert.same({ { id = "n1", type = "mailbox", severity = "critical", observation = "server_7 has 1007 messages",
      root_cause = { object = "server_7", mechanism = "unhandled_messages" },
      evidence = { { observation = "o2", path = "processes[7].message_queue", value = 1007 } } } },
      digest.notifications)
    assert.same({ { state = "critical", reason = "a mailbox grows" } }, digest.states)
    assert.same({ "o21", 21 }, { digest.looks[10].observation, digest.looks[10].figures.total_mb })
  end)

  it("folds the turns of a run that ends only where the model cannot read it otherwise", function()
    local messages = conversation(20)
    compaction.run(messages, { must = true })
    assert.equal(49, #messages)
    compaction.run(messages, { must = true })
    assert.equal(3 + compaction.keep + 1, #messages)
    assert.equal("n1", answer_of(messages[3]).notifications[1].id)
  end)

  it("keeps a conversation of 10,000 turns flat, and what was told in it last", function()
    local messages, longest, bytes = { { role = "user", text = "Keep watch." } }, { 0, 0 }, { 0, 0 }
    for n = 1, 10000 do
      local half = n <= 5000 and 1 or 2
      if n % 10 == 0 then
        add(messages, turn("c" .. n, "send_notification", { type = "growth", severity = "warning",
          observation = ("look %d"):format(n) }, { id = "n" .. n / 10 }))
      else
        add(messages, turn("c" .. n, "execute", { code = "return f()" }, { observation = "o" .. n,
          callbacks = { "f" }, result = { total = 10000, rows = rows(20, 10000) } }))
      end
      if #messages > compaction.longest then
        bytes[half] = math.max(bytes[half], #json.encode(messages))
        compaction.run(messages, { fold = true })
      end
      longest[half] = math.max(longest[half], #messages)
    end
    assert.equal(longest[1], longest[2])
    assert.is_true(longest[2] <= compaction.longest)
    assert.is_true(bytes[2] <= 1.01 * bytes[1], ("%d bytes, then %d"):format(bytes[1], bytes[2]))
    compaction.run(messages, { fold = true })
    local told = answer_of(messages[3]).notifications
    assert.same({ 30, "n999" }, { #told, told[30].id })
  end)

  it("keeps a run of 2,000 turns flat, and tells whom it serves what was left out", function()
    local turns, longest, forgotten = 0, 0, 0
    local tools = {
      { name = "look", doc = "Looks.", parameters = { type = "object", properties = { n = { type = "integer" } } },
        run = function(_, args) return { observation = "o" .. args.n, result = { rows = rows(20, args.n) } } end },
      { name = "wait", doc = "Waits.", parameters = { type = "object", properties = json.object {} },
        repeatable = true, paces = function() return true end, run = function() return { waited_ms = 1 } end },
      { name = "done", doc = "Ends.", parameters = { type = "object", properties = json.object {} }, ends = true,
        run = function() return { ok = true } end },
    }
    local model = { name = "played" }
    function model.ask(_, request)
      turns, longest = turns + 1, math.max(longest, #request.messages)
      local name = turns >= 2000 and "done" or turns % 4 == 0 and "wait" or "look"
      return { text = "", stop = "calls", calls = { { id = "c" .. turns, name = name,
        args = name == "look" and { n = turns } or {} } } }
    end
    local outcome = async.run(function()
      return agent.run { kind = "operator", provider = model, system = "s", task = "Keep watch.", tools = tools,
        state = {}, turn_seconds = 60, emit = function() end, forgot = function() forgotten = forgotten + 1 end }
    end)
    assert.same({ "done", 2000 }, { outcome.ended, outcome.iterations })
    assert.is_true(longest <= compaction.longest + 1, longest .. " messages")
    assert.equal(20, forgotten)
  end)

  -- Several calls in a turn, errors, texts of ours between: whatever a run may hold.
  local function any(dice)
    local messages, id = { { role = "user", text = "Look." } }, 0
    for _ = 1, 30 do
      local calls, results = {}, {}
      for i = 1, dice(3) do
        id = id + 1
        local name = ({ "execute", "take_snapshot", "send_notification", "get_notifications" })[dice(4)]
        calls[i] = { id = "c" .. id, name = name, args = { code = "return 1" } }
        results[i] = result("c" .. id, name, { observation = "o" .. id, result = rows(dice(30), id), id = "n" .. id })
        results[i].ok = dice(5) > 1
      end
      add(messages, { role = "assistant", text = dice(2) == 1 and "So." or "", calls = calls },
        { role = "tool", results = results })
      if dice(4) == 1 then add(messages, { role = "user", text = "Be short." }) end
    end
    if messages[#messages].role == "tool" then return messages end
    add(messages, turn("last", "think", { thought = "t" }, { noted = true }))
    return messages
  end

  for _, wire in ipairs { "anthropic", "openai" } do
    for _, opts in ipairs { { must = true }, { fold = true } } do
      it(("leaves each call its result, so that %s takes it (%s)"):format(wire, next(opts)), function()
        async.run(function()
          local server = provider.start(wire, function() return { text = "well" } end)
          local kind = wire == "anthropic" and anthropic or openai
          local to = kind.new { key = "k", model = "m", who = { name = wire, env = "KEY" },
            base_url = server.url .. (wire == "openai" and "/v1" or "") }
          local tools = { { name = "look", description = "Looks.", parameters = { type = "object" } } }
          for seed = 1, 20 do
            local state = seed
            local messages = any(function(n)
              state = (state * 1103515245 + 12345) % 2147483648
              return math.floor(state / 65536) % n + 1
            end)
            for _ = 1, 2 do
              compaction.run(messages, opts)
              local reply, err = to:ask { system = "s", tools = tools, messages = messages, max_tokens = 10,
                deadline = async.now() + 30 }
              assert.equal("well", reply and reply.text or tostring(err and err.message))
            end
          end
          server.stop()
          assert.same({}, server.refused)
        end)
      end)
    end
  end
end)
