--- A model for specs of the whole program (provider `script`): the ets operator tells of the number of its tables, the
--- coordinator makes an insight of it. Returned as what BEAMLENS_SCRIPT names; see runtime/llm/script.lua.
--- SPEC_HOLD, where it is set, has the operator think for long once its notification was told.

local async = require "runtime.async"

local function calls(...) return { calls = { ... } } end

local function last(request)
  for i = #request.messages, 1, -1 do
    if request.messages[i].results then return request.messages[i].results[1].data end
  end
end

local OPERATOR = {
  function() return calls { name = "take_snapshot" } end,
  function(request)
    local seen = last(request)
    return calls { name = "send_notification", args = {
      type = "tables", context = "a look at the tables", observation = "there are tables", severity = "warning",
      snapshot_ids = { seen.id }, confidence = "high", root_cause = { object = "tables", mechanism = "other" },
      evidence = { { observation = seen.id, path = "table_count", value = seen.data.table_count } },
    } }
  end,
  function()
    if os.getenv "SPEC_HOLD" then async.sleep(600) end
    return calls { name = "done" }
  end,
  function() return calls { name = "done" } end,
}

local COORDINATOR = {
  function() return calls { name = "invoke_operators", args = { skills = { "ets" } } } end,
  function() return calls { name = "wait", args = { ms = 60000 } } end,
  function() return calls { name = "get_notifications" } end,
  function(request)
    local n = last(request).notifications[1]
    local proof = n.evidence[1]
    return calls { name = "produce_insight", args = {
      notification_ids = { n.id }, correlation_type = "single", summary = "There are tables.",
      matched_observations = { n.observation }, root_cause = n.root_cause, severity = n.severity, confidence = "high",
      evidence = { { observation = proof.observation, path = proof.path, value = proof.value } },
    } }
  end,
  function() return calls { name = "done", args = { summary = "tables" } } end,
  function() return calls { name = "done", args = { summary = "tables" } } end,
}

return function(request, turn, who)
  local turns = who.agent == "coordinator" and COORDINATOR or OPERATOR
  return (turns[turn] or turns[#turns])(request)
end
