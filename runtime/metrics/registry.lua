--- Figures by name and labels, and their text as Prometheus reads it (exposition format 0.0.4). Labels
--- come from nodes and models, so there are only so many series of a name: what is beyond is one, "other".

local plain = require "runtime.plain"

local registry = { series = 200 }

local LONGEST_LABEL = 100

---@class Family
---@field name string
---@field type "counter"|"gauge"
---@field help string
---@field labels? string[]

---@class Registry
---@field private families table<string, Family>
---@field private values table<string, table<string, number>>   family -> labels as text -> value
---@field private counts table<string, integer>
local Registry = {}
Registry.__index = Registry

---@param families Family[]   in the order in which they are shown
---@return Registry
function registry.new(families)
  local self = setmetatable({ order = families, families = {}, values = {}, counts = {} }, Registry)
  for _, family in ipairs(families) do
    self.families[family.name], self.values[family.name], self.counts[family.name] = family, {}, 0
  end
  return self
end

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function label(name, value)
  return ('%s="%s"'):format(name, (plain.cut(value, LONGEST_LABEL):gsub('[\\"\n]', ESCAPES)))
end

local function key_of(family, values, other)
  local parts = {}
  for i, name in ipairs(family.labels or {}) do
    parts[i] = label(name, other or values[name] == nil and "" or values[name])
  end
  return table.concat(parts, ",")
end

-- Where a value stands: of its own series, or of the one for all that are too many.
local function place(self, name, labels)
  local family, values = self.families[name], self.values[name]
  local key = key_of(family, labels or {})
  if values[key] then return values, key end
  if self.counts[name] >= registry.series then
    key = key_of(family, {}, "other")
  end
  if not values[key] then self.counts[name] = self.counts[name] + 1 end
  return values, key
end

---@param name string
---@param labels? table<string, any>
---@param n? number   1 if left out
function Registry:add(name, labels, n)
  local values, key = place(self, name, labels)
  values[key] = (values[key] or 0) + (n or 1)
end

---@param name string
---@param labels? table<string, any>
---@param n number
function Registry:set(name, labels, n)
  local values, key = place(self, name, labels)
  values[key] = n
end

local function number(n)
  if n ~= n then return "NaN" end
  if n == math.huge then return "+Inf" end
  if n == -math.huge then return "-Inf" end
  return n % 1 == 0 and math.abs(n) < 2 ^ 53 and ("%d"):format(n) or ("%.15g"):format(n)
end

local function family_text(self, family, out)
  local values, keys = self.values[family.name], {}
  for key in pairs(values) do keys[#keys + 1] = key end
  if #keys == 0 then return end
  table.sort(keys)
  out[#out + 1] = ("# HELP %s %s\n# TYPE %s %s"):format(family.name, family.help, family.name, family.type)
  for _, key in ipairs(keys) do
    out[#out + 1] = ("%s%s %s"):format(family.name, key ~= "" and "{" .. key .. "}" or "", number(values[key]))
  end
end

---@return string
function Registry:text()
  local out = {}
  for _, family in ipairs(self.order) do family_text(self, family, out) end
  return #out == 0 and "" or table.concat(out, "\n") .. "\n"
end

return registry
