-- What `help` answers, and that it is nothing but words: on a live node, through the sandbox.
local case = require "runtime.case"
local execute = require "runtime.execute"
local gate = require "runtime.gate"
local help = require "runtime.help"
local knowledge = require "runtime.knowledge"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

describe("runtime.help", function()
  local at, ets, of

  setup(function()
    at = live.start {}
    ets = assert(skill.open "ets")
  end)

  teardown(live.stop_all)

  before_each(function()
    of = case.new { node = at.node, skills = { ets }, mind = { name = "played" }, gate = gate.new {} }
  end)

  local function run(code)
    return execute.run({ case = of, skill = ets, node = at.node, gate = of.gate, emit = function() end },
      { code = code })
  end

  it("tells all about a callback: what it does, takes, answers and costs", function()
    local text = help.of(ets, of:words(), "ets_top_tables")
    assert.matches("^ets_top_tables%(limit%?, sort_by%?%), SAFE: The largest tables by memory", text)
    assert.matches("\nlimit: integer, from 1 to 50, 10 if left out\n", text, 1, true)
    assert.matches('\nsort_by: one of memory, size, "memory" if left out\nReturns ', text, 1, true)
    assert.matches("\nCosts the node: ", text, 1, true)
  end)

  it("tells it by an older name too, and the list of all where no name is given", function()
    local older = next(assert(skill.open("overload")).aliases)
    local s = assert(skill.open "overload")
    assert.matches("Returns ", help.of(s, {}, older), 1, true)
    assert.equal(skill.describe(ets), help.of(ets, {}))
  end)

  it("explains the words for mechanisms, one or all, and every action", function()
    assert.matches("^ets_growth: a table is inserted into and nobody deletes\nA table is inserted into and never "
      .. "deleted from: .*\nChange: Give every entry an end: .*\nVerify: ", help.of(ets, of:words(), "ets_growth"))
    assert.matches("\nets_table_leak: tables are made again", help.of(ets, of:words(), "mechanisms"), 1, true)
    assert.matches("^flush_table%(table, without_undo%?%), DANGEROUS: Deletes", help.of(ets, {}, "flush_table"))
  end)

  it("knows what there is to know about the BEAM, and says from the mechanisms on that it does", function()
    assert.matches('\nhelp("topics"): how the BEAM works', help.of(ets, of:words(), "mechanisms"), 1, true)
    assert.matches("\nlinks_or_monitors: end together, or only know", help.of(ets, of:words(), "topics"), 1, true)
    assert.equal(knowledge.of("links_or_monitors").text, help.of(ets, of:words(), "links_or_monitors"))
    assert.matches("did you mean links_or_monitors", select(2, help.of(ets, of:words(), "link_or_monitors")), 1, true)
  end)

  it("gives a model every topic whole", live.test(function()
    local answer = assert(run 'return help("one_liners")')
    assert.equal(knowledge.of("one_liners").text, answer.result)
  end))

  it("says what is near to a name that there is not", function()
    local text, err = help.of(ets, of:words(), "ets_top_table")
    assert.is_nil(text)
    assert.matches("help knows no ets_top_table, did you mean ets_top_tables; it knows callbacks", err, 1, true)
  end)

  it("is a function in the sandbox that asks nothing of the node", live.test(function()
    local calls = at.node.load.calls
    local answer = assert(run 'return help("ets_top_tables")')
    assert.equal(help.of(ets, of:words(), "ets_top_tables"), answer.result)
    assert.same({ {}, calls }, { answer.callbacks, at.node.load.calls })
    assert.is_nil(next(of.answered))
  end))

  it("proves nothing: what it says cannot be cited", live.test(function()
    local answer = assert(run 'return { most = tonumber(help("ets_top_tables"):match("to (%d+)")) }')
    assert.equal(50, answer.result.most)
    local stands, dropped = of.evidence:check_all { { observation = answer.observation, path = "most", value = 50 } }
    assert.same({}, stands)
    assert.matches("was worked out by the script", dropped[1].why, 1, true)
  end))

  it("stands in the error of a call that is wrong", live.test(function()
    local answer, why = run "return ets_top_tables(500)"
    assert.is_nil(answer)
    assert.matches("ets_top_tables: limit must be from 1 to 50", why, 1, true)
    assert.matches("\nlimit: integer, from 1 to 50, 10 if left out\n", why, 1, true)
  end))

  it("gives way to a callback of that name", live.test(function()
    local own = { name = "own", callbacks = { help = { doc = "Mine.", class = "SAFE", returns = { "text" },
      run = function() return { text = "mine" } end } }, queries = {}, checks = {} }
    local answer = assert(execute.run({ case = of, skill = own, node = at.node, gate = of.gate,
      emit = function() end }, { code = "return help()" }))
    assert.same({ "mine", { "help" } }, { answer.result.text, answer.callbacks })
  end))
end)
