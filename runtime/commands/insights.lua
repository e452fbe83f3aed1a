--- `insights [NODE]`: what runs found, each thing once, what is still open first.

local columns = require "runtime.columns"
local json = require "runtime.json"
local runs = require "runtime.runs"
local store = require "runtime.store"

local command = {
  usage = "insights [NODE]",
  words = 1,
  doc = "what was found over all runs, what is still open first",
  more = [[

  beamlens-run insights
  beamlens-run insights shop@host

A finding is open until a later run with the same skills on the same node came to a verdict without it. Each line:
how grave, object and mechanism, how often and when it was last seen, and the run that shows it.
]],
}

local function cells(f)
  return {
    f.open and f.severity or "gone", f.node, ("%s: %s"):format(f.object, f.mechanism),
    f.times > 1 and ("%d times since %s"):format(f.times, columns.moment(f.first_at)) or "once",
    "last " .. columns.moment(f.last_at), f.run, f.gone_in and "not in " .. f.gone_in or "",
  }
end

function command.run(c)
  local s, err = store.kept(c.options)
  if s == nil then return nil, err end
  local list = {}
  if s then list, err = runs.insights(s, c.words[1]) end
  store.close_all()
  if not list then return nil, err end
  if c.options.json then return json.encode { schema = 1, insights = list } .. "\n", 0 end
  if #list == 0 then return "nothing was found in the runs that are kept\n", 0 end
  for i, finding in ipairs(list) do list[i] = cells(finding) end
  return columns.text(list), 0
end

return command
