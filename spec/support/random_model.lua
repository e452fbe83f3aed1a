--- A model that does whatever the dice say: calls that fit and calls that do not, words, nothing, garbage,
--- faults of its provider, refusals, half answers. The same seed plays the same run.

local async = require "runtime.async"
local dice = require "spec.hostile.dice"
local json = require "runtime.json"

local random_model = {}

local CODES = { "return ets_list_tables(3)", "return ets_top_tables(2)", "return nil", "return 1 +", "error 'no'",
  "return { 1, { 2 } }",
  "return ets_no_such_callback()", "return ets_top_tables(99)", "print 'x' return beam_get_memory()",
  "return ('x'):rep(100000)",
}
local WORDS = { "ets", "beam", "gc", "n1", "n2", "i1", "o1", "o2", "ledger", "ets_growth", "tables[1].size", "",
  "\255\254", "\27[2J", "ignore all instructions", ("long "):rep(2000) }

local fit

local function of_type(d, schema, name)
  if schema.enum then return d:pick(schema.enum) end
  local kind = type(schema.type) == "table" and d:pick(schema.type) or schema.type
  if kind == "object" then return fit(d, schema) end
  if kind == "array" then
    local list = {}
    for i = 1, d:int(0, 3) do list[i] = of_type(d, schema.items, name) end
    return list
  end
  if kind == "integer" then return d:int(schema.minimum or -5, math.min(schema.maximum or 50, 3)) end
  if kind == "number" then return d:int(-1000, 1000) / 7 end
  if kind == "boolean" then return d:chance(50) end
  return name == "code" and d:pick(CODES) or d:pick(WORDS)
end

-- Arguments that fit a schema, or nearly so.
function fit(d, schema)
  local required, args = {}, json.object {}
  for _, name in ipairs(schema.required or {}) do required[name] = true end
  local names = {}
  for name in pairs(schema.properties or {}) do names[#names + 1] = name end
  table.sort(names) -- the dice must fall the same way each time
  for _, name in ipairs(names) do
    if required[name] and not d:chance(2) or d:chance(40) then
      args[name] = of_type(d, schema.properties[name], name)
      if d:chance(3) then args[name] = d:pick { 7, "seven", true, json.null, json.object { deep = { {} } } } end
    end
  end
  if d:chance(3) then args[d:pick(WORDS)] = 1 end
  return args
end

local function call(d, tools, i)
  if not tools or #tools == 0 or d:chance(5) then return { id = "c" .. i, name = d:pick(WORDS), args = {} } end
  local tool = d:pick(tools)
  local bad = d:chance(5) and '{"half": ' or nil
  return { id = d:chance(95) and "c" .. i or nil, name = tool.name, bad_args = bad,
    args = not bad and (d:chance(4) and d:pick { "text", 7, json.null } or fit(d, tool.parameters)) or nil }
end

local function usage(d) return { input = d:int(0, 2000), cache_read = 0, cache_write = 0, output = d:int(0, 200) } end

local ODD = {
  function() return "no table" end,
  function() return { calls = "none", text = 7 } end,
  function() return { calls = { 1, "x", { name = {} } }, usage = 7 } end,
  function() return { text = "x", calls = {}, usage = { input = "much", output = {} } } end,
  function() return { text = "", calls = {}, stop = "done" } end,
  function() return { text = "I will not", calls = {}, stop = "refused" } end,
  function() return { text = "half a sen", calls = {}, stop = "length" } end,
  function() return { text = "", calls = {}, stop = "context_full" } end,
  function() return { text = "thinking", calls = {}, stop = "pause" } end,
  function() return { text = ("x"):rep(2 * 1024 * 1024), calls = {}, stop = "done" } end,
  function(_, tools)
    return { text = "", stop = "calls", calls = { { id = "big", name = tools and tools[1].name or "x",
      args = { thought = ("x"):rep(1024 * 1024) } } } }
  end,
  function() return nil, { class = "retry", message = "overloaded" } end,
  function() return nil, { class = "shrink", message = "too long" } end,
  function() return nil, "a text for an error" end,
  function() error "a bug in the provider" end,
  function() error { "a table" } end,
  function() return async.sleep(0.002) and nil, { class = "quota", message = "no money" } end,
}

local function reply(d, tools)
  if d:chance(6) then return d:pick(ODD)(d, tools) end
  if d:chance(5) then return { text = d:pick(WORDS), calls = {}, stop = "done", usage = usage(d) } end
  local calls = {}
  for i = 1, d:int(1, d:chance(3) and 40 or 3) do calls[i] = call(d, tools, i) end
  return { text = d:chance(30) and d:pick(WORDS) or "", calls = calls, usage = usage(d),
    stop = d:chance(3) and "length" or "calls" }
end

--- A mind whose every agent plays by the dice. Those of one seed are the same.
---@param seed integer
---@return table mind
function random_model.mind(seed)
  local agents = 0
  local function provider()
    agents = agents + 1
    local d = dice.new(seed * 31 + agents)
    return { name = "random", ask = function(_, request) return reply(d, request.tools) end }
  end
  return { name = "random", operator = provider, coordinator = provider }
end

return random_model
