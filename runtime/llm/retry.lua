--- A provider around a provider: asks again when what went wrong may pass by itself, waits as
--- long as it was told to, and never past the deadline. What another try cannot mend goes up at
--- once: a wrong key, a request too long, an account that is empty.

local async = require "runtime.async"
local crypto = require "host.crypto"
local fault = require "runtime.llm.fault"
local telemetry = require "runtime.telemetry"

local retry = { times = 3, first_s = 0.2, factor = 1.5, longest_s = 10 }

-- "retry" soon, "wait" when we were asked to slow down.
local MENDED_BY_TIME = { retry = true, wait = true }

local Retry = {}
Retry.__index = Retry

-- From 0 to 1. LuaJIT's math.random gives every process the same numbers.
local function random()
  local high, low = crypto.random(2):byte(1, 2)
  return (high * 256 + low) / 65536
end

-- Full jitter: many who failed together must not come back together.
local function pause_of(self, err, attempt)
  if err.wait_s then return err.wait_s end
  return self.random() * math.min(retry.longest_s, retry.first_s * retry.factor ^ (attempt - 1))
end

---@param request table
---@return table|nil reply
---@return ProviderFault? err
function Retry:ask(request)
  local attempt = 0
  while true do
    local reply, err = self.provider:ask(request)
    if reply then return reply end
    attempt = attempt + 1
    if not MENDED_BY_TIME[err.class] or attempt > retry.times then return nil, err end
    local pause = pause_of(self, err, attempt)
    if request.deadline and async.now() + pause >= request.deadline then return nil, err end
    telemetry.emit("llm.retry", { attempt = attempt, wait_s = pause },
      { provider = self.name, reason = err.message, class = err.class })
    if not self.sleep(pause) then
      return nil, fault.new("cancelled", ("the wait for another try at %s was stopped"):format(self.name))
    end
  end
end

---@param provider table
---@param time? { sleep: fun(seconds: number): true|nil, random: fun(): number }   for specs
---@return table provider
function retry.new(provider, time)
  time = time or {}
  return setmetatable({ provider = provider, name = provider.name, model = provider.model,
    sleep = time.sleep or async.sleep, random = time.random or random }, Retry)
end

return retry
