-- What the bench counts as right, on runs made up for it.
local score = require "spec.diagnosis.score"

local QUEUE = { mechanism = "slow_consumer", objects = { "pier" } }
local TABLE = { mechanism = "ets_growth", objects = { "plum", "plum_owner" } }

local function says(object, mechanism, severity, found)
  return { object = object, mechanism = mechanism, severity = severity or "critical", claims = 4, found = found or 4 }
end

local function sick(truth, insights)
  return { case = "c", kind = "sick", truth = truth, verdict = "sick", insights = insights, seconds = 3 }
end

local function calm(verdict, insights, accepts)
  return { case = "h", kind = "healthy", truth = {}, verdict = verdict, insights = insights or {}, accepts = accepts,
    seconds = 2 }
end

describe("a diagnosis", function()
  it("is right with the object and the mechanism first", function()
    assert.is_true(score.run(sick({ QUEUE }, { says("pier (<0.90.0>)", "slow_consumer") })).top1)
  end)

  it("is wrong with another object", function()
    assert.is_false(score.run(sick({ QUEUE }, { says("quay", "slow_consumer") })).top1)
  end)

  it("is wrong with a name that only begins with the object's", function()
    assert.is_false(score.run(sick({ QUEUE }, { says("pier_2", "slow_consumer") })).top1)
  end)

  it("is wrong with another mechanism", function()
    assert.is_false(score.run(sick({ QUEUE }, { says("pier", "unhandled_messages") })).top1)
  end)

  it("is wrong without a figure that is found again", function()
    assert.is_false(score.run(sick({ QUEUE }, { says("pier", "slow_consumer", "critical", 0) })).top1)
  end)

  it("is wrong where the look-alike comes first, though the cause is named after it", function()
    local s = score.run(sick({ QUEUE }, { says("quay", "hot_process"), says("pier", "slow_consumer") }))
    assert.same({ false, 1, 1 }, { s.top1, s.named, s.beside })
  end)

  it("takes each of the names that an object has", function()
    assert.is_true(score.run(sick({ TABLE }, { says("plum_owner", "ets_growth") })).top1)
  end)

  it("takes the beginning of a name where that is all there is", function()
    local made = { { mechanism = "module_leak", objects = { "needle*" } } }
    assert.is_true(score.run(sick(made, { says("needle_17", "module_leak") })).top1)
  end)

  it("takes no middle of a name for its beginning", function()
    assert.is_false(score.names("pine_needle", "needle*"))
  end)

  it("is wrong where it abstains", function()
    local run = sick({ QUEUE }, {})
    run.verdict = "cannot_tell"
    local s = score.run(run)
    assert.same({ false, true }, { s.right, s.abstained })
  end)

  it("is wrong where the run broke", function()
    local run = sick({ QUEUE }, {})
    run.verdict = nil
    local s = score.run(run)
    assert.same({ true, false }, { s.broke, s.right })
  end)
end)

describe("two causes", function()
  local function precision(insights)
    local s = score.run(sick({ QUEUE, TABLE }, insights))
    return { s.top1, s.named, s.precision }
  end

  it("are named wholly by two insights, in either order", function()
    assert.same({ true, 2, 1 }, precision { says("plum", "ets_growth"), says("pier", "slow_consumer") })
  end)

  it("cost precision with what stands between them", function()
    assert.same({ true, 2, 2 / 3 },
      precision { says("plum", "ets_growth"), says("quay", "hot_process"), says("pier", "slow_consumer") })
  end)

  it("cost no precision with what comes after both", function()
    assert.same({ true, 2, 1 },
      precision { says("plum", "ets_growth"), says("pier", "slow_consumer"), says("quay", "hot_process") })
  end)

  it("have no precision while one is missing", function()
    assert.same({ true, 1, 0 }, precision { says("plum", "ets_growth") })
  end)
end)

describe("a node where nothing is wrong", function()
  local function judged(run)
    local s = score.run(run)
    return { s.right, s.alarm }
  end

  it("is healthy", function() assert.same({ true, false }, judged(calm "healthy")) end)

  it("is no cause for alarm", function()
    assert.same({ false, true }, judged(calm("sick", { says("pier", "slow_consumer") })))
  end)

  it("may be remarked upon", function()
    assert.same({ true, false }, judged(calm("healthy", { says("pier", "hot_process", "info") })))
  end)

  it("is not left open", function() assert.same({ false, false }, judged(calm "cannot_tell")) end)

  it("may be left open where the case says so", function()
    assert.same({ true, false }, judged(calm("cannot_tell", {}, { "healthy", "cannot_tell" })))
  end)

  it("is no success where the run broke", function() assert.same({ false, false }, judged(calm(nil))) end)
end)

describe("a node with other work besides", function()
  local BUSY = { mechanism = "cpu_saturation", objects = { "elm:spin/1" } }

  local function judged(run)
    run.also = { BUSY }
    local s = score.run(run)
    return { s.right, s.alarm, s.beside }
  end

  it("may be called busy", function()
    assert.same({ true, false, 0 }, judged(calm("sick", { says("elm:spin/1", "cpu_saturation") })))
  end)

  it("is healthy as well", function() assert.same({ true, false, 0 }, judged(calm "healthy")) end)

  it("has its cause found after that work, too", function()
    local found = { says("elm:spin/1", "cpu_saturation"), says("pier", "slow_consumer") }
    assert.same({ true, false, 0 }, judged(sick({ QUEUE }, found)))
  end)

  it("is not explained by that work alone", function()
    assert.same({ false, false, 0 }, judged(sick({ QUEUE }, { says("elm:spin/1", "cpu_saturation") })))
  end)
end)

describe("all runs", function()
  local runs = {
    sick({ QUEUE }, { says("pier", "slow_consumer") }),
    sick({ QUEUE }, { says("quay", "slow_consumer", "critical", 3) }),
    sick({ QUEUE, TABLE }, { says("plum", "ets_growth"), says("pier", "slow_consumer") }),
    calm "healthy", calm("cannot_tell", {}, { "healthy", "cannot_tell" }), calm "cannot_tell",
    calm("sick", { says("pier", "slow_consumer") }),
  }
  runs[6].residue, runs[7].residue = 0, 2
  local s = score.sum(runs)

  local function of(share) return { share.k, share.n } end

  it("are counted by what was wrong", function() assert.same({ 2, 3 }, of(s.top1)) end)
  it("are counted by cause", function() assert.same({ 3, 4 }, of(s.any)) end)
  it("are counted by false alarm", function() assert.same({ 1, 4 }, of(s.alarms)) end)
  it("are counted by accusation beside the cause", function() assert.same({ 1, 3 }, of(s.accused)) end)
  it("are counted by fault that was called healthy", function() assert.same({ 0, 3 }, of(s.missed)) end)
  it("are counted by claim", function() assert.same({ 19, 20 }, of(s.grounded)) end)
  it("are counted by abstention that was right", function() assert.same({ 1, 7 }, of(s.abstained_right)) end)
  it("are counted by abstention that was wrong", function() assert.same({ 1, 7 }, of(s.abstained_wrong)) end)
  it("are counted by what they left behind, where the node could be asked", function()
    assert.same({ 1, 2 }, of(s.residue))
  end)
  it("have the precision of those with two causes", function() assert.equal(1, s.precision_of_two) end)
  it("have a median and a p95", function() assert.same({ 2, 3 }, { s.median, s.p95 }) end)
end)
