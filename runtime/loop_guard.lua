--- Whether a conversation goes in circles: the same call again, two turns that alternate, the same error again
--- and again, or nothing but one and the same turn. Who goes in circles is told once; who goes on so is asked for
--- the last words (runtime/agent.lua). A call that may bring something new counts as the same only where its answer
--- is the same too, or where nothing else was done for a while.

---@class LoopGuard
---@field seen table<string, integer>   how often each call was made
---@field refused integer               calls that were made too often to be run again
---@field over? string                  why the tools are to be withdrawn
---@field private turns string[]        the last turns, each as its calls
---@field private asked string[]        the same without what came of them
---@field private errors table<string, true>[]   those of the last turns
---@field private told? boolean
local Guard = {}
Guard.__index = Guard

local loop_guard = {}

local WINDOW, SAME_ERRORS = 8, 3 -- turns; how often in them
local SAME_TURNS = 6 -- in a row
local ALTERNATING = "You go back and forth between two turns, and nothing new comes of it. Ask something else, or "
  .. "conclude from what you know."
local NOTHING_ELSE = "You have made the same call again and again and nothing else. Wait, ask something else, or "
  .. "conclude from what you know."
local SAME_ERROR = "The same call has failed in the same way three times. Do something else, or say what is "
  .. "missing."

local OVER = {
  [ALTERNATING] = "two turns that alternate", [SAME_ERROR] = "the same error again and again",
  [NOTHING_ELSE] = "the same call and nothing else",
}

---@return LoopGuard
function loop_guard.new()
  return setmetatable({ seen = {}, refused = 0, turns = {}, asked = {}, errors = {} }, Guard)
end

local function push(list, item)
  list[#list + 1] = item
  if #list > WINDOW then table.remove(list, 1) end
end

-- A turn as one text: what was called, and where that may bring something new, what came.
local function turn_of(key_of, calls, results)
  local parts = {}
  for i, call in ipairs(calls) do parts[i] = key_of(call, results[i]) end
  table.sort(parts)
  return table.concat(parts, "\n")
end

-- Which line, which pid or how many seconds does not make it another error.
local function errors_of(results)
  local errors = {}
  for _, result in ipairs(results) do
    if not result.ok then errors[("%s %s"):format(result.name, result.text:sub(1, 300):gsub("%d+", "#"))] = true end
  end
  return errors
end

local function alternating(turns)
  local n = #turns
  return n >= 4 and turns[n] == turns[n - 2] and turns[n - 1] == turns[n - 3] and turns[n] ~= turns[n - 1]
end

local function one_and_the_same(asked)
  for i = #asked - SAME_TURNS + 1, #asked do
    if asked[i] ~= asked[#asked] then return false end
  end
  return true
end

local function often(errors)
  for key in pairs(errors[#errors]) do
    local times = 0
    for _, turn in ipairs(errors) do times = times + (turn[key] and 1 or 0) end
    if times >= SAME_ERRORS then return true end
  end
  return false
end

--- After the calls of a turn were run.
---@param calls { name: string }[]
---@param results { name: string, ok: boolean, text: string }[]   one for each
---@param key_of fun(call: table, result?: table): string   what makes two calls the same
---@return string? told   what to say to the model, the first time
function Guard:after(calls, results, key_of)
  push(self.turns, turn_of(key_of, calls, results))
  push(self.asked, turn_of(key_of, calls, {}))
  push(self.errors, errors_of(results))
  local why = alternating(self.turns) and ALTERNATING or often(self.errors) and SAME_ERROR
    or one_and_the_same(self.asked) and NOTHING_ELSE
  if not why then return nil end
  if self.told then
    self.over = OVER[why]
    return nil
  end
  self.told, self.asked = true, {}
  return why
end

--- Earlier answers were left out of the conversation, so their calls may be made again.
function Guard:forget() self.seen = {} end

return loop_guard
