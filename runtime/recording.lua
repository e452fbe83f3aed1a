--- A run that is recorded: its node, its mind and its gate with a cassette behind them (runtime/cassette.lua).

local uv = require "luv"
local cassette = require "runtime.cassette"
local crypto = require "host.crypto"
local json = require "runtime.json"
local mind_of = require "runtime.llm.cassette"
local recorded = require "runtime.node.recorded"
local strategy = require "runtime.strategy"

local recording = {}

---@class Recording
---@field node table
---@field mind Mind
---@field gate table
---@field private tape Tape
local Recording = {}
Recording.__index = Recording

-- What a person at the terminal said holds in a replay as well.
local function listening(gate, tape)
  local own = setmetatable({}, { __index = gate })
  function own.permit(_, name, class)
    local ok, why = gate:permit(name, class)
    if class ~= "SAFE" then tape:add { permit = name, ok = ok == true, why = why and tostring(why) or nil } end
    return ok, why
  end
  return own
end

local begun = {} -- path -> how many runs of this process

-- A script may make several runs: each has a file of its own.
local function file_of(path)
  begun[path] = (begun[path] or 0) + 1
  return begun[path] == 1 and path or ("%s.%d"):format(path, begun[path])
end

-- Where a file of the user's lies says something of their home, and is no business of who reads the cassette.
local function bare(name) return name:match "[^/]+$" end

local function bare_names(names)
  local out = {}
  for i, name in ipairs(names) do out[i] = bare(name) end
  return out
end

local function hosts_of(node)
  local list = {}
  for where in pairs(node.reach and node.reach.hosts or {}) do list[#list + 1] = where end
  table.sort(list)
  return list
end

--- Begins one. The second run of a process is recorded as FILE.2, and so on.
---@param path string
---@param run { agent: string, node: table, mind: Mind, privacy: Privacy, names: string[], options: table }
---@return Recording?
---@return Failure? err
function recording.begin(path, run)
  local o, mask = run.options, run.privacy
  local function clean(text) return mask:uncut(text) end
  local tape, err = cassette.create(file_of(path), {
    program = require "runtime.version", recorded_at = os.date "!%Y-%m-%dT%H:%M:%SZ", agent = run.agent,
    node = run.node.name, skills = bare_names(run.names), reason = o.reason and clean(o.reason) or nil,
    task = o.errand and clean(o.errand) or nil, question = o.question and clean(o.question) or nil,
    occasion = o.occasion and clean(o.occasion) or nil, allow = o.allow, deadline = o.deadline,
    strategy = run.agent == "coordinator" and bare(o.strategy or strategy.usual(run.mind)) or nil,
    limits = json.object(o.limits or {}), chunk = o.chunk and json.object(o.chunk) or nil,
    hosts = hosts_of(run.node),
    mind = { name = run.mind.name, model = run.mind.model, destination = run.mind.destination ~= nil },
  })
  if not tape then return nil, err end
  return setmetatable({ tape = tape, node = recorded.recording(run.node, tape, mask),
    mind = mind_of.recording(run.mind, tape, clean), clean = mask }, Recording)
end

--- The gate of the run, with what it decided written down.
---@param gate table
---@return table
function Recording:guarded(gate) return listening(gate, self.tape) end

--- Where it is written, for whoever looks for it from another folder.
---@return string?
function Recording:path() return (uv.fs_realpath(self.tape.path)) end

--- Takes note of the case, whose observations are named in a replay as they were.
---@param case Case
function Recording:begin(case) self.case = case end

--- What an observation is known again by.
---@param o Observation
---@return string
function recording.sum(o) return crypto.sha256(json.encode { o.value }):sub(1, 16) end

--- Ends it.
---@param report? table
function Recording:finish(report)
  for _, o in ipairs(self.case and self.case.evidence:all() or {}) do
    self.tape:add { observed = o.id, operator = o.operator, kind = o.kind, sum = recording.sum(o), at = o.at }
  end
  if not report then return end
  local kept = self.clean:clean(json.decode(json.encode(report)))
  kept.run, kept.not_kept = nil, nil -- which says something of this home alone
  for _, insight in ipairs(kept.insights) do insight.record = nil end
  self.tape:finish { report = kept, state = self.node.state, seconds = self.tape:seconds() }
end

return recording
