-- What a provider's chunk gets to see of a node, and what one at home does.

local actions = require "runtime.actions"
local async = require "runtime.async"
local gate = require "runtime.gate"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local operator = require "runtime.operator"
local skill = require "runtime.skill"
local state_home = require "spec.support.state_home"

local calls, results = model.calls, model.results

local DSN = "postgres://shop:hunter2@db/orders"
local NODE = ([[
  spawn(fun() -> T = ets:new(list_to_atom("%s"), [named_table, public]), ets:insert(T, {1}),
    receive stop -> ok end end),
  spawn(fun() -> (fun L(I) -> logger:error("request ~b of ~p took ~b ms", [I, self(), I rem 7]),
    timer:sleep(20), L(I + 1) end)(1) end), true.]]):format(DSN)

local LOOK = 'return logger_search("request", 50)'

describe("a chunk", function()
  local at

  setup(function() at = live.start { code = NODE } end)

  teardown(live.stop_all)

  -- Runs an operator with these turns, whose words go to `destination`.
  local function run(name, destination, turns)
    local provider, s = model.played(turns), assert(skill.open(name))
    local mind = model.mind { [name] = provider }
    mind.destination = destination
    async.run(function()
      assert(operator.run { node = at.node, skill = s, mind = mind, gate = gate.new {},
        deadline = async.now() + 60 })
    end)
    return provider
  end

  local function read(provider, turn)
    local result = results(provider.asked[turn])[1]
    assert.is_true(result.ok, result.text)
    return json.decode(result.text)
  end

  local function notification(entry, value)
    return { "send_notification", { type = "log", context = "the log", observation = "it says " .. value,
      severity = "warning", snapshot_ids = { "o1" },
      evidence = { { observation = "o2", path = entry, value = value } } } }
  end

  it("of a provider sees log lines as templates, and a claim on one of them stands", function()
    local template = "request <n> of <pid> took <n> ms"
    local provider = run("logger", "played.example", {
      calls { "take_snapshot" }, calls { "execute", { code = LOOK } },
      calls(notification("entries[1].message", template), notification("entries[1].message", "request 5 took 1 ms")),
      calls { "done" }, calls { "done" },
    })
    local answer = read(provider, 3).result
    assert.same({ 1, template }, { #answer.entries, answer.entries[1].message })
    assert.equal(answer.showing, answer.entries[1].count)
    assert.is_true(answer.showing > 5)
    assert.is_true(answer.entries[1].first < answer.entries[1].last)
    assert.matches("^request %d+ of <0%.%d+%.0> took %d ms$", answer.entries[1].example)
    local sent = results(provider.asked[4])
    assert.same({}, json.decode(sent[1].text).dropped)
    assert.matches("entries%[1%]%.message is \"request <n> of <pid>", json.decode(sent[2].text).dropped[1].why)
  end)

  it("at home sees each line as it came", function()
    local provider = run("logger", nil, {
      calls { "take_snapshot" }, calls { "execute", { code = LOOK } }, calls { "done" }, calls { "done" },
    })
    local answer = read(provider, 3).result
    assert.equal(answer.showing, #answer.entries)
    assert.matches("^request %d+ of <0%.%d+%.0> took %d ms$", answer.entries[1].message)
  end)

  local TURNED = [[
    for _, t in ipairs(ets_list_tables(50).tables) do
      if (t.name or ""):find("postgres", 1, true) then
        return { name = t.name, turned = t.name:reverse(), again = ets_table_info(t.name) }
      end
    end]]

  it("of a provider cannot turn a secret into another text, and may ask by the name that stands for it", function()
    local provider = run("ets", "played.example", {
      calls { "take_snapshot" }, calls { "execute", { code = TURNED } }, calls { "done" }, calls { "done" },
    })
    local answer = read(provider, 3).result
    assert.matches("^postgres://shop:<secret:%x+>@db/orders$", answer.name)
    assert.equal(answer.name:reverse(), answer.turned)
    assert.equal(answer.name, answer.again.name)
  end)

  it("of a provider may lead to an action on what is named by a secret, which the person sees as it is", function()
    state_home.open()
    finally(state_home.close)
    local provider = run("ets", "played.example", {
      calls { "take_snapshot" }, calls { "execute", { code = TURNED } },
      function(request)
        local name = json.decode(results(request)[1].text).result.name
        return calls { "propose_action", { action = "flush_table", arguments = { table = name }, reason = "full" } }
      end,
      calls { "done" }, calls { "done" },
    })
    local told = read(provider, 4)
    assert.matches("^postgres://shop:<secret:%x+>@db/orders$", told.object)
    local listed = actions.get(assert(actions.store {}), told.id)
    assert.same({ DSN, DSN, "proposed" }, { listed.arguments.table, listed.object, listed.state })
  end)

  it("at home sees the secret, and what a model would be shown of it is masked", function()
    local provider = run("ets", nil, {
      calls { "take_snapshot" }, calls { "execute", { code = TURNED } }, calls { "done" }, calls { "done" },
    })
    local result = results(provider.asked[3])[1]
    assert.equal(DSN, result.data.result.name)
    assert.is_nil(result.text:find("hunter2", 1, true))
  end)

  it("says of an answer that was cut which arguments ask for less", function()
    local many = "local t, all = ets_list_tables(30), {} for i = 1, 8 do all[i] = t end return all"
    local provider = run("ets", nil, { calls { "execute", { code = many } }, calls { "done" }, calls { "done" } })
    local told = json.decode(results(provider.asked[2])[1].text).cut
    assert.equal("narrow with ets_list_tables(limit?), or return fewer fields; what is left out can still be cited",
      told[#told])
  end)
end)
