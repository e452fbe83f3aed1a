-- A bounded trace on a live node. Who calls is known here, and what is set on the node it says itself.
local async = require "runtime.async"
local live = require "spec.support.live_node"
local node = require "runtime.node.init"
local skill = require "runtime.skill"

local tracer = assert(skill.open "tracer")

-- `pace` is not exported, `busy` calls it flat out, `slow` every 20 ms.
local PROBE = [=[
  Forms = [element(2, erl_parse:parse_form(element(2, erl_scan:string(L)))) || L <- [
    "-module(probe).", "-export([busy/1, slow/1, idle/0]).",
    "busy(N) -> pace(N), busy(N + 1).",
    "slow(N) -> pace(N), receive after 20 -> slow(N + 1) end.",
    "idle() -> receive stop -> ok end.",
    "pace(N) -> counters:add(persistent_term:get(paced), 1, N rem 2)."]],
  persistent_term:put(paced, counters:new(1, [])),
  {ok, M, Code} = compile:forms(Forms, [no_auto_import, {inline, []}]),
  {module, M} = code:load_binary(M, "probe.erl", Code), true.]=]

-- All that the relay may have changed, as the node says it.
local STATE = [=[
  Text = fun(X) -> unicode:characters_to_binary(io_lib:format("~0p", [X])) end,
  [Text(X) || X <- [erlang:trace_info({probe, pace, 1}, all), erlang:trace_info(new_processes, flags),
    erlang:trace_info(whereis(worker), flags), erlang:trace_info(whereis(worker), tracer),
    erlang:system_info(trace_control_word)]].]=]

local BEFORE = { "{all,false}", "{flags,[]}", "{flags,[]}", "{tracer,[]}", "0" }

local PATIENCE_S = 20

local HEADS = [[erlang:send/2 erlang:spawn/3 lists:map/2 maps:get/2 gen:call/4 gen_server:call/2 gen_server:cast/2
  gen_server:loop/7 gen_server:reply/2 gen_statem:call/2 gen_event:notify/2 proc_lib:init_p/5 ets:lookup/2 ets:insert/2
  ets:delete/2 ets:member/2 ets:select/2 ets:update_counter/3 logger:log/4 logger:allow/2 logger_backend:log_allowed/2
  timer:sleep/1 application:get_env/2 persistent_term:get/1 io_lib:format/2 unicode:characters_to_binary/1
  prim_inet:send/3 gen_tcp:send/2 erl_eval:expr/5 counters:add/3 Elixir.GenServer:call/3 GenServer:cast/2 Enum:map/2
  Process:send/3 Registry:lookup/2 Logger:__should_log__/2 Elixir.String.Chars:to_string/1 telemetry:execute/3]]

