--- The runs as a page for people: what was measured and with what, the shares with their intervals, every case, and
--- every run that was wrong.

local quiet = require "spec.diagnosis.quiet"
local score = require "spec.diagnosis.score"
local ticker = require "spec.diagnosis.ticker"

local results = {}

local function share(s)
  if s.n == 0 then return "-" end
  return ("%.3f (%d of %d, %.3f to %.3f)"):format(s.k / s.n, s.k, s.n, s.low, s.high)
end

local function seconds(s) return s and ("%.1f s"):format(s) or "-" end

local function largest(runs, of)
  local most
  for _, run in ipairs(runs) do
    local value = of(run)
    if type(value) == "number" and (not most or value > most) then most = value end
  end
  return most and ("%.0f"):format(most) or "-"
end

local function half(runs, form, of)
  local values = {}
  for _, run in ipairs(runs) do
    if type(run.cpu_ms) == "number" and run.seconds then values[#values + 1] = of(run) end
  end
  local middle = score.quantile(values, 0.5)
  return middle and form:format(middle) or "-"
end

-- How late one tick in a hundred is at the least, over all runs.
local function late(runs, field)
  local counts = {}
  for _, run in ipairs(runs) do counts[#counts + 1] = run[field] end
  local most = ticker.quantile(counts, 0.99)
  return most and ("%.1f ms"):format(most) or "-"
end

local function total(runs, of)
  local sum = 0
  for _, run in ipairs(runs) do
    local value = of(run)
    sum = sum + (type(value) == "number" and value or 0)
  end
  return sum
end

local function load(name) return function(run) return type(run.load) == "table" and run.load[name] or nil end end
local function usage(name) return function(run) return type(run.usage) == "table" and run.usage[name] or nil end end

local function cells(runs)
  local s = score.sum(runs)
  return {
    share(s.top1), share(s.any),
    s.precision_of_two and ("%.3f (%d runs)"):format(s.precision_of_two, s.two) or "-",
    share(s.accused), share(s.missed), share(s.alarms), share(s.grounded), share(s.abstained_right),
    share(s.abstained_wrong),
    share(s.broke), share(s.residue), seconds(s.median), seconds(s.p95),
    half(runs, "%.0f ms", function(run) return run.cpu_ms end),
    half(runs, "%.1f %%", function(run) return run.cpu_ms / run.seconds / 10 end),
    late(runs, "late_alone"), late(runs, "late"),
    largest(runs, load "calls"), largest(runs, load "reductions"), largest(runs, load "max_ms"),
    ("%.0f"):format(total(runs, usage "input_tokens") + total(runs, usage "output_tokens")),
    ("%.2f"):format(total(runs, usage "cost_usd")),
  }
end

-- Rules are made while looking at runs of the seeds below this one; what they are worth, only others can tell.
local UNSEEN = 1000

local LEGEND = "crowd: 100,000 processes more on the node. busy: other work of the node fills its schedulers; that "
  .. "is then told, and no false alarm. thresholds: each figure of one snapshot against fixed limits, as static alerts "
  .. "do. one_pass: one snapshot and one round of looks by the analyst's checks, nothing looked at twice."

local ROWS = {
  "root cause first, object and mechanism (top-1)", "causes named at any rank",
  "two causes: precision once both are named", "runs with a fault that accuse something else besides",
  "runs with a fault that say healthy",
  "false alarms where nothing is wrong", "claims found again where they say", "abstained, and that was right",
  "abstained, and that was wrong", "runs that broke", "runs that left something on the node, where it could be asked",
  "time to verdict, median", "time to verdict, p95",
  "CPU of the node for one run where nothing is wrong, median", "… as a share of one scheduler for as long as it took",
  "a 10 ms ticker there: p99 of its lateness without us", "… and with us",
  "asked of the node in one run, at the most: calls",
  "… reductions", "… longest call, ms", "tokens, in and out", "USD",
}

local function line(parts) return "| " .. table.concat(parts, " | ") .. " |" end

-- One column for whom it is about, and one for each that is set beside.
local function sums(columns)
  local head, rule, filled = { "what" }, { "---" }, {}
  for i, column in ipairs(columns) do
    head[i + 1], rule[i + 1] = ("%s, %d runs"):format(column.name, #column.runs), "---"
    filled[i] = cells(column.runs)
  end
  local out = { line(head), line(rule) }
  for k, name in ipairs(ROWS) do
    local parts = { name }
    for i in ipairs(columns) do parts[i + 1] = filled[i][k] end
    out[#out + 1] = line(parts)
  end
  return table.concat(out, "\n")
end

local function title(run) return run.kind == "twin" and run.case .. ", twin" or run.case end

-- The runs of each column by what was planted, and all that was planted, in the order of the first that met it.
local function grouped(columns)
  local groups, order = {}, {}
  for i, column in ipairs(columns) do
    for _, run in ipairs(column.runs) do
      local name = title(run)
      if not groups[name] then groups[name], order[#order + 1] = {}, name end
      groups[name][i] = groups[name][i] or {}
      table.insert(groups[name][i], run)
    end
  end
  return groups, order
end

-- How many were right of each column; of the first, how long it took and what was said otherwise.
local function by_case(columns)
  local groups, order = grouped(columns)
  local head, rule = { "case" }, { "---" }
  for i, column in ipairs(columns) do head[i + 1], rule[i + 1] = column.name, "---" end
  head[#head + 1], head[#head + 2] = "median", "said otherwise"
  rule[#rule + 1], rule[#rule + 2] = "---", "---"
  local out = { line(head), line(rule) }
  for _, name in ipairs(order) do
    local parts, said = { name }, {}
    for i in ipairs(columns) do
      local s = score.sum(groups[name][i] or {})
      parts[i + 1] = s.runs > 0 and ("%d of %d"):format(s.right.k, s.right.n) or "-"
    end
    for _, run in ipairs(groups[name][1] or {}) do
      if not score.run(run).right then said[#said + 1] = results.said(run) end
    end
    parts[#parts + 1] = seconds(score.sum(groups[name][1] or {}).median)
    parts[#parts + 1] = table.concat(said, "; ")
    out[#out + 1] = line(parts)
  end
  return table.concat(out, "\n")
end

--- What a run came to, in a few words.
---@param run Run
---@return string
function results.said(run)
  if run.broke then return "broke: " .. run.broke:match "^[^\n]*" end
  local parts = {}
  for i, insight in ipairs(run.insights) do parts[i] = ("%s of %s"):format(insight.mechanism, insight.object) end
  return ("%s%s"):format(tostring(run.verdict), #parts > 0 and ": " .. table.concat(parts, ", ") or "")
end

--- What is to be known of figures that were not taken quietly; nil when they were.
---@param runs Run[]
---@return string?
function results.unquiet(runs)
  local loud = 0
  for _, run in ipairs(runs) do loud = loud + ((run.busy or 1) > quiet.MOST and 1 or 0) end
  if loud == 0 then return nil end
  return ("Not measured quietly: at %d of %d runs others took more than %.0f %% of this machine. That makes nobody "
    .. "righter; times to a verdict, CPU and lateness are upper bounds."):format(loud, #runs, quiet.MOST * 100)
end

-- What was left out, and why.
local function gaps(left_out)
  local names = {}
  for name, needs in pairs(left_out or {}) do names[#names + 1] = ("%s (needs %s)"):format(name, needs) end
  table.sort(names)
  return #names > 0 and ("Not planted, since this machine does not allow it: %s."):format(table.concat(names, ", "))
end

---@param runs Run[]
---@param about { provider: string, commit: string, version: string, seed: string, rounds: integer, under: string,
---  asked: integer, date: string, left_out?: table<string, string> }
---@param beside { name: string, runs: Run[] }[]   the same cases, as others saw them or with other work beneath
---@return string
function results.page(runs, about, beside)
  local columns, all = { { name = about.provider .. (about.under ~= "" and ", under " .. about.under or ""),
    runs = runs }, unpack(beside) }, {}
  for _, column in ipairs(columns) do
    for _, run in ipairs(column.runs) do all[#all + 1] = run end
  end
  local loud, seed = results.unquiet(all), tonumber(about.seed)
  local tuned = seed and seed < UNSEEN
  local text = {
    "# Diagnosis, measured",
    ("%s, commit %s (program %s), seed %s, %d rounds; %d of %d runs made, each with names, rates and sizes of its "
      .. "own. Made by `make bench-diagnosis SEED=%s REPEAT=%d PROVIDER=%s%s`, and what stands beside it by the same "
      .. "with another PROVIDER or UNDER. Shares stand with their Wilson intervals of 95 %%; every run counts."):format(
      about.date, about.commit, about.version, about.seed, about.rounds, #runs, about.asked, about.seed, about.rounds,
      about.provider, about.under ~= "" and " UNDER=" .. about.under or ""),
    loud and ("**%s**"):format(loud) or "Measured on a machine that did nothing else.",
    tuned and ("Seeds below %d are those that rules are made with: final figures come from others."):format(UNSEEN)
      or "The seed is one that no rule was made with, as far as this command can tell: use each once.",
  }
  text[#text + 1] = gaps(about.left_out) or nil
  text[#text + 1] = LEGEND
  text[#text + 1] = sums(columns)
  text[#text + 1] = "## Every case"
  text[#text + 1] = by_case(columns)
  return table.concat(text, "\n\n") .. "\n"
end

return results
