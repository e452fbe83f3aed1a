--- What an expert looks for when work piles up. Why one mailbox grows is told by beam, which watches its process.
--- Here it is told who waits for each other in a ring, who holds up a chain of others, who keeps a lock that others
--- wait for, and, without a cause, that the node does not keep up.

local words = ...
local cite, step = words.cite, words.step

local FEW = 20 -- messages in one mailbox, below which nobody waits

local CHAINS, STATE = { "overload_cascade_detection" }, { "overload_state" }

local function ring_of(result)
  for i, chain in ipairs(result.chains) do
    local sure = chain.cycle
    for _, link in ipairs(chain.links) do sure = sure and link.in_call and link.sure end
    if sure then return chain, i end
  end
end

local function same_ring(a, b)
  if #a.links ~= #b.links then return false end
  for _, link in ipairs(a.links) do
    if not words.row_of(b.links, "pid", link.pid) then return false end
  end
  return true
end

local function name_of(link) return link.name or link.pid end

-- A process may call into the ring without being part of it: of the ring are those that somebody in it waits for.
local function members(chain)
  local names, seen = {}, {}
  for _, link in ipairs(chain.links) do
    for _, other in ipairs(chain.links) do
      if (other.waits_for == link.pid or other.waits_for_name == link.name and link.name) and not seen[link.pid] then
        seen[link.pid], names[#names + 1] = true, name_of(link)
      end
    end
  end
  table.sort(names)
  return names
end

local call_deadlock = {
  id = "call_deadlock", mechanism = "call_deadlock",
  expert = "A ring of processes, each in a call to the next, the same one two seconds later: none of them can answer.",
  suspect = function(snapshot) return (snapshot.nonempty or 0) >= 2 end, -- each has another's call before it
  look = {
    CHAINS,
    function(results) return ring_of(results[1]) and { "overload_cascade_detection", after = 2 } or nil end,
  },
  confirm = function(results)
    local was = ring_of(results[1])
    local now, i = ring_of(results[2])
    if not was or not now or not same_ring(was, now) then return end
    local names, at = members(now), ("chains[%d]."):format(i)
    local first, queued = now.links[1], 0
    for _, link in ipairs(now.links) do queued = queued + (link.message_queue or 0) end
    return {
      object = table.concat(names, " and "),
      figures = cite(results, { { 2, at .. "cycle" }, { 2, at .. "depth" }, { 2, at .. "links[1].name" },
        { 2, at .. "links[1].waits_for" }, { 2, at .. "links[2].waits_for" }, { 2, at .. "links[1].message_queue" },
        { 2, at .. "links[2].message_queue" }, { 1, "chains[1].cycle" } }),
      severity = "critical", confidence = "high",
      hypothesis = ("%s wait for each other: each is in a call to the next and none can answer, at both looks. %d "
        .. "messages wait in their mailboxes."):format(table.concat(names, " and "), queued),
      unlike = {
        slow_server = ("a slow server works; %s stands in %s"):format(name_of(first), tostring(first.current_function)),
        slow_consumer = "it handles no message at all: it waits for an answer",
        sys_suspended = "each of them is in the midst of a call",
      },
      next_steps = {
        step "break the ring in the code: one of them must not call back, a cast or a reply later will do",
        step("give these calls a time limit, so that the ring breaks by itself", "CAUTION"),
        step(("ending %s frees the others, and loses its state"):format(name_of(first)), "DANGEROUS"),
      },
    }
  end,
}

local HELD_UP = 5 -- requests before the first of a chain, at both looks

-- A chain with an end, from one with requests before it to one that is at work on the answer. Who waits for its next
-- message at the end answers when it likes: a pool that is empty, a long poll.
local function held_up(result)
  for i, chain in ipairs(result.chains) do
    local first, last, sure = chain.links[1], chain.links[#chain.links], not chain.cycle
    for k = 1, #chain.links - 1 do sure = sure and chain.links[k].in_call and chain.links[k].sure end
    if sure and not last.in_call and first.message_queue >= HELD_UP
      and not (last.current_function or ""):find "^gen_%w+:loop" then return chain, i end
  end
end

local slow_downstream = {
  id = "slow_downstream", mechanism = "slow_server",
  expert = "A chain of calls from a server with requests before it to one that is at work, the same two seconds later: "
    .. "the one at its end is slow, the others only wait for it.",
  suspect = function(snapshot) return (snapshot.max_queue_size or 0) >= HELD_UP end,
  look = {
    CHAINS,
    function(results) return held_up(results[1]) and { "overload_cascade_detection", after = 2 } or nil end,
  },
  confirm = function(results)
    local was = held_up(results[1])
    local now, i = held_up(results[2])
    if not was or not now or was.root_pid ~= now.root_pid or was.links[1].pid ~= now.links[1].pid then return end
    local n, at = #now.links, ("chains[%d]."):format(i)
    local first, last = now.links[1], now.links[n]
    return {
      object = name_of(last), severity = "warning", confidence = "high",
      figures = cite(results, { { 2, at .. "root" }, { 2, at .. "depth" }, { 2, at .. "links[1].message_queue" },
        { 1, "chains[1].links[1].message_queue" }, { 2, at .. "links[1].waits_for" },
        { 2, ("%slinks[%d].current_function"):format(at, n) }, { 2, ("%slinks[%d].status"):format(at, n) } }),
      hypothesis = ("%s holds up %s, which waits in a call for it%s at both looks while %d requests lie before %s (%d "
        .. "before): %s is at work in %s, and what it does takes too long for those who call."):format(name_of(last),
        name_of(first), n > 2 and (" over %d others"):format(n - 2) or "", first.message_queue, name_of(first),
        was.links[1].message_queue, name_of(last), tostring(last.current_function)),
      unlike = {
        call_deadlock = ("the chain has an end: %s waits for nobody"):format(name_of(last)),
        slow_consumer = ("%s is not slow by itself: it waits in a call"):format(name_of(first)),
        empty_pool = ("who lets callers wait on purpose waits for its next message; this one is in %s"):format(
          tostring(last.current_function)),
      },
      next_steps = {
        step(("see what %s does in a call, and on whom it waits outside of the node"):format(name_of(last))),
        step(("give the calls of %s a time limit, and an answer for when it is over"):format(name_of(first)),
          "CAUTION"),
        step("let it be asked by more than one at a time: a pool, or processes of their own", "CAUTION"),
      },
    }
  end,
}

local WAITERS = 3 -- one that stands by for a lock is a spare, by design

-- The lock that one and the same process held at both looks, while others waited.
local function held_on(results)
  local was, now = results[1], results[2]
  if was.waiting < WAITERS or now.waiting < WAITERS then return end
  for i, row in ipairs(now.locks) do
    for j, before in ipairs(was.locks) do
      if before.lock == row.lock and before.holder == row.holder then return row, i, j end
    end
  end
end

local global_lock_held = {
  id = "global_lock_held", mechanism = "global_lock_held",
  expert = "A lock of global that one process holds at both looks while others sleep between their tries to get it.",
  suspect = function(snapshot) return (snapshot.global_locks or 0) > 0 end,
  look = {
    { "overload_locks", 1000 },
    function(results)
      return results[1].total > 0 and results[1].waiting >= WAITERS and { "overload_locks", 2500 } or nil
    end,
  },
  confirm = function(results)
    local row, i, j = held_on(results)
    if not row then return end
    local now, at, holder = results[2], ("locks[%d]."):format(i), row.holder_name or row.holder
    local others = now.total > 1 and (" (%d locks are held; who waits does not say for which)"):format(now.total) or ""
    return {
      object = row.lock, severity = "warning", confidence = now.total == 1 and "high" or "medium",
      figures = cite(results, { { 2, "waiting" }, { 1, "waiting" }, { 2, at .. "lock" }, { 2, at .. "holder" },
        { 2, at .. "holder_name" }, { 2, at .. "holder_function" }, { 1, ("locks[%d].holder"):format(j) },
        { 2, "waiter_function" }, { 2, "seconds" } }),
      hypothesis = ("%s holds the lock %s of global and does not give it back: at both looks, %.1f s apart, it was the "
        .. "holder%s, while %d processes waited for a lock%s%s."):format(holder, row.lock, now.seconds,
        row.holder_function and ", in " .. row.holder_function or "", now.waiting,
        now.waiter_function and ", called from " .. now.waiter_function or "", others),
      unlike = {
        slow_server = "nobody's mailbox holds these requests: who waits for a lock asks again from time to time",
        call_deadlock = ("the holder waits for none of them: it is in %s"):format(row.holder_function or "its work"),
        busy_lock = "a lock that is only much in use has another holder at each look",
      },
      next_steps = {
        step(("see what %s does while it holds the lock, and whether it should give it back first"):format(holder)),
        step("do the slow part outside of global:trans, and give set_lock a number of retries", "CAUTION"),
        step(("ending %s frees the lock, and loses what it is doing"):format(holder), "DANGEROUS"),
      },
    }
  end,
}

local GROWS = { growing = true, accelerating = true }
local GRAVE = { sustained = true, critical = true }

local function overloaded(state) return GRAVE[state.severity] and GROWS[state.pattern] end

local overload = {
  id = "overload", mechanism = "other", yields_to = { ["*"] = "any" },
  expert = "A mailbox that grows at every one of eight looks. Say who; beam says why.",
  suspect = function(snapshot) return (snapshot.max_queue_size or 0) >= FEW end,
  look = { STATE, function(results) return overloaded(results[1]) and STATE or nil end },
  confirm = function(results)
    local was, now = results[1], results[2]
    if not overloaded(was) or not overloaded(now) then return end
    local row = now.longest[1] or {}
    return {
      object = row.name or row.pid or now.bottleneck_location or "mailboxes", confidence = "low",
      severity = now.severity == "critical" and "critical" or "warning",
      figures = cite(results, { { 2, "max_queue_size" }, { 2, "growth_per_sec" }, { 2, "pattern" }, { 2, "seconds" },
        { 2, "severity" }, { 2, "total_queue_depth" }, { 1, "max_queue_size" }, { 1, "growth_per_sec" } }),
      hypothesis = ("The mailboxes grow by %.0f messages a second, the longest had %d and now has %d (%s)."):format(
        now.growth_per_sec, was.max_queue_size, now.max_queue_size, row.name or row.pid or "its process ended"),
      unlike = { bursty_mailbox = "a burst drains; these grew at every look" },
      next_steps = {
        step "look with the skill beam: it watches this process and tells why its mailbox grows",
        step "overload_remediation_plan names what could be done meanwhile",
      },
    }
  end,
}

return { call_deadlock, slow_downstream, global_lock_held, overload }