describe("tracer skill", function()
  local at, callback, eval, events

  setup(function()
    at = live.start()
    eval, callback, events = at.eval, skill.functions(tracer, at.node), at.node.uses.events(tracer)
    live.test(function() eval(PROBE) end)()
  end)

  local function begin(func)
    eval("register(worker, spawn(probe, binary_to_atom(F), [0])).", { F = func or "slow" })
  end

  local function as_before()
    local deadline = async.now() + PATIENCE_S
    local state = eval(STATE)
    while table.concat(state) ~= table.concat(BEFORE) and async.now() < deadline do
      async.sleep(0.02)
      state = eval(STATE)
    end
    return state
  end

  -- What the trace says once it satisfies.
  local function once(satisfied)
    local deadline = async.now() + PATIENCE_S
    local seen = callback.trace_get()
    while not satisfied(seen) and async.now() < deadline do
      async.sleep(0.02)
      seen = callback.trace_get()
    end
    return seen
  end

  local function calls(n) return function(seen) return seen.showing >= n end end
  local function ended(seen) return not seen.on end
  local function tracing() return eval(STATE)[4] ~= "{tracer,[]}" end

  after_each(live.test(function()
    events.stop "trace"
    eval [[
      case whereis(worker) of
        undefined -> ok;
        P -> M = monitor(process, P), exit(P, kill), receive {'DOWN', M, _, _, _} -> ok end end.]]
  end))

  teardown(function() live.stop_all() end)

  it("has nothing to tell where no trace was started", live.test(function()
    assert.same({ tracing = false, calls = 0 }, skill.snapshot(tracer, at.node))
    assert.matches("trace_start", callback.trace_get().unavailable)
    assert.matches("trace_start", callback.trace_stop().unavailable)
  end))

  it("tells who called a function, and by the node's clock when", live.test(function()
    begin()
    local low = eval "erlang:system_time(millisecond)."
    local started = callback.trace_start("probe", "pace", 1)
    local seen = once(calls(2))
    local pid = eval "list_to_binary(pid_to_list(whereis(worker)))."
    assert.equal("probe:pace/1", started.tracing)
    assert.same({ pid, pid, "probe:pace/1" }, { seen.calls[1].pid, seen.calls[2].pid, seen.calls[1].call })
    local first = os.date("!%Y-%m-%dT%H:%M:%S", math.floor(low / 1000))
    assert.is_true(first <= seen.calls[1].datetime and seen.calls[1].datetime < seen.calls[2].datetime)
    assert.same({ tracing = true, calls = seen.showing }, skill.snapshot(tracer, at.node))
  end))

  it("keeps of a call nothing but who, what and when", live.test(function()
    begin()
    callback.trace_start("probe", "pace", 1)
    once(calls(1))
    local fields = {}
    for key in pairs(events.of("trace", 5).events[2]) do fields[#fields + 1] = key end
    table.sort(fields)
    assert.same({ "age", "arity", "call", "datetime", "pid", "type" }, fields)
  end))

  it("sees processes that start later", live.test(function()
    callback.trace_start("probe", "pace", 1)
    begin()
    local seen = once(calls(1))
    assert.equal(eval "list_to_binary(pid_to_list(whereis(worker))).", seen.calls[1].pid)
  end))

  it("lets five a second through of callers who call flat out", live.test(function()
    eval "register(worker, spawn(fun() -> [spawn_link(probe, busy, [0]) || _ <- lists:seq(1, 20)], probe:idle() end))."
    callback.trace_start("probe", "pace", 1)
    local seen = once(calls(8))
    assert.is_true(seen.showing <= 5 * seen.listened_seconds + 2)
    assert.equal(0, seen.dropped)
    assert.is_true(eval "counters:get(persistent_term:get(paced), 1)." > 1000 * seen.showing)
  end))

  it("ends by itself when it has seen what it may, and the node is as before", live.test(function()
    begin "busy"
    events.start("trace", { Module = "probe", Func = "pace", Arity = 1, Most = 3, Seconds = 60 })
    local seen = once(ended)
    assert.same({ 3, 0, "it had seen all the calls that it may" }, { seen.showing, seen.dropped, seen.ended })
    assert.same(BEFORE, as_before())
  end))

  it("ends by itself when its time is over, and the node is as before", live.test(function()
    begin()
    events.start("trace", { Module = "probe", Func = "pace", Arity = 1, Most = 50, Seconds = 1 })
    assert.equal("its time was over", once(ended).ended)
    assert.same(BEFORE, as_before())
  end))

  it("asks the relay for no more than 50 calls in 60 seconds", live.test(function()
    begin()
    local started = callback.trace_start("probe", "pace", 1)
    assert.same({ 50, 60, 5 }, { started.calls, started.seconds, started.per_second })
    assert.is_true(eval "length(processes())." - started.processes < 10)
  end))

  it("stops when it is told to, and says what it saw", live.test(function()
    begin()
    callback.trace_start("probe", "pace", 1)
    once(calls(1))
    assert.is_true(tracing())
    local seen = callback.trace_stop()
    assert.same({ false, "it was stopped", "probe:pace/1" }, { seen.on, seen.ended, seen.tracing })
    assert.same(BEFORE, eval(STATE))
  end))

  it("is gone from the node when our link is", live.test(function()
    begin()
    local other = assert(node.connect { name = at.name, cookie_file = at.cookie_file, deadline = async.now() + 10 })
    other.uses.events(tracer).start("trace", { Module = "probe", Func = "pace", Arity = 1 })
    local on = tracing()
    other:close()
    assert.is_true(on)
    assert.same(BEFORE, as_before())
  end))

  it("is gone from the node when its worker is killed", live.test(function()
    begin()
    callback.trace_start("probe", "pace", 1)
    eval "{_, R} = erlang:trace_info(whereis(worker), tracer), exit(R, kill)."
    assert.matches("killed", once(ended).ended)
    assert.same(BEFORE, as_before())
  end))

  it("does one trace at a time", live.test(function()
    begin()
    callback.trace_start("probe", "pace", 1)
    assert.error_matches(function() callback.trace_start("probe", "slow", 1) end, "a trace is on already")
  end))

  it("does not touch a function that somebody traces", live.test(function()
    begin()
    eval "erlang:trace_pattern({probe, pace, 1}, [{'_', [], []}], [local])."
    local answer = callback.trace_start("probe", "pace", 1)
    local theirs = eval "erlang:trace_info({probe, pace, 1}, match_spec) =:= {match_spec, [{'_', [], []}]}."
    eval "erlang:trace_pattern({probe, pace, 1}, false, [local])."
    assert.matches("somebody traces probe:pace/1 already", answer.unavailable)
    assert.is_true(theirs)
    assert.same(BEFORE, eval(STATE))
  end))

  it("leaves a process to who traces it", live.test(function()
    begin()
    eval [[register(owner, spawn(probe, idle, [])), register(theirs, spawn(probe, idle, [])),
      erlang:trace(whereis(theirs), true, [procs, {tracer, whereis(owner)}]).]]
    local HELD = [[P = whereis(theirs), {flags, [procs]} =:= erlang:trace_info(P, flags)
      andalso {tracer, whereis(owner)} =:= erlang:trace_info(P, tracer).]]
    callback.trace_start("probe", "pace", 1)
    local during = eval(HELD)
    callback.trace_stop()
    local after = eval(HELD)
    eval "theirs ! stop, owner ! stop, true."
    assert.same({ true, true }, { during, after })
  end))

  it("does not change a control word that somebody uses", live.test(function()
    begin()
    eval "erlang:system_flag(trace_control_word, 7)."
    local answer = callback.trace_start("probe", "pace", 1)
    local word = eval "erlang:system_flag(trace_control_word, 0)."
    assert.matches("control word", answer.unavailable)
    assert.equal(7, word)
  end))

  it("ends when somebody else begins to trace the function", live.test(function()
    begin()
    callback.trace_start("probe", "pace", 1)
    once(calls(1))
    eval "erlang:trace_pattern({probe, pace, 1}, [{'_', [], []}], [local])."
    local why = once(ended).ended
    local theirs = eval "erlang:trace_info({probe, pace, 1}, match_spec) =:= {match_spec, [{'_', [], []}]}."
    eval "erlang:trace_pattern({probe, pace, 1}, false, [local])."
    assert.matches("somebody else began to trace", why)
    assert.is_true(theirs)
  end))

  it("ends when somebody's pattern sends it calls of another function", live.test(function()
    begin()
    callback.trace_start("probe", "pace", 1)
    once(calls(1))
    eval "erlang:trace_pattern({probe, slow, 1}, true, [local])."
    local why = once(ended).ended
    eval "erlang:trace_pattern({probe, slow, 1}, false, [local])."
    assert.matches("somebody else began to trace", why)
    assert.same(BEFORE, as_before())
  end))

  it("refuses what every process runs", live.test(function()
    for head in HEADS:gmatch "%S+" do
      local module, func, arity = head:match "^(.-):([%w_]+)/(%d+)$"
      assert.error_matches(function() callback.trace_start(module, func, tonumber(arity)) end, "run by every process")
    end
  end))

  it("refuses wildcards", live.test(function()
    assert.error_matches(function() callback.trace_start("_", "pace", 1) end, "no wildcards")
    assert.error_matches(function() callback.trace_start("probe", "_", 1) end, "no wildcards")
    assert.error_matches(function() callback.trace_start("probe", "pace", "_") end, "arity must be an integer")
    assert.error_matches(function() callback.trace_start("probe", "pace") end, "arity must be an integer")
  end))

  it("says which arities there are, and that a module or function is not there", live.test(function()
    assert.error_matches(function() callback.trace_start("probe", "pace", 3) end, "probe:pace has no arity 3, only 1")
    assert.error_matches(function() callback.trace_start("probe", "peace", 1) end, "probe has no function peace")
    assert.error_matches(function() callback.trace_start("no_such_probe", "pace", 1) end,
      "no module no_such_probe is loaded")
  end))

  it("makes no atom of a name that is not there", live.test(function()
    pcall(callback.trace_start, "warm_up", "warm_up", 1)
    local atoms = eval "erlang:system_info(atom_count)."
    pcall(callback.trace_start, "some_unheard_module", "some_unheard_function", 1)
    pcall(callback.trace_start, "probe", "another_unheard_function", 1)
    assert.equal(atoms, eval "erlang:system_info(atom_count).")
  end))

  it("waits to be allowed, in all it does", function()
    for _, name in ipairs { "trace_start", "trace_get", "trace_stop" } do
      assert.equal("CAUTION", tracer.callbacks[name].class)
    end
  end)
end)
