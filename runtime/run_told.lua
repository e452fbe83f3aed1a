--- The end of a run as an event, for who counts runs and what they cost.

local json = require "runtime.json"
local telemetry = require "runtime.telemetry"

local function known(value) return value ~= json.null and value or nil end

---@param report table?    nil, where the run came to none
---@param seconds number   what it took
return function(report, seconds)
  if not report then return end
  local usage, load = report.usage, report.target_load
  telemetry.emit("run.stop", {
    duration = seconds * 1e9, llm_calls = usage.calls, input_tokens = usage.input_tokens + usage.cache_read_tokens,
    output_tokens = usage.output_tokens, cost_usd = known(usage.cost_usd), target_calls = load.calls,
    target_reductions = load.reductions, target_bytes = load.bytes, insights = #report.insights,
    notifications = #report.notifications,
  }, {
    trace_id = report.trace_id, node = report.nodes[1], verdict = report.verdict, reason = report.reason,
    provider = usage.provider, incomplete = known(report.incomplete),
  })
end
