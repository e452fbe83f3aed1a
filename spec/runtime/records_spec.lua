-- Right and wrong are counted from what people said and what runs found, in a real store.

local uv = require "luv"
local async = require "runtime.async"
local feedback = require "runtime.feedback"
local json = require "runtime.json"
local records = require "runtime.records"
local retention = require "runtime.retention"
local runs = require "runtime.runs"
local store = require "runtime.store"

local folder, s

local function run(number, insights, more)
  local at = more and more.at or os.time()
  assert(s.db:run([[insert into runs (number, trace_id, node, skills, reason, mind, started_at, process, ended_at,
    verdict) values (?, ?, 'n@h', '["beam"]', '', 'analyst', ?, '', ?, 'sick')]], number, ("%032x"):format(number), at,
    at))
  for i, insight in ipairs(insights) do
    local object, mechanism, severity = unpack(insight)
    assert(s.db:run("insert into insights values (?, ?, 'n@h', ?, ?, ?, 1, ?)", number, "i" .. i, object, mechanism,
      json.encode { "beam" }, json.encode { node = "n@h", severity = severity or "warning",
        root_cause = { object = object, mechanism = mechanism } }))
  end
end

local function say(id, word, cause, note)
  return async.run(function()
    return feedback.keep(s, { id = id, state = "ended" }, { word = word, note = note or "",
      cause = cause and assert(feedback.cause(cause, s)) or nil })
  end)
end

local function told(mechanism)
  local report = { insights = { { root_cause = { object = "x", mechanism = mechanism } } } }
  records.tell(s, report)
  return report.insights[1].record
end

local function refused(...)
  local kept, err = say(...)
  assert.is_nil(kept)
  return tostring(err)
end

describe("what people say of runs", function()
  before_each(function()
    folder = assert(uv.fs_mkdtemp "/tmp/spec-records-XXXXXX")
    s = assert(store.open(folder .. "/store.db"))
  end)
  after_each(function()
    s:close()
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  it("is the record of each check: all findings of a right run were right", function()
    run(1, { { "a", "slow_consumer" }, { "b", "ets_growth" }, { "c", "unbounded_state", "info" } })
    assert(say("r1", "right"))
    assert.same({ { skill = "beam", mechanism = "ets_growth", right = 1, wrong = 0, missed = 0 },
      { skill = "beam", mechanism = "slow_consumer", right = 1, wrong = 0, missed = 0 } }, records.all(s))
  end)

  it("makes right what was named as the cause, and wrong what else the run named", function()
    run(1, { { "a", "slow_consumer" }, { "b", "ets_growth" } })
    assert(say("r1", "wrong", "b:ets_growth"))
    assert.same({ { right = 0, of = 1 }, { right = 1, of = 1 } }, { told "slow_consumer", told "ets_growth" })
  end)

  it("counts a cause that nobody found as missed, by nobody", function()
    run(1, { { "a", "slow_consumer" } })
    assert(say("r1", "wrong", "b:ets_growth"))
    assert.same({ { skill = "beam", mechanism = "slow_consumer", right = 0, wrong = 1, missed = 0 },
      { mechanism = "ets_growth", right = 0, wrong = 0, missed = 1 } }, records.all(s))
  end)

  it("stands once for each run: said again, it is replaced", function()
    run(1, { { "a", "slow_consumer" } })
    assert.same({}, say("r1", "right"))
    assert.equal("right", say("r1", "wrong", "healthy", "a batch").before.word)
    assert.same({ right = 0, of = 1 }, told "slow_consumer")
    local kept = feedback.all(s)[1]
    assert.same({ "wrong", { mechanism = "healthy" }, "a batch" }, { kept.word, kept.cause, kept.note })
  end)

  it("is nothing beside a finding of which nobody said anything", function()
    run(1, { { "a", "slow_consumer" } })
    assert.is_nil(told "slow_consumer")
    assert(say("r1", "right"))
    assert.is_nil(told "ets_growth")
  end)

  it("stands beside the finding in the list of all", function()
    run(1, { { "a", "slow_consumer" } })
    run(2, { { "a", "slow_consumer" } })
    assert(say("r1", "right"))
    assert(say("r2", "wrong"))
    assert.same({ right = 1, wrong = 1 }, require("runtime.insights").list(s)[1].said)
  end)

  it("is kept with its run when other runs are too old", function()
    local old = os.time() - 200 * 86400
    for number = 1, 30 do run(number, { { "a", "slow_consumer" } }, { at = old + number * 6 * 86400 }) end
    assert(say("r2", "right"))
    assert(async.run(function() return retention.apply(s, { runs_days = 90, events_days = 7 }, os.time()) end))
    assert.is_not_nil(runs.report(s, "r2"))
    assert.is_nil((runs.report(s, "r3")))
    assert.same({ right = 1, of = 1 }, told "slow_consumer")
  end)

  it("names a cause as reports do, also where the object has colons in it", function()
    assert.same({ object = "shop:loop/1", mechanism = "process_leak" }, feedback.cause("shop:loop/1:process_leak", s))
    assert.same({ object = "invoices", mechanism = "slow_consumer" }, feedback.cause("invoices: slow_consumer", s))
  end)

  for text, why in pairs {
    ["invoices:slow_consumr"] = "there is no mechanism slow_consumr; near are slow_consumer",
    ["invoices"] = "--cause wants OBJECT:MECHANISM, as a report names it, not invoices; for example",
    [":slow_consumer"] = "--cause wants OBJECT:MECHANISM, as a report names it, not :slow_consumer; for example",
    ["x:qqqqqq"] = "there is no mechanism qqqqqq; it is `other` when none fits",
  } do
    it("refuses the cause " .. text, function()
      local cause, err = feedback.cause(text, s)
      assert.is_nil(cause)
      assert.equal(why, tostring(err):sub(1, #why))
    end)
  end

  it("refuses what it cannot keep", function()
    assert.equal("a run was right or wrong, not righ; did you mean right?", refused("r1", "righ"))
    assert.matches("^what was right needs no %-%-cause; ", refused("r1", "right", "a:slow_consumer"))
    assert.matches("^the note has 2001 bytes, and 2000 are kept; ", refused("r1", "wrong", nil, ("x"):rep(2001)))
    local kept, err = feedback.keep(s, { id = "r1", state = "running" }, { word = "right", note = "" })
    assert.same({ nil, "r1 still goes on; wait for its report" }, { kept, tostring(err) })
  end)
end)
