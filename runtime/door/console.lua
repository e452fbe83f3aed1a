--- A shell at the far end of a command, made one that does what it is told: found out when it listens, its
--- echo and its prompt turned off, texts run in it one after the other. It may be a terminal's shell with
--- all its noise, or one that reads a pipe.
---
--- A mark is written so that an echo of what was typed does not hold it.

local async = require "runtime.async"
local crypto = require "host.crypto"
local line = require "runtime.door.line"

local console = {}

local QUIET_S = 0.25       -- after this silence a door is taken to wait for us
local SILENT_S = 1.5       -- and after this one, though it never said a word
local AGAIN_S = 3          -- a word typed too early is lost at some doors
local BYE_S = 0.5
local MOST_SAID = 262144
local LEAST_SECRET = 4     -- bytes; what is shorter stands in too many words that mean something else

-- It takes the place of the shell, so that nothing of ours stays when it ends. A text is read line by line up to
-- a line of a single dot.
local TAKE_OVER = [[exec %s -c 'stty raw -echo 2>/dev/null; printf "\n%%s\n" bl_"on"_%s; ]]
  .. [[while :; do bl_t=$(while IFS= read -r bl_l && [ "$bl_l" != . ]; do printf "%%s\n" "$bl_l"; done); ]]
  .. [[[ -n "$bl_t" ] || exit 0; eval "$bl_t"; done']]

---@class Console
---@field said string     all of late
---@field thought number  seconds in which a person was asked
---@field private secret? string   what was typed unseen, last
---@field line Line
local Console = {}
Console.__index = Console

local function changed(self)
  local waiting = self.waiting
  self.waiting = {}
  for _, resume in ipairs(waiting) do resume(true) end
end

-- What was said, without colours and without the breaks of lines, which some door may have put anywhere.
local function words_of(text) return (text:gsub("\27%[[%d;?]*%a", ""):gsub("[\r\n]", "")) end

-- Waits for something more to be said. Nil when nothing was until then.
local function more(self, deadline)
  if self.line.ended then return nil end
  return (async.await(function(resume) self.waiting[#self.waiting + 1] = resume end, deadline))
end

-- Of what may be told to somebody: not every door keeps a password to itself.
local function without_secret(self)
  local secret, parts, at = self.secret, {}, 1
  if not secret then return self.said end
  while true do
    local first, last = self.said:find(secret, at, true)
    parts[#parts + 1] = self.said:sub(at, (first or 0) - 1)
    if not first then return table.concat(parts, "****") end
    at = last + 1
  end
end

-- A question that only a person can answer, where there is nobody who does.
local function unanswered(self)
  local asked = self.stop_at and self.stop_at(self.said)
  if not (asked and self.answer) then return asked end
  local began = async.now()
  local answer, unseen = self.answer(without_secret(self))
  self.thought = self.thought + async.now() - began
  if not answer then return asked end
  if unseen and #answer >= LEAST_SECRET then self.secret = answer end
  self.said = ""
  self.line:write(answer .. "\n")
end

local function lost(self, why)
  self.said = without_secret(self)
  return nil, why
end

--- Waits for a text that matches, its lines joined.
---@param pattern string
---@param deadline number
---@return string? found    the first capture, or the match
---@return string? err      "timeout", "end"; or the words of a question that only a person can answer
function Console:await(pattern, deadline)
  while true do
    local found = words_of(self.said):match(pattern)
    if found then return found end
    local thought = self.thought
    local asked = unanswered(self)
    if asked then return lost(self, asked) end
    deadline = deadline + self.thought - thought
    if self.line.ended then return lost(self, "end") end
    if async.now() >= deadline then return lost(self, "timeout") end
    more(self, deadline)
  end
end

--- Whatever is said from now on goes there.
---@param take fun(bytes: string)
function Console:hand_over(take)
  self.take = take
  take(self.said)
end

local function settle(self, deadline)
  local silence = SILENT_S
  while more(self, math.min(deadline, async.now() + silence)) do silence = QUIET_S end
end

--- Waits until the shell listens and makes it ours.
---@param deadline number
---@return true?
---@return string? err
function Console:take_over(deadline)
  local mark = crypto.hex(crypto.random(4))
  if not self.silent then settle(self, deadline) end
  local thought = self.thought
  repeat
    local asked = unanswered(self)
    if asked then return nil, asked end
    self.line:write(TAKE_OVER:format("sh", mark) .. "\n")
    local on, why = self:await("bl_on_" .. mark, math.min(deadline, async.now() + AGAIN_S))
    if on then
      self.listens = true
      return true
    end
    if why ~= "timeout" then return nil, why end
  until async.now() >= deadline + self.thought - thought
  return nil, "timeout"
end

--- Runs a text in the shell. It must not read stdin. All of it is read before it runs, so what is printed stands
--- behind its echo.
---@param text string
---@param deadline number
---@return string? printed
---@return string? err
function Console:run(text, deadline)
  local mark = crypto.hex(crypto.random(4))
  self.said = ""
  local says = 'printf "%%s\\n" bl_"%s"_%s\n'
  self.line:write(says:format("begin", mark) .. text .. says:format("end", mark) .. ".\n")
  return self:await(("bl_begin_%s(.*)bl_end_%s"):format(mark, mark), deadline)
end

--- Goes on as another shell, in the place of this one.
---@param words string   that start it
---@param deadline number
---@return true?
---@return string? err
function Console:go_on(words, deadline)
  local mark = crypto.hex(crypto.random(4))
  self:become(TAKE_OVER:format(words, mark) .. "\n")
  local on, why = self:await("bl_on_" .. mark, deadline)
  self.listens = on ~= nil
  return on and true, why
end

--- Runs a text that does not come back.
---@param text string
function Console:become(text)
  self.said, self.listens = "", false
  self.line:write(text .. ".\n")
end

--- Ends it and all that hangs on it. Inside a task.
function Console:close()
  -- A shell that is told to end does so; that its program hangs up is not told to every one.
  if self.listens then
    self.line:write ".\n"
    self.line:wait(async.now() + BYE_S)
  end
  self.line:close()
end

--- Starts the command that leads to the shell.
---@param words string[]
---@param o { stop_at?: fun(said: string): string?, answer?: (fun(said: string): string?, boolean?), on_end: fun(),
---  silent?: boolean }   stop_at: whether that is a question, in words; answer: of a person, and whether it was typed
---  unseen; silent: it has no prompt
---@return Console|nil
---@return string? err
function console.start(words, o)
  local self = setmetatable({ said = "", waiting = {}, stop_at = o.stop_at, answer = o.answer, silent = o.silent,
    thought = 0 }, Console)
  local started, err = line.start(words, {
    on_bytes = function(bytes)
      if self.take then return self.take(bytes) end
      self.said = (self.said .. bytes):sub(-MOST_SAID)
      changed(self)
    end,
    on_end = function()
      changed(self)
      o.on_end()
    end,
  })
  if not started then return nil, err end
  self.line = started
  return self
end

return console
