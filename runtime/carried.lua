--- What one run proved, carried into the run that it set off: the notification, and the observations that it cites
--- under the names that they have there. So code decides what stands, whatever the model of the second run does.

local gravity = require "runtime.gravity"

local carried = {}

---@class Carried
---@field notification table
---@field observations Observation[]   that it cites

local function cited(n)
  local ids, seen = {}, {}
  local function add(id)
    if not seen[id] then ids[#ids + 1], seen[id] = id, true end
  end
  for _, id in ipairs(n.snapshot_ids) do add(id) end
  for _, claim in ipairs(n.evidence) do add(claim.observation) end
  return ids
end

--- A notification and all that it rests on; nil where no figure that stands says that something is wrong.
---@param case Case
---@param n table
---@return Carried?
function carried.of(case, n)
  if not gravity.proven(n) then return nil end
  local observations = {}
  for i, id in ipairs(cited(n)) do observations[i] = case.evidence:get(id) end
  return { notification = n, observations = observations }
end

--- Tells it in another case, as what its operator told there.
---@param case Case
---@param found Carried
function carried.take_up(case, found)
  local ids, n = {}, {}
  for _, o in ipairs(found.observations) do ids[o.id] = case.evidence:add(o) end
  for key, value in pairs(found.notification) do n[key] = value end
  n.snapshot_ids, n.evidence = {}, {}
  for i, id in ipairs(found.notification.snapshot_ids) do n.snapshot_ids[i] = ids[id] end
  for i, claim in ipairs(found.notification.evidence) do
    n.evidence[i] = { observation = ids[claim.observation], callback = claim.callback, path = claim.path,
      value = claim.value }
  end
  n.status, n.insight, n.set_aside = "unread", nil, nil
  case:tell(n)
end

return carried
