--- recon and its kin, where the node has them.

return {
  {
    class = "SAFE", effect = "reads", cost = "one item of every process",
    why = "finds the largest processes by one figure",
    functions = {
      recon = "proc_count(figure,_)",
      recon_lib = "proc_attrs(figure) proc_attrs(figure,_)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one item of every process, twice, and the time between",
    why = "finds the processes whose figure grows most",
    functions = {
      recon = "proc_window(figure,_,wait)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "a signal to the process",
    why = "reads a process from outside",
    functions = {
      recon = "info(process) info/3 info(process,process_part) info(_,_,_,process_part)",
    },
  },
  {
    class = "SAFE", effect = "reads", guard = "state",
    cost = "a call to the process, blocks up to 5 s; copies its state",
    why = "reads the state of a process",
    functions = {
      recon = "get_state(process) get_state(process,_)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "asks every port",
    why = "reads ports and sockets",
    functions = {
      recon = "inet_count/2 inet_window(_,_,wait) port_info/1,2 port_types/0 files/0 tcp/0 udp/0 sctp/0",
      recon_lib = "inet_attrs/1 port_list/1,2 term_to_port/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "the figures of the node, as often as it is asked for",
    why = "reads figures of the node",
    functions = {
      recon = "node_stats_list(count,wait) node_stats_print(count,wait) node_stats(count,wait,fun,_)",
      recon_lib = [[
        sample(wait,fun) count/1 sliding_window/2 sublist_top_n_attrs/2 sublist_attr/2 triple_to_pid/3
        term_to_pid(process)
        time_map(count,wait,fun,_,fun) time_fold(count,wait,fun,_,fun,_) scheduler_usage_diff/2
      ]],
    },
  },
  {
    class = "SAFE", effect = "leased", cost = "the schedulers measure their time while it waits",
    why = "reads how busy the schedulers are",
    functions = {
      recon = "scheduler_usage(wait)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "asks every allocator",
    why = "reads how allocators use memory",
    functions = {
      recon_alloc = [[
        memory/1,2 fragmentation/1 cache_hit_rates/0 average_block_sizes/1 sbcs_to_mbcs/1 allocators/0,1 snapshot/0
        snapshot_get/0 snapshot_print/0 snapshot_clear/0 set_unit/1
      ]],
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "a full collection of every process",
    why = "collects the garbage of every process",
    functions = {
      recon = "bin_leak/1",
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "a message for every traced call, up to a limit",
    why = "traces calls of functions",
    functions = {
      recon_trace = "calls(_,trace_limit) calls(_,trace_limit,_) clear/0",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "loads code on other nodes, or runs something there",
    functions = {
      recon = "remote_load/1,2 rpc/1,2,3 named_rpc/1,2,3",
      recon_alloc = "snapshot_load/1 snapshot_save/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "reads and decompiles a file",
    why = "shows the source of a module",
    functions = {
      recon = "source/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "small",
    why = "reads what queues and pools hold",
    functions = {
      ranch = "info/0,1 get_status/1 get_port/1 get_addr/1 get_max_connections/1 procs/2",
      telemetry = "list_handlers/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "takes a worker out of a pool, or puts one back",
    functions = {
      poolboy = "checkout/1,2,3 checkin/2 transaction/2,3 stop/1",
      ranch = "suspend_listener/1 resume_listener/1 stop_listener/1 set_max_connections/2",
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "a call to the pool",
    why = "asks a pool how it stands; a process that is none may end of the question",
    functions = {
      hackney_pool = "get_stats/1 count/1",
      poolboy = "status/1",
      ["Elixir.DBConnection"] = "get_connection_metrics/1,2",
    },
  },
}
