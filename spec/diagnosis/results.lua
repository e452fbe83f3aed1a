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

local function sums(runs)
  local s = score.sum(runs)
  local rows = {
    { "root cause first, object and mechanism (top-1)", share(s.top1) },
    { "causes named at any rank", share(s.any) },
    { "two causes: precision once both are named", s.precision_of_two and ("%.3f (%d runs)"):format(
      s.precision_of_two, s.two) or "-" },
    { "runs with a fault that accuse something else besides", share(s.accused) },
    { "false alarms where nothing is wrong", share(s.alarms) },
    { "claims found again where they say", share(s.grounded) },
    { "abstained, and that was right", share(s.abstained_right) },
    { "abstained, and that was wrong", share(s.abstained_wrong) },
    { "runs that broke", share(s.broke) },
    { "runs that left something on the node", share(s.residue) },
    { "time to verdict, median", seconds(s.median) },
    { "time to verdict, p95", seconds(s.p95) },
    { "asked of the node in one run, at the most: calls", largest(runs, load "calls") },
    { "… reductions", largest(runs, load "reductions") },
    { "… longest call, ms", largest(runs, load "max_ms") },
    { "tokens, in and out", ("%.0f"):format(total(runs, usage "input_tokens") + total(runs, usage "output_tokens")) },
    { "USD", ("%.2f"):format(total(runs, usage "cost_usd")) },
  }
  local out = { "| what | all runs |", "|---|---|" }
  for _, row in ipairs(rows) do out[#out + 1] = ("| %s | %s |"):format(row[1], row[2]) end
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
---@return string
function results.page(runs, about)
  local loud = results.unquiet(runs)
  return table.concat({
    "# Diagnosis, measured",
    ("%s, commit %s (program %s), seed %s, %d rounds, provider %s%s; %d of %d runs made, each with names, rates and "
      .. "sizes of its own. Made by `make bench-diagnosis SEED=%s REPEAT=%d PROVIDER=%s`. Shares stand with their "
      .. "Wilson intervals of 95 %%; every run counts."):format(about.date, about.commit, about.version, about.seed,
      about.rounds, about.provider, about.under ~= "" and ", under " .. about.under or "", #runs, about.asked,
      about.seed, about.rounds, about.provider),
    loud and ("**These figures are for nobody: %s.**"):format(loud) or "Measured on a machine that did nothing else.",
    sums(runs), "## Every case", by_case(runs),
  }, "\n\n") .. "\n"
end

return results
