--- Many deadlines on one timer. Calls to a node come at fifteen thousand a second, each with a
--- deadline that is nearly always cancelled unused; a luv timer for each would cost more than
--- the call. A binary heap keeps the earliest on top, and the timer is started anew only when
--- an earlier one comes. Who waits, and for what, is runtime/async.lua.

local uv = require "luv"

local deadlines = {}

---@class Deadline
---@field deadline number   absolute, in seconds of `deadlines.now()`
---@field expire fun(self: Deadline)   called once, when it has passed
---@field at? integer       its place in the heap; nil while it is not armed

local heap, size = {}, 0
local timer, armed_for
local ahead = 0 -- what was skipped

--- Seconds of a clock that never goes back. Only differences mean anything.
---@return number
function deadlines.now() return uv.hrtime() / 1e9 + ahead end

local function place(entry, i)
  heap[i] = entry
  entry.at = i
end

local function rise(entry, i)
  while i > 1 do
    local above = (i - i % 2) / 2
    if heap[above].deadline <= entry.deadline then break end
    place(heap[above], i)
    i = above
  end
  place(entry, i)
end

local function sink(entry, i)
  while true do
    local child = 2 * i
    if child > size then break end
    if child < size and heap[child + 1].deadline < heap[child].deadline then child = child + 1 end
    if entry.deadline <= heap[child].deadline then break end
    place(heap[child], i)
    i = child
  end
  place(entry, i)
end

local fire

local LONGEST_MS = 86400000 -- it is set anew then: whoever waits for ever has a deadline without an end

-- The loop's own clock stands still while a callback runs, hence update_time.
local function arm(deadline)
  timer = timer or uv.new_timer()
  armed_for = deadline
  uv.update_time()
  local ms = math.ceil((deadline - deadlines.now()) * 1000)
  timer:start(math.max(0, math.min(ms, LONGEST_MS)), 0, fire)
end

-- Never twice for one entry: what has expired is out of the heap first. Who is woken may set deadlines
-- of its own, and the timer for these; one that stood before may be the earlier one.
function fire()
  armed_for = nil
  local now = deadlines.now()
  while size > 0 and heap[1].deadline <= now do
    local entry = heap[1]
    deadlines.remove(entry)
    entry:expire()
  end
  if size > 0 and (not armed_for or heap[1].deadline < armed_for) then arm(heap[1].deadline) end
end

--- Turns the clock forward to the earliest deadline: for who runs again what was recorded, and has nothing else
--- to wait for.
---@param latest? number   not beyond this
---@return boolean skipped
function deadlines.skip(latest)
  local first = size > 0 and heap[1].deadline
  if not first or first == math.huge or latest and first > latest then return false end
  ahead = ahead + math.max(0, first - deadlines.now())
  arm(first)
  return true
end

--- How many deadlines are set and neither met nor over.
---@return integer
function deadlines.pending() return size end

--- Raises for what is no time: in the heap it would be in the way of all others.
---@param deadline any
function deadlines.check(deadline)
  if type(deadline) == "number" and deadline == deadline then return end
  error("a deadline must be a number, not " .. tostring(deadline), 3)
end

---@param entry Deadline
function deadlines.add(entry)
  deadlines.check(entry.deadline)
  size = size + 1
  rise(entry, size)
  if not armed_for or entry.deadline < armed_for then arm(entry.deadline) end
end

--- An entry that is not in the heap stays out of it. The timer is left as it is: firing once
--- for nothing is cheaper than being started for every call.
---@param entry Deadline
function deadlines.remove(entry)
  local i = entry.at
  if not i then return end
  entry.at = nil
  local last = heap[size]
  heap[size] = nil
  size = size - 1
  if last == entry then return end
  if i > 1 and last.deadline < heap[(i - i % 2) / 2].deadline then rise(last, i) else sink(last, i) end
end

return deadlines
