--- `lessons`: what could be learned from runs that people gave their word on, as a difference for a person to apply.

local columns = require "runtime.columns"
local failure = require "runtime.failure"
local feedback = require "runtime.feedback"
local files = require "runtime.files"
local json = require "runtime.json"
local knobs = require "runtime.lessons.knobs"
local plain = require("runtime.plain").text
local plain_lines = require("runtime.plain").lines
local records = require "runtime.records"
local store = require "runtime.store"
local writing = require "runtime.writing"

local command = {
  usage = "lessons",
  words = 0,
  doc = "what right and wrong runs would change in the checks",
  examples = {
    { "beamlens-run coordinator.lua --node shop@host --record monday.cassette", "a run to learn from" },
    { "beamlens-run feedback last wrong --cause healthy", "what was wrong with it" },
    { "beamlens-run lessons", "what it proposes, and what that would have changed" },
    { "beamlens-run lessons --cassettes ./tapes --diff lessons.patch", "with more recorded runs, and as a file" },
  },
  more = [[
It learns from runs that somebody gave their word on (`beamlens-run help feedback`). Where a run named what
was not so, or missed what was, it moves one limit of the checks, a constant such as GROWS = 20, until the run would
have been right, and no further than every run that was right stays so. What no limit finds gets the draft of a check.
Each change is replayed on every cassette, by rules; of a run without one its findings are tried, by the answers that
the store keeps of them. It changes nothing itself: read the difference, then apply it to
your copies of the checks with the commands that it prints.
]],
}

local FILE = 384 -- 0600

local function say(text) io.stderr:write(plain(text), "\n") end

-- Of a run that was not recorded nothing but its findings is tried.
local function state(side, kept)
  if kept then return #side.found > 0 and table.concat(side.found, ", ") or "not found" end
  if #side.found > 0 then return ("%s, %s"):format(side.verdict:gsub("_", " "), table.concat(side.found, ", ")) end
  return (side.verdict:gsub("_", " "))
end

local function number(value) return knobs.written(value) end

local KINDS = { false_alarm = "was not so", missed = "was missed" }

local function because(lesson)
  local parts = {}
  for i, one in ipairs(lesson.runs) do parts[i] = ("%s in %s"):format(one.key, one.run) end
  return ("%s %s"):format(table.concat(parts, ", "), KINDS[lesson.kind])
end

local function add_field(lines, name, text) lines[#lines + 1] = ("   %-10s %s"):format(name, plain(text)) end

local function add_limit(lines, lesson)
  local figure = lesson.figure and (", and %s was %s"):format(lesson.figure.name, number(lesson.figure.value)) or ""
  add_field(lines, "because", because(lesson) .. figure)
  add_field(lines, "from", ("%s it tells that apart"):format(number(lesson.solved_at)))
  add_field(lines, "until", lesson.harmed_at and ("%s: %s"):format(number(lesson.harmed_at), lesson.harm)
    or "no recorded run that was right says how far it may go")
end

local function add_check(lines, lesson)
  add_field(lines, "because", because(lesson) .. ", and no limit moved tenfold finds it")
  local seen = lesson.seen
  add_field(lines, "seen", seen and ("%s of %s was %s, of others %s at most"):format(seen.field, seen.callback,
    number(seen.value), number(seen.others)) or "in no answer that was recorded: the draft says nothing yet")
end

local function add_lessons(lines, done)
  for i, lesson in ipairs(done.lessons) do
    local what = lesson.knob and ("%s:%d  %s = %s, now %s"):format(lesson.file, lesson.line, lesson.knob,
      number(lesson.to), number(lesson.from)) or lesson.file .. "  a new check, a draft"
    lines[#lines + 1] = plain(("%d. %s"):format(i, what))
    if lesson.knob then add_limit(lines, lesson) else add_check(lines, lesson) end
  end
  if #done.lessons == 0 then lines[#lines + 1] = "nothing is proposed" end
end

local function add_list(lines, head, list)
  for i, text in ipairs(list) do lines[#lines + 1] = ("%-12s %s"):format(i == 1 and head or "", plain(text)) end
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
  lines[#lines + 1] = #done.lessons == 0 and "recorded runs, replayed by the checks of today"
    or ("replayed with %s, before and after"):format(#done.lessons == 1 and "this change" or "these changes")
  lines[#lines + 1] = columns.text(rows):gsub("\n$", "")
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

local function quoted(path) return ("'%s'"):format(path:gsub("'", "'\\''")) end

-- What a person would type.
local function commands(done, diff)
  local list = {}
  if not diff then list[1] = "beamlens-run lessons --diff lessons.patch" end
  for _, copy in ipairs(done.copies) do list[#list + 1] = "beamlens-run init " .. copy end
  list[#list + 1] = ("mkdir -p %s && patch -p1 -d %s < %s"):format(quoted(files.config_home() .. "/checks"),
    quoted(files.config_home()), quoted(diff or "lessons.patch"))
  return list
end

local NOTHING_SAID = [[
nobody said of a run whether it was right, so there is nothing to learn from
   beamlens-run coordinator.lua --node NAME --record FILE.cassette
   beamlens-run feedback last right
   beamlens-run feedback last wrong --cause OBJECT:MECHANISM   or --cause healthy
]]

local function text_of(done, list, diff)
  local lines = {}
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
    for _, words in ipairs(commands(done, diff)) do lines[#lines + 1] = "   " .. plain(words) end
  end
  if done.patch ~= "" and not diff then lines[#lines + 1] = "\n" .. plain_lines(done.patch):gsub("\n$", "") end
  return table.concat(lines, "\n") .. "\n"
end

local function learn(s, c)
  local list, err = {}, nil
  if s then list, err = records.all(s) end
  if not list then return nil, err end
  if s and #s:rows "select run from feedback limit 1" == 0 or not s then return false, list end
  local done
  done, err = require("runtime.lessons").learn(s, c.options, not c.options.quiet and say or nil)
  return done, done and list or err
end

local function refusal(path)
  if not path then return nil end
  if path:find "[^/]%.patch$" or path:find "[^/]%.diff$" then return writing.refusal(path, "usage") end
  return failure.new("usage", ("--diff wants the name of a file for a difference, not %s"):format(plain(path)),
    "let it end in .patch", 2)
end

function command.run(c)
  local err = refusal(c.options.diff)
  if err then return nil, err end
  local s, done, list
  s, err = store.kept(c.options)
  if s == nil then return nil, err end
  done, list = learn(s, c)
  store.close_all()
  if done == nil then return nil, list end
  if not done and not c.options.json then return NOTHING_SAID, 0 end
  done = done or { lessons = {}, refused = {}, replayed = {}, unread = {}, unheard = {}, patch = "", copies = {} }
  if c.options.diff then
    local written
    written, err = writing.replace(c.options.diff, done.patch, FILE, "usage")
    if not written then return nil, err end
  end
  if c.options.json then
    return json.encode { schema = 1, records = list, lessons = done.lessons, refused = done.refused,
      replayed = done.replayed, unread = done.unread, unheard = done.unheard, diff = done.patch,
      commands = done.patch ~= "" and commands(done, c.options.diff) or {} } .. "\n", 0
  end
  return text_of(done, list, c.options.diff), 0
end

return command
