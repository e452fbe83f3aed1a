--- Processes, the servers that they are, and how they are found.

return {
  {
    class = "SAFE", effect = "reads", cost = "one pass over the table of processes",
    why = "lists processes or ports",
    functions = {
      erlang = "processes/0 ports/0 registered/0",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "finds a process",
    functions = {
      erlang = "whereis/1 is_process_alive/1",
    },
  },
  {
    class = "SAFE", effect = "reads",
    cost = "a signal to the process, which answers when it is scheduled; state is copied",
    why = "reads a process from outside",
    functions = {
      erlang = "process_info/1 process_info(_,items)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "reads a port",
    functions = {
      erlang = "port_info/1,2 port_get_data/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "reads the dictionary of the process that asks",
    functions = {
      erlang = "get/0,1 get_keys/0,1 group_leader/0 read_timer/1,2",
    },
  },
  {
    class = "SAFE", effect = "leased", cost = "constant",
    why = "belongs to the process that asks, and goes with it",
    functions = {
      erlang = [[
        put(own_key,_) erase/0,1 garbage_collect/0 process_flag(own_flag,_) monitor(_,process) monitor(_,process,_)
        demonitor/1,2 alias/0,1 unalias/1
      ]],
      logger = "unset_process_metadata/0",
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "a full collection of that process, on its time",
    why = "collects the garbage of another process",
    functions = {
      erlang = "garbage_collect/1,2",
    },
  },
  {
    class = "SAFE", effect = "reads", guard = "state",
    cost = "a call to the process, blocks up to 5 s; copies its state",
    why = "reads the state of a process",
    functions = {
      sys = "get_state(process) get_state(process,_) get_status(process) get_status(process,_)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "a call to the process, blocks up to 5 s",
    why = "reads what a process records of itself",
    functions = {
      sys = "statistics(process,get) statistics(process,get,_) log(process,get) log(process,get,_)",
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "a line for every event of the process",
    why = "switches tracing of a process on or off, which prints on the console",
    functions = {
      sys = "trace/2,3 no_debug/1,2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "a call to the process",
    why = "changes or stops a process by its debug interface",
    functions = {
      sys = [[
        replace_state/2,3 suspend/1,2 resume/1,2 terminate/2,3 change_code/4,5 install/2,3 remove/2,3
        log_to_file/2,3
      ]],
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "a call to the supervisor; waits while it starts a child",
    why = "asks a supervisor for its children; a process that is none may end of the question",
    functions = {
      supervisor = "which_children(process) count_children(process) get_childspec(process,_)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "a call to the supervisor",
    why = "starts, stops or removes children",
    functions = {
      supervisor = "terminate_child/2 delete_child/2 restart_child/2 start_child/2 start_link/2,3",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "that of the server",
    why = "runs a server's code with a message of any kind",
    functions = {
      gen_server = [[
        call/2,3 cast/2 abcast/2,3 multi_call/2,3,4 reply/2 send_request/2 stop/1,3 start/3,4 start_link/3,4
        enter_loop/3,4,5
      ]],
      gen_statem = "call/2,3 cast/2 reply/1,2 send_request/2 stop/1,3 start/3,4 start_link/3,4",
      gen_event = [[
        call/3,4 notify/2 sync_notify/2 add_handler/3 add_sup_handler/3 delete_handler/3 swap_handler/3 stop/1,3
        send_request/3
      ]],
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "a call to the event manager",
    why = "asks an event manager for its handlers; a process that is none may end of the question",
    functions = {
      gen_event = "which_handlers(process)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "ends a process, or brings it down with another",
    functions = {
      erlang = "exit/2 exit_signal/2 link/1 unlink/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "stops a process, or lets one go on that was stopped",
    functions = {
      erlang = "suspend_process/1,2 resume_process/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "a message may make a process do anything",
    functions = {
      erlang = [[
        send/2,3 send_nosuspend/2,3 send_after/3,4 start_timer/3,4 !/2 port_command/2,3 port_control/3 port_call/2,3
        port_connect/2 port_close/1 port_set_data/2
      ]],
      timer = [[
        apply_after/4 apply_interval/4 send_after/2,3 send_interval/2,3 exit_after/2,3 kill_after/1,2 start/0
        cancel/1
      ]],
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "cancels a timer, of others too",
    functions = {
      erlang = "cancel_timer/1,2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "that of what it runs",
    why = "starts work that lives on after the one who asked",
    functions = {
      erlang = [[
        spawn/1,2,3,4 spawn_link/1,2,3,4 spawn_monitor/1,2,3,4 spawn_opt/2,3,4,5 spawn_request/1,2,3,4,5
        spawn_request_abandon/1 hibernate/3
      ]],
      proc_lib = [[
        spawn/1,2,3,4 spawn_link/1,2,3,4 spawn_opt/2,3,4,5 start/3,4,5 start_link/3,4,5 start_monitor/3,4,5
        hibernate/3 init_ack/1,2 stop/1,3
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "a signal to the process",
    why = "tells what a process was started with",
    functions = {
      proc_lib = "initial_call/1 translate_initial_call/1",
    },
  },
  {
    class = "SAFE", effect = "reads", since = 27, cost = "a signal to the process",
    why = "tells the label of a process",
    functions = {
      proc_lib = "get_label/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "changes under which name a process is found",
    functions = {
      erlang = "register/2 unregister/1 group_leader/2",
      global = [[
        register_name/2,3 re_register_name/2,3 unregister_name/1 set_lock/1,2,3 del_lock/1,2 trans/2,3,4 send/2
        sync/0 disconnect/0
      ]],
      pg = "join/2,3 leave/2,3 start/1 start_link/0,1 monitor/1,2 monitor_scope/0,1 demonitor/1,2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one table",
    why = "finds processes by name or group",
    functions = {
      global = "registered_names/0 whereis_name/1",
      pg = "which_groups/0,1 get_members/1,2 get_local_members/1,2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "sets the flags of another process",
    functions = {
      erlang = "process_flag/3",
    },
  },
}
