%% Processes with a known trait, for the specs of skills: what a skill says of them is compared
%% with what the node says of them by another road.
-module(crowd).
-compile([export_all, nowarn_export_all]).

start(Name, Fun) -> start(Name, Fun, []).
start(Name, Fun, Options) ->
    Pid = spawn_opt(fun() -> register(Name, self()), Fun() end, Options),
    (fun Wait() -> whereis(Name) =:= Pid orelse begin erlang:yield(), Wait() end end)(),
    Pid.

settled(Pid) ->
    case process_info(Pid, current_function) of
        {current_function, {crowd, hold, 1}} -> Pid;
        _ -> settled(Pid)
    end.

stop(Name) ->
    case whereis(Name) of
        undefined -> ok;
        Pid -> Ref = monitor(process, Pid), exit(Pid, kill), receive {'DOWN', Ref, _, _, _} -> ok end
    end.

idle() -> receive stop -> ok end.

%% A heap that nothing refers to any more, and one that something does.
waster() -> _ = length(lists:seq(1, 200000)), idle().
keeper() -> L = lists:seq(1, 200000), receive stop -> length(L) end.

spin(N) -> spin(N + 1).

%% A mailbox nobody reads, with this many messages in it.
deaf(Name, Messages) ->
    Pid = start(Name, fun idle/0),
    [Pid ! {noise, N} || N <- lists:seq(1, Messages)],
    Pid.

%% Starts processes that end at once, without a pause.
breed() -> [spawn(fun() -> ok end) || _ <- lists:seq(1, 200)], breed().

%% One that holds this many words, all of them in use.
heavy(Name, Words) -> settled(start(Name, fun() -> hold(lists:seq(1, Words div 2)) end)).
hold(Term) -> receive stop -> Term end.

%% Does Fun every few milliseconds.
every(Name, Ms, Fun) -> start(Name, fun() -> every(Ms, Fun) end).
every(Ms, Fun) -> Fun(), receive after Ms -> every(Ms, Fun) end.

%% Its list becomes longer by this many elements every 5 ms.
hoarder(Name, Step) -> start(Name, fun() -> hoard([], Step) end).
hoard(Kept, Step) -> receive after 5 -> hoard(lists:seq(1, Step) ++ Kept, Step) end.

%% Works a third more in each 50 ms than in those before.
climber(Name) -> start(Name, fun() -> climb(1000.0) end).
climb(Work) -> lists:seq(1, round(min(Work, 3.0e6))), receive after 50 -> climb(Work * 1.33) end.

%% Took binaries in, passed them on, and has not collected its garbage since.
proxy(Name, Binaries, Bytes) ->
    Pid = start(Name, fun proxy/0),
    [Pid ! binary:copy(<<N:8>>, Bytes) || N <- lists:seq(1, Binaries)],
    (fun Wait() -> process_info(Pid, message_queue_len) =:= {message_queue_len, 0} orelse Wait() end)(),
    Pid.
proxy() -> receive Binary when is_binary(Binary) -> _ = byte_size(Binary), proxy() end.

%% The same, but it keeps them.
keeper(Name, Binaries, Bytes) ->
    settled(start(Name, fun() -> hold([binary:copy(<<N:8>>, Bytes) || N <- lists:seq(1, Binaries)]) end)).

atoms(Name, PerTurn) -> start(Name, fun() -> atoms(PerTurn) end).
atoms(PerTurn) ->
    [list_to_atom("crowd_" ++ integer_to_list(erlang:unique_integer([positive]))) || _ <- lists:seq(1, PerTurn)],
    receive after 5 -> atoms(PerTurn) end.
