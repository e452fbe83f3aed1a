--- Rules of thumb, as data: a figure, from where on it wants attention and from where on it is bad, where these limits
--- come from, and what to run next. They tell where to look and accuse nobody: what is wrong, and why, is the work of a
--- run.

local reached_by = require "runtime.reached_by"

local rules = {}

---@alias HealthState "ok"|"attention"|"bad"|"unknown"

---@class HealthRule
---@field row string        the line of the page that it colours
---@field what string       the figure, in words
---@field unit string       as it is shown: "%", " messages"
---@field figure fun(of: Health): number?   nil where it is not known
---@field attention number  from here on
---@field bad? number       from here on; without one it never is
---@field load? true        it tells of overload, and not only of a limit
---@field source string     where the limits come from
---@field next string[]     what to run; {pid} is the process that the figure is of
---@field whose? fun(of: Health): table?   that process, a row
---@field optional? true    of what not every node has: without a figure it is not told at all

local function share(part, whole)
  return part and whole and whole > 0 and math.floor(1000 * part / whole + 0.5) / 10 or nil
end

local function first(list) return list and list.processes[1] end

local function of_schedulers(name)
  return function(of) return of.schedulers and of.schedulers[name] end
end

local function limit(part, count, most)
  return function(of) return of[part] and share(of[part][count], of[part][most]) end
end

-- At both looks: what stood there once may have been a breath.
local function run_queue(of)
  local s = of.schedulers
  if not s then return nil end
  return math.floor(10 * math.min(s.run_queue, s.run_queue_before or s.run_queue) / s.schedulers_online + 0.5) / 10
end

-- Of a small node somebody always has most, and it means nothing.
local LEAST_MB = 200

local function largest_process(of)
  local row = first(of.top_by_memory)
  if not (row and of.memory and of.memory.processes_mb >= LEAST_MB) then return nil end
  return share(row.memory_kb / 1024, of.memory.processes_mb)
end

local OURS = "ours: at 80 % there is time to act, at 90 % a burst may fill the rest"

---@type HealthRule[]
rules.LIST = {
  { row = "memory", what = "the largest process, of all processes' memory", unit = "%", figure = largest_process,
    optional = true, attention = 50, source = "ours: most of the memory in one of many, where all take 200 MB or more",
    whose = function(of) return first(of.top_by_memory) end,
    next = { "call beam_process_info {pid}", "explain memory" } },
  { row = "machine", what = "memory of the machine", unit = "%", load = true, optional = true,
    attention = 80, bad = 90,
    figure = function(of) return of.machine and of.machine.used_pct end,
    source = "skills/system.lua: over 90 %", next = { "call beam_top_processes 5 memory", "explain memory" } },
  { row = "machine", what = "memory of the container", unit = "%", load = true, optional = true,
    attention = 80, bad = 90,
    figure = function(of) return of.machine and of.machine.cgroup_used_pct end,
    source = "skills/system.lua: over 90 %, its limit ends the node without a word",
    next = { "call beam_top_processes 5 memory", "call allocator_summary", "explain memory" } },
  { row = "processes", what = "processes", unit = "%", attention = 80, bad = 90,
    figure = limit("processes", "process_count", "process_limit"), source = OURS,
    next = { "call beam_process_groups", "coordinator.lua --skills beam,sup" } },
  { row = "ports", what = "ports", unit = "%", attention = 80, bad = 90,
    figure = limit("processes", "port_count", "port_limit"), source = OURS,
    next = { "coordinator.lua --skills ports,beam" } },
  { row = "atoms", what = "atoms", unit = "%", attention = 80, bad = 90,
    figure = limit("atoms", "atom_count", "atom_limit"), source = OURS .. "; the node ends when they are full",
    next = { "call beam_atom_growth", "explain atom_leak" } },
  { row = "ets", what = "ETS tables", unit = "%", attention = 100,
    figure = function(of) return of.ets and share(of.ets.table_count, of.table_limit) end,
    source = "the documentation of erl: since OTP 20 no limit; above it tables are slower to find by name",
    next = { "call ets_list_tables", "explain ets" } },
  { row = "run queue", what = "run queue of a scheduler", unit = "", load = true, attention = 2, bad = 10,
    figure = run_queue, source = "skills/checks/beam_saturation.lua: 2; ours: from 10 on everybody waits ten turns",
    next = { "call beam_saturation", "explain schedulers" } },
  { row = "schedulers", what = "schedulers", unit = "%", load = true, attention = 70, bad = 90,
    figure = of_schedulers "utilization_pct", source = "skills/beam/load.lua: 70 % leaves room for what comes at once",
    next = { "call beam_top_reducers_window", "explain schedulers" } },
  { row = "schedulers", what = "dirty CPU schedulers", unit = "%", load = true, attention = 70, bad = 90,
    figure = of_schedulers "dirty_cpu_pct", source = "as of the normal ones",
    next = { "call beam_scheduler_utilization", "explain dirty_cpu_exhausted" } },
  { row = "schedulers", what = "dirty IO schedulers", unit = "%", load = true, attention = 70, bad = 90,
    figure = of_schedulers "dirty_io_pct", source = "as of the normal ones",
    next = { "call beam_scheduler_utilization", "explain dirty_io_exhausted" } },
  { row = "mailboxes", what = "the longest mailbox", unit = " messages", load = true, attention = 1000, bad = 10000,
    figure = function(of)
      local row = first(of.top_by_mailbox)
      return row and row.message_queue or of.top_by_mailbox and 0 or nil
    end,
    whose = function(of) return first(of.top_by_mailbox) end,
    source = "skills/overload.lua: large, critical",
    next = { "call beam_process_info {pid}", "call overload_bottleneck", "explain mailbox" } },
  { row = "oban", what = "the oldest job that waits", unit = " s", load = true, optional = true,
    attention = 60, bad = 600,
    figure = function(of)
      return of.oban and not of.oban.unavailable and (of.oban.oldest_available_s or 0) or nil
    end,
    source = "ours: a queue that runs takes a job within seconds",
    next = { "call oban_job_counts", "call oban_oldest" } },
}

