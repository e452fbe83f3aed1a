--- A report as text for a person, perhaps at three in the morning: the verdict in the first line,
--- then each finding with the figures that prove it, what it is not and what to do, and in the
--- last line what the run cost. Its exit code. The form itself is made in runtime/verdict.lua.

local filled = require "runtime.filled"
local mechanisms = require "runtime.mechanisms"
local plain = require("runtime.plain").text
local said = require "runtime.report_words"
local specialist_words = require "runtime.specialist_words"

local report = {}

local figure, missing = said.figure, said.missing

local WIDTH = 100
local MOST_FIGURES = 8 -- the first prove it; who reads at night wants no list
local COLORS = { critical = "1;31", warning = "1;33", info = "36", sick = "1;31", healthy = "1;32",
  cannot_tell = "1;33", dim = "2", CAUTION = "33", DANGEROUS = "31" }

local INDENT = (" "):rep(14)

local function writer(color, width)
  local out = {}
  local self = { out = out }
  function self.paint(text, name)
    if not color or not COLORS[name] then return text end
    return ("\27[%sm%s\27[0m"):format(COLORS[name], text)
  end
  function self.line(text) out[#out + 1] = text end
  function self.field(name, text) self.line(("   %-11s%s"):format(name, text)) end
  function self.filled(words, indent) return filled.words(words, #indent, width) end
  function self.wrapped(text, indent, taken) return filled.text(text, #indent, width, taken) end
  function self.fits(text) return #text <= width end
  return self
end

-- The last part of a path says what the figure is; where it stood follows in brackets.
local function evidence(w, claim)
  local name = claim.path:match "([^%.%[%]\"]+)$" or claim.path
  local what = ("%s = %s"):format(plain(name), figure(claim.value))
  local where = ("%s, %s: %s"):format(plain(claim.observation), plain(claim.callback), plain(claim.path))
  if w.fits(("%s%s   %s"):format(INDENT, what, where)) then
    return w.field("", ("%s   %s"):format(what, w.paint(where, "dim")))
  end
  w.field("", w.wrapped(what, INDENT))
  w.field("", "  " .. w.paint(w.wrapped(where, INDENT .. "  "), "dim"))
end

-- Marks of Markdown say nothing on a terminal.
local function unmarked(text) return (text:gsub("`", "")) end

-- A line that is broken is no code any more: then none of it is shown.
local function snippet(w, text, language)
  if missing(text) then return end
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    if not w.fits("     " .. line) then return end
    lines[#lines + 1] = line ~= "" and "     " .. plain(line) or ""
  end
  w.line("   in " .. language:gsub("^%l", string.upper))
  w.line(w.paint(table.concat(lines, "\n"), "dim"))
end

-- What a designer would change stands for the leading cause alone: who reads all of them at once mends none.
local function advised(w, a, leading, language)
  if missing(a) then return end
  if a.fault then w.field("your file", w.wrapped(a.fault .. "; ours stands here", INDENT)) end
  if leading then
    w.field("change", w.wrapped(unmarked(a.change), INDENT))
    for k, item in ipairs(not missing(a.configuration) and a.configuration or {}) do
      w.field(k == 1 and "set" or "", w.wrapped(unmarked(item), INDENT))
    end
    snippet(w, a[language], language)
  end
  w.field("verify", w.wrapped(unmarked(a.verify), INDENT))
  if leading then w.field("undo", w.wrapped(unmarked(a.undo), INDENT)) end
end

-- When it was seen: one time stands for all, for they are seconds apart.
local function seen_at(i)
  local at = i.evidence[1].at
  return missing(at) and "" or (", seen at %s"):format(plain(at))
end

local function steps(w, i)
  for k, step in ipairs(i.next_steps) do
    w.field(k == 1 and "what to do" or "", ("%s %s"):format(w.paint(plain(step.risk), step.risk), w.wrapped(step.text,
      INDENT .. (" "):rep(#step.risk + 1))))
  end
end

local function insight(w, i, n, language)
  w.line ""
  local prefix = ("%d. %s  "):format(n, i.severity)
  w.line(("%d. %s  %s"):format(n, w.paint(i.severity, i.severity), w.wrapped(i.summary, "   ", #prefix)))
  w.field("object", plain(i.root_cause.object))
  local gloss = mechanisms[i.root_cause.mechanism]
    or not missing(i.advice) and unmarked(i.advice.means):match "^(.-)[%.:]%s" or nil
  w.field("mechanism", w.wrapped(i.root_cause.mechanism .. (gloss and ": " .. gloss or ""), INDENT))
  -- Beside what figures say, a model's own words: perhaps led on by the node's, so they are quoted.
  local words = i.root_cause_hypothesis
  if not missing(words) and words ~= i.summary then w.field("explained", w.wrapped(('"%s"'):format(words), INDENT)) end
  if not missing(i.since) then w.field("since", w.wrapped(i.since, INDENT)) end
  if not missing(i.code) then w.field("points to", w.wrapped(said.place(i.code), INDENT)) end
  if #i.evidence > 0 then
    w.field("figures", w.paint(w.wrapped("each read again where it is cited" .. seen_at(i), INDENT), "dim"))
    for k = 1, math.min(#i.evidence, MOST_FIGURES) do evidence(w, i.evidence[k]) end
    local more = #i.evidence - MOST_FIGURES
    if more > 0 then w.field("", w.wrapped(("and %d more, with --json or --report"):format(more), INDENT)) end
  else
    w.field("figures", "none that stands")
  end
  for k, other in ipairs(i.considered) do
    w.field(k == 1 and "it is not" or "", w.wrapped(("%s: %s"):format(other.mechanism, other.why_not), INDENT))
  end
  steps(w, i)
  w.field("confidence", w.wrapped(("%s, %s"):format(i.confidence, i.hypothesis_grounded
    and "told apart from its look-alikes" or "not told apart from its look-alikes"), INDENT))
  if not missing(i.record) then w.field("here", said.record(i.record)) end
  if i.severity ~= "info" then advised(w, i.advice, n == 1, language) end
end

-- A healthy verdict is worth what was seen. A figure stays beside its name; a sentence is broken like any other.
local function looks(w, r)
  for _, look in ipairs(r.looks) do
    local names, parts = {}, {}
    for name, value in pairs(look.figures) do
      if type(value) ~= "table" then names[#names + 1] = name end
    end
    table.sort(names)
    for k, name in ipairs(names) do
      local value = look.figures[name]
      local text = ("%s %s%s"):format(plain(name), figure(value), k < #names and "," or "")
      for piece in text:gmatch(type(value) == "string" and "%S+" or ".+") do parts[#parts + 1] = piece end
    end
    w.field(plain(look.skill), w.filled(parts, INDENT))
  end
end

-- Whoever proposed it gives a reason in their own words: a model's, perhaps led on by the node's. So it is quoted.
local function action(w, a)
  w.line ""
  local id = missing(a.id) and "-" or a.id -- what stands in no store has none
  w.line(("%s  %s %s  %s"):format(plain(id), plain(a.action), plain(a.object), w.paint(plain(a.class), a.class)))
  w.field("state", w.wrapped(said.action_state(a), INDENT))
  if a.reason ~= "" then w.field("because", w.wrapped(('"%s"'):format(a.reason), INDENT)) end
  if a.state == "proposed" then w.field("approve it", "beamlens-run actions approve " .. plain(a.id)) end
end

-- What somebody edited while the run went on, and it went by.
local function edits(w, r)
  for _, e in ipairs(r.versions and r.versions.reloaded or {}) do
    w.line(plain(("edited meanwhile: %s %s (%s, was %s)"):format(e.kind, e.name, e.to, e.from)))
  end
end

local function costs(w, r)
  w.line ""
  edits(w, r)
  if not missing(r.not_kept) then w.line("not kept: " .. plain(r.not_kept)) end
  local kept = missing(r.run) and "" or " · kept as " .. plain(r.run)
  w.line(w.paint(w.wrapped(("%s · %s · %s%s"):format(said.cost(r.usage), said.asked(r.target_load),
    said.footprint(r.footprint), kept), "", 0), "dim"))
end

-- What somebody asked stands before everything else. Of a model it is in its own words, so they are quoted.
local function answer(w, a)
  local head = a.answered and "ANSWER" or "NO ANSWER"
  local words = a.by == "model" and ('"%s"'):format(a.text) or a.text
  w.line(("%s  %s"):format(w.paint(head, a.answered and "healthy" or "cannot_tell"), w.wrapped(words, "   ",
    #head + 2)))
  for k, claim in ipairs(a.figures) do
    if k == 1 then w.field("figures", w.paint(("read at %s"):format(plain(claim.at)), "dim")) end
    evidence(w, claim)
  end
  for k, text in ipairs(a.would_tell) do w.field(k == 1 and "would tell" or "", w.wrapped(unmarked(text), INDENT)) end
  w.field("looked", w.wrapped("with " .. table.concat(a.looked, ", "), INDENT))
  w.line ""
end

-- What runs there, what was planned and came of it, and what the design needs.
local function specialist(w, s)
  w.line ""
  for _, row in ipairs(specialist_words.facts(s)) do w.field(plain(row[1]), w.wrapped(row[2], INDENT)) end
  for k, step in ipairs(s.plan) do
    w.field(k == 1 and "plan" or "", ("%s %s"):format(w.paint(plain(step.class), step.class), w.wrapped(
      ("%s: %s"):format(step.what, specialist_words.state(step)), INDENT .. (" "):rep(#step.class + 1))))
    local heard = specialist_words.heard(step)
    if heard then w.field("", w.wrapped(heard, INDENT)) end
  end
  for k, item in ipairs(s.guidance) do
    local words = item.by == "model" and ('"%s"'):format(item.text) or item.text -- a model's own
    w.field(k == 1 and "guidance" or "", w.wrapped(("%s: %s"):format(item.area, words), INDENT))
  end
end

local function head(w, r)
  w.line(("%s  %s  %s"):format(w.paint(said.HEADS[r.verdict], r.verdict), plain(table.concat(r.nodes, ", ")),
    said.headline(r)))
  local why = said.incomplete(r)
  if why then w.line("incomplete: " .. w.wrapped(why, "   ", #"incomplete: ")) end
  if r.restarted then w.line "restarted: the node was started anew during the run; what was seen before is gone" end
end

local function lacking(w, r, most)
  local list = r.verdict ~= "sick" and r.would_tell or {}
  if #list > 0 then w.line "" end
  for k = 1, math.min(#list, most) do w.field(k == 1 and "missing" or "", w.wrapped(list[k], INDENT)) end
  if #list > most then w.field("", ("and %d more"):format(#list - most)) end
end

--- The report for a person.
---@param r table           a report
---@param options? { color: boolean, width: integer }   width: columns, 100 if left out and at the most
---@return string
function report.text(r, options)
  options = options or {}
  local w = writer(options.color, math.min(options.width or WIDTH, WIDTH))
  if r.answer then answer(w, r.answer) end
  head(w, r)
  for n, i in ipairs(r.insights) do insight(w, i, n, r.language or "erlang") end
  if r.specialist then specialist(w, r.specialist) end
  for _, a in ipairs(r.actions or {}) do action(w, a) end
  lacking(w, r, math.huge)
  if r.verdict ~= "sick" and #(r.looks or {}) > 0 then
    w.line ""
    looks(w, r)
  end
  costs(w, r)
  return table.concat(w.out, "\n") .. "\n"
end

local MOST_LACKING = 4

--- The answer of a report, with what else was found in a line each: whoever asks one thing wants no page. It is the
--- whole report where there is no answer, or none that `show` could tell later.
---@param r table
---@param options? { color: boolean, width: integer }
---@return string
function report.answer(r, options)
  if not r.answer or missing(r.run) then return report.text(r, options) end
  options = options or {}
  local w, told = writer(options.color, math.min(options.width or WIDTH, WIDTH)), {}
  answer(w, r.answer)
  head(w, r)
  if r.answer.insights[1] then told[r.answer.insights[1]] = true end
  for _, i in ipairs(r.insights) do
    if not told[i.id] then
      w.field(plain(i.severity), w.wrapped(("%s: %s. %s"):format(i.root_cause.object, i.root_cause.mechanism,
        i.summary), INDENT))
    end
  end
  if r.insights[1] then steps(w, r.insights[1]) end
  lacking(w, r, MOST_LACKING)
  w.field("all of it", "beamlens-run show " .. plain(r.run))
  costs(w, r)
  return table.concat(w.out, "\n") .. "\n"
end

local CODES = { sick = 1, healthy = 0, cannot_tell = 4 }
local NODE_LOST, INCOMPLETE_RUN, NO_PROVIDER, INTERRUPTED = 3, 4, 6, 130

--- The exit code: findings win over how the run ended.
---@param r table
---@return integer
function report.exit(r)
  if r.verdict == "sick" then return CODES.sick end
  if r.incomplete == "interrupted" then return INTERRUPTED end
  if r.lost then return NODE_LOST end
  if r.incomplete == "provider" then return NO_PROVIDER end
  if not missing(r.incomplete) then return INCOMPLETE_RUN end
  return CODES[r.verdict]
end

return report
