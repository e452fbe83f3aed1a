--- A report in whose every text of the node or a model there is the same text; for specs of what shows reports.

local json = require "runtime.json"

---@param text string
---@param more? table   fields of the report
---@return table
return function(text, more)
  local r = {
    schema = 1, verdict = "sick", would_tell = {}, nodes = { text }, reason = text, incomplete = json.null,
    lost = false, language = "erlang", run = "r7", notifications = {}, looks = {},
    insights = { {
      id = "i1", node = text, summary = text, root_cause_hypothesis = text .. " " .. text,
      severity = "warning", confidence = "high", correlation_type = "single",
      hypothesis_grounded = true, root_cause = { object = text, mechanism = "slow_consumer" }, since = text,
      code = { module = text, ["function"] = text, arity = 1, observation = "o1", path = text },
      evidence = { { observation = "o1", callback = text, path = text, value = text, at = "2026-11-21T23:00:00Z" } },
      considered = { { mechanism = text, why_not = text } }, next_steps = { { text = text, risk = "SAFE" } },
      advice = require("runtime.insight_row").advice "slow_consumer",
    } },
    operators = { { node = text, skill = "beam", state = "warning", iterations = 1 } },
    actions = { { id = "a1", action = "kill_process", object = text, class = "DANGEROUS", state = "failed",
      reason = text, outcome = { message = text } } },
    usage = { provider = text, calls = 1, input_tokens = 0, cache_read_tokens = 0, output_tokens = 0, cost_usd = 0 },
    target_load = { calls = 2, reductions = 3, bytes = 4, max_ms = 5 },
    footprint = { modules_loaded = 0, atoms = 0, relays = 0 },
    versions = { program = "0.1.0", skills = { beam = "ab12" }, reloaded = {} },
  }
  for key, value in pairs(more or {}) do r[key] = value end
  return r
end
