local evidence = require "runtime.evidence"

describe("runtime.evidence", function()
  local e

  before_each(function()
    e = evidence.new()
    e:add { kind = "snapshot", operator = "beam", callback = "beam snapshot", at = "t",
      value = { memory_utilization_pct = 12.3456, run_queue = 3, name = "shop", zero = 0.25 } }
    local answer = { total = 2, processes = { { pid = "<0.9.0>", message_queue = 9780 },
      { pid = "<0.8.0>", message_queue = 4 } } }
    e:add { operator = "beam", callback = "beam_top_processes", at = "t", value = answer, answers = { answer } }
  end)

  local function check(observation, path, value)
    return e:check { observation = observation, path = path, value = value }
  end

  it("gives observations ids in the order in which they come", function()
    assert.equal("o3", e:add { operator = "ets", callback = "x", value = 1, at = "t" })
    assert.equal("ets", e:get("o3").operator)
  end)

  it("lets a claim stand whose value is where it says", function()
    assert.same(
      { observation = "o2", callback = "beam_top_processes", path = "processes[1].message_queue", value = 9780 },
      check("o2", "processes[1].message_queue", 9780))
  end)

  it("drops a value that is not there, and says what is", function()
    assert.same({ nil, "o2: processes[2].message_queue is 4, not 9780" },
      { check("o2", "processes[2].message_queue", 9780) })
  end)

  it("drops a path that leads nowhere, and names what is there", function()
    assert.same({ nil, "o2: no msgs in processes.1; there is message_queue, pid" },
      { check("o2", "processes[1].msgs", 9780) })
    assert.same({ nil, "o2: processes has 2 entries, counted from 1" }, { check("o2", "processes[3].pid", "x") })
    assert.same({ nil, 'o2: "processes[" is no path: write it like processes[1].message_queue' },
      { check("o2", "processes[", 1) })
  end)

  it("drops an observation that was never made", function()
    assert.same({ nil, "there is no observation o9; there are o1 to o2" }, { check("o9", "total", 2) })
  end)

  it("names the latest observations where older ones were let go", function()
    for i = 3, 6 do e:add { value = { n = i } } end
    e:prune({ o1 = true, o2 = true }, 2)
    assert.same({ nil, "there is no observation o3; the latest are o5 to o6" }, { check("o3", "n", 3) })
  end)

  it("drops a claim of a whole table", function()
    assert.matches("cite one of them", select(2, check("o2", "processes[1]", "x")))
  end)

  it("takes a figure rounded to the decimals it is given with, and tells the measured one", function()
    assert.equal(12.3456, check("o1", "memory_utilization_pct", 12.35).value)
    assert.equal(12.3456, check("o1", "memory_utilization_pct", 12).value)
    assert.is_nil((check("o1", "memory_utilization_pct", 12.4)))
  end)

  it("takes no rounding of a whole number, and no zero for what is not zero", function()
    assert.is_nil((check("o1", "run_queue", 3.4)))
    assert.is_nil((check("o1", "zero", 0)))
  end)

  it("takes both ways to cite a result: as it is, and in the wrapping it was shown in", function()
    assert.equal("total", check("o2", "result.total", 2).path)
    assert.equal("run_queue", check("o1", "data.run_queue", 3).path)
  end)

  it("drops what a script made up, even beside a true answer", function()
    e:add { operator = "beam", callback = "beam_get_memory", at = "t", value = { queue = 99999, total_mb = 20.5 },
      answers = { { total_mb = 20.5 } } }
    assert.equal(20.5, check("o3", "total_mb", 20.5).value)
    assert.matches("was worked out by the script", select(2, check("o3", "queue", 99999)))
  end)

  it("drops every claim on a script that asked the node nothing", function()
    e:add { operator = "beam", callback = "", at = "t", value = { queue = 1 }, answers = {} }
    assert.is_nil((check("o3", "queue", 1)))
  end)

  it("takes a masked value for the one that was shown masked", function()
    e = evidence.new(function(v) return v == "s3cret" and "[secret 1]" or v end)
    e:add { operator = "beam", callback = "x", at = "t", value = { name = "s3cret" } }
    assert.equal("s3cret", check("o1", "name", "[secret 1]").value)
  end)

  it("keeps what it was given, whatever becomes of the table", function()
    local value = { a = 1 }
    e:add { operator = "beam", callback = "x", at = "t", value = value }
    value.a = 2
    assert.equal(1, check("o3", "a", 1).value)
  end)

  it("parts the claims that stand from those that fell", function()
    local stand, dropped = e:check_all { { observation = "o2", path = "total", value = 2 },
      { observation = "o2", path = "total", value = 7 } }
    assert.equal(1, #stand)
    assert.same({ { observation = "o2", path = "total", why = "o2: total is 2, not 7" } }, dropped)
  end)

  describe("calls a hypothesis grounded", function()
    local one, two, other
    local apart = { { mechanism = "selective_receive_scan", why_not = "the queue grows" } }

    before_each(function()
      one, two = check("o1", "run_queue", 3), check("o2", "total", 2)
      e:add { kind = "snapshot", operator = "ets", callback = "x", value = { a = 1 }, at = "t" }
      other = check("o3", "a", 1)
    end)

    it("when facts of two operators bear it out", function()
      assert.is_true(e:grounded({ one, other }, "slow_consumer", {}))
    end)

    it("when a look of its own told it from a look-alike", function()
      assert.is_true(e:grounded({ one, two }, "slow_consumer", apart))
    end)

    it("not on one observation, not without a look-alike, not when told apart from itself", function()
      assert.is_false(e:grounded({ two, two }, "slow_consumer", apart))
      assert.is_false(e:grounded({ one, two }, "slow_consumer", {}))
      assert.is_false(e:grounded({ one, two }, "selective_receive_scan", apart))
    end)
  end)
end)
