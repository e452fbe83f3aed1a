--- What a run writes into the store while it goes on: its row from the first moment, each notification and insight
--- before anybody is told of it, the observations that they rest on, and the report at its end. Whatever way
--- the process ends, what was reported is there. runtime/runs.lua reads it.
---
--- A store that fails ends no run. It is told once, what is to be written waits for the next moment, and the report
--- says so where it never got there.

local uv = require "luv"
local async = require "runtime.async"
local json = require "runtime.json"
local plain = require("runtime.plain").text
local process_start = require "runtime.process_start"
local records = require "runtime.records"
local retention = require "runtime.retention"
local store = require "runtime.store"
local telemetry = require "runtime.telemetry"

local journal = {}

local LONGEST_TEXT = 300          -- bytes of a text among what is kept of an event
local MOST_WAITING = 5000         -- writes that wait for a store that fails; then events are left out
local PATIENCE_S = 1              -- with another that writes: somebody waits for what is told
local EVENTS_AT_ONCE = 200

---@class Journal
---@field store? Store
---@field number? integer           the run's, once its row stands
---@field why? string               why something is not kept
---@field private waiting fun(db: table, number: integer): any, any
local Journal = {}
Journal.__index = Journal

--- Who a process is: its id and when it was started.
---@param pid integer
---@return string?
function journal.process(pid)
  local started = process_start(pid)
  return started and ("%d:%s"):format(pid, started)
end

local function told(self, err)
  if self.told then return end
  self.why, self.told = self.why or tostring(err), true
  telemetry.emit("store.failed", {}, { node = self.case.node.name, trace_id = self.case.trace_id, reason = self.why })
  io.stderr:write(plain("this run goes on, but is not kept: " .. self.why), "\n")
end

-- All that waits, in one transaction. Nothing is lost where it fails: it waits for the next time. Another of our tasks
-- may do the same while this one waits for the file.
local function flush(self)
  if not self.store or #self.waiting == 0 then return end
  local count, number = 0, nil
  local kept, err = self.store:transaction(function(db)
    number = self.number
    for i, write in ipairs(self.waiting) do
      local done, why = write(db, number)
      if not done then return nil, why end
      number, count = number or done, i
    end
    return true
  end, self.told and 0 or PATIENCE_S)
  if not kept then return told(self, err) end
  local rest = {}
  for i = count + 1, #self.waiting do rest[#rest + 1] = self.waiting[i] end
  self.number, self.waiting = number, rest
end

