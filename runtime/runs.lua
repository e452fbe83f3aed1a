--- What the store knows of runs: the questions of `runs`, `show` and `report`, and of scripts. runtime/journal.lua
--- writes it, runtime/insights.lua tells what they found. Nothing here changes anything.

local failure = require "runtime.failure"
local feedback = require "runtime.feedback"
local insight_row = require "runtime.insight_row"
local insights = require "runtime.insights"
local journal = require "runtime.journal"
local json = require "runtime.json"
local slip = require "runtime.slip"

local runs = {}

---@class KeptRun
---@field id string           r1, r2, …
---@field trace_id string
---@field node string
---@field skills string[]
---@field reason string
---@field mind string
---@field started_at integer  seconds since 1970
---@field ended_at? integer
---@field state "running"|"ended"|"interrupted"   interrupted: its process is not there any more
---@field verdict? string
---@field incomplete? string
---@field ms? integer
---@field cost_usd? number
---@field cassette? string    where it was recorded
---@field feedback? Feedback  what a person said of it

local COLUMNS = "number, trace_id, node, skills, reason, mind, started_at, process, ended_at, verdict, incomplete, ms, "
  .. "cost_usd, cassette"

local function alive(process)
  local pid = tonumber(process:match "^%d+")
  return pid ~= nil and journal.process(pid) == process
end

local function run_of(row, said)
  return {
    id = "r" .. row.number, trace_id = row.trace_id, node = row.node, skills = json.kept(row.skills),
    reason = row.reason, mind = row.mind, started_at = row.started_at, ended_at = row.ended_at,
    state = row.ended_at and "ended" or alive(row.process) and "running" or "interrupted",
    verdict = row.verdict, incomplete = row.incomplete, ms = row.ms, cost_usd = row.cost_usd,
    cassette = row.cassette, feedback = said and said[row.number],
  }
end

local ALL = -1 -- as SQLite has it

--- The latest runs, the latest first.
---@param s Store
---@param limit? integer   all if left out
---@return KeptRun[]?
---@return Failure? err
function runs.list(s, limit)
  local rows, err = s:rows(("select %s from runs order by number desc limit ?"):format(COLUMNS), limit or ALL)
  if not rows then return nil, err end
  local said
  said, err = feedback.all(s)
  if not said then return nil, err end
  for i, row in ipairs(rows) do rows[i] = run_of(row, said) end
  return rows
end

--- The nodes that runs were of.
---@param s Store
---@return string[]?
---@return Failure? err
function runs.nodes(s)
  local rows, err = s:rows "select distinct node from runs"
  if not rows then return nil, err end
  for i, row in ipairs(rows) do rows[i] = row.node end
  return rows
end

local LATEST = "last" -- in the place of an id

local function is_trace(word) return word:match "^%x%x%x%x+$" ~= nil end

--- How many runs are kept, and when the first began.
---@param s Store
---@return { runs: integer, first?: integer }?   first: seconds since the epoch
---@return Failure? err
function runs.extent(s)
  local rows, err = s:rows "select count(*) as runs, min(started_at) as first from runs"
  if not rows then return nil, err end
  return rows[1]
end

--- That there is no such run.
---@param word string
---@return Failure
function runs.unknown(word)
  if word == LATEST then
    return failure.new("usage", "no run is kept", "`beamlens-run coordinator.lua` makes one", 2)
  end
  if not word:match "^r%d+$" and not is_trace(word) then
    local near = word:find "^%d+$" and "r" .. word or failure.nearest(word, { LATEST })
    return failure.new("usage", ("%s is no run"):format(word), near and ("did you mean %s?"):format(near)
      or "name it as r17, or by its trace_id", 2)
  end
  return failure.new("usage", "there is no run " .. word, "`beamlens-run runs` lists them", 2)
end

