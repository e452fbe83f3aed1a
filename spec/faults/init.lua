--- The gallery: what is planted in a node, and what a right diagnosis says of it. The programs
--- beside this file bear names that tell nothing, and the analyst never sees this file.

---@class Planted
---@field case string         what it is, in the words for mechanisms or as a healthy look-alike
---@field program? string     the module that plants it; none for a node left alone
---@field verdict "sick"|"healthy"
---@field object? string      the root cause has to name it
---@field mechanism? string
---@field skills? string      that look, where they are not beam and ets
---@field alone? boolean      it takes the CPU, so nothing else runs on this machine meanwhile

local ALL = "beam,ets,gc,logger,exception,ports,sup,system,overload,vm_events,allocator"

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
  { case = "string_building", program = "sedge", verdict = "sick", object = "rush", mechanism = "string_building",
    alone = true },
  { case = "schedulers_limited", program = "bramble", verdict = "sick", object = "schedulers_online",
    mechanism = "schedulers_limited", alone = true },
  { case = "dirty_cpu_exhausted", program = "plover", verdict = "sick", object = "plover:wade/1",
    mechanism = "dirty_cpu_exhausted" },
  { case = "serialising_process", program = "strait", verdict = "sick", object = "ferry",
    mechanism = "serialising_process", alone = true },
  { case = "process_suspended", program = "hollow", verdict = "sick", object = "badger",
    mechanism = "process_suspended" },

  { case = "monitor_leak", program = "heather", verdict = "sick", object = "moor", mechanism = "monitor_leak" },
  { case = "process_dictionary_growth", program = "beacon", verdict = "sick", object = "lamp",
    mechanism = "process_dictionary_growth" },
  { case = "module_leak", program = "spruce", verdict = "sick", object = "needle_#", mechanism = "module_leak" },
  { case = "persistent_term_churn", program = "basalt", verdict = "sick", object = "persistent_term",
    mechanism = "persistent_term_churn", alone = true },
  { case = "tracing_left_on", program = "lantern", verdict = "sick", object = "glow", mechanism = "tracing_left_on" },

  { case = "restart_loop", program = "reef", verdict = "sick", object = "atoll", mechanism = "restart_loop",
    skills = ALL },
  { case = "allocator_fragmentation", program = "gravel", verdict = "sick", object = "binary_alloc",
    mechanism = "allocator_fragmentation", skills = ALL },
  { case = "log_storm", program = "raven", verdict = "sick", object = "raven", mechanism = "log_storm", skills = ALL },
  { case = "dependency_error_storm", program = "jackal", verdict = "sick", object = "jackal:hunt/1",
    mechanism = "dependency_error_storm", skills = ALL },
  { case = "heap_limit_kills", program = "otter", verdict = "sick", object = "max_heap_size",
    mechanism = "heap_limit_kills", skills = ALL },
  { case = "slow_reader", program = "kelp", verdict = "sick", object = "anemone", mechanism = "slow_reader",
    skills = ALL },
  { case = "socket_leak", program = "willow", verdict = "sick", object = "catkin", mechanism = "socket_leak",
    skills = ALL },
  { case = "busy_dist_port", program = "isthmus", verdict = "sick", object = "strand@127.0.0.1",
    mechanism = "busy_dist_port", skills = ALL },
  { case = "call_deadlock", program = "twins", verdict = "sick", object = "castor and pollux",
    mechanism = "call_deadlock", skills = ALL },

  { case = "large_stable_ets", program = "summit", verdict = "healthy", skills = ALL },
  { case = "many_processes_by_design", program = "prairie", verdict = "healthy", skills = ALL },
  { case = "high_flat_atoms", program = "glacier", verdict = "healthy", skills = ALL },
  { case = "bursty_mailbox", program = "geyser", verdict = "healthy", skills = ALL },
  { case = "large_state_by_design", program = "mesa", verdict = "healthy", skills = ALL },
  { case = "large_static_binary", program = "cavern", verdict = "healthy", skills = ALL },
  { case = "many short-lived processes", program = "drizzle", verdict = "healthy", skills = ALL },
  { case = "children that come and go", program = "marsh", verdict = "healthy", skills = ALL },
  { case = "optional child, and one crash", program = "island", verdict = "healthy", skills = ALL },
  { case = "memory_returned", program = "shoal", verdict = "healthy", skills = ALL },
  { case = "a burst of log lines", program = "wren", verdict = "healthy", skills = ALL },
  { case = "a log line for each request", program = "thrush", verdict = "healthy", skills = ALL },
  { case = "a few crashes at once", program = "heron", verdict = "healthy", skills = ALL },
  { case = "a busy socket", program = "dune", verdict = "healthy", skills = ALL, alone = true },
  { case = "full_pool", program = "poplar", verdict = "healthy", skills = ALL },
  { case = "many monitors by design", program = "clover", verdict = "healthy", skills = ALL },
  { case = "idle, looked at by all", verdict = "healthy", skills = ALL },
  { case = "idle", verdict = "healthy" },
}
