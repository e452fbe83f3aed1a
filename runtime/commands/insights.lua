--- `insights [NODE]`: what runs found, each thing once, what is still open first.

local columns = require "runtime.columns"
local failure = require "runtime.failure"
local feedback = require "runtime.feedback"
local filled = require "runtime.filled"
local insights = require "runtime.insights"
local json = require "runtime.json"
local plain = require("runtime.plain").text
local runs = require "runtime.runs"
local screen = require "runtime.screen"
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
A finding is open until a later run with the same skills on the same node came to a verdict without it. Told of each:
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

local HEAD, INDENT = 3, 4 -- cells that say what it is; columns

-- What became of each stands below what it is.
local function folded(rows, width)
  local heads, at = {}, 0
  for i, row in ipairs(rows) do heads[i] = { unpack(row, 1, HEAD) } end
  return (columns.text(heads, nil, width):gsub("[^\n]+", function(line)
    at = at + 1
    local rest = {}
    for k = HEAD + 1, #rows[at] do rest[#rest + 1] = rows[at][k] ~= "" and rows[at][k] or nil end
    return ("%s\n%s%s"):format(line, (" "):rep(INDENT), filled.text(table.concat(rest, ", "), INDENT, width))
  end))
end

-- A line for each, where the terminal is as wide.
local function text_of(list, width)
  local rows = {}
  for i, f in ipairs(list) do rows[i] = cells(f) end
  local text = columns.text(rows)
  for line in (width and text or ""):gmatch "[^\n]+" do
    if #line > width then return folded(rows, width) end
  end
  return text
end

-- Why the list is empty: a node that no run was of is perhaps a slip of the fingers.
local function nothing(names, node)
  for _, name in ipairs(names) do
    if name == node then node = nil end
  end
  if not node then return "nothing was found in the runs that are kept\n" end
  local meant = failure.meant(node, names)
  return plain(("no run of %s is kept%s"):format(node, meant and "; " .. meant or "")) .. "\n"
end

local function asked(s, node)
  local list, err = insights.list(s, node)
  if not list or list[1] then return list and { list = list }, err end
  local names
  names, err = runs.nodes(s)
  return names and { list = list, nothing = nothing(names, node) }, err
end

function command.run(c)
  local found, err = store.asked(c.options, function(s) return asked(s, c.words[1]) end)
  if found == nil then return nil, err end
  found = found or { list = {}, nothing = nothing({}) }
  if c.options.json then return json.encode { schema = 1, insights = found.list } .. "\n", 0 end
  return found.nothing or text_of(found.list, screen.out().width), 0
end

return command
