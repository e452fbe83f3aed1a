--- What a run used of its model, and whether it may use more. Agents ask side by side, so a request counts from the
--- moment it begins: as one request, and as the tokens and the money that the agent's last one took, or that one of
--- the run took on average where it made none yet; while none has ended, one is made at a time. So what is spent beyond
--- a limit is the one answer that ends a run, and what a request took more than the one before.

local async = require "runtime.async"
local json = require "runtime.json"

---@class Spending
---@field private limits { calls?: integer, tokens?: integer, usd?: number, node_reductions?: number }
---@field private sum table       as a report has it
---@field private on_way table    what requests that have not ended hold: calls, tokens, usd
local Spending = {}
Spending.__index = Spending

--- One agent's part in it.
---@class Purse
---@field private all Spending
---@field private last? { tokens: number, usd: number }
---@field private held? { tokens: number, usd: number }   while a request is on its way
local Purse = {}
Purse.__index = Purse

local spending = {}

---@param o { provider: string, limits: table, priced: boolean, worked: fun(): number }   priced: a reply without a
---  price makes the sum unknown; worked: reductions of the node for us
---@return Spending
function spending.new(o)
  return setmetatable({
    limits = o.limits, waiting = {}, priced = o.priced, worked = o.worked, on_way = { calls = 0, tokens = 0, usd = 0 },
    sum = { provider = o.provider, calls = 0, input_tokens = 0, cache_read_tokens = 0, output_tokens = 0,
      cost_usd = 0 },
  }, Spending)
end

local function tokens(sum) return sum.input_tokens + sum.cache_read_tokens + sum.output_tokens end

--- The usage as a report has it; `cost_usd` is null where a price was not known.
---@return table
function Spending:told()
  local told = {}
  for key, value in pairs(self.sum) do told[key] = value end
  if self.unpriced then told.cost_usd = json.null end
  return told
end

---@return Purse
function Spending:purse() return setmetatable({ all = self }, Purse) end

--- One whose requests go to nobody and cost nothing: the node's work bounds them alone.
---@return Purse
function Spending:of_rules()
  return spending.new({ provider = "rules", limits = { node_reductions = self.limits.node_reductions }, priced = false,
    worked = self.worked }):purse()
end

-- What the next request of an agent will take, as far as that can be known.
local function next_of(purse)
  local sum = purse.all.sum
  local before = math.max(1, sum.calls)
  return purse.last or { tokens = tokens(sum) / before, usd = sum.cost_usd / before }
end

local function fault(limit, used, another, form)
  if not limit or used < limit and used + another <= limit then return nil end
  return form:format(limit, used, another)
end

-- Nobody knows yet what a request takes, and somebody is about to find out.
local function unknown(all)
  return (all.limits.tokens or all.limits.usd) and all.sum.calls == 0 and all.on_way.calls > 0
end

--- Whether one more request fits into the limits of the run. It may wait.
---@param deadline? number
---@return true?
---@return string? why
function Purse:may(deadline)
  local all, woken = self.all, true
  while woken and unknown(all) do
    woken = async.await(function(resume)
      all.waiting[resume] = true
      return function() all.waiting[resume] = nil end
    end, deadline)
  end
  local another = next_of(self)
  local limits, sum, on_way = all.limits, all.sum, all.on_way
  local why = fault(limits.calls, sum.calls + on_way.calls, 1, "limits.calls is %d, and %d were made")
    or fault(limits.tokens, tokens(sum) + on_way.tokens, another.tokens,
      "limits.tokens is %d; %d are used, and the next request takes about %d")
    or fault(limits.usd, sum.cost_usd + on_way.usd, another.usd,
      "limits.usd is %.4f; %.4f are spent, and the next request takes about %.4f")
  if why then return nil, why end
  local worked = limits.node_reductions and all.worked() or 0
  if worked > (limits.node_reductions or 0) then
    return nil, ("limits.node_reductions is %d, and the node worked %d for us"):format(limits.node_reductions, worked)
  end
  return true
end

local function hold(on_way, held, sign)
  on_way.calls = on_way.calls + sign
  on_way.tokens = on_way.tokens + sign * held.tokens
  on_way.usd = on_way.usd + sign * held.usd
end

--- A request begins.
function Purse:begin()
  self.held = next_of(self)
  hold(self.all.on_way, self.held, 1)
end

--- It ended: with what it took, or without a reply. A sum with one price missing is no sum: then the cost is unknown.
---@param usage? { input: integer, cache_write: integer, cache_read: integer, output: integer, cost_usd?: number }
function Purse:settle(usage)
  local all = self.all
  hold(all.on_way, self.held, -1)
  self.held = nil
  if usage then self:take(usage) end
  local waiting = all.waiting
  all.waiting = {}
  for wake in pairs(waiting) do wake(true) end
end

---@private
function Purse:take(usage)
  local all, sum = self.all, self.all.sum
  local before = tokens(sum)
  sum.calls = sum.calls + 1
  sum.input_tokens = sum.input_tokens + (usage.input or 0) + (usage.cache_write or 0)
  sum.cache_read_tokens = sum.cache_read_tokens + (usage.cache_read or 0)
  sum.output_tokens = sum.output_tokens + (usage.output or 0)
  sum.cost_usd = sum.cost_usd + (usage.cost_usd or 0)
  all.unpriced = all.unpriced or all.priced and not usage.cost_usd
  self.last = { tokens = tokens(sum) - before, usd = usage.cost_usd or 0 }
end

return spending