local function later(self, write) self.waiting[#self.waiting + 1] = write end

-- Figures and short texts: enough to tell which one it was.
local function small(...)
  local out = json.object {}
  for _, part in ipairs { ... } do
    for key, value in pairs(part) do
      local kind = type(value)
      if kind == "string" then out[key] = #value > LONGEST_TEXT and value:sub(1, LONGEST_TEXT) .. "…" or value end
      if kind == "number" or kind == "boolean" then out[key] = value end
    end
  end
  out.trace_id = nil
  return json.encode(out)
end

local function listen(self)
  local case, count = self.case, 0
  self.off = telemetry.on("*", function(event, measurements, metadata)
    local ours = metadata.trace_id == case.trace_id or not metadata.trace_id and metadata.node == case.node.name
    if not ours or event == "store.failed" then return end
    local at, body = os.time(), small(measurements, metadata)
    count = count + 1
    if #self.waiting > MOST_WAITING then return end
    later(self, function(db, number)
      return db:run("insert into events (run, at, event, body) values (?, ?, ?, ?)", number, at, event, body)
    end)
    -- Where nothing else is written for long; not here, for who emits is in the middle of its work.
    if count % EVENTS_AT_ONCE == 0 and not self.flushing then
      self.flushing = async.spawn(function()
        flush(self)
        self.flushing = nil
      end)
      if self.flushing and self.flushing.finished then self.flushing = nil end
    end
  end)
end

--- Writes the row of a run that begins.
---@param case Case
---@return Journal self
function Journal:begin(case)
  if self.case then return self end
  self.case, self.began = case, async.now()
  if not self.store then
    if self.why then told(self) end
    return self
  end
  local skills = {}
  for i, s in ipairs(case.skills) do skills[i] = s.name end
  local at, mind = os.time(), case.mind.model and ("%s %s"):format(case.mind.name, case.mind.model) or case.mind.name
  later(self, function(db)
    local done, id = db:run([[insert into runs (trace_id, node, skills, reason, mind, started_at, process)
      values (?, ?, ?, ?, ?, ?, ?)]], case.trace_id, case.node.name, json.encode(skills), case.reason, mind, at,
      journal.process(uv.os_getpid()) or "")
    if not done then return nil, id end
    return id
  end)
  listen(self)
  flush(self)
  return self
end

-- What a finding rests on, whole.
local function keep_observations(self, ids)
  for _, id in ipairs(ids) do
    local o = not self.seen[id] and self.case.evidence:get(id)
    if o then
      self.seen[id] = true
      local body = json.encode { id = o.id, kind = o.kind, operator = o.operator, callback = o.callback, at = o.at,
        value = o.value }
      later(self, function(db, number)
        return db:run("insert or replace into observations values (?, ?, ?)", number, id, body)
      end)
    end
  end
end

local function cited(list, ids)
  for _, claim in ipairs(list or {}) do ids[#ids + 1] = claim.observation end
  return ids
end

--- Writes a notification. When this returns it is on the disk.
---@param n table
function Journal:notification(n)
  if not self.store then return end
  keep_observations(self, cited(n.evidence, { unpack(n.snapshot_ids or {}) }))
  local body = json.encode(n)
  later(self, function(db, number)
    return db:run("insert or replace into notifications values (?, ?, ?)", number, n.id, body)
  end)
  flush(self)
end

--- Writes an insight. When this returns it is on the disk.
---@param i table
---@param named table[]   the notifications that it rests on
function Journal:insight(i, named)
  if not self.store then return end
  keep_observations(self, cited(i.evidence, {}))
  local operators, body, at = {}, json.encode(i), os.time()
  for k, n in ipairs(named) do operators[k] = n.operator end
  local cause = i.root_cause
  later(self, function(db, number)
    return db:run("insert or replace into insights values (?, ?, ?, ?, ?, ?, ?, ?)", number, i.id, i.node, cause.object,
      cause.mechanism, json.encode(operators), at, body)
  end)
  flush(self)
end

-- The figures of the snapshots, for who compares days.
local function keep_figures(self)
  local at, node = os.time(), self.case.node.name
  for _, o in ipairs(self.case.evidence:all()) do
    for name, value in pairs(o.kind == "snapshot" and type(o.value) == "table" and o.value or {}) do
      if type(value) == "number" then
        local metric = o.operator .. "." .. name
        later(self, function(db)
          return db:run("insert or replace into history values (?, ?, ?, ?)", node, metric, at, value)
        end)
      end
    end
  end
end

-- A run that came to nothing before it began, by a broken prompt or a full queue, is none.
function Journal:undo()
  if not self.store then return end
  later(self, function(db, number) return db:run("delete from runs where number = ?", number) end)
  later(self, function(db, number) return db:run("delete from events where run = ?", number) end)
  flush(self)
end

--- Writes the end of the run. The report says which run it is, or why it is not kept; and beside its findings how often
--- such ones were right here.
---@param report? table     nil where there is none
---@param cassette? string  where the run was recorded
function Journal:ended(report, cassette)
  if self.off then self.off() end
  if not self.case or self.over then return end
  self.over = true
  if not report then return self:undo() end
  if not self.store then
    report.not_kept = self.why
    return
  end
  keep_figures(self)
  records.tell(self.store, report)
  local cost = type(report.usage.cost_usd) == "number" and report.usage.cost_usd or nil
  local ms = math.floor((async.now() - self.began) * 1000 + 0.5)
  later(self, function(db, number)
    report.run = "r" .. number
    return db:run([[update runs set ended_at = ?, verdict = ?, incomplete = ?, ms = ?, cost_usd = ?, report = ?,
      cassette = ? where number = ?]], os.time(), report.verdict,
      report.incomplete ~= json.null and report.incomplete or nil, ms, cost, json.encode(report), cassette, number)
  end)
  async.shield(function() flush(self) end) -- also of a run that was interrupted
  if #self.waiting > 0 then report.run, report.not_kept = nil, self.why end
end

local RETAIN_S = 3600 -- a process that goes on for days looks again so often

--- The journal of one run, by the options of the run.
---@param options { store?: string, retention: table }
---@return Journal|nil|false   false where nothing is to be kept
---@return Failure? err         a store that was named and cannot be used; without the usual one a run goes on
function journal.open(options)
  if options.store == ":memory:" then return false end
  local s, err = store.shared(options)
  if not s and options.store then return nil, err end
  if s and (not s.retained_at or async.now() - s.retained_at > RETAIN_S) then
    s.retained_at = async.now()
    retention.apply(s, options.retention, os.time()) -- what is wrong with the store is told when the run is written
  end
  return setmetatable({ store = s, why = err and tostring(err), waiting = {}, seen = {} }, Journal)
end

return journal
