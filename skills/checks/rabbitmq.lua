--- What an expert looks for in a RabbitMQ: an alarm, which stops who publishes and tells nobody; and a client
--- that opens channels and never closes them, until its connection is closed for it or the node has no memory.

local words = ...
local cite, row_of, step = words.cite, words.row_of, words.step

local ALARMS = { "rabbitmq_alarms" }

-- An alarm of this node first: who publishes elsewhere is stopped by it too, but here it can be mended.
local function alarm_of(result, resource)
  local found, place
  for i, alarm in ipairs(result.alarms) do
    if alarm.resource == resource and (not found or alarm.here and not found.here) then found, place = alarm, i end
  end
  return found, place
end

local RESOURCES = {
  memory = {
    expert = "A memory alarm at two looks: RabbitMQ takes nothing from publishers until memory is below its watermark.",
    figures = { "memory_mb", "memory_limit_mb", "watermark" },
    state = function(now)
      return now.memory_limit_mb and ("the VM counts %g MB, the limit is %g MB"):format(now.memory_mb,
        now.memory_limit_mb) or ("the VM counts %g MB"):format(now.memory_mb)
    end,
    steps = {
      step "see what holds the memory: `rabbitmq-diagnostics memory_breakdown`, beam_top_processes",
      step("let consumers empty the queues that are full, or give queues a length limit", "CAUTION"),
      step("if the watermark is lower than it should be (`rabbitmqctl set_vm_memory_high_watermark`, until the next "
        .. "start; vm_memory_high_watermark in its configuration), raise it, with room for what collections take",
        "CAUTION"),
    },
  },
  disk = {
    expert = "A disk alarm at two looks: RabbitMQ takes nothing from publishers until there is more room on its disk.",
    figures = { "disk_free_mb", "disk_limit_mb" },
    state = function(now)
      return now.disk_free_mb and ("%g MB are free, and %g MB must be"):format(now.disk_free_mb, now.disk_limit_mb or 0)
        or "the disk has too little room"
    end,
    steps = {
      step "see what fills the disk: system_disks, and `du` in RabbitMQ's data directory",
      step("give the disk room, or let consumers empty the queues that are on it", "CAUTION"),
      step("a lower disk_free_limit frees publishers, and lets the disk run full", "DANGEROUS"),
    },
  },
}

-- RabbitMQ raises and clears an alarm within seconds while it pages messages out: one that stands is seen twice.
local REST = 3

