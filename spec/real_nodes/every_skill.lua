--- every_skill.lua NODE COOKIE_FILE: every callback of every skill on that node, with its time. Ends
--- with 1 when one of them failed. What the node lacks is told, and is no failure.

local async = require "runtime.async"
local every = require "spec.support.every_callback"
local node = require "runtime.node"
local plain = require "runtime.plain"

local PATIENCE_S = 60

-- A node that boots is there before its applications are.
local function attach(name, cookie_file)
  local deadline = async.now() + PATIENCE_S
  while true do
    local n, err = node.connect { name = name, cookie_file = cookie_file }
    if n then
      local status = n:call("init", "get_status", {})
      if status and tostring(status[1]) == "started" then return n end
      n:close()
    elseif async.now() > deadline then
      error(tostring(err), 0)
    end
    async.sleep(0.25)
  end
end

local function said(row)
  if row.without then return "not run: the node has no " .. row.without end
  if row.result == nil then return "FAILED: " .. tostring(row.err) end
  return type(row.result) == "table" and row.result.unavailable and "unavailable: " .. row.result.unavailable or ""
end

local ok, failed = pcall(async.run, function(name, cookie_file)
  local n = attach(name, cookie_file)
  local rows, failed = every.run(every.skills(), n), 0
  print(("\n%s: %d snapshots and callbacks"):format(name, #rows))
  for _, row in ipairs(rows) do
    if row.result == nil and not row.without then failed = failed + 1 end
    print(("  %-12s %-34s %8.1f ms  %s"):format(row.skill, row.name, row.ms, plain.text(said(row))))
  end
  local load = n.load
  print(("  in all: %d calls, %d reductions, %.0f kB, longest %.0f ms; %d failed"):format(load.calls, load.reductions,
    load.bytes / 1000, load.max_ms, failed))
  n:close()
  return failed
end, arg[1], arg[2])
if not ok then print(tostring(failed)) end
os.exit(ok and failed == 0 and 0 or 1)
