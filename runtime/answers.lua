--- How a question is answered by figures alone: for each topic that tells what to look at (prompts/knowledge, group
--- routes), the look that shows what was asked for, and the sentence that its figures make. It says how it is, and
--- never why: that is what findings are for (runtime/strategy/answer.lua).
---
---   look    callback and arguments; `after`: seconds before it; `name`: it wants a process that the question names
---   state   fn(values, asked) -> { text, figures = { { look, path } }, calm, object, beside }, nil where it tells
---           nothing. values: what the looks answered; asked(name): whether the question names it; calm: nothing is as
---           somebody feared who asked; beside: the same without that, where a finding says otherwise

local counted = require "runtime.counted"

local answers = {}

-- Less between two looks is traffic, and no growth.
local MOVED, MOVED_PART = 20, 0.002
local MEMORY_MB, MEMORY_PART = 2, 0.005
local FULL_PCT = 85

local function number(n) return counted.grouped(math.floor(n + 0.5)) end
local function processes(n) return n == 1 and "1 process" or number(n) .. " processes" end
local function small(n) return (("%.1f"):format(n):gsub("%.0$", "")) end
local function called(row) return row.name or row.pid end
local function gained(delta, start) return delta > math.max(MOVED, MOVED_PART * start) end

-- The row that the question names, else the first by the order given.
local function pick(rows, asked, first)
  local best
  for i, row in ipairs(rows) do
    if asked(row.name) or asked(row.pid) then return i end
    if not best or first(row) > first(rows[best]) then best = i end
  end
  return best
end

local function figures(look, prefix, ...)
  local list = {}
  for i, name in ipairs { ... } do list[i] = { look = look, path = prefix .. name } end
  return list
end

answers.mailbox = {
  look = { { "beam_queue_growth", 3000, 10 } },
  state = function(values, asked)
    local v = values[1]
    local i = pick(v.processes, asked, function(row)
      return gained(row.queue_growth, row.initial_queue) and 1e12 + row.queue_growth or row.final_queue
    end)
    local row = i and v.processes[i]
    if not row or row.final_queue == 0 and row.initial_queue == 0 then
      return { text = ("No queue grows: of %s nobody had a message waiting for long."):format(
        processes(v.total)), figures = figures(1, "", "total"), calm = true }
    end
    local cited = figures(1, ("processes[%d]."):format(i), "final_queue", "initial_queue", "queue_growth")
    local span = ("from %s to %s messages in %s s"):format(number(row.initial_queue), number(row.final_queue),
      small(v.seconds))
    if gained(row.queue_growth, row.initial_queue) then
      return { text = ("The queue of %s grows by %s a second, %s."):format(called(row),
        number(row.queue_growth / v.seconds), span), figures = cited, calm = false, object = called(row) }
    end
    local subject = (asked(row.name) or asked(row.pid)) and "The queue of %s does not grow: it went %s."
      or "No queue grows: the longest is that of %s, and it went %s."
    return { text = subject:format(called(row), span), figures = cited, calm = true, object = called(row),
      beside = ("The longest queue is that of %s: it went %s."):format(called(row), span) }
  end,
}

local KINDS = {
  { figure = "processes_mb", word = "processes" }, { figure = "binary_mb", word = "binaries" },
  { figure = "ets_mb", word = "ETS tables" }, { figure = "code_mb", word = "code" },
  { figure = "atom_mb", word = "atoms" },
}

local function largest_kind(of)
  local most = KINDS[1]
  for _, kind in ipairs(KINDS) do
    if of(kind.figure) > of(most.figure) then most = kind end
  end
  return most
end

-- Whether memory grows, and the same beside a finding. Where its figures differ as they are shown, no sentence says
-- that it stands still.
local function memory_text(v, most, grown)
  local delta, before, now = v.total_mb - v.total_mb_before, small(v.total_mb_before), small(v.total_mb)
  local span = ("from %s to %s MB in %s s"):format(before, now, small(v.seconds))
  local rate, where = delta / v.seconds, ("most of it is %s, %s MB"):format(most.word, small(v[most.figure]))
  if delta > math.max(MEMORY_MB, MEMORY_PART * v.total_mb_before) then
    return ("Memory grows by %s MB a second, %s; of its kinds %s gained most."):format(small(rate), span, grown.word)
  elseif delta > 0 and now ~= before then
    return ("Memory hardly grows: by %.2g MB a second, %s; %s."):format(rate, span, where),
      ("Memory went %s; %s."):format(span, where)
  end
  local was = ("%s MB, and was %s MB %s s before; %s."):format(now, before, small(v.seconds), where)
  return "Memory does not grow: it is " .. was, "Memory is " .. was
end

