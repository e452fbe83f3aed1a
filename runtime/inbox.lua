--- What somebody wants to know of an operator while it runs. A question is handed to it with the
--- results of its next calls, for it may quote the node and is no order; its next words are the
--- answer. One question at a time: the next is handed over when the one before was answered.

local async = require "runtime.async"

---@class Inbox
---@field private letters table[]     { text, answer?, resume? }, the first may be with the operator
---@field private sleepers table<fun(woken: true), true>   several may wait: calls of one answer run side by side
---@field said? string                what it said last
---@field last? string                its last words, once it has ended
local Inbox = {}
Inbox.__index = Inbox

local inbox = {}

local MOST = 16

---@return Inbox
function inbox.new() return setmetatable({ letters = {}, sleepers = {} }, Inbox) end

local function settle(letter, answer, why)
  letter.answer, letter.why = answer, why
  if letter.resume then letter.resume(answer, why) end
end

local function remove(self, letter)
  for i, other in ipairs(self.letters) do
    if other == letter then return table.remove(self.letters, i) end
  end
end

--- Asks, and waits for the answer. Who has ended answers with its last words.
---@param text string
---@param deadline number
---@return string? answer
---@return string? err
function Inbox:post(text, deadline)
  if self.last then return self.last end
  if #self.letters >= MOST then return nil, ("%d questions wait already; wait for their answers"):format(MOST) end
  local letter = { text = text }
  self.letters[#self.letters + 1] = letter
  local sleepers = self.sleepers
  self.sleepers = {}
  for wake in pairs(sleepers) do wake(true) end
  if letter.answer or letter.why then return letter.answer, letter.why end
  local answer, why = async.await(function(resume)
    letter.resume = resume
    return function()
      letter.resume = nil
      if not letter.taken then remove(self, letter) end -- what was read is answered, though nobody hears it
    end
  end, deadline)
  if answer == nil and why == "timeout" then
    return nil, letter.taken and "it read the question and has not answered yet" or "it has not read the question yet"
  end
  return answer, why
end

--- The question that is next, for whoever hands it to the operator.
---@return string?
function Inbox:take()
  local letter = self.letters[1]
  if not letter or letter.taken then return nil end
  letter.taken = true
  return letter.text
end

--- Whether somebody waits for an answer.
---@return boolean
function Inbox:is_asked() return #self.letters > 0 end

--- The operator said something.
---@param words string
---@return boolean answered   it was the answer to a question
function Inbox:hears(words)
  if not words:match "%S" then return false end
  self.said = words
  local letter = self.letters[1]
  if not (letter and letter.taken) then return false end
  table.remove(self.letters, 1)
  settle(letter, words)
  return true
end

--- A pause that ends early when somebody asks.
---@param seconds number
---@return true?
---@return string? err   when the task was cancelled
function Inbox:sleep(seconds)
  if #self.letters > 0 and not self.letters[1].taken then return true end
  local woken, why = async.await(function(resume)
    self.sleepers[resume] = true
    return function() self.sleepers[resume] = nil end
  end, async.now() + seconds)
  if not woken and why ~= "timeout" then return nil, why end
  return true
end

--- The operator ended: who still waits has its last words.
---@param words string
---@return integer unread   how many it never saw
function Inbox:close(words)
  self.last = words
  local unread, left = 0, self.letters
  self.letters = {}
  for _, letter in ipairs(left) do
    if not letter.taken then unread = unread + 1 end
    settle(letter, words)
  end
  return unread
end

return inbox
