--- What runs found, each thing once: what the store knows of it, and whether it is still open. Nothing here changes
--- anything.

local gravity = require "runtime.gravity"
local json = require "runtime.json"
local records = require "runtime.records"

local insights = {}

local MOST = 1000 -- of the latest, which are put together

-- Whether a later run would have seen it again: on the same node, with the skills that saw it, to its end.
local function looked_again(run, finding)
  if run.node ~= finding.node or run.number <= finding.last_number then return false end
  if run.verdict ~= "healthy" and run.verdict ~= "sick" then return false end
  local with = {}
  for _, name in ipairs(json.kept(run.skills)) do with[name] = true end
  for _, name in ipairs(finding.operators) do
    if not with[name] then return false end
  end
  return true
end

local function close(findings, ended)
  for _, finding in ipairs(findings) do
    for _, run in ipairs(ended) do
      if looked_again(run, finding) then finding.open, finding.gone_in = false, "r" .. run.number end
    end
  end
end

-- Rows of the same thing, the latest first, as one.
local function grouped(rows)
  local by_key, findings = {}, {}
  for _, row in ipairs(rows) do
    local key = json.encode { row.node, row.object, row.mechanism }
    local finding, body = by_key[key], json.kept(row.body)
    if not finding then
      finding = { node = row.node, object = row.object, mechanism = row.mechanism, severity = body.severity,
        summary = body.summary, run = "r" .. row.run, insight = row.id, last_at = row.at, last_number = row.run,
        operators = json.kept(row.operators), times = 0, open = true }
      by_key[key], findings[#findings + 1] = finding, finding
    end
    finding.first_at, finding.times = row.at, finding.times + 1
  end
  return findings
end

-- How often people said that it was right, and that it was not.
local function add_words(s, findings)
  local judged, err = records.judged(s)
  if not judged then return nil, err end
  local by_key = {}
  for _, one in ipairs(judged) do
    local key = json.encode { one.insight.node, one.object, one.mechanism }
    by_key[key] = by_key[key] or { right = 0, wrong = 0 }
    local what = one.right and "right" or "wrong"
    by_key[key][what] = by_key[key][what] + 1
  end
  for _, f in ipairs(findings) do f.said = by_key[json.encode { f.node, f.object, f.mechanism }] end
  return true
end

local RANK = gravity.rank

--- What was found, each thing once: open ones first, the gravest of them first. One is open until a later run with
--- the same skills on the same node came to a verdict without it.
---@param s Store
---@param node? string
---@return table[]?   { node, object, mechanism, severity, summary, run, insight, first_at, last_at, times, open,
---  gone_in?, said?: { right: integer, wrong: integer } }
---@return Failure? err
function insights.list(s, node)
  local rows, err = s:rows(([[select run, id, node, object, mechanism, operators, at, body from insights
    where node = coalesce(?, node) order by run desc, id limit %d]]):format(MOST), node)
  if not rows then return nil, err end
  local ended
  ended, err = s:rows(([[select number, node, skills, verdict from runs where verdict is not null and
    node = coalesce(?, node) order by number desc limit %d]]):format(MOST), node)
  if not ended then return nil, err end
  local findings = grouped(rows)
  close(findings, ended)
  local counted, why = add_words(s, findings)
  if not counted then return nil, why end
  local place = {}
  for i, finding in ipairs(findings) do place[finding] = i end
  table.sort(findings, function(a, b)
    if a.open ~= b.open then return a.open end
    local x, y = RANK[a.severity] or 0, RANK[b.severity] or 0
    if a.open and x ~= y then return x > y end
    return place[a] < place[b]
  end)
  for _, finding in ipairs(findings) do finding.last_number = nil end
  return findings
end

return insights