answers.memory = {
  look = { { "beam_memory_growth", 3000, 10 } },
  state = function(values, asked)
    local v = values[1]
    local most = largest_kind(function(figure) return v[figure] end)
    local grown = largest_kind(function(figure) return v[figure] - v[figure .. "_before"] end)
    local text, beside = memory_text(v, most, grown)
    local cited = figures(1, "", "total_mb", "total_mb_before", "growth_mb_per_sec", most.figure)
    if not beside then cited[#cited + 1] = { look = 1, path = grown.figure } end
    local i = pick(v.processes, asked, function(row) return row.memory_kb end)
    local row = i and v.processes[i]
    local whose = row and asked(called(row))
    if whose then
      text = ("%s %s takes %s kB of it."):format(text, called(row), number(row.memory_kb))
      cited[#cited + 1] = { look = 1, path = ("processes[%d].memory_kb"):format(i) }
    end
    return { text = text, figures = cited, calm = beside ~= nil, object = whose and called(row) or nil,
      beside = beside }
  end,
}

answers.schedulers = {
  look = { { "beam_overview", 2000 } },
  state = function(values)
    local v = values[1]
    local cited = figures(1, "", "utilization_pct", "max_utilization_pct", "run_queue", "run_queue_before",
      "schedulers_online")
    local busy = v.utilization_pct >= FULL_PCT or v.max_utilization_pct >= FULL_PCT
      or math.min(v.run_queue, v.run_queue_before) > v.schedulers_online
    local text = ("%s: %s at %s %% of their time (the busiest one %s %%), and %s waited for one, %s before."):format(
      busy and "The schedulers are busy" or "The schedulers have time left",
      counted.of(v.schedulers_online, "scheduler"), small(v.utilization_pct), small(v.max_utilization_pct),
      processes(v.run_queue), number(v.run_queue_before))
    local top = v.top_reducers and v.top_reducers[1]
    if top and top.share_pct then
      text = ("%s Most work is done by %s, %s %% of all reductions."):format(text, called(top), small(top.share_pct))
      cited[#cited + 1] = { look = 1, path = "top_reducers[1].share_pct" }
    end
    return { text = text, figures = cited, calm = not busy, object = top and called(top) or nil }
  end,
}

-- Of the whole node, for a question about nothing in particular.
answers.full_check = {
  look = { { "beam_overview", 2000 } },
  state = function(values)
    local v = values[1]
    local longest = v.longest_queues and v.longest_queues[1]
    local cited = figures(1, "", "process_count", "total_mb", "utilization_pct", "run_queue")
    if longest then cited[#cited + 1] = { look = 1, path = "longest_queues[1].message_queue" } end
    return { text = ("It has %s and %s MB, its schedulers work %s %% of their time, and %s waited for one; the longest "
      .. "mailbox has %s messages."):format(processes(v.process_count), small(v.total_mb), small(v.utilization_pct),
      processes(v.run_queue), longest and number(longest.message_queue) or "no"), figures = cited, calm = true }
  end,
}

local function of_id(tables, id)
  for i, row in ipairs(tables) do
    if row.id == id then return i end
  end
end

answers.ets = {
  look = { { "ets_top_tables", 50, "size" }, { "ets_top_tables", 50, "size", after = 3 } },
  state = function(values, asked)
    local before, now = values[1].tables, values[2].tables
    local function growth(row)
      local i = of_id(before, row.id)
      return i and row.size - before[i].size or 0
    end
    local i = pick(now, asked, function(row) return gained(growth(row), 0) and 1e12 + growth(row) or row.memory_kb end)
    local row = i and now[i]
    if not row then return nil end
    local was = of_id(before, row.id)
    local cited = figures(2, ("tables[%d]."):format(i), "size", "memory_kb")
    if was then cited[#cited + 1] = { look = 1, path = ("tables[%d].size"):format(was) } end
    local size = ("%s rows, %s kB"):format(number(row.size), number(row.memory_kb))
    if was and gained(growth(row), 0) then
      return { text = ("The table %s grows: %s rows more within some 3 s; it has %s."):format(row.name,
        number(growth(row)), size), figures = cited, calm = false, object = row.name }
    end
    local subject = asked(row.name) and "The table %s does not grow: it has %s."
      or "No table grows: the largest is %s with %s."
    return { text = subject:format(row.name, size), figures = cited, calm = true, object = row.name,
      beside = ("The table %s has %s."):format(row.name, size) }
  end,
}

-- Of one table, by its name.
answers.ets_table = {
  look = { { "ets_table_info", name = true, 3000 } },
  state = function(values)
    local v = values[1]
    local verb = v.gained > v.lost and gained(v.gained - v.lost, 0) and "grows" or "does not grow"
    return { text = ("The table %s %s: it has %s rows, %s kB; in %s s it gained %s and lost %s."):format(v.name, verb,
      number(v.size), number(v.memory_kb), small(v.seconds), number(v.gained), number(v.lost)),
      figures = figures(1, "", "size", "memory_kb", "gained", "lost"), calm = verb ~= "grows", object = v.name }
  end,
}

-- Of one process, by its name: also where the question is about something else and names it.
answers.genserver_state = {
  look = { { "beam_watch_process", name = true, 2000 } },
  state = function(values)
    local v = values[1]
    local status, func = v.statuses and v.statuses[1], v.functions and v.functions[1]
    if not (status and func) then return nil end
    local cited = figures(1, "", "statuses[1].share_pct", "functions[1].share_pct", "queue_first", "queue_last")
    return { text = ("%s was %s in %s %% of %s looks, mostly in %s; its queue went from %s to %s messages."):format(
      called(v), status.status, small(status.share_pct), number(v.samples), func.current_function,
      number(v.queue_first), number(v.queue_last)), figures = cited,
      calm = status.status == "waiting" and not gained(v.queue_last - v.queue_first, v.queue_first),
      object = called(v) }
  end,
}

return answers
