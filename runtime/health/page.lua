--- The screen of `health`: what the figures are, which of them are out of their limits in word and colour, and what to
--- run next. For one who is tired: each line says by itself how it is.

local counted = require "runtime.counted"
local doing = require "runtime.doing"
local filled = require "runtime.filled"
local plain = require "runtime.plain"
local reached_by = require "runtime.reached_by"
local report_words = require "runtime.report_words"
local rules = require "runtime.health.rules"

local page = {}

local WIDTH, LEAST = 100, 60
local NAME, STATE = 12, 11 -- columns of a line's name and of its state
local TEXT = NAME + STATE
local BAR, ROOM_FOR_BAR = 20, 76
local MOST_COMMANDS = 4
local COLORS = { ok = "32", attention = "1;33", bad = "1;31", unknown = "35", dim = "2" }

local function mb(x) return x >= 1000 and counted.grouped(x) or ("%.1f"):format(x) end

-- Without a blank, for a line may be broken at one.
local function pct(x) return (x >= 10 and ("%d"):format(x + 0.5) or ("%.1f"):format(x):gsub("%.0$", "")) .. "%" end

--- So many seconds as people say them: "3 d 4 h", "12 min 5 s".
---@param seconds integer
---@return string
function page.duration(seconds)
  local units = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } }
  for i, unit in ipairs(units) do
    if seconds >= unit[2] or i == #units then
      local whole, below = math.floor(seconds / unit[2]), units[i + 1]
      local rest = below and math.floor(seconds % unit[2] / below[2]) or 0
      return ("%d %s"):format(whole, unit[1]) .. (rest > 0 and (" %d %s"):format(rest, below[1]) or "")
    end
  end
end

local function bar(w, share)
  if w.width < ROOM_FOR_BAR then return "" end
  local full = math.floor(BAR * math.min(share, 100) / 100 + 0.5)
  return ("  [%s%s]"):format(("#"):rep(full), (" "):rep(BAR - full))
end

local function of_limit(w, count, limit)
  local share = limit > 0 and 100 * count / limit or 0
  return ("%-24s%s %4s"):format(("%s of %s"):format(counted.grouped(count), counted.grouped(limit)), bar(w, share),
    pct(share))
end

local function memory(_, of)
  local m = of.memory
  local other = m.system_mb - m.binary_mb - m.ets_mb - m.code_mb - m.atom_mb
  return ("%s MB: processes %s, binary %s, ets %s, code %s, atom %s, other %s"):format(mb(m.total_mb),
    mb(m.processes_mb), mb(m.binary_mb), mb(m.ets_mb), mb(m.code_mb), mb(m.atom_mb), mb(math.max(0, other)))
end

local function machine(_, of)
  local m = of.machine
  if m.unavailable then return m.unavailable end
  local group = m.cgroup_limit_mb
    and ("; of its container's %s MB %s"):format(mb(m.cgroup_limit_mb), pct(m.cgroup_used_pct)) or ""
  return ("%s of %s MB in use%s"):format(pct(m.used_pct), mb(m.total_mb), group)
end

local function ets(_, of)
  local e = of.ets
  return ("%s, %s MB, the largest %s MB"):format(counted.of(e.table_count, "table"), mb(e.total_memory_mb),
    mb(e.largest_table_mb))
end

local function schedulers(_, of)
  local s = of.schedulers
  if not s.seconds then return counted.of(s.schedulers_online, "scheduler") end
  return ("%s busy, the fullest %s; dirty CPU %s, dirty IO %s"):format(pct(s.utilization_pct),
    pct(s.max_utilization_pct), pct(s.dirty_cpu_pct), pct(s.dirty_io_pct))
end

local function mailboxes(_, of)
  local row = of.top_by_mailbox.processes[1]
  if not row or row.message_queue == 0 then return "nothing waits in any" end
  return ("%s in the longest, of %s"):format(counted.of(row.message_queue, "message"), row.name or row.pid)
end

