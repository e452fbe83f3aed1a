--- The gallery: what is planted in a node, and what a right diagnosis says of it. The programs
--- beside this file bear names that tell nothing, and the analyst never sees this file.

---@class Planted
---@field case string         what it is, in the words for mechanisms or as a healthy look-alike
---@field program? string     the module that plants it; none for a node left alone
---@field verdict "sick"|"healthy"
---@field object? string      the root cause has to name it
---@field mechanism? string
---@field alone? boolean      it takes the CPU, so nothing else runs on this machine meanwhile

---@type Planted[]
return {
  { case = "slow_consumer", program = "harbor", verdict = "sick", object = "pier", mechanism = "slow_consumer" },
  { case = "selective_receive_scan", program = "maple", verdict = "sick", object = "birch",
    mechanism = "selective_receive_scan", alone = true },
  { case = "unhandled_messages", program = "copper", verdict = "sick", object = "nickel",
    mechanism = "unhandled_messages" },
  { case = "process_leak", program = "meadow", verdict = "sick", object = "meadow:stem/0", mechanism = "process_leak" },
  { case = "unbounded_state", program = "quarry", verdict = "sick", object = "granite", mechanism = "unbounded_state" },
  { case = "ets_growth", program = "orchard", verdict = "sick", object = "plum", mechanism = "ets_growth" },
  { case = "ets_table_leak", program = "lagoon", verdict = "sick", object = "reed", mechanism = "ets_table_leak" },
  { case = "atom_leak", program = "tundra", verdict = "sick", object = "atom_table (made by lichen)",
    mechanism = "atom_leak" },
  { case = "binary_refs_held", program = "canyon", verdict = "sick", object = "canyon:echo/0",
    mechanism = "binary_refs_held" },
  { case = "hot_process", program = "ember", verdict = "sick", object = "flint", mechanism = "hot_process",
    alone = true },
  { case = "cpu_saturation", program = "delta", verdict = "sick", object = "delta:flow/1",
    mechanism = "cpu_saturation", alone = true },
  { case = "priority_inversion", program = "thicket", verdict = "sick", object = "thicket:crest/1",
    mechanism = "priority_inversion", alone = true },
  { case = "serialising_process", program = "strait", verdict = "sick", object = "ferry",
    mechanism = "serialising_process", alone = true },
  { case = "process_suspended", program = "hollow", verdict = "sick", object = "badger",
    mechanism = "process_suspended" },

  { case = "large_stable_ets", program = "summit", verdict = "healthy" },
  { case = "many_processes_by_design", program = "prairie", verdict = "healthy" },
  { case = "high_flat_atoms", program = "glacier", verdict = "healthy" },
  { case = "bursty_mailbox", program = "geyser", verdict = "healthy" },
  { case = "large_state_by_design", program = "mesa", verdict = "healthy" },
  { case = "large_static_binary", program = "cavern", verdict = "healthy" },
  { case = "many short-lived processes", program = "drizzle", verdict = "healthy" },
  { case = "idle", verdict = "healthy" },
}
