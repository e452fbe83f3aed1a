-- The tables of the form that RabbitMQ 3.10 keeps, on a live node; RabbitMQ itself is asked by `make real-nodes`.
-- Channels are processes, and what of them did anything is compared with what they were told to do.
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local rabbitmq = assert(skill.open "rabbitmq")

-- Two connections: one opens 5 channels for each that it closes in the time of a look, the other has 3 that work and
-- consume.
local TABLES = [==[
  Make = fun(T) -> ets:new(T, [named_table, public]) end,
  Open = fun(C, Work) -> P = spawn(fun Go() -> receive stop -> ok after case Work of true -> 10; _ -> infinity end ->
      Go() end end), N = ets:info(channel_created, size) + 1,
    ets:insert(channel_created, {P, [{pid, P}, {name, list_to_binary(integer_to_list(N))}, {connection, C},
      {number, N}, {user, list_to_binary("shop")}]}), P end,
  Connection = fun(Name) -> C = spawn(fun Go() -> receive {'$gen_call', {P, R}, {info, [state]}} ->
      P ! {R, {ok, [{state, get(state)}]}}, Go(); {state, S} -> put(state, S), Go() end end),
    C ! {state, running},
    ets:insert(connection_created, {C, [{type, network}, {pid, C}, {protocol, {0, 9, 1}}, {name, list_to_binary(Name)},
      {user, list_to_binary("shop")}, {vhost, list_to_binary("/")}, {channel_max, 2047}]}), C end,
  {ok, rabbit_alarm, Code} = compile:forms([{attribute, 1, module, rabbit_alarm},
    {attribute, 1, export, [{get_alarms, 0}]}, {function, 1, get_alarms, 0, [{clause, 1, [], [],
      [{call, 1, {remote, 1, {atom, 1, persistent_term}, {atom, 1, get}}, [{atom, 1, alarms}]}]}]}], []),
  code:load_binary(rabbit_alarm, "", Code),
  persistent_term:put(alarms, []),
  Self = self(),
  spawn(fun() -> register(rabbit_sup, self()),
    [Make(T) || T <- [channel_created, connection_created, consumer_created]],
    register(rabbit_alarm, spawn(fun() -> receive stop -> ok end end)),
    Busy = Connection("10.0.0.2:4001 -> 10.0.0.1:5672"),
    [ets:insert(consumer_created, {{q, Open(Busy, true), t}, false, true, 20, true, up, []}) || _ <- [1, 2, 3]],
    Leak = Connection("10.0.0.3:4002 -> 10.0.0.1:5672"), register(leak, Leak),
    [Open(Leak, false) || _ <- lists:seq(1, 40)],
    [ets:insert(connection_created, {P, [{pid, P}, {protocol, Protocol}, {type, Type}]}) || {Name, Type, Protocol} <- [
      {shovel, direct, {'Direct', {0, 9, 1}}}, {amqp_1, network, {1, 0}}],
      P <- [spawn(fun() -> receive _ -> ok end end)], register(Name, P)],
    Self ! made,
    (fun Go() -> receive more -> First = Open(Leak, false), [Open(Leak, false) || _ <- lists:seq(1, 4)],
      ets:delete(channel_created, First), Go() end end)() end),
  receive made -> ok end.]==]

describe("the rabbitmq skill", function()
  local at, bare

  setup(function()
    at, bare = live.start { code = TABLES }, live.start {}
  end)

  teardown(live.stop_all)


  it("counts what RabbitMQ has tables of", live.test(function()
    local seen = assert(skill.snapshot(rabbitmq, at.node))
    assert.same({ 0, 4, 3 }, { seen.alarm_count, seen.connection_count, seen.consumer_count })
    assert.equal(at.eval "ets:info(channel_created, size).", seen.channel_count)
  end))

  it("says that RabbitMQ is not there where it is not", live.test(function()
    local why = "RabbitMQ does not run on this node, or has not started yet"
    assert.same({ unavailable = why }, skill.snapshot(rabbitmq, bare.node))
    assert.same({ unavailable = why }, skill.call(rabbitmq, "rabbitmq_alarms", {}, bare.node))
    assert.same({ unavailable = why }, skill.call(rabbitmq, "rabbitmq_connections", {}, bare.node))
    assert.equal(why, skill.available(rabbitmq, bare.node))
  end))

  it("shows the connection with most channels first, and what came and went meanwhile", live.test(function()
    at.eval "timer:send_after(300, whereis(rabbit_sup), more), ok."
    local seen = assert(skill.call(rabbitmq, "rabbitmq_connections", { 5, 1000 }, at.node))
    local row = seen.connections[1]
    assert.same({ "10.0.0.3:4002 -> 10.0.0.1:5672", "shop", 40, 44, 4, 0, 40, 0 },
      { row.name, row.user, row.before, row.channels, row.opened, row.closed, row.idle, row.consuming })
  end))

  it("tells the channels that worked and consume from those that did nothing", live.test(function()
    local seen = assert(skill.call(rabbitmq, "rabbitmq_connections", { 5, 500 }, at.node))
    local row = seen.connections[2]
    assert.same({ 3, 0, 3 }, { row.channels, row.idle, row.consuming })
  end))

  it("has the alarms, and the connections that they stopped", live.test(function()
    at.eval [[persistent_term:put(alarms, [{{resource_limit, memory, node()}, []}]),
      whereis(leak) ! {state, blocked}, ok.]]
    local seen = assert(skill.call(rabbitmq, "rabbitmq_alarms", {}, at.node))
    assert.same({ { resource = "memory", node = at.name, here = true } }, seen.alarms)
    assert.same({ 2, 1, { { name = "10.0.0.3:4002 -> 10.0.0.1:5672", user = "shop" } } },
      { seen.asked, seen.blocked, seen.stopped })
  end))

  it("asks no connection that a question would end", live.test(function()
    assert(skill.call(rabbitmq, "rabbitmq_alarms", {}, at.node))
    assert.is_true(at.eval "is_pid(whereis(shovel)) andalso is_pid(whereis(amqp_1)).")
  end))
end)
