--- Who calls one function, and when: a trace of a few calls, on demand. It is the one sensor that slows what it
--- looks at, so it wants leave, an exact function, and never one that every process runs.

-- What every process runs, by module: `true` is all of it, a list names functions, `but` all but these. In an
-- Elixir module as in an Erlang one, names without "Elixir.".
local function names(text)
  local set = {}
  for name in text:gmatch "%S+" do set[name] = true end
  return set
end

local function but(text) return { but = names(text) } end

local STARTS = "start start_link start_monitor stop init_it enter_loop"

local HOT = {
  -- Erlang
  gen = but "start init_it init_it2",
  gen_server = but(STARTS .. " multi_call abcast"),
  gen_statem = but(STARTS),
  gen_fsm = but(STARTS),
  gen_event = but(STARTS .. " add_handler add_sup_handler delete_handler swap_handler"),
  proc_lib = but "spawn spawn_link spawn_opt spawn_monitor start start_link start_monitor stop crash_report",
  ets = but "new delete_all_objects tab2list tab2file file2tab rename give_away setopts init_table from_dets to_dets",
  init = names "loop",
  timer = names "sleep tc now_diff seconds minutes hours hms",
  application = names "get_env get_application get_key",
  os = names "timestamp system_time perf_counter getenv",
  code = names "ensure_loaded is_loaded which get_mode",
  global = names "whereis_name send",
  pg = names "get_members",
  rpc = names "call cast",
  sys = names "handle_debug get_debug debug_options",
  persistent_term = names "get",
  inet = names "getopts setopts",
  gen_tcp = names "send recv",
  gen_udp = names "send recv",
  ssl = names "send recv",
  file = names "read write",
  io = names "request put_chars format fwrite",
  telemetry = names "execute span",
  -- Elixir
  ["Application"] = names "get_env fetch_env fetch_env! get_all_env",
  ["System"] = names "monotonic_time system_time os_time convert_time_unit get_env unique_integer",
  ["GenServer"] = but "start start_link stop multi_call abcast",
  ["GenStage"] = names "call cast reply",
  ["Agent"] = but "start start_link stop",
  ["Task"] = names "await await_many yield async",
  ["Process"] = but "register unregister exit flag hibernate spawn put_label",
  ["Registry"] = but "start_link register",
  ["Supervisor"] = names "call",
  ["DynamicSupervisor"] = names "call",
}

-- Modules of nothing else.
for name in pairs(names [[
  erlang erts_internal erl_eval eval_bits erl_scan erl_bits erpc error_handler prim_inet prim_socket prim_file
  prim_eval prim_buffer socket inet_db erl_distribution atomics counters lists maps proplists dict orddict gb_trees
  gb_sets sets ordsets queue array string binary unicode math rand re base64 io_lib io_lib_format io_lib_pretty calendar
  logger logger_backend logger_server logger_filters logger_formatter logger_config logger_h_common logger_olp
  logger_std_h logger_simple_h error_logger erts_code_purger code_server erl_prim_loader
  Kernel Enum Stream Map MapSet Keyword List String Access Tuple Integer Float Range Atom Regex Enumerable Collectable
  String.Chars List.Chars Inspect Inspect.Algebra Enumerable.List Enumerable.Map Enumerable.MapSet Enumerable.Range
  Enumerable.Function Collectable.List Collectable.Map Collectable.MapSet IO Date Time DateTime NaiveDateTime
  Calendar.ISO Logger Logger.Backends.Internal Logger.Formatter Logger.Utils Base Bitwise URI Macro
]]) do
  HOT[name] = true
end

local function is_hot(module, func)
  local rule = HOT[(module:gsub("^Elixir%.", ""))]
  if rule == true or rule == nil then return rule end
  if rule.but then return not rule.but[func] end
  return rule[func] == true
end

local MOST, SECONDS, PER_SECOND = 50, 60, 5
local OFF = "no trace is on; trace_start(module, func, arity) starts one"

