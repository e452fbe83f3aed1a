--- Every callback of every skill on a node of a million processes, under the heap limit that each
--- query has there (160 MB). One that needs more is ended by the node, and told here. Takes minutes, so it
--- runs only when it is named: `make bench ROWS=million`.

local async = require "runtime.async"
local every = require "spec.support.every_callback"
local live = require "spec.support.live_node"

local PROCESSES, SLOW = 1000000, 12

-- A hundred thousand of them are children of something, as in a real system.
local CROWD = [[
  lists:foreach(fun(I) -> spawn_opt(timer, sleep, [infinity], [{min_heap_size, 233 + I rem 7 * 100}]) end,
                lists:seq(1, N - 100000)),
  spawn(fun() -> lists:foreach(fun(_) -> proc_lib:spawn_link(timer, sleep, [infinity]) end, lists:seq(1, 100000)),
                 timer:sleep(infinity) end).]]

local function refused(rows)
  local all, by_heap = 0, 0
  for _, row in ipairs(rows) do
    if row.result == nil and not row.without then
      local why = tostring(row.err)
      print(("  %s of %s: %s"):format(row.name, row.skill, why))
      all, by_heap = all + 1, by_heap + (why:find("needed more than its", 1, true) and 1 or 0)
    end
  end
  return all, by_heap
end

return async.run(function()
  local at = live.start { args = { "+P", "2000000" } }
  at.eval(CROWD, { N = PROCESSES })
  local rows = every.run(every.skills(), at.node)
  at.stop()
  local all, by_heap = refused(rows)
  table.sort(rows, function(a, b) return a.ms > b.ms end)
  for i = 1, math.min(SLOW, #rows) do
    print(("  %5.1f s %s of %s"):format(rows[i].ms / 1000, rows[i].name, rows[i].skill))
  end
  return {
    { name = ("%d snapshots and callbacks, 1M processes: refused"):format(#rows), ours = ("%d"):format(all),
      peer = ("slowest %.1f s"):format(rows[1].ms / 1000), target = "<= 0", ratio = all },
    { name = "of these: ended by the heap limit of 160 MB", ours = ("%d"):format(by_heap), peer = "-", ratio = by_heap,
      target = "<= 0" },
  }
end)
