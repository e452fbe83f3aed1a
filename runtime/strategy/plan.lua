--- A plan of what is to be looked at beyond the usual: shown to the person before any of it is done, with what each
--- step does to the node, and approved where that is more than reading.

local looking = require "runtime.strategy.looking"
local plain = require "runtime.plain"

local plan = {}

local RANK = { SAFE = 1, CAUTION = 2, DANGEROUS = 3 }
local LONGEST = 160 -- bytes of what a step is said to do

-- A model may have written it: none of it looks like a line of ours.
local function shown(call)
  local args = {}
  for i = 2, table.maxn(call) do
    local text = plain.text(call[i])
    args[i - 1] = text:find '[%s,()"]' and ("%q"):format(text) or text
  end
  return ("%s(%s)"):format(call[1], table.concat(args, ", "))
end

-- A step with the class of the gravest of its calls, and what they cost.
local function weighed(case, also, step)
  local out = { what = plain.cut(step.what, LONGEST), ends = step.ends or "with its answer", class = "SAFE",
    calls = {}, cost = {}, callbacks = {} }
  for i, call in ipairs(step.calls) do
    local callback, why = looking.callback(case, also, call[1])
    out.calls[i] = shown(call)
    if not callback then
      out.class, out.state, out.why = "DANGEROUS", "refused", why
    else
      if (RANK[callback.class] or 3) > RANK[out.class] then out.class = callback.class end
      out.callbacks[i] = { name = callback.name, class = callback.class, call = call }
      if callback.cost and not callback.cost:find "^nothing" and not out.cost[callback.cost] then
        out.cost[#out.cost + 1], out.cost[callback.cost] = callback.cost, true
      end
    end
  end
  out.cost = table.concat(out.cost, "; ")
  return out
end

local function text_of(step, n)
  local lines = { ("%d. %s: %s"):format(n, step.class, step.what) }
  if #step.calls > 0 then lines[2] = "   " .. table.concat(step.calls, ", then ") end
  if step.cost ~= "" then lines[#lines + 1] = "   costs " .. step.cost end
  lines[#lines + 1] = "   ends " .. step.ends
  return table.concat(lines, "\n")
end

--- Shows a plan and has approved what needs it.
---@param case Case
---@param also Skill[]
---@param steps { what: string, calls: any[][], ends?: string }[]
---@return { what: string, class: Class, calls: string[], cost: string, ends: string, state: "approved"|"refused",
---  why?: string }[]
function plan.approve(case, also, steps)
  local weighted = {}
  for i, step in ipairs(steps) do weighted[i] = weighed(case, also, step) end
  if case.show_person and #steps > 0 then
    local lines = { ("the plan of instrumentation for %s:"):format(case.node.name) }
    for i, step in ipairs(weighted) do lines[i + 1] = text_of(step, i) end
    case.show_person(table.concat(lines, "\n"))
  end
  for i, step in ipairs(weighted) do
    if not step.state then
      local ok, why = looking.permitted(case, step.callbacks, ("step %d, %s"):format(i, step.what))
      step.state, step.why = ok and "approved" or "refused", why
    end
    step.callbacks = nil
  end
  return weighted
end

return plan
