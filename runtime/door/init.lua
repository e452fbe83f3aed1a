--- A door: the way to a node that is not to be reached over the network, through a shell beside it. Opened,
--- it finds the node there, and the link then connects as if it were there: to a port that the door's program
--- leads here (forward), else through a helper of the node's own release, by which the shell carries bytes
--- (console); where none can be started, by what the release itself asks a node with (rpc). No query and no cookie
--- stands in a session's log as text.

local asked = require "runtime.door.asked"
local async = require "runtime.async"
local console = require "runtime.door.console"
local failure = require "runtime.failure"
local forward = require "runtime.door.forward"
local helper_vm = require "runtime.door.helper_vm"
local owner = require "runtime.door.owner"
local probe = require "runtime.door.probe"
local rpc = require "runtime.door.rpc"
local rpc_there = require "runtime.door.rpc_there"
local step = require "runtime.door.step"
local telemetry = require "runtime.telemetry"
local troubles = require "runtime.door.troubles"
local tunnel = require "runtime.door.tunnel"
local ways = require "runtime.door.ways"
local which_node = require "runtime.door.which_node"

local door = {}

-- What a helper takes, twice: a container at its limit is not pushed over it by who comes to look.
local LEAST_MEMORY = 64 * 1024 * 1024
local QUIT_S = 1
local LONGEST_SILENCE_S = 15 -- of a shell, where another one may be had: they come in two to five

local LOOKING = "while the node was looked for"
local HELPER = "console: a helper VM beside the node carries the link by its shell; many questions at once"

-- What carries sockets there, once it is open: runtime/door/tunnel.lua or runtime/door/forward.lua. Of
-- runtime/door/rpc.lua, which carries questions, it has what ends it.
---@class Carrier
---@field dead? string                                    why, once it is
---@field spent? boolean                                  it had its connection, and finds the node anew for another
---@field connect fun(self, host: string, port: integer|"epmd", deadline: number): Socket?, string?
---@field digest fun(self, text: string, deadline: number): string?, string?
---@field quit fun(self)
---@field die fun(self, why: string)

---@class Door
---@field via string        for messages
---@field target? Target    what it says, once it was read
---@field node? string      the node that was asked for, else the one that was found
---@field at? FoundNode     that one
---@field found? Found
---@field carrier? Carrier
---@field port? integer     of the node, where it is known without its epmd
---@field told? string      which way was taken, what it can do, and why not the other one
---@field helper? integer   its pid, there
---@field no_cookie? true    none was found there
---@field ask? boolean      a person is there to answer; once only
local Door = {}
Door.__index = Door

local function fail(self, message, next_step)
  return nil, failure.new("connect", ("%s: %s"):format(self.via, message), next_step, 3)
end

-- Also whether another one of the same service may do better.
local function closed(self, why, at)
  local err, of_one = troubles.of(self.shell.said, why, self.via, self.target.told, at)
  return nil, err, of_one
end

local function look(self, shell, deadline)
  local printed, why = shell:run(probe.LOOK, deadline)
  if not printed then return closed(self, why, LOOKING) end
  local found = probe.read(printed)
  local node, message, next_step = which_node(found, self.node, self.target.release)
  if not node then return fail(self, message, next_step) end
  if node.contained then
    return fail(self, node.name .. " runs in a container on that machine, which its shell is not in",
      "enter the container: docker:NAME or kubectl:POD, or shell:ssh HOST docker exec -i NAME sh")
  end
  if node.tls then
    return fail(self, node.name .. " takes TLS connections only", "TLS distribution is not supported")
  end
  local settled
  settled, why = owner.settle(shell, node, found.uid, deadline)
  if not settled then return closed(self, why, LOOKING) end
  self.found, self.at, self.node = found, node, node.name
  return node
end

local function has_room(found) return not found.memory_left or found.memory_left >= LEAST_MEMORY end

local function start_helper(self, shell, node, deadline)
  if node.barred then return fail(self, owner.refusal(node)) end
  if not has_room(self.found) then
    local left = self.found.memory_left / 2 ^ 20
    return fail(self, ("the container has %.0f MB left, and a helper needs up to 64"):format(left),
      "attach over the network, where nothing is started there")
  end
  local printed, why = shell:run(probe.boot(node), deadline)
  if not printed then return closed(self, why, LOOKING) end
  local boot, erlexec = probe.read_boot(printed)
  if not (boot and erlexec) then
    return fail(self, ("no erl was found in %s"):format(node.root),
      "the release was built without its runtime; attach over the network")
  end
  shell:become(probe.start(node, boot, helper_vm))
  local up
  up, why = shell:await("{go}", deadline)
  if up then
    shell.line:write(helper_vm.program(node))
    up, why = shell:await("{up (%d+)}", deadline)
  end
  if not up then return closed(self, why, "while the helper was started") end
  self.helper = tonumber(up)
  local carrier = tunnel.new(function(text) shell.line:write(text) end)
  shell:hand_over(function(bytes) carrier:receive(bytes) end)
  return carrier
