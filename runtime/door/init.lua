--- A door: the way to a node that is not to be reached over the network, through a shell beside it. Opened,
--- it finds the node there, and the link then connects as if it were there: to a port that the door's program
--- leads here (forward), else through a helper of the node's own release, by which the shell carries bytes
--- (console); where none can be started, by what the release itself asks a node with (rpc). No query and no cookie
--- stands in a session's log as text.

local asked = require "runtime.door.asked"
local async = require "runtime.async"
local carriers = require "runtime.door.carriers"
local console = require "runtime.door.console"
local failure = require "runtime.failure"
local forward = require "runtime.door.forward"
local owner = require "runtime.door.owner"
local probe = require "runtime.door.probe"
local step = require "runtime.door.step"
local telemetry = require "runtime.telemetry"
local troubles = require "runtime.door.troubles"
local ways = require "runtime.door.ways"
local which_node = require "runtime.door.which_node"

local door = {}

local QUIT_S = 1
local LONGEST_SILENCE_S = 15 -- of a shell, where another one may be had: they come in two to five

local LOOKING = "while the node was looked for"

---@class Door
---@field via string        for messages
---@field target? Target    what it says, once it was read
---@field node? string      the node that was asked for, else the one that was found
---@field at? FoundNode     that one
---@field found? Found
---@field carrier? Carrier|Rpc
---@field through? "forward"|"console"|"rpc"   what the carrier is: by "rpc" it takes questions, else connections
---@field port? integer     of the node, where it is known without its epmd
---@field told? string      which way was taken, what it can do, and why not the other one
---@field helper? integer   its pid, there
---@field no_cookie? true    none was found there
---@field ask? boolean      a person is there to answer; once only
local Door = {}
Door.__index = Door

---@param message string
---@param next_step? string
---@return nil
---@return Failure
function Door:fail(message, next_step)
  return nil, failure.new("connect", ("%s: %s"):format(self.via, message), next_step, 3)
end

--- What it means that its shell ended or fell silent.
---@param why string         "end", "timeout", or a question
---@param at? string         "while …": what was being done, once the shell was ours
---@return nil
---@return Failure
---@return boolean? of_one   another one of the same service may do better
function Door:closed(why, at)
  local err, of_one = troubles.of(self.shell.said, why, self.via, self.target.told, at)
  return nil, err, of_one
end

