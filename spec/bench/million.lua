--- Every callback of every skill on a node of a million processes, under the heap limit that each
--- query has there (160 MB). One that needs more is ended by the node, and told here.

local async = require "runtime.async"
local every = require "spec.support.every_callback"
local live = require "spec.support.live_node"

local PROCESSES = 1000000

-- A hundred thousand of them are children of something, as in a real system.
local CROWD = [[
  lists:foreach(fun(I) -> spawn_opt(timer, sleep, [infinity], [{min_heap_size, 233 + I rem 7 * 100}]) end,
                lists:seq(1, N - 100000)),
  spawn(fun() -> lists:foreach(fun(_) -> proc_lib:spawn_link(timer, sleep, [infinity]) end, lists:seq(1, 100000)),
                 timer:sleep(infinity) end).]]

return async.run(function()
  local at = live.start { args = { "+P", "2000000" } }
  at.eval(CROWD, { N = PROCESSES })
  local slowest, failed = { ms = 0 }, {}
  local rows = every.run(every.skills(), at.node)
  for _, row in ipairs(rows) do
    if row.ms > slowest.ms then slowest = row end
    if row.result == nil and not row.without then failed[#failed + 1] = ("%s: %s"):format(row.name, tostring(row.err)) end
  end
  at.stop()
  for _, why in ipairs(failed) do print(why) end
  return { { name = ("all %d snapshots and callbacks, 1M: not answered"):format(#rows), ours = tostring(#failed),
    peer = ("slowest %s"):format(slowest.name), target = "-", ratio = slowest.ms / 1000 },
    { name = "of these: ended by the heap limit of 160 MB", ours = tostring(#failed), peer = "-", ratio = #failed,
      target = "<= 0" } }
end)
