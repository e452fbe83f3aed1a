--- Which runs there are to make, and which of them were made already.

local random = require "spec.diagnosis.random"

local jobs = {}

---@class Job
---@field case table
---@field kind "sick"|"twin"|"healthy"
---@field seed string     of its draw: every run of a case draws anew
---@field key string

local function kinds_of(case) return case.sick and { "sick", "twin" } or { "healthy" } end

local function wanted_of(text)
  local wanted = {}
  for name, kind in text:gmatch "([^,:%s]+):?(%a*)" do
    wanted[name] = wanted[name] or {}
    wanted[name][kind] = true
  end
  return wanted
end

-- So many by lot, one in three of them healthy, of those that every machine allows.
local function by_lot(cases, count, seed)
  local lot = random.lot("cases " .. seed)
  local sick, healthy = {}, {}
  for _, case in ipairs(lot:shuffled(cases)) do
    for _, kind in ipairs(case.needs and {} or kinds_of(case)) do
      table.insert(kind == "sick" and sick or healthy, { case, kind })
    end
  end
  local chosen, calm = {}, math.ceil(count / 3)
  healthy = lot:shuffled(healthy)
  for i = 1, math.min(#healthy, calm) do chosen[i] = healthy[i] end
  for i = 1, math.min(#sick, count - calm) do chosen[#chosen + 1] = sick[i] end
  return chosen
end

local function named(cases, wanted)
  local chosen, known = {}, {}
  for _, case in ipairs(cases) do
    known[case.name] = true
    for _, kind in ipairs(kinds_of(case)) do
      local asked = not next(wanted) or wanted[case.name] and (wanted[case.name][""] or wanted[case.name][kind])
      if asked then chosen[#chosen + 1] = { case, kind } end
    end
  end
  for name in pairs(wanted) do
    if not known[name] then return nil, ("there is no case %s"):format(name) end
  end
  return chosen
end

--- The runs that were asked for.
---@param cases table[]
---@param o { cases: string, seed: string, rounds: integer }   cases: names with commas between, each perhaps with
---  :sick or :twin; or how many, drawn by the seed; or nothing, for all
---@return Job[]?
---@return string? why
function jobs.list(cases, o)
  local chosen, why
  if tonumber(o.cases) then
    chosen = by_lot(cases, tonumber(o.cases), o.seed)
  else
    chosen, why = named(cases, wanted_of(o.cases))
  end
  if not chosen then return nil, why end
  local list = {}
  for round = 1, o.rounds do
    for _, c in ipairs(chosen) do
      local key = ("%s:%s %s.%d"):format(c[1].name, c[2], o.seed, round)
      list[#list + 1] = { case = c[1], kind = c[2], key = key, seed = key }
    end
  end
  return list
end

return jobs