--- What an error of it says, without its name before that.
---@param err Failure
---@return string
function Door:words_of(err) return err.message:sub(#self.via + 3) end

local function look(self, deadline)
  local shell = self.shell
  local printed, why = shell:run(probe.LOOK, deadline)
  if not printed then return self:closed(why, LOOKING) end
  local found = probe.read(printed)
  local node, message, next_step = which_node(found, self.node, self.target.release)
  if not node then return self:fail(message, next_step) end
  if node.contained then
    return self:fail(node.name .. " runs in a container on that machine, which its shell is not in",
      "enter the container: docker:NAME or kubectl:POD, or shell:ssh HOST docker exec -i NAME sh")
  end
  if node.tls then
    return self:fail(node.name .. " takes TLS connections only", "TLS distribution is not supported")
  end
  local settled
  settled, why = owner.settle(shell, node, found.uid, deadline)
  if not settled then return self:closed(why, LOOKING) end
  self.found, self.at, self.node = found, node, node.name
  return true
end

-- What leads there. To find it out may take a while, and a person.
local function way_in(self, deadline)
  local way = self.target.way
  if not way.lead then return self.target.words, nil, deadline end
  local began = async.now()
  local words, err = require(way.lead).words(self.target, self.ask)
  return words, err, deadline + (async.now() - began)
end

-- With a person before it ssh may ask.
local function attended(words)
  local its = {}
  for i, word in ipairs(words) do its[i] = word == "BatchMode=yes" and "BatchMode=no" or word end
  return its
end

-- A person is asked with nothing else on that line.
local function answered_by(self, what, person)
  return person and function(said)
    telemetry.emit("door.answered", { duration = 0 }, { what = what })
    local answer = asked(said, self.via)
    telemetry.emit("door.asking", {}, { what = what })
    return answer
  end or nil
end

-- `patience`: until when the shell is waited for.
local function open_with(self, words, person, patience, deadline)
  local way = self.target.way
  self.ahead, self.unled = nil, self.unled or "--through console asks for this"
  local through = self.target.through
  if person then words = attended(words) end
  if not through or through == "forward" then self.ahead, self.unled = forward.of(self.target, words) end
  local waiting = "waiting for a shell of " .. self.via
  local shell, err = console.start(self.ahead and self.ahead.words or words, {
    stop_at = troubles.question, silent = way.silent,
    answer = answered_by(self, waiting, person),
    on_end = function() if self.carrier then self.carrier:die(troubles.cut(self.carrier.rest or "")) end end,
  })
  if not shell then
    return self:fail(err, way.from and ("install %s: %s"):format(way.program, way.from))
  end
  self.shell = shell
  local ours, why = step(waiting, shell.take_over, shell, patience)
  deadline = deadline + shell.thought
  if not ours then return self:closed(why) end
  local open
  open, err = look(self, deadline)
  if open then open, err = carriers.take(self, deadline) end
  return open, err
end

-- Where one task of several gives no shell another one is tried, but not after a node was found: that one is meant.
local function enter(self, deadline)
  local words, err, until_then = way_in(self, deadline)
  if not words then return nil, err end
  local person, target = self.ask, self.target
  deadline, self.ask = until_then, nil
  local lead = target.way.lead and not self.at and require(target.way.lead)
  local has_other = lead and lead.has_other(target)
  local patience = has_other and math.min(async.now() + LONGEST_SILENCE_S, (async.now() + deadline) / 2) or deadline
  local open, of_one
  open, err, of_one = open_with(self, words, person, patience, deadline)
  if open or not (of_one and has_other) then return open, err end
  self:close()
  words = lead.other_words(target, self:words_of(err))
  open, err, of_one = open_with(self, words, person, deadline, deadline)
  if open or not of_one then return open, err end
  return self:fail(("%s (task %s, and so did %s)"):format(self:words_of(err), target.ecs.task,
    target.ecs.passed), err.next)
end

-- A node that was started anew may have another port and another cookie.
local function look_again(self, deadline)
  local found, err = look(self, deadline)
  if not found then return nil, err end
  local led, why = self.carrier:open(self.shell, self.at, deadline)
  if not led then return self:fail("its port cannot be led here any more: " .. why, "try again") end
  self.carrier.spent, self.port = nil, self.carrier.port
  return true
end

--- Opens it, where it is not open. Inside a task.
---@param deadline number
---@return true?
---@return Failure? err
function Door:ready(deadline)
  if self.carrier and not self.carrier.dead then
    if not self.carrier.spent then return true end
    return look_again(self, deadline)
  end
  self:close()
  self.carrier = nil
  local open, err
  if not self.target then
    self.target, err = ways.read(self.via)
    if not self.target then return nil, err end
  end
  open, err = enter(self, deadline)
  if not open then self:close() end
  return open, err
end

--- Connects to a port behind it.
---@param host string
---@param port integer|"epmd"
---@param deadline number
---@return Socket|nil
---@return string? err
function Door:connect(host, port, deadline)
  return self.carrier:connect(host, port == "epmd" and self.at.epmd_port or port, deadline)
end

--- The MD5 of the node's cookie and a text, made where the cookie lies.
---@param text string
---@param deadline number
---@return string?
---@return Failure? err
function Door:digest(text, deadline)
  local digest, why = self.carrier:digest(text, deadline)
  if digest then return digest end
  self.no_cookie = true
  return nil, failure.new("cookie", ("%s: the node's cookie was not found there (%s)"):format(self.via, why),
    "pass it with --cookie-file", 3)
end

--- Goes over to another way, where the port that was led here turned out to lead nowhere. Inside a task.
---@param why Failure       of the link
---@param deadline number
---@return true?            nil when it did not, or could not help
---@return Failure? err     why it did not
function Door:step_back(why, deadline)
  if not self.shell or not self.ahead or self.carrier ~= self.ahead or why.stage == "cookie" then return nil, why end
  if self.target.through == "forward" then return nil, why end
  self.unled = self.ahead:said() or why.message
  local open, err = carriers.without_port(self, deadline)
  if open then self.target.through = self.through end
  return open, err
end

--- Ends the helper, then the command. Nothing of ours stays there. Inside a task.
function Door:close()
  local shell, ahead = self.shell, self.ahead
  self.shell, self.ahead = nil, nil
  if ahead then ahead:close() end
  if not shell then return end
  if self.carrier and not self.carrier.dead then
    self.carrier:quit()
    async.shield(function() shell.line:wait(async.now() + QUIT_S) end)
    self.carrier:die "left"
  end
  async.shield(function() shell:close() end)
end

--- A door that is still shut.
---@param to string|Target  ssh:USER@HOST, docker:CONTAINER, …
---@param node? string      whom to look for behind it; none: the only one there
---@param ask? boolean      a person is there to answer
---@return Door
function door.new(to, node, ask)
  local target = type(to) == "table" and to or nil
  return setmetatable({ via = target and target.via or to, target = target, node = node, ask = ask }, Door)
end

return door
