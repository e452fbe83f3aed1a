-- The words of a model on a cassette, in the order in which they were said. Both providers here are real ones: what
-- is recorded is a script, what replays it is what `replay` uses.

local async = require "runtime.async"
local cassette = require "runtime.cassette"
local mind_of = require "runtime.llm.cassette"
local script = require "runtime.llm.script"
local uv = require "luv"

local function same(text) return text end

local function request(text, o)
  o = o or {}
  return { system = o.system or "be good", tools = o.tools, messages = { { role = "user", text = text } },
    deadline = async.now() + 20 }
end

-- A cassette of what is asked in `play`; its entries.
local function taped(replies, play)
  local folder = assert(uv.fs_mkdtemp "/tmp/spec-cassette-XXXXXX")
  local path, read = folder .. "/a", nil
  async.run(function()
    local tape = assert(cassette.create(path, { agent = "operator", node = "a@b", skills = { "ets" },
      recorded_at = "2026-01-01T00:00:00Z", mind = { name = "script", destination = true } }))
    local mind = mind_of.recording({
      name = "script", operator = function(s) return script.new(replies, { agent = "operator", skill = s.name }) end,
      coordinator = function() return script.new(replies, { agent = "coordinator" }) end,
    }, tape, same)
    play(mind)
    tape:finish { report = { verdict = "healthy", insights = {} } }
    read = assert(cassette.read(path))
  end)
  os.execute(("rm -rf '%s'"):format(folder))
  return read
end

local function ets() return { name = "ets" } end
local function beam() return { name = "beam" } end

-- Each agent says its name and its turn; the first to ask is the last to be answered.
local function slow_first(_, turn, who)
  local name = who.skill or who.agent
  async.sleep(name == "ets" and 0.06 or 0.01)
  return { text = ("%s %d"):format(name, turn), calls = { { name = "think", args = { thought = name } } },
    usage = { input = 3, output = 4 } }
end

