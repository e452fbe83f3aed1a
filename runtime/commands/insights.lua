--- `insights [NODE]`: what runs found, each thing once, what is still open first.

local columns = require "runtime.columns"
local failure = require "runtime.failure"
local feedback = require "runtime.feedback"
local json = require "runtime.json"
local plain = require("runtime.plain").text
local runs = require "runtime.runs"
local store = require "runtime.store"

local command = {
  usage = "insights [NODE]",
  words = 1,
  doc = "what all runs found, what is still open first",
  takes = { "node" },
  examples = {
    { "beamlens-run insights", "of all nodes" },
    { "beamlens-run insights shop@host", "of one" },
  },
  more = [[
A finding is open until a later run with the same skills on the same node came to a verdict without it. Each line:
how grave, object and mechanism, how often and when it was last seen, the run that shows it, and what people said of
it (`beamlens-run help feedback`).
]],
}

local function said(count)
  local parts = {}
  for _, word in ipairs(count and feedback.WORDS or {}) do
    if count[word] > 0 then parts[#parts + 1] = ("said %s %d x"):format(word, count[word]) end
  end
  return table.concat(parts, ", ")
end

local function cells(f)
  return {
    f.open and f.severity or "gone", f.node, ("%s: %s"):format(f.object, f.mechanism),
    f.times > 1 and ("%d times since %s"):format(f.times, columns.moment(f.first_at)) or "once",
    "last " .. columns.moment(f.last_at), f.run, f.gone_in and "not in " .. f.gone_in or "", said(f.said),
  }
end

-- Why the list is empty: a node that no run was of is perhaps a slip of the fingers.
local function nothing(s, node)
  local rows = node and s and s:rows "select distinct node from runs" or {}
  local names = {}
  for i, row in ipairs(rows) do
    names[i] = row.node
    if row.node == node then node = nil end
  end
  if not node then return "nothing was found in the runs that are kept\n" end
  local near = failure.nearest(node, names)
  return ("no run of %s is kept%s\n"):format(plain(node), near and ("; did you mean %s?"):format(plain(near)) or "")
end

function command.run(c)
  local s, err = store.kept(c.options)
  if s == nil then return nil, err end
  local list = {}
  if s then list, err = runs.insights(s, c.words[1]) end
  local why = list and #list == 0 and nothing(s, c.words[1])
  store.close_all()
  if not list then return nil, err end
  if c.options.json then return json.encode { schema = 1, insights = list } .. "\n", 0 end
  if why then return why, 0 end
  for i, finding in ipairs(list) do list[i] = cells(finding) end
  return columns.text(list), 0
end

return command
