--- What a provider asks for its tokens, in USD for a million of them. A price that is not sure is not here: then
--- a run's cost is unknown, which is better than wrong, and the config's `prices` tell it:
---
---   prices = { ["my-model"] = { input = 0.5, output = 1.5, cache_read = 0.05, cache_write = 0.5 } }
---
--- Caches that have no price of their own count as input, so that a sum is never too low.
---
--- The list prices of the providers' own interfaces for requests that wait for their answer, below the size from
--- which long contexts cost more; as published by OpenAI and Google in November 2025, by Anthropic in November 2026.

local failure = require "runtime.failure"

local prices = {}

local function claude(input, output, cache_read)
  return { input = input, cache_write = input * 1.25, cache_read = cache_read or input * 0.1, output = output }
end

local function gpt(input, cache_read, output) return { input = input, cache_read = cache_read, output = output } end

local LIST = {
  ["claude-fable-5-1"] = claude(10, 50, 0.25), ["claude-fable-5"] = claude(10, 50),
  ["claude-opus-5-5"] = claude(4, 20, 0.2), ["claude-opus-5"] = claude(5, 25), ["claude-opus-4-8"] = claude(5, 25),
  ["claude-opus-4-7"] = claude(5, 25), ["claude-opus-4-6"] = claude(5, 25),
  ["claude-sonnet-5-5"] = claude(2, 10, 0.1), ["claude-sonnet-5"] = claude(2, 10),
  ["claude-sonnet-4-6"] = claude(3, 15), ["claude-haiku-5-5"] = claude(0.1, 0.5),
  ["claude-opus-4-5"] = claude(5, 25), ["claude-opus-4-1"] = claude(15, 75), ["claude-opus-4"] = claude(15, 75),
  ["claude-sonnet-4-5"] = claude(3, 15), ["claude-sonnet-4"] = claude(3, 15),
  ["claude-haiku-4-5"] = claude(1, 5), ["claude-3-5-haiku"] = claude(0.8, 4),
  ["gpt-5"] = gpt(1.25, 0.125, 10), ["gpt-5.1"] = gpt(1.25, 0.125, 10), ["gpt-5-mini"] = gpt(0.25, 0.025, 2),
  ["gpt-5-nano"] = gpt(0.05, 0.005, 0.4),
  ["gpt-4.1"] = gpt(2, 0.5, 8), ["gpt-4.1-mini"] = gpt(0.4, 0.1, 1.6), ["gpt-4.1-nano"] = gpt(0.1, 0.025, 0.4),
  ["gpt-4o"] = gpt(2.5, 1.25, 10), ["gpt-4o-mini"] = gpt(0.15, 0.075, 0.6),
  ["gemini-2.5-pro"] = { input = 1.25, output = 10 }, ["gemini-2.5-flash"] = { input = 0.3, output = 2.5 },
  ["gemini-2.5-flash-lite"] = { input = 0.1, output = 0.4 },
}

local FIELDS = { "input", "output", "cache_read", "cache_write" }

-- "claude-haiku-4-5-20251001" is the model of that name at a date; "gpt-4o-audio" is another one.
local function listed(model)
  local undated = model:gsub("%-latest$", ""):gsub("%-%d%d%d%d%d%d%d%d$", ""):gsub("%-%d%d%d%d%-%d%d%-%d%d$", "")
  return LIST[undated]
end

--- What some tokens cost.
---@param model string
---@param usage { input: integer, cache_write: integer, cache_read: integer, output: integer }
---@param overrides? table<string, table>   of the config
---@return number? usd   nil where the price is not known
function prices.cost(model, usage, overrides)
  local price = overrides and overrides[model] or listed(model)
  if not price then return nil end
  return (usage.input * price.input + usage.cache_write * (price.cache_write or price.input)
    + usage.cache_read * (price.cache_read or price.input) + usage.output * price.output) / 1e6
end

local NOTHING = { input = 0, cache_write = 0, cache_read = 0, output = 0 }

--- What a reply of a client cost. The same name may be another model elsewhere, so the list is for those who made
--- it. A model that runs here costs nobody anything; one of the list does not run here, so who serves it on this
--- machine passes on to those who made it.
---@param of ClientOf
---@param usage? table   nil: only whether it is known
---@return number?
function prices.of_client(of, usage)
  usage = usage or NOTHING
  if of.prices and of.prices[of.model] then return prices.cost(of.model, usage, of.prices) end
  if of.free and not listed(of.model) then return 0 end
  return (of.priced or of.free) and prices.cost(of.model, usage) or nil
end

local function config_fault(where, message, next_step, ...)
  return failure.in_config({ "prices", ... }, ("prices%s %s"):format(where, message), next_step)
end

--- What is wrong with the config's own prices.
---@param given any
---@return Failure?
function prices.fault(given)
  for model, price in pairs(given) do
    if type(model) ~= "string" or type(price) ~= "table" then
      return config_fault("", "wants a table for each model", 'as in ["my-model"] = { input = 0.5, output = 1.5 }',
        model)
    end
    local where = ('["%s"]'):format(model)
    for name, value in pairs(price) do
      local is_known = false
      for _, field in ipairs(FIELDS) do is_known = is_known or field == name end
      if not is_known then
        return config_fault(where, "has no " .. tostring(name),
          failure.meant(name, FIELDS, "it has " .. table.concat(FIELDS, ", ")), model, name)
      end
      if type(value) ~= "number" or not (value >= 0 and value < 1e6) then
        return config_fault(("%s.%s"):format(where, name), "must be USD for a million tokens", "for example 0.5",
          model, name)
      end
    end
    if not (price.input and price.output) then
      return config_fault(where, "needs input and output", "give both in USD for a million tokens", model)
    end
  end
end

return prices
