--- Runs that were kept and recorded, for who learns from them: a cassette with other figures in it, replayed so that
--- its report is that of these figures, and the rows that the journal would have written of it.

local cassette = require "runtime.cassette"
local json = require "runtime.json"
local replay = require "runtime.replay"

local kept_run = {}

local function write(path, tape, entries, report)
  tape.head.cassette = nil
  local out = assert(cassette.create(path, tape.head))
  for _, entry in ipairs(entries) do out:add(entry) end
  out:finish { report = report, seconds = tape.last.seconds, state = tape.last.state }
end

local function change(value, fields)
  if type(value) ~= "table" then return end
  for key, inner in pairs(value) do
    if fields[key] ~= nil and type(inner) ~= "table" then value[key] = fields[key] else change(inner, fields) end
  end
end

--- Makes a cassette. Inside a task.
---@param from string   the cassette that it is made of
---@param path string
---@param trace_id string
---@param fields table<string, any>   what these fields are in every answer
---@return table report
---@return Observation[] observations   what it rests on
function kept_run.record(from, path, trace_id, fields)
  local tape = assert(cassette.read(from))
  for _, entry in ipairs(tape.entries) do change(entry.answer, fields) end
  write(path, tape, tape.entries, tape.last.report)
  local done = assert(replay.run(path, { provider = "analyst" }))
  local report = done.report
  report.trace_id = trace_id
  write(path, tape, tape.entries, json.decode(json.encode(report)))
  return report, done.observations
end

local RUN = [[insert into runs (trace_id, node, skills, reason, mind, started_at, process, ended_at, verdict, report,
  cassette) values (?, ?, '["beam"]', '', 'analyst', 1, '', 2, ?, ?, ?)]]

--- Writes it into a store that is open.
---@param s Store
---@param report table
---@param path? string   of its cassette
---@param observations? Observation[]
---@return string run    r1, …
function kept_run.keep(s, report, path, observations)
  local db = s.db
  local _, number = assert(db:run(RUN, report.trace_id, report.nodes[1], report.verdict, json.encode(report), path))
  for _, i in ipairs(report.insights) do
    assert(db:run("insert into insights values (?, ?, ?, ?, ?, ?, ?, ?)", number, i.id, i.node, i.root_cause.object,
      i.root_cause.mechanism, '["beam"]', 2, json.encode(i)))
  end
  for _, o in ipairs(observations or {}) do
    assert(db:run("insert into observations values (?, ?, ?)", number, o.id, json.encode(o)))
  end
  return "r" .. number
end

return kept_run
