--- One run's case: what was seen, said and concluded, shared by the coordinator and its operators.
--- Operators notify; notifications become insights here or nowhere, and only on evidence that
--- stands. The model words an insight; whether there is one is decided by this file.

local async = require "runtime.async"
local crypto = require "host.crypto"
local evidence = require "runtime.evidence"
local gravity = require "runtime.gravity"
local mechanism_words = require "runtime.mechanism_words"
local privacy = require "runtime.privacy"
local proposals = require "runtime.proposals"
local proved = require "runtime.proved"
local in_use = require "runtime.in_use"
local skill = require "runtime.skill"
local spending = require "runtime.spending"
local telemetry = require "runtime.telemetry"
local versions = require "runtime.versions"

---@class Case
---@field trace_id string
---@field reason string            what made somebody look, as a person reads it
---@field occasion? string         where `reason` are the words of others: what we say of it (runtime/occasion.lua)
---@field node table
---@field lives integer             as the node had them when the run began
---@field skills Skill[]            all that the run may look with
---@field clean fun(value: any): any          as it may leave
---@field original fun(text: string): string   what a cleaned text with names of secrets was
---@field evidence Evidence
---@field notifications table[]
---@field told integer             how many notifications there were in all
---@field insights table[]
---@field concluded integer        how many insights there were in all
---@field explained table<string, table>   id of a notification -> the gravest insight that names it
---@field operators table[]         { node, skill, state, iterations, running, ended, why }
---@field proved table<table, true>         insights that rules made: a model may explain them
---@field answered table<string, true>      callbacks that the node answered
---@field unanswered table<string, string>  callbacks that were refused or failed, and why
---@field lacking table<string, true>       those of them that cannot be had on this node
---@field looks? table<string, table[]>     what they answered, by the call (runtime/unsaid.lua); of a run with an end
---@field versions Versions       what the run goes by
---@field proposals Proposals       what the run would do, if a person approved it
---@field spending Spending       what it used of its model
---@field journal? Journal         writes down what is told
---@field heard? fun(notification: table)  the coordinator, where there is one
---@field ended? string            how the coordinator ended
---@field why? string              the reason, where it did not end by itself
---@field said? string             its last words
local Case = {}
Case.__index = Case

local case = {}

local SECONDS = 300
local MOST_OF_ONE = 50
local GRAVE, RANK, proven = gravity.grave, gravity.rank, gravity.proven

---@param opts { node: table, skills: Skill[], mind: table, gate: table, reason?: string, occasion?: string,
---  deadline?: number, limits?: table, privacy?: Privacy, store?: string, journal?: Journal }
---@return Case
function case.new(opts)
  local mask = opts.privacy or privacy.new { opts.node.name }
  local function clean(value) return mask:clean(value) end
  local function original(text) return mask:original(text) end
  local load, trace_id = opts.node.load, crypto.hex(crypto.random(16))
  local self = setmetatable({
    trace_id = trace_id, node = opts.node, skills = opts.skills, mind = opts.mind, gate = opts.gate,
    reason = opts.reason or "", occasion = opts.occasion,
    deadline = opts.deadline or async.now() + SECONDS, limits = opts.limits or {},
    clean = clean, original = original, evidence = evidence.new(clean),
    notifications = {}, told = 0, sent = {}, insights = {}, concluded = 0, explained = {}, proved = {}, operators = {},
    answered = {}, unanswered = {}, lacking = {}, versions = versions.new(opts.skills),
    proposals = proposals.new { node = opts.node, store = opts.store, trace_id = trace_id,
      mind = opts.mind.model or opts.mind.name },
    load_before = { calls = load.calls, reductions = load.reductions, bytes = load.bytes },
  }, Case)
  self.spending = spending.new { provider = opts.mind.name, limits = self.limits,
    priced = opts.mind.destination ~= nil,
    worked = function() return opts.node.load.reductions - self.load_before.reductions end }
  self.lives = opts.node.lives
  if self.deadline < math.huge then self.looks = {} end
  self.journal = opts.journal and opts.journal:begin(self) or nil
  if opts.tape then opts.tape:begin(self) end
  return self
end

