--- What an expert reads in the log where OTP or the node's own code says the cause itself: a call to a name that nobody
--- has, a database that is behind with its own log, a disk without room, a node that stopped answering. Once is an
--- incident; what counts goes on at the second look. What was heard is kept here, so these looks cost the node nothing
--- more.

local words = ...
local cite, step = words.cite, words.step

local LEAST = 3 -- lines of one kind, of which one came after the first look
local REST = 2  -- seconds

local function some_logged(snapshot) return (snapshot.error_count or 0) + (snapshot.warning_count or 0) > 0 end

-- The object that most of these lines name, and those lines' places, newest first.
local function commonest(result, named)
  local groups, best = {}, nil
  for i, entry in ipairs(result.entries) do
    local object = named(entry.message, entry)
    if object then
      groups[object] = groups[object] or {}
      table.insert(groups[object], i)
      if not best or #groups[object] > #groups[best] then best = object end
    end
  end
  return best, groups[best]
end

--- A check of one thing that is said. `named` finds the object in a line, `least` is how many lines it takes, with one
--- of them new at the second look. `tell` is handed the object, how many lines, in how many seconds.
local function said(c)
  return {
    id = c.id or c.word, mechanism = c.word, expert = c.expert, suspect = some_logged,
    look = { { "logger_search", c.text, 50 }, function(results)
      return commonest(results[1], c.named) and { "logger_search", c.text, 50, after = REST } or nil
    end },
    confirm = function(results)
      local object, places = commonest(results[2], c.named)
      local was, before = commonest(results[1], c.named)
      if not places or #places < LEAST or object ~= was then return end
      local now = results[2]
      local newest, last = now.entries[places[1]], results[1].entries[before[1]]
      if newest.timestamp == last.timestamp and #places <= #before then return end
      local finding = c.tell(object, #places, now.listened_seconds)
      finding.object, finding.severity = object, finding.severity or "warning"
      local at = ("entries[%d]."):format(places[1])
      finding.figures = cite(results, { { 2, at .. "message" }, { 2, at .. "timestamp" }, { 2, at .. "level" },
        { 2, at .. "module" }, { 2, "total" }, { 2, "listened_seconds" }, { 1, "total" } })
      return finding
    end,
  }
end

-- {noproc,{gen_server,call,[prices,...]}} as the node's code printed it, and as a crash is told.
local function nobody(message)
  local name = message:match "noproc,%s*{[%w_.']+,call,%s*%[{?'?([^,%]}']+)"
    or message:match "noproc,[^}]- to ([^}%s]+)"
  return name and not name:find "^<" and name or nil
end

local missing_process = said {
  word = "missing_process", text = "noproc", named = nobody,
  expert = "Calls that fail with noproc, again and again, to one name: who should answer does not run.",
  tell = function(name, lines, seconds)
    return {
      confidence = "high",
      hypothesis = ("Nobody has the name %s: calls to it fail with noproc, %d of the last lines of the log say so, in "
        .. "%.1f s and still at the second look. Its process ended and was not started again, or never was."):format(
        name, lines, seconds),
      unlike = {
        dependency_error_storm = "it does not answer with an error: there is nobody who could answer",
        slow_server = "who is too slow lets a call time out; these fail at once",
        single_crash = ("a process that is started again is back by the second look; %s is not"):format(name),
      },
      next_steps = {
        step(("see who should start %s, and what became of it: sup_children, exception_recent"):format(name)),
        step("put it under a supervisor that starts it again", "CAUTION"),
        step(("starting %s by hand ends the errors until it ends again"):format(name), "CAUTION"),
      },
    }
  end,
}

local mnesia_overloaded = said {
  word = "mnesia_overloaded", text = "Mnesia is overloaded",
  named = function(message) return message:find("Mnesia is overloaded", 1, true) and "mnesia" end,
  expert = "Mnesia says again and again that it is overloaded: its log is not carried over before the next is due.",
  tell = function(_, lines, seconds)
    return {
      confidence = "high",
      hypothesis = ("Mnesia is overloaded and says so itself, in %d lines of %.1f s and still at the second look: more "
        .. "is written to its tables on disk than it can carry over from its transaction log, so a dump is due before "
        .. "the last one is done."):format(lines, seconds),
      unlike = {
        log_storm = "the lines are few, and what they say is the cause",
        disk_full = "a full disk fails with enospc; here writes succeed and come too fast",
        ets_growth = "its tables need not grow for it: the same rows written again are enough",
      },
      next_steps = {
        step "find who writes most: mnesia:dirty_write in a loop, a counter that is kept on disk",
        step("raise dump_log_write_threshold of mnesia, so that it dumps less often and more at once", "CAUTION"),
        step("keep what may be lost in ram_copies or ETS, or write in larger transactions", "CAUTION"),
      },
    }
  end,
}

-- The folder that a line names, else who wrote it.
local function folder(message, entry)
  local path = message:match "([%w_.%-~]*/[%w_.%-/~]+)"
  local place = path and path:gsub("/[^/]*$", "")
  return place and place ~= "" and place or path or entry.module or entry.pid
end

-- As the VM and as the system call it. Somebody who checks for room names neither.
local function disk_full(id, text)
  return said {
    id = id, word = "disk_full", text = text, expert = "Writing fails with enospc again and again: that disk is full.",
    named = function(message, entry) return message:find(text, 1, true) and folder(message, entry) end,
    tell = function(place, lines, seconds)
      return {
        confidence = "high",
        hypothesis = ("No room is left at %s: %d of the last lines of the log say so (%s), in %.1f s and still at the "
          .. "second look. What is written there is lost, logs and data alike."):format(place, lines, text, seconds),
        unlike = {
          fd_limit = "there files cannot be opened (emfile); here what is open cannot be written",
          dependency_error_storm = "it is the machine that says no, to whoever writes there",
        },
        next_steps = {
          step(("see on the machine which disk holds %s and what takes its room: df, du"):format(place)),
          step("delete or move what is old there: logs, dumps", "DANGEROUS"),
          step("let a watch tell of it at 90 %: disksup of os_mon, whose threshold can be set"),
        },
      }
    end,
  }
end

-- A node that somebody cannot reach is looked for again after so many seconds: net_kernel gives it up in the end.
local PATIENCE = 4

local NODE = "([%w_.%-]+@[%w_.%-]+)"
local UNREACHED = { "timeout", "nodedown", "noconnection", "not responding" }

-- Whom a line calls unreached, by net_kernel or by who wanted something of it.
local function unreached(message)
  for _, word in ipairs(UNREACHED) do
    if message:find(word, 1, true) then return message:match(NODE) end
  end
end

-- What net_kernel says when nothing came from a node for the whole tick time. A node that ends closes its links.
local function given_up(result)
  for i, entry in ipairs(result.entries) do
    local name = entry.message:match("Node '?" .. NODE .. "'? not responding")
    if name then return name, i end
  end
end

local netsplit = {
  id = "netsplit", mechanism = "netsplit", suspect = some_logged,
  expert = "net_kernel gave a node up since it sent nothing for the tick time: it hangs, or the network between does.",
  look = {
    { "logger_search", "@", 50 },
    function(results)
      if given_up(results[1]) then return { "logger_search", "@", 50 } end
      return commonest(results[1], unreached) and { "logger_search", "@", 50, after = PATIENCE } or nil
    end,
  },
  confirm = function(results)
    local name, i = given_up(results[2])
    if not name then return end
    local at, lines = ("entries[%d]."):format(i), 0
    for _, entry in ipairs(results[2].entries) do
      if unreached(entry.message) == name then lines = lines + 1 end
    end
    return {
      object = name, severity = "warning", confidence = "high",
      figures = cite(results, { { 2, at .. "message" }, { 2, at .. "timestamp" }, { 2, at .. "level" },
        { 2, "total" }, { 2, "listened_seconds" }, { 1, "total" } }),
      hypothesis = ("The link to %s was cut by this node: nothing came from there for the whole tick time "
        .. "(net_ticktime). A node that ends closes its links; this one, or the network between, stood still. %d lines "
        .. "of the log say that it was not reached, in the %.1f s that we listened."):format(name, lines,
        results[2].listened_seconds),
      unlike = {
        planned_stop = "a node that is stopped closes its links, and nobody calls it not responding",
        busy_dist_port = "a full link still carries what is taken; this one was silent both ways",
      },
      next_steps = {
        step(("look at %s: did it hang (swap, a paused machine, a long stop), or was the network away?"):format(name)),
        step "once it is back, see whether both sides agree: global names, mnesia, what each took over alone",
        step("a longer net_ticktime rides out short stops, and notices long ones later", "CAUTION"),
      },
    }
  end,
}

return { missing_process, mnesia_overloaded, netsplit, disk_full("disk_full", "enospc"),
  disk_full("disk_full_in_words", "no space left on device") }
