-- What the node logs, by a handler of our own beside the node's. Its module is `logger`, which every
-- node has loaded; its one filter does all the work and always answers `stop`, so that module is
-- never called. No other handler, level or filter is touched, and what the node's own levels hide stays hidden.
--
-- What it costs there. The filter runs in the process that logs, for every event: so it is short and
-- without map patterns, and the rest lies in a table that is read for accepted events alone (a
-- handler's filters are copied for each event). Accepted are Quota events at once, half of that again each
-- 100 ms, and as many errors on top, so that chatter does not hide a crash. The worker grants them by a
-- tick, which stands behind all that was accepted before: its mailbox cannot grow beyond them. More than
-- Gate dropped in one tick, and the handler's level shuts the tap for a second: for all but errors, or for
-- errors too where they are the flood. An event begins the ticks, which end when nothing is left to grant: on
-- a quiet node only the beat looks whether credit was taken by an event that never came. Events of level debug
-- are counted, and take no credit from the others: of them the first of each tick is read, Some of these in
-- each beat come here, and where they are the flood the tap is shut for them alone.
--
-- What never leaves the node: arguments (of a frame of a stack only their number), states, last messages,
-- the mailbox and the dictionary of who crashed. The text of OTP's reports holds all of these, so it is
-- not made; of a term only atoms, pids and shapes are told: {badmatch,{error,<binary of 9 bytes>}}.
-- The text that the node's own code wrote comes along, of an error only what stands before such parts;
-- of a call that failed also whom it was meant for: {noproc,gen_server:call/3 to prices}.
--
-- An event, as `node.events.of("log", …)` returns it:
--   level, message, pid, module, func (mod:fun/arity), line, domain ("otp.sasl"): absent where the node did not say
--   us            the node's clock, microseconds
--   crash         what crashed, where that is what it tells: source (crash, terminate, supervisor, emulator, task,
--                 handler, reason: a gen_event's handler, whose process lives on, and a crash_reason that was
--                 logged, whose process may), pid, name, class (error, exit, throw), type, text,
--                 stack[]: func, file, line
--   shut          in place of all these: below which level the tap was shut for a second, and per_second, how many
--                 events a second it had met
--   debug         in place of all these: how many of level debug came since it was told last, 2 s or so before
--
-- One such handler is on a node at a time. One whose table is gone was left by two processes that somebody
-- killed in the same instant: it has no credit any more, and the next to come takes it away.
--
-- Level is where the handler begins: events that the node's primary level lets through.

-- Only for accepted events that may hold more than may leave: reports, errors. Two funs and not
-- twenty, for a fun that holds others is copied with all that each of them holds.
local READ = [=[
  Parts = [list_to_binary(X) || X <- ["Last message", "\nState:", "State  ==", "erver state", "andler state",
            "Start Call:", "    Args:", "following arguments were given"]],
  First = [list_to_binary("\n") | Parts], Colon = [list_to_binary(": ") | First],
  Frames = (fun(L) -> ets:match_spec_compile([{{'$1', '$2', '$3', P}, [{is_atom, '$1'}, {is_atom, '$2'}, {G, '$3'}],
      [{{'$1', '$2', N, F, I}}]} || {P, F, I} <- L, {G, N} <- [{is_list, {length, '$3'}}, {is_integer, '$3'}]])
    end)([{[{file, '$4'}, {line, '$5'} | '_'], '$4', '$5'}, {'_', false, false}]),
  Hidden = [state, last_message, message, messages, args, arguments, mfargs, dictionary, log, password, passwd, secret,
            token, access_token, api_key, authorization, cookie, credentials, private_key, session],
  Say = fun
    Say(text, X, _) -> case atom_to_list(X) of [$E, $l, $i, $x, $i, $r, $. | K] -> K; K -> K end;
    Say(bin, X, N) -> case unicode:characters_to_binary(X) of
      B when is_binary(B), byte_size(B) > N -> Say(bin, binary:part(B, 0, N), N);
      B when is_binary(B) -> B;
      {_, B, _} -> Say(bin, B, N) end;
    Say(before, B, L) -> case binary:match(B, L) of {N, _} -> binary:part(B, 0, N); _ -> B end;
    Say(get, L, K) -> case lists:keyfind(K, 1, L) of {_, X} -> X; _ -> false end;
    Say(many, X, _) when is_list(X) -> length(X);
    Say(many, X, _) when is_integer(X) -> X;
    Say(shape, X, _) when is_atom(X) -> Say(text, X, 0);
    Say(shape, X, _) when is_pid(X) -> pid_to_list(X);
    Say(shape, [], _) -> "[]";
    Say(shape, {X, {M, F, A}}, D) when is_atom(M), is_atom(F), is_list(A), D > 0 ->
      ["{", Say(shape, X, D - 1), ",", Say(mfa, {M, F, A}, 0), if F =:= call -> Say(whom, A, 0); true -> [] end, "}"];
    Say(shape, X, D) when is_tuple(X), tuple_size(X) < 6, D > 0 ->
      ["{", lists:join(",", [Say(shape, K, D - 1) || K <- tuple_to_list(X)]), "}"];
    Say(shape, X, _) when is_tuple(X) -> ["<tuple of ", integer_to_list(tuple_size(X)), ">"];
    Say(shape, X, _) when is_binary(X) -> ["<binary of ", integer_to_list(byte_size(X)), " bytes>"];
    Say(shape, X, _) when is_list(X) -> case catch length(X) of
      N when is_integer(N) -> ["<list of ", integer_to_list(N), ">"]; _ -> "<improper list>" end;
    Say(shape, X, _) when is_map(X) -> case maps:get('__struct__', X, []) of
      S when is_atom(S), S =/= [] -> ["%", Say(text, S, 0), "{}"];
      _ -> ["<map of ", integer_to_list(map_size(X)), ">"] end;
    Say(shape, X, _) when is_integer(X) -> "<integer>";
    Say(shape, X, _) when is_float(X) -> "<float>";
    Say(shape, X, _) when is_function(X) -> "<function>";
    Say(shape, X, _) when is_reference(X) -> "<reference>";
    Say(shape, _, _) -> "<term>";
    Say(mfa, {M, F, A}, _) -> [Say(text, M, 0), ":", Say(text, F, 0), "/", integer_to_list(Say(many, A, 0))];
    Say(whom, [X | _], _) when is_atom(X) -> [" to ", Say(text, X, 0)];
    Say(whom, [{X, N} | _], _) when is_atom(X), is_atom(N) -> [" to ", Say(text, X, 0), " on ", Say(text, N, 0)];
    Say(whom, [X | _], _) when is_pid(X) -> [" to ", pid_to_list(X)];
    Say(whom, _, _) -> [] end,
  Read = fun
    Do(event, W, M) -> {B, X} = Do(msg, W, M),
      {Say(bin, B, 2048), case maps:get(crash_reason, M, false) of
        {U, V} when X =:= false ->
          Do(crash, {Do(source, maps:get(domain, M, []), maps:get(report_cb, M, false)), maps:get(pid, M, false),
                     maps:get(registered_name, M, false), maps:get(initial_call, M, false), false}, {U, V});
        _ -> X end};
    Do(source, [otp | _], F) when is_function(F) ->
      case erlang:fun_info(F, module) of {_, gen_event} -> handler; _ -> terminate end;
    Do(source, [otp | _], _) -> terminate;
    Do(source, _, _) -> reason;
    Do(msg, {report, R}, M) -> Do({report, maps:get(pid, M, false)}, R, 0);
    Do(msg, {string, S}, M) -> {Do(line, Say(bin, S, 4096), M), false};
    Do(msg, W, M) -> case maps:get(emulator, maps:get(error_logger, M, M), false) of
      true -> Do(emulator, W, M); _ -> {Do(format, W, M), false} end;
    Do(format, {F, A}, M) -> Do(line, Say(bin, io_lib:format(F, Do(frame, A, 6), [{chars_limit, 4096}]), 4096), M);
    Do(line, B, M) -> Say(before, B, case {maps:is_key(crash_reason, M), maps:get(domain, M, [])} of
      {true, _} -> First; {_, [otp | _]} -> Colon; _ -> Parts end);
    Do(frame, {M, F, A, O}, _) when is_atom(M), is_atom(F), is_list(A), is_list(O) -> {M, F, length(A), O};
    Do(frame, {M, call, [X | _]}, _) when is_atom(M), is_atom(X) -> {M, call, [X, '...']};
    Do(frame, {M, call, [{X, N} | _]}, _) when is_atom(M), is_atom(X), is_atom(N) -> {M, call, [{X, N}, '...']};
    Do(frame, {M, F, A}, _) when is_atom(M), is_atom(F), is_list(A) -> {M, F, length(A)};
    Do(frame, X, D) when is_tuple(X), tuple_size(X) < 10, D > 0 ->
      list_to_tuple([Do(frame, K, D - 1) || K <- tuple_to_list(X)]);
    Do(frame, [X | _] = L, D) when D > 0, not is_integer(X) -> case catch lists:split(min(30, length(L)), L) of
      {H, K} when is_list(H) -> [Do(frame, I, D - 1) || I <- H] ++ K; _ -> L end;
    Do(frame, X, _) -> X;
    Do(crash, {W, P, N, I, C}, {X, S}) ->
      {Y, Z} = Do(split, X, S),
      {W, if is_pid(P) -> list_to_binary(pid_to_list(P)); true -> false end,
       if is_atom(N), N =/= false, N =/= [], N =/= undefined -> Say(bin, Say(text, N, 0), 200); true -> false end,
       case I of {M, F, A} when is_atom(M), is_atom(F) -> {M, F, Say(many, A, 0)}; _ -> false end,
       case {C, Y} of {false, {nocatch, _}} -> throw; _ -> C end,
       Say(bin, Do(type, Y, 0), 200), Say(bin, Do(said, Y, 0), 400), Do(stack, Z, 0)};
    Do(stack, S, _) -> case catch ets:match_spec_run(lists:sublist(S, 20), Frames) of
      L when is_list(L) -> L; _ -> [] end;
    Do(split, {X, [{M, F, _, O} | _] = S}, _) when is_atom(M), is_atom(F), is_list(O) -> {X, S};
    Do(split, {'EXIT', X}, S) -> Do(split, X, S);
    Do(split, X, S) -> {X, S};
    Do(type, X, _) when is_atom(X) -> Say(text, X, 0);
    Do(type, {nocatch, X}, _) -> Do(type, X, 0);
    Do(type, X, _) when is_tuple(X), tuple_size(X) > 0 -> Do(type, element(1, X), 0);
    Do(type, X, _) when is_map(X) -> case maps:get('__struct__', X, []) of
      S when is_atom(S), S =/= [] -> Say(text, S, 0); _ -> Say(shape, X, 0) end;
    Do(type, X, _) -> Say(shape, X, 0);
    Do(said, X, _) when is_map(X) ->
      G = fun(K) -> maps:get(K, X, undefined) end,
      case {G('__exception__'), G(message), {G(module), G(function), G(arity)}} of
        {true, B, _} when is_binary(B) -> Say(before, Say(bin, B, 200), First);
        {true, _, {M, F, A} = Z} when is_atom(M), is_atom(F), is_integer(A) -> Say(mfa, Z, 0);
        {true, _, _} -> lists:join(", ", [[Say(text, K, 0), " ", Say(shape, maps:get(K, X), 2)]
                          || K <- [key, term, original, value, reason], maps:is_key(K, X)]);
        _ -> Say(shape, X, 3) end;
    Do(said, {nocatch, X}, _) -> Say(shape, X, 3);
    Do(said, X, _) -> Say(shape, X, 3);
    Do({report, _}, R, _) when not is_map(R) -> {Do(told, R, value), false};
    Do({report, P}, R, _) -> case maps:get(label, R, none) of
      none -> {Do(told, R, value), false};
      L -> case catch Do(L, R, P) of
        {'EXIT', _} -> {[Say(shape, L, 2), ": ", Do(told, maps:get(report, R, maps:remove(label, R)), shape)], false};
        X -> X end end;
    Do({proc_lib, crash}, R, _) ->
      I = hd(maps:get(report, R)), {C, X, S} = Say(get, I, error_info),
      {[], Do(crash, {crash, Say(get, I, pid), Say(get, I, registered_name), Say(get, I, initial_call), C}, {X, S})};
    Do({gen_statem, terminate}, R, P) ->
      {C, X, S} = maps:get(reason, R), {[], Do(crash, {terminate, P, maps:get(name, R, false), false, C}, {X, S})};
    Do({gen_event, terminate}, R, P) -> X = maps:get(reason, R),
      {[], Do(crash, {handler, P, maps:get(name, R, false), false,
         case X of {'EXIT', {_, [{_, _, _, _} | _]}} -> error; _ -> false end}, {X, []})};
    Do({_, terminate}, R, P) ->
      {[], Do(crash, {terminate, P, maps:get(name, R, false), false, false}, {maps:get(reason, R), []})};
    Do({_, terminating}, R, P) -> I = maps:get(report, R),
      {[], Do(crash, {task, P, maps:get(name, I, false), false, false}, {maps:get(reason, I), []})};
    Do({supervisor, W}, M, _) ->
      R = maps:get(report, M),
      O = Do(pairs, case Say(get, R, offender) of false -> Say(get, R, started); K -> K end, 0),
      N = case Say(get, R, supervisor) of {_, J} -> J; J -> J end,
      P = Say(get, O, pid), I = Say(get, O, id), X = Say(get, R, reason),
      {["supervisor ", Say(shape, N, 2), ": ", Say(shape, W, 0), ", child ", Say(shape, I, 2), " ", Say(shape, P, 0),
        if X =:= false -> []; true -> [", reason ", Say(shape, element(1, Do(split, X, [])), 3)] end],
       if W =:= child_terminated -> Do(crash, {supervisor, P, I, false, false}, {X, []}); true -> false end};
    Do({error_logger, _}, R, _) -> {case maps:is_key(format, R) of
      true -> Do(format, {maps:get(format, R), maps:get(args, R)}, #{});
      _ -> Do(told, maps:get(report, R), value) end, false};
    Do(value, X, _) when is_integer(X) -> integer_to_list(X);
    Do(value, X, _) when is_binary(X), byte_size(X) < 500 -> X;
    Do(value, [X | _] = L, _) when is_integer(X) ->
      case io_lib:printable_unicode_list(L) of true -> lists:sublist(L, 500); _ -> Say(shape, L, 2) end;
    Do(value, X, _) -> Say(shape, X, 2);
    Do(shape, X, D) -> Say(shape, X, D);
    Do(pairs, X, _) when is_map(X) -> maps:to_list(X);
    Do(pairs, X, _) -> X;
    Do(told, X, V) -> case catch lists:join(", ", [[Say(text, K, 0), "=", Do(V, I, 2)]
          || {K, I} <- lists:sublist(Do(pairs, X, 0), 20), is_atom(K), not lists:member(K, Hidden)]) of
        [_ | _] = L when length(L) > 0 -> L; _ -> Do(V, X, 2) end;
    Do(emulator, {F, [P | A]}, M) when is_pid(P) ->
      case {binary:match(Say(bin, F, 4096), list_to_binary("maximum heap size")), lists:last([none | A])} of
        {{_, _}, _} -> {[], Do(crash, {heap, P, false, false, exit}, {killed, []})};
        {_, {X, S}} -> {[], Do(crash, {emulator, P, false, false, false}, {X, S})};
        _ -> {Do(format, {F, [P | A]}, M), false} end;
    Do(emulator, W, M) -> {Do(format, W, M), false};
    Do(L, R, _) ->
      {[Say(shape, L, 2), ": ", Do(told, maps:get(report, R, maps:remove(label, R)), shape)], false} end,
]=]

-- A fun of erl_eval holds, and is copied with, every variable that the text used before it, those of what
-- stands around this text too. So those that lie in the logger's and our table, and those that the worker and
-- the janitor keep, are made anew, with their own.
local RELAY = [=[
  Bare = fun(F, V) ->
    {value, X, _} = case erl_eval:fun_data(F) of
      {fun_data, _, C} -> erl_eval:expr({'fun', 1, {clauses, C}}, V);
      {named_fun_data, _, N, C} -> erl_eval:expr({named_fun, 1, N, C}, V);
      _ -> {value, F, V} end,
    X end,
  Filter = fun(E, {A, T, L, Q}) ->
    case case maps:get(level, E) of
           debug -> atomics:add_get(A, 3, 1) > 1;
           X -> atomics:add_get(A, 1, 1) > Q andalso (lists:member(X, L) orelse atomics:add_get(A, 2, 1) > Q) end of
      true -> stop;
      false -> catch (ets:lookup_element(T, tell, 2))(E), stop end end,
  Low = [debug, info, notice, warning], Plain = [#{}, #{domain => [elixir]}],
  Keys = [time, pid, mfa, line, domain],
  Count = case catch atomics:new(5, []) of {_, _} -> none; _ -> atomics:new(5, []) end,
  Tell = fun(R, T) -> Bare(fun(E) ->
    M = maps:get(meta, E), L = maps:get(level, E), W = maps:get(msg, E),
    R ! {Count, L, maps:with(Keys, M),
      catch case lists:member(L, Low) andalso lists:member(maps:with([crash_reason, domain], M), Plain) andalso W of
        {string, S} when byte_size(S) > 4096 -> binary:part(S, 0, 4096);
        {string, S} -> unicode:characters_to_binary(S);
        {F, A} when F =/= report -> unicode:characters_to_binary(io_lib:format(F, A, [{chars_limit, 2048}]));
        _ -> (ets:lookup_element(T, read, 2))(event, W, M) end} end,
    [{'Count', Count}, {'Keys', Keys}, {'Low', Low}, {'Plain', Plain}, {'R', R}, {'T', T}]) end,
]=] .. READ .. [=[
  State = {open, 0, idle}, Every = 2000, Quota = 20, Gate = 1000, Some = 4, Id = beamlens_log,
  Min = (fun() -> case [X || X <- [error | Low], atom_to_list(X) =:= binary_to_list(Level)] of
                    [X] -> X; _ -> info end end)(),
  Cut = fun Cut(B) when byte_size(B) > 2048 -> Cut(binary:part(B, 0, 2048));
            Cut(B) -> case unicode:characters_to_binary(B) of {_, X, _} -> X; X -> X end end,
  Event = Bare(fun(L, M, B, C) ->
    G = fun(K) -> maps:get(K, M, false) end,
    {case G(time) of X when is_integer(X) -> X; _ -> 0 end, L,
     case G(pid) of P when is_pid(P) -> list_to_binary(pid_to_list(P)); _ -> false end,
     case G(mfa) of {F, H, I} = Z when is_atom(F), is_atom(H), is_integer(I) -> Z; _ -> false end,
     case G(line) of N when is_integer(N) -> N; _ -> false end,
     case G(domain) of D when length(D) < 10 -> [U || U <- D, is_atom(U)]; _ -> [] end,
     if is_binary(B) -> Cut(B); true -> false end, C} end, [{'Cut', Bare(Cut, [])}]),
  Wake = Bare(fun({G, N, idle}) -> erlang:send_after(100, self(), {Count, beat}), {G, N, beat};
                 (S) -> S end, [{'Count', Count}]),
  Shut = Bare(fun(X, S) -> catch logger:set_handler_config(Id, level, X),
    self() ! {Count, {shut, X, S * 10}}, {X, 10, idle} end, [{'Count', Count}, {'Id', Id}]),
  Grant = Bare(fun(I) ->
    C = atomics:exchange(Count, I, 0), atomics:add(Count, I, max(0, min(C, Quota) - Quota div 2)), C end,
    [{'Count', Count}, {'Quota', Quota}]),
  Full = Bare(fun() -> lists:all(fun(I) -> atomics:get(Count, I) =< 0 end, [1, 2, 3]) end, [{'Count', Count}]),
  Tick = Bare(fun({G, N, _}) ->
    C = Grant(2), S = Grant(1),
    D = max(0, S - Quota) - min(C, Quota), B = atomics:exchange(Count, 3, 0),
    atomics:add(Count, 4, B),
    if D > 0 -> self() ! {Count, drop, D}; true -> ok end,
    case {G, C - Quota > Gate, D > Gate, B > Gate} of
      {none, _, _, _} when N > 1 -> Wake({G, N - 1, idle});
      {_, true, _, _} -> Wake(Shut(none, S));
      {_, _, true, _} when G =/= error -> Wake(Shut(error, S));
      {open, _, _, true} -> Wake(Shut(info, B));
      {open, _, _, _} -> case Full() of true -> {open, 0, idle}; _ -> Wake({open, 0, idle}) end;
      _ when N > 1 -> Wake({G, N - 1, idle});
      _ -> catch logger:set_handler_config(Id, level, Min), Wake({open, 0, idle}) end end,
    [{'Count', Count}, {'Full', Full}, {'Gate', Gate}, {'Grant', Grant}, {'Id', Id}, {'Min', Min}, {'Quota', Quota},
     {'Shut', Shut}, {'Wake', Wake}]),
  Take = Bare(fun(M, S) -> case M of
    {Count, debug, X, B} when is_binary(B) -> case atomics:add_get(Count, 5, 1) > Some of
      true -> {none, Wake(S)};
      _ -> {event, Event(debug, X, B, false), Wake(S)} end;
    {Count, L, X, B} when is_binary(B) -> {event, Event(L, X, B, false), Wake(S)};
    {Count, L, X, {'EXIT', _}} -> {event, Event(L, X, false, false), Wake(S)};
    {Count, L, X, {B, C}} -> {event, Event(L, X, B, C), Wake(S)};
    {Count, beat} -> {none, Tick(S)};
    {Count, drop, N} -> {drop, N, S};
    {Count, P} -> {event, P, S};
    _ -> {none, S} end end, [{'Count', Count}, {'Event', Event}, {'Some', Some}, {'Tick', Tick},
     {'Wake', Wake}]),
  Beat = Bare(fun(S) ->
    atomics:put(Count, 5, 0),
    case atomics:exchange(Count, 4, 0) of 0 -> ok; N -> self() ! {Count, {debug, N}} end,
    case Full() of true -> S; _ -> Wake(S) end end, [{'Count', Count}, {'Full', Full}, {'Wake', Wake}]),
  On = fun(R) ->
    case erlang:function_exported(logger, add_handler, 3) andalso Count =/= none of
      true ->
        T = ets:new(Id, [{read_concurrency, true}]),
        Held = [{'Colon', Colon}, {'First', First}, {'Frames', Frames}, {'Hidden', Hidden}, {'Parts', Parts}],
        ets:insert(T, [{read, Bare(Read, Held ++ [{'Say', Bare(Say, [])}])}, {tell, Tell(R, T)}]),
        C = #{level => Min, filter_default => stop, filters => [{Id, {Bare(Filter, []), {Count, T, Low, Quota}}}]},
        Left = fun({ok, #{filters := [{_, {_, {_, X, _, _}}}]}}) -> catch ets:info(X, size); (_) -> none end,
        case logger:add_handler(Id, logger, C) of
          ok -> ok;
          {error, {already_exist, _}} -> case Left(logger:get_handler_config(Id)) of
            undefined -> logger:remove_handler(Id), logger:add_handler(Id, logger, C);
            _ -> {taken, "another beamlens-run listens to this node's log, and there is one tap: wait for its end"} end;
          _ -> {missing, "the node's logger took no handler"} end;
      _ -> {missing, "the node has no logger that takes handlers (Erlang/OTP before 21.2)"} end end,
  Off = Bare(fun(_) -> case logger:get_handler_config(Id) of
      {ok, #{filters := [{_, {_, {A, _, _, _}}}]}} when A =:= Count -> logger:remove_handler(Id);
      _ -> ok end end, [{'Count', Count}, {'Id', Id}]),
]=]

-- What stands in a payload was made by the filter; what it holds was made by anybody.
local function text(v) return type(v) == "string" and v or nil end
local function number(v) return type(v) == "number" and v or nil end
local function word(v) return v and (tostring(v):gsub("^Elixir%.", "")) or nil end

local function func_of(mfa)
  if type(mfa) ~= "table" then return end
  return ("%s:%s/%s"):format(word(mfa[1]), tostring(mfa[2]), tostring(mfa[3]))
end

local function stack_of(frames)
  local stack = {}
  for i, frame in ipairs(frames) do
    local file = type(frame[4]) ~= "table" and frame[4]
    stack[i] = { func = func_of(frame), file = file and tostring(file):sub(1, 120) or nil, line = number(frame[5]) }
  end
  return stack
end

local function crash_of(c)
  if type(c) ~= "table" then return end
  local crash = { source = tostring(c[1]), pid = text(c[2]), name = text(c[3]) or func_of(c[4]),
    class = word(c[5]), type = text(c[6]), text = text(c[7]), stack = stack_of(c[8]) }
  local top = crash.stack[1]
  if crash.source == "heap" then
    crash.text = "maximum heap size reached"
  elseif top and crash.type == "undef" then
    crash.text = "undefined function " .. top.func
  elseif top and crash.type == "function_clause" then
    crash.text = "no clause of " .. top.func .. " matches"
  end
  return crash
end

local WHAT = { crash = "process crashed", terminate = "terminating", task = "task terminating",
  handler = "event handler crashed", emulator = "error in process", heap = "process killed", reason = "crash" }

-- One line of what was not told as text, for that would hold what must not leave.
local function told(crash, pid)
  if not crash then return "(an event that could not be read)" end
  local top = crash.stack[1]
  return ("%s %s: %s%s%s"):format(crash.name or crash.pid or pid or "?", WHAT[crash.source] or crash.source,
    crash.class and crash.class .. " " or "", crash.text or crash.type or "?",
    top and (" in %s%s"):format(top.func, top.line and (" line %d"):format(top.line) or "") or "")
end

local function read(p)
  if tostring(p[1]) == "shut" then return { shut = tostring(p[2]), per_second = p[3] } end
  if tostring(p[1]) == "debug" then return { debug = number(p[2]) } end
  local crash, domain = crash_of(p[8]), {}
  for i, name in ipairs(p[6]) do domain[i] = word(name) end
  local message = text(p[7])
  if not message or message == "" then message = told(crash, text(p[3])) end
  local top = crash and crash.stack[1] -- the line of who reports a crash tells nothing
  local mfa = not top and type(p[4]) == "table" and p[4] or nil
  return {
    unix_us = number(p[1]), us = number(p[1]), level = tostring(p[2]), message = message, pid = text(p[3]),
    module = mfa and word(mfa[1]) or top and top.func:match "^(.-):" or nil,
    func = mfa and func_of(mfa) or top and top.func or nil, line = not top and number(p[5]) or top and top.line or nil,
    domain = domain[1] and table.concat(domain, ".") or nil, crash = crash,
  }
end

return {
  name = "log",
  about = "what the node logs, crashes among it, without arguments, states and messages",
  class = "SAFE",
  keep = 1000,
  per_second = 200,
  variables = { Level = "debug" },
  text = RELAY,
  read = read,
}
