-- Sockets on a live node. What inet and socket say of the same ones is the other road.
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local ports = assert(skill.open "ports")

local QUAY = [=[
  Me = self(),
  spawn(fun() -> register(quay, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]), {ok, N} = inet:port(L),
    {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, [binary, {active, true}]), {ok, A} = gen_tcp:accept(L),
    ok = gen_tcp:send(C, lists:duplicate(5000, 1)), {ok, _} = gen_tcp:recv(A, 5000),
    Me ! {[list_to_binary(erlang:port_to_list(P)) || P <- [L, C, A]], N, L},
    (fun Loop() -> receive {say, X, F} -> ok = gen_tcp:send(A, X), F ! said, Loop(); stop -> ok end end)()
  end),
  receive {Ids, N, L} when is_port(L) -> [N | Ids] end.]=]

local function find(rows, id)
  for _, row in ipairs(rows) do if row.id == id then return row end end
end

describe("ports skill, sockets", function()
  local at, callback, eval, number, listener, client, server

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(ports, at.node)
    live.test(function() number, listener, client, server = unpack(eval(QUAY)) end)()
  end)

  teardown(function() live.stop_all() end)

  it("shows addresses and bytes of every socket", live.test(function()
    local row = find(callback.ports_list_inet().sockets, server)
    assert.same({ "tcp_inet", "quay", "127.0.0.1:" .. number, 4.88 },
      { row.type, row.connected_name, row.local_addr, row.input_kb })
    local other = eval("{ok, {_, N}} = inet:sockname(list_to_port(binary_to_list(Id))), N.", { Id = client })
    assert.equal("127.0.0.1:" .. other, row.remote_addr)
  end))

  it("counts all sockets", live.test(function()
    local count = eval [[length([P || P <- erlang:ports(), {name, N} <- [erlang:port_info(P, name)],
      lists:member(N, ["tcp_inet", "udp_inet", "sctp_inet"])]).]]
    local list = callback.ports_list_inet()
    assert.same({ count, count, count }, { list.total, list.showing, callback.ports_top_by_buffer(1).total })
  end))

  it("writes an address of IPv6 so that its port can be told", live.test(function()
    local id = eval [[Me = self(), spawn(fun() -> register(six, self()), {ok, L} = gen_tcp:listen(0, [inet6]),
      {ok, N} = inet:port(L), Me ! {six, [list_to_binary(erlang:port_to_list(L)), N]}, receive stop -> ok end end),
      receive {six, X} -> X end.]]
    local row = find(callback.ports_list_inet().sockets, id[1])
    eval "six ! stop."
    assert.equal("[::]:" .. id[2], row.local_addr)
  end))

  it("shows the path of a local socket", live.test(function()
    local path = at.home .. "/jetty"
    local id = eval([[Me = self(), spawn(fun() -> register(jetty, self()),
      {ok, L} = gen_tcp:listen(0, [binary, {ifaddr, {local, Path}}]),
      Me ! {jetty, list_to_binary(erlang:port_to_list(L))},
      receive stop -> ok end end), receive {jetty, X} -> X end.]], { Path = path })
    local row = find(callback.ports_list_inet().sockets, id)
    eval "jetty ! stop."
    assert.equal("local:" .. path, row.local_addr)
  end))

  it("gives the counters of one socket as inet does", live.test(function()
    local stats = callback.ports_inet_stats(server)
    local said = eval([[{ok, L} = inet:getstat(list_to_port(binary_to_list(Id)),
      [recv_cnt, recv_oct, send_cnt, send_oct, send_pend]), maps:from_list(L).]], { Id = server })
    said.id = server
    assert.same(said, stats)
    assert.equal(5000, stats.recv_oct)
  end))

  it("asks no other port for the counters of a socket", live.test(function()
    local fd = eval [[hd([list_to_binary(erlang:port_to_list(P)) || P <- erlang:ports(),
      erlang:port_info(P, name) =:= {name, "forker"}]).]]
    assert.error_matches(function() callback.ports_inet_stats(fd) end, "is no socket; ports_info tells of any port")
    assert.error_matches(function() callback.ports_inet_stats "#Port<0.99999>" end, "no such socket now")
    assert.error_matches(function() callback.ports_inet_stats "#Socket<0.1.2.3>" end, "no such socket now")
  end))

  it("ranks active sockets by what waits in their owners' mailboxes", live.test(function()
    eval([[quay ! {say, lists:duplicate(2000, 1), self()}, receive said -> ok end,
      (fun Wait() -> case process_info(whereis(quay), message_queue_len) of
        {_, 0} -> erlang:yield(), Wait(); _ -> ok end end)().]])
    local row = find(callback.ports_top_by_buffer(50, "recv").ports, client)
    local recbuf = eval("{ok, [{_, X}]} = inet:getopts(list_to_port(binary_to_list(Id)), [recbuf]), X.",
      { Id = client })
    assert.equal(eval "element(2, process_info(whereis(quay), message_queue_len)).", row.owner_message_queue)
    assert.same({ "true", recbuf / 1024 }, { row.active, row.recbuf_kb })
    assert.equal("false", find(callback.ports_top_by_buffer(50, "recv").ports, listener).active)
  end))
end)

describe("ports skill, sockets of the socket module", function()
  local at, callback, eval, id, number

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(ports, at.node)
  end)

  teardown(function() live.stop_all() end)

  it("loads that module for nobody", live.test(function()
    eval "code:purge(socket), code:delete(socket), code:purge(socket)."
    callback.ports_list_inet()
    assert.is_false(eval "erlang:module_loaded(socket).")
  end))

  it("lists them beside the ports, with the counters that socket:info gives", live.test(function()
    id, number = unpack(eval [=[Me = self(), spawn(fun() -> register(mole, self()),
      {ok, L} = socket:open(inet, stream, tcp),
      ok = socket:bind(L, #{family => inet, addr => {127, 0, 0, 1}, port => 0}),
      ok = socket:listen(L), {ok, #{port := N}} = socket:sockname(L),
      {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, [binary, {active, false}]), {ok, A} = socket:accept(L),
      ok = gen_tcp:send(C, lists:duplicate(4096, 1)), {ok, _} = socket:recv(A, 4096),
      {'$socket', R} = A, Me ! {mole, ["Socket" ++ lists:nthtail(4, ref_to_list(R)), N]},
      receive stop -> {C, L} end end),
      receive {mole, [T, N]} -> [list_to_binary("#" ++ T), N] end.]=])
    local row = find(callback.ports_list_inet().sockets, id)
    assert.same({ "socket_tcp", "mole", "127.0.0.1:" .. number, 4 },
      { row.type, row.connected_name, row.local_addr, row.input_kb })
  end))

  it("takes the id of such a socket back", live.test(function()
    local stats = callback.ports_inet_stats(id)
    assert.same({ id, 4096, 0, 0 }, { stats.id, stats.recv_oct, stats.send_oct, stats.writers })
  end))
end)
