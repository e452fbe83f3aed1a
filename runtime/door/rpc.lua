--- Questions through a door whose shell carries no bytes of a link: one at a time, each asked there by what
--- runtime/door/rpc_there.lua found. It stands in for the link and for its calls (runtime/node/link.lua, call.lua), so
--- who asks does not notice; but nothing comes that was not asked for, so there are no relays.
---
--- The time that a question waits for its turn is not its own.

local uv = require "luv"
local async = require "runtime.async"
local call = require "runtime.node.call"
local crypto = require "host.crypto"
local etf = require "host.etf"
local failure = require "runtime.failure"
local outcome = require "runtime.node.outcome"
local rpc_there = require "runtime.door.rpc_there"

local rpc = {}

local A = etf.A
local TIMEOUT_S = 10
local TRIES = 2
local DOOR_S = 15          -- beyond its own time, for the way there and back, on a machine that is busy
local LINE = 750           -- bytes; in base64 as long as those of runtime/door/helper_vm.lua
local PIECE = 65536        -- of base64, which is decoded at once
local KEEP_MS = 60000      -- sessions are cut that say nothing for twenty minutes
local MOST_SAID, MOST_TOLD = 2048, 160
local MOST_HELD = 2 * rpc_there.LARGEST -- base64 of it, and noise

---@class Rpc
---@field session { peer_creation: number }
---@field closed? Failure    as of a link
---@field dead? string       as of a carrier
---@field told string
---@field rest string        what came since the last answer, its end
---@field on_down fun(why: Failure)
local Rpc = {}
Rpc.__index = Rpc

--- Ends it: whoever waits hears why. Only the first reason counts.
---@param why Failure
function Rpc:down(why)
  if self.closed then return end
  self.closed = why
  self.keep:close()
  if self.on_down then self.on_down(why) end
  if self.started then self.started() end
  if self.current and self.current.answered then self.current.answered() end
end

--- The door closed.
---@param why string
function Rpc:die(why)
  if self.dead then return end
  self.dead = why
  self:down(failure.new("node", ("lost %s: %s"):format(self.name, why), "look whether it still runs", 3))
end

--- Ends who asks there.
function Rpc:quit() self.write "\n.\n" end

local function lines(bytes)
  local list = {}
  for from = 1, #bytes, LINE do list[#list + 1] = crypto.base64(bytes:sub(from, from + LINE - 1)) end
  return table.concat(list, "\n") .. "\n.\n"
end

