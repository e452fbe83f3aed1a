--- What an expert hears in the warnings of the VM. One of them is nothing: a port is busy wherever much is written.
--- What counts is the same one again and again, at both looks.

local words = ...
local cite, row_of, step, always = words.cite, words.row_of, words.step, words.always

local REST = 3 -- seconds
local LEAST = 3 -- events, of which one after the first look

local STATS, AGAIN = { "sysmon_stats" }, { "sysmon_stats", after = REST }

-- Who is told of again and again with this kind of event.
local function again(results, list, key, kind)
  for i, now in ipairs(results[2][list]) do
    local was = row_of(results[1][list], key, now[key])
    if was and (was[kind] or 0) > 0 and (now[kind] or 0) >= LEAST and now[kind] > was[kind] then
      return now, i, was
    end
  end
end

local function heard(kind)
  return {
    STATS,
    function(results) return (results[1][kind] or 0) > 0 and AGAIN or nil end,
  }
end

local gc_thrash = {
  id = "gc_thrash", mechanism = "gc_thrash", suspect = always, look = heard "long_gc",
  expert = "One process with long collections again and again. One alone is nothing.",
  confirm = function(results)
    local now, i, was = again(results, "processes", "pid", "long_gc")
    if not now or now.long_gc * 500 < 400 * results[2].listened_seconds then return end
    local at = ("processes[%d]."):format(i)
    local name = now.name or now.pid
    return {
      object = name, severity = "warning", confidence = "medium",
      figures = cite(results, { { 2, at .. "long_gc" }, { 2, at .. "max_ms" }, { 2, "listened_seconds" },
        { 2, "max_gc_ms" }, { 2, at .. "pid" }, { 1, "long_gc" } }),
      hypothesis = ("%s collects garbage again and again for over half a second: %d times in %.1f s, %d ms at most.")
        :format(name, now.long_gc, results[2].listened_seconds, now.max_ms),
      unlike = {
        one_off_long_gc = ("one passes; here there were %d, then %d"):format(was.long_gc, now.long_gc),
        unbounded_state = "what it keeps was not looked at: gc_top_processes tells",
      },
      next_steps = {
        step "see its heap: gc_top_processes, beam_process_info",
        step("keep large and lasting data in ETS, so that it is not copied each time", "CAUTION"),
      },
    }
  end,
}

-- Told as it is, and no more: how often somebody was held up there. The skill ports proves whether it stands still.
local function busy_check(id, kind, expert, tell)
  return {
    id = id, mechanism = "other", suspect = always, look = heard(kind), yields_to = { ["*"] = "any" }, expert = expert,
    confirm = function(results)
      local now, i = again(results, "ports", "port", kind)
      if not now then return end
      local at = ("ports[%d]."):format(i)
      return {
        object = now.port, severity = "info", confidence = "low",
        figures = cite(results, { { 2, at .. "port" }, { 2, at .. "port_name" }, { 2, at .. kind },
          { 2, "listened_seconds" }, { 1, kind } }),
        hypothesis = tell(now, results[2].listened_seconds), unlike = {},
        next_steps = { step "see whether it drains: ports_queue_growth, ports_suspended_processes" },
      }
    end,
  }
end

local busy_port = busy_check("busy_port", "busy_port",
  "The same port that holds up its writers again and again: traffic, or a reader who is too slow; ports tells which.",
  function(row, seconds)
    return ("Writers to %s (%s) were suspended %d times in %.1f s, since it was full."):format(row.port,
      row.port_name or "port", row.busy_port, seconds)
  end)

local busy_link = busy_check("busy_link", "busy_dist_port",
  "The same link to a node that holds up its senders again and again; ports_distribution tells whether it moves.",
  function(row, seconds)
    return ("Senders to another node were suspended %d times in %.1f s, since the link %s was full."):format(
      row.busy_dist_port, seconds, row.port)
  end)

return { gc_thrash, busy_port, busy_link }
