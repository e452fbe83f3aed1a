--- What an expert looks for under supervisors. One crash that was mended is what they are for; what counts is a child
--- that is started and lost at both looks, while its supervisor goes on.

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

local function child_of(row)
  local child = (row.children or {})[1] or {}
  local name = child.id or child.name
  if name and child.name and child.name ~= child.id then name = ("%s (%s)"):format(name, child.name) end
  return name
end

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

return { restart_loop }
