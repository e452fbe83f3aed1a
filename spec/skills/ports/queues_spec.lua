-- What waits to be written, on a live node: sockets whose other end does not read.
local uv = require "luv"
local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"
local until_true = require "spec.support.until_true"

local ports = assert(skill.open "ports")
local between = crowd.between

local during, past
local function sleep() if during then during() end end
local function history() return past or {} end

-- `dam` pours more into a socket than its peer's buffers hold; when the port is full, `late` writes too.
local DAM = [=[
  Me = self(),
  spawn(fun() -> register(dam, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}, {recbuf, 4096}]),
    {ok, N} = inet:port(L),
    {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, [binary, {active, false}, {sndbuf, 4096}]),
    {ok, A} = gen_tcp:accept(L), gen_tcp:controlling_process(A, Me),
    Me ! {dam, C, A, list_to_binary(erlang:port_to_list(C))},
    gen_tcp:send(C, lists:duplicate(9000000, 1)), gen_tcp:send(C, "full"), receive stop -> ok end
  end),
  receive {dam, C, A, Id} ->
    register(weir, spawn(fun() -> receive go -> ok end,
      receive {drink, X, F} -> gen_tcp:recv(A, X), F ! drunk end, receive stop -> ok end end)),
    gen_tcp:controlling_process(A, whereis(weir)), weir ! go,
    (fun Wait() -> case erlang:port_info(C, queue_size) of
      {_, X} when X > 8192 -> ok; _ -> erlang:yield(), Wait() end end)(),
    (fun Wait() -> case process_info(whereis(dam), current_function) of
      {_, {prim_inet, send_recv_reply, _}} -> ok; _ -> erlang:yield(), Wait() end end)(),
    register(late, spawn(fun() -> gen_tcp:send(C, "more"), receive stop -> ok end end)),
    (fun Wait() -> case process_info(whereis(late), status) of
      {_, suspended} -> ok; _ -> erlang:yield(), Wait() end end)(),
    Id
  end.]=]

local function find(rows, key, value)
  for _, row in ipairs(rows) do if row[key] == value then return row end end
end

