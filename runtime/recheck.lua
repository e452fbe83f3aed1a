--- Finds again, by the checks of the run's skills alone, what an insight says. An insight may be a model's,
--- and a model may have been led on; what acts without a person acts on what code found just now.

local skill = require "runtime.skill"

local recheck = {}

-- One look. What the gate keeps back or the node cannot say ends the check.
local function looked(case, s, call)
  if call.after then case.node.sleep(call.after) end
  local name = skill.resolve(s, call[1])
  local callback = s.callbacks[name]
  if not callback or not case.gate:permit(name, callback.class) then return nil end
  local value = skill.call(s, call[1], { unpack(call, 2) }, case.node)
  if type(value) == "table" and value.unavailable then return nil end
  return value
end

local function confirmed(case, s, check, snapshot)
  local ok, suspect = pcall(check.suspect, snapshot, skill.history(s, case.node))
  if not ok or not suspect then return nil end
  local results = {}
  for i, wanted in ipairs(check.look) do
    if type(wanted) == "function" then
      ok, wanted = pcall(wanted, results)
      if not ok or not wanted then return nil end
    end
    results[i] = looked(case, s, wanted)
    if results[i] == nil then return nil end
  end
  local finding
  ok, finding = pcall(check.confirm, results)
  return ok and finding or nil
end

--- The finding of this mechanism, as it is now.
---@param case Case
---@param mechanism string
---@return Finding?
function recheck.find(case, mechanism)
  for _, s in ipairs(case.skills) do
    local snapshot
    for _, check in ipairs(s.checks or {}) do
      if check.mechanism == mechanism then
        snapshot = snapshot or skill.snapshot(s, case.node)
        local finding = type(snapshot) == "table" and confirmed(case, s, check, snapshot)
        if finding then return finding end
      end
    end
  end
end

return recheck