-- At most two: a beginning may be that of several.
local function rows_of(s, word)
  local select, number = ("select %s, report from runs"):format(COLUMNS), word:match "^r(%d+)$"
  if word == LATEST then return s:rows(select .. " order by number desc limit 1") end
  if number then return s:rows(select .. " where number = ?", tonumber(number)) end
  if not is_trace(word) then return {} end
  return s:rows(select .. " where substr(trace_id, 1, ?) = ? order by number limit 2", #word, word:lower())
end

local function row_of(s, word)
  local rows, err = rows_of(s, word)
  if not rows then return nil, err end
  if #rows > 1 then
    return nil, failure.new("usage", ("more than one run begins with %s"):format(word), "give more of it", 2)
  end
  if not rows[1] then return nil, runs.unknown(word) end
  return rows[1]
end

local function bodies(s, name, number)
  local rows, err = s:rows(("select body from %s where run = ?"):format(name), number)
  if not rows then return nil, err end
  local list = {}
  for _, row in ipairs(rows) do list[#list + 1] = json.kept(row.body) end
  return list
end

local WHY = {
  running = "the run still goes on",
  interrupted = "the run was ended before it had a report; this is what it had told",
}

-- Of a run without a report: one that says what was told until then.
local function report_so_far(s, row, run)
  local found, err = bodies(s, "insights", row.number)
  if not found then return nil, err end
  for _, i in ipairs(found) do i.advice = insight_row.advice(i.root_cause.mechanism) end
  local told
  told, err = bodies(s, "notifications", row.number)
  if not told then return nil, err end
  local sick = false
  for _, i in ipairs(found) do sick = sick or i.severity ~= "info" end
  local would_tell = { WHY[run.state] }
  for i, n in ipairs(told) do would_tell[i + 1] = ("%s of %s says: %s"):format(n.id, n.operator, n.observation) end
  return {
    schema = 1, verdict = sick and "sick" or "cannot_tell", would_tell = would_tell, trace_id = run.trace_id,
    nodes = { run.node }, reason = run.reason, incomplete = "interrupted", lost = false, insights = found,
    notifications = told, operators = {}, looks = {}, actions = {},
    usage = { provider = run.mind, calls = 0, input_tokens = 0, cache_read_tokens = 0, output_tokens = 0,
      cost_usd = json.null },
    target_load = { calls = 0, reductions = 0, bytes = 0, max_ms = 0 }, footprint = json.null, run = run.id,
  }
end

-- What was decoded has lost which tables were objects.
local function whole(report)
  for _, look in ipairs(report.looks or {}) do json.object(look.figures) end
  return report
end

--- One run, with its report.
---@param s Store
---@param word string    r17, the beginning of its trace_id, or last
---@return table? report
---@return KeptRun|Failure run_or_err
function runs.report(s, word)
  local row, err = row_of(s, word)
  if not row then return nil, err end
  local said
  said, err = feedback.all(s)
  if not said then return nil, err end
  local run = run_of(row, said)
  local report = row.report and json.decode(row.report)
  if type(report) == "table" then return whole(report), run end
  if row.report then
    return nil, failure.new("store", ("the report of %s in the store is broken"):format(run.id),
      "somebody changed the store: move it away", 2)
  end
  report, err = report_so_far(s, row, run)
  return report, report and run or err
end

--- An observation of a run, as far as it is kept.
---@param s Store
---@param number integer   of the run
---@param id string        o3
---@return table?          nil where it is not there any more
function runs.observation(s, number, id)
  local rows = s:rows("select body from observations where run = ? and id = ?", number, id)
  local o = rows and rows[1] and json.decode(rows[1].body)
  return type(o) == "table" and o or nil
end

--- The figures of a snapshot over the runs of a node, the oldest first.
---@param s Store
---@param node string
---@param metric string   beam.process_utilization_pct
---@param days number
---@return { at: integer, value: number }[]?
---@return Failure? err
function runs.history(s, node, metric, days)
  return s:rows("select at, value from history where node = ? and metric = ? and at >= ? order by at", node, metric,
    os.time() - days * 86400)
end

--- What a script may ask: `beamlens.store`.
---@param open fun(): Store?, Failure?
---@return table
function runs.api(open)
  local function asked(fn)
    return function(...)
      local s, err = open()
      if not s then return nil, err end
      return fn(s, ...)
    end
  end
  local function latest(s, limit)
    if limit ~= nil and not (type(limit) == "number" and limit >= 1 and limit % 1 == 0) then
      slip("store.runs wants how many, a whole number", "for example store.runs(20)")
    end
    return runs.list(s, limit or 50)
  end
  local function one(s, id)
    if type(id) ~= "string" then slip("store.run wants the name of a run", 'for example store.run("r17")') end
    return runs.report(s, id)
  end
  return {
    runs = asked(latest), run = asked(one),
    insights = asked(insights.list), history = asked(function(s, node, metric, days)
      return runs.history(s, node, metric, days or 7)
    end),
  }
end

return runs
