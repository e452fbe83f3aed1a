--- What the virtual machine itself warns of, by its system monitor: who was held up, and by whom. A node has one
--- such monitor; the relay sets it where nobody else has, and takes it back at the end.

local texts = ...

local KINDS = { "long_gc", "long_schedule", "busy_port", "busy_dist_port", "large_heap", "long_message_queue" }
local MINUTES, LEAST_S = 5, 2
local SHOWN = 10

-- A queue that was long and is short again is told as well; that is no second one.
local function counts(event) return event.type ~= "long_message_queue" or event.above ~= false end

local function contains(list, word)
  for _, one in ipairs(list) do if one == word then return true end end
  return false
end

--- How many of each kind. One that this release has not is absent, and not 0.
local function summed(events, armed)
  local sums = { max_gc_ms = 0, max_schedule_ms = 0 }
  for _, kind in ipairs(KINDS) do
    if kind ~= "long_message_queue" or contains(armed, kind) then sums[kind] = 0 end
  end
  local longest = { long_gc = "max_gc_ms", long_schedule = "max_schedule_ms" }
  for _, event in ipairs(events) do
    if counts(event) then sums[event.type] = (sums[event.type] or 0) + 1 end
    local key = longest[event.type]
    if key then sums[key] = math.max(sums[key], event.duration_ms or 0) end
  end
  return sums
end

--- By process or by port: how often each kind befell it, the most first.
local function grouped(events, key, name_key)
  local groups, index = {}, {}
  for _, event in ipairs(events) do
    local id = event[key]
    if id and counts(event) then
      local group = index[id]
      if not group then
        group = { [key] = id, events = 0 }
        index[id], groups[#groups + 1] = group, group
      end
      group.events = group.events + 1
      group[event.type] = (group[event.type] or 0) + 1
      group.max_ms = event.duration_ms and math.max(group.max_ms or 0, event.duration_ms) or group.max_ms
      group[name_key] = event[name_key] or group[name_key]
    end
  end
  table.sort(groups, function(a, b)
    if a.events ~= b.events then return a.events > b.events end
    return a[key] < b[key]
  end)
  return groups
end

-- The relay cannot name everybody cheaply. Those who are shown and still live are asked.
local function with_names(node, rows)
  local pids = {}
  for _, row in ipairs(rows) do
    if row.pid and not row.name then pids[#pids + 1] = row.pid end
  end
  local found = #pids > 0 and node.ask("names", { pids = pids }) or {}
  local names = {}
  for _, one in ipairs(found) do names[one.pid] = one.name end
  for _, row in ipairs(rows) do row.name = row.name or names[row.pid] end
  return rows
end

local function listen(node)
  local heard = node.events.of("monitor", MINUTES, LEAST_S)
  if heard.unavailable then return nil, heard end
  return heard
end

local function snapshot(node, heard)
  local armed, err = node.ask "armed"
  if not armed then return nil, err end
  local result = summed(heard.events, armed)
  result.affected_processes = #grouped(heard.events, "pid", "name")
  result.affected_ports = #grouped(heard.events, "port", "port_name")
  result.listened_seconds, result.dropped, result.ended = heard.listened_seconds, heard.dropped, heard.ended
  return result, armed
end

local STATS = { "long_gc, long_schedule, busy_port, busy_dist_port, large_heap, long_message_queue (OTP 27): how often",
  "max_gc_ms", "max_schedule_ms", "affected_processes", "affected_ports", "listened_seconds (of 300)",
  "dropped (events in a storm)", "armed", "total", "showing_processes", "showing_ports",
  "processes[]: pid, name, events, max_ms, and how often of each kind", "ports[]: port, port_name, events" }
local COST = "arms the node's system monitor while this run goes on, unless somebody has; listens for 2 seconds"

---@type Skill
return {
  name = "vm_events",
  title = "Warnings of the virtual machine",
  about = "What the VM warns of: long collections, held-up schedulers, large heaps, busy ports and busy connections.",

  prompt = [=[
You listen to the system monitor of one BEAM node: it tells of every garbage collection and every turn on a scheduler
of over 500 ms, of heaps over 64 MB, and of processes that were suspended because a port or a connection took no more.
Worth a notification: the same process or port again and again; a scheduler held up for half a second, since all that
waits behind it waits as long; senders to a busy connection, who stand still until the other node reads.
Not worth one: a single large heap at start, one long collection of a process that is known to be large.
It hears only while it listens: few seconds without an event prove nothing, so look again, and say for how long.
Name the process or the port, how often, how long, and in how many seconds.]=],

  uses = { "events" },
  relays = { "monitor" },
  needs = "that the node's own software has set no system monitor",

  available = function(node)
    local heard = node.events.of("monitor", MINUTES)
    return heard.unavailable or true
  end,

  snapshot = function(node)
    local heard, why = listen(node)
    if not heard then return why end
    local figures, err = snapshot(node, heard)
    if not figures then return nil, err end
    return figures
  end,

  queries = {
    armed = [=[
  case erlang:system_monitor() of
    {_, L} -> [atom_to_binary(case X of {K, _} -> K; _ -> X end) || X <- lists:sort(L)];
    _ -> [] end.]=],

    names = texts.rows .. [=[
  [maps:with([pid, name], X) || B <- Pids, P <- [Find(B)], is_pid(P), X <- Row(P, #{})].]=],
  },

  callbacks = {
    sysmon_stats = {
      doc = "How often the VM warned of what in the last 5 minutes, or as long as this run listens, and whom it hit. "
        .. "`armed` is what it is asked to tell.",
      class = "SAFE",
      cost = COST,
      returns = STATS,
      run = function(node)
        local heard, why = listen(node)
        if not heard then return why end
        local result, armed = snapshot(node, heard)
        if not result then return nil, armed end
        local processes, ports = grouped(heard.events, "pid", "name"), grouped(heard.events, "port", "port_name")
        result.armed, result.total = armed, heard.total
        result.processes = with_names(node, { unpack(processes, 1, SHOWN) })
        result.ports = { unpack(ports, 1, SHOWN) }
        result.showing_processes, result.showing_ports = #result.processes, #result.ports
        return result
      end,
    },

    sysmon_events = {
      doc = "The warnings themselves, newest first, of the last 5 minutes or as long as this run listens.",
      args = { { name = "type", type = "choice", of = { "all", unpack(KINDS) }, default = "all" },
        { name = "limit", type = "integer", min = 1, max = 50, default = 10 } },
      class = "SAFE",
      cost = COST,
      returns = { "listened_seconds", "dropped", "total", "showing",
        "events[]: datetime, age (seconds), type, pid (whom it befell), name, duration_ms (of long_gc and "
          .. "long_schedule), heap_size (words), port, port_name, above (long_message_queue: false when it is short "
          .. "again)" },
      run = function(node, args)
        local heard, why = listen(node)
        if not heard then return why end
        local found = {}
        for _, event in ipairs(heard.events) do
          if args.type == "all" or args.type == event.type then table.insert(found, 1, event) end
        end
        local first = with_names(node, { unpack(found, 1, args.limit) })
        return { listened_seconds = heard.listened_seconds, dropped = heard.dropped, ended = heard.ended,
          total = #found, showing = #first, events = first }
      end,
    },
  },
}
