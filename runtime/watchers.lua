--- The watchers of one node: operators without an end, each by itself. One that ends is started again,
--- ever more rarely; what it tells of warning or worse is looked into like an anomaly.

local async = require "runtime.async"
local carried = require "runtime.carried"
local gravity = require "runtime.gravity"
local jitter = require "runtime.jitter"
local occasion = require "runtime.occasion"
local telemetry = require "runtime.telemetry"

local watchers = {}

local FIRST_PAUSE_S, LONGEST_PAUSE_S = 1, 300
local QUOTA_S = 3600 -- an account is filled up by a person
local QUIET_S = 600 -- who ran so long begins with the first pause again
local DAY_S = 86400

---@class Watchers
---@field private o table
---@field private tasks table<string, Task>      by the post's name
---@field private known table<string, { at: number, severity: string }>   what was looked into
---@field private handles table<string, Handle>  those that run
---@field private resting table<string, true>    those that ended, until they are started again
---@field private stopped? true
---@field private gone { calls: integer, tokens: integer, usd: number? }   of those that ended
local Watchers = {}
Watchers.__index = Watchers

local function add(sum, usage)
  sum.calls = sum.calls + usage.calls
  sum.tokens = sum.tokens + usage.input_tokens + usage.cache_read_tokens + usage.output_tokens
  sum.usd = sum.usd and type(usage.cost_usd) == "number" and sum.usd + usage.cost_usd or nil
end

local function sentence(post, n)
  return ("the watcher %s says: %s"):format(post.name, n.hypothesis or n.observation)
end

-- What of it is of closed lists, and the name that the config gives it.
local function occasion_of(post, n)
  local mechanism = occasion.name(n.root_cause and n.root_cause.mechanism, 40)
  return ("the watcher %s fired an alert (%s%s)"):format(occasion.name(post.name, 60) or "of the config", n.severity,
    mechanism and ", " .. mechanism or "")
end

-- What stays wrong is told again and again, and looked into once a day, or when it gets worse.
local function is_news(self, post, n)
  local cause = n.root_cause or { mechanism = n.type, object = "" }
  local key = table.concat({ post.name, cause.mechanism, cause.object }, "\0")
  local known, now = self.known[key], async.now()
  if known and known.severity == n.severity and now - known.at < DAY_S then return false end
  for other, seen in pairs(self.known) do
    if now - seen.at >= DAY_S then self.known[other] = nil end
  end
  self.known[key] = { at = now, severity = n.severity }
  return true
end

local function forget_finished(tasks)
  for i = #tasks, 1, -1 do
    if tasks[i].finished then table.remove(tasks, i) end
  end
end

-- What it tells, as it tells it, until it ends; an alert is looked into in a task of its own: that may take minutes.
local function follow(self, post, handle, looking)
  for item in handle:messages() do
    local n = item.kind == "notification" and item.notification
    if n and gravity.grave[n.severity] and is_news(self, post, n) then
      local found = carried.of(handle.case, n)
      forget_finished(looking)
      looking[#looking + 1] = async.spawn(self.o.alert, sentence(post, n), occasion_of(post, n), found)
    end
  end
end

local function once(self, post)
  local handle, err = self.o.start(post)
  if not handle then return tostring(err) end
  self.handles[post.name] = handle
  local looking = {}
  follow(self, post, handle, looking)
  handle:join()
  local cancelled = async.current().cancelled
  for _, task in ipairs(looking) do
    if cancelled then task:cancel(cancelled) end
    task:join()
  end
  local status = handle:status()
  if self.handles[post.name] == handle then self.handles[post.name] = nil end -- another may have its place already
  add(self.gone, status.usage)
  return status.why or status.ended, status.ended, handle.entry.fault
end

-- Until midnight UTC: limits of a watch are those of a day.
local function rest_of_day() return DAY_S - os.time() % DAY_S end

-- How long one rests that ended, and what the next pause begins with. What a person has to mend first takes its time.
local function rest(ended, fault, pause)
  local longer = math.min(pause * 2, LONGEST_PAUSE_S)
  if ended == "budget" then return rest_of_day(), longer end
  if fault and fault.class == "quota" then return math.max(QUOTA_S, tonumber(fault.wait_s) or 0), longer end
  if fault and fault.status then return LONGEST_PAUSE_S, LONGEST_PAUSE_S end -- refused, in its own words
  return jitter(pause), longer
end

local function keep(self, post)
  local pause = FIRST_PAUSE_S
  while not async.current().cancelled do
    local began = async.now()
    local why, ended, fault = once(self, post)
    if async.current().cancelled then return end
    if async.now() - began >= QUIET_S then pause = FIRST_PAUSE_S end
    local seconds
    seconds, pause = rest(ended, fault, pause)
    self.resting[post.name] = true
    telemetry.emit("watcher.restarting", { wait_s = seconds },
      { watcher = post.name, node = self.o.node.name, reason = tostring(why), ended = ended })
    if not async.sleep(seconds) then return end
    self.resting[post.name] = nil
  end
end

--- What they used since they were started.
---@return { calls: integer, tokens: integer, usd: number? }   usd: nil where a price is not known
function Watchers:spent()
  local sum = { calls = self.gone.calls, tokens = self.gone.tokens, usd = self.gone.usd }
  for _, handle in pairs(self.handles) do add(sum, handle:status().usage) end
  return sum
end

--- How each is, for who asks.
---@return { watcher: string, state: string, iterations: integer, model: "up"|"down" }[]   state: of its skill, or
---  "resting" where it ended and is not started again yet
function Watchers:statuses()
  local list = {}
  for name, handle in pairs(self.handles) do
    local status = handle:status()
    list[#list + 1] = { watcher = name, state = status.state, iterations = status.iterations,
      model = handle.entry.llm_down and "down" or "up" }
  end
  for name in pairs(self.resting) do
    list[#list + 1] = { watcher = name, state = "resting", iterations = 0, model = "down" }
  end
  table.sort(list, function(a, b) return a.watcher < b.watcher end)
  return list
end

--- Starts those of the list that are not there, and ends those that left it. Once they were stopped, none is started.
---@param posts Post[]
function Watchers:set(posts)
  local wanted, leaving = {}, {}
  for _, post in ipairs(self.stopped and {} or posts) do
    wanted[post.name] = true
    if not self.tasks[post.name] then self.tasks[post.name] = async.spawn(keep, self, post) end
  end
  for name, task in pairs(self.tasks) do
    if not wanted[name] then leaving[name] = task end
  end
  for name, task in pairs(leaving) do -- each has left before the first is waited for: another list may come meanwhile
    self.tasks[name], self.resting[name] = nil, nil
    task:cancel "left the config"
  end
  for _, task in pairs(leaving) do task:join() end
end

--- Ends them all, for good.
function Watchers:stop()
  self.stopped = true
  self:set {}
end

---@param o { node: AttachedNode, start: fun(post: Post): Handle?, any; alert: fun(reason: string, occasion: string,
---  found?: Carried) }
---@return Watchers
function watchers.new(o)
  return setmetatable({ o = o, tasks = {}, handles = {}, resting = {}, known = {},
    gone = { calls = 0, tokens = 0, usd = 0 } }, Watchers)
end

return watchers
