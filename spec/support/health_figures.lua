--- Figures of a node as `health` has them of a look: most of them out of their limits.

local LONG = ("Elixir.Shop.Very.Long.Name.Of.A.Worker"):rep(3)

return function()
  local function row(pid, kb, queue, name)
    return { pid = pid, memory_kb = kb, message_queue = queue, name = name, initial_call = LONG .. ":init/1",
      current_function = "gen_server:loop/7", status = "waiting" }
  end
  return {
    system = { otp_release = "27", elixir_version = "1.17.3", uptime_seconds = 93784 },
    memory = { total_mb = 2048.5, processes_mb = 1000.25, system_mb = 1048.25, binary_mb = 500, ets_mb = 400,
      code_mb = 100, atom_mb = 1.25 },
    machine = { used_pct = 41.26, total_mb = 16000, cgroup_limit_mb = 4096, cgroup_used_pct = 92.4 },
    processes = { process_count = 240000, process_limit = 262144, port_count = 13107, port_limit = 65536 },
    atoms = { atom_count = 1000000, atom_limit = 1048576 }, table_limit = 8192,
    ets = { table_count = 1, total_memory_mb = 400, largest_table_mb = 200.5 },
    schedulers = { schedulers_online = 8, run_queue = 30, run_queue_before = 0, seconds = 0.4, utilization_pct = 71.4,
      max_utilization_pct = 99.6, dirty_cpu_pct = 0, dirty_io_pct = 3.14 },
    top_by_memory = { processes = { row("<0.5.0>", 600000, 0, LONG), row("<0.12345.0>", 90, 0) } },
    top_by_mailbox = { processes = { row("<0.9.0>", 90, 1234567, "sink"), row("<0.5.0>", 600000, 0, LONG) } },
    oban = { available = 12, executing = 3, retryable = 0, scheduled = 5, discarded = 1, oldest_available_s = 75 },
  }
end
