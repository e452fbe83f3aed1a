--- A model for specs of the whole program (provider `script`): several operators that look at the same time, think for
--- different times, and tell of what they saw; a coordinator that makes an insight of each. Who tells first, and whose
--- observation is o1, depends on who was quick. See runtime/llm/script.lua.

local async = require "runtime.async"

local function calls(...) return { calls = { ... } } end

local function results(request)
  for i = #request.messages, 1, -1 do
    if request.messages[i].results then return request.messages[i].results end
  end
end

local function look(code) return { name = "execute", args = { code = code } } end

local LOOKS = {
  beam = { "return beam_get_memory()", "return beam_queue_growth(300, 3)", "return beam_top_processes(3, 'memory')" },
  ets = { "return ets_list_tables()", "return ets_table_growth(200)", "return ets_top_tables(2, 'memory')" },
  gc = { "return gc_stats()", "return gc_top_processes(3)", "return get_node_info()" },
  overload = { "return overload_state()", "return overload_queue_analysis()", "return get_node_info()" },
}

-- As long as a model may think: others are quicker now, slower then.
local function think(who, turn) async.sleep((#who * 7 + turn * 13) % 5 * 0.02) end


local function operator(request, turn, skill)
  think(skill, turn)
  if turn == 1 then return calls { name = "take_snapshot" } end
  if turn == 2 then return calls(look(LOOKS[skill][1]), look(LOOKS[skill][2])) end
  if turn == 3 then return calls(look(LOOKS[skill][3]), { name = "wait", args = { ms = 200 } }) end
  if turn == 4 then return calls { name = "get_snapshots" } end
  if turn == 5 then
    local seen = results(request)[1].data.snapshots[1]
    local names = {}
    for name, value in pairs(seen.data) do
      if type(value) == "number" then names[#names + 1] = name end
    end
    table.sort(names)
    return calls { name = "send_notification", args = {
      type = "figures", context = "a look", observation = skill .. " has figures", severity = "warning",
      snapshot_ids = { seen.id }, root_cause = { object = skill, mechanism = "other" }, confidence = "low",
      evidence = { { observation = seen.id, path = names[1], value = seen.data[names[1]] } } } }
  end
  return calls { name = "done" }
end

local function insight(n)
  local proof = n.evidence[1]
  return { name = "produce_insight", args = {
    notification_ids = { n.id }, correlation_type = "single", summary = n.observation, confidence = "low",
    matched_observations = { n.observation }, root_cause = n.root_cause, severity = n.severity,
    evidence = { { observation = proof.observation, path = proof.path, value = proof.value } } } }
end

local function coordinator(request, turn)
  think("coordinator", turn)
  if turn == 1 then
    return calls { name = "invoke_operators", args = { skills = { "beam", "ets", "gc", "overload" } } }
  end
  if turn == 2 then return calls { name = "wait", args = { ms = 60000 } } end
  if turn == 3 then return calls { name = "get_notifications" } end
  if turn > 4 then return calls { name = "done", args = { summary = "figures" } } end
  local wanted = {}
  for i, n in ipairs(results(request)[1].data.notifications) do wanted[i] = insight(n) end
  return calls(unpack(wanted))
end

return function(request, turn, who)
  if who.agent == "coordinator" then return coordinator(request, turn) end
  return operator(request, turn, who.skill)
end
