--- What waits to be written, and who waits because of it. A port is busy once a write
--- finds its queue above the high watermark: that write waits for its answer, and whoever writes next is suspended,
--- until the queue is below the low one.

local texts = ...

local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }
local SHOWN = 50
local LONGEST_WAIT = 10   -- seconds between two looks, where history does not reach back
local PREDICTION_S = 300  -- a prediction stands on the growth of so long, where that is remembered
local PREDICTION_WAIT = 2 -- seconds, where it is not

local ROW = "ports[]: id, name, connected_pid, connected_name, queue_size (bytes), high_watermark (bytes; absent where "
  .. "the driver is unknown), saturation_pct (of that; from 100 on the next writers are held up)"

local function round(x) return math.floor(x * 100 + 0.5) / 100 end

local function by_id(rows)
  local index = {}
  for _, row in ipairs(rows) do index[row.id] = row end
  return index
end

local function first(rows, key)
  local shown = { unpack(rows, 1, SHOWN) }
  return { total = #rows, showing = #shown, [key] = shown }
end

--- The queues now and some time ago: from history where that reaches back half of it, else seen now.
local function two_looks(node, seconds, wait)
  local past = node.history("queues", seconds / 60)[1]
  local before, apart, err
  if past and past.age >= seconds / 2 then
    before, apart = past.value, past.age
  else
    apart = math.min(seconds, wait)
    before, err = node.ask "queues"
    if not before then return nil, err end
    node.sleep(apart)
  end
  local now
  now, err = node.ask "queues"
  if not now then return nil, err end
  return { before = before, now = now, seconds = apart }
end

-- What was written less what is left of it has gone out. A port without a queue is not in a look.
local function changes(looks)
  local was, is, rows = by_id(looks.before.ports), by_id(looks.now.ports), {}
  for _, now in ipairs(looks.now.ports) do
    local old = was[now.id]
    local gain = now.queue_size - (old and old.queue_size or 0)
    rows[#rows + 1] = { id = now.id, name = now.name, connected_pid = now.connected_pid,
      connected_name = now.connected_name, queue_size_before = now.queue_size - gain, queue_size = now.queue_size,
      growth_bytes = gain, growth_bytes_per_sec = round(gain / looks.seconds),
      drained_bytes = old and now.output_bytes - old.output_bytes - gain or nil,
      high_watermark = now.high_watermark, saturation_pct = now.saturation_pct }
  end
  for _, old in ipairs(looks.before.ports) do
    if not is[old.id] then
      rows[#rows + 1] = { id = old.id, name = old.name, connected_pid = old.connected_pid,
        connected_name = old.connected_name, queue_size_before = old.queue_size, queue_size = 0,
        growth_bytes = -old.queue_size, growth_bytes_per_sec = round(-old.queue_size / looks.seconds),
        high_watermark = old.high_watermark, saturation_pct = 0 }
    end
  end
  table.sort(rows, function(a, b)
    if a.growth_bytes ~= b.growth_bytes then return a.growth_bytes > b.growth_bytes end
    if a.queue_size ~= b.queue_size then return a.queue_size > b.queue_size end
    return a.id < b.id
  end)
  return rows
end

local function port_table(looks)
  local now, per_minute = looks.now, (looks.now.port_count - looks.before.port_count) / looks.seconds * 60
  return { port_count_before = looks.before.port_count, port_count = now.port_count, port_limit = now.port_limit,
    growth_per_minute = round(per_minute),
    minutes_to_limit = per_minute > 0 and round((now.port_limit - now.port_count) / per_minute) or nil }
end

local function heard(node, kind)
  local all, err = node.events.of("monitor", 5, 2)
  if not all then return nil, err end
  if all.unavailable then return all end
  local events = {}
  for i = #all.events, 1, -1 do
    local event = all.events[i]
    if event.type == kind then events[#events + 1] = event end
  end
  local answer = first(events, "events")
  answer.listened_seconds, answer.dropped, answer.ended = all.listened_seconds, all.dropped, all.ended
  return answer
end

local EVENTS = { "listened_seconds", "dropped (events of any kind that were not taken, in a storm)", "total", "showing",
  "events[] (newest first): datetime, age (seconds), type, port, port_name, pid and name (who was suspended)" }

return {
  queries = {
    by_queue = texts.marks .. [=[
  F = Plain(queue_size), N = lists:sum([length(F(H)) || H <- Cut]), L = Full(Tops(Cut, F, Limit, [])),
  #{total => N, showing => length(L), ports => L}.]=],

    -- `status` is read of all without a signal. The one whose write filled the port is not suspended but waits
    -- for the port's answer: it is looked for among those who have to do with a full port.
    suspended = texts.walk .. texts.marks:sub(#texts.rows + 1) .. [=[
  Held = (fun(S) -> lists:append([Run(lists:zip(Ask(H, status), H), [{{{status, suspended}, '$1'}, [], ['$1']}])
    || H <- S]) end)(All()),
  Busy = [{P, Q} || {Q, P} <- Tops(Cut, Plain(queue_size), 100, []), W <- [Limits(P)], is_integer(W), Q >= W],
  Kin = fun(P) -> lists:sublist([X || L <- [[Info(P, connected)], Info(P, links), Info(P, monitored_by)], is_list(L),
    X <- L, is_pid(X), node(X) =:= node()], 200) end,
  Near = [{X, P} || {P, _} <- Busy, X <- lists:usort(Kin(P))],
  Doing = fun({M, F, _}) -> if M =:= prim_inet, F =:= send_recv_reply -> port; F =:= port_command -> port;
             true -> other end; (_) -> other end,
  Writes = [P || P <- lists:usort([X || {X, _} <- Near]) -- Held, Doing(Item(P, current_function)) =:= port],
  All2 = lists:usort(Held) ++ Writes,
  Rows = fun(Ps) -> [Y || P <- Ps, Y <- Row(P, Some([{held_by, atom_to_binary(Doing(Item(P, current_function)))},
    {port, case [X || {H, X} <- Near, H =:= P] of [X] -> Pid(X); _ -> undefined end}]))] end,
  L = Rows(lists:sublist(All2, 50)),
  #{total => length(All2), suspended => length(Held), showing => length(L), processes => L,
    full_ports => [#{id => Pid(P), queue_size => Q} || {P, Q} <- lists:sublist(Busy, 20)]}.]=],

    distribution = texts.marks .. [=[
  #{busy_limit_bytes => erlang:system_info(dist_buf_busy_limit),
    nodes => [case C of
      _ when is_port(C) -> Some([{node, atom_to_binary(N)}, {id, Pid(C)}, {queue_size, Info(C, queue_size)},
        {high_watermark, Limits(C)}, {input_bytes, Stat(C, recv_oct)},
        {output_bytes, Written(C, Info(C, name), Info(C, output))}]);
      _ -> Some([{node, atom_to_binary(N)}, {pid, Show(C)}, {name, Who(C)}, {message_queue,
        Item(C, message_queue_len)}])
      end || {N, C} <- lists:sublist(erlang:system_info(dist_ctrl), 50)]}.]=],
  },

  callbacks = {
    ports_top_by_queue = {
      doc = "The ports with most bytes that wait to be written, those without any left out.",
      args = { LIMIT },
      class = "SAFE",
      cost = "one item of every port; an option of the ports shown, whose owners are woken",
      returns = { "total (ports with a queue)", "showing", ROW .. ", output_bytes" },
      query = "by_queue",
    },

    ports_queue_growth = {
      doc = "Queues now and minutes_back ago, most gained first. Where history is shorter it looks twice, "
        .. LONGEST_WAIT .. " seconds apart at most. A queue that stands and drains nothing is a reader that is stuck.",
      args = { { name = "minutes_back", type = "number", min = 0.005, max = 60, default = 0.05 } },
      class = "SAFE",
      cost = "one item of every port, twice; an option of at most 100 ports, whose owners are woken",
      returns = { "seconds (between the looks)", "total (ports with a queue in either look, 100 in each at most)",
        "showing", ROW .. ", queue_size_before, growth_bytes, growth_bytes_per_sec, drained_bytes (taken by the other "
          .. "side between the looks; absent where the port had no queue then)" },
      run = function(node, args)
        local looks, err = two_looks(node, args.minutes_back * 60, LONGEST_WAIT)
        if not looks then return nil, err end
        local answer = first(changes(looks), "ports")
        answer.seconds = round(looks.seconds)
        return answer
      end,
    },

    ports_saturation_prediction = {
      brief = "Ports at their high watermark, or soon",
      doc = "Which ports have reached their high watermark, or will within minutes_ahead at the pace of the last "
        .. "minutes (without history: of " .. PREDICTION_WAIT .. " seconds); and when the table of ports is full.",
      args = { { name = "minutes_ahead", type = "number", min = 0.1, max = 1440, default = 10 } },
      class = "SAFE",
      cost = "as ports_queue_growth",
      returns = { "seconds (the pace is of)", "total", "showing",
        ROW .. ", growth_bytes_per_sec, saturated, minutes_to_saturation (0 once saturated)",
        "port_table: port_count_before, port_count, port_limit, growth_per_minute, minutes_to_limit (absent where they "
          .. "do not become more)" },
      run = function(node, args)
        local looks, err = two_looks(node, PREDICTION_S, PREDICTION_WAIT)
        if not looks then return nil, err end
        local rows = {}
        for _, row in ipairs(changes(looks)) do
          local mark, rate = row.high_watermark, row.growth_bytes / looks.seconds
          local full = mark and row.queue_size >= mark
          local left = full and 0 or mark and rate > 0 and (mark - row.queue_size) / rate / 60 or math.huge
          if left <= args.minutes_ahead then
            row.saturated, row.minutes_to_saturation = full, round(left)
            rows[#rows + 1] = row
          end
        end
        table.sort(rows, function(a, b)
          if a.minutes_to_saturation ~= b.minutes_to_saturation then
            return a.minutes_to_saturation < b.minutes_to_saturation
          end
          if a.saturation_pct ~= b.saturation_pct then return a.saturation_pct > b.saturation_pct end
          return a.id < b.id
        end)
        local answer = first(rows, "ports")
        answer.seconds, answer.port_table = round(looks.seconds), port_table(looks)
        return answer
      end,
    },

    ports_suspended_processes = {
      doc = "Processes that are suspended now. held_by port: in a write to a port that is full, or the write that "
        .. "filled it; held_by other: a full link to another node, or somebody's erlang:suspend_process.",
      class = "SAFE",
      cost = "one item of every process and of every port, without a signal; wakes the owners of full ports and the "
        .. "processes shown",
      returns = { "total", "suspended (by their status; the others wait for the answer to their write)", "showing",
        "processes[]: pid, name, current_function, status, memory_kb, message_queue, reductions, held_by, "
          .. "port (where it is linked to just one that is full)", "full_ports[] (20): id, queue_size" },
      query = "suspended",
    },

    ports_distribution = {
      doc = "The links to other nodes, ours among them: what waits to be written on each. Beyond busy_limit_bytes, "
        .. "which count what waits before the port too, whoever sends to that node is suspended.",
      class = "SAFE",
      cost = "O(connected nodes)",
      returns = { "busy_limit_bytes", "nodes[] (50): node, id, queue_size, high_watermark, input_bytes, output_bytes; "
        .. "or of a link that a process keeps: node, pid, name, message_queue" },
      query = "distribution",
    },

    ports_busy_events = {
      doc = "Who was suspended by a full port in the last five minutes: the VM's own warnings.",
      class = "SAFE",
      cost = "sets the node's system monitor, where nobody else has, for as long as we are there",
      returns = EVENTS,
      run = function(node) return heard(node, "busy_port") end,
    },

    ports_busy_dist_events = {
      doc = "Who was suspended by a full link to another node in the last five minutes: the VM's own warnings.",
      class = "SAFE",
      cost = "sets the node's system monitor, where nobody else has, for as long as we are there",
      returns = EVENTS,
      run = function(node) return heard(node, "busy_dist_port") end,
    },
  },
}
