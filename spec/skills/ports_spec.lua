-- The ports skill against a live node: what erlang:port_info and inet say of the same ports is the other road.
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local ports = assert(skill.open "ports")

-- A pair of sockets inside of the node, with small buffers, held by one process.
local HARBOR = [=[
  Me = self(),
  spawn(fun() -> register(harbor, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}, {recbuf, 4096}]),
    {ok, N} = inet:port(L),
    {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, [binary, {active, false}, {sndbuf, 4096}]),
    {ok, A} = gen_tcp:accept(L),
    ok = gen_tcp:send(C, lists:duplicate(70000, 1)), {ok, _} = gen_tcp:recv(A, 70000),
    ok = gen_tcp:send(A, lists:duplicate(3000, 1)), {ok, _} = gen_tcp:recv(C, 3000),
    Me ! {[list_to_binary(erlang:port_to_list(P)) || P <- [L, C, A]], L},
    receive stop -> ok end
  end),
  receive {Ids, L} when is_port(L) -> Ids end.]=]

local function find(rows, id)
  for _, row in ipairs(rows) do if row.id == id then return row end end
end

describe("ports skill", function()
  local at, callback, eval, listener, client, server

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(ports, at.node)
    live.test(function() listener, client, server = unpack(eval(HARBOR)) end)()
  end)

  teardown(function() live.stop_all() end)

  local function of(id, what) return eval(("P = list_to_port(binary_to_list(Id)), %s."):format(what), { Id = id }) end

  -- Fills the queue of `client`, and takes all of it out at the other end.
  local function pour()
    of(client, [[inet:setopts(P, [{high_watermark, 20000000}]),
      register(pourer, spawn(fun() -> gen_tcp:send(P, lists:duplicate(9000000, 1)) end)),
      (fun Wait() -> case erlang:port_info(P, queue_size) of {_, 0} -> erlang:yield(), Wait(); _ -> ok end end)()]])
  end
  local function drain()
    of(client, "inet:setopts(P, [{high_watermark, 8192}])")
    of(server, "gen_tcp:recv(P, 9000000), ok")
  end

  it("counts ports against their limit in its snapshot", live.test(function()
    local figures = skill.snapshot(ports, at.node)
    assert.equal(eval "length(erlang:ports()).", figures.port_count)
    assert.equal(eval "erlang:system_info(port_limit).", figures.port_limit)
    assert.near(100 * figures.port_count / figures.port_limit, figures.port_utilization_pct, 0.006)
  end))

  it("lists ports with their owners, the newest first", live.test(function()
    local list = callback.ports_list()
    local row = find(list.ports, client)
    assert.same({ "tcp_inet", "harbor", of(client, "list_to_binary(pid_to_list(whereis(harbor)))"), 0 },
      { row.name, row.connected_name, row.connected_pid, row.queue_size })
    assert.equal(eval "length(erlang:ports()).", list.total)
    assert.equal(eval "list_to_binary(erlang:port_to_list(lists:last(erlang:ports()))).", list.ports[1].id)
  end))

  it("counts the kinds of ports and who owns them", live.test(function()
    local list = callback.ports_list()
    local kinds, harbor = {}, nil
    for _, kind in ipairs(list.kinds) do kinds[kind.kind] = kind.count end
    for _, owner in ipairs(list.owners) do harbor = owner.name == "harbor" and owner or harbor end
    assert.equal(eval 'length([P || P <- erlang:ports(), erlang:port_info(P, name) =:= {name, "tcp_inet"}]).',
      kinds.tcp_inet)
    assert.equal(3, harbor.count)
  end))

  it("counts programs apart, by the processes of the machine that they are", live.test(function()
    eval [==[Me = self(), spawn(fun() -> register(yard, self()),
      [open_port({spawn_executable, "/bin/cat"}, [binary]) || _ <- [1, 2, 3]], Me ! up, receive stop -> ok end end),
      receive up -> ok end.]==]
    local list = callback.ports_list()
    eval "exit(whereis(yard), kill)."
    local count
    for _, kind in ipairs(list.kinds) do count = kind.kind == "program" and kind.count or count end
    assert.equal(3, count)
  end))

  it("counts open files, and names who opened them", live.test(function()
    eval [[Me = self(), spawn(fun() -> register(clerk, self()),
      [file:open("/dev/null", [read]) || _ <- lists:seq(1, 7)], Me ! up, receive stop -> ok end end),
      receive up -> ok end.]]
    local list, totals = callback.ports_list(), skill.snapshot(ports, at.node)
    eval "exit(whereis(clerk), kill)."
    assert.same({ 7, 7, "clerk", 100 }, { list.open_files, totals.open_files, list.openers[1].name,
      list.openers[1].share_pct })
  end))

  it("tells the limit of descriptors and how many are taken, by numbers spread over it", live.test(function()
    local seen = callback.ports_descriptors()
    local limits = io.open(("/proc/%d/limits"):format(at.os_pid))
    local limit = tonumber(limits:read("*a"):match "Max open files%s+(%d+)")
    limits:close()
    assert.same({ limit, math.min(500, limit) }, { seen.limit, seen.looked_at })
    assert.is_true(seen.taken_pct < 5 and seen.taken >= 1)
  end))

  it("shows one port with what it read, wrote and keeps", live.test(function()
    local info = callback.ports_info(server)
    assert.same({ 70000, 3000, 0, 1 }, { info.input_bytes, info.output_bytes, info.queue_size, info.link_count })
    assert.near(of(server, "element(2, erlang:port_info(P, memory))") / 1024, info.memory_kb, 0.01)
    assert.equal(of(server, "element(2, hd(element(2, inet:getstat(P, [recv_oct]))))"), info.input_bytes)
  end))

  it("counts who watches a port", live.test(function()
    of(server, [[Me = self(),
      spawn(fun() -> register(watcher, self()), monitor(port, P), Me ! on, receive stop -> ok end end),
      receive on -> ok end]])
    local info = callback.ports_info(server)
    eval "watcher ! stop."
    assert.equal(1, info.monitor_count)
  end))

  it("takes only what is the text of a port", live.test(function()
    local gone = "ports_info: no such port now; a port_id is text like #Port<0.5>"
    assert.error_matches(function() callback.ports_info "#Port<0.999999>" end, gone, 1, true)
    assert.error_matches(function() callback.ports_info "halt()" end, gone, 1, true)
  end))

  it("ranks sockets by what they read, which the port itself does not count", live.test(function()
    local top = callback.ports_top(50, "input")
    local row = find(top.ports, server)
    assert.equal(0, of(server, "element(2, erlang:port_info(P, input))"))
    assert.same({ 70000, 3000 }, { row.input_bytes, row.output_bytes })
    assert.is_true(find(callback.ports_top(50, "input").ports, client).input_bytes == 3000)
    assert.equal(eval "length(erlang:ports()).", top.total)
  end))

  it("ranks by what was written and puts the most first", live.test(function()
    local rows = callback.ports_top(50, "output").ports
    assert.equal(70000, find(rows, client).output_bytes)
    for i = 2, #rows do assert.is_true(rows[i - 1].output_bytes >= rows[i].output_bytes) end
  end))

  it("finds them among thousands, of which it looks at some at a time", live.test(function()
    eval [[Me = self(), spawn(fun() -> register(fleet, self()),
      L = [element(2, gen_udp:open(0)) || _ <- lists:seq(1, 4100)],
      Me ! afloat, receive stop -> L end end), receive afloat -> ok end.]]
    local read, written = callback.ports_top(3, "input"), callback.ports_top(3, "output")
    pour()
    local heaviest = callback.ports_top(2, "memory")
    drain()
    local count = eval "length(erlang:ports())."
    eval "Ref = monitor(process, fleet), exit(whereis(fleet), kill), receive {'DOWN', Ref, _, _, _} -> ok end."
    assert.same({ 70000, 3 }, { find(read.ports, server).input_bytes, read.showing })
    assert.same({ 70000, count }, { find(written.ports, client).output_bytes, written.total })
    assert.same({ client, 2 }, { heaviest.ports[1].id, heaviest.showing })
    assert.is_true(count > 4100)
  end))

  it("counts what waits to be written as memory", live.test(function()
    pour()
    local row = callback.ports_top(1, "memory").ports[1]
    local bytes = of(client, "element(2, erlang:port_info(P, queue_size)) + element(2, erlang:port_info(P, memory))")
    drain()
    assert.equal(client, row.id)
    assert.near(bytes / 1024, row.memory_kb, 0.01)
  end))

  it("shows of a program its pid, and not the arguments it was started with", live.test(function()
    local id = eval [[Me = self(), spawn(fun() -> register(shell, self()),
      P = open_port({spawn, "sleep 86400"}, []),
      Me ! {P, list_to_binary(erlang:port_to_list(P))}, receive stop -> ok end
      end), receive {P, I} when is_port(P) -> I end.]]
    local info = callback.ports_info(id)
    local os_pid = of(id, "element(2, erlang:port_info(P, os_pid))")
    eval "shell ! stop."
    assert.same({ "sleep", os_pid, "shell" }, { info.name, info.os_pid, info.connected_name })
  end))

  it("forgives ports that are closed while it looks", live.test(function()
    eval [[spawn(fun() -> register(churn, self()), (fun F() ->
      [gen_udp:close(element(2, gen_udp:open(0))) || _ <- lists:seq(1, 20)], F() end)() end).]]
    for _ = 1, 5 do
      callback.ports_list()
      for _, by in ipairs { "input", "output", "memory" } do callback.ports_top(50, by) end
      callback.ports_list_inet()
      callback.ports_top_by_buffer(50, "recv")
      callback.ports_top_by_queue(50)
    end
    assert.is_true(eval "is_pid(whereis(churn)) andalso exit(whereis(churn), kill).")
  end))

  it("knows a listening socket from a connected one", live.test(function()
    local list = callback.ports_list_inet()
    assert.is_nil(find(list.sockets, listener).remote_addr)
    assert.equal(find(list.sockets, server).local_addr, find(list.sockets, client).remote_addr)
  end))

  it("has what waits before the fullest port in its snapshot, and how many programs run", live.test(function()
    local program = eval "list_to_binary(erlang:port_to_list(open_port({spawn, [$c, $a, $t]}, [])))."
    pour()
    local figures = skill.snapshot(ports, at.node)
    local truth = { of(client, "element(2, erlang:port_info(P, queue_size))"),
      eval "length([P || P <- erlang:ports(), {_, X} <- [erlang:port_info(P, os_pid)], is_integer(X)])." }
    drain()
    of(program, "catch port_close(P), ok")
    assert.same(truth, { figures.max_queue_size, figures.program_count })
    assert.is_true(truth[1] > 0)
  end))
end)
