--- A provider around a provider: asks again when what went wrong may pass by itself, waits as
--- long as it was told to, and never past the deadline. What another try cannot mend goes up at
--- once: a wrong key, a request too long, an account that is empty.
---
--- A connection that broke is tried again at once; who answers that they are overloaded, or cannot serve now, will be
--- so for seconds: there the first pause is about 2 s, and the usual three tries span at least 7 s.

local async = require "runtime.async"
local crypto = require "host.crypto"
local fault = require "runtime.llm.fault"
local telemetry = require "runtime.telemetry"

local retry = {}

---@class RetryPolicy
---@field max_retries integer
---@field first_ms number      the longest first pause
---@field factor number        how much longer each next one may be
---@field longest_ms number
retry.policy = { max_retries = 3, first_ms = 200, busy_ms = 2000, factor = 1.5, longest_ms = 10000 }

-- "retry" soon, "wait" when we were asked to slow down.
local MENDED_BY_TIME = { retry = true, wait = true }

local Retry = {}
Retry.__index = Retry

-- From 0 to 1. LuaJIT's math.random gives every process the same numbers.
local function random()
  local high, low = crypto.random(2):byte(1, 2)
  return (high * 256 + low) / 65536
end

-- They answered, with 429 or a status of a server in trouble, or with an event that stands for one.
local function is_busy(err) return err.class == "wait" or (err.status or 0) >= 500 end

-- Many who failed together must not come back together: full jitter, or a quarter more or less.
local function pause_of(self, err, attempt)
  if err.wait_s then return err.wait_s end
  local policy, by_chance = self.policy, self.random()
  local share = is_busy(err) and 0.75 + by_chance / 2 or by_chance
  local first_ms = is_busy(err) and math.max(policy.busy_ms, policy.first_ms) or policy.first_ms
  return share * math.min(policy.longest_ms / 1000, first_ms / 1000 * policy.factor ^ (attempt - 1))
end

local function is_in_time(request, pause)
  if request.patience_s and pause > request.patience_s then return false end -- another client may answer sooner
  return not request.deadline or async.now() + pause < request.deadline
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
    if not MENDED_BY_TIME[err.class] or attempt > self.policy.max_retries then return nil, err end
    local pause = pause_of(self, err, attempt)
    if not is_in_time(request, pause) then return nil, err end
    local emit = request.emit or telemetry.emit
    emit("llm.retry", { attempt = attempt, wait_s = pause },
      { provider = self.name, reason = err.message, class = err.class })
    if not self.sleep(pause) then
      return nil, fault.new("cancelled", ("the wait for another try at %s was stopped"):format(self.name))
    end
  end
end

---@param provider table
---@param time? { sleep: fun(seconds: number): true|nil, random: fun(): number }   for specs
---@param policy? RetryPolicy
---@return table provider
function retry.new(provider, time, policy)
  time = time or {}
  return setmetatable({ provider = provider, name = provider.name, model = provider.model,
    policy = policy or retry.policy, sleep = time.sleep or async.sleep, random = time.random or random }, Retry)
end

return retry
