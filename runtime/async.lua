--- Tasks on luv's loop. A task is a coroutine that reads from top to bottom and yields wherever
--- it waits; nothing else in the program waits, so nothing ever blocks the loop. Times are in
--- seconds, deadlines are absolute in `async.now()` and are passed on as they are.
---
--- A wait has one end: the event, its deadline, or the cancelling of its task, whichever comes
--- first. The late ones find it over and do nothing.

local uv = require "luv"
local deadlines = require "runtime.deadlines"
local plain = require "runtime.plain"

local async = { now = deadlines.now }

---@class Task
---@field finished boolean
---@field cancelled? string          why, once it was cancelled
---@field private co thread
---@field private wait? table        what it waits for now
---@field private joiners function[]
local Task = {}
Task.__index = Task

local running    -- the task whose code runs now
local looping    -- inside async.run
-- Tasks that failed while nobody had joined them, and what tells of it. Weak, for whom nobody holds nobody will join:
-- such a one is told when it is collected, and not kept until a program ends that runs for months.
local lost = setmetatable({}, { __mode = "k" })

local function tell_lost(words) io.stderr:write("a task in the background failed: ", plain.lines(words), "\n") end

local function lose(task)
  local unheard = { words = os.getenv "BEAMLENS_DEBUG" and task.trace or tostring(task.failure) }
  local last_words = newproxy(true)
  getmetatable(last_words).__gc = function()
    if unheard.words then tell_lost(unheard.words) end
  end
  task.last_words, lost[task] = last_words, unheard
end

local function found(task)
  if lost[task] then lost[task].words = nil end
  lost[task] = nil
end

local function pack(...) return { n = select("#", ...), ... } end

-- An error object that is no text (a Failure, what busted raises) goes up as it is.
local function finish(task, ok, ...)
  task.finished, task.ok = true, ok
  if ok then
    task.results = pack(...)
  else
    task.failure = ...
    task.trace = debug.traceback(task.co, tostring(task.failure))
    if #task.joiners == 0 then lose(task) end
  end
  for _, wake in ipairs(task.joiners) do wake() end
end

local function after(task, before, ok, ...)
  running = before
  if not ok or coroutine.status(task.co) == "dead" then finish(task, ok, ...) end
end

-- The fourth place of a pcall, as coroutine.resume: one task's bug must not end the others.
local function step(task, ...)
  local before = running
  running = task
  after(task, before, coroutine.resume(task.co, ...))
end

local Wait = {}
Wait.__index = Wait

function Wait:give_up(why)
  if self.over then return end
  self.over = true
  deadlines.remove(self)
  self.task.wait = nil
  if self.abandon then self.abandon(why) end
  step(self.task, nil, why)
end

function Wait:expire() self:give_up "timeout" end

--- Waits for something that a callback announces.
---@param start fun(resume: fun(...)): fun(why: string)?  begins it; may return what abandons it
---@param deadline? number
---@return ...   what resume was given; nil, "timeout" at the deadline; nil, why when cancelled
function async.await(start, deadline)
  local task = running
  if not task then error("async.await outside a task: start one with async.run", 2) end
  if deadline then deadlines.check(deadline) end
  if task.cancelled then return nil, task.cancelled end
  local wait = setmetatable({ task = task, deadline = deadline }, Wait)
  local abandon = start(function(...)
    if wait.over then return end
    wait.over = true
    if not wait.yielded then
      wait.values = pack(...)
      return
    end
    deadlines.remove(wait)
    task.wait = nil
    step(task, ...)
  end)
  if wait.over then return unpack(wait.values, 1, wait.values.n) end
  wait.abandon, wait.yielded, task.wait = abandon, true, wait
  if deadline then deadlines.add(wait) end
  return coroutine.yield()
end

local function nothing() end

---@param seconds number
---@return true|nil, string? err   when the task was cancelled
function async.sleep(seconds)
  async.await(nothing, async.now() + seconds)
  if running.cancelled then return nil, running.cancelled end
  return true
end

--- Starts a task, which runs at once until it first waits. Join what you start: a failure that
--- nobody hears is written to stderr, when the task is forgotten or the loop ends.
---@param fn function
---@return Task
function async.spawn(fn, ...)
  local task = setmetatable({ co = coroutine.create(fn), joiners = {}, finished = false }, Task)
  step(task, ...)
  return task
end

--- The task that is running, for who wants to cancel it later.
---@return Task|nil
function async.current() return running end

--- Waits for the end of a task.
---@param deadline? number
---@return boolean ok   false: it raised, or we stopped waiting
---@return ...          its results, or one text: the traceback, "timeout", why we were cancelled
function Task:join(deadline)
  if not self.finished then
    local _, err = async.await(function(resume)
      self.joiners[#self.joiners + 1] = resume
      return function()
        for i, wake in ipairs(self.joiners) do
          if wake == resume then table.remove(self.joiners, i) end
        end
      end
    end, deadline)
    if not self.finished then return false, err end
  end
  found(self)
  if not self.ok then return false, self.trace end
  return true, unpack(self.results, 1, self.results.n)
end

--- The wait that the task is in returns nil, why, and so does each later one.
---@param why? string   "cancelled" if left out
function Task:cancel(why)
  if self.finished then return end
  self.cancelled = why or "cancelled"
  if self.wait then self.wait:give_up(self.cancelled) end
end

--- Lets a task that was cancelled wait once more: for putting away what it holds, so give each wait in it
--- a deadline.
---@param fn fun(): ...
---@return ...   what fn returns
function async.shield(fn)
  local task = running
  local why = task.cancelled
  task.cancelled = nil
  return (function(ok, ...)
    task.cancelled = task.cancelled or why
    if not ok then error((...), 0) end
    return ...
  end)(pcall(fn))
end

local ENDING_S = 10 -- of a child that was cancelled: longer than whatever it may put away

--- Runs functions in parallel and waits for all of them; when we are cancelled, so are they, and what they stand on
--- stays until they have ended.
---@param functions function[]
---@return { ok: boolean, value: any, err: any }[]  in their order; ok is false after an error or `nil, err`
function async.all(functions)
  local tasks, results, passed_on = {}, {}, false
  for i, fn in ipairs(functions) do tasks[i] = async.spawn(fn) end
  for i, task in ipairs(tasks) do
    local ok, value, err = task:join()
    if running.cancelled and not task.finished then
      -- Once: a second time would break into what they put away.
      for _, other in ipairs(passed_on and {} or tasks) do other:cancel(running.cancelled) end
      passed_on = true
      ok, value, err = async.shield(function() return task:join(async.now() + ENDING_S) end)
    end
    if ok then
      results[i] = { ok = err == nil, value = value, err = err }
    else
      results[i] = { ok = false, err = value }
    end
  end
  return results
end

local function report_lost()
  for task, unheard in pairs(lost) do
    local words = unheard.words
    found(task)
    if words then tell_lost(words) end
  end
end

--- Runs fn as the root task, and the loop until it is done. Its error is raised again here, a
--- text with the traceback of the task behind it.
---@param fn function
---@return ...   what fn returns
function async.run(fn, ...)
  if looping then error("async.run inside a task: use async.spawn", 2) end
  looping = true
  local root = async.spawn(fn, ...)
  if not root.finished then
    root.joiners[1] = uv.stop
    uv.run()
  end
  looping = false
  found(root)
  report_lost()
  if not root.finished then error("the root task waits, and nothing is left that could wake it", 2) end
  if root.ok then return unpack(root.results, 1, root.results.n) end
  error(type(root.failure) == "string" and root.trace or root.failure, 0)
end

return async
