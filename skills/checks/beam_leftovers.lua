--- What an expert looks for beside heaps and mailboxes: modules and literals that pile up, a trace that somebody left
--- on. All of it begins with the first looks of the other files, so it costs nothing where nothing moves.

local words = ...
local object, cite, row_of, step, always = words.object, words.cite, words.row_of, words.step, words.always

local FIRST, CLOSE = 1500, 2000 -- milliseconds

local OVERVIEW = { "beam_overview", FIRST }
local REDUCERS = { "beam_top_reducers_window", 20, FIRST }
local QUEUES = { "beam_queue_growth", FIRST, 10 }

--- Modules ------------------------------------------------------------------------------------

local MODULES = { "beam_module_growth", CLOSE }
local LOADED = 2 -- a second

-- Names that differ in their numbers only, or in a word of hexadecimal digits: made by a program, not written by a
-- person.
local function shape_of(names)
  local count, best = {}, nil
  for _, name in ipairs(names) do
    local shape = name:gsub("%f[%w]%x*%d%x*%f[%W]", "#"):gsub("%d+", "#")
    count[shape] = (count[shape] or 0) + 1
    if shape:find "#" and (not best or count[shape] > count[best]) then best = shape end
  end
  return best and count[best] >= 0.8 * #names and best or nil
end

local function loading(m) return m.born >= LOADED * m.seconds and m.gone <= 0.2 * m.born and shape_of(m.names) end

local module_leak = {
  id = "module_leak", mechanism = "module_leak", suspect = always,
  expert = "Modules that are loaded at every look, their names alike but for a number: code that is made at run time.",
  look = {
    OVERVIEW,
    function(results)
      local o = results[1]
      return o.modules - o.modules_before >= LOADED * o.seconds and MODULES or nil
    end,
  },
  confirm = function(results)
    local o, m = results[1], results[2]
    local shape = loading(m)
    if not shape then return end
    local rate = m.born / m.seconds
    return {
      object = shape,
      figures = cite(results, { { 2, "modules_before" }, { 2, "modules" }, { 2, "born" }, { 2, "gone" },
        { 2, "seconds" }, { 2, "code_mb_before" }, { 2, "code_mb" }, { 2, "names[1]" }, { 1, "modules_before" },
        { 1, "modules" } }),
      severity = rate >= 10 and "critical" or "warning", confidence = "high",
      hypothesis = ("%.1f modules a second are made and loaded, like %s (%d now), and none is ever removed: code, and "
        .. "atoms for their names, only become more."):format(rate, m.names[1], m.modules),
      unlike = {
        atom_leak = ("the atoms come with the modules: %d were loaded"):format(m.born),
        lazy_loading = ("modules that are loaded when first called have names of their own; these are all %s"):format(
          shape),
        deployment = ("a deployment ends; %d came in the first look, %d in the second"):format(
          o.modules - o.modules_before, m.born),
      },
      next_steps = {
        step(("find who compiles %s at run time; one module with data does for many"):format(shape)),
        step("code:purge and code:delete those that nobody runs", "CAUTION"),
        step("a restart removes them all, the atoms too", "DANGEROUS"),
      },
    }
  end,
}

--- Persistent terms ---------------------------------------------------------------------------

local LITERALS = { "beam_persistent_term_growth", FIRST }
local COLLECTOR = "erts_literal_area_collector:start/0"
local COLLECTED = 50000 -- reductions of the collector, a second

-- Literals of code that is loaded anew are collected as well. Then the purger of code walks through the processes just
-- as the collector does, and works as much (measured: 373,092 and 370,770 reductions a second); what the collector
-- does beyond is done for persistent terms.
local function for_terms(p)
  local beyond = p.collector_reductions_per_sec - p.purger_reductions_per_sec
  return beyond >= COLLECTED and beyond >= p.purger_reductions_per_sec
end

local persistent_term_churn = {
  id = "persistent_term_churn", mechanism = "persistent_term_churn", suspect = always,
  yields_to = { module_leak = "any" },
  expert = "The collector of literals is among the busiest at two looks: a persistent term is often written anew.",
  look = {
    REDUCERS,
    function(results)
      for _, row in ipairs(results[1].processes) do
        if object(row) == COLLECTOR and row.rate_per_sec >= COLLECTED then return LITERALS end
      end
    end,
  },
  confirm = function(results)
    local p = results[2]
    if not for_terms(p) then return end
    local row, i = row_of(results[1].processes, "name", COLLECTOR)
    return {
      object = "persistent_term",
      figures = cite(results, { { 2, "collector_reductions_per_sec" }, { 2, "count_before" }, { 2, "count" },
        { 2, "memory_mb" }, { 2, "purger_reductions_per_sec" }, { 2, "seconds" },
        { 1, i and ("processes[%d].rate_per_sec"):format(i) or "seconds" },
        { 1, i and ("processes[%d].share_pct"):format(i) or "seconds" } }),
      severity = "warning", confidence = row and "high" or "medium",
      hypothesis = ("Persistent terms are written anew all the time: after each the VM searches every process for the "
        .. "old one, which takes its collector %d reductions a second; there are %d terms, %d before."):format(
        p.collector_reductions_per_sec, p.count, p.count_before),
      unlike = {
        module_reload = ("code that is loaded anew keeps its purger as busy; that did %d reductions a second"):format(
          p.purger_reductions_per_sec),
        gc_thrash = "it is no process of the application that collects, but the VM's collector of literals",
        persistent_term_growth = ("their number went from %d to %d"):format(p.count_before, p.count),
        hot_process = "the collector works on behalf of whoever puts or erases",
      },
      next_steps = {
        step "find who calls persistent_term:put or erase for what changes often",
        step("keep what changes in ETS or counters", "CAUTION"),
      },
    }
  end,
}

