--- What an expert looks for under supervisors. One crash that was mended is what they are for; what counts is a child
--- that is started and lost at every look, while its supervisor goes on.

local words = ...
local cite, row_of, step = words.cite, words.row_of, words.step

local FIRST, CLOSE = 1500, 2500 -- milliseconds

-- Three restarts in the period that ends now, and one just now.
local function loops(row, seconds)
  return row.looping and row.started > 0 and row.last_restart_seconds <= seconds + 1
end

local function looping(r)
  for i, row in ipairs(r.restarts) do
    if loops(row, r.seconds) then return row, i end
  end
end

local function name_of(child)
  local name = child.id or child.name
  if name and child.name and child.name ~= child.id then name = ("%s (%s)"):format(name, child.name) end
  return name
end

local function child_of(row) return name_of((row.children or {})[1] or {}) end

local restart_loop = {
  id = "restart_loop", mechanism = "restart_loop",
  expert = "A supervisor that restarted three times in its period and goes on at the second look. Once is health.",
  suspect = function(snapshot) return (snapshot.supervisor_count or 0) > 0 end,
  look = {
    { "sup_restarts", 10, FIRST },
    function(results) return looping(results[1]) and { "sup_restarts", 10, CLOSE } or nil end,
  },
  confirm = function(results)
    for i, now in ipairs(results[2].restarts) do
      local was, j = row_of(results[1].restarts, "pid", now.pid)
      if was and loops(was, results[1].seconds) and loops(now, results[2].seconds) then
        local at, before = ("restarts[%d]."):format(i), ("restarts[%d]."):format(j)
        local name, child = now.supervisor or now.pid, child_of(now) or child_of(was)
        return {
          object = name,
          figures = cite(results, { { 2, at .. "restarts_in_period" }, { 2, at .. "period_seconds" },
            { 2, at .. "intensity" }, { 2, at .. "started" }, { 2, "seconds" }, { 2, at .. "last_restart_seconds" },
            { 1, before .. "restarts_in_period" }, { 1, before .. "started" } }),
          severity = "critical", confidence = "high",
          hypothesis = ("%s restarts its child%s again and again: %d times in the last %d s, %d of them in the %.1f s "
            .. "that it was watched. The child ends as soon as it is started, and an intensity of %d in %d s hides "
            .. "it."):format(name, child and " " .. child or "", now.restarts_in_period, now.period_seconds,
            now.started, results[2].seconds, now.intensity, now.period_seconds),
          unlike = {
            single_crash = ("one crash is restarted once; here %d, then %d children were started while we looked")
              :format(was.started, now.started),
            dynamic_children = "children that come and go by themselves are no restarts; these the supervisor counts",
            dependency_error_storm = "there many callers fail; here one child does, and is started again each time",
          },
          next_steps = {
            step "read why the child ends: exception_recent, or the node's own log",
            step("mend what the child needs at its start, or let it start without and try again later", "CAUTION"),
            step("supervisor:terminate_child ends the loop, and leaves the work of this child undone", "DANGEROUS"),
          },
        }
      end
    end
  end,
}

-- A child that lives for a second or two is lost seldom enough for a short period never to hold three of its ends; a
-- period of one second never does. One that was started anew at three looks in a row has had no good moment in between.
-- What goes by other reasons has no name, or another each time.
local REST = 2 -- seconds, so that the three looks are some nine

local function started_of(r, pid, id)
  local row, i = row_of(r.restarts, "pid", pid)
  if not row or row.started == 0 or row.last_restart_seconds > r.seconds + 1 then return end
  local child = row_of(row.children, "id", id)
  if child then return row, i, child end
end

-- The first child by name that every look so far saw started anew.
local function lost_again(results)
  for _, row in ipairs(results[1].restarts) do
    for _, child in ipairs(row.children or {}) do
      local all = child.id ~= nil
      for _, r in ipairs(results) do all = all and started_of(r, row.pid, child.id) ~= nil end
      if all then return row.pid, child.id end
    end
  end
end

