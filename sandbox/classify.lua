--- A parsed expression -> its class, its effect and the reasons. Every node of it is looked at,
--- patterns, guards and the bodies of funs among them, whether they would run or not. The rule is:
--- what is not known to be safe is dangerous, a shape of the syntax as much as a function.
---
--- What an expression costs is not judged here: limits on time, heap and size bound it where it runs.
--- Only what no limit would stop in time counts, such as a number of a billion bits.

local functions = require "sandbox.functions"
local walk = require "sandbox.classify.walk"

local classify = {}

local SEVERITY = { SAFE = 1, CAUTION = 2, DANGEROUS = 3 }
local REACH = { reads = 1, leased = 2, changes = 3 }

---@class Reason
---@field class string
---@field effect string
---@field line integer
---@field what string   "erlang:garbage_collect/1", or the shape in words
---@field why string
---@field cost? string
---@field guard? string
---@field unknown? boolean  nothing is known of that function

---@class Classified
---@field class "SAFE"|"CAUTION"|"DANGEROUS"
---@field effect "reads"|"leased"|"changes"
---@field guarded table<string, integer>  how often each function is used that has a guard
---@field reasons Reason[]  worst first, each once; a safe expression has reasons too

local function once(reasons)
  local seen, kept = {}, {}
  for _, r in ipairs(reasons) do
    local key = table.concat({ r.class, r.what, r.why }, "\0")
    if not seen[key] then kept[#kept + 1] = r end
    seen[key] = true
  end
  return kept
end

local function worst_first(reasons)
  for i, r in ipairs(reasons) do r.order = i end
  table.sort(reasons, function(a, b)
    if a.class ~= b.class then return SEVERITY[a.class] > SEVERITY[b.class] end
    if a.unknown ~= b.unknown then return b.unknown or false end
    if a.effect ~= b.effect then return REACH[a.effect] > REACH[b.effect] end
    return a.order < b.order
  end)
  for _, r in ipairs(reasons) do r.order = nil end
end

local function nothing()
  return {
    class = "SAFE", effect = "reads", line = 1, what = "the expression", why = "it only computes and calls nothing",
    cost = "small",
  }
end

--- Judges the expressions of a text.
---@param forms table    erl_parse's expressions, as host.etf decodes them
---@param options? { entry?: fun(mfa: string, entry: FunctionEntry|nil): FunctionEntry|nil }
---  entry: what the owner's policy makes of an entry
---@return Classified
function classify.expressions(forms, options)
  -- Twice: which variables are bound to what has to be known before the first call is judged.
  local bindings = walk.bindings(forms)
  local all, guarded = walk.reasons(forms, bindings, options or {}), {}
  for _, r in ipairs(all) do if r.guard then guarded[r.mfa] = (guarded[r.mfa] or 0) + 1 end end
  local reasons = once(all)
  if #reasons == 0 then reasons[1] = nothing() end
  worst_first(reasons)
  local effect = "reads"
  for _, r in ipairs(reasons) do if REACH[r.effect] > REACH[effect] then effect = r.effect end end
  return { class = reasons[1].class, effect = effect, reasons = reasons, guarded = guarded }
end

--- What is known of a function.
---@param mfa string  "module:function/arity"
---@return FunctionEntry|nil
function classify.entry(mfa)
  local module, name, arity = mfa:match "^([^:]+):(.+)/(%d+)$"
  if not module then return nil end
  return functions.find(module, name, tonumber(arity))
end

--- How a function is called to a person: Elixir's modules without their prefix.
---@param mfa string
---@return string
function classify.title(mfa) return (mfa:gsub("^Elixir%.(.-):", "%1.")) end

return classify
