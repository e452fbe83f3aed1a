--- Reads of the runtime as a whole, of applications, code, the logger and the command line.

return {
  {
    class = "SAFE", effect = "reads", cost = "asks every allocator; fine once a second",
    why = "reads how memory is used",
    functions = {
      erlang = "memory/0,1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "reads counters of the runtime",
    functions = {
      erlang = [[
        statistics/1 system_monitor/0 system_profile/0 is_alive/0 node/0,1 nodes/0,1,2 self/0 yield/0 pre_loaded/0
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant; allocators and dumps are dearer",
    why = "reads facts of the runtime",
    functions = {
      erlang = "system_info(system_item)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "tells how functions and tools of a process are traced",
    functions = {
      erlang = "trace_info/2 seq_trace_info/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one entry of a table",
    why = "tells what code is loaded, without loading any",
    functions = {
      erlang = [[
        function_exported/3 module_loaded/1 loaded/0 get_module_info/1,2 is_builtin/3 check_old_code/1
        has_prepared_code_on_load/1
      ]],
      code = [[
        all_loaded/0 is_loaded/1 get_path/0 lib_dir/0,1 priv_dir/1 root_dir/0 compiler_dir/0 get_mode/0 is_sticky/1
        objfile_extension/0 module_md5/1
      ]],
      init = "objfile_extension/0",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "reads the disk, by way of the code server",
    why = "tells where code comes from",
    functions = {
      code = "which/1 where_is_file/1 all_available/0 clash/0 module_status/0,1 modified_modules/0 get_object_code/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one table",
    why = "reads what an application is and how it is configured",
    functions = {
      application = [[
        loaded_applications/0 get_env/1,2,3 get_all_env/0,1 get_key/1,2 get_all_key/0,1 get_application/0,1
        start_type/0
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "a call to the application controller; waits while one starts",
    why = "tells which applications run",
    functions = {
      application = "which_applications/0,1 info/0",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one table",
    why = "reads how the logger is configured",
    functions = {
      logger = [[
        get_config/0 get_primary_config/0 get_handler_ids/0 get_handler_config/0,1 get_module_level/0,1
        get_proxy_config/0 get_process_metadata/0 compare_levels/2 timestamp/0 format_report/1
        format_otp_report/1 filter_stacktrace/2
      ]],
      error_logger = "get_format_depth/0 limit_term/1",
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "one persistent term for each module that is asked about",
    why = "tells whether a level is logged, and keeps the answer for good",
    functions = {
      logger = "allow/2",
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "one event for every handler",
    why = "writes a line to the node's log",
    functions = {
      logger = [[
        log/2 log(_,fun?,written) emergency/1 emergency(fun?,written) alert/1 alert(fun?,written) critical/1
        critical(fun?,written) error/1 error(fun?,written) warning/1 warning(fun?,written) notice/1
        notice(fun?,written) info/1 info(fun?,written) debug/1 debug(fun?,written)
      ]],
      error_logger = "error_msg/1,2 error_report/1,2 info_msg/1,2 info_report/1,2 warning_msg/1,2 warning_report/1,2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "small",
    why = "changes what is logged, or where to",
    functions = {
      logger = [[
        set_process_metadata/1 update_process_metadata/1 set_primary_config/1,2 update_primary_config/1
        set_handler_config/2,3 update_handler_config/2,3
        update_formatter_config/2,3 add_handler/3 remove_handler/1 add_handlers/1 add_primary_filter/2
        remove_primary_filter/1 add_handler_filter/3 remove_handler_filter/2 set_module_level/2
        unset_module_level/0,1 set_application_level/2 unset_application_level/1 set_proxy_config/1
        update_proxy_config/1 reconfigure/0
      ]],
      error_logger = "add_report_handler/1,2 delete_report_handler/1 logfile/1 tty/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "tells how and when the node was started",
    functions = {
      init = "get_status/0 script_id/0 script_name/0 get_plain_arguments/0",
      os = "type/0 version/0 getpid/0 find_executable/1,2",
    },
  },
  {
    class = "CAUTION", effect = "reads", cost = "small",
    why = "environment variables hold secrets, and may not be told from others",
    functions = {
      os = "getenv/0,1,2 env/0",
    },
  },
  {
    class = "CAUTION", effect = "reads", cost = "small",
    why = "the command line may hold the cookie and other secrets, and they may not be told from others",
    functions = {
      init = "get_arguments/0 get_argument/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "reads a file, or what is given as one",
    why = "makes atoms of what a file of code names, whoever made it up",
    functions = {
      beam_lib = "info/1 version/1 md5/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "small",
    why = "changes the environment or the signals of the node",
    functions = {
      os = "putenv/2 unsetenv/1 set_signal/2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one entry; get/0 lists all of them without copying",
    why = "reads persistent terms",
    functions = {
      persistent_term = "get/0,1,2 info/0",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "a collection of every process that holds the term",
    why = "changes what every process reads",
    functions = {
      persistent_term = "put/2 erase/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", since = 26, cost = "a collection of every process that holds the term",
    why = "changes what every process reads",
    functions = {
      persistent_term = "put_new/2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "small",
    why = "reads what the operating system counts, where os_mon runs",
    functions = {
      cpu_sup = "avg1/0 avg5/0 avg15/0 nprocs/0 util/0,1",
      memsup = "get_memory_data/0 get_system_memory_data/0 get_sysmem_high_watermark/0 get_check_interval/0",
      disksup = "get_disk_data/0 get_almost_full_threshold/0 get_check_interval/0",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "a snapshot of every carrier",
    why = "reads how allocators lay out memory",
    functions = {
      instrument = "allocations/0,1 carriers/0,1",
    },
  },
  {
    class = "SAFE", effect = "leased", cost = "waits",
    why = "makes only the process that asks wait",
    functions = {
      timer = "sleep(wait)",
    },
  },
}
