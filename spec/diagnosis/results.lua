--- The runs as a page for people: what was measured and with what, the shares with their intervals, every case, and
--- every run that was wrong.

local quiet = require "spec.diagnosis.quiet"
local score = require "spec.diagnosis.score"

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

local function half(runs, field)
  local values = {}
  for _, run in ipairs(runs) do
    if type(run[field]) == "number" then values[#values + 1] = run[field] end
  end
  local middle = score.quantile(values, 0.5)
  return middle and ("%.0f"):format(middle) or "-"
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
    half(runs, "cpu_ms"), largest(runs, load "calls"), largest(runs, load "reductions"), largest(runs, load "max_ms"),
    ("%.0f"):format(total(runs, usage "input_tokens") + total(runs, usage "output_tokens")),
    ("%.2f"):format(total(runs, usage "cost_usd")),
  }
end

-- Rules are made while looking at runs of the seeds below this one; what they are worth, only others can tell.
local UNSEEN = 1000

local ROWS = {
  "root cause first, object and mechanism (top-1)", "causes named at any rank",
  "two causes: precision once both are named", "runs with a fault that accuse something else besides",
  "runs with a fault that say healthy",
  "false alarms where nothing is wrong", "claims found again where they say", "abstained, and that was right",
  "abstained, and that was wrong", "runs that broke", "runs that left something on the node",
  "time to verdict, median", "time to verdict, p95", "CPU of the node for one run where nothing is wrong, median, ms",
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

local function by_case(runs)
  local groups, order = {}, {}
  for _, run in ipairs(runs) do
    local name = run.kind == "twin" and run.case .. ", twin" or run.case
    if not groups[name] then
      groups[name] = {}
      order[#order + 1] = name
    end
    table.insert(groups[name], run)
  end
  local out = { "| case | right | median | said otherwise |", "|---|---|---|---|" }
  for _, name in ipairs(order) do
    local s, said = score.sum(groups[name]), {}
    for _, run in ipairs(groups[name]) do
      if not score.run(run).right then said[#said + 1] = results.said(run) end
    end
    out[#out + 1] = ("| %s | %d of %d | %s | %s |"):format(name, s.right.k, s.right.n, seconds(s.median),
      table.concat(said, "; "))
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

--- Why these figures are not to be published; nil when they may be.
---@param runs Run[]
---@return string?
function results.unquiet(runs)
  local loud = 0
  for _, run in ipairs(runs) do loud = loud + ((run.busy or 1) > quiet.MOST and 1 or 0) end
  if loud == 0 then return nil end
  return ("not measured quietly: at %d of %d runs others took more than %.0f %% of this machine"):format(loud, #runs,
    quiet.MOST * 100)
end

---@param runs Run[]
---@param about { provider: string, commit: string, version: string, seed: string, rounds: integer, under: string,
---  asked: integer, date: string }
---@param beside { name: string, runs: Run[] }[]   the same cases, as others saw them
---@return string
function results.page(runs, about, beside)
  local loud, seed = results.unquiet(runs), tonumber(about.seed)
  local tuned = seed and seed < UNSEEN
  return table.concat({
    "# Diagnosis, measured",
    ("%s, commit %s (program %s), seed %s, %d rounds, provider %s%s; %d of %d runs made, each with names, rates and "
      .. "sizes of its own. Made by `make bench-diagnosis SEED=%s REPEAT=%d PROVIDER=%s`. Shares stand with their "
      .. "Wilson intervals of 95 %%; every run counts."):format(about.date, about.commit, about.version, about.seed,
      about.rounds, about.provider, about.under ~= "" and ", under " .. about.under or "", #runs, about.asked,
      about.seed, about.rounds, about.provider),
    loud and ("**These figures are for nobody: %s.**"):format(loud) or "Measured on a machine that did nothing else.",
    tuned and ("Seeds below %d are those that rules are made with: final figures come from others."):format(UNSEEN)
      or "The seed is one that no rule was made with, as far as this command can tell: use each once.",
    sums { { name = about.provider, runs = runs }, unpack(beside) }, "## Every case", by_case(runs),
  }, "\n\n") .. "\n"
end

return results