-- As many in a second, at two looks: what an application puts when it starts ends.
local TERMS = 2

local function terms_per_second(o, count) return (o[count] - o[count .. "_before"]) / o.seconds end

local persistent_term_growth = {
  id = "persistent_term_growth", mechanism = "persistent_term_growth", suspect = always,
  expert = "The number of persistent terms rises at three looks: they are made for what comes and goes.",
  look = {
    OVERVIEW,
    function(results) return terms_per_second(results[1], "persistent_terms") >= TERMS and LITERALS or nil end,
    function(results) return terms_per_second(results[2], "count") >= TERMS and LITERALS or nil end,
  },
  confirm = function(results)
    local p = results[3]
    local rate = terms_per_second(p, "count")
    if rate < TERMS then return end
    return {
      object = "persistent_term",
      figures = cite(results, { { 3, "count_before" }, { 3, "count" }, { 3, "memory_mb_before" }, { 3, "memory_mb" },
        { 3, "seconds" }, { 2, "count_before" }, { 2, "count" }, { 1, "persistent_terms_before" },
        { 1, "persistent_terms" } }),
      severity = "warning", confidence = "high",
      hypothesis = ("%.1f persistent terms more every second (%d now, %.1f MB), and none is erased: they are meant for "
        .. "what hardly ever changes, and nothing frees them but erase."):format(rate, p.count, p.memory_mb),
      unlike = {
        persistent_term_churn = ("terms that are written anew keep their number; it went from %d to %d"):format(
          p.count_before, p.count),
        warm_up = ("what is put at a start ends; it was %d, then %d, then %d"):format(
          results[1].persistent_terms_before, results[2].count_before, p.count),
      },
      next_steps = {
        step "find who calls persistent_term:put with a key that is made of something: an id, a pid, a time",
        step("keep such things in ETS, and erase those in one go: each erase makes the VM search every process",
          "CAUTION"),
      },
    }
  end,
}

--- Traces -------------------------------------------------------------------------------------

local GROWS = 20

local function growing_mailbox(results)
  local best
  for _, row in ipairs(results[1].processes) do
    if row.queue_growth >= GROWS and (not best or row.queue_growth > best.queue_growth) then best = row end
  end
  return best
end

-- Where somebody's tracer stands in this answer, and whom it traces.
local function traces_to(left, pid)
  if left.tracer == pid then return "tracer", "every new process" end
  for i, row in ipairs(left.traced or {}) do
    if row.tracer == pid then
      return ("traced[%d].tracer"):format(i), ("%d of the %d processes looked at"):format(left.traced_count,
        left.traced_of)
    end
  end
end

local tracing_left_on = {
  id = "tracing_left_on", mechanism = "tracing_left_on", suspect = words.mail_waits,
  expert = "A mailbox that grows, of a process that is somebody's tracer: a trace was left on.",
  look = {
    QUEUES,
    function(results) return growing_mailbox(results) and { "beam_leftovers" } or nil end,
  },
  confirm = function(results)
    local row = growing_mailbox(results)
    local path, whom = traces_to(results[2], row.pid)
    if not path then return end
    local _, i = row_of(results[1].processes, "pid", row.pid)
    local at = ("processes[%d]."):format(i)
    return {
      object = object(row),
      figures = cite(results, { { 2, path }, { 2, "traced_count" }, { 2, "traced_of" }, { 1, at .. "pid" },
        { 1, at .. "queue_growth" }, { 1, at .. "final_queue" }, { 1, "seconds" } }),
      severity = "critical", confidence = "high",
      hypothesis = ("A trace was left on: %s is the tracer of %s, and gets messages faster than it reads them "
        .. "(%d wait, %d more in %.1f s). Whoever is traced is slowed down by it."):format(object(row), whom,
        row.final_queue, row.queue_growth, results[1].seconds),
      unlike = {
        slow_consumer = ("what it gets are messages of a trace: %s sends to it"):format(whom),
        unhandled_messages = "nobody's request waits there",
      },
      next_steps = {
        step "find who traces: a console, a debugger, dbg or recon_trace left open",
        step("end the trace: erlang:trace(all, false, [all]), or end the tracer", "CAUTION"),
      },
    }
  end,
}

return { module_leak, persistent_term_churn, persistent_term_growth, tracing_left_on }
