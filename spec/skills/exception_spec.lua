-- The exception skill on a live Erlang and a live Elixir node: what was made to crash there, counted and
-- named. What the node itself says of a crash is read from who monitors the process.
local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local PATIENCE_S = 20

-- crash(F) runs it in a process and says with what that ended; the others are started by OTP's rules.
local ERLANG = [==[
  Form = fun(S) -> {ok, T, _} = erl_scan:string(S), {ok, F} = erl_parse:parse_form(T), F end,
  {ok, _, B} = compile:forms([Form(S) || S <- [
    "-file(\"spec_works.erl\", 1).",
    "-module(spec_works).",
    "-export([init/1, handle_event/2, handle_call/3, handle_cast/2, nothing/1, died/1, run/2, kid/0]).",
    "init({kids, A}) -> {ok, {#{intensity => 99}, [#{id => smith, start => {A, kid, []}}]}}; init(S) -> {ok, S}.",
    "kid() -> gen_server:start_link({local, smith}, spec_works, secret, []).",
    "handle_call(X, _, S) -> run(X, S), {reply, ok, S}.",
    "handle_cast(X, S) -> run(X, S), {noreply, S}.",
    "handle_event(X, S) -> run(X, S), {ok, S}.",
    "nothing(to_see) -> ok.",
    "run(badmatch, _) -> {ok, _} = file:read_file(nowhere);
     run(badarg, S) -> {atom_to_list(S)};
     run(clause, S) -> {nothing(S)};
     run(undef, S) -> spec_gone:away(S);
     run(error, S) -> error({broken, S});
     run(logged, S) -> logger:error(\"it broke\", #{crash_reason => {{broken, S}, []}}), run(error, S);
     run(exit, S) -> exit({refused, S});
     run(throw, S) -> throw({tossed, S});
     run(noproc, S) -> gen_server:call(spec_prices, {get, S});
     run(heap, _) -> process_flag(max_heap_size, 3000), lists:seq(1, 100000);
     run(kill, _) -> exit(self(), kill), receive x -> ok end.",
    "died({P, M}) -> receive {'DOWN', M, _, _, _} -> list_to_binary(pid_to_list(P)) end."]]),
  {module, _} = code:load_binary(spec_works, "spec_works", B),
  logger:set_handler_config(default, level, none).]==]

local ELIXIR = [==[
  defmodule Spec.Works do
    use GenServer
    require Logger
    def init(s), do: {:ok, s}
    def handle_call({:raise, x}, _, _), do: raise(ArgumentError, "no such ship" <> String.slice(x, 0, 0))
    def handle_call({:key, x}, _, _), do: Map.fetch!(%{x => 1}, :mast)
    def handle_call({:exit, x}, _, _), do: exit({:sunk, x})
    def handle_call({:stop, x}, _, s), do: {:stop, {:sold, x}, s}
    def handle_call({:log, x}, _, s) do
      try do
        raise RuntimeError, "leak"
      rescue
        e ->
          stack = [{Spec.Works, :hull, ["SECRET"], [file: 'works.ex', line: 3]}]
          Logger.error("patched", crash_reason: {e, stack ++ [{x, :y, [], []}]})
      end
      {:reply, :ok, s}
    end
    def note(x), do: Logger.notice("note #{x}")
    def ask(what) do
      {:ok, p} = GenServer.start(__MODULE__, "SECRET")
      m = Process.monitor(p)
      try do GenServer.call(p, {what, "SECRET"}) catch _, _ -> :ok end
      if what == :log, do: GenServer.stop(p)
      receive do {:DOWN, ^m, _, _, _} -> List.to_string(:erlang.pid_to_list(p)) end
    end
    def task(:raise), do: Task.start(fn -> raise ArithmeticError end)
    def task(:exit), do: Task.start(fn -> exit({:sunk, "SECRET"}) end)
    def task(:throw), do: Task.start(fn -> throw({:tossed, "SECRET"}) end)
    def task(:clause), do: Task.start(String, :to_integer, ["SECRET", 10, 3])
    def plain(), do: spawn(fn -> raise KeyError, key: :mast, term: %{a: "SECRET"} end)
  end
  Logger.configure_backend(:console, level: :emergency)]==]

local at, eval, exception, callback

local function set_up(at_node)
  at, eval = at_node, at_node.eval
  exception = assert(skill.open "exception")
  callback = skill.functions(exception, { query = at.node.query, uses = { events = function(s)
    local events = at.node.uses.events(s)
    return { of = function(relay, minutes) return events.of(relay, minutes, 0) end }
  end } })
end

local function until_so(ask, fits)
  local deadline = async.now() + PATIENCE_S
  while true do
    local result = ask()
    if fits(result) then return result end
    assert(async.now() < deadline, "it was never so: " .. json.encode(result))
    async.sleep(0.02)
  end
end

-- All of them, once so many log events that tell of crashes have come.
local function until_told(reports)
  until_so(function()
    local told = 0
    for _, e in ipairs(at.node.uses.events(exception).of("log", 60, 0).events) do
      told = told + (e.crash and 1 or 0)
    end
    return told
  end, function(told) return told >= reports end)
  return callback.exception_recent(50)
end

local function one(reports)
  local recent = until_told(reports)
  assert.equal(1, recent.total)
  return recent.exceptions[1]
end

local function renewed()
  at.node.relays:stop "log"
  assert.is_true(at.node.relays:start "log")
end

describe("exception skill, on an Erlang node", function()
  setup(function()
    set_up(live.start())
    live.test(function() eval(ERLANG) end)()
  end)
  teardown(function() live.stop_all() end)
  before_each(live.test(renewed))

  local function plain(what)
    return eval([[spec_works:died(spawn_monitor(spec_works, run, [binary_to_atom(W), <<"SECRET">>])).]], { W = what })
  end

  local function server(what)
    return eval([[{ok, P} = gen_server:start(spec_works, <<"SECRET">>, []), M = monitor(process, P),
      gen_server:cast(P, binary_to_atom(W)), spec_works:died({P, M}).]], { W = what })
  end

  it("names the reason, the place and the process of one that crashed", live.test(function()
    local pid = plain "badmatch"
    local e = one(1)
    assert.same({ pid = pid, kind = "error", level = "error", type = "badmatch", message = "{badmatch,{error,enoent}}",
      module = "spec_works", func = "spec_works:run/2" },
      { pid = e.pid, kind = e.kind, level = e.level, type = e.type, message = e.message, module = e.module,
        func = e.func })
  end))

  it("names a function that is missing, and one that has no clause", live.test(function()
    plain "undef"
    plain "clause"
    local rows = until_told(2).exceptions
    assert.same({ "function_clause", "no clause of spec_works:nothing/1 matches" }, { rows[1].type, rows[1].message })
    assert.same({ "undef", "undefined function spec_gone:away/1" }, { rows[2].type, rows[2].message })
  end))

  it("tells who was killed by the limit of its heap", live.test(function()
    local pid = plain "heap"
    local e = one(1)
    assert.same({ pid, "exit", "killed", "maximum heap size reached" }, { e.pid, e.kind, e.type, e.message })
  end))

  it("names whom a call was for that found nobody", live.test(function()
    server "noproc"
    local e = one(2)
    assert.same({ "exit", "noproc", "{noproc,gen_server:call/2 to spec_prices}" }, { e.kind, e.type, e.message })
  end))

  it("counts a server once that is reported by itself, by proc_lib and by its supervisor", live.test(function()
    local crashed = eval [==[
      Me = self(), spawn(fun() -> {ok, _} = supervisor:start_link({local, spec_forge}, spec_works, {kids, spec_works}),
        Me ! up, receive x -> ok end end), receive up -> ok end,
      [begin P = whereis(smith), M = monitor(process, P), gen_server:cast(P, X), D = spec_works:died({P, M}),
             (fun F() -> case whereis(smith) of Q when is_pid(Q), Q =/= P -> ok; _ -> timer:sleep(1), F() end end)(), D
       end || X <- [badmatch, kill]].]==]
    local rows = until_told(4).exceptions
    assert.same({ crashed[2], crashed[1] }, { rows[1].pid, rows[2].pid })
    assert.same({ "killed", "exit", "smith" }, { rows[1].type, rows[1].kind, rows[1].name })
    assert.same({ "badmatch", "error", "smith" }, { rows[2].type, rows[2].kind, rows[2].name })
    assert.equal(3, callback.exception_stacktrace(rows[2].id).reports)
    assert.same({ 2, 2 }, { #rows, callback.exception_stats().total })
  end))

  it("tells errors, exits and throws apart by proc_lib's report", live.test(function()
    for _, what in ipairs { "badarg", "exit", "throw" } do
      eval([[P = proc_lib:spawn(fun() -> receive go -> {spec_works:run(binary_to_atom(W), <<"SECRET">>)} end end),
        M = monitor(process, P), P ! go, spec_works:died({P, M}).]], { W = what })
    end
    until_told(3)
    local kinds = {}
    for _, e in ipairs(callback.exception_recent().exceptions) do kinds[e.kind] = e.type end
    assert.same({ error = "badarg", exit = "refused", throw = "tossed" }, kinds)
    assert.same({ error = 1, exit = 1, throw = 1 }, callback.exception_stats().by_kind)
    assert.same({ 1, "tossed" }, { callback.exception_recent(10, "throw").total,
      callback.exception_recent(10, "throw").exceptions[1].type })
  end))

  it("takes proc_lib's word for what the server's own report cannot tell", live.test(function()
    server "error"
    local e = one(2)
    assert.same({ "error", "broken" }, { e.kind, e.type })
  end))

  -- Its manager lives on without it, and is what a supervisor restarts when it dies itself.
  it("counts each crash of an event handler, and the death of its process", live.test(function()
    local pid = eval [==[
      {ok, P} = gen_event:start({local, spec_bell}), M = monitor(process, P),
      [begin gen_event:add_handler(P, spec_works, <<"SECRET">>), gen_event:sync_notify(P, X) end
       || X <- [badmatch, badmatch, exit, error]],
      logger:error(#{label => {supervisor, child_terminated}, report => [{supervisor, {local, spec_tower}},
        {errorContext, child_terminated}, {reason, killed}, {offender, [{pid, P}, {id, bell}]}]}, #{}),
      exit(P, kill), spec_works:died({P, M}).]==]
    local told = {}
    for i, e in ipairs(until_told(5).exceptions) do told[i] = { e.type, e.kind, e.name, e.pid == pid } end
    assert.same({ { "killed", "exit", "bell", true }, { "broken", "error", "spec_bell", true },
      { "refused", "exit", "spec_bell", true }, { "badmatch", "error", "spec_bell", true },
      { "badmatch", "error", "spec_bell", true } }, told)
  end))

  it("names the place where an event handler crashed", live.test(function()
    eval [[{ok, P} = gen_event:start(), gen_event:add_handler(P, spec_works, <<"SECRET">>),
      gen_event:sync_notify(P, badmatch), gen_event:stop(P).]]
    local e = one(1)
    assert.same({ "badmatch", "spec_works", "spec_works:run/2" }, { e.type, e.module, e.func })
  end))

  it("counts what was logged with a crash_reason, but not again when its process dies of it", live.test(function()
    eval "[logger:error(\"broke\", #{crash_reason => {{broken, N}, []}}) || N <- [1, 2]]."
    plain "logged"
    until_told(4)
    assert.equal(3, callback.exception_stats().total)
  end))

  it("gives a stack as functions, without their arguments", live.test(function()
    plain "clause"
    local trace = callback.exception_stacktrace(one(1).id)
    assert.same({ { "spec_works:nothing/1", "spec_works.erl" }, { "spec_works:run/2", "spec_works.erl" } },
      { { trace.stack[1].func, trace.stack[1].file }, { trace.stack[2].func, trace.stack[2].file } })
    assert.is_nil(json.encode(trace):find "SECRET")
    assert.matches("no such exception is kept", tostring(select(2, pcall(callback.exception_stacktrace, "1.2.3@4"))))
  end))

  it("keeps the id of an exception", live.test(function()
    plain "badmatch"
    local id = one(1).id
    plain "undef"
    assert.equal(id, until_told(2).exceptions[2].id)
  end))

  it("finds by type and by text", live.test(function()
    for _, what in ipairs { "badmatch", "undef", "badmatch" } do plain(what) end
    until_told(3)
    local by_type, found = callback.exception_by_type("badmatch", 1), callback.exception_search "SPEC_GONE"
    assert.same({ 2, 1, "badmatch" }, { by_type.total, by_type.showing, by_type.exceptions[1].type })
    assert.same({ 1, "undef" }, { found.total, found.exceptions[1].type })
  end))

  it("has a snapshot of the last five minutes", live.test(function()
    for _, what in ipairs { "badmatch", "badarg", "badmatch" } do plain(what) end
    plain "heap"
    until_told(4)
    local snapshot = skill.snapshot(exception, at.node)
    assert.is_true(snapshot.listened_seconds >= 2)
    snapshot.listened_seconds = nil
    assert.same({ dropped = 0, total = 4, type_count = 3, by_kind = { error = 3, exit = 1 }, by_level = { error = 4 },
      top_types = { { type = "badmatch", count = 2 }, { type = "badarg", count = 1 },
        { type = "killed", count = 1 } } }, snapshot)
  end))

  it("counts none by no kind and no level, which are maps too", live.test(function()
    local stats, snapshot = callback.exception_stats(), skill.snapshot(exception, at.node)
    assert.same({ "{}", "{}", "{}", "{}" }, { json.encode(stats.by_kind), json.encode(stats.by_level),
      json.encode(snapshot.by_kind), json.encode(snapshot.by_level) })
  end))

  it("says in its snapshot that nobody listens any more", live.test(function()
    eval("exit(P, kill).", { P = at.node.relays.by_name.log.placed.worker })
    until_so(function() return at.node.relays.by_name.log.placed == nil end, function(off) return off end)
    assert.equal("its worker was killed on the node", skill.snapshot(exception, at.node).ended)
  end))

  it("takes an error that is only logged for none", live.test(function()
    eval [[logger:error("all is lost"), error_logger:error_msg("~p", [lost]).]]
    plain "badmatch"
    assert.equal("badmatch", one(1).type)
  end))
end)

describe("exception skill, on an Elixir node", function()
  setup(function()
    set_up(live.start { elixir = true, code = ELIXIR })
    live.test(function()
      until_so(function() return eval "code:ensure_loaded('Elixir.Spec.Works')." end,
        function(loaded) return tostring(loaded[1]) == "module" end)
    end)()
  end)
  teardown(function() live.stop_all() end)
  before_each(live.test(renewed))

  local function ask(what) return eval("'Elixir.Spec.Works':ask(binary_to_atom(W)).", { W = what }) end
  local function task(what) return eval("'Elixir.Spec.Works':task(binary_to_atom(W)).", { W = what }) end

  it("names an exception of Elixir as Elixir does", live.test(function()
    local pid = ask "raise"
    local e = one(2)
    assert.same({ pid, "error", "ArgumentError", "no such ship", "Spec.Works", "Spec.Works:handle_call/3" },
      { e.pid, e.kind, e.type, e.message, e.module, e.func })
    assert.equal(1, callback.exception_by_type("Elixir.ArgumentError").total)
  end))

  it("tells no values that an exception holds", live.test(function()
    ask "key"
    eval "'Elixir.Spec.Works':plain()."
    local rows = until_told(3).exceptions
    assert.same({ "KeyError", "key mast, term <map of 1>" }, { rows[1].type, rows[1].message })
    assert.same({ "badkey", "{badkey,mast}" }, { rows[2].type, rows[2].message })
  end))

  it("counts an exit and a stop of a server once each", live.test(function()
    ask "exit"
    ask "stop"
    local rows = until_told(4).exceptions
    assert.same({ 2, "exit", "sold", "exit", "sunk" },
      { #rows, rows[1].kind, rows[1].type, rows[2].kind, rows[2].type })
  end))

  it("counts a task once, and tells how it ended", live.test(function()
    for _, what in ipairs { "raise", "exit", "throw", "clause" } do task(what) end
    until_told(8)
    assert.same({ 4, { error = 2, exit = 1, throw = 1 } },
      { callback.exception_stats().total, callback.exception_stats().by_kind })
    assert.equal(1, callback.exception_by_type("ArithmeticError").total)
    assert.equal("undefined function String:to_integer/3", callback.exception_by_type("undef").exceptions[1].message)
  end))

  it("takes what was logged with a crash_reason, by a process that lives on", live.test(function()
    local pid = ask "log"
    local e = one(1)
    assert.same({ pid, "error", "RuntimeError", "leak", "Spec.Works:hull/1", 3 },
      { e.pid, e.kind, e.type, e.message, e.func, e.line })
  end))

  it("keeps arguments, states and messages on the node", live.test(function()
    for _, what in ipairs { "raise", "key", "exit", "stop" } do ask(what) end
    for _, what in ipairs { "exit", "throw", "clause" } do task(what) end
    eval "'Elixir.Spec.Works':plain()."
    until_told(15)
    assert.is_nil(json.encode(at.node.uses.events(exception).of("log", 60, 0).events):find "SECRET")
  end))
end)
