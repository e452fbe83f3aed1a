--- Workers that have locked themselves in: one is started ahead, so that nobody waits for a process to
--- start, and each tells in its greeting which layers of host/jail.c hold it. Without the filter of system
--- calls none is given out unless the owner allowed that. What a worker is for is runtime/sandbox.lua's
--- business.

local bit = require "bit"
local async = require "runtime.async"
local jail = require "host.jail"
local worker = require "runtime.worker"

local jailed = {}

---@class Protection
---@field strength "strict"|"weak"|"none"  by the filter of system calls, without it, no worker at all
---@field seccomp boolean
---@field no_new_privs boolean
---@field mdwe boolean        memory can be written or run, never the one after the other
---@field landlock boolean    the kernel denies it every file
---@field other_user boolean  root has become a user that nobody is
---@field why? string         what the system says to a filter, or why there is no worker

local HELLO_S = 10
local VERSION = 2       -- of host/worker.c's frames
local LAYERS = { seccomp = 1, no_new_privs = 2, mdwe = 4, landlock = 8, other_user = 16 }
local NOT_READY = { gone = "it ended at once", timeout = ("it was not ready after %d s"):format(HELLO_S) }

jailed.LONGEST_GREETING = 2 + 32 -- with the name of an errno

-- For the person as much as for the model.
local REFUSED = "execute is disabled: this system refuses seccomp filters (seccomp: %s). Allow the seccomp system "
  .. "call, or --sandbox allow-weak to run with rlimits only"
local OTHER_VERSION = "the worker speaks version %d of the protocol and this program version %d, so it was killed: "
  .. "install the program anew, and start it again"

local spare
local closed -- jailed.close was called since the last chunk
local weak_allowed = false

-- What it says of itself is as good as the program it runs, which is ours. Otherwise nil, kind, why, message.
local function greet(w, deadline)
  if w.layers then return w end
  local kind, body = w:frame(deadline)
  local version, layers = (kind == "H" and body or ""):byte(1, 2)
  if version == VERSION and layers and body:find "^..[A-Z0-9]*$" then
    w.layers = { why = #body > 2 and body:sub(3) or nil }
    for name, flag in pairs(LAYERS) do w.layers[name] = bit.band(layers, flag) ~= 0 end
    return w
  end
  w:kill()
  if version and version ~= VERSION then
    local message = OTHER_VERSION:format(version, VERSION)
    return nil, "protocol", message, message
  end
  if kind or body == "protocol" then return nil, "protocol", "it broke the protocol" end
  return nil, "unavailable", NOT_READY[body] or body
end

-- A spare may have died since it was started; then a new one gets the one try.
local function ready(frames, program)
  local deadline = async.now() + HELLO_S
  local waiting = not program and spare
  if waiting then
    spare = nil
    waiting:limit(frames)
    local w = waiting:is_alive() and greet(waiting, deadline)
    if w then return w end
    waiting:kill()
  end
  local w, err = worker.spawn(frames, program)
  if not w then return nil, "unavailable", err end
  return greet(w, deadline)
end

--- A worker that waits for its chunk.
---@param frames table<string, integer>  what it may send, with the longest body of each
---@param program? string                another than ours
---@return Worker|nil
---@return "unavailable"|"protocol"|nil kind
---@return string? why       in few words
---@return string? message   the whole sentence, where it is not the kind's
function jailed.take(frames, program)
  local w, kind, why, message = ready(frames, program)
  if not w then return nil, kind, why, message end
  closed = false
  if not w.layers.seccomp then
    if not weak_allowed then
      w:kill()
      return nil, "unavailable", w.layers.why, REFUSED:format(w.layers.why or "refused")
    end
    jail.hide() -- our memory must be out of its reach before it runs what we do not know
  end
  return w
end

--- Starting a process holds the loop up for a millisecond: not before who waits for the outcome has
--- it. A spare that cannot be started is no failure; the next chunk starts its own, and tells.
---@param frames table<string, integer>
function jailed.start_spare_soon(frames)
  async.spawn(function()
    local undisturbed = async.sleep(0)
    if undisturbed and not closed and not spare then spare = worker.spawn(frames) end
  end)
end

--- Whether a worker is given out where the system refuses the filter of system calls.
---@param allowed boolean
function jailed.allow_weak(allowed) weak_allowed = allowed end

--- What holds a worker here, asked of one, which is the spare then. Waits, so call it inside a task.
---@param frames table<string, integer>
---@return Protection
function jailed.protection(frames)
  local w, _, why = ready(frames)
  local out = { strength = "none", why = why }
  for name in pairs(LAYERS) do out[name] = w ~= nil and w.layers[name] end
  if not w then return out end
  out.strength, out.why = w.layers.seccomp and "strict" or "weak", w.layers.why
  closed = false
  if spare then w:kill() else spare = w end
  return out
end

--- Ends the spare. A later chunk starts its own again.
function jailed.close()
  if spare then spare:kill() end
  spare, closed = nil, true
end

return jailed
