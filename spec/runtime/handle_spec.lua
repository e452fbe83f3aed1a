local async = require "runtime.async"
local gate = require "runtime.gate"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local operator = require "runtime.operator"
local skill = require "runtime.skill"
local until_true = require "spec.support.until_true"

local calls, says = model.calls, model.says

describe("runtime.handle", function()
  local at, ets

  setup(function()
    at = live.start()
    ets = assert(skill.open "ets")
  end)

  teardown(live.stop_all)

  local function start(turns, more)
    local opts = { node = at.node, skill = ets, mind = model.mind { ets = turns and model.played(turns) },
      gate = gate.new {}, deadline = async.now() + 60 }
    for key, value in pairs(more or {}) do opts[key] = value end
    return assert(operator.start(opts))
  end

  it("says how the operator is, and how it was when it has ended", live.test(function()
    local h = start { calls({ "take_snapshot" }, { "set_state", { state = "warning", reason = "r" } }), says "seen" }
    h:join()
    local s = h:status()
    assert.same({ "ets", at.name, "on_demand", "warning", 2, false, "answer", 0 },
      { s.skill, s.node, s.mode, s.state, s.iterations, s.running, s.ended, s.notifications })
    assert.same({ 2, 20, 4 }, { s.usage.calls, s.usage.input_tokens, s.usage.output_tokens })
  end))

  it("lets whoever waits for it wait no longer than they like", live.test(function()
    local h = start { calls { "wait", { ms = 60000 } } }
    assert.same({ nil, "timeout" }, { h:join(0.01) })
    assert.is_true(h:status().running)
    h:stop "no longer wanted"
    assert.equal("interrupted", h:join().incomplete)
  end))

  it("ends it when the caller who waits for it is cancelled, with what there is", live.test(function()
    local h = start { calls { "take_snapshot" }, calls { "wait", { ms = 60000 } } }
    local report
    local caller = async.spawn(function() report = h:join() end)
    until_true("a second step", function() return h:status().iterations >= 2 end)
    caller:cancel "interrupted"
    assert.same({ "interrupted", 1, false }, { report.incomplete, #report.looks, h:status().running })
  end))

  it("waits for its turn behind a run of the same skill, but not behind one without an end", live.test(function()
    local endless = start({ calls { "wait", { ms = 3600000 } } }, { mode = "continuous" })
    local first = start { calls { "wait", { ms = 60000 } } }
    local second = start { says "my turn" }
    assert.same({ 1, 1, 0 },
      { endless:status().iterations, first:status().iterations, second:status().iterations })
    first:stop()
    second:join()
    assert.same({ "answer", 1 }, { second:status().ended, second:status().iterations })
    endless:stop()
  end))

  it("says that its turn never came in its time", live.test(function()
    local first = start { calls { "wait", { ms = 60000 } } }
    local report = start({ says "x" }, { deadline = async.now() + 0.02 }):join()
    assert.same({ "cannot_tell", "deadline" }, { report.verdict, report.incomplete })
    first:stop()
  end))

  it("reports a crash, and says it to who follows", live.test(function()
    local h = start(nil)
    local told = {}
    for item in h:messages() do told[#told + 1] = { item.kind, item.ended } end
    assert.same({ { "ended", "crashed" } }, told)
    assert.matches("^the ets operator crashed: ", h:join().would_tell[1])
  end))

  it("keeps no more than two hundred of what nobody reads, the latest", live.test(function()
    local n = 0
    local h = start({ function()
      n = n + 1
      return n <= 300 and calls { "set_state", { state = "healthy", reason = tostring(n) } } or says "x"
    end }, { limits = { iterations = 1000 } })
    h:join()
    local read, last = 0, nil
    for item in h:messages() do
      read = read + 1
      last = item.reason or last
    end
    assert.same({ 200, "300", 101 }, { read, last, h:status().missed })
  end))

  it("tells each item to one of those who follow, and the end to all of them", live.test(function()
    local h, items, ended = start { calls { "take_snapshot" }, calls { "wait", { ms = 60000 } } }, {}, 0
    local function follow()
      for item in h:messages() do items[#items + 1] = item.kind end
      ended = ended + 1
    end
    local followers = { async.spawn(follow), async.spawn(follow) }
    h:stop()
    for _, task in ipairs(followers) do assert.is_true((task:join(async.now() + 30))) end
    assert.same({ { "ended" }, 2 }, { items, ended })
  end))

  it("goes on telling when one who followed was cancelled", live.test(function()
    local h = start { calls { "take_snapshot" }, calls { "wait", { ms = 60000 } } }
    local first = async.spawn(function() return h:messages()() end)
    first:cancel()
    local second = async.spawn(function() return h:messages()() end)
    h:stop()
    local _, item = second:join(async.now() + 30)
    assert.equal("ended", item.kind)
  end))

  it("says in words what its methods take, and goes on", live.test(function()
    local h = start { calls { "take_snapshot" }, calls { "wait", { ms = 60000 } } }
    for words, slip in pairs {
      ["join wants seconds; for example handle:join(30)"] = function() h:join "5" end,
      ["join wants seconds"] = function() h:join(0 / 0) end,
      ["message wants a text; for example handle:message(\"what grows?\")"] = function() h:message() end,
      ["message wants a text"] = function() h:message {} end,
      ["message wants seconds; for example handle:message(\"what grows?\", 30)"] = function() h:message("x", "y") end,
      ["stop wants words that say why, or nothing; for example handle:stop()"] = function() h:stop {} end,
      ["status is a method; call it with a colon: handle:status()"] = function() h.status() end,
    } do
      local ok, why = pcall(slip)
      assert.is_false(ok)
      assert.matches(words, tostring(why), 1, true)
      assert.matches("handle_spec.lua:%d+: ", tostring(why))
    end
    assert.is_true(h:status().running)
    h:stop()
    assert.equal("interrupted", h:join().incomplete)
  end))
end)
