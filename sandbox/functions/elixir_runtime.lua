--- Elixir's runtime: processes, nodes, applications, code, input and output.

local EXCEPTIONS = [[
  ArgumentError ArithmeticError BadArityError BadFunctionError BadMapError BadStructError CaseClauseError
  CondClauseError Enum.EmptyError Enum.OutOfBoundsError ErlangError FunctionClauseError KeyError MatchError
  Protocol.UndefinedError RuntimeError SystemLimitError TryClauseError UndefinedFunctionError WithClauseError
]]

local raising = {
  ["Elixir.Exception"] = [[
    exception?/1 format(_,known) format(_,known,stack) format_banner(_,known) format_banner(_,known,stack)
    format_exit(known) format_mfa(_,_,known) format_stacktrace/0 format_stacktrace(stack)
    format_stacktrace_entry(known) message(known) normalize/2 normalize(_,_,stack) ]],
  ["Elixir.Kernel.Utils"] = "raise(raised) destructure/2",
}
for name in EXCEPTIONS:gmatch "%S+" do raising["Elixir." .. name] = "exception/1" end

return {
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "makes or describes an exception of the evaluation",
    functions = raising,
  },
  {
    class = "SAFE", effect = "reads",
    cost = "a signal to the process, which answers when it is scheduled; state is copied",
    why = "reads a process from outside",
    functions = {
      ["Elixir.Process"] = "info/1 info(_,items)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant, or one pass over the table of processes",
    why = "finds processes",
    functions = {
      ["Elixir.Process"] = "alive?/1 list/0 registered/0 whereis/1 get/0,1,2 get_keys/0,1 group_leader/0 read_timer/1",
      ["Elixir.Port"] = "info/1,2 list/0",
      ["Elixir.GenServer"] = "whereis(process)",
    },
  },
  {
    class = "SAFE", effect = "leased", cost = "constant",
    why = "belongs to the process that asks, and goes with it",
    functions = {
      ["Elixir.Process"] = "put(own_key,_) delete/1 flag(own_flag,_) monitor(process) demonitor/1,2 sleep(wait)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "ends a process, or brings it down with another",
    functions = {
      ["Elixir.Process"] = "exit/2 link/1 unlink/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "a message may make a process do anything",
    functions = {
      ["Elixir.Process"] = "send/3 send_after/3,4 cancel_timer/1,2",
      ["Elixir.Kernel"] = "send/2",
      ["Elixir.Port"] = "close/1 command/2,3 connect/2 open/2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "that of what it runs",
    why = "starts work that lives on after the one who asked",
    functions = {
      ["Elixir.Process"] = "spawn/2,4 hibernate/3",
      ["Elixir.Kernel"] = "spawn/1,3 spawn_link/1,3 spawn_monitor/1,3",
      ["Elixir.Node"] = "spawn/2,3,4,5 spawn_link/2,4 spawn_monitor/2,4",
      ["Elixir.Task"] = "start/1,3 start_link/1,3 async/1,3 async_stream/2,3,4,5 shutdown/1,2",
      ["Elixir.Task.Supervisor"] = [[
        async/2,3,4,5 async_nolink/2,3,4,5 async_stream/3,4,5,6 async_stream_nolink/3,4,5,6 start_child/2,3,4,5
        terminate_child/2 start_link/0,1
      ]],
      ["Elixir.Agent"] = "start/1,2,3,4 start_link/1,2,3,4",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "changes under which name a process is found, or its flags",
    functions = {
      ["Elixir.Process"] = "register/2 unregister/1 group_leader/2 flag/3",
      ["Elixir.Registry"] = [[
        register/3 unregister/2 unregister_match/3,4 register_name/2 unregister_name/1 update_value/3 put_meta/3
        delete_meta/2 send/2 start_link/1,2,3
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one key, or a pass over the registry",
    why = "finds processes in a registry",
    functions = {
      ["Elixir.Registry"] = [[
        count/1 count_match/3,4 count_select/2 keys/2 lookup/2 match/3,4 meta/2 select/2 values/3 whereis_name/1
        dispatch(_,_,fun)
      ]],
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "that of the server",
    why = "runs a server's code with a message of any kind",
    functions = {
      ["Elixir.GenServer"] = "call/2,3 cast/2 abcast/2,3 multi_call/2,3,4 reply/2 stop/1,2,3 start/2,3 start_link/2,3",
      ["Elixir.Agent"] = "get/2,3,4,5 get_and_update/2,3,4,5 update/2,3,4,5 cast/2,4 stop/1,2,3",
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "a call to the supervisor; waits while it starts a child",
    why = "asks a supervisor for its children; a process that is none may end of the question",
    functions = {
      ["Elixir.Supervisor"] = "which_children(process) count_children(process)",
      ["Elixir.DynamicSupervisor"] = "which_children(process) count_children(process)",
      ["Elixir.PartitionSupervisor"] = "which_children(process) count_children(process) partitions(process)",
      ["Elixir.Task.Supervisor"] = "children(process)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "a call to the supervisor",
    why = "starts, stops or removes children",
    functions = {
      ["Elixir.Supervisor"] = [[
        delete_child/2 restart_child/2 start_child/2 terminate_child/2 start_link/2,3 stop/1,2,3
      ]],
      ["Elixir.DynamicSupervisor"] = "start_child/2 terminate_child/2 start_link/1,2,3 stop/1,2,3",
      ["Elixir.PartitionSupervisor"] = "start_link/1 stop/1,2,3",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "reads how the node stands in its cluster",
    functions = {
      ["Elixir.Node"] = "alive?/0 list/0,1 self/0",
    },
  },
  {
    class = "CAUTION", effect = "leased", cost = "waits for the other node; the connection stays",
    why = "connects to another node",
    functions = {
      ["Elixir.Node"] = "connect/1 ping/1 monitor/2,3",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "changes how the node stands in its cluster",
    functions = {
      ["Elixir.Node"] = "disconnect/1 set_cookie/1,2 start/1,2,3 stop/0",
    },
  },
  {
    class = "DANGEROUS", effect = "reads", cost = "constant",
    why = "the cookie is the key to the cluster",
    functions = {
      ["Elixir.Node"] = "get_cookie/0",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "reads facts of the runtime or a clock",
    functions = {
      ["Elixir.System"] = [[
        build_info/0 compiled_endianness/0 convert_time_unit/3 cwd/0 cwd!/0 endianness/0 find_executable/1
        monotonic_time/0,1 os_time/0,1 otp_release/0 pid/0 schedulers/0 schedulers_online/0 system_time/0,1
        time_offset/0,1 tmp_dir/0 unique_integer/0,1 user_home/0 version/0 argv/0
      ]],
    },
  },
  {
    class = "CAUTION", effect = "reads", cost = "small",
    why = "environment variables hold secrets, and may not be told from others",
    functions = {
      ["Elixir.System"] = "get_env/0,1,2 fetch_env/1 fetch_env!/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "runs a program of the operating system",
    functions = {
      ["Elixir.System"] = "cmd/2,3 shell/1,2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "the whole node",
    why = "stops or restarts the node, or changes its surroundings",
    functions = {
      ["Elixir.System"] = [[
        halt/0,1 stop/0,1 restart/0 put_env/1,2 delete_env/1 at_exit/1 trap_signal/2,3 untrap_signal/2 no_halt/1
        argv/1
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one table",
    why = "reads what an application is and how it is configured",
    functions = {
      ["Elixir.Application"] = [[
        app_dir/1,2 fetch_env/2 fetch_env!/2 format_error(known) get_all_env/1 get_application/1 get_env/2,3
        loaded_applications/0 spec/1,2
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "a call to the application controller; waits while one starts",
    why = "tells which applications run",
    functions = {
      ["Elixir.Application"] = "started_applications/0,1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "starts, stops or changes applications",
    functions = {
      ["Elixir.Application"] = [[
        delete_env/2,3 ensure_all_started/1 ensure_loaded/1 ensure_started/1,2 load/1 put_all_env/1,2 put_env/3,4
        start/1,2 stop/1 unload/1
      ]],
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "runs code that is made when it runs, or makes atoms of words",
    functions = {
      ["Elixir.Code"] = [[
        eval_file/1,2 eval_quoted/1,2,3 eval_string/1,2,3 eval_quoted_with_env/3 string_to_quoted/1,2
        string_to_quoted!/1,2 format_string!/1,2
      ]],
      ["Elixir.Module"] = "create/3 eval_quoted/2,3,4",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "the code server",
    why = "loads, replaces or removes code",
    functions = {
      ["Elixir.Code"] = [[
        compile_file/1,2 compile_quoted/1,2 compile_string/1,2 compiler_options/1 delete_path/1 append_path/1
        prepend_path/1 ensure_compiled/1 ensure_compiled!/1 ensure_loaded/1 ensure_loaded!/1 ensure_loaded?/1
        load_file/1,2 put_compiler_option/2 require_file/1,2
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "tells how code was loaded",
    functions = {
      ["Elixir.Code"] = "available_compiler_options/0 compiler_options/0 get_compiler_option/1 required_files/0",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "that of the term",
    why = "prints to the output of the one who asks",
    functions = {
      ["Elixir.IO"] = [[
        inspect/1 inspect(_,plain_options) inspect(own_device,_,plain_options) puts(text) puts(own_device,text)
        write(text) write(own_device,text) chardata_to_string(bytes_in) iodata_length/1 iodata_to_binary(bytes_in)
      ]],
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "waits for an answer",
    why = "reads from a device, or prints on the node's console",
    functions = {
      ["Elixir.IO"] = "binread/1,2 binwrite/1,2 getn/1,2,3 gets/1,2 read/1,2 stream/0,1,2 binstream/0,1,2 warn/1,2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "asks the file server and the disk",
    why = "tells what files there are, not what is in them",
    functions = {
      ["Elixir.File"] = [[
        cwd/0 cwd!/0 dir?/1,2 exists?/1,2 ls/0,1 ls!/0,1 lstat/1,2 lstat!/1,2 read_link/1 read_link!/1 regular?/1,2
        stat/1,2 stat!/1,2
      ]],
      ["Elixir.Path"] = "absname/1 expand/1,2 relative_to_cwd/1 wildcard/1,2",
    },
  },
  {
    class = "DANGEROUS", effect = "reads", cost = "as much as the file holds; a device or pipe never ends",
    why = "reads any file that the node may read, its secrets too",
    functions = {
      ["Elixir.File"] = "read/1 read!/1 stream!/1,2,3",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "writes to the disk",
    why = "changes files, or opens them to be changed",
    functions = {
      ["Elixir.File"] = [[
        cd/1 cd!/1,2 chgrp/2 chmod/2 chmod!/2 chown/2 close/1 copy/2,3 copy!/2,3 cp/2,3 cp!/2,3 cp_r/2,3 cp_r!/2,3
        ln/2 ln_s/2 mkdir/1 mkdir!/1 mkdir_p/1 mkdir_p!/1 open/1,2,3 open!/1,2,3 rename/2 rename!/2 rm/1 rm!/1
        rm_rf/1 rm_rf!/1 rmdir/1 rmdir!/1 touch/1,2 touch!/1,2 write/2,3 write!/2,3 write_stat/2,3
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one table",
    why = "reads how the logger is configured",
    functions = {
      ["Elixir.Logger"] = "compare_levels/2 enabled?/1 get_module_level/1 get_process_level/1 level/0 metadata/0",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "small",
    why = "changes what is logged, or where to",
    functions = {
      ["Elixir.Logger"] = [[
        add_backend/1,2 add_translator/1 configure/1 configure_backend/2 delete_all_module_levels/0
        delete_application_level/1 delete_module_level/1 disable/1 enable/1 flush/0 put_application_level/2
        put_module_level/2 remove_backend/1,2 remove_translator/1
      ]],
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "one event for every handler",
    why = "writes a line to the node's log",
    functions = {
      ["Elixir.Logger"] = "bare_log(_,fun?) bare_log(_,fun?,plain_options)",
    },
  },
}
