-- The log relay on a live node: what arrives, what never does, and that the node's logger is as before.
local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local node = require "runtime.node.init"

-- An event is with us a moment after it was logged.
local PATIENCE_S = 20

-- A server that crashes on whatever it is told, and keeps a secret.
local SERVER = [==[
  Form = fun(S) -> {ok, T, _} = erl_scan:string(S), {ok, F} = erl_parse:parse_form(T), F end,
  {ok, _, B} = compile:forms([Form(S) || S <- [
    "-module(spec_vault).",
    "-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).",
    "-export([handle_event/2, callback_mode/0, handle_event/4, open/1]).",
    "init({statem, S}) -> {ok, shut, S}; init({kids, S}) -> {ok, {#{intensity => 3}, [#{id => kid, start =>
       {gen_server, start_link, [{local, spec_kid}, spec_vault, S, []]}}]}};
     init(S) -> put(spec_key, S), {ok, S}.",
    "handle_call({badmatch, X}, _, S) -> {shut, _} = {open, X, S};
     handle_call({stop, X}, _, S) -> {stop, {failed, X}, S};
     handle_call({throw, X}, _, _) -> throw({thrown, X}).",
    "handle_cast(X, S) -> open({X, S}), {noreply, S}.",
    "handle_event(X, S) -> open({X, S}), {ok, S}.",
    "handle_info(_, S) -> {noreply, S}.",
    "callback_mode() -> handle_event_function.",
    "handle_event(_, X, _, S) -> exit({refused, X, S}).",
    "open(nothing) -> ok."]]),
  {module, _} = code:load_binary(spec_vault, "spec_vault", B), ok.]==]

-- All that the logger is set to, as text.
local SETTINGS = [[
  list_to_binary(io_lib:format("~p", [{logger:get_primary_config(), lists:sort(logger:get_handler_ids()),
    logger:get_handler_config(), logger:get_proxy_config(), logger:get_module_level(),
    length([T || T <- ets:all(), ets:info(T, name) =:= beamlens_log])}])).]]

