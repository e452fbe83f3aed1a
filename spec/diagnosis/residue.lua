--- What of ours a node still has after we left: counted by the spec's own connection, on a node where the processes of
--- the shop come and go all the while. So it is told by what it does and not by how many there are.

local async = require "runtime.async"

local residue = {}

local SETTINGS = [==[
  T = fun(X) -> iolist_to_binary(io_lib:format("~w", [X])) end,
  #{monitor => T(erlang:system_monitor()), wall_time => T(erlang:statistics(scheduler_wall_time) =/= undefined),
    trace => T([erlang:trace_info(new, flags), erlang:system_info(trace_control_word)]),
    handlers => T(lists:sort(logger:get_handler_ids())), logger => T(logger:get_primary_config()),
    connected => length(nodes(hidden))}.]==]

-- Processes that evaluate a query, but for the one that asks.
local OURS = [==[
  length([P || P <- processes(), P =/= self(),
    {current_stacktrace, S} <- [process_info(P, current_stacktrace)],
    lists:keymember(erl_eval, 1, S)]).]==]

local PATIENCE_S = 15

local ANSWERS_S = 10

local function asked(at, text)
  return at.node.query(text, nil, { timeout = ANSWERS_S, heap_words = 0, priority = "high" })
end

--- The settings of a node; nil where what is planted leaves nobody the time to answer.
function residue.settings(at) return (asked(at, SETTINGS)) end

---@param at table
---@param before? table   the settings before we came
---@return integer?   how many things are left; nil where nobody can tell
---@return string[]?   which
function residue.count(at, before)
  local left
  local patience = async.now() + PATIENCE_S
  repeat
    left = {}
    local now = before and residue.settings(at)
    local ours = now and asked(at, OURS)
    if not ours then return nil end
    for name, value in pairs(before) do
      if tostring(now[name]) ~= tostring(value) then left[#left + 1] = name end
    end
    if ours > 0 then left[#left + 1] = ("%d processes"):format(ours) end
    if #left > 0 then async.sleep(0.1) end -- a connection that was closed is dropped a moment later
  until #left == 0 or async.now() > patience
  table.sort(left)
  return #left, left
end

return residue
