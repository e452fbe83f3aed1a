--- A door's other way: the node's own port, by what the door's program has for that (`ssh -W`, `kubectl
--- port-forward`, a port session of SSM, the address of a container). The link then speaks to the node as if it were
--- here: nothing is started there but the shell that found the node and makes the digests of its cookie.
---
--- How each leads there stands in runtime/door/forwards.lua.

local async = require "runtime.async"
local crypto = require "host.crypto"
local digest = require "runtime.door.digest"
local forwards = require "runtime.door.forwards"
local listening = require "runtime.door.listening"

local forward = {}

local LONGEST_LOOK_S = 10

---@class Forward
---@field words string[]    the command that leads to the shell
---@field told string       what it can do, in a line
---@field port? integer     of the node
---@field dead? string      why, once it is
---@field spent? boolean    its connection was made
local Forward = {}
Forward.__index = Forward

--- Finds where the node listens, and that its port can be led here. The shell is kept.
---@param shell Console
---@param node FoundNode
---@param deadline number
---@return Forward|nil
---@return string? why
function Forward:open(shell, node, deadline)
  self.way.drop(self)
  local looked = math.min(deadline, async.now() + LONGEST_LOOK_S)
  local printed, why = shell:run(listening.look(node), looked)
  if not printed then return nil, why end
  self.at, why = listening.read(printed, node)
  if not self.at then return nil, why end
  -- Where the cookie is not to be found it may be given, and a helper would not find it either. What is digested is
  -- never the same, for sessions are logged, and a table of digests would tell a weak cookie.
  local _, unproven = digest.of(shell, node, crypto.hex(crypto.random(8)), looked)
  if unproven and unproven ~= "no cookie" then return nil, "the shell makes no digests: " .. unproven end
  local led
  led, why = self.way.lead(self, self.at, deadline)
  if not led then return nil, why end
  self.shell, self.node, self.port, self.dead = shell, node, self.at.port, nil
  return self
end

--- Connects to a port of the node's machine.
---@param _ string          its host, which is known better
---@param port integer
---@param deadline number
---@return Socket|nil
---@return string? err
function Forward:connect(_, port, deadline)
  if self.dead then return nil, self.dead end
  self.spent = true
  return self.way.connect(self, port, deadline)
end

--- The MD5 of the node's cookie and a text.
---@param text string
---@param deadline number
---@return string?
---@return string? why
function Forward:digest(text, deadline) return digest.of(self.shell, self.node, text, deadline) end

--- What its program said of late, where that may tell why a link failed.
---@return string?
function Forward:said() return self.way.said and self.way.said(self) end

---@param why string
function Forward:die(why) self.dead = self.dead or why end

function Forward:quit() self:die "left" end

--- Ends what it started here. Inside a task.
function Forward:close()
  self:die "left"
  self.way.drop(self)
end

--- What leads to a port for this target. Inside a task.
---@param target Target
---@param words string[]    that lead to its shell
---@return Forward|nil
---@return string? why
function forward.of(target, words)
  local way = forwards[target.name]
  if not way then return nil, target.name .. " leads to a shell only" end
  local self = setmetatable({ target = target, way = way, words = words, opened = {}, told = way.told }, Forward)
  local ready, why = way.prepare(self)
  if not ready then return nil, why end
  return self
end

return forward