end

-- What leads there. To find it out may take a while, and a person.
local function way_in(self, deadline)
  local way = self.target.way
  if not way.lead then return self.target.words, nil, deadline end
  local began = async.now()
  local words, err = require(way.lead).words(self.target, self.ask)
  return words, err, deadline + (async.now() - began)
end

local function take_helper(self, shell, node, deadline)
  local carrier, err = start_helper(self, shell, node, deadline)
  if not carrier then return nil, err end
  self.carrier, self.port, self.told = carrier, node.port, HELPER .. "; why not forward: " .. self.unled
  return true
end

local function words_behind_name(self, err) return err.message:sub(#self.via + 3) end

local function take_rpc(self, shell, node, deadline, no_helper)
  if node.foreign then
    if no_helper then return nil, no_helper end
    return fail(self, node.name .. " is of another user there, and what asks it is run as that user only",
      "enter as that user (ssh:USER@HOST, shell:docker exec -i -u USER NAME sh), or attach over the network")
  end
  local printed, why = shell:run(rpc_there.look(node), deadline)
  if not printed then return closed(self, why, LOOKING) end
  local by = rpc_there.choose(printed, node, has_room(self.found))
  if not by then
    if no_helper then return nil, no_helper end
    return fail(self, ("no rpc of a release, and no erl_call that finds the node's cookie, can be started in %s")
      :format(node.root), "leave --through out")
  end
  shell:become(rpc_there.start(by, node))
  local carrier = rpc.new(by, node.name, function(text) shell.line:write(text) end)
  self.carrier = carrier
  shell:hand_over(function(bytes) carrier:receive(bytes) end)
  local open, err = step("starting " .. by.program, carrier.open, carrier, node, deadline)
  if not open then
    shell.said = carrier.rest
    if failure.is(err) then return fail(self, err.message, err.next) end
    return closed(self, err, "while " .. by.program .. " was asked")
  end
  self.told = ("%s; why not console: %s"):format(carrier.told,
    no_helper and words_behind_name(self, no_helper) or "--through rpc asks for this")
  return true
end

-- A shell that has become something else has nothing left to try.
local function take_what_goes(self, shell, node, deadline)
  local open, err = take_helper(self, shell, node, deadline)
  if open or not shell.listens then return open, err end
  return take_rpc(self, shell, node, deadline, err)
end

-- By the port of the node where that goes, else by a helper, else by what the release asks with.
local function take_carrier(self, shell, node, deadline)
  local carrier
  if self.ahead then carrier, self.unled = self.ahead:open(shell, node, deadline) end
  if carrier then
    self.carrier, self.port, self.told = carrier, carrier.port, carrier.told
    return true
  elseif self.target.through == "forward" then
    return fail(self, "its port cannot be led here: " .. self.unled,
      "leave --through out, and a helper is started there")
  end
  local way = { console = take_helper, rpc = take_rpc }
  return (way[self.target.through] or take_what_goes)(self, shell, node, deadline)
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
    return fail(self, err, way.from and ("install %s: %s"):format(way.program, way.from))
  end
  self.shell = shell
  local ours, why = step(waiting, shell.take_over, shell, patience)
  deadline = deadline + shell.thought
  if not ours then return closed(self, why) end
  local node
  node, err = look(self, shell, deadline)
  if not node then return nil, err end
  return take_carrier(self, shell, node, deadline)
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
  words = lead.other_words(target, words_behind_name(self, err))
  open, err, of_one = open_with(self, words, person, deadline, deadline)
  if open or not of_one then return open, err end
  return fail(self, ("%s (task %s, and so did %s)"):format(words_behind_name(self, err), target.ecs.task,
    target.ecs.passed), err.next)
end

-- A node that was started anew may have another port and another cookie.
local function look_again(self, deadline)
  local node, err = look(self, self.shell, deadline)
  if not node then return nil, err end
  local led, why = self.carrier:open(self.shell, node, deadline)
  if not led then return fail(self, "its port cannot be led here any more: " .. why, "try again") end
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
  local open, err = take_what_goes(self, self.shell, self.at, deadline)
  if open then self.target.through = self.carrier.run and "rpc" or "console" end
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