local slow_restart_loop = {
  id = "slow_restart_loop", mechanism = "restart_loop", yields_to = { restart_loop = "any" },
  expert = "One child by name that its supervisor starts anew at each of three looks: its limit never ends it.",
  suspect = function(snapshot) return (snapshot.supervisor_count or 0) > 0 end,
  look = {
    { "sup_restarts", 10, FIRST },
    function(results) return lost_again(results) and { "sup_restarts", 10, CLOSE } or nil end,
    function(results) return lost_again(results) and { "sup_restarts", 10, CLOSE, after = REST } or nil end,
  },
  confirm = function(results)
    local pid, id = lost_again(results)
    if not pid then return end
    local now, i, child = started_of(results[3], pid, id)
    local was, j = started_of(results[2], pid, id)
    local _, k = started_of(results[1], pid, id)
    local at, before, first = ("restarts[%d]."):format(i), ("restarts[%d]."):format(j), ("restarts[%d]."):format(k)
    local span = results[1].seconds + results[2].seconds + REST + results[3].seconds
    return {
      object = now.supervisor or pid, severity = "warning", confidence = "high",
      figures = cite(results, { { 3, at .. "started" }, { 3, "seconds" }, { 3, at .. "last_restart_seconds" },
        { 3, at .. "intensity" }, { 3, at .. "period_seconds" }, { 2, before .. "started" },
        { 2, before .. "last_restart_seconds" }, { 1, first .. "started" }, { 1, first .. "last_restart_seconds" } }),
      hypothesis = ("%s started its child %s anew at each of three looks in %.0f s: it ends soon after its start, over "
        .. "and over, and a limit of %d restarts in %d s never stops it."):format(now.supervisor or pid,
        name_of(child), span, now.intensity, now.period_seconds),
      unlike = {
        single_crash = ("one crash is restarted once; this child was started anew at three looks, the last %d s ago")
          :format(now.last_restart_seconds),
        bad_start = ("what only starts badly stays up then; %.0f s after the first look it was lost again"):format(
          span),
        dynamic_children = "children that come and go have no name of their own; this one is the same each time",
        dependency_error_storm = ("there many callers fail; here %d children were started anew in %.1f s"):format(
          was.started, results[2].seconds),
      },
      next_steps = {
        step("read why the child ends: exception_recent, or the node's own log"),
        step("let it try again by itself, ever more slowly, where what it needs may be away", "CAUTION"),
        step("lower the limit again, so that who stands above learns of it", "CAUTION"),
      },
    }
  end,
}

-- What a supervisor stands in while it starts or ends a child; it does nothing else then. Whatever of OTP stands above
-- that is how it waits.
local OTP = { proc_lib = true, gen = true, gen_server = true, gen_statem = true, supervisor = true, erlang = true,
  timer = true, lists = true, DynamicSupervisor = true, GenServer = true }

local function in_child(row)
  for _, frame in ipairs(row.stack or {}) do
    if words.supervises(frame) then return true end
  end
end

-- The function that keeps it: the innermost that is not OTP's, if it runs in the supervisor itself.
local function kept_in(row) return words.own_function(row.stack, OTP) or row.stack[1] end

local function stuck(row) return in_child(row) and row.started == 0 end

-- Silent at both looks, at one place, without a new child, while somebody waits. Our own question of the first look
-- lies there too.
local function blocked(results)
  for i, now in ipairs(results[2].silent) do
    local was, j = row_of(results[1].silent, "pid", now.pid)
    if was and stuck(was) and stuck(now) and was.stack[1] == now.stack[1] and now.message_queue >= 2 then
      return now, i, was, j
    end
  end
end

local supervisor_blocked = {
  id = "supervisor_blocked", mechanism = "supervisor_blocked",
  expert = "A supervisor that answers at neither look and stands at one place: a child that it starts or ends does not "
    .. "come back, and everybody else it should start waits.",
  suspect = function(snapshot) return (snapshot.supervisor_count or 0) > 0 end,
  look = {
    { "sup_restarts", 10, FIRST },
    function(results)
      for _, row in ipairs(results[1].silent) do
        if stuck(row) then return { "sup_restarts", 10, CLOSE } end
      end
    end,
  },
  confirm = function(results)
    local now, i, was, j = blocked(results)
    if not now then return end
    local at, before, name, seconds = ("silent[%d]."):format(i), ("silent[%d]."):format(j), now.name or now.pid,
      results[1].seconds + results[2].seconds
    return {
      object = name,
      figures = cite(results, { { 2, at .. "message_queue" }, { 1, before .. "message_queue" }, { 2, at .. "stack[1]" },
        { 1, before .. "stack[1]" }, { 2, at .. "started" }, { 1, before .. "started" }, { 2, "seconds" },
        { 1, "seconds" } }),
      severity = "critical", confidence = "high",
      hypothesis = ("%s starts or ends a child that does not come back: in over %.1f s it stood in %s, started nobody "
        .. "and answered nobody. %d requests wait before it, %d at the first look; nothing under it is started or "
        .. "restarted meanwhile."):format(name, seconds, kept_in(now), now.message_queue, was.message_queue),
      unlike = {
        restart_loop = ("it started %d children while we looked"):format(was.started + now.started),
        slow_server = ("it stands in the start or the end of a child: %s"):format(table.concat(now.stack, " < ", 1,
          math.min(3, #now.stack))),
        slow_start = ("a start that only takes long moves on; this one was in %s at both looks"):format(now.stack[1]),
        sys_suspended = "it is in the midst of a call, not in the loop of sys",
      },
      next_steps = {
        step(("see what %s waits for"):format(kept_in(now))),
        step("let init return at once and do the slow part in handle_continue; give a start a time limit", "CAUTION"),
        step("ending what it waits for lets the start fail, and the supervisor goes on", "DANGEROUS"),
      },
    }
  end,
}

return { restart_loop, slow_restart_loop, supervisor_blocked }
