--- Runs what is on a cassette again, without node and without network: the skills, checks and prompts of today on the
--- answers of then. What a model said is said again; rules think anew. Nothing is waited for: while nobody works,
--- the clock is turned to the next moment at which something happens.

local sorted_keys = require "runtime.sorted_keys"
local uv = require "luv"
local async = require "runtime.async"
local cassette = require "runtime.cassette"
local chunk_limits = require "runtime.chunk_limits"
local config = require "runtime.config"
local deadlines = require "runtime.deadlines"
local failure = require "runtime.failure"
local json = require "runtime.json"
local mind_of = require "runtime.llm.cassette"
local privacy = require "runtime.privacy"
local recorded = require "runtime.node.recorded"
local recording = require "runtime.recording"
local run_setup = require "runtime.run_setup"
local telemetry = require "runtime.telemetry"

local replay = {}

local SLACK_S = 60 -- a replay on a slow machine is late by what it computes

-- The gate of then: what was allowed is, what was refused is, and what was never asked is what needs no leave.
local function gate_of(tape)
  local said, own = {}, {}
  for _, entry in ipairs(tape.entries) do
    if entry.permit then
      said[entry.permit] = said[entry.permit] or {}
      table.insert(said[entry.permit], entry)
    end
  end
  function own.permit(_, name, class)
    local list = said[name]
    local entry = list and (#list > 1 and table.remove(list, 1) or list[1])
    if entry then return entry.ok or nil, entry.why end
    if class == "SAFE" then return true end
    return nil, name .. " was not asked for when this was recorded"
  end
  return own
end

-- Observations by the names that they had, for a model cites them, and of the moment that they were made in.
local function names_of(tape)
  local known, count = {}, 0
  for _, entry in ipairs(tape.entries) do
    if entry.observed then known[#known + 1], count = entry, count + 1 end
  end
  local function take(fits)
    for i, entry in ipairs(known) do
      if fits(entry) then return table.remove(known, i) end
    end
  end
  return function(o)
    local sum = recording.sum(o)
    local function same(entry) return entry.operator == o.operator and entry.kind == o.kind end
    local entry = take(function(entry) return same(entry) and entry.sum == sum end) or take(same)
    if entry then
      o.at = entry.at or o.at
      return entry.observed
    end
    count = count + 1
    return "o" .. count
  end
end

-- Whose moments are those of then.
local function clock_of(tape)
  local y, mo, d, h, mi, s = tostring(tape.head.recorded_at):match "^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)Z$"
  if not y then return nil end
  local local_now = os.time()
  local offset = os.time(os.date("!*t", local_now)) - local_now
  local began = os.time { year = y, month = mo, day = d, hour = h, min = mi, sec = s, isdst = false } - offset
  local from = async.now()
  return function() return os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(began + async.now() - from)) end
end

-- Nothing is proposed to anybody: what was proposed then is told again.
local function proposals_of(tape)
  local left, made, own = { unpack(tape.last.report.actions or {}) }, {}, {}
  function own.add(_, _, name)
    for i, row in ipairs(left) do
      if row.action == name then
        made[#made + 1] = table.remove(left, i)
        return row
      end
    end
    return nil, name .. " was not proposed when this was recorded, and a replay proposes nothing"
  end
  function own.rows() return made end
  return own
end

-- Turns the clock while everybody rests: no chunk runs in the jail but those that wait for the node, no model is asked,
-- and the loop would wait.
local function hurry(tape, node, conductor)
  local chunks, until_s = 0, async.now() + (tape.last.seconds or 0) + SLACK_S
  local offs = {
    telemetry.on("operator.execute_start", function() chunks = chunks + 1 end),
    telemetry.on("operator.execute_complete", function() chunks = chunks - 1 end),
    telemetry.on("operator.execute_error", function() chunks = chunks - 1 end),
  }
  local before_waiting = uv.new_prepare()
  before_waiting:start(function()
    if chunks > node.waiting or conductor and conductor.live > 0 or uv.backend_timeout() == 0 then return end
    local bound = conductor and not conductor.free and until_s or nil
    if not deadlines.skip(bound) and bound then conductor:let_go() end
  end)
  return function()
    before_waiting:stop()
    before_waiting:close()
    for _, off in ipairs(offs) do off() end
  end
end

local function shown(i) return ("%s: %s"):format(i.root_cause.object, i.root_cause.mechanism) end

local function only_in(list, other)
  local there, out = {}, {}
  for _, i in ipairs(other) do there[shown(i)] = true end
  for _, i in ipairs(list) do
    if not there[shown(i)] then out[#out + 1] = shown(i) end
  end
  return out
end

-- Versions that are others now, as "skill ets".
local function other_versions(was, now)
  local list = {}
  for _, kind in ipairs { "prompts", "skills", "tools" } do
    local a, b = was[kind], now[kind]
    if type(a) == "table" and type(b) == "table" then
      for name, version in pairs(b) do
        if a[name] and a[name] ~= version then list[#list + 1] = ("%s %s"):format(kind:gsub("s$", ""), name) end
      end
    elseif a ~= b then
      list[#list + 1] = kind
    end
  end
  table.sort(list)
  return list
end

local function difference(tape, report, conductor, node)
  local was = tape.last.report
  return {
    verdict = was.verdict ~= report.verdict and { was = was.verdict, now = report.verdict } or json.null,
    gone = only_in(was.insights, report.insights), new = only_in(report.insights, was.insights),
    versions = other_versions(was.versions or {}, report.versions or {}),
    requests = conductor and conductor.changed or {}, without_reply = conductor and conductor.missing or {},
    asked_anew = sorted_keys(conductor and conductor.anew), unanswered = node.unanswered,
  }
end

-- Who thinks: the model of then with one of today where it said nothing; or rules, today's.
local function mind(tape, options)
  local llm = require "runtime.llm"
  local rules = tape.head.mind.name == "analyst" or options.provider == "analyst"
  if rules and (options.provider or "analyst") == "analyst" then return llm.choose { provider = "analyst" } end
  local live, err
  if options.provider then
    live, err = llm.choose(options)
    if not live then return nil, err end
    require("runtime.progress").destination(live, options.show_outgoing)
  end
  if rules then return live end
  return mind_of.replaying(tape, live)
end

-- A file of the user's, which the cassette only names: who replays it says where it lies.
local function theirs(name, given, option)
  if not name:find "%.lua$" then return name end
  for _, path in ipairs(given) do
    if path:match "[^/]+$" == name then return path end
  end
  return nil, failure.new("cassette", ("it was recorded with a file %s"):format(name),
    ("give its path: --%s ./%s"):format(option, name), 2)
end

local function run_of(tape, options)
  local head, node, names = tape.head, recorded.replaying(tape), {}
  local skills, plan, err
  for i, name in ipairs(head.skills) do
    names[i], err = theirs(name, options.skills or {}, "skills")
    if not names[i] then return nil, err end
  end
  skills, err = run_setup.skills(names, node)
  if not skills then return nil, err end
  plan, err = theirs(head.strategy or "agent_loop", { options.strategy }, "strategy")
  if plan then plan, err = require("runtime.strategy").open(plan) end
  if not plan then return nil, err end
  local who, conductor = mind(tape, options)
  if not who then return nil, conductor end
  local limits = { chunk = head.chunk and chunk_limits.of((config.check("chunk", head.chunk))) }
  for name, value in pairs(config.check("limits", head.limits or {})) do limits[name] = value end
  local mask = privacy.new { node.name }
  if who.conceal then who.conceal(mask) end
  local clock, called = clock_of(tape), names_of(tape)
  return {
    node = node, skills = skills, skill = skills[1], mind = who, gate = gate_of(tape), reason = head.reason,
    occasion = type(head.occasion) == "string" and head.occasion or nil,
    task = head.task or head.reason, question = head.question, deadline = async.now() + (head.deadline or 300),
    limits = limits, privacy = mask, store = ":memory:", strategy = plan,
    tape = { begin = function(tape_of_run, case)
      tape_of_run.case = case
      case.evidence.called, case.now, case.proposals = called, clock, proposals_of(tape)
    end },
  }, conductor
end

--- Replays a cassette.
---@param path string
---@param options table   of the command: provider, model, …
---@return { head: table, was: table, report: table, changed: table, observations: Observation[] }?
---@return Failure? err
function replay.run(path, options)
  local tape, err = cassette.read(path)
  if not tape then return nil, err end
  local ok, run, conductor = pcall(run_of, tape, options)
  if not ok then
    return nil, failure.new("cassette", ("%s cannot be read: %s"):format(path, tostring(run):match "^[^\n]*"),
      "record it anew with this program", 2)
  end
  if not run then return nil, conductor end
  local calm = hurry(tape, run.node, type(conductor) == "table" and conductor or nil)
  local report
  report, err = require("runtime." .. (tape.head.agent == "operator" and "operator" or "coordinator")).run(run)
  calm()
  if not report then return nil, err end
  return { head = tape.head, was = tape.last.report, report = report,
    changed = difference(tape, report, conductor, run.node), observations = run.tape.case.evidence:all() }
end

return replay
