-- What a report says of a finding beside the finding, on a live node that somebody writes in Elixir for: a consumer
-- that is too slow, under the name that Elixir gives its modules.

local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local gate = require "runtime.gate"
local insight_row = require "runtime.insight_row"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local llm = require "runtime.llm"
local report = require "runtime.report"
local skill = require "runtime.skill"

local CODE = [[
defmodule Shop.Sink do
  def start do
    pid = spawn(__MODULE__, :drain, [])
    Process.register(pid, __MODULE__)
    spawn(__MODULE__, :feed, [pid])
  end
  def drain, do: (receive do _ -> Process.sleep(5) end; __MODULE__.drain())
  def feed(pid), do: (for i <- 1..20 do send(pid, {:order, i}) end; Process.sleep(10); feed(pid))
end
Shop.Sink.start()
]]

describe("a finding on a live node", function()
  local at, r, seen_from

  setup(live.test(function()
    at = live.start { elixir = true, code = CODE }
    seen_from = os.date "!%Y-%m-%dT%H:%M:%SZ"
    r = assert(coordinator.run { node = at.node, skills = { assert(skill.open "beam") }, gate = gate.new {},
      mind = assert(llm.choose { provider = "analyst" }), deadline = async.now() + 60 })
  end))

  teardown(live.stop_all)

  it("points to the function of the node's people, not to that of OTP in which it waits", function()
    local code = r.insights[1].code
    assert.same({ "slow_consumer", "Shop.Sink", "drain", 0 },
      { r.insights[1].root_cause.mechanism, code.module, code["function"], code.arity })
  end)

  it("is told in their language", function()
    local text = report.text(r)
    assert.matches("\n   points to  Shop.Sink.drain/0\n", text, 1, true)
    assert.matches("\n   in Elixir\n", text, 1, true)
  end)

  it("says when each figure was seen", function()
    local ats = {}
    for i, claim in ipairs(r.insights[1].evidence) do
      ats[i] = claim.at >= seen_from and claim.at <= os.date "!%Y-%m-%dT%H:%M:%SZ"
      assert.is_true(ats[i], claim.at)
    end
    assert.is_true(#ats > 0)
  end)

  it("says since when", function()
    assert.matches("^about %d+ %l+ before it was seen, at that rate$", r.insights[1].since)
  end)

  it("has what a designer says of it, as JSON too", function()
    local kept = json.decode(json.encode(r)).insights[1].advice
    assert.matches("^Make the sender feel it%.", kept.change)
    assert.matches("beam_queue_growth", kept.verify)
    assert.equal(json.null, kept.configuration)
  end)
end)

describe("the language of a node", function()
  local function of(value)
    return insight_row.language { evidence = { all = function() return { { value = value } } end } }
  end

  it("is Elixir where a function or the name of a process is", function()
    assert.equal("elixir", of { functions = { { current_function = "Shop.Sink:drain/0" } } })
    assert.equal("elixir", of { programs = { { name = "sort", owner_name = "Convert" } } })
    assert.equal("elixir", of { chains = { { links = { { name = "Shop.Stock", waits_for_name = "Orders" } } } } })
  end)

  it("is Erlang where none is, whatever a text says", function()
    assert.equal("erlang", of { processes = { { name = "shop_sup", current_function = "gen_server:loop/7" } } })
    assert.equal("erlang", of { message = "Convert", templates = { "Shop.Sink is late" }, name = "4th Of:all" })
  end)
end)
