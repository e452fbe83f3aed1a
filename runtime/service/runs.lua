--- The runs that were asked for: one at a time, a short queue behind it, and what became of the last ones.
--- An alert that is told again while its run waits or goes on leads to that run, not to another.

local async = require "runtime.async"
local crypto = require "host.crypto"
local turns = require "runtime.turns"

local runs = { waiting = 8, kept = 20, in_an_hour = 30 }

local HOUR_S = 3600
local FULL_S = 60 -- a run may have ended by then

---@class ServiceRun
---@field id string
---@field state "queued"|"running"|"done"|"failed"
---@field reason string
---@field node? string
---@field queued_at string
---@field started_at? string
---@field ended_at? string
---@field report? table
---@field error? { message: string, next?: string }

---@class Runs
---@field private order ServiceRun[]   oldest first
---@field private open table<string, ServiceRun>   by what was wanted, those that have not ended
local Runs = {}
Runs.__index = Runs

local function same(value) return value end

---@param investigate fun(wanted: RunWanted): table?, any   a report, or what is wrong
---@param gate? Turns   shared with whoever else investigates
---@param clean? fun(value: any): any   makes of what a run said what may be told
---@return Runs
function runs.new(investigate, gate, clean)
  return setmetatable({ investigate = investigate, gate = gate or turns.new(), clean = clean or same, order = {},
    open = {}, pending = 0, tasks = {}, begun = {} }, Runs)
end

local function stamp() return os.date "!%Y-%m-%dT%H:%M:%SZ" end

-- Those that have not ended are few, and are never forgotten.
local function forget(self)
  local i = 1
  while #self.order > runs.kept and i <= #self.order do
    if self.order[i].ended_at then table.remove(self.order, i) else i = i + 1 end
  end
end

local function settle(self, run, report, err)
  run.ended_at = stamp()
  if report then
    run.state, run.report = "done", self.clean(report)
  else
    local told = type(err) == "table" and err.message and err or { message = tostring(err):match "^[^\n]*" }
    run.state, run.error = "failed", self.clean { message = told.message, next = told.next }
  end
end

local function work(self, run, wanted)
  local ok, report, err = pcall(self.gate.run, self.gate, function()
    if self.closed then return nil end -- whoever had the turn ended first
    run.state, run.started_at = "running", stamp()
    return self.investigate(wanted)
  end)
  self.pending, self.open[wanted.key] = self.pending - 1, nil
  if not ok then report, err = nil, report end
  if self.closed and run.state == "queued" then err = "the watch ended before its turn" end
  settle(self, run, report, err)
  local waiters = run.waiters
  run.waiters = {}
  for _, wake in ipairs(waiters) do wake(true) end
end

--- Queues a run.
---@param wanted RunWanted
---@return ServiceRun?
---@return integer? seconds   where there is none: after which it may be asked for again
function Runs:ask(wanted)
  local before = self.open[wanted.key]
  if before then return before end
  if self.pending > runs.waiting then return nil, FULL_S end
  local now = async.now()
  while self.begun[1] and self.begun[1] <= now - HOUR_S do table.remove(self.begun, 1) end
  if #self.begun >= runs.in_an_hour then return nil, math.ceil(self.begun[1] + HOUR_S - now) end
  self.begun[#self.begun + 1] = now
  local run = { id = crypto.hex(crypto.random(8)), state = "queued", reason = self.clean(wanted.reason),
    node = wanted.node, queued_at = stamp(), waiters = {} }
  self.pending, self.open[wanted.key] = self.pending + 1, run
  self.order[#self.order + 1] = run
  forget(self)
  local task
  task = async.spawn(function()
    work(self, run, wanted)
    if task then self.tasks[task] = nil end
  end)
  if not task.finished then self.tasks[task] = true end
  return run
end

---@param id string   that POST /run told, or that the report says
---@return ServiceRun?
function Runs:get(id)
  for _, run in ipairs(self.order) do
    if run.id == id or run.report and run.report.run == id then return run end
  end
end

--- Waits for the end of a run, in the task of whoever wants to know.
---@param run ServiceRun
---@param deadline number
function Runs.wait(_, run, deadline)
  if run.ended_at then return end
  async.await(function(resume)
    run.waiters[#run.waiters + 1] = resume
    return function()
      for i, other in ipairs(run.waiters) do
        if other == resume then return table.remove(run.waiters, i) end
      end
    end
  end, deadline)
end

--- A run as it is told.
---@param run ServiceRun
---@return table
function Runs.told(_, run)
  return { schema = 1, id = run.id, state = run.state, reason = run.reason, node = run.node, queued_at = run.queued_at,
    started_at = run.started_at, ended_at = run.ended_at, report = run.report, error = run.error }
end

--- Ends what runs and what waits; returns when it has ended.
---@param deadline number
function Runs:close(deadline)
  self.closed = true
  local tasks = {}
  for task in pairs(self.tasks) do tasks[#tasks + 1] = task end
  for _, task in ipairs(tasks) do task:cancel "interrupted" end
  for _, task in ipairs(tasks) do task:join(deadline) end
end

return runs
