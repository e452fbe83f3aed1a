--- What goes between us and a node that was found behind a door: its port, where that is led here, else a helper, else
--- what the release itself asks with.

local failure = require "runtime.failure"
local helper_vm = require "runtime.door.helper_vm"
local owner = require "runtime.door.owner"
local probe = require "runtime.door.probe"
local rpc = require "runtime.door.rpc"
local rpc_there = require "runtime.door.rpc_there"
local step = require "runtime.door.step"
local tunnel = require "runtime.door.tunnel"

local carriers = {}

-- What a helper takes, twice: a container at its limit is not pushed over it by who comes to look.
local LEAST_MEMORY = 64 * 1024 * 1024

local LOOKING = "while its release was looked at"
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

local function has_room(found) return not found.memory_left or found.memory_left >= LEAST_MEMORY end

local function start_helper(d, deadline)
  local shell, node = d.shell, d.at
  if node.barred then return d:fail(owner.refusal(node)) end
  if not has_room(d.found) then
    local left = d.found.memory_left / 2 ^ 20
    return d:fail(("the container has %.0f MB left, and a helper needs up to 64"):format(left),
      "attach over the network, where nothing is started there")
  end
  local printed, why = shell:run(probe.boot(node), deadline)
  if not printed then return d:closed(why, LOOKING) end
  local boot, erlexec = probe.read_boot(printed)
  if not (boot and erlexec) then
    return d:fail(("no erl was found in %s"):format(node.root),
      "the release was built without its runtime; attach over the network")
  end
  shell:become(probe.start(node, boot, helper_vm))
  local up
  up, why = shell:await("{go}", deadline)
  if up then
    shell.line:write(helper_vm.program(node))
    up, why = shell:await("{up (%d+)}", deadline)
  end
  if not up then return d:closed(why, "while the helper was started") end
  d.helper = tonumber(up)
  local carrier = tunnel.new(function(text) shell.line:write(text) end)
  shell:hand_over(function(bytes) carrier:receive(bytes) end)
  return carrier
end

local function take_helper(d, deadline)
  local carrier, err = start_helper(d, deadline)
  if not carrier then return nil, err end
  d.carrier, d.through, d.port, d.told = carrier, "console", d.at.port, HELPER .. "; why not forward: " .. d.unled
  return true
end

local function take_rpc(d, deadline, no_helper)
  local shell, node = d.shell, d.at
  if node.foreign then
    if no_helper then return nil, no_helper end
    return d:fail(node.name .. " is of another user there, and what asks it is run as that user only", owner.ENTER)
  end
  local printed, why = shell:run(rpc_there.look(node), deadline)
  if not printed then return d:closed(why, LOOKING) end
  local by = rpc_there.choose(printed, node, has_room(d.found))
  if not by then
    if no_helper then return nil, no_helper end
    return d:fail(("no rpc of a release, and no erl_call that finds the node's cookie, can be started in %s"):format(
      node.root), "leave --through out")
  end
  shell:become(rpc_there.start(by, node))
  local carrier = rpc.new(by, node.name, function(text) shell.line:write(text) end)
  d.carrier, d.through = carrier, "rpc"
  shell:hand_over(function(bytes) carrier:receive(bytes) end)
  local open, err = step("starting " .. by.program, carrier.open, carrier, node, deadline)
  if not open then
    shell.said = carrier.rest
    if failure.is(err) then return d:fail(err.message, err.next) end
    return d:closed(err, "while " .. by.program .. " was asked")
  end
  d.told = ("%s; why not console: %s"):format(carrier.told,
    no_helper and d:words_of(no_helper) or "--through rpc asks for this")
  return true
end

--- By a helper, else by what the release asks with. A shell that has become something else has nothing left to try.
---@param d Door            with its shell and a node; then with its carrier, and through what
---@param deadline number
---@return true?
---@return Failure? err
function carriers.without_port(d, deadline)
  local open, err = take_helper(d, deadline)
  if open or not d.shell.listens then return open, err end
  return take_rpc(d, deadline, err)
end

--- By the port of the node where that goes, else without; or by what was asked for.
---@param d Door
---@param deadline number
---@return true?
---@return Failure? err
function carriers.take(d, deadline)
  local carrier
  if d.ahead then carrier, d.unled = d.ahead:open(d.shell, d.at, deadline) end
  if carrier then
    d.carrier, d.through, d.port, d.told = carrier, "forward", carrier.port, carrier.told
    return true
  elseif d.target.through == "forward" then
    return d:fail("its port cannot be led here: " .. d.unled, "leave --through out, and a helper is started there")
  end
  local way = { console = take_helper, rpc = take_rpc }
  return (way[d.target.through] or carriers.without_port)(d, deadline)
end

return carriers
