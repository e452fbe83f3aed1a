--- The runs that are learned from: each a cassette, or the findings that the store keeps of a run, with what a person
--- said of it, what it comes to today, and what it should come to.

local uv = require "luv"
local cassette = require "runtime.cassette"
local failure = require "runtime.failure"
local judging = require "runtime.lessons.judging"
local kept = require "runtime.lessons.kept"
local records = require "runtime.records"
local runs = require "runtime.runs"

local cases = {}

---@class RecordedCase
---@field path? string       of its cassette
---@field kept? KeptFinding[]   where there is none
---@field run? string        r17, where the store knows it
---@field name string        what it is called: the run, else the file
---@field skills string[]
---@field said? Feedback
---@field before Trial       by the checks of today

local AT_A_TIME = 64

local function files_in(folder)
  local paths, dir = {}, uv.fs_opendir(folder, nil, AT_A_TIME)
  local some = dir and uv.fs_readdir(dir)
  while some do
    for _, entry in ipairs(some) do
      if entry.name:find "%.cassette%.?%d*$" then paths[#paths + 1] = ("%s/%s"):format(folder, entry.name) end
    end
    some = uv.fs_readdir(dir)
  end
  if dir then uv.fs_closedir(dir) end
  table.sort(paths)
  return paths
end

-- What `--cassettes` names: files, and those of folders.
local function named(words)
  local paths = {}
  for _, word in ipairs(words or {}) do
    local stat = uv.fs_stat(word)
    if stat and stat.type == "directory" then
      local inside = files_in(word)
      if #inside == 0 then
        return nil, failure.new("cassette", ("there is no cassette in %s"):format(word),
          "they end in .cassette: `--record FILE.cassette` of a run makes one", 2)
      end
      for _, path in ipairs(inside) do paths[#paths + 1] = path end
    else
      paths[#paths + 1] = word
    end
  end
  return paths
end

-- The cassettes that there are, each once, by the trace id of their run.
local function gathered(known, words, unread)
  local paths, err = named(words)
  if not paths then return nil, err end
  local tapes, seen = {}, {}
  local function add(path, must)
    local tape, why = cassette.read(path)
    local report = tape and tape.last.report
    if not tape and must then return why end
    if not tape then unread[#unread + 1] = tostring(why) end
    if report and not seen[report.trace_id] then
      seen[report.trace_id] = true
      tapes[#tapes + 1] = { path = path, trace_id = report.trace_id, skills = tape.head.skills }
    end
  end
  for _, path in ipairs(paths) do
    local why = add(path, true)
    if why then return nil, why end
  end
  for _, run in ipairs(known) do
    if run.cassette and not seen[run.trace_id] then add(run.cassette) end
  end
  return tapes
end

local function number_of(id) return tonumber(id:sub(2)) end

local function words_of(verdict) return (verdict:gsub("_", " ")) end

-- That the checks of today ask what nobody asked then: what it comes to says little.
local function aged(name, before)
  if before.unanswered == 0 or before.verdict == before.recorded.verdict then return nil end
  return ("%s was %s, and is %s today: the checks ask what was not recorded; record it anew"):format(name,
    words_of(before.recorded.verdict), words_of(before.verdict))
end

-- A run without a cassette, as far as its findings can be tried.
local function without_cassette(s, run, judged, trials)
  local case = { run = run.id, name = run.id, said = run.feedback, skills = {},
    kept = kept.of(s, judged, number_of(run.id)) }
  local before = trials:of(case, {})
  if not before or not next(before.found) then return nil end
  local recorded = {}
  for _, one in ipairs(case.kept) do
    recorded[one.key] = one.insight
    case.skills[#case.skills + 1] = one.skill
  end
  case.before = { verdict = before.verdict, found = before.found, unanswered = before.unanswered, observations = {},
    recorded = { verdict = run.verdict, found = recorded } }
  return case
end

-- What the store has to say: its runs, the earliest first, and their findings that somebody judged.
local function asked(s)
  if not s then return {}, {} end
  local latest, err = runs.list(s)
  if not latest then return nil, err end
  local judged
  judged, err = records.judged(s)
  if not judged then return nil, err end
  local list = {}
  for i, run in ipairs(latest) do list[#latest + 1 - i] = run end
  return list, judged
end

--- Every run that can be tried, and what is said of those that cannot.
---@param s Store|false
---@param options table    of the command
---@param trials Trials
---@return RecordedCase[]?
---@return Failure|{ unread: string[], unheard: string[] } rest   unheard: runs with a word and without a cassette
function cases.all(s, options, trials)
  local known, judged = asked(s)
  if not known then return nil, judged end
  local rest, by_trace, list, heard = { unread = {}, unheard = {} }, {}, {}, {}
  for _, run in ipairs(known) do by_trace[run.trace_id] = run end
  local tapes, err = gathered(known, options.cassettes, rest.unread)
  if not tapes then return nil, err end
  for _, tape in ipairs(tapes) do
    local run = by_trace[tape.trace_id]
    local before, why = trials:run(tape.path, {})
    if before then
      rest.unread[#rest.unread + 1] = aged(run and run.id or tape.path, before)
      list[#list + 1] = { path = tape.path, run = run and run.id, skills = tape.skills,
        name = run and run.id or tape.path:match "[^/]+$", said = run and run.feedback, before = before }
      if run then heard[run.id] = true end
    else
      rest.unread[#rest.unread + 1] = ("%s: %s"):format(tape.path, tostring(why))
    end
  end
  for _, run in ipairs(known) do
    if run.feedback and not heard[run.id] then
      local case = without_cassette(s, run, judged, trials)
      list[#list + 1] = case
      if not case or #judging.troubles(case, true) > 0 then rest.unheard[#rest.unheard + 1] = run.id end
    end
  end
  table.sort(list, function(a, b)
    local x, y = a.run and number_of(a.run) or math.huge, b.run and number_of(b.run) or math.huge
    if x ~= y then return x < y end
    return a.name < b.name
  end)
  return list, rest
end

return cases