local function decoded(coded)
  local pieces = {}
  for from = 1, #coded, PIECE do
    pieces[#pieces + 1] = crypto.from_base64(coded:sub(from, from + PIECE - 1)) or ""
  end
  return table.concat(pieces)
end

-- Whoever asks once for each question is told when that is over.
local function word(self, said)
  if self.by.kind == "erl_call" and not self.given_word then
    self.given_word = true
    self.write(said .. "\n")
  end
end

-- {Id.what became of it}
local function take(self, id, rest)
  local request = self.current
  if not request or tonumber(id) ~= request.key then return end
  local size, sum, coded = rest:match "^(%d+)%.([^.]+)%.([^.]+)$"
  local answer = coded and decoded(coded)
  if answer and #answer == tonumber(size) and crypto.md5(answer) == crypto.from_base64(sum) then
    request.buffer, request.at, request.bytes = answer, 1, #answer
  elseif rest == "late" then
    request.late = true
  elseif rest:find "^large%.%d+$" then
    request.large = tonumber(rest:match "%d+")
  else
    request.torn = true
  end
  if self.by.kind ~= "erl_call" then request.answered() end
end

local function last_words(text)
  local words = text:gsub("{%l+}", ""):gsub("%c+", " "):match("^%s*(.-)%s*$"):sub(-MOST_TOLD)
  return words == "" and "said nothing" or "said last: " .. words
end

local function frame(self, text)
  local id, rest = ("{" .. text):match "{(%d+)%.(.*)$"
  if id then return take(self, id, rest) end
  local request = self.current
  if text == "on" and self.started then self.started() end
  if text ~= "over" or not request then return end
  if not (self.given_word or request.buffer or request.late or request.large or request.torn) then
    request.torn, request.said = true, last_words(self.rest)
  end
  word(self, "on")
  request.answered()
end

--- What came through the door, cut anywhere.
---@param bytes string
function Rpc:receive(bytes)
  self.rest = (self.rest .. bytes):sub(-MOST_SAID)
  self.parts[#self.parts + 1] = bytes
  self.held = self.held + #bytes
  if not bytes:find("}", 1, true) then
    if self.held > MOST_HELD then self.parts, self.held = {}, 0 end
    return
  end
  local text = table.concat(self.parts)
  local whole, rest = text:match "^(.*})(.*)$"
  self.parts, self.held = { rest }, #rest
  whole = whole:gsub("\27%[[%d;?]*%a", ""):gsub("[^%w+/=.{}]", "")
  for inner in whole:gmatch "{([^}]*)}" do
    frame(self, inner)
    self.rest = ""
  end
end

local function exchange(self, request)
  request.started, request.torn, request.said, self.current = async.now(), nil, nil, request
  self.given_word = false
  self.write(request.lines)
  local function answered(resume) request.answered = resume end
  local _, why = async.await(answered, request.started + request.seconds + DOOR_S)
  if why and self.by.kind == "erl_call" then -- the next one is asked when this one is over
    word(self, "off")
    _, why = async.await(answered, async.now() + DOOR_S)
    if why then self:die(self.by.program .. " does not end") end
  end
  self.current = nil
end

local function serve(self)
  while self.queue[1] do
    local request = table.remove(self.queue, 1)
    -- Nothing is changed by this way, so what came torn can be asked again.
    for _ = 1, TRIES do
      if not (self.closed or request.abandoned) then exchange(self, request) end
      if not request.torn then break end
    end
    if request.said then self:die(self.by.program .. " " .. request.said) end
    request.resume()
  end
  self.serving = false
end

local function came_to_nothing(self, request)
  if self.closed then return self.closed end
  if request.large then return outcome.too_large(request, request.large, rpc_there.LARGEST) end
  if request.torn then
    return failure.new("query", request.subject .. " had no answer that is whole",
      "ask again; or come by --through console or forward", 4)
  end
  request.pid = request.late
  return outcome.gave_up(request, request.why or "timeout")
end

--- Calls a function on the node and waits for its answer, as the link's calls do.
---@param module string
---@param func string
---@param args table
---@param o? CallOptions    nothing is printed to `group_leader`, and nothing `outlives` its time
---@return any value
---@return Failure? err
---@return { bytes: integer, ms: number } cost
function Rpc:run(module, func, args, o)
  o = o or {}
  if o.outlives or o.group_leader then
    return nil, failure.new("query", ("%s is not done by %s: nothing is changed by this way"):format(
      o.subject or "that", self.by.program), "come by --through console or forward", 4), { bytes = 0, ms = 0 }
  end
  local seconds = o.timeout or TIMEOUT_S
  if o.deadline then
    local left = o.deadline - async.now()
    seconds = o.timeout and math.min(seconds, left) or left
  end
  self.count = self.count + 1
  local request = { key = self.count, seconds = seconds, form = o.form, heap_words = o.heap_words,
    subject = o.subject or ("%s:%s/%d"):format(module, func, #args), started = async.now(),
    lines = lines(etf.encode(etf.tuple(self.count, A[module], A[func], args, call.spawn_options(o),
      math.max(1, math.ceil(seconds * 1000))))) }
  local _, why = async.await(function(resume)
    request.resume = function() resume(true) end
    self.queue[#self.queue + 1] = request
    if not self.serving then
      self.serving = true
      async.spawn(serve, self)
    end
    return function() request.abandoned = true end
  end)
  request.why = why
  local value, err
  if request.buffer then
    value, err = outcome.read(request)
  else
    err = came_to_nothing(self, request)
  end
  return value, err, { bytes = request.bytes or 0, ms = (async.now() - request.started) * 1000 }
end

--- Every question has its own process there, with its limits and its end.
function Rpc.limited() return true end

--- Nobody there can be linked to us.
function Rpc.pid() return nil end

local TOLD = "rpc: %s asks beside the node, one question at a time, %d ms each%s; no event relays"

--- Waits until whoever asks has started, and has it ask whom.
---@param node FoundNode
---@param deadline number
---@return true?
---@return "end"|"timeout"|Failure|nil err
function Rpc:open(node, deadline)
  local began = async.now()
  local _, why = async.await(function(resume) self.started = resume end, deadline)
  if why or self.closed then return nil, self.closed and "end" or why end
  local started = async.now()
  local name, err = self:run("erlang", "node", {})
  if name == nil then return nil, self.dead and self.by.kind ~= "erl_call" and "end" or err end
  if tostring(name) ~= node.name then
    return nil, failure.new("connect", ("%s asks another node, %s"):format(self.by.program, tostring(name)),
      "come by --through console or forward", 3)
  end
  local took = async.now() - started
  local creation
  creation, err = self:run("erlang", "system_info", { A.creation })
  if creation == nil then return nil, err end
  self.session = { peer_creation = creation }
  self.told = TOLD:format(self.by.program, math.ceil(took * 1000),
    self.by.kind == "erl_call" and "" or (" after %.1f s for its start"):format(started - began))
  return true
end

---@param by WhoAsks
---@param name string       of the node
---@param write fun(text: string)   to its stdin
---@return Rpc
function rpc.new(by, name, write)
  local self = setmetatable({ by = by, name = name, write = write, rest = "", parts = {}, held = 0, queue = {},
    count = 0, given_word = true, keep = uv.new_timer() }, Rpc)
  self.keep:start(KEEP_MS, KEEP_MS, function()
    if self.given_word or self.by.kind ~= "erl_call" then write "\n" end
  end)
  self.keep:unref()
  return self
end

return rpc
