--- What an expert looks for among ports: a reader who does not read, a link to a node that does not, sockets that
--- nobody closes. A queue above its watermark is traffic as long as it drains; so each look is made twice. What else is
--- opened and not closed, programs and files, stands in ports_left_open.lua.

local words = ...
local cite, row_of, step = words.cite, words.row_of, words.step

local REST = 2       -- seconds
local BACK = 0.05    -- minutes: the 3 s that ports_queue_growth waits

local QUEUES = { "ports_top_by_queue", 10 }

-- The snapshot has the longest queue of all ports, links to other nodes among them.
local function something_waits(snapshot) return (snapshot.max_queue_size or 1) > 0 end

local function full(row) return (row.saturation_pct or 0) >= 100 and row.name ~= "tcp_inet_dist" end

-- Whether the other side would need minutes for what waits there: nothing or next to nothing drained.
local function stuck(row, seconds)
  return full(row) and row.queue_size_before >= row.high_watermark and row.drained_bytes
    and row.drained_bytes <= 0.01 * row.queue_size * seconds
end

local function stuck_ports(growth)
  local rows = {}
  for i, row in ipairs(growth.ports) do
    if stuck(row, growth.seconds) then rows[#rows + 1] = { row = row, place = i } end
  end
  return rows
end

local function held_at(held, id)
  for i, row in ipairs(held.processes) do
    if row.port == id and row.held_by == "port" then return row, i end
  end
end

local slow_reader = {
  id = "slow_reader", mechanism = "slow_reader", suspect = something_waits,
  expert = "A port whose queue stands above its watermark for seconds, drains nothing, and holds up who writes to it.",
  look = {
    QUEUES,
    function(results)
      for _, row in ipairs(results[1].ports) do
        if full(row) then return { "ports_queue_growth", BACK } end
      end
    end,
    function(results) return #stuck_ports(results[2]) > 0 and { "ports_suspended_processes" } or nil end,
    function() return { "ports_distribution" } end,
  },
  confirm = function(results)
    for _, found in ipairs(stuck_ports(results[2])) do
      local row, at = found.row, ("ports[%d]."):format(found.place)
      local held, i = held_at(results[3], row.id)
      if held and not row_of(results[4].nodes, "id", row.id) then
        local owner = row.connected_name or row.connected_pid or row.id
        return {
          object = owner,
          figures = cite(results, { { 2, at .. "id" }, { 2, at .. "queue_size_before" }, { 2, at .. "queue_size" },
            { 2, at .. "high_watermark" }, { 2, at .. "drained_bytes" }, { 2, "seconds" },
            { 3, ("processes[%d].pid"):format(i) }, { 3, ("processes[%d].held_by"):format(i) } }),
          severity = "warning", confidence = "high",
          hypothesis = ("The other side of %s (%s of %s) does not read: %d bytes wait, %d before, and %d went out in "
            .. "%.1f s. %s stands still in its write."):format(row.id, row.name, owner, row.queue_size,
            row.queue_size_before, row.drained_bytes, results[2].seconds, held.name or held.pid),
          unlike = {
            busy_port = ("a port in heavy use drains; of this one %d of %d bytes went out"):format(row.drained_bytes,
              row.queue_size_before),
            process_suspended = ("it is held by its port, in %s"):format(tostring(held.current_function)),
            busy_dist_port = "it is no link to another node",
          },
          next_steps = {
            step(("see who is at the other end of %s: ports_list_inet has its address"):format(row.id)),
            step("give its writes a time limit: send_timeout with send_timeout_close", "CAUTION"),
            step("closing it frees the writer, and loses what waits", "DANGEROUS"),
          },
        }
      end
    end
  end,
}

-- The link to a node that takes nothing.
local function choked(link, limit)
  return link.queue_size and link.output_bytes and link.queue_size >= math.min(limit, link.high_watermark or limit)
end

local busy_dist_port = {
  id = "busy_dist_port", mechanism = "busy_dist_port", suspect = something_waits,
  expert = "A link to another node whose queue is full at two looks while next to nothing went out.",
  look = {
    { "ports_distribution" },
    function(results)
      for _, link in ipairs(results[1].nodes) do
        if choked(link, results[1].busy_limit_bytes) then return { "ports_distribution", after = REST } end
      end
    end,
    function() return { "ports_suspended_processes" } end,
  },
  confirm = function(results)
    for i, now in ipairs(results[2].nodes) do
      local was, j = row_of(results[1].nodes, "node", now.node)
      local limit = results[2].busy_limit_bytes
      if was and choked(now, limit) and choked(was, limit) and now.output_bytes - was.output_bytes <= limit / 100
        and results[3].suspended > 0 then
        local at, before = ("nodes[%d]."):format(i), ("nodes[%d]."):format(j)
        return {
          object = now.node,
          figures = cite(results, { { 2, at .. "queue_size" }, { 2, at .. "output_bytes" },
            { 1, before .. "queue_size" }, { 1, before .. "output_bytes" }, { 2, "busy_limit_bytes" },
            { 3, "suspended" } }),
          severity = "critical", confidence = "high",
          hypothesis = ("The link to %s takes nothing: %d bytes wait on it, %d before, and %d went out meanwhile. "
            .. "Whoever sends to that node is suspended, %d processes now."):format(now.node, now.queue_size,
            was.queue_size, now.output_bytes - was.output_bytes, results[3].suspended),
          unlike = {
            busy_link = "a link in heavy use sends; this one stands still",
            process_suspended = "they are suspended by the emulator, since the link is full",
            slow_reader = "it is the link to a node, not a client's socket",
          },
          next_steps = {
            step(("look at %s: is it stopped, overloaded, or behind a broken network?"):format(now.node)),
            step("send less, or in smaller pieces; a larger +zdbbl only moves the limit", "CAUTION"),
            step("erlang:disconnect_node frees the senders, and loses what waits", "DANGEROUS"),
          },
        }
      end
    end
  end,
}

local GAINED = 5 -- sockets a second, at both looks
local MANY = 100 -- of one process: a pool has fewer, and is filled once

local PACE = { "ports_saturation_prediction", 10 }

local function per_second(prediction) return prediction.port_table.growth_per_minute / 60 end

local function sockets_of(list)
  local count = 0
  for _, kind in ipairs(list.kinds) do
    if kind.kind ~= "other" and kind.kind ~= "program" then count = count + kind.count end
  end
  return count
end

-- Who gained most between the two lists.
local function gainer(before, now)
  local best, gained, place
  for i, owner in ipairs(now.owners) do
    local was = row_of(before.owners, "pid", owner.pid)
    local more = owner.count - (was and was.count or 0)
    if was and (not best or more > gained) then best, gained, place = owner, more, i end
  end
  return best, gained, place
end

local socket_leak = {
  id = "socket_leak", mechanism = "socket_leak",
  suspect = function(snapshot) return (snapshot.port_count or MANY) >= MANY / 2 end, -- more may come while we look
  expert = "Sockets that become more at two looks, all of one process, which already has many: it never closes them.",
  look = {
    { "ports_list" },
    PACE,
    function(results) return per_second(results[2]) >= GAINED and PACE or nil end,
    function(results) return per_second(results[3]) >= GAINED and { "ports_list" } or nil end,
  },
  confirm = function(results)
    local before, pace, now = results[1], results[3].port_table, results[4]
    local owner, gained, i = gainer(before, now)
    local more = sockets_of(now) - sockets_of(before)
    if not owner or more < 2 * GAINED or gained < 0.8 * more or owner.count < MANY then return end
    local minutes = pace.minutes_to_limit
    return {
      object = owner.name or owner.pid,
      figures = cite(results, { { 4, ("owners[%d].count"):format(i) }, { 4, ("owners[%d].name"):format(i) },
        { 4, "total" }, { 1, "total" }, { 3, "port_table.growth_per_minute" }, { 3, "port_table.port_count" },
        { 3, "port_table.port_limit" }, { 2, "port_table.growth_per_minute" } }),
      severity = minutes and minutes < 60 and "critical" or "warning", confidence = "medium",
      since = words.since(owner.count, pace.growth_per_minute / 60),
      hypothesis = ("%s owns %d sockets, %d more than when we began to look, of %d that the node gained: it opens or "
        .. "accepts them and closes none.%s"):format(owner.name or owner.pid, owner.count, gained, more,
        minutes and (" The table of ports is full in %.0f minutes, the limit of open files is reached earlier.")
        :format(minutes) or ""),
      unlike = {
        full_pool = ("a full pool stands still; there were %d ports, then %d"):format(before.total, now.total),
        many_connections = ("a server hands each connection to a process of its own; of these, one has %d"):format(
          owner.count),
        file_handle_leak = ("sockets gained %d"):format(more),
      },
      next_steps = {
        step(("see who is at the other ends: ports_list_inet; and where %s should close"):format(owner.name
          or owner.pid)),
        step("close what is idle for long: a time limit on each connection", "CAUTION"),
        step(("ending %s closes all its sockets"):format(owner.name or owner.pid), "DANGEROUS"),
      },
    }
  end,
}

return { slow_reader, busy_dist_port, socket_leak }
