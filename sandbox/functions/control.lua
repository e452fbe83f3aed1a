--- What steers the node, its code, its tracing and its applications. Named here so that a refusal says
--- what would have happened; whatever else there is of the kind is refused as not known.

return {
  {
    class = "DANGEROUS", effect = "changes", cost = "the whole node",
    why = "stops or restarts the node",
    functions = {
      erlang = "halt/0,1,2",
      init = "stop/0,1 restart/0,1 reboot/0 boot/1",
      heart = "set_cmd/1 clear_cmd/0 set_callback/2 set_options/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "the code server",
    why = "loads, replaces or removes code",
    functions = {
      erlang = [[
        load_module/2 delete_module/1 purge_module/1 check_process_code/2,3 load_nif/2 prepare_loading/2
        finish_loading/1 call_on_load_function/1
      ]],
      code = [[
        load_file/1 load_abs/1,2 load_binary/3 ensure_loaded/1 ensure_modules_loaded/1 atomic_load/1 purge/1
        soft_purge/1 delete/1 add_path/1 add_patha/1 add_pathz/1 add_paths/1 add_pathsa/1 add_pathsz/1 del_path/1
        replace_path/2 set_path/1 stick_mod/1 unstick_mod/1 stick_dir/1 unstick_dir/1 rehash/0 stop/0
      ]],
      c = "c/1,2,3 l/1 lm/0 nc/1,2 nl/1 erlangrc/1",
      compile = "file/1,2 forms/1,2 noenv_forms/2 noenv_file/2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "runs code that is made when it runs",
    functions = {
      erl_eval = "expr/2,3,4,5 exprs/2,3,4 expr_list/2,3,4",
      elixir = "eval_forms/3 eval_quoted/3 quoted_to_erl/2",
      qlc = "e/1,2 eval/1,2 q/1,2 cursor/1,2 fold/3,4",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "a message for every event, without a bound",
    why = "traces, and takes over whatever traces already",
    functions = {
      erlang = [[
        trace/3 trace_pattern/2,3 trace_delivered/1 system_monitor/1,2 system_profile/2 seq_trace/2
        seq_trace_print/1,2
      ]],
      dbg = [[
        tracer/0,2 p/1,2 c/3,4 tp/2,3,4 tpl/2,3,4 ctp/0,1,2,3 ctpl/0,1,2,3 ctpg/0,1,2,3 tpe/2 n/1 cn/1 stop/0
        stop_clear/0 get_tracer/0,1 trace_client/2,3 trace_port/2 trace_port_control/1,2 flush_trace_port/0,1
      ]],
      seq_trace = "set_token/1,2 set_system_tracer/1 reset_trace/0 print/1,2",
      eprof = "start/0 profile/1,2,3,4,5,6 start_profiling/1,2,3 stop/0",
      fprof = "start/0 apply/2,3,4 trace/1,2 profile/0,1,2 stop/0,1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", since = 27, cost = "unknown",
    why = "traces, and takes over whatever traces already",
    functions = {
      trace = "session_create/3 session_destroy/1 process/4 port/4 send/3 recv/3",
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "that of the flag",
    why = "sets a flag of the whole runtime",
    functions = {
      erlang = "system_flag(system_flag,_)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "spends the time of the scheduler",
    functions = {
      erlang = "bump_reductions/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "prints on the node's console",
    functions = {
      erlang = "display/1 display_string/1 display_nl/0 process_display/2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "starts, stops or changes applications",
    functions = {
      application = [[
        start/1,2 stop/1 ensure_started/1,2 ensure_all_started/1,2 load/1,2 unload/1 set_env/1,2,3,4 unset_env/2,3
        permit/2 takeover/2 start_boot/1,2
      ]],
      inets = "start/0,1,2,3 stop/0,2",
      release_handler = "install_release/1,2 remove_release/1 make_permanent/1 unpack_release/1 reboot_old_release/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "drives a debugger or a console of the node",
    functions = {
      erts_debug = "breakpoint/2 set_internal_state/2 get_internal_state/1 df/1,2,3 instructions/0",
      erl_ddll = "load/2 load_driver/2 unload/1 unload_driver/1 reload/2 reload_driver/2 try_load/3 try_unload/2",
      shell = "start/0,1,2 server/1,2 whereis_evaluator/0,1 history/1 results/1 catch_exception/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "lists drivers in machine code",
    functions = {
      erl_ddll = "info/0,1,2 loaded_drivers/0",
    },
  },
}