--- What the trace saw, as trace_get says it. Nothing where none was started.
local function seen(node, least)
  local heard = node.events.of("trace", 5, least)
  if heard.unavailable then return nil, heard end
  local result = { on = heard.ended == nil, ended = heard.ended, listened_seconds = heard.listened_seconds,
    dropped = heard.dropped, calls = {} }
  for _, event in ipairs(heard.events) do
    result.tracing = event.call
    if event.type == "armed" then result.processes = event.processes end
    if event.type == "call" then
      result.calls[#result.calls + 1] = { datetime = event.datetime, pid = event.pid, call = event.call }
    end
  end
  result.total, result.showing = #result.calls + heard.dropped, #result.calls
  return result
end

local SEEN = { "on", "ended (why, where it is off)", "tracing (the function)", "processes (that it watches)",
  "listened_seconds", "dropped", "total", "showing", "calls[]: datetime, pid, call" }

---@type Skill
return {
  name = "tracer",
  title = "Call tracer",
  about = "Who calls one named function and when: a bounded trace, on demand and with leave only.",

  prompt = [=[
You trace calls of one function on one BEAM node, when nothing else can tell who does something.
A trace slows the function it looks at, so ask the other skills first, and trace the rarest function that answers the
question. Name module, function and arity exactly; functions that every process runs are refused.
It sees five calls a second at most and 50 in all, a sample and no count: from its number conclude nothing about rates.
Arguments are never seen. Start, wait a few seconds, get, and stop as soon as you know.]=],

  uses = { "events" },
  relays = { "trace" },

  snapshot = function(node)
    local now = seen(node)
    return { tracing = now ~= nil and now.on, calls = now and now.showing or 0 }
  end,

  queries = {
    -- What there is of this name, without running any code of its module.
    known = [=[
  case [X || L <- ["Elixir." ++ binary_to_list(Module), binary_to_list(Module)],
             X <- [catch list_to_existing_atom(L)], is_atom(X), erlang:module_loaded(X)] of
    [] -> #{loaded => false};
    [M | _] ->
      F = case catch binary_to_existing_atom(Func) of N when is_atom(N) -> N; _ -> [] end,
      #{loaded => true, has => lists:member({F, Arity}, erlang:get_module_info(M, functions)),
        arities => [[A] || {X, A} <- erlang:get_module_info(M, functions), X =:= F]} end.]=],
  },

  callbacks = {
    trace_start = {
      doc = ("Traces calls of one loaded function, exported or not, by all processes: %d a second at most, %d in all, "
        .. "%d seconds; ends by itself. Only who called and when is kept."):format(PER_SECOND, MOST, SECONDS),
      args = { { name = "module", type = "string" }, { name = "func", type = "string" },
        { name = "arity", type = "integer", min = 0, max = 255 } },
      class = "CAUTION",
      cost = "sets a flag on every process once (the node stands still for about 0.25 us for each); a breakpoint in "
        .. "one function until its next call, five times a second",
      returns = { "tracing", "processes (that it watches; not who is traced by somebody else)", "seconds", "calls",
        "per_second" },
      run = function(node, args)
        local module, func = args.module:gsub("^Elixir%.", ""), args.func
        for _, name in ipairs { module, func } do
          if name == "_" or name == "*" or name == "" then return nil, "no wildcards: name one function exactly" end
        end
        local name = ("%s:%s/%d"):format(module, func, args.arity)
        if is_hot(module, func) then
          return nil, name .. " is run by every process or nearly so, and tracing it would slow all of them; trace the "
            .. "function of your application that leads there"
        end
        local known, err = node.ask("known", { module = module, func = func, arity = args.arity })
        if not known then return nil, err end
        if not known.loaded then return nil, ("no module %s is loaded, so nobody calls it"):format(module) end
        if not known.has then
          local others = {}
          for i, one in ipairs(known.arities) do others[i] = tostring(one[1]) end
          return nil, #others == 0 and ("%s has no function %s; the compiler may have inlined it"):format(module, func)
            or ("%s:%s has no arity %d, only %s"):format(module, func, args.arity, table.concat(others, ", "))
        end
        local started, why = node.events.start("trace", { Module = module, Func = func, Arity = args.arity, Most = MOST,
          Seconds = SECONDS })
        if not started then
          if type(why) == "table" then return why end
          return nil, "a trace is on already; see trace_get(), and trace_stop() before the next"
        end
        local now = seen(node, 0.1)
        return { tracing = name, processes = now and now.processes, seconds = SECONDS, calls = MOST,
          per_second = PER_SECOND }
      end,
    },

    trace_get = {
      doc = "The calls that the trace saw so far, oldest first; also after it ended.",
      class = "CAUTION",
      cost = "nothing: what came is kept here",
      returns = SEEN,
      run = function(node)
        local now = seen(node)
        return now or { unavailable = OFF }
      end,
    },

    trace_stop = {
      doc = "Ends the trace and says what it saw. The node is as it was before.",
      class = "CAUTION",
      cost = "takes out the breakpoint",
      returns = SEEN,
      run = function(node)
        node.events.stop "trace"
        local now = seen(node)
        return now or { unavailable = OFF }
      end,
    },
  },
}
