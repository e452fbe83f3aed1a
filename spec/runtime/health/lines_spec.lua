-- The figures of `health` in words, of a look that is given.

local figures = require "spec.support.health_figures"
local lines = require "runtime.health.lines"
local rules = require "runtime.health.rules"

local function told(change, unanswered)
  local of, by_name = figures(), {}
  change(of)
  for _, line in ipairs(lines.of(of, unanswered or {}, rules.judge(of))) do by_name[line.name] = line end
  return by_name
end

local function same() end

describe("a line of health", function()
  it("says how it is", function()
    local states = {}
    for name, line in pairs(told(same)) do states[name] = line.state end
    assert.same({ memory = "attention", machine = "bad", processes = "bad", ports = "ok", atoms = "bad", ets = "ok",
      ["run queue"] = "ok", schedulers = "attention", mailboxes = "bad", oban = "attention" }, states)
  end)

  for name, said in pairs {
    memory = "2,049 MB: processes 1,000, binary 500.0, ets 400.0, code 100.0, atom 1.3, other 47.0",
    machine = "16,000 MB, 41% in use; its container 4,096 MB, 92% in use",
    ports = "13,107 of 65,536 (20%)",
    atoms = "1,000,000 of 1,048,576 (95%)",
    ets = "1 table, 400.0 MB, the largest 200.5 MB",
    ["run queue"] = "30 for 8 schedulers",
    schedulers = "71% busy, the fullest 100%; dirty CPU 0%, dirty IO 3.1%",
    mailboxes = "1,234,567 messages in the longest, of sink",
    oban = "available 12, executing 3, scheduled 5, discarded 1; the oldest waits for 1 min 15 s",
  } do
    it("tells of " .. name, function() assert.equal(said, told(same)[name].text) end)
  end

  it("shows what a machine cannot say", function()
    local line = told(function(of) of.machine = { unavailable = "no /proc, no os_mon" } end).machine
    assert.same({ "unknown", "no /proc, no os_mon" }, { line.state, line.text })
  end)

  it("is there for an Oban without a job, and not where there is no Oban", function()
    assert.equal("no job", told(function(of) of.oban = { available = 0 } end).oban.text)
    assert.is_nil(told(function(of) of.oban = nil end).oban)
  end)

  it("says of a part that was not answered why", function()
    local line = told(function(of) of.ets = nil end, { { part = "ets", why = "no answer after 10 s" } }).ets
    assert.same({ "unknown", "not answered: no answer after 10 s" }, { line.state, line.text })
  end)
end)
