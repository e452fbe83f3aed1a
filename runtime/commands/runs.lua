--- `runs [COUNT]`: the latest runs, with what each came to.

local columns = require "runtime.columns"
local failure = require "runtime.failure"
local feedback = require "runtime.feedback"
local json = require "runtime.json"
local plain = require "runtime.plain"
local screen = require "runtime.screen"
local runs = require "runtime.runs"
local store = require "runtime.store"

local command = {
  usage = "runs [COUNT]",
  words = 1,
  doc = "the latest: when, where, the verdict, what it cost",
  examples = {
    { "beamlens-run runs", "the latest 20; `show r17` has all of one" },
    { "beamlens-run runs 100 --json", "more of them, as JSON" },
  },
  more = [[
What runs saw and told is kept in a file of your own ($XDG_STATE_HOME/beamlens/beamlens.db, or --store FILE), for
as long as `retention` of the config says: 90 days, events 7. --store :memory: keeps nothing. `interrupted` is a run
whose process was ended before it had a report; what it had told until then is kept all the same.
]],
}

local USUAL, MOST, LONGEST_REASON = 20, 10000, 60

local function outcome(run)
  if run.state ~= "ended" then return run.state end
  return tostring(run.verdict):gsub("_", " ") .. (run.incomplete and ", incomplete" or "")
end

local function some_said(list)
  for _, run in ipairs(list) do
    if run.feedback then return true end
  end
end

-- `spoken`: whether there is a column for what people said.
local function cells(run, spoken)
  local row = {
    run.id, columns.moment(run.started_at), run.node, outcome(run),
    run.ms and ("%.1f s"):format(run.ms / 1000) or "-",
    run.cost_usd and run.cost_usd > 0 and ("%.4f USD"):format(run.cost_usd) or "-",
    run.mind, run.reason ~= "" and ('"%s"'):format(plain.cut(run.reason, LONGEST_REASON)) or "",
  }
  if spoken then table.insert(row, #row, run.feedback and feedback.text(run.feedback) or "") end
  return row
end

function command.run(c)
  local word = c.words[1]
  local count = word == nil and USUAL or word:match "^%d+$" and tonumber(word)
  if not count or count < 1 or count > MOST then
    return nil, failure.new("usage", ("runs wants a number from 1 to %d, not %s"):format(MOST, word),
      "one run stands in `beamlens-run show " .. plain.text(word) .. "`", 2)
  end
  local list, err = store.asked(c.options, function(s) return runs.list(s, count) end)
  if list == nil then return nil, err end
  list = list or {}
  if c.options.json then return json.encode { schema = 1, runs = list } .. "\n", 0 end
  if #list == 0 then return "no run is kept\n", 0 end
  local spoken = some_said(list)
  for i, run in ipairs(list) do list[i] = cells(run, spoken) end
  return columns.text(list, { [5] = true }, screen.out().width), 0
end

return command