local function oban(_, of)
  local o = of.oban
  if o.unavailable then return o.unavailable end
  local list = {}
  for _, state in ipairs { "available", "executing", "retryable", "scheduled", "discarded" } do
    list[#list + 1] = ("%s %s"):format(state, counted.grouped(o[state] or 0))
  end
  local oldest = o.oldest_available_s
  return table.concat(list, ", ") .. (oldest and ("; the oldest waits for %s"):format(page.duration(oldest)) or "")
end

---@type { name: string, needs: string, part: string, text: fun(w: table, of: Health): string }[]   needs: what of the
---  look, and which part of it was not answered where that is not there
local LINES = {
  { name = "memory", needs = "memory", part = "figures", text = memory },
  { name = "machine", needs = "machine", part = "machine", text = machine },
  { name = "processes", needs = "processes", part = "figures",
    text = function(w, of) return of_limit(w, of.processes.process_count, of.processes.process_limit) end },
  { name = "ports", needs = "processes", part = "figures",
    text = function(w, of) return of_limit(w, of.processes.port_count, of.processes.port_limit) end },
  { name = "atoms", needs = "atoms", part = "figures",
    text = function(w, of) return of_limit(w, of.atoms.atom_count, of.atoms.atom_limit) end },
  { name = "ets", needs = "ets", part = "ets", text = ets },
  { name = "run queue", needs = "schedulers", part = "figures",
    text = function(_, of)
      return ("%s waiting for %s"):format(counted.grouped(of.schedulers.run_queue),
        counted.of(of.schedulers.schedulers_online, "scheduler"))
    end },
  { name = "schedulers", needs = "schedulers", part = "figures", text = schedulers },
  { name = "mailboxes", needs = "top_by_mailbox", part = "processes", text = mailboxes },
  { name = "oban", needs = "oban", part = "oban", text = oban },
}

-- A figure that no rule speaks of is as it should be.
local function state_of(found, line, of)
  local state = of[line.needs].unavailable and "unknown" or "ok"
  for _, one in ipairs(found) do
    if one.row == line.name then state = rules.worse(state, one.state) end
  end
  return state
end

local function writer(color, width)
  local w = { width = math.max(width or WIDTH, LEAST), lines = {} }
  function w.paint(text, name) return color and ("\27[%sm%s\27[0m"):format(COLORS[name], text) or text end
  function w.line(text) w.lines[#w.lines + 1] = text or "" end
  function w.state(state) return w.paint(state, state) .. (" "):rep(STATE - #state) end
  return w
end

local function why_of(unanswered, part)
  for _, one in ipairs(unanswered) do if one.part == part then return one end end
end

local function lines_of(w, of, unanswered, found)
  for _, line in ipairs(LINES) do
    local missed = of[line.needs] == nil and why_of(unanswered, line.part)
    if of[line.needs] ~= nil then
      local text = line.text(w, of)
      -- Bars stand below each other, so their lines are not filled.
      local shown = text:find("  ", 1, true) and plain.text(text) or filled.text(text, TEXT, w.width)
      w.line(("%-" .. NAME .. "s%s%s"):format(line.name, w.state(state_of(found, line, of)), shown))
    elseif missed then
      w.line(("%-" .. NAME .. "s%s%s"):format(line.name, w.state "unknown",
        filled.text("not answered: " .. missed.why, TEXT, w.width)))
    end
  end
end

local function columns_of(text) return #text:gsub("[\128-\191]", "") end
local function padded(text, columns) return text .. (" "):rep(columns - columns_of(text)) end

-- With the function behind the words, where there is room.
local function does(row, most)
  local words = doing(row.status, row.current_function)
  local where = row.current_function and plain.text(row.current_function)
  local whole = where and not words:find(where, 1, true) and ("%s (%s)"):format(words, where) or words
  return plain.cut(#whole <= most and whole or words, most)
end

-- Pid, the figure, whose it is with what was started, what it does: the last two share what is left.
local function rows_of(w, rows, figure)
  local numbers, pids = 0, 0
  for _, row in ipairs(rows) do
    numbers, pids = math.max(numbers, #figure(row)), math.max(pids, #plain.text(row.pid))
  end
  local left = w.width - 2 - pids - 2 - numbers - 2 - 2
  local most, names = math.floor(left * 0.55), {}
  local widest = 0
  for i, row in ipairs(rows) do
    local started = row.name and row.initial_call ~= row.name and row.initial_call
    names[i] = plain.text((row.name or row.initial_call or "-") .. (started and (" (%s)"):format(started) or ""))
    widest = math.max(widest, columns_of(names[i]))
  end
  widest = math.min(widest, most)
  for i, row in ipairs(rows) do
    local count = figure(row)
    w.line(("  %s  %s  %s  %s"):format(padded(plain.text(row.pid), pids), (" "):rep(numbers - #count) .. count,
      padded(plain.cut(names[i], widest), widest), does(row, left - widest)))
  end
end

local function size(row)
  if row.memory_kb < 102.4 then return ("%d kB"):format(row.memory_kb + 0.5) end
  return mb(row.memory_kb / 1024) .. " MB"
end
local function messages(row) return counted.grouped(row.message_queue) end

local function top(w, title, list, figure, counts)
  local rows = {}
  for _, row in ipairs(list.processes) do if counts(row) then rows[#rows + 1] = row end end
  w.line()
  w.line(title .. (#rows == 0 and ": none" or ""))
  rows_of(w, rows, figure)
end

local function number(x) return x % 1 == 0 and counted.grouped(x) or ("%.1f"):format(x) end

local function rule_line(one)
  if not one.figure then return one.what end
  return ("%s %s%s; attention from %s%s"):format(one.what, number(one.figure), one.unit, number(one.attention),
    one.bad and ", bad from " .. number(one.bad) or "")
end

-- Each rule with its figure and its limit: those that are broken by a line of their own.
local function overloaded(w, found)
  w.line()
  w.line("overloaded? " .. rules.overloaded(found) .. ", by rules of thumb")
  local within, unknown = {}, {}
  local order = { bad = {}, attention = {} }
  for _, one in ipairs(found) do
    if one.state == "ok" then
      within[#within + 1] = ("%s %s%s (%s%s)"):format(one.what, number(one.figure), one.unit, number(one.attention),
        one.unit)
    elseif one.state == "unknown" then
      unknown[#unknown + 1] = one.what
    else
      table.insert(order[one.state], rule_line(one))
    end
  end
  for _, state in ipairs { "bad", "attention" } do
    for _, text in ipairs(order[state]) do
      w.line("  " .. w.state(state) .. filled.text(text, 2 + STATE, w.width))
    end
  end
  local function rest(state, list)
    if #list == 0 then return end
    w.line("  " .. w.state(state) .. filled.text(table.concat(list, ", "), 2 + STATE, w.width))
  end
  rest("unknown", unknown)
  rest("ok", within)
end

-- A command that is too long goes on in the next line as sh lets it.
local function command(w, parts)
  local line = "  " .. parts[1]
  for i = 2, #parts do
    if #line + 1 + #parts[i] + 2 > w.width then
      w.line(line .. " \\")
      line = "      " .. parts[i]
    else
      line = line .. " " .. parts[i]
    end
  end
  w.line(line)
end

local function next_steps(w, node, o, commands)
  w.line()
  if #commands == 0 then
    w.line "every figure is within its limit; if something is wrong all the same:"
  else
    w.line "what to look at next"
  end
  for i = 1, math.min(#commands, MOST_COMMANDS) do
    command(w, commands[i]:find "^explain " and { "beamlens-run " .. commands[i] }
      or reached_by.parts(o, node.name, commands[i]))
  end
  command(w, reached_by.parts(o, node.name, "coordinator.lua"))
end

--- The page as text.
---@param node AttachedNode
---@param of Health
---@param unanswered Unanswered[]
---@param found HealthFinding[]
---@param o table   settled options
---@param screen { color?: boolean, width?: integer }
---@return string
function page.text(node, of, unanswered, found, o, screen)
  local w, s = writer(screen.color, screen.width), of.system or {}
  w.line(("%s  OTP %s%s, up %s"):format(plain.text(node.name), plain.text(s.otp_release or "unknown"),
    s.elixir_version and ", Elixir " .. plain.text(s.elixir_version) or "",
    s.uptime_seconds and page.duration(s.uptime_seconds) or "unknown"))
  w.line()
  lines_of(w, of, unanswered, found)
  if of.top_by_memory then
    top(w, "top by memory", of.top_by_memory, size, function() return true end)
    top(w, "top by mailbox", of.top_by_mailbox, messages, function(row) return row.message_queue > 0 end)
  end
  overloaded(w, found)
  next_steps(w, node, o, rules.commands(found))
  w.line()
  w.line(w.paint(filled.text(report_words.asked(node.load), 0, w.width), "dim"))
  return table.concat(w.lines, "\n") .. "\n"
end

return page
