--- What an expert looks for among programs and files that the node opened, and where the file descriptors go: what one
--- process opens again and again and never closes, and the limit that all of it runs into.

local words = ...
local cite, row_of, step = words.cite, words.row_of, words.step

local LIST, AGAIN = { "ports_list" }, { "ports_list", after = 2 }
local PACE = { "ports_saturation_prediction", 10 }

-- Whoever needs so many at once has a pool of them, which is filled once; a rate is of what comes after.
local MANY = 20
local FEW = 3    -- at the first look, which may come early
local GAINED = 3 -- from the first to the last look

local function programs(list)
  local row, i = row_of(list.kinds, "kind", "program")
  return row and row.count or 0, i
end

-- Who gained most of what was gained.
local function gainer(before, now, more)
  for i, owner in ipairs(now.owners) do
    local was = row_of(before.owners, "pid", owner.pid)
    if was and owner.count >= MANY and owner.count - was.count >= 0.8 * more then return owner, i, was end
  end
end

local function rises(prediction) return prediction.port_table.growth_per_minute >= 30 end

local os_process_leak = {
  id = "os_process_leak", mechanism = "os_process_leak",
  suspect = function(snapshot) return (snapshot.program_count or FEW) >= FEW end,
  expert = "Programs outside that become more at every look, all of one process, which has many: it closes none.",
  look = {
    LIST,
    PACE,
    function(results) return programs(results[1]) >= FEW and rises(results[2]) and PACE or nil end,
    function(results) return rises(results[3]) and LIST or nil end,
  },
  confirm = function(results)
    local before, now, pace = results[1], results[4], results[3].port_table
    local was, count, k = programs(before), programs(now)
    local more = count - was
    if more < GAINED then return end
    local owner, i = gainer(before, now, more)
    if not owner then return end
    local name = owner.name or owner.pid
    return {
      object = name, severity = "warning", confidence = "high",
      figures = cite(results, { { 4, ("kinds[%d].count"):format(k) }, { 4, ("owners[%d].count"):format(i) },
        { 4, ("owners[%d].name"):format(i) }, { 4, "total" }, { 1, "total" }, { 3, "port_table.growth_per_minute" },
        { 2, "port_table.growth_per_minute" }, { 4, "ports[1].os_pid" }, { 4, "ports[1].name" } }),
      hypothesis = ("%s starts programs outside of the node and closes none: %d run, %d more than at the first look, "
        .. "%.0f ports more a minute. Each takes a process of the machine and some file descriptors of the node.")
        :format(name, count, more, pace.growth_per_minute),
      unlike = {
        socket_leak = ("what it gained are programs, %d of them"):format(more),
        pool_of_programs = ("a pool stands still once it is filled; this number went from %d to %d"):format(was, count),
        short_programs = "a program that ends takes its port with it; these stay",
      },
      next_steps = {
        step(("see what they are and whether they wait for input: ports_list has their names and os_pid; then where %s "
          .. "should call port_close"):format(name)),
        step("close the port when its answer came, or keep a few of them and use them again", "CAUTION"),
        step(("ending %s closes all of them"):format(name), "DANGEROUS"),
      },
    }
  end,
}

-- The process that opened nearly all of them.
local function opener(list)
  local first = list.openers[1]
  return first and first.share_pct >= 80 and first or nil
end

local function more_files(before, now) return now.open_files - before.open_files >= GAINED end