local function alarm(resource)
  local of = RESOURCES[resource]
  return {
    id = resource .. "_alarm", mechanism = resource .. "_alarm", expert = of.expert,
    suspect = function(snapshot) return (snapshot.alarm_count or 0) > 0 end,
    look = {
      ALARMS,
      function(results) return alarm_of(results[1], resource) and { "rabbitmq_alarms", after = REST } or nil end,
    },
    confirm = function(results)
      local now = results[2]
      local was, j = alarm_of(results[1], resource)
      local still, i = alarm_of(now, resource)
      if not was or not still or was.node ~= still.node then return end
      local cited = { { 2, ("alarms[%d].resource"):format(i) }, { 2, ("alarms[%d].node"):format(i) },
        { 1, ("alarms[%d].node"):format(j) }, { 2, "blocked" }, { 2, "blocking" },
        { 2, "connections" } }
      if still.here then
        for _, path in ipairs(of.figures) do cited[#cited + 1] = { 2, path } end
      end
      local first = now.stopped[1]
      return {
        object = ("%s alarm of %s"):format(resource, still.node), figures = cite(results, cited),
        severity = now.blocked > 0 and "critical" or "warning", confidence = "high",
        hypothesis = ("The %s alarm of %s stands%s. RabbitMQ takes no message from publishers anywhere in the cluster "
          .. "meanwhile: of %d connections here %d are blocked%s, and %d will be when they publish."):format(resource,
          still.node, still.here and ": " .. of.state(now) or "", now.connections, now.blocked,
          first and first.name and (" (%s of the user %s)"):format(first.name, first.user or "?") or "", now.blocking),
        unlike = {
          passing_alarm = ("an alarm that paging clears is gone after seconds; this one was there at two looks, %d s "
            .. "apart"):format(REST),
          slow_reader = "RabbitMQ does not read these sockets on purpose; the clients would",
        },
        next_steps = of.steps,
      }
    end,
  }
end

-- RabbitMQ's guide to channels: most applications do with a few for each connection, one for each thread or consumer
-- that works. Its own limit is 2,047 for one connection (channel_max, since 3.7.5); half of that in channels that do
-- nothing is no pool any more. Below a hundred, nobody is hurt yet.
local MANY, HALF = 100, 1000
local IDLE = 0.9      -- of them
local WINDOW = 1500   -- ms

local CONNECTIONS = { "rabbitmq_connections", 5, WINDOW }

-- Channels that nobody uses. Who opens many at once to use them has consumers on them, or publishes.
local function unused(row)
  return row.channels >= MANY and (row.consuming or 0) <= (1 - IDLE) * row.channels
    and row.idle >= IDLE * (row.before - row.closed)
end

local function leaking(row) return unused(row) and row.opened > 0 and row.closed * 10 <= row.opened end

local function left(row) return unused(row) and row.channels >= HALF and row.closed == 0 end

local function suspect_row(result)
  for _, row in ipairs(result.connections) do
    if leaking(row) or left(row) then return row end
  end
end

local function minutes_left(row, per_second)
  if (row.channel_max or 0) == 0 or per_second <= 0 then return end
  return (row.channel_max - row.channels) / per_second / 60
end

local channel_leak = {
  id = "channel_leak", mechanism = "channel_leak",
  expert = "One connection whose idle channels only become more at two looks, or that holds a thousand idle ones.",
  suspect = function(snapshot) return (snapshot.channel_count or 0) >= MANY end,
  look = {
    CONNECTIONS,
    function(results) return suspect_row(results[1]) and { "rabbitmq_connections", 5, WINDOW, after = 1 } or nil end,
  },
  confirm = function(results)
    for i, now in ipairs(results[2].connections) do
      local was, j = row_of(results[1].connections, "pid", now.pid)
      local grows = was and leaking(was) and leaking(now)
      if was and (grows or left(was) and left(now)) then
        local at, before = ("connections[%d]."):format(i), ("connections[%d]."):format(j)
        local name = now.given_name or now.name or now.pid
        local per_second = now.opened / results[2].seconds
        local minutes = grows and minutes_left(now, per_second)
        return {
          object = name,
          figures = cite(results, { { 2, at .. "channels" }, { 2, at .. "opened" }, { 2, at .. "closed" },
            { 2, at .. "idle" }, { 2, at .. "consuming" }, { 2, "seconds" }, { 2, at .. "name" }, { 2, at .. "user" },
            { 2, at .. "channel_max" }, { 1, before .. "channels" }, { 1, before .. "opened" },
            { 1, before .. "idle" } }),
          severity = minutes and minutes < 60 and "critical" or "warning", confidence = grows and "high" or "medium",
          hypothesis = ("The connection %s%s%s holds %d channels, %d of them idle for %.1f s and %d with a consumer: "
            .. "its client opens channels and does not close them.%s%s"):format(name,
            now.given_name and now.name and (" (%s)"):format(now.name) or "",
            now.user and (" of the user %s"):format(now.user) or "", now.channels, now.idle, results[2].seconds,
            now.consuming or 0,
            grows and (" %d more came in that time, and %d went."):format(now.opened, now.closed) or "",
            (now.channel_max or 0) > 0 and (" At %d RabbitMQ closes the connection."):format(now.channel_max) or ""),
          unlike = {
            channel_pool = ("a pool is used; of these %d channels, %d did anything"):format(now.before,
              now.before - now.idle),
            consumers = ("a channel for each consumer has one; %d of these have"):format(now.consuming or 0),
            channel_churn = ("channels that are opened and closed; %d were opened and %d closed"):format(now.opened,
              now.closed),
            process_leak = "each channel is four processes of RabbitMQ's, which end with it",
          },
          next_steps = {
            step(("find in the client of %s where a channel is opened for each request or error and not closed"):format(
              name)),
            step("open a channel once for each thread and keep it, or close it in every way out", "CAUTION"),
            step("a lower channel_max (RabbitMQ's configuration) ends such a connection early instead of the node",
              "CAUTION"),
            step(("closing the connection frees all of it and ends what the client does: `rabbitmqctl close_connection`"
              .. " with %s"):format(now.pid), "DANGEROUS"),
          },
        }
      end
    end
  end,
}

return { alarm "memory", alarm "disk", channel_leak }
