--- The screen of `health`: what the figures are, which of them are out of their limits in word and colour, and what to
--- run next. For one who is tired: each line says by itself how it is, and a node that is well has a page of 24 lines.

local cells = require "runtime.cells"
local counted = require "runtime.counted"
local filled = require "runtime.filled"
local leaders = require "runtime.health.leaders"
local lines = require "runtime.health.lines"
local reached_by = require "runtime.reached_by"
local report_words = require "runtime.report_words"
local rules = require "runtime.health.rules"

local page = {}

local WIDTH, LEAST = 100, 60
local NAME, GAP = 12, 2 -- columns of a line's name, and between two things of a line
local SHORT = 26        -- columns of a text that may stand beside another one
local MOST_COMMANDS = 4
local COLORS = { ok = "32", attention = "1;33", bad = "1;31", unknown = "35", bold = "1", dim = "2" }

local function writer(screen)
  local w = { width = math.max(screen.width or WIDTH, LEAST), utf8 = screen.utf8, lines = {} }
  function w.paint(text, name) return screen.color and ("\27[%sm%s\27[0m"):format(COLORS[name], text) or text end
  function w.line(text) w.lines[#w.lines + 1] = text or "" end
  -- A state in so many columns, then a text that goes on below its beginning.
  function w.state(indent, state, columns, text)
    return w.paint(state, state) .. (" "):rep(columns - #state)
      .. filled.text(cells.text(text, w.utf8), indent + columns, w.width)
  end
  return w
end

local function columns_of(list, field)
  local most = 0
  for _, one in ipairs(list) do most = math.max(most, cells.width(one[field])) end
  return most + GAP
end

-- Those that are well and short, two by two, where there is room for it.
local function beside_each_other(w, list)
  local left, right = {}, {}
  for i, one in ipairs(list) do table.insert(i % 2 == 1 and left or right, one) end
  local ok, name = #"ok" + GAP, columns_of(right, "name")
  local text = columns_of(left, "text")
  if NAME + ok + text + name + ok + columns_of(right, "text") - GAP > w.width then return false end
  for i, one in ipairs(left) do
    local other = right[i]
    w.line(cells.fit(one.name, NAME) .. w.state(NAME, "ok", ok, one.text)
      .. (other and (" "):rep(text - cells.width(one.text)) .. cells.fit(other.name, name)
        .. w.state(NAME + ok + text + name, "ok", ok, other.text) or ""))
  end
  return true
end

local function figures(w, list)
  local long, short = {}, {}
  for _, one in ipairs(list) do
    table.insert(one.state == "ok" and cells.width(one.text) <= SHORT and short or long, one)
  end
  local state = columns_of(list, "state")
  local function each(of)
    for _, one in ipairs(of) do w.line(cells.fit(one.name, NAME) .. w.state(NAME, one.state, state, one.text)) end
  end
  each(long)
  if not beside_each_other(w, short) then each(short) end
end

local function top(w, of, by)
  local rows = leaders.lines(by, of["top_by_" .. by].processes, w.width, w.utf8)
  if #rows == 0 then return end
  w.line()
  w.line("top by " .. by)
  for _, row in ipairs(rows) do w.line(row) end
end

local function number(x)
  return x >= 1000 and counted.grouped(x) or (("%.1f"):format(x):gsub("%.0$", ""))
end

local function broken(one)
  if not one.figure then return one.what end
  return ("%s %s%s; attention from %s%s"):format(one.what, number(one.figure), one.unit, number(one.attention),
    one.bad and ", bad from " .. number(one.bad) or "")
end

local function kept(one)
  local unit = one.unit == "%" and "%" or ""
  return ("%s %s%s (%s%s)"):format(one.what, number(one.figure), unit, number(one.attention), unit)
end

-- The answer with what it rests on: that no rule of load is broken, or those that are; the broken ones of limits too.
local function overloaded(w, found)
  local by_state = { bad = {}, attention = {}, unknown = {}, ok = {} }
  for _, one in ipairs(found) do
    if one.state ~= "ok" or one.load then table.insert(by_state[one.state], one) end
  end
  local answer, well = rules.overloaded(found), {}
  for i, one in ipairs(answer == "no" and by_state.ok or {}) do well[i] = kept(one) end
  w.line()
  w.line(filled.text(("overloaded? %s, by rules of thumb%s"):format(answer,
    #well > 0 and ": " .. table.concat(well, ", ") or ""), 2, w.width))
  local state = #"attention" + GAP
  for _, name in ipairs { "bad", "attention" } do
    for _, one in ipairs(by_state[name]) do w.line("  " .. w.state(2, name, state, broken(one))) end
  end
  for i, one in ipairs(by_state.unknown) do by_state.unknown[i] = one.what end
  if #by_state.unknown > 0 then
    w.line("  " .. w.state(2, "unknown", state, table.concat(by_state.unknown, ", ")))
  end
end

-- Of the lines and of the rules: not each line has a rule, nor each rule that is unknown a line.
local function all_known(list, found)
  for _, of in ipairs { list, found } do
    for _, one in ipairs(of) do if one.state == "unknown" then return false end end
  end
  return true
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

local function next_steps(w, node, o, commands, known)
  if #commands == 0 then
    w.line(("every figure%s is within its limit; if something is wrong all the same:"):format(
      known and "" or " that is known"))
  else
    w.line()
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
---@param screen { color?: boolean, width?: integer, utf8?: boolean }
---@return string
function page.text(node, of, unanswered, found, o, screen)
  local w, s, list = writer(screen), of.system or {}, lines.of(of, unanswered, found)
  w.line(w.paint(cells.text(("%s  OTP %s%s, up %s"):format(node.name, s.otp_release or "unknown",
    s.elixir_version and ", Elixir " .. s.elixir_version or "",
    s.uptime_seconds and counted.span(s.uptime_seconds) or "unknown"), w.utf8), "bold"))
  figures(w, list)
  if of.top_by_memory then
    top(w, of, "memory")
    top(w, of, "mailbox")
  end
  overloaded(w, found)
  next_steps(w, node, o, rules.commands(found), all_known(list, found))
  w.line(w.paint(filled.text(report_words.asked(node.load), 0, w.width), "dim"))
  return table.concat(w.lines, "\n") .. "\n"
end

return page