--- A skill as it is now, which has taken the place of what it was.
---@param s Skill
---@return Skill
function Case:renew(s)
  local now = in_use.now(s)
  for i, other in ipairs(self.skills) do
    if other.name == now.name then self.skills[i] = now end
  end
  self.versions:uses("skill", now.name, skill.version(now))
  return now
end

---@return string   ISO 8601, UTC
function Case.now() return os.date "!%Y-%m-%dT%H:%M:%SZ" end

function Case:emit(event, measurements, metadata)
  metadata = metadata or {}
  metadata.trace_id = self.trace_id
  telemetry.emit(event, measurements, metadata)
end

--- The usage as a report has it.
---@return table
function Case:spent() return self.spending:told() end

--- Every word that may stand for a mechanism here.
---@return string[]
function Case:words() return mechanism_words.of(self.skills) end

local function mechanism_fault(self, root_cause)
  local why = root_cause and mechanism_words.fault(root_cause.mechanism, self:words())
  return why and "root_cause.mechanism: " .. why
end

local function snapshots_fault(self, ids)
  if #ids == 0 then return "snapshot_ids: name one snapshot at least; take_snapshot makes one" end
  for _, id in ipairs(ids) do
    local o = self.evidence:get(id)
    if not o or o.kind ~= "snapshot" then return ("snapshot_ids: there is no snapshot %s"):format(id) end
  end
end

