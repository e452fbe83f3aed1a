--- The figures of `health` in words, one line for each of its subjects, with how that one is by the rules.

local counted = require "runtime.counted"
local rules = require "runtime.health.rules"

local lines = {}

local function mb(x) return x >= 1000 and counted.grouped(x) or ("%.1f"):format(x) end

-- Without a blank, for a line may be broken at one.
local function pct(x) return (x >= 10 and ("%d"):format(x + 0.5) or ("%.1f"):format(x):gsub("%.0$", "")) .. "%" end

local function of_limit(part, count, limit)
  return function(of)
    local is, may = of[part][count], of[part][limit]
    return ("%s of %s (%s)"):format(counted.grouped(is), counted.grouped(may), pct(may > 0 and 100 * is / may or 0))
  end
end

local function memory(of)
  local m = of.memory
  local other = m.system_mb - m.binary_mb - m.ets_mb - m.code_mb - m.atom_mb
  return ("%s MB: processes %s, binary %s, ets %s, code %s, atom %s, other %s"):format(mb(m.total_mb),
    mb(m.processes_mb), mb(m.binary_mb), mb(m.ets_mb), mb(m.code_mb), mb(m.atom_mb), mb(math.max(0, other)))
end

local function machine(of)
  local m = of.machine
  if m.unavailable then return m.unavailable end
  local group = m.cgroup_limit_mb
    and ("; its container %s MB, %s in use"):format(mb(m.cgroup_limit_mb), pct(m.cgroup_used_pct)) or ""
  return ("%s MB, %s in use%s"):format(mb(m.total_mb), pct(m.used_pct), group)
end

local function ets(of)
  local e = of.ets
  return ("%s, %s MB, the largest %s MB"):format(counted.of(e.table_count, "table"), mb(e.total_memory_mb),
    mb(e.largest_table_mb))
end

local function run_queue(of)
  return ("%s for %s"):format(counted.grouped(of.schedulers.run_queue),
    counted.of(of.schedulers.schedulers_online, "scheduler"))
end

local function schedulers(of)
  local s = of.schedulers
  if not s.seconds then return counted.of(s.schedulers_online, "scheduler") end
  return ("%s busy, the fullest %s; dirty CPU %s, dirty IO %s"):format(pct(s.utilization_pct),
    pct(s.max_utilization_pct), pct(s.dirty_cpu_pct), pct(s.dirty_io_pct))
end

local function mailboxes(of)
  local row = of.top_by_mailbox.processes[1]
  if not row or row.message_queue == 0 then return "nothing waits in any" end
  return ("%s in the longest, of %s"):format(counted.of(row.message_queue, "message"), row.name or row.pid)
end

local JOBS = { "available", "executing", "retryable", "scheduled", "discarded" }

local function oban(of)
  local o = of.oban
  if o.unavailable then return o.unavailable end
  local list = {}
  for _, state in ipairs(JOBS) do
    if (o[state] or 0) > 0 then list[#list + 1] = ("%s %s"):format(state, counted.grouped(o[state])) end
  end
  local oldest = o.oldest_available_s
  return (#list > 0 and table.concat(list, ", ") or "no job")
    .. (oldest and ("; the oldest waits for %s"):format(counted.span(oldest)) or "")
end

---@type { name: string, needs: string, part: string, text: fun(of: Health): string }[]   needs: what of the look, and
---  which part of it was not answered where that is not there
local LINES = {
  { name = "memory", needs = "memory", part = "figures", text = memory },
  { name = "ets", needs = "ets", part = "ets", text = ets },
  { name = "schedulers", needs = "schedulers", part = "figures", text = schedulers },
  { name = "oban", needs = "oban", part = "oban", text = oban },
  { name = "machine", needs = "machine", part = "machine", text = machine },
  { name = "processes", needs = "processes", part = "figures",
    text = of_limit("processes", "process_count", "process_limit") },
  { name = "ports", needs = "processes", part = "figures", text = of_limit("processes", "port_count", "port_limit") },
  { name = "atoms", needs = "atoms", part = "figures", text = of_limit("atoms", "atom_count", "atom_limit") },
  { name = "run queue", needs = "schedulers", part = "figures", text = run_queue },
  { name = "mailboxes", needs = "top_by_mailbox", part = "processes", text = mailboxes },
}

-- A figure that no rule speaks of is as it should be.
local function state_of(found, line, of)
  local state = of[line.needs].unavailable and "unknown" or "ok"
  for _, one in ipairs(found) do
    if one.row == line.name then state = rules.worse(state, one.state) end
  end
  return state
end

local function why_of(unanswered, part)
  for _, one in ipairs(unanswered) do if one.part == part then return one.why end end
end

--- What was answered, what was not and why; nothing of what such a node has not (Oban).
---@param of Health
---@param unanswered Unanswered[]
---@param found HealthFinding[]
---@return { name: string, state: HealthState, text: string }[]
function lines.of(of, unanswered, found)
  local list = {}
  for _, line in ipairs(LINES) do
    local why = of[line.needs] == nil and why_of(unanswered, line.part)
    if of[line.needs] ~= nil then
      list[#list + 1] = { name = line.name, state = state_of(found, line, of), text = line.text(of) }
    elseif why then
      list[#list + 1] = { name = line.name, state = "unknown", text = "not answered: " .. why }
    end
  end
  return list
end

return lines
