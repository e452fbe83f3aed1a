--- `make bench [ROWS="codec calls"]`: our figures beside those of what people use today, all in
--- one run, as ratios. The machine's noise is in both halves of a ratio.

local uv = require "luv"

local SUITES = { "start", "calls", "codec", "top", "top_live", "load", "allocators", "ets", "sup", "ports", "logs",
  "analyst", "sandbox", "crew", "sigterm", "door", "door_rpc" }

local wanted = #arg > 0 and arg or SUITES

local function met(row)
  local sign, bound = row.target:match "^([<>]=)%s*([%d.]+)"
  if not sign or not row.ratio then return "" end
  local ok = sign == "<=" and row.ratio <= tonumber(bound) or sign == ">=" and row.ratio >= tonumber(bound)
  return ok and "met" or "MISSED"
end

print(("%-58s %-22s %-26s %7s  %-8s %s"):format("what", "ours", "beside", "ratio", "target", ""))
local began = uv.hrtime()
require "spec.support.kept_apart"({ "XDG_STATE_HOME", "SPEC_STATE_HOME" }, function()
  for _, name in ipairs(wanted) do
    local started = uv.hrtime()
    for _, row in ipairs(assert(loadfile("spec/bench/" .. name .. ".lua"))()) do
      print(("%-58s %-22s %-26s %7s  %-8s %s"):format(row.name, row.ours, row.peer,
        row.ratio and ("%.2f"):format(row.ratio) or "-", row.target, met(row)))
    end
    print(("%-58s %.0f s"):format("-- " .. name, (uv.hrtime() - started) / 1e9))
    io.stdout:flush()
  end
end)
print(("%-58s %.0f s"):format("-- in all", (uv.hrtime() - began) / 1e9))