local file_handle_leak = {
  id = "file_handle_leak", mechanism = "file_handle_leak",
  expert = "Open files that become more at three looks, nearly all opened by one process: it never closes them.",
  suspect = function(snapshot) return (snapshot.open_files or 0) >= MANY end,
  look = {
    LIST,
    function(results) return results[1].open_files >= MANY and AGAIN or nil end,
    function(results) return more_files(results[1], results[2]) and AGAIN or nil end,
  },
  confirm = function(results)
    local first, before, now = results[1], results[2], results[3]
    if not more_files(before, now) then return end
    local who = opener(now)
    local name = who and (who.name or who.pid) or "open files"
    return {
      object = name, severity = "warning", confidence = who and "high" or "medium",
      figures = cite(results, { { 1, "open_files" }, { 2, "open_files" }, { 3, "open_files" },
        { 3, "openers[1].name" }, { 3, "openers[1].pid" }, { 3, "openers[1].share_pct" } }),
      hypothesis = ("%s and never closes them: %d are open, %d and %d at the looks before. Each has a process of "
        .. "its own and a file descriptor."):format(who and ("%s opens files"):format(name)
        or "Somebody opens files", now.open_files, first.open_files, before.open_files),
      unlike = {
        process_leak = "the processes that become more are the servers of opened files, one for each",
        socket_leak = ("what became more are files: %d"):format(now.open_files - first.open_files),
        many_files_by_design = ("a store that keeps its files open has a number that stands still; this went from %d "
          .. "to %d"):format(first.open_files, now.open_files),
      },
      next_steps = {
        step(("find where %s opens a file and leaves without file:close, on an error too"):format(name)),
        step("close in `after` of a try, or read the whole at once with file:read_file", "CAUTION"),
        step(("ending %s closes all its files"):format(name), "DANGEROUS"),
      },
    }
  end,
}

local HALF, FULL_PCT = 0.5, 95

local TAKEN, STILL = { "ports_descriptors" }, { "ports_descriptors", after = 2 }

-- Who has most of the ports, where that is most of what is taken.
local function holder(list)
  local first = list.owners[1]
  return first and first.count >= 0.5 * list.total and first or nil
end

local fd_limit = {
  id = "fd_limit", mechanism = "fd_limit",
  expert = "Nearly all file descriptors taken at two looks: whatever opens or accepts next fails with emfile.",
  suspect = function(snapshot)
    local limit = snapshot.descriptor_limit or 0
    return limit > 0 and (snapshot.port_count or 0) + (snapshot.open_files or 0) >= HALF * limit
  end,
  look = {
    TAKEN,
    function(results) return results[1].taken_pct >= FULL_PCT and STILL or nil end,
    function(results) return results[2].taken_pct >= FULL_PCT and LIST or nil end,
  },
  confirm = function(results)
    local now, list = results[2], results[3]
    local who = holder(list)
    local name = who and (who.name or who.pid)
    return {
      object = name and ("file descriptors (most held by %s)"):format(name) or "file descriptors",
      severity = "critical", confidence = "high",
      figures = cite(results, { { 2, "taken_pct" }, { 2, "limit" }, { 2, "taken" }, { 2, "looked_at" },
        { 1, "taken_pct" }, { 2, "port_count" }, { 2, "open_files" }, { 3, "owners[1].count" },
        { 3, "owners[1].name" } }),
      hypothesis = ("The node may have %d file descriptors and %.0f %% of them are taken, at both looks (%d ports, %d "
        .. "files%s): whatever opens a file or a socket next fails with emfile, and nobody new is let in."):format(
        now.limit, now.taken_pct, now.port_count, now.open_files,
        who and (", %d of the ports held by %s"):format(who.count, name) or ""),
      unlike = {
        socket_leak = "a leak goes on; here the limit holds it, whether it was one or the limit is too low",
        full_pool = ("a full pool leaves room for others; here the limit of the whole node, %d, is reached"):format(
          now.limit),
      },
      next_steps = {
        step "see what holds them: ports_list, ports_list_inet; a number this low is often only a shell's default",
        step("raise the limit where the node is started: ulimit -n, LimitNOFILE of systemd; it takes a restart",
          "CAUTION"),
        step("close what is idle for long: a time limit on each connection", "CAUTION"),
      },
    }
  end,
}

return { os_process_leak, file_handle_leak, fd_limit }
