%% Supervision trees with a known trait, for the specs of the sup skill.
-module(grove).
-compile([export_all, nowarn_export_all]).

%% Starts a supervisor that outlives the process which asked for it.
plant(Name, Flags, Specs) ->
    Me = self(),
    spawn(fun() ->
        process_flag(trap_exit, true),
        {ok, Pid} = supervisor:start_link({local, Name}, grove, {Flags, Specs}),
        Me ! {Name, Pid},
        receive {'EXIT', Pid, _} -> ok end
    end),
    receive {Name, Pid} -> Pid end.

init({Flags, Specs}) -> {ok, {Flags, Specs}};
init(Bridge) when is_atom(Bridge) -> ignore.

worker(Id) -> worker(Id, leaf).
worker(Id, Fun) -> #{id => Id, start => {grove, Fun, []}}.

under(Id, Name, Specs) ->
    #{id => Id, type => supervisor,
      start => {supervisor, start_link, [{local, Name}, grove, {#{}, Specs}]}}.

%% A worker with a registered name.
named(Id, Name) -> #{id => Id, start => {grove, known, [Name]}}.
known(Name) -> proc_lib:start_link(grove, be, [Name]).
be(Name) -> register(Name, self()), proc_lib:init_ack({ok, self()}), wait().

%% A public table with these rows, and somebody who keeps it.
keep(Name, Rows) ->
    Me = self(),
    spawn(fun() ->
        ets:new(Name, [named_table, public]),
        ets:insert(Name, Rows),
        Me ! {Name, kept},
        receive stop -> ok end
    end),
    receive {Name, kept} -> ok end.

%% As an application: its top supervisor with one named worker.
start(_, _) -> supervisor:start_link({local, orchard_top}, grove, {#{}, [named(second, orchard_second)]}).
stop(_) -> ok.

leaf() -> {ok, proc_lib:spawn_link(grove, wait, [])}.
wait() -> receive stop -> ok; {exit, Why} -> exit(Why) end.

%% Does not end with its supervisor.
stubborn() -> {ok, proc_lib:spawn_link(fun() -> process_flag(trap_exit, true), deaf() end)}.
deaf() -> receive stop -> ok; _ -> deaf() end.

%% Its supervisor will not hear of its end.
loose() -> {ok, Pid} = leaf(), unlink(Pid), {ok, Pid}.

%% Takes as long to start as somebody wants.
slow() -> receive go -> leaf() end.

absent() -> ignore.

%% Cannot be started a second time, until it may.
once() ->
    case persistent_term:get(grove_once, free) of
        free -> persistent_term:put(grove_once, taken), leaf();
        taken -> {error, taken}
    end.

%% Ends by itself so soon.
brief() -> {ok, proc_lib:spawn_link(fun() -> receive after 30 -> exit(brief) end end)}.

child(Name, Id) ->
    {Id, Pid, _, _} = lists:keyfind(Id, 1, supervisor:which_children(Name)),
    Pid.

%% Until that holds: what changes on a node does so in its own time.
until(Fun) -> case Fun() of true -> true; _ -> erlang:yield(), until(Fun) end.

fell(Name) ->
    Pid = whereis(Name),
    Ref = monitor(process, Pid),
    exit(Pid, kill),
    receive {'DOWN', Ref, _, _, _} -> Pid end.

%% What a compiled tool does for a tree.
walk(Name) ->
    lists:sum([1 + case Type of supervisor when is_pid(Pid) -> walk(Pid); _ -> 0 end
               || {_, Pid, Type, _} <- supervisor:which_children(Name)]).
