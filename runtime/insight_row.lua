--- An insight as a report carries it: what it says, and beside it what code knows of it: when each figure was seen,
--- where in the code it points to, and what a designer would change (prompts/mechanisms). No model has a say in these.

local advice = require "runtime.advice"
local code_of = require "runtime.code_of"
local json = require "runtime.json"

local insight_row = {}

local function evidence_of(case, insight)
  local rows = {}
  for i, claim in ipairs(insight.evidence) do
    local o = case.evidence:get(claim.observation)
    rows[i] = { observation = claim.observation, callback = claim.callback, path = claim.path, value = claim.value,
      at = o and o.at or json.null }
  end
  return rows
end

--- What is known of the mechanism, in the form of a report.
---@param mechanism string
---@return table|userdata   json.null for a word without a file
function insight_row.advice(mechanism)
  local known = advice.of(mechanism)
  if not known then return json.null end
  local row = { means = known.means, fault = known.fault }
  for _, heading in ipairs(advice.HEADINGS) do
    local value = known[heading.key]
    row[heading.key] = value == nil and json.null or value
  end
  return row
end

---@param case Case
---@param insight table
---@return table
function insight_row.of(case, insight)
  local row = {}
  for key, value in pairs(insight) do row[key] = value end
  local place = code_of(case.evidence, insight)
  row.evidence, row.since = evidence_of(case, insight), insight.since or json.null
  row.code = place and { module = place.module, ["function"] = place.func, arity = place.arity,
    observation = place.observation, path = place.path } or json.null
  row.advice = insight_row.advice(insight.root_cause.mechanism)
  return row
end

-- What processes are called by. Who writes Erlang begins none of these with a capital, for that would need quotes.
local NAMES = { name = true, owner_name = true, parent_name = true, supervisor = true, waits_for_name = true }

-- Of Elixir a module begins with a capital: "Shop.Sink:loop/1", and processes are mostly called by theirs.
local function names_elixir(value, key)
  if type(value) == "string" then
    return value:find "^%u[%w_%.]*:[%w_!%?]+/%d+$" ~= nil or NAMES[key] and value:find "^%u[%w_%.]*$" ~= nil
  end
  if type(value) ~= "table" then return false end
  if value.elixir_version then return true end
  for inner_key, inner in pairs(value) do
    if names_elixir(inner, inner_key) then return true end
  end
  return false
end

--- What the node's people write in, by what was seen of it.
---@param case Case
---@return "elixir"|"erlang"
function insight_row.language(case)
  for _, o in ipairs(case.evidence:all()) do
    if names_elixir(o.value) then return "elixir" end
  end
  return "erlang"
end

return insight_row
