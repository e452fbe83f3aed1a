--- Hostile nodes against what attaches and asks: each attack ends with a clean answer or a clean error, and with no
--- more memory than before.

local uv = require "luv"
local async = require "runtime.async"
local dice = require "spec.hostile.dice"
local etf = require "host.etf"
local failure = require "runtime.failure"
local hostile = require "spec.hostile.node"
local node = require "runtime.node"
local skill = require "runtime.skill"

local nodes = {}

local NAME, COOKIE = "shop@localhost", "not-a-secret"
local ASK_S, LISTEN_S = 0.2, 0.15
local CALLBACKS = {
  { "beam_get_memory" }, { "beam_top_processes", 5, "memory" }, { "beam_get_processes" }, { "beam_get_system_info" },
}

-- What anybody who is attached does: plain calls in each form, a skill's queries.
local function ask(n, chance)
  local what = chance:int(1, 7)
  local opts = { timeout = ASK_S }
  if what == 1 then return n:call("erlang", "memory", {}, opts) end
  if what == 2 then return n:call("erlang", "processes", {}, { timeout = ASK_S, form = "json" }) end
  if what == 3 then return n:call("erlang", "loaded", {}, { timeout = ASK_S, form = "raw" }) end
  if what == 4 then return n:call("erlang", "display", { etf.A.x }, { timeout = ASK_S, group_leader = "user" }) end
  if what == 5 then
    n.relays:begin { assert(skill.open "logger") }
    async.sleep(LISTEN_S)
    return true
  end
  local beam = assert(skill.open "beam")
  n.deadline = async.now() + ASK_S
  local call = chance:pick(CALLBACKS)
  if not beam.callbacks[call[1]] then call = CALLBACKS[1] end
  return skill.call(beam, call[1], { unpack(call, 2) }, n)
end

local function clean(value, err) return value ~= nil or failure.is(err) or type(err) == "string" end

--- One attack of that seed. Raises when an error was none of ours.
---@param run table    from nodes.begin
---@param seed integer
---@return string kind  "refused" at the door, "answered" or "failed" once inside
function nodes.attack(run, seed)
  local chance = dice.new(seed)
  run.listener.turn(chance)
  run.epmd.turn(chance)
  uv.os_setenv("ERL_EPMD_PORT", tostring(run.epmd.port)) -- of many at a time each has its own
  local n, err = node.connect {
    name = NAME, cookie = COOKIE, port = chance:chance(90) and run.listener.port or nil,
    deadline = async.now() + run.connect_s, relays = {},
  }
  if not n then
    if not failure.is(err) then error(("node seed %d: connect said %s"):format(seed, tostring(err)), 0) end
    return "refused"
  end
  local kind = "failed"
  for _ = 1, chance:int(1, 4) do
    local value, why = ask(n, chance)
    if not clean(value, why) then error(("node seed %d: an answer without an error"):format(seed), 0) end
    if value ~= nil then kind = "answered" end
  end
  n:close()
  return kind
end

--- Where the listener and the epmd are; `close` ends both.
---@param connect_s number   how long a handshake may take: many wait for nothing
function nodes.begin(connect_s)
  local listener = hostile.listen { name = NAME, cookie = COOKIE }
  local epmd = hostile.listen_as_epmd(listener.port)
  return {
    listener = listener, epmd = epmd, connect_s = connect_s, name = NAME, cookie = COOKIE,
    close = function()
      listener.close()
      epmd.close()
    end,
  }
end

return nodes