-- Nobody reads the fifty-first of an hour, and whoever sends it has lost the thread.
local function flood(self, operator)
  local sent, now = self.sent[operator] or {}, async.now()
  self.sent[operator] = sent
  while sent[1] and sent[1] < now - 3600 do table.remove(sent, 1) end
  if #sent >= MOST_OF_ONE then
    return ("%d notifications within the hour, and no more are taken; put the rest into the one that it belongs to")
      :format(#sent)
  end
end

--- Takes an operator's notification: claims that do not stand are dropped from it, the rest stays.
---@param operator string
---@param given table      the arguments of send_notification
---@param by_rules? true
---@return table? notification
---@return table|string dropped   the claims that fell, each with why; or why it was not taken at all
function Case:notify(operator, given, by_rules)
  local why = snapshots_fault(self, given.snapshot_ids) or mechanism_fault(self, given.root_cause)
  if why then return nil, why end
  for _, n in ipairs(self.notifications) do
    if n.operator == operator and n.observation == given.observation then
      return nil, ("this was sent already, as %s"):format(n.id)
    end
  end
  why = flood(self, operator)
  if why then return nil, why end
  local stand, dropped = self.evidence:check_all(given.evidence)
  local since = (by_rules or not self.mind.destination) and given.since or nil -- which a model has no figure for
  table.insert(self.sent[operator], async.now())
  return self:tell {
    node = self.node.name, operator = operator, type = given.type,
    severity = given.severity, context = given.context, observation = given.observation,
    hypothesis = given.hypothesis, snapshot_ids = given.snapshot_ids, evidence = stand,
    root_cause = given.root_cause, considered = given.considered or {}, next_steps = given.next_steps or {},
    confidence = given.confidence or "low", since = since, detected_at = self.now(), status = "unread",
    by_rules = by_rules,
  }, dropped
end

--- Puts a notification, whose claims stand, to the others.
---@param n table
---@return table n   with its id
function Case:tell(n)
  self.told = self.told + 1
  n.id = "n" .. self.told
  self.notifications[#self.notifications + 1] = n
  if self.journal then self.journal:notification(n) end -- it is on the disk before anybody is told
  if self.heard then self.heard(n) end
  return n
end

---@return table?
function Case:notification(id)
  for _, n in ipairs(self.notifications) do
    if n.id == id then return n end
  end
end

-- Milder words than the figures leave open what they prove.
local function settled(self, n)
  local insight = self.explained[n.id]
  return insight and (GRAVE[insight.severity] or not proven(n))
end

--- The insight that settles a notification.
---@param n table
---@return string?
function Case:settled_by(n) return settled(self, n) and self.explained[n.id].id or nil end

local function join(self, n, insight)
  local before = self.explained[n.id]
  if not before or RANK[insight.severity] > RANK[before.severity] then
    self.explained[n.id], n.insight = insight, insight.id
  end
  n.status = "resolved"
  n.set_aside = not settled(self, n) and ("%s is only %s"):format(insight.id, insight.severity) or nil
end

local function add_insight(self, insight, named)
  self.concluded = self.concluded + 1
  insight.id = "i" .. self.concluded
  insight.node = self.node.name
  insight.hypothesis_grounded =
    self.evidence:grounded(insight.evidence, insight.root_cause.mechanism, insight.considered)
  self.insights[#self.insights + 1] = insight
  for _, n in ipairs(named) do join(self, n, insight) end
  if self.journal then self.journal:insight(insight, named) end
  self:emit("coordinator.insight_produced", nil, {
    id = insight.id, node = insight.node, severity = insight.severity, summary = insight.summary,
    root_cause = insight.root_cause,
  })
  return insight
end

-- What the coordinator could have cited, for the sentence that says why it has to.
local function citable(named)
  local lines = {}
  for _, n in ipairs(named) do
    for _, claim in ipairs(n.evidence) do lines[#lines + 1] = ("%s %s"):format(claim.observation, claim.path) end
  end
  return #lines > 0 and "; what stands is " .. table.concat(lines, ", ", 1, math.min(#lines, 8)) or ""
end

-- Real figures beside another name prove nothing of it: who looked has named the object.
local function object_fault(root_cause, named)
  local objects = {}
  for _, n in ipairs(named) do
    if n.root_cause then
      if n.root_cause.object == root_cause.object then return nil end
      objects[#objects + 1] = n.root_cause.object
    end
  end
  if #objects == 0 then return nil end
  return ("root_cause.object: of these notifications none names %q, but %s; where it is another, ask an operator")
    :format(root_cause.object, table.concat(objects, ", "))
end

-- Since when, by who looked at this very object.
local function since_of(root_cause, named)
  for _, n in ipairs(named) do
    if n.since and n.root_cause and n.root_cause.object == root_cause.object then return n.since end
  end
end

-- One cause is told once: again only graver, or of something that no insight names yet.
local function double_fault(self, severity, named)
  for _, n in ipairs(named) do
    local insight = self.explained[n.id]
    if not insight or RANK[insight.severity] < RANK[severity] then return nil end
  end
  local insight = self.explained[named[1].id]
  return ("%s stands in %s already, as %s; name a notification that no insight names, or be done"):format(
    named[1].id, insight.id, insight.severity)
end

-- What an insight names and leaves open, for whoever made it.
local function left_open(self, named)
  for _, n in ipairs(named) do
    if proven(n) and not settled(self, n) then
      return ("%s is %s and its figures stand, so %s leaves it open%s"):format(n.id, n.severity,
        self.explained[n.id].severity, citable { n })
    end
  end
end

--- An insight that says more than it did, or something else.
---@param insight table
---@param named table[]   notifications that it stands for now too
function Case:told_again(insight, named)
  local ids = {}
  for _, id in ipairs(insight.notification_ids) do ids[id] = true end
  for _, n in ipairs(named) do
    join(self, n, insight)
    if not ids[n.id] then table.insert(insight.notification_ids, n.id) end
  end
  local all = {}
  for i, id in ipairs(insight.notification_ids) do all[i] = self:notification(id) end
  if self.journal then self.journal:insight(insight, all) end
  self:emit("coordinator.insight_explained", nil, { id = insight.id, severity = insight.severity,
    root_cause = insight.root_cause, summary = insight.summary })
end

--- Takes an insight of the coordinator. One of warning or worse needs evidence that stands, and
--- so do the notifications it rests on.
---@param given table     the arguments of produce_insight
---@return table? insight
---@return table|string dropped   the claims that fell; or why there is no insight
---@return string? open   what it does not settle, though it names it
function Case:conclude(given)
  local named = {}
  for i, id in ipairs(given.notification_ids) do
    named[i] = self:notification(id)
    if not named[i] then return nil, ("there is no notification %s"):format(id) end
  end
  if #named == 0 then return nil, "notification_ids: name the notifications that it rests on" end
  local told, fault = proved.take(self, given, named)
  if told then self:told_again(told, named) end
  if told or fault then return told, fault end
  local why = mechanism_fault(self, given.root_cause) or object_fault(given.root_cause, named)
    or double_fault(self, given.severity, named)
  if why then return nil, why end
  local stand, dropped = self.evidence:check_all(given.evidence)
  if #stand == 0 and GRAVE[given.severity] then
    local first = dropped[1] and "; " .. dropped[1].why or ""
    return nil, ("no evidence stands, so it cannot be %s%s%s"):format(given.severity, first, citable(named))
  end
  local insight = add_insight(self, {
    summary = given.summary, severity = given.severity, confidence = given.confidence,
    correlation_type = given.correlation_type, root_cause = given.root_cause,
    root_cause_hypothesis = given.root_cause_hypothesis, matched_observations = given.matched_observations,
    notification_ids = given.notification_ids, evidence = stand, considered = given.considered or {},
    next_steps = given.next_steps or {}, since = since_of(given.root_cause, named),
  }, named)
  return insight, dropped, left_open(self, named)
end

--- Puts an action on the list that a person decides on. The reason is a model's, who knows the object by what it
--- was shown.
---@param by table
---@return Proposal?
---@return Failure|string|nil err
function Case:propose(by, name, arguments, reason)
  local meant = {}
  for key, value in pairs(arguments) do meant[key] = type(value) == "string" and self.original(value) or value end
  return self.proposals:add(by, name, meant, reason)
end

--- Notifications of warning or worse that evidence bears out and nobody has dealt with.
---@return table[]
function Case:standing()
  local standing = {}
  for _, n in ipairs(self.notifications) do
    if proven(n) and n.status ~= "resolved" then standing[#standing + 1] = n end
  end
  return standing
end

-- The insight that says the same already.
local function same_cause(self, n)
  for _, insight in ipairs(self.insights) do
    local cause = insight.root_cause
    if cause.object == n.root_cause.object and cause.mechanism == n.root_cause.mechanism
      and RANK[insight.severity] >= RANK[n.severity] then return insight end
  end
end

--- Makes insights of what stands and names its cause, so that nothing proven is lost when the
--- coordinator ended early, or left it lying.
---@param anew? true   what an insight says may be over since, and is told again: a run without an end
function Case:promote(anew)
  for _, n in ipairs(self:standing()) do
    local insight = n.root_cause and not anew and same_cause(self, n)
    if insight then
      join(self, n, insight)
    elseif n.root_cause then
      add_insight(self, {
        summary = n.hypothesis or n.observation, severity = n.severity, confidence = n.confidence,
        correlation_type = "single", root_cause = n.root_cause, root_cause_hypothesis = n.hypothesis,
        matched_observations = { n.observation }, notification_ids = { n.id }, evidence = n.evidence,
        considered = n.considered, next_steps = n.next_steps, since = n.since,
      }, { n })
    end
  end
end

--- Lets go of the oldest notifications, and of the insights that rest on none of those that stay.
---@param most integer   that stay
function Case:keep_last(most)
  while #self.notifications > most do self.explained[table.remove(self.notifications, 1).id] = nil end
  for i = #self.insights, 1, -1 do
    local rests = false
    for _, id in ipairs(self.insights[i].notification_ids) do rests = rests or self.explained[id] ~= nil end
    if not rests then table.remove(self.insights, i) end
  end
end

-- Whether graver insights say the same of all that this one names and that is still kept.
local function outdone(self, insight)
  local cause = insight.root_cause
  for _, id in ipairs(insight.notification_ids) do
    local other = self.explained[id]
    if other and (other == insight or RANK[other.severity] <= RANK[insight.severity]
      or other.root_cause.object ~= cause.object or other.root_cause.mechanism ~= cause.mechanism) then return false end
  end
  return true
end

--- The insights, the leading cause first, and each cause once.
---@return table[]
function Case:ordered()
  local ordered = {}
  for _, insight in ipairs(self.insights) do
    if not outdone(self, insight) then ordered[#ordered + 1] = insight end
  end
  local function weight(i)
    return RANK[i.severity] * 10 + (i.correlation_type == "symptomatic" and -2 or 0)
      + (i.correlation_type == "causal" and 2 or 0) + (i.hypothesis_grounded and 1 or 0)
  end
  local place = {}
  for i, insight in ipairs(ordered) do place[insight] = i end
  table.sort(ordered, function(a, b)
    if weight(a) ~= weight(b) then return weight(a) > weight(b) end
    return place[a] < place[b]
  end)
  return ordered
end

return case