local RANK = { ok = 0, unknown = 1, attention = 2, bad = 3 }

--- The worse of two.
---@return HealthState
function rules.worse(a, b) return RANK[b] > RANK[a] and b or a end

-- A node that gave no turn to a question of low priority.
local STARVED = { row = "schedulers", what = "no turn for a question of low priority", unit = "", load = true,
  state = "bad", source = "the question waited in vain for as long as it may",
  next = { "call beam_saturation", "explain schedulers" } }

---@class HealthFinding
---@field row string
---@field what string
---@field state HealthState
---@field figure? number
---@field unit string
---@field attention? number
---@field bad? number
---@field load? true
---@field source string
---@field next string[]    what to run, without the program's name and without the node's
---@field whose? table     a row of a process

local function commands(rule, row)
  local list = {}
  for i, command in ipairs(rule.next) do
    list[i] = command:gsub("{pid}", function() return reached_by.word(row.pid) end)
  end
  return list
end

local function judged(rule, of)
  local figure = rule.figure(of)
  local row = figure and rule.whose and rule.whose(of)
  local state = not figure and "unknown" or rule.bad and figure >= rule.bad and "bad"
    or figure >= rule.attention and "attention" or "ok"
  local whose = row and state ~= "ok" and row or nil
  return { row = rule.row, what = rule.what, state = state, figure = figure, unit = rule.unit,
    attention = rule.attention, bad = rule.bad, load = rule.load, source = rule.source,
    next = whose and commands(rule, whose) or state ~= "ok" and not rule.whose and commands(rule) or {}, whose = whose }
end

--- What the rules say of a look.
---@param of Health
---@return HealthFinding[]
function rules.judge(of)
  local found = {}
  for _, rule in ipairs(rules.LIST) do
    local one = judged(rule, of)
    if one.state ~= "unknown" or not rule.optional then found[#found + 1] = one end
  end
  if of.starved then table.insert(found, STARVED) end
  return found
end

local WORDS = { ok = "no", attention = "perhaps", bad = "yes", unknown = "unknown" }

--- Whether the node is overloaded, as far as rules of thumb can tell.
---@param found HealthFinding[]
---@return "no"|"perhaps"|"yes"|"unknown"
function rules.overloaded(found)
  local state = "ok"
  for _, one in ipairs(found) do
    if one.load then state = rules.worse(state, one.state) end
  end
  return WORDS[state]
end

--- What to run, most urgent first, each once: commands of this program without its name and the node's.
---@param found HealthFinding[]
---@return string[]
function rules.commands(found)
  local list, seen = {}, {}
  for _, state in ipairs { "bad", "attention" } do
    for _, one in ipairs(found) do
      for _, command in ipairs(one.state == state and one.next or {}) do
        if not seen[command] then list[#list + 1], seen[command] = command, true end
      end
    end
  end
  return list
end

return rules
