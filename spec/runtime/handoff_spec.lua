local handoff = require "runtime.handoff"
local json = require "runtime.json"
local report_of = require "spec.support.hostile_report"

local function of(more) return handoff.text(report_of("kettle", more)) end

describe("runtime.handoff", function()
  it("begins with verdict, node, object and mechanism", function()
    assert.equal("# SICK `kettle`, `kettle`: `slow_consumer`", of():match "^[^\n]*")
  end)

  it("goes from what is wrong to what is left to do, and ends with how it was looked at", function()
    local heads = {}
    for head in of():gmatch "\n## ([^\n]+)" do heads[#heads + 1] = head end
    assert.same({ "Summary", "Evidence", "Considered, and why not", "Recommendations", "Risk and validation plan",
      "Actions", "Follow-up", "How it was looked at" }, heads)
  end)

  it("has each figure with its value, where it stood and when it was seen", function()
    local r = report_of "kettle"
    r.insights[1].evidence = { { observation = "o2", callback = "beam_queue_growth",
      path = "processes[1].final_queue", value = 13232, at = "2026-11-21T23:00:00Z" } }
    assert.matches("\n| `final_queue` | `13,232` | `o2`, `beam_queue_growth` `processes[1].final_queue` | "
      .. "`2026-11-21T23:00:00Z` |\n", handoff.text(r), 1, true)
  end)

  it("quotes what a model says of it in the summary", function()
    local r = report_of "kettle"
    r.insights[1].root_cause_hypothesis = "The sink logs each."
    assert.matches('\nExplained: "The sink logs each."\n', handoff.text(r), 1, true)
  end)

  it("says unknown where nobody knows since when, where in the code and when", function()
    local r = report_of "kettle"
    local i = r.insights[1]
    i.since, i.code, i.evidence[1].at = json.null, json.null, nil
    assert.matches("| warning | unknown | unknown | high, told apart", handoff.text(r), 1, true)
    assert.matches(" | unknown |\n\n## Considered", handoff.text(r), 1, true)
  end)

  it("has the change as code in both languages, how to verify and undo it, and tasks", function()
    local text, advice = of(), require("runtime.advice").of "slow_consumer"
    assert.matches("\n```erlang\n" .. advice.erlang .. "\n```\n", text, 1, true)
    assert.matches("\n```elixir\n" .. advice.elixir .. "\n```\n", text, 1, true)
    assert.matches("\n- **verify**: " .. advice.verify .. "\n- **undo**: " .. advice.undo .. "\n", text, 1, true)
    assert.matches("\n- [ ] " .. advice.follow_up[1] .. "\n", text, 1, true)
  end)

  it("has the settings where they are the fix", function()
    local r = report_of "kettle"
    r.insights[1].advice = require("runtime.insight_row").advice "schedulers_limited"
    assert.matches("\nConfiguration:\n\n- at once: `erlang:system_flag(schedulers_online, N)`", handoff.text(r), 1,
      true)
  end)

  it("stands without advice for a word that has none", function()
    local r = report_of "kettle"
    r.insights[1].advice = json.null
    assert.matches("\nNo word of ours tells what to change", handoff.text(r), 1, true)
    assert.is_nil(handoff.text(r):find("## Follow-up", 1, true))
  end)

  it("gives each of several findings a heading in every section", function()
    local r = report_of "kettle"
    r.insights[2] = report_of("urn").insights[1]
    local _, count = handoff.text(r):gsub("\n### 2%. `urn`: `slow_consumer`\n", "")
    assert.equal(4, count)
  end)

  it("has for a healthy node what was seen", function()
    local text = of { verdict = "healthy", insights = {}, actions = {},
      looks = { { skill = "beam", observation = "o1", figures = { run_queue = 0, total_mb = 20.5 } } } }
    assert.equal("# HEALTHY `kettle`\n\nevery look that was called for was made and found nothing.\n\n"
      .. "## What was seen\n\n| skill | figure | value |\n| --- | --- | --- |\n| `beam` | `run_queue` | `0` |\n"
      .. "| `beam` | `total_mb` | `20.5` |\n\n## How it was looked at\n", text:match "^(.-\n)\n%- reason")
  end)

  it("has for one that cannot be told what is missing, and why it ended", function()
    local text = of { verdict = "cannot_tell", insights = {}, actions = {}, incomplete = "deadline",
      would_tell = { "ets was never looked at" } }
    assert.matches("^# CANNOT TELL `kettle`\n\nwhat would tell stands below%.\n\nIncomplete: the time was up%.\n\n"
      .. "## Missing\n\n%- ets was never looked at\n", text)
  end)

  it("names the kept run", function()
    assert.equal("- kept as `r7`: `beamlens-run show r7`", of():match "\n([^\n]*)\n$")
  end)
end)
