--- What `lessons` says to people: what is proposed and why, what it would change in each run, and how to apply it.

local columns = require "runtime.columns"
local feedback = require "runtime.feedback"
local filled = require "runtime.filled"
local files = require "runtime.files"
local knobs = require "runtime.lessons.knobs"
local plain = require "runtime.plain"
local reached_by = require "runtime.reached_by"

local page = {}

local USUAL = 100

-- Of a run that was not recorded nothing but its findings is tried.
local function state(side, kept)
  if kept then return #side.found > 0 and table.concat(side.found, ", ") or "not found" end
  if #side.found > 0 then return ("%s, %s"):format(side.verdict:gsub("_", " "), table.concat(side.found, ", ")) end
  return (side.verdict:gsub("_", " "))
end

local number = knobs.written

local KINDS = { false_alarm = "was not so", missed = "was missed" }

-- "audit_log: slow_consumer in r2, r4 was not so"
local function because(lesson)
  local keys, runs = {}, {}
  for _, one in ipairs(lesson.runs) do
    if not runs[one.key] then keys[#keys + 1], runs[one.key] = one.key, {} end
    table.insert(runs[one.key], one.run)
  end
  for i, key in ipairs(keys) do keys[i] = ("%s in %s"):format(key, table.concat(runs[key], ", ")) end
  return ("%s %s"):format(table.concat(keys, ", "), KINDS[lesson.kind])
end

local function add_field(lines, name, text)
  lines[#lines + 1] = ("   %-10s %s"):format(name, filled.text(text, 14, lines.width))
end

local function add_limit(lines, lesson)
  local figure = lesson.figure and (", and %s was %s"):format(lesson.figure.name, number(lesson.figure.value)) or ""
  add_field(lines, "because", because(lesson) .. figure)
  add_field(lines, "enough", number(lesson.solved_at))
  add_field(lines, "too far", lesson.harmed_at and ("%s: %s"):format(number(lesson.harmed_at), lesson.harm)
    or "nobody knows: no run that was right says it")
end

local function add_check(lines, lesson)
  add_field(lines, "because", because(lesson) .. ", and no limit moved tenfold finds it")
  local seen = lesson.seen
  add_field(lines, "seen", seen and ("%s of %s was %s, of others %s at most"):format(seen.field, seen.callback,
    number(seen.value), number(seen.others)) or "in no answer that was recorded: the draft says nothing yet")
end

local function add_lessons(lines, done)
  for i, lesson in ipairs(done.lessons) do
    local what = lesson.knob and ("%s:%d: %s = %s, now %s"):format(lesson.file, lesson.line, lesson.knob,
      number(lesson.to), number(lesson.from)) or lesson.file .. ": a new check, a draft"
    lines[#lines + 1] = filled.text(("%d. %s"):format(i, what), 3, lines.width)
    if lesson.knob then add_limit(lines, lesson) else add_check(lines, lesson) end
  end
  if #done.lessons == 0 then lines[#lines + 1] = "nothing is proposed" end
end

local function add_list(lines, head, list)
  for i, text in ipairs(list) do
    lines[#lines + 1] = ("%-12s %s"):format(i == 1 and head or "", filled.text(text, 13, lines.width))
  end
end

-- Below each other where they do not stand beside each other.
local function add_rows(lines, rows)
  local text, widest = columns.text(rows):gsub("\n$", ""), 0
  for line in text:gmatch "[^\n]+" do widest = math.max(widest, #line) end
  if widest <= lines.width then
    lines[#lines + 1] = text
    return
  end
  for _, row in ipairs(rows) do
    lines[#lines + 1] = plain.text(row[1] .. "  " .. row[2])
    lines[#lines + 1] = "    " .. filled.text(row[3] .. "  " .. row[4], 4, lines.width)
  end
end

local function add_replayed(lines, done)
  local rows = {}
  for i, one in ipairs(done.replayed) do
    local was, now = state(one.before, one.kept), state(one.after, one.kept)
    local after = was == now and "as before" or "-> " .. now
    local unknown = one.after.unanswered
    if unknown > 0 then after = ("%s (asked what was not recorded, %d times)"):format(after, unknown) end
    rows[i] = { one.name, one.said and "said " .. feedback.text(one.said) or "nothing said", was,
      #done.lessons > 0 and after or "" }
  end
  if #rows == 0 then return end
  lines[#lines + 1] = ""
  lines[#lines + 1] = #done.lessons == 0 and "runs, tried by the checks of today"
    or ("replayed with %s, before and after"):format(#done.lessons == 1 and "this change" or "these changes")
  add_rows(lines, rows)
end

local function add_record(lines, list)
  if #list == 0 then return end
  local rows = {}
  for i, one in ipairs(list) do
    rows[i] = { one.skill or "nobody", one.mechanism, ("right %d"):format(one.right), ("wrong %d"):format(one.wrong),
      ("missed %d"):format(one.missed) }
  end
  lines[#lines + 1] = "what people said of findings here"
  lines[#lines + 1] = columns.text(rows)
end

--- What a person would type to apply it.
---@param done table
---@param diff? string   the file of the difference, where it was written
---@return string[]
function page.commands(done, diff)
  local list = {}
  if not diff then list[1] = "beamlens-run lessons --diff lessons.patch" end
  for _, copy in ipairs(done.copies) do list[#list + 1] = "beamlens-run init " .. copy end
  local word, home = reached_by.word, files.config_home()
  list[#list + 1] = ("mkdir -p %s && patch -p1 -d %s < %s"):format(word(home .. "/checks"), word(home),
    word(diff or "lessons.patch"))
  return list
end

---@param done table       from lessons.learn
---@param list table[]     from records.all
---@param diff? string
---@param width? integer   of the terminal
---@return string
function page.text(done, list, diff, width)
  local lines = { width = math.min(width or USUAL, USUAL) }
  add_record(lines, list)
  add_lessons(lines, done)
  add_replayed(lines, done)
  lines[#lines + 1] = #done.refused > 0 and "" or nil
  add_list(lines, "not proposed", done.refused)
  add_list(lines, "not read", done.unread)
  if #done.unheard > 0 then
    add_list(lines, "not tried", { ("%s: not without a cassette; --record FILE of a run makes one, --cassettes names "
      .. "them"):format(table.concat(done.unheard, ", ")) })
  end
  if done.patch ~= "" then
    lines[#lines + 1] = "\nnothing was changed; to apply it"
    for _, words in ipairs(page.commands(done, diff)) do lines[#lines + 1] = "   " .. plain.text(words) end
  end
  if done.patch ~= "" and not diff then lines[#lines + 1] = "\n" .. plain.lines(done.patch):gsub("\n$", "") end
  return table.concat(lines, "\n") .. "\n"
end

return page
