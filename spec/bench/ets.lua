--- The top ten of 10,000 ETS tables, beside what observer asks of a node, which reads every item of every
--- table. That list stays on the node here: sending it would only be counted against it.

local async = require "runtime.async"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local skill = require "runtime.skill"

local TABLES, ROUNDS = 10000, 31
local FREE = { timeout = 120, heap_words = 0, priority = "normal" } -- as observer asks

local CROWD = [[
  Me = self(),
  spawn(fun() ->
    [begin
       T = ets:new(crowd, [public]),
       ets:insert(T, [{K, lists:seq(1, I rem 101)} || K <- lists:seq(1, I rem 20)])
     end || I <- lists:seq(1, N)],
    Me ! ready, receive stop -> ok end end),
  receive ready -> ok end.]]

return async.run(function()
  local at, ets = live.start(), assert(skill.open "ets")
  at.eval(CROWD, { N = TABLES })
  local function theirs()
    return at.node.query("length(observer_backend:get_table_list(ets, [{sys_hidden, false}, {unread_hidden, false}])).",
      {}, FREE)
  end
  local rows = {}
  for i, by in ipairs { "memory", "size" } do
    rows[i] = measure.row(("ets_top_tables(10, %s), 10k tables"):format(by), "observer_backend", "<= 0.6", ROUNDS,
      function() return skill.call(ets, "ets_top_tables", { 10, by }, at.node) end, theirs)
  end
  at.stop()
  return rows
end)