local function both(mind)
  local order = {}
  local function talk(s)
    local provider = mind.operator(s())
    for turn = 1, 2 do
      local text = provider:ask(request("turn " .. turn)).text
      order[#order + 1] = text
    end
  end
  async.all { function() talk(ets) end, function() talk(beam) end }
  return order
end

local function alone(mind)
  local provider = mind.operator(beam())
  for turn = 1, 2 do provider:ask(request("turn " .. turn)) end
end

describe("runtime.llm.cassette", function()
  it("says again what was said: text, calls, usage, why it stopped", function()
    local tape = taped(slow_first, alone)
    async.run(function()
      local mind, conductor = mind_of.replaying(tape)
      local reply = mind.operator(beam()):ask(request "turn 1")
      assert.same({ "beam 1", "calls", { input = 3, output = 4 } }, { reply.text, reply.stop, reply.usage })
      assert.same({ { id = "call_1_1", name = "think", args = { thought = "beam" } } }, reply.calls)
      assert.same({}, conductor.changed)
    end)
  end)

  it("says it in the order in which it was said, whoever asks first", function()
    local recorded
    local tape = taped(slow_first, function(mind) recorded = both(mind) end)
    assert.same({ "beam 1", "beam 2", "ets 1", "ets 2" }, recorded)
    async.run(function() assert.same(recorded, both((mind_of.replaying(tape)))) end)
  end)

  it("keeps agents of one name apart", function()
    local replies = { { text = "first", usage = {} } }
    local tape = taped(replies, function(mind)
      mind.operator(ets()):ask(request "a")
      mind.operator(ets()):ask(request "b")
    end)
    async.run(function()
      local mind, conductor = mind_of.replaying(tape)
      mind.operator(ets()):ask(request "a")
      mind.operator(ets()):ask(request "b")
      assert.same({}, conductor.changed)
    end)
  end)

  it("tells what of a request is another: the prompt, the tools, the messages", function()
    local tape = taped(slow_first, alone)
    async.run(function()
      local mind, conductor = mind_of.replaying(tape)
      local provider = mind.operator(beam())
      provider:ask(request("turn 1", { system = "be quick" }))
      provider:ask(request("another", { tools = { { name = "x" } } }))
      assert.same({ { agent = "beam#1", turn = 1, parts = { "prompt" } },
        { agent = "beam#1", turn = 2, parts = { "tools", "messages" } } }, conductor.changed)
    end)
  end)

  it("takes moments and the length of a wait for no difference", function()
    local function sums(at, ms)
      return mind_of.sums(request(('{"at":"%s","waited_ms":%d}'):format(at, ms)))
    end
    assert.same(sums("2026-01-01T10:00:00Z", 99), sums("2027-02-03T11:12:13.5Z", 101))
    assert.is_false(sums("2026-01-01T10:00:00Z", 99).messages == mind_of.sums(request "another").messages)
  end)

  it("fails again where it failed, in the same words", function()
    local tape = taped({ { err = { class = "quota", message = "the account is empty" } } }, function(mind)
      mind.coordinator {}:ask(request "hello")
    end)
    async.run(function()
      local _, err = mind_of.replaying(tape).coordinator {}:ask(request "hello")
      assert.same({ "quota", "the account is empty" }, { err.class, err.message })
    end)
  end)

  it("says that it has no reply, and lets go of who waits for the order", function()
    local tape = taped(slow_first, both)
    async.run(function()
      local mind, conductor = mind_of.replaying(tape)
      local waits = async.spawn(function() return mind.operator(ets()):ask(request "turn 1").text end)
      local _, err = mind.coordinator {}:ask(request "hello")
      assert.equal("the cassette has no reply for turn 1 of coordinator#1; a model would be needed: --provider NAME",
        err.message)
      assert.same({ { agent = "coordinator#1", turn = 1 } }, conductor.missing)
      assert.same({ true, "ets 1" }, { waits:join(async.now() + 20) })
    end)
  end)

  it("asks a model where it has no reply", function()
    local tape = taped(slow_first, both)
    local live = { coordinator = function() return script.new { { text = "live" } } end }
    async.run(function()
      local mind = mind_of.replaying(tape, live)
      assert.equal("live", mind.coordinator {}:ask(request "hello").text)
    end)
  end)

  it("asks a model from the first turn on where the prompt is another, and only for that agent", function()
    local tape = taped(slow_first, alone)
    local function says(_, turn) return { text = "live " .. turn } end
    local live = { operator = function() return script.new(says) end }
    async.run(function()
      local mind, conductor = mind_of.replaying(tape, live)
      local provider = mind.operator(beam())
      assert.equal("live 1", provider:ask(request("turn 1", { system = "be quick" })).text)
      assert.equal("live 2", provider:ask(request("turn 2", { system = "be quick" })).text)
      assert.same({ { ["beam#1"] = true }, 1 }, { conductor.anew, #conductor.changed })
      local same_prompt = mind_of.replaying(tape, live).operator(beam())
      assert.equal("beam 1", same_prompt:ask(request "turn 1").text)
    end)
  end)

  it("goes on where who was answered then is gone now", function()
    local function once(mind)
      return async.all {
        function() return mind.operator(ets()):ask(request "turn 1").text end,
        function() return mind.operator(beam()):ask(request "turn 1").text end,
      }
    end
    local tape = taped(slow_first, once)
    async.run(function()
      local mind, conductor = mind_of.replaying(tape)
      local stays = async.spawn(function() return mind.operator(ets()):ask(request "turn 1").text end)
      local gone = async.spawn(function() return mind.operator(beam()):ask(request "turn 1") end)
      gone:cancel "stopped"
      gone:join()
      assert.same({ true, "ets 1" }, { stays:join(async.now() + 20) })
      assert.is_nil(conductor.free)
    end)
  end)
end)
