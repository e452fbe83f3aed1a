--- What an expert hears in the warnings of the VM. One of them is nothing: a port is busy wherever much is written.
--- What counts is the same one again and again, at both looks. A warning names whom it befell and never why, so
--- nobody is accused here: gc and ports prove what stands behind it.

local words = ...
local cite, row_of, step, always = words.cite, words.row_of, words.step, words.always

local REST = 3  -- seconds
local LEAST = 3 -- events, of which one after the first look

-- Who is told of again and again with this kind of event.
local function again(results, list, key, kind)
  for i, now in ipairs(results[2][list]) do
    local was = row_of(results[1][list], key, now[key])
    if was and (was[kind] or 0) > 0 and (now[kind] or 0) >= LEAST and now[kind] > was[kind] then return now, i end
  end
end

--- A check of one kind of warning: told as it is, and no more.
local function warned(id, kind, of, expert, severity, advice, tell)
  local list, key = unpack(of)
  return {
    id = id, mechanism = "other", suspect = always, yields_to = { ["*"] = "any" }, expert = expert,
    look = {
      { "sysmon_stats" },
      function(results) return (results[1][kind] or 0) > 0 and { "sysmon_stats", after = REST } or nil end,
    },
    confirm = function(results)
      local now, i = again(results, list, key, kind)
      if not now then return end
      local at = ("%s[%d]."):format(list, i)
      return {
        object = now.name or now[key], severity = severity, confidence = "low",
        figures = cite(results, { { 2, at .. key }, { 2, at .. kind }, { 2, at .. "max_ms" }, { 2, at .. "port_name" },
          { 2, "listened_seconds" }, { 1, kind } }),
        hypothesis = tell(now, results[2].listened_seconds), unlike = {}, next_steps = { step(advice) },
      }
    end,
  }
end

local long_collections = warned("long_collections", "long_gc", { "processes", "pid" },
  "One process with long collections again and again. One alone is nothing.",
  "warning", "see its heap: gc_get_long_gcs, gc_top_processes",
  function(row, seconds)
    return ("%s collected garbage for over half a second %d times in %.1f s, for %d ms at most."):format(
      row.name or row.pid, row.long_gc, seconds, row.max_ms or 0)
  end)

local busy_port = warned("busy_port", "busy_port", { "ports", "port" },
  "The same port that holds up its writers again and again: traffic, or a reader who is too slow; ports tells which.",
  "info", "see whether it drains: ports_queue_growth, ports_suspended_processes",
  function(row, seconds)
    return ("Writers to %s (%s) were suspended %d times in %.1f s, since it was full."):format(row.port,
      row.port_name or "port", row.busy_port, seconds)
  end)

local busy_link = warned("busy_link", "busy_dist_port", { "ports", "port" },
  "The same link to a node that holds up its senders again and again; ports_distribution tells whether it moves.",
  "info", "see whether it moves: ports_distribution, twice",
  function(row, seconds)
    return ("Senders to another node were suspended %d times in %.1f s, since the link %s was full."):format(
      row.busy_dist_port, seconds, row.port)
  end)

return { long_collections, busy_port, busy_link }
