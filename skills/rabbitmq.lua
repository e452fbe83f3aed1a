--- RabbitMQ: its alarms, and the channels that clients hold, from the tables that it keeps itself. What its
--- management plugin adds is not needed. No message is read, and no queue is asked.

local texts = ...

local UNAVAILABLE = { unavailable = "RabbitMQ does not run on this node, or has not started yet" }

-- Its tables and its alarms are there once it has started.
local THERE = "is_integer(ets:info(channel_created, size)) andalso is_pid(whereis(rabbit_alarm))"
local IF_THERE, ELSE = "case " .. THERE .. " of true ->\n", "; _ -> #{} end."

local COUNT = texts.words .. [=[
  Size = fun(T) -> case ets:info(T, size) of N when is_integer(N) -> N; _ -> 0 end end,
]=]

-- An alarm of any node of the cluster stops who publishes at every node of it. Others have a name alone.
local ALARMS = COUNT .. [=[
  Raised = [case A of {{resource_limit, R, X}, _} -> {R, X}; {R, _} -> {R, node()} end
    || A <- rabbit_alarm:get_alarms()],
]=]

-- Who the connections are: the tables' own lists, whose order is that of every release since 3.6. Of channels the
-- owner alone is copied, and where there are very many only of those with a number that few connections reach;
-- the number of a channel is the lowest one that is free. To be opened costs a channel 870 reductions once, a message
-- 310: of what did less than 1,000, nothing was asked.
local CHANNELS = COUNT .. [=[
  T = channel_created,
  Least = case Size(T) of N when N > 20000 -> 64; _ -> 0 end,
  Owners = ets:select(T, [{{'_', [{pid, '_'}, {name, '_'}, {connection, '$1'}, {number, '$2'} | '_']},
                           [{'>', '$2', Least}], ['$1']}]),
  First = lists:sublist(lists:reverse(lists:keysort(2, maps:to_list(
    lists:foldl(fun(P, A) -> maps:put(P, maps:get(P, A, 0) + 1, A) end, #{}, Owners)))), Limit),
  Of = fun(P) -> lists:usort(ets:select(T,
    [{{'$1', [{pid, '_'}, {name, '_'}, {connection, P} | '_']}, [], ['$1']}])) end,
  Work = fun(H) -> lists:zip(H, lists:zipwith(fun erlang:process_info/2, H,
    lists:duplicate(length(H), reductions))) end,
  Idle = fun(A, M) -> length([P || {P, {_, X}} <- A, {_, Y} <- [maps:get(P, M, gone)], Y - X < 1000]) end,
  Told = fun(P) -> case ets:lookup(connection_created, P) of [{_, L}] -> L; _ -> [] end end,
  Word = fun(X) when is_binary(X) -> binary:part(X, 0, min(200, byte_size(X)));
            (X) when is_atom(X), X =/= '', X =/= undefined -> Text(X); (_) -> undefined end,
]=]

local LIMIT = { name = "limit", type = "integer", min = 1, max = 20, default = 5 }
local WINDOW = { name = "window_ms", type = "integer", min = 100, max = 10000, default = 1500, waits = true }

local function asked(query)
  return function(node, args)
    local found, err = node.ask(query, args)
    if found and next(found) == nil then return UNAVAILABLE end
    return found, err
  end
end

---@type Skill
return {
  name = "rabbitmq",
  title = "RabbitMQ",
  about = "A RabbitMQ server: its alarms and the publishers they stop, connections and the channels they hold.",
  needs = "RabbitMQ on the node",

  prompt = [[
You look after a RabbitMQ server from inside its node.
An alarm (memory, disk) of any node of the cluster stops every publisher at all of them, and nothing else tells them.
A channel is opened once and used again; an application needs a few for each connection. Channels that only become
more, or hundreds that do nothing and consume nothing, are leaked by the client.
Worth a notification: an alarm; a connection whose channels only become more, or come near its channel_max.
Not worth one: a channel for each consumer or thread that is in use, channels that are opened and closed.
Name the connection by its name and user, with its channels now and before, and how many of them did anything.]],

  snapshot = asked "totals",

  available = function(node)
    local found, err = node.ask "present"
    if found == nil then return tostring(err) end
    return found and true or UNAVAILABLE.unavailable
  end,

  queries = {
    present = THERE .. ".",

    totals = IF_THERE .. ALARMS .. [=[
  #{alarm_count => length(Raised), connection_count => Size(connection_created),
    channel_count => Size(channel_created), consumer_count => Size(consumer_created),
    queue_count => Size(rabbit_queue)}]=] .. ELSE,

    -- Connections are asked all at once, 200 at most, and together have a second. Who does not answer in time answers
    -- to a process that is no more. Only AMQP 0-9-1 over a socket is asked, whose protocol is three numbers: a question
    -- for its state is the end of a direct connection (a shovel, a federation link) and of one of AMQP 1.0.
    alarms = IF_THERE .. ALARMS .. [=[
  L = case ets:select(connection_created, [{{'$1', '$2'}, [], ['$_']}], 200) of {X, _} -> X; _ -> [] end,
  R = [{monitor(process, P), P, I} || {P, I} <- L, Get(type, I) =:= network, {_, _, _} <- [Get(protocol, I)]],
  lists:foreach(fun({X, P, _}) -> P ! {'$gen_call', {self(), X}, {info, [state]}} end, R),
  E = Now() + 1000,
  States = [{I, receive {X, {ok, [{state, Y}]}} -> Y; {X, _} -> none; {'DOWN', X, _, _, _} -> none
    after max(0, E - Now()) -> silent end} || {X, _, I} <- R],
  In = fun(Y) -> [I || {I, X} <- States, X =:= Y] end,
  F = ets:info(rabbit_disk_monitor, size),
  Big = fun(N) when is_number(N) -> Mb(N); (_) -> undefined end,
  Share = fun(N) when is_float(N) -> N; (_) -> undefined end,
  Disk = fun(K) when is_integer(F) -> Big(proplists:get_value(K, ets:lookup(rabbit_disk_monitor, K)));
            (_) -> undefined end,
  Some([{alarms, [#{resource => Text(K), node => Text(N), here => N =:= node()} || {K, N} <- lists:usort(Raised)]},
    {memory_mb, Mb(erlang:memory(total))}, {memory_limit_mb, Big(catch vm_memory_monitor:get_memory_limit())},
    {watermark, Share(catch vm_memory_monitor:get_vm_memory_high_watermark())},
    {disk_free_mb, Disk(disk_free)}, {disk_limit_mb, Disk(disk_free_limit)},
    {connections, Size(connection_created)}, {asked, length(R)}, {blocked, length(In(blocked))},
    {blocking, length(In(blocking))}, {silent, length(In(silent))},
    {stopped, [Some([{name, Get(name, I)}, {user, Get(user, I)}]) || I <- lists:sublist(In(blocked), 10)]}])]=] .. ELSE,

    connections = IF_THERE .. CHANNELS .. [=[
  B = Now(),
  Was = [{P, Work(Of(P))} || {P, _} <- First],
  receive after WindowMs -> ok end,
  Use = case Size(consumer_created) of X when X > 200000 -> many; _ ->
    lists:usort(ets:select(consumer_created, [{'$1', [], [{element, 2, {element, 1, '$1'}}]}])) end,
  Row = fun({P, W}) ->
    H = Of(P), Old = [C || {C, _} <- W], I = Told(P), Open = ordsets:subtract(H, Old),
    Some([{pid, Show(P)}, {name, Word(Get(name, I))}, {given_name, Word(Get(user_provided_name, I))},
      {user, Word(Get(user, I))}, {vhost, Word(Get(vhost, I))}, {channel_max, Get(channel_max, I)},
      {channels, length(H)}, {before, length(W)}, {opened, length(Open)}, {closed, length(ordsets:subtract(Old, H))},
      {idle, Idle(W, maps:from_list(Work(H)))},
      {consuming, case Use of many -> undefined; _ -> length(ordsets:intersection(H, Use)) end}]) end,
  Rows = lists:map(Row, Was),
  #{seconds => Since(B), total => Size(connection_created), showing => length(Rows), channels => Size(T),
    connections => Rows}]=] .. ELSE,
  },

  callbacks = {
    rabbitmq_alarms = {
      doc = "Alarms of the cluster, what memory and disk are to their limits, and the connections that alarms stopped.",
      class = "SAFE",
      cost = "one question to RabbitMQ's alarm process, two to its memory monitor, one to each of up to 200 "
        .. "connections",
      returns = { "alarms[]: resource (memory, disk, …), node, here (it is this node's)",
        "memory_mb (as the VM counts it)", "memory_limit_mb", "watermark (a share of the machine's, if so set)",
        "disk_free_mb", "disk_limit_mb", "connections (in all)", "asked (of AMQP 0-9-1)",
        "blocked (of these: published, and are stopped)",
        "blocking (will be, if they publish)", "silent (did not answer within 1 s)", "stopped[] (10): name, user" },
      run = asked "alarms",
    },
    rabbitmq_connections = {
      doc = "The connections with most channels, at two looks: opened and closed meanwhile, and how many did nothing.",
      args = { LIMIT, WINDOW },
      class = "SAFE",
      cost = "reads who owns each channel; one item of the channels of those shown, twice, none of them woken; where "
        .. "there are over 20,000 channels only those beyond the 64th of a connection are looked for",
      returns = { "seconds", "total", "showing", "channels (in all)",
        "connections[]: pid, name, given_name, user, vhost, channel_max (0: none), channels, before, opened, closed, "
          .. "idle (less work between the looks than three messages are), consuming (have a consumer)" },
      run = asked "connections",
    },
  },
}