describe("ports skill, queues", function()
  local at, node, callback, eval, client

  setup(function()
    at = live.start()
    eval = at.eval
    node = { query = at.node.query, sleep = sleep, history = history, uses = at.node.uses }
    callback = skill.functions(ports, node)
    -- The kernel takes a little more for a while.
    live.test(function()
      client = eval(DAM)
      local before, now
      repeat
        before = now
        now = eval("element(2, erlang:port_info(list_to_port(binary_to_list(Id)), queue_size)).", { Id = client })
        async.sleep(0.1)
      until now == before
    end)()
  end)

  teardown(function() live.stop_all() end)

  before_each(function() during, past = nil, nil end)

  local function of(id, what) return eval(("P = list_to_port(binary_to_list(Id)), %s."):format(what), { Id = id }) end

  local function queued() return of(client, "element(2, erlang:port_info(P, queue_size))") end

  it("measures a queue against the high watermark of its socket", live.test(function()
    local top = callback.ports_top_by_queue()
    local queue = queued()
    assert.same({ client, queue, 8192 }, { top.ports[1].id, top.ports[1].queue_size, top.ports[1].high_watermark })
    assert.near(100 * queue / 8192, top.ports[1].saturation_pct, 0.01)
    assert.equal(1, top.total)
  end))

  it("reads the watermark that the socket was given", live.test(function()
    of(client, "inet:setopts(P, [{high_watermark, 100000}])")
    local row = callback.ports_top_by_queue().ports[1]
    of(client, "inet:setopts(P, [{high_watermark, 8192}])")
    assert.equal(100000, row.high_watermark)
  end))

  it("gets its answer of a socket that is stuck", live.test(function()
    local stats = callback.ports_inet_stats(client)
    assert.equal(queued(), stats.send_pend)
    assert.equal(stats.send_pend, find(callback.ports_top_by_buffer(5, "send").ports, "id", client).queue_size)
  end))

  it("names who is suspended in a write, and who waits for the answer to the write that filled the port",
    live.test(function()
      local held = callback.ports_suspended_processes()
      local late, dam = find(held.processes, "status", "suspended"), find(held.processes, "name", "dam")
      assert.same({ "late", "port", "erts_internal:port_command/3" },
        { late.name, late.held_by, late.current_function })
      assert.same({ "waiting", "port", client }, { dam.status, dam.held_by, dam.port })
      assert.same({ 2, 1, 2 }, { held.total, held.suspended, held.showing })
      assert.equal(client, held.full_ports[1].id)
    end))

  it("does not blame a port for whom somebody suspended", live.test(function()
    eval [[Me = self(), register(patient, spawn(fun() -> receive stop -> ok end end)),
      register(hand, spawn(fun() -> erlang:suspend_process(whereis(patient)), Me ! held, receive stop -> ok end end)),
      receive held -> ok end.]]
    local row = find(callback.ports_suspended_processes().processes, "name", "patient")
    eval "hand ! stop, patient ! stop."
    assert.same({ "suspended", "other" }, { row.status, row.held_by })
  end))

  it("knows the limit of a program's port, from which its writers are suspended", live.test(function()
    local id, queue, os_pid = unpack(eval [[Me = self(), spawn(fun() -> register(pipe, self()),
      P = open_port({spawn, "sleep 86400"}, []),
      F = fun F() -> erlang:port_command(P, lists:duplicate(64, 1), [nosuspend]) andalso F() end, F(),
      Me ! {pipe, [list_to_binary(erlang:port_to_list(P)), element(2, erlang:port_info(P, queue_size)),
        element(2, erlang:port_info(P, os_pid))]}, receive stop -> ok end end), receive {pipe, X} -> X end.]])
    local row = find(callback.ports_top_by_queue().ports, "id", id)
    eval "pipe ! stop."
    uv.kill(os_pid, "sigkill")
    assert.same({ queue, 8192 }, { row.queue_size, row.high_watermark })
    assert.is_true(queue >= 8192 and queue < 8192 + 64)
  end))

  it("sees that nothing drains from a stuck queue", live.test(function()
    local growth = callback.ports_queue_growth(0.05)
    local row = find(growth.ports, "id", client)
    assert.same({ 3, 0, 0, 0 }, { growth.seconds, row.growth_bytes, row.growth_bytes_per_sec, row.drained_bytes })
    assert.equal(queued(), row.queue_size_before)
  end))

  it("counts what went out between the looks", live.test(function()
    local before = queued()
    during = function()
      eval "weir ! {drink, 4000000, self()}, receive drunk -> ok end."
    end
    local row = find(callback.ports_queue_growth(0.05).ports, "id", client)
    assert.equal(before, row.queue_size_before)
    assert.equal(-row.growth_bytes, row.drained_bytes)
    assert.is_true(row.drained_bytes > 2000000)
  end))

  it("takes the earlier look from history where that reaches back", live.test(function()
    past = { { age = 600, value = { port_count = 1, port_limit = 65536,
      ports = { { id = client, queue_size = 1000, output_bytes = 0 } } } } }
    during = function() error "it should not wait" end
    local growth = callback.ports_queue_growth(10)
    local row = find(growth.ports, "id", client)
    local queue = queued()
    assert.same({ 600, 1000, queue - 1000 }, { growth.seconds, row.queue_size_before, row.growth_bytes })
    assert.near((queue - 1000) / 600, row.growth_bytes_per_sec, 0.01)
  end))

  it("remembers of a queue what growth is counted from", live.test(function()
    local look = node.query(ports.queries.queues)
    assert.equal(queued(), look.ports[1].queue_size)
    assert.equal(of(client, "element(2, erlang:port_info(P, output))"), look.ports[1].output_bytes)
    assert.equal(eval "length(erlang:ports()).", look.port_count)
  end))

  it("predicts of a port that is full already no time at all", live.test(function()
    local soon = callback.ports_saturation_prediction(1)
    local row = soon.ports[1]
    assert.same({ client, true, 0 }, { row.id, row.saturated, row.minutes_to_saturation })
  end))

  it("predicts when a growing queue is full, and leaves out what is later than asked", live.test(function()
    of(client, "inet:setopts(P, [{high_watermark, 20000000}])")
    local minutes, row, later
    until_true("a queue that nobody wrote to and the kernel took nothing of", function()
      local queue = queued()
      past = { { age = 300, value = { port_count = 1, port_limit = 65536,
        ports = { { id = client, queue_size = queue - 300000, output_bytes = 0 } } } } }
      minutes = (20000000 - queue) / 1000 / 60
      row = find(callback.ports_saturation_prediction(minutes + 1).ports, "id", client)
      later = callback.ports_saturation_prediction(minutes - 1)
      return queued() == queue
    end)
    of(client, "inet:setopts(P, [{high_watermark, 8192}])")
    assert.same({ client, false, 1000 }, { row.id, row.saturated, row.growth_bytes_per_sec })
    assert.near(minutes, row.minutes_to_saturation, 0.01)
    assert.is_nil(find(later.ports, "id", client))
  end))

  it("predicts when the table of ports is full", live.test(function()
    local now, limit = unpack(eval "[erlang:system_info(port_count), erlang:system_info(port_limit)].")
    past = { { age = 300, value = { port_count = now - 50, port_limit = limit, ports = {} } } }
    local rate = callback.ports_saturation_prediction().port_table
    assert.same({ now, limit, 10 }, { rate.port_count, rate.port_limit, rate.growth_per_minute })
    assert.near((limit - now) / 10, rate.minutes_to_limit, 0.01)
  end))

  it("shows our own link among those to other nodes", live.test(function()
    local links = callback.ports_distribution()
    local ours = links.nodes[1]
    assert.equal(eval "list_to_binary([erlang:port_to_list(P) || {_, P} <- erlang:system_info(dist_ctrl)]).", ours.id)
    assert.equal(eval "atom_to_binary(hd(nodes(connected))).", ours.node)
    assert.equal(eval "erlang:system_info(dist_buf_busy_limit).", links.busy_limit_bytes)
  end))

  it("counts what a link to a node has sent, which the port itself does not", live.test(function()
    local SENT = [=[[{_, X}] = erlang:system_info(dist_ctrl), {ok, [{_, N}]} = inet:getstat(X, [send_oct]), N.]=]
    eval "lists:duplicate(300000, a)."
    local before = eval(SENT)
    local link, top = callback.ports_distribution().nodes[1], nil
    for _, port in ipairs(callback.ports_top(50, "output").ports) do top = port.id == link.id and port or top end
    local row = callback.ports_info(link.id)
    local after = eval(SENT)
    assert.is_true(before > 300000)
    between(before, link.output_bytes, after)
    between(link.output_bytes, top.output_bytes, after)
    between(top.output_bytes, row.output_bytes, after)
  end))

  it("hears from the VM who was suspended by a full port", live.test(function()
    assert.equal(0, callback.ports_busy_events().total)
    eval [[exit(whereis(late), kill), (fun Wait() -> whereis(late) =:= undefined orelse Wait() end)().]]
    local pid = of(client, [[X = spawn(fun() -> receive go -> ok end, gen_tcp:send(P, "more") end), X ! go,
      (fun Wait() -> case process_info(X, status) of {_, suspended} -> ok; _ -> erlang:yield(), Wait() end end)(),
      list_to_binary(pid_to_list(X))]])
    local deadline, heard = async.now() + 20
    repeat
      async.sleep(0.02)
      heard = callback.ports_busy_events()
    until heard.total > 0 or async.now() > deadline
    local event = heard.events[1]
    assert.same({ 1, "busy_port", client, pid, 0 }, { heard.total, event.type, event.port, event.pid, heard.dropped })
    assert.is_true(heard.listened_seconds >= 2)
  end))

  it("tells a full port from a full link to a node", live.test(function()
    assert.equal(0, callback.ports_busy_dist_events().total)
  end))

  it("says why, where somebody else holds the monitor", live.test(function()
    local other = live.start { name = "bl_taken@127.0.0.1" }
    other.eval [[Me = self(), spawn(fun() -> erlang:system_monitor(self(), [busy_port]), Me ! on,
      receive stop -> ok end end), receive on -> ok end.]]
    local heard = skill.call(ports, "ports_busy_events", {}, other.node)
    other.stop()
    assert.error_matches(function() error(heard.unavailable) end, "the node's own software has set a system monitor")
  end))
end)
