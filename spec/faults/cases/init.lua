--- The cases of the benchmark as data: what is planted, under names and numbers drawn by seed (spec/diagnosis/program),
--- its twin without the fault, and what a right diagnosis says. The analyst never sees this folder.

---@class Part
---@field name string          what it is, in the words for mechanisms or as a healthy look-alike
---@field truth? Truth[]        what is wrong; none for a look-alike
---@field accepts? string[]     verdicts that are right where nothing is wrong; healthy alone if left out
---@field draw? table<string, integer[]>   numbers, each with the least and the most
---@field twin? table<string, integer>     numbers that the twin has in their place; TWIN is defined there besides
---@field source string        Erlang with $names and $numbers; start/0 returns once it is planted
---@field settles? number      seconds that it needs until it shows, 1.5 if left out
---@field within? string[]      what the node is started by: a shell that sets a limit and then does exec "$@"
---@field args? string[]        more of the node's command line
---@field needs? string         what the machine has to allow, a word of spec/diagnosis/able.lua

local KINDS = { "overload", "memory", "limits", "cpu", "crashes", "stuck", "servers", "sockets", "nodes", "host",
  "left_behind", "logging", "healthy", "healthy_for_a_while", "healthy_at_work", "healthy_in_number" }

-- Two causes at once. Neither is the other's symptom.
local PAIRS = {
  { "slow_consumer", "ets_growth" },
  { "process_leak", "binary_refs_held" },
  { "unbounded_state", "restart_loop" },
  { "atom_leak", "monitor_leak" },
  { "process_suspended", "socket_leak" },
  { "dependency_error_storm", "ets_table_leak" },
  { "hot_process", "unhandled_messages" },
  { "hot_process", "process_leak" },
  { "regex_backtracking", "ets_table_leak" },
}

local cases, by_name = {}, {}

local function add(case)
  assert(not by_name[case.name], case.name)
  cases[#cases + 1], by_name[case.name] = case, case
end

for _, kind in ipairs(KINDS) do
  for _, part in ipairs(require("spec.faults.cases." .. kind)) do
    add { name = part.name, parts = { part }, sick = part.truth ~= nil, accepts = part.accepts, needs = part.needs }
  end
end
for _, pair in ipairs(PAIRS) do
  local one, other = by_name[pair[1]].parts[1], by_name[pair[2]].parts[1]
  add { name = ("%s+%s"):format(one.name, other.name), parts = { one, other }, sick = true }
end

return cases
