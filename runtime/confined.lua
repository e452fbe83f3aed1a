--- Runs Lua that somebody else wrote, in our own process: listed names, a count of its steps, a clock
--- and a look at the memory it takes. It may loop, grow or search as it likes, and is stopped with file
--- and line. What it calls of ours runs outside: that has deadlines of its own, and may yield.
---
--- LuaJIT looks at a hook in interpreted code only, so nothing of theirs is ever compiled. A hook and
--- the methods of strings are the whole state's and not a coroutine's, so both are put on when their code
--- begins or goes on, and taken off when it ends or calls us.

local uv = require "luv"
local bounded = require "runtime.bounded"
local failure = require "runtime.failure"
local plain = require "runtime.plain"

local confined = {}

local STEPS = 20000000      -- of the virtual machine: about half a second
local EVERY = 4             -- steps between two looks: a text that doubles doubles twice at most
local SECONDS = 3           -- of the CPU, where the steps are few and long
local WHOLE_S = 120         -- from call to return, with all that is waited for outside
local KILOBYTES = 64 * 1024 -- more than there was
local LONGEST_MESSAGE = 500
local NEXT = "correct that line, or move the file away"

local FUNCTIONS = { "assert", "error", "ipairs", "next", "pairs", "select", "tonumber", "tostring", "type", "unpack" }

-- Copies, so that what a file does to a library is its own affair, and over with it.
local function environment()
  local env = {}
  for _, name in ipairs(FUNCTIONS) do env[name] = _G[name] end
  for library, functions in pairs(bounded) do
    env[library] = {}
    for name, f in pairs(functions) do env[library][name] = f end
  end
  return env
end

---@class Stay                   one run of theirs, from call to return
---@field file string
---@field steps integer          that are left
---@field seconds number         of the CPU, that are left
---@field ends number            by the clock, whatever it waits for
---@field ours table<function, function>  what they were handed -> the function behind it

local methods = getmetatable "" -- of every string, ours too
local ours = methods.__index

-- The line of their file that is being run, or calls what is being run.
local function where(file)
  for level = 3, 40 do
    local info = debug.getinfo(level, "Sl")
    if not info then break end
    if info.source == "@" .. file then return ("%s:%d"):format(file, info.currentline) end
  end
  return file
end

local function stop(stay, why)
  debug.sethook() -- what is left of the work is ours
  methods.__index = ours
  error(failure.new("skill", ("%s: %s"):format(where(stay.file), why), NEXT, 2), 0)
end

local function too_long(stay)
  stop(stay, ("ran for %d million steps or %d seconds without coming to an end"):format(STEPS / 1e6, SECONDS))
end

local function grown(stay)
  if collectgarbage "count" <= stay.least + KILOBYTES then return end
  collectgarbage()
  if collectgarbage "count" <= stay.least + KILOBYTES then return end
  stop(stay, ("takes more than %d MiB of memory"):format(KILOBYTES / 1024))
end

local function left(stay)
  local seconds = stay.seconds - (os.clock() - stay.begun)
  if seconds <= 0 then too_long(stay) end
  return seconds
end

local function enter(stay)
  local begun = uv.hrtime()
  if begun > stay.ends then
    local why = ("%s: came to no end in %d s, most of them waited"):format(stay.file, stay.whole_s)
    error(failure.new("skill", why, NEXT, 2), 0)
  end
  stay.begun, stay.inside, stay.least = os.clock(), true, collectgarbage "count"
  stay.hooked = { debug.gethook() } -- a debugger's, or one that counts covered lines
  methods.__index = bounded.string
  local count, now = collectgarbage, uv.hrtime
  local limit = stay.least + KILOBYTES
  -- The clock is cheap to ask and runs on while others have the CPU; only then is the CPU's time asked for.
  local look_at = begun + stay.seconds * 1e9
  debug.sethook(function()
    stay.steps = stay.steps - EVERY
    if stay.steps <= 0 then too_long(stay) end
    if now() > look_at then look_at = now() + left(stay) * 1e9 end
    if count "count" > limit then grown(stay) end
  end, "", EVERY)
end

local function leave(stay)
  if not stay.inside then return end
  debug.sethook(unpack(stay.hooked, 1, 3))
  methods.__index, stay.inside = ours, false
  stay.seconds = stay.seconds - (os.clock() - stay.begun)
end

local function back(stay, ...)
  enter(stay)
  return ...
end

--- A function of ours as their code may call it.
---@param stay Stay
---@param f function
---@return function
function confined.outside(stay, f)
  return function(...)
    leave(stay)
    return back(stay, f(...))
  end
end

---@param file string      as its chunks are named
---@param whole_s? number  from call to return, waiting and all; 120 if left out
---@return Stay
function confined.stay(file, whole_s)
  whole_s = whole_s or WHOLE_S
  return { file = file, steps = STEPS, seconds = SECONDS, ends = uv.hrtime() + whole_s * 1e9, whole_s = whole_s,
    ours = {} }
end

--- What was raised there as a sentence. It may be anything at all.
---@param file string
---@param raised any
---@return Failure
function confined.fault(file, raised)
  if failure.is(raised) then return raised end
  local text = type(raised) == "string" and plain.cut(raised:match "^[^\n]*", LONGEST_MESSAGE)
    or "raised an error without a text"
  -- The libraries' functions in C cannot wait, and whoever asks the node does.
  if text:find("attempt to yield across C-call boundary", 1, true) then
    text = "the node cannot be asked from within table.sort or string.gsub: ask before, and use the answer there"
  end
  -- What is raised in the file begins with its name, or with the end of a long one; the rest names nothing.
  local named = text:sub(1, #file) == file or text:sub(1, 3) == "..."
  return failure.new("skill", named and text or ("%s: %s"):format(file, text), NEXT, 2)
end

local function finished(stay, ok, ...)
  leave(stay)
  if ok then return true, ... end
  return nil, confined.fault(stay.file, (...))
end

--- Calls what is theirs.
---@param stay Stay
---@param f function
---@return true|nil ok
---@return any ...        what it returned; or a Failure
function confined.call(stay, f, ...)
  enter(stay)
  return finished(stay, pcall(f, ...))
end

--- Their text as a function that was not run yet.
---@param text string
---@param file string
---@return function?
---@return Failure? err   with file and line
function confined.chunk(text, file)
  local chunk, err = load(text, "@" .. file, "t") -- bytecode could do anything to us
  if not chunk then return nil, confined.fault(file, err) end
  jit.off(chunk, true)
  return setfenv(chunk, environment())
end

return confined