describe("the log relay", function()
  local at, eval, n, events

  setup(function()
    at = live.start { args = { "-kernel", "logger_level", "info" } }
    eval = at.eval
    live.test(function()
      eval(SERVER)
      eval "logger:set_module_level(lists, debug)."
    end)()
  end)
  teardown(function() live.stop_all() end)

  local function connect()
    return assert(node.connect { name = at.name, cookie_file = at.cookie_file })
  end

  local function hears(m) return m.uses.events { name = "spec", relays = { "log" } } end

  local function attached(body)
    return live.test(function()
      n = connect()
      events = hears(n)
      assert.is_nil(events.of("log", 1, 0).unavailable)
      body()
    end)
  end

  after_each(live.test(function()
    events.stop "log"
    n:close()
  end))

  -- The events since the relay is on, as soon as one of them is the last that was made.
  local function until_heard(fits)
    local deadline = async.now() + PATIENCE_S
    while true do
      local heard = events.of("log", 1, 0)
      for i = #heard.events, 1, -1 do
        if fits(heard.events[i]) then return heard.events, heard end
      end
      assert(async.now() < deadline, "it was never heard")
      async.sleep(0.02)
    end
  end

  local function with_message(text)
    return function(e) return e.message ~= nil and e.message:find(text, 1, true) ~= nil end
  end

  local function of_message(text)
    local found
    until_heard(function(e)
      if with_message(text)(e) then found = e end
      return found ~= nil
    end)
    return found
  end

  it("leaves handlers, primary configuration and module levels as they were", live.test(function()
    local before = eval(SETTINGS)
    n = connect()
    events = hears(n)
    events.of("log", 1, 0)
    assert.is_true(eval "lists:sort(logger:get_handler_ids()) =:= [beamlens_log, default].")
    events.stop "log"
    assert.equal(before, eval(SETTINGS))
  end))

  it("refuses the second who would listen, and leaves the first alone", attached(function()
    local second = connect()
    assert.matches("^another beamlens%-run listens to this node's log", hears(second).of("log", 1, 0).unavailable)
    second:close()
    eval [==[logger:notice("still here").]==]
    of_message "still here"
  end))

  it("takes away what was left by a worker and a janitor that were killed at once", attached(function()
    local placed = n.relays.by_name.log.placed
    eval("erlang:suspend_process(R), M = monitor(process, R), exit(J, kill), exit(R, kill), "
      .. "receive {'DOWN', M, _, _, _} -> ok end.", { R = placed.worker, J = placed.janitor })
    assert.is_true(eval "lists:member(beamlens_log, logger:get_handler_ids()).")
    n:close()
    n = connect()
    events = hears(n)
    assert.is_nil(events.of("log", 1, 0).unavailable)
    eval [==[logger:notice("heard again").]==]
    of_message "heard again"
  end))

  it("tells level, text, time, process and place", attached(function()
    local pid, us = unpack(eval [==[
      M = #{mfa => {spec_vault, open, 1}, line => 7, domain => [spec, vault], time => 1700000000123456},
      logger:log(warning, "the ~s is ~p", ["vault", open], M),
      {list_to_binary(pid_to_list(self())), maps:get(time, M)}.]==])
    local e = of_message "the vault is open"
    assert.same({ level = "warning", message = "the vault is open", pid = pid, module = "spec_vault",
      func = "spec_vault:open/1", line = 7, domain = "spec.vault", us = us, datetime = "2023-11-14T22:13:20.123Z" },
      { level = e.level, message = e.message, pid = e.pid, module = e.module, func = e.func, line = e.line,
        domain = e.domain, us = e.us, datetime = e.datetime })
  end))

  it("hears no more than the node's own levels let through", attached(function()
    eval [==[logger:debug("hidden"), logger:info("the last").]==]
    of_message "the last"
    for _, e in ipairs(events.of("log", 1, 0).events) do assert.is_false(with_message "hidden"(e)) end
  end))

  it("begins at the level that it was started with", live.test(function()
    n = connect()
    events = hears(n)
    assert.is_true(events.start("log", { Level = "error" }))
    eval [==[logger:warning("not this"), logger:error("but this").]==]
    of_message "but this"
    assert.equal(1, events.of("log", 1, 0).total)
  end))

  it("cuts a message to 2 KiB, between characters", attached(function()
    eval [==[
      logger:notice(unicode:characters_to_binary([$x | lists:duplicate(100000, 16#20AC)])),
      logger:notice("~ts", [lists:duplicate(100000, 16#20AC)]),
      logger:error([$y | lists:duplicate(100000, 16#20AC)]),
      logger:error("the last").]==]
    of_message "the last"
    local heard = events.of("log", 1, 0).events
    assert.equal("x" .. ("€"):rep(682), heard[1].message)
    assert.is_true(#heard[2].message <= 2048 and heard[2].message:find("€", 1, true) == 1)
    assert.equal("y" .. ("€"):rep(682), heard[3].message)
  end))

  it("survives whatever is logged", attached(function()
    eval [==[
      Bad = [a | b],
      [catch logger:log(L, F, A, M) || L <- [info, error],
         {F, A} <- [{"~p ~p", [1]}, {"~p", [Bad]}, {"~s", [Bad]}, {"~p", [fun() -> x end]}],
         M <- [#{}, #{domain => x, mfa => x, line => x, time => x},
               #{domain => Bad, crash_reason => Bad},
               #{domain => [otp | x], crash_reason => {x, [y | z]}}, #{crash_reason => {#{'__struct__' => 1}, x}}]],
      [catch logger:log(L, R, #{report_cb => fun(_) -> exit(cb) end}) || L <- [info, error],
         R <- [#{}, #{a => Bad}, #{1 => 2}, [{a, b}], [{a}, b], [{[], Bad}],
               #{label => x}, #{label => {proc_lib, crash}, report => x}, #{label => {gen_server, terminate}},
               #{label => {supervisor, x}, report => Bad}, #{label => {error_logger, x}, format => x, args => y}]],
      timer:sleep(250), logger:error("the last").]==]
    of_message "the last"
    assert.is_true(eval "lists:member(beamlens_log, logger:get_handler_ids()).")
    assert.is_true(eval "{ok, C} = logger:get_handler_config(beamlens_log), length(maps:get(filters, C)) =:= 1.")
  end))

  it("keeps arguments, states, messages and dictionaries on the node", attached(function()
    eval [==[
      X = <<"SECRET">>, Y = "SECRET", Z = 987654321, Wait = fun() -> timer:sleep(60) end,
      S = fun() -> {ok, P} = gen_server:start(spec_vault, {X, Y, Z}, []), P ! {Y, X}, P end,
      [begin catch gen_server:call(S(), {Do, A}), Wait() end || Do <- [badmatch, stop, throw], A <- [X, Y, Z]],
      gen_server:cast(S(), {X, Y, Z}), Wait(),
      {ok, P} = gen_statem:start(spec_vault, {statem, {X, Y, Z}}, []), gen_statem:cast(P, {X, Y}), Wait(),
      K = spawn(fun() -> {ok, _} = supervisor:start_link(spec_vault, {kids, {X, Y, Z}}), receive x -> ok end end),
      Wait(), [begin gen_server:cast(spec_kid, {X, Y}), Wait() end || _ <- [1, 2]],
      spawn(fun() -> lists:nth(0, [X, Y, Z]) end), spawn(fun() -> throw({X, Y, Z}) end),
      spawn(spec_vault, open, [[X, Y, Z]]), spawn(spec_vault, gone, [X, Y, Z]),
      spawn(fun() -> error({shut, #{X => Y, y => Z}}, [X, Y]) end), Wait(),
      proc_lib:spawn(spec_vault, open, [X]),
      proc_lib:spawn(fun() -> put(key, Y), gen_server:call(gone, {X, Y, Z}) end), Wait(),
      logger:error("failed: ~p", [{badarg, [{lists, nth, [Z, [X, Y]], [{file, "lists.erl"}]}]}]),
      logger:error("it ended with ~p", [{noproc, {gen_server, call, [gone, {X, Y}]}}]),
      logger:error("** Generic server ~p terminating~n** Last message in was ~p~n** When Server state == ~p",
                   [me, X, Y]),
      logger:error(#{what => vault, state => X, last_message => Y, args => Z}),
      logger:error("GenServer me terminating~nLast message: ~p~nState: ~p", [X, Y],
                   #{crash_reason => {{X, Y, Z}, [{lists, nth, [X], []}]}}),
      logger:error("GenServer me terminating\n** (Oops) SECRET", #{crash_reason => {oops, []}}),
      logger:error("me received unexpected message: SECRET", #{domain => [otp, elixir]}),
      logger:info("Child made\nStart Call: SECRET", #{domain => [otp, sasl]}),
      Wait(), exit(K, kill), logger:notice("the last").]==]
    of_message "the last"
    local heard = events.of("log", 1, 0)
    assert.equal(0, heard.dropped)
    local all = json.encode(heard.events)
    assert.is_nil(all:find "SECRET")
    assert.is_nil(all:find "987654321")
    assert.is_nil(all:find "83,%s*69")
    assert.is_true(#heard.events > 35)
  end))

  it("tells a term of OTP's reports by atoms and shapes", attached(function()
    eval [==[
      {ok, P} = gen_server:start(spec_vault, nothing, []), catch gen_server:call(P, {badmatch, <<"12345">>}),
      proc_lib:spawn(fun() -> gen_server:call(prices, get) end), timer:sleep(100), logger:notice("the last").]==]
    of_message "the last"
    local texts = {}
    for i, e in ipairs(events.of("log", 1, 0).events) do texts[i] = e.crash and e.crash.text end
    assert.same({ "{badmatch,{open,<binary of 5 bytes>,nothing}}", "{badmatch,{open,<binary of 5 bytes>,nothing}}",
      "{noproc,gen_server:call/2 to prices}" }, texts)
  end))

  it("tells of a failed call that somebody wrote down whom it was meant for, and no more", attached(function()
    eval [==[
      [try gen_server:call(X, {secret, <<"12345">>}) catch exit:E -> logger:error("no price: ~p", [E]) end
       || X <- [prices, {prices, node()}]], logger:notice("the last").]==]
    of_message "the last"
    local texts = {}
    for i, e in ipairs(events.of("log", 1, 0).events) do texts[i] = e.message:gsub("%s", "") end
    assert.same({ "noprice:{noproc,{gen_server,call,[prices,'...']}}",
      ("noprice:{noproc,{gen_server,call,[{prices,'%s'},'...']}}"):format(at.name), "thelast" }, texts)
  end))

  it("tells the reason that an EXIT is around, of an event handler and of a child that did not start",
    attached(function()
      eval [==[
        {ok, P} = gen_event:start({local, spec_bell}), gen_event:add_handler(P, spec_vault, nothing),
        gen_event:sync_notify(P, {ring, <<"12345">>}), gen_event:stop(P),
        logger:error(#{label => {supervisor, start_error}, report => [{supervisor, {local, spec_tower}},
          {errorContext, start_error}, {reason, {'EXIT', {{broken, <<"12345">>}, [{spec_vault, init, 1, []}]}}},
          {offender, [{pid, undefined}, {id, bell}]}]}),
        timer:sleep(50), logger:notice("the last").]==]
      of_message "the last"
      local list = events.of("log", 1, 0).events
      assert.same({ "handler", "error", "function_clause", "spec_vault:open/1" },
        { list[1].crash.source, list[1].crash.class, list[1].crash.type, list[1].crash.stack[1].func })
      assert.equal("supervisor spec_tower: start_error, child bell undefined, reason {broken,<binary of 5 bytes>}",
        list[2].message)
    end))

  -- As Elixir from 1.15 on hands it to handlers: a text already, but what would have made one of it still there.
  it("knows an event handler's crash that was made a text by who translates for all handlers", attached(function()
    eval [==[logger:error("bell crashed", #{domain => [otp], crash_reason => {{broken, 1}, []},
      report_cb => fun gen_event:format_log/2}).]==]
    assert.equal("handler", of_message("bell crashed").crash.source)
  end))

  it("tells what a report of OTP is about, and of another its plain values", attached(function()
    eval [==[
      logger:warning(#{label => {gen_server, no_handle_info}, module => spec_vault, message => secret, size => 7}),
      logger:notice(#{what => moved, rows => 17, to => <<"cellar">>, from => "attic", with => {a, 1}, state => 1}),
      error_logger:error_report([{what, broke}, {rows, 3}]), error_logger:error_msg("broke ~p", [twice]),
      timer:sleep(50), logger:notice("the last").]==]
    of_message "the last"
    local texts = {}
    for i, e in ipairs(events.of("log", 1, 0).events) do texts[i] = e.message end
    assert.same({ "{gen_server,no_handle_info}: module=spec_vault, size=<integer>",
      "from=attic, rows=17, to=cellar, what=moved, with={a,<integer>}", "what=broke, rows=3", "broke twice",
      "the last" }, texts)
  end))

  it("holds back what a report says under a name of a secret", attached(function()
    eval [==[
      logger:notice(#{what => login, password => <<"open sesame">>, token => <<"t0">>, api_key => "k0",
                      user => <<"ali">>}),
      timer:sleep(50), logger:notice("the last").]==]
    of_message "the last"
    assert.equal("user=ali, what=login", events.of("log", 1, 0).events[1].message)
  end))

  local FLOOD = [==[
    Me = self(), Old = logger:get_handler_config(default), logger:set_handler_config(default, level, none),
    Until = erlang:monotonic_time(millisecond) + Ms,
    Ps = [spawn_link(fun() -> (fun F() -> [logger:log(L, "order ~p", [I]) || I <- lists:seq(1, 100)],
            case erlang:monotonic_time(millisecond) < Until of true -> F(); false -> Me ! done end end)() end)
          || L <- [binary_to_existing_atom(X) || X <- Levels]],
    Longest = fun Longest(M, 0) -> M;
                  Longest(M, N) ->
                    {_, Q} = erlang:process_info(Worker, message_queue_len),
                    receive done -> Longest(max(M, Q), N - 1) after 1 -> Longest(max(M, Q), N) end end,
    M = Longest(0, length(Ps)),
    {ok, #{level := Lv}} = Old, logger:set_handler_config(default, level, Lv), M.]==]

  local function flood(levels)
    return eval(FLOOD, { Levels = levels, Ms = 1500, Worker = n.relays.by_name.log.placed.worker })
  end

  it("has no more than 50 messages before it in a storm", attached(function()
    assert.is_true(flood { "notice", "error", "notice", "error" } <= 50)
  end))

  it("shuts the tap in a storm, for all when errors are the storm, and opens it again", attached(function()
    flood { "error", "error" }
    until_heard(function(e) return e.shut == "none" and e.per_second > 10000 end)
    local deadline = async.now() + PATIENCE_S
    repeat
      eval [==[logger:notice("open again").]==]
      assert(async.now() < deadline, "it stayed shut")
      async.sleep(0.05)
    until #events.of("log", 1, 0).events > 0 and with_message "open again"(table.remove(events.of("log", 1, 0).events))
  end))

  it("leaves the node in peace while nothing is logged, also after a storm", attached(function()
    flood { "notice", "error" }
    until_heard(function(e) return e.shut ~= nil end)
    local worker = n.relays.by_name.log.placed.worker
    local deadline = async.now() + PATIENCE_S
    local per_s
    repeat
      assert(async.now() < deadline, ("it still does %s reductions a second"):format(per_s))
      per_s = eval([==[
        Now = fun() -> erlang:monotonic_time(millisecond) end, T = Now(),
        {_, N} = erlang:process_info(W, reductions), timer:sleep(2000), {_, M} = erlang:process_info(W, reductions),
        (M - N) * 1000 div (Now() - T).]==], { W = worker })
    until per_s < 10000
    eval [==[logger:error("awake").]==]
    of_message "awake"
  end))

  it("weighs little there once it is on", attached(function()
    local placed = n.relays.by_name.log.placed
    local kb = eval("list_to_tuple([element(2, erlang:process_info(P, memory)) div 1024 || P <- [W, J]]).",
      { W = placed.worker, J = placed.janitor })
    assert.is_true(kb[1] < 700 and kb[2] < 700, kb[1] .. " kB and " .. kb[2] .. " kB")
  end))

  -- In a module that has leave for level debug, which no other has here.
  local DEBUG = [==[
    D = fun() -> logger:log(debug, "row ~p", [lists:seq(1, 9)], #{mfa => {lists, seq, 2}}) end,
    logger:set_handler_config(default, level, none),]==]

  it("counts all events of level debug and brings some of them", attached(function()
    eval(DEBUG .. [==[ [D() || _ <- lists:seq(1, 300)], logger:set_handler_config(default, level, all).]==])
    local count, rows = 0, 0
    until_heard(function(e)
      count = count + (e.debug or 0)
      return count == 300
    end)
    for _, e in ipairs(events.of("log", 1, 0).events) do rows = rows + (with_message "row [1,2"(e) and 1 or 0) end
    assert.is_true(rows >= 1 and rows <= 8, rows)
  end))

  it("gives events of level debug nothing of what the others may take", attached(function()
    eval(DEBUG .. [==[ [D() || _ <- lists:seq(1, 300)], [logger:notice("of use ~p", [I]) || I <- lists:seq(1, 15)],
      logger:set_handler_config(default, level, all).]==])
    of_message "of use 15"
    local rows = 0
    for _, e in ipairs(events.of("log", 1, 0).events) do rows = rows + (with_message "of use"(e) and 1 or 0) end
    assert.equal(15, rows)
  end))

  it("shuts the tap for level debug alone where that is the storm", attached(function()
    eval(DEBUG .. [==[ T = erlang:monotonic_time(millisecond) + 500,
      (fun F() -> [D() || _ <- lists:seq(1, 100)],
         case erlang:monotonic_time(millisecond) < T of true -> F(); _ -> ok end end)(),
      logger:notice("meanwhile"), logger:set_handler_config(default, level, all).]==])
    of_message "meanwhile"
    until_heard(function(e) return e.shut == "info" and e.per_second > 10000 end)
  end))

  it("hears an error while others flood the log", attached(function()
    eval [==[logger:set_handler_config(default, level, none),
      [logger:notice("chatter") || _ <- lists:seq(1, 300)], logger:error("heard"),
      logger:set_handler_config(default, level, all), logger:set_handler_config(default, level, all).]==]
    of_message "heard"
  end))

  it("counts what it dropped", attached(function()
    eval [==[logger:set_handler_config(default, level, none),
      [logger:notice("chatter") || _ <- lists:seq(1, 300)],
      logger:set_handler_config(default, level, all), timer:sleep(200), logger:notice("the last").]==]
    of_message "the last"
    local heard
    local deadline = async.now() + PATIENCE_S
    repeat
      heard = events.of("log", 1, 0)
      assert(async.now() < deadline, "it was never told")
      async.sleep(0.05)
    until heard.total == 301
    assert.equal(301 - heard.dropped, #heard.events)
  end))
end)
