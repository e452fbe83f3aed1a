--- A watch: every node with a monitor of its own, one store that they learn into, and an investigation
--- whenever one asks for it, one at a time. It is handed what a run is made of, and knows neither command
--- line nor script. What is done on one node is runtime/watched.lua.

local async = require "runtime.async"
local autonomy = require "runtime.autonomy"
local door_of = require "runtime.service.of_watch"
local failure = require "runtime.failure"
local llm = require "runtime.llm"
local pace = require "runtime.pace"
local policy = require "runtime.policy"
local reload = require "runtime.reload"
local roster = require "runtime.roster"
local store = require "runtime.store"
local telemetry = require "runtime.telemetry"
local turns = require "runtime.turns"
local watched = require "runtime.watched"

local watch = {}

-- It lives for months and mostly waits: memory is dearer to it than time.
local GC_PAUSE = 130

---@class Watch
---@field o table                 settled options
---@field means WatchMeans
---@field kept Store
---@field mind Mind               who thinks in an investigation
---@field posts Post[]            the watchers of each node
---@field names string[]          of the nodes
---@field nodes table<string, Watched>
---@field queue Turns             of the investigations
---@field triggers number[]       when investigations began within the last hour, on all nodes together
---@field ended { reports: integer, sick: integer }
---@field task Task               the watch itself
local Watch = {}
Watch.__index = Watch

---@class WatchMeans
---@field names string[]
---@field attach fun(name: string): table?, any
---@field leave fun(node: table)
---@field skills fun(names: string[], node: table): Skill[]?, any
---@field operate fun(node: table, post: Post): Handle?, any   starts a watcher
---@field investigate fun(node: table, reason: string, skills?: string[], occasion?: string,
---  found?: Carried): table?, any

--- Investigates a node, in somebody's turn. The report is counted and handed on.
---@param node AttachedNode
---@param reason string
---@param skills? string[]   other than those of the watch
---@param occasion? string   where the reason is in words of others (runtime/occasion.lua)
---@param found? Carried     what a watcher proved, which stands in the report
---@return table? report
---@return any err
function Watch:look_into(node, reason, skills, occasion, found)
  if self.task.cancelled then return nil, "the watch ended" end -- somebody had the turn until now
  local report, err = self.means.investigate(node, reason, skills, occasion, found)
  if not report then return nil, err end
  self.ended.reports = self.ended.reports + 1
  if report.verdict == "sick" then self.ended.sick = self.ended.sick + 1 end
  if self.o.report then self.o.report(report) end
  return report
end

--- The same when it is its turn.
function Watch:investigate(node, reason, occasion, found)
  return self.queue:run(function() return self:look_into(node, reason, nil, occasion, found) end)
end

--- Goes on without the usual store, which cannot be read; one that was named is missed.
---@param err Failure
---@return boolean
function Watch:does_without(err)
  if self.o.store or self.kept.path == store.MEMORY then return false end
  telemetry.emit("store.failed", {}, { reason = tostring(err) })
  self.kept = store.open(store.MEMORY)
  return true
end

--- Whether no node was ever reached, each having been tried once.
function Watch:is_hopeless()
  local failed = 0
  for _, w in pairs(self.nodes) do
    if w.reached then return false end
    failed = failed + (w.refused and 1 or 0)
  end
  return failed == #self.names
end

-- What all watchers of all nodes used.
local function spent(self)
  local sum = { calls = 0, tokens = 0, usd = 0 }
  for _, w in pairs(self.nodes) do
    local one = w.watchers and w.watchers:spent() or { calls = 0, tokens = 0, usd = 0 }
    sum.calls, sum.tokens = sum.calls + one.calls, sum.tokens + one.tokens
    sum.usd = sum.usd and one.usd and sum.usd + one.usd
  end
  return sum
end

-- Beside the nodes: what the watchers cost, and whether the config names others meanwhile.
local function aside(self)
  local telling = async.spawn(pace.tell, function() return #self.posts * #self.names end,
    function() return spent(self) end)
  local off = telemetry.on("reload.config", function(_, _, edited)
    local applied = table.concat(edited.applied, " ")
    local posts = (applied:find "watchers" or applied:find "operators") and roster.standing(self.o)
    if not posts then return end
    self.posts = posts
    for _, w in pairs(self.nodes) do
      if w.watchers then async.spawn(w.watchers.set, w.watchers, posts) end
    end
  end)
  return function()
    off()
    telling:cancel()
  end
end

-- Each node by itself; what ends one ends no other.
local function all_nodes(self)
  local lives = {}
  for i, name in ipairs(self.names) do
    local w = watched.new(self, name)
    self.nodes[name] = w
    lives[i] = function() return w:live() end
  end
  local lost
  for _, life in ipairs(async.all(lives)) do
    if life.ok then return self.ended end
    lost = lost or failure.of(life.err, "node", 3)
  end
  if async.current().cancelled then return self.ended end
  return nil, lost
end

-- What could be wrong at night is told now.
local function settle(o)
  local mind, err = llm.choose(o)
  if not mind then return nil, err end
  if o.escalate and mind.name == "analyst" then
    return nil, failure.new("usage", "--escalate has no model to call", "set a key, or name one: --provider anthropic",
      2)
  end
  local ready
  ready, err = policy.load()
  if ready and o.autonomy then ready, err = autonomy.settle(o.autonomy, o.store) end
  if not ready then return nil, err end
  return mind
end

--- Watches until the task is cancelled, or every node is gone for good.
---@param o table    settled options: skills, store, anomaly; report: is handed each report
---@param means WatchMeans
---@return { reports: integer, sick: integer }?
---@return Failure? err
function watch.run(o, means)
  local mind, err = settle(o)
  if not mind then return nil, err end
  collectgarbage("setpause", GC_PAUSE)
  local posts
  posts, err = roster.standing(o)
  if not posts then return nil, err end
  local kept
  kept, err = store.usual(o)
  if not kept then return nil, err end
  if err then telemetry.emit("store.failed", {}, { reason = tostring(err) }) end
  local self = setmetatable({ o = o, posts = posts, means = means, kept = kept, mind = mind, names = means.names,
    task = async.current(), nodes = {}, queue = turns.new(), triggers = {}, ended = { reports = 0, sick = 0 } }, Watch)
  local unwatch = reload.begin { skills = {}, options = means.options } -- while no node is there, too
  local door, ended
  door, err = door_of(self)
  if door ~= nil then
    local stop = aside(self)
    ended, err = all_nodes(self)
    stop()
  end
  if door then door:close() end
  unwatch()
  return ended, err
end

return watch
