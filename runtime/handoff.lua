--- A report in Markdown, to hand on: to who is on call next, to who mends the code. It says the same as on a terminal,
--- and more of what to do. In the order in which it is read: what is wrong, what proves it, what it is not, what
--- to change, what that risks, what is left to do, how it was looked at.

local markdown = require "runtime.markdown"
local said = require "runtime.report_words"
local specialist_words = require "runtime.specialist_words"

local code, prose, own, cell, fenced = markdown.code, markdown.prose, markdown.own, markdown.cell, markdown.fenced
local missing, figure = said.missing, said.figure

local handoff = {}

local function writer()
  local out = {}
  local self = { out = out }
  function self.line(text) out[#out + 1] = text end
  function self.block(text) out[#out + 1] = text .. "\n" end
  function self.head(level, text) self.block(("#"):rep(level) .. " " .. text) end
  function self.list(items, mark)
    for _, item in ipairs(items) do self.line((mark or "- ") .. item) end
    self.line ""
  end
  function self.rows(names, rows)
    if #rows == 0 then return end
    self.line("| " .. table.concat(names, " | ") .. " |")
    self.line("|" .. (" --- |"):rep(#names))
    for _, row in ipairs(rows) do
      for k, text in ipairs(row) do row[k] = cell(text) end
      self.line("| " .. table.concat(row, " | ") .. " |")
    end
    self.line ""
  end
  return self
end

local function name_of(i) return ("%s: %s"):format(code(i.root_cause.object), code(i.root_cause.mechanism)) end

local function known(v, show) return missing(v) and "unknown" or (show or prose)(v) end

local function place(c) return code(said.place(c)) end

-- Several findings get a heading each inside a section; one needs none.
local function each(w, r, part)
  for n, i in ipairs(r.insights) do
    if #r.insights > 1 then w.head(3, ("%d. %s"):format(n, name_of(i))) end
    part(i, n)
  end
end

local function grounded(i)
  return i.hypothesis_grounded and "told apart from its look-alikes" or "not told apart from its look-alikes"
end

local function summary(w, r)
  w.head(2, "Summary")
  for _, i in ipairs(r.insights) do
    w.block(("**%s**: %s"):format(prose(i.severity), prose(i.summary)))
    local words = i.root_cause_hypothesis -- a model's own, beside what figures say
    if not missing(words) and words ~= i.summary then w.block(("Explained: \"%s\""):format(prose(words))) end
    if not missing(i.record) then w.block(said.record(i.record):gsub("^%l", string.upper) .. ".") end
  end
  local rows = {}
  for n, i in ipairs(r.insights) do
    rows[n] = { code(i.root_cause.object), code(i.root_cause.mechanism), prose(i.severity), known(i.since),
      known(i.code, place), ("%s, %s"):format(prose(i.confidence), grounded(i)) }
  end
  w.rows({ "object", "mechanism", "severity", "since", "points to", "confidence" }, rows)
end

local function evidence(w, i)
  if #i.evidence == 0 then return w.block "No figure stands." end
  local rows = {}
  for k, claim in ipairs(i.evidence) do
    rows[k] = { code(claim.path:match "^.*[%.%[%]\"]([^%.%[%]\"]+)$" or claim.path), code(figure(claim.value)),
      ("%s, %s %s"):format(code(claim.observation), code(claim.callback), code(claim.path)), known(claim.at) }
  end
  w.rows({ "figure", "value", "from", "when (UTC)" }, rows)
end

local function considered(w, i)
  local items = {}
  for k, other in ipairs(i.considered) do items[k] = ("%s: %s"):format(code(other.mechanism), prose(other.why_not)) end
  if #items == 0 then items[1] = "nothing else was considered" end
  w.list(items)
end

local function recommended(w, i)
  if missing(i.advice) then return w.block "No word of ours tells what to change; the steps below stand." end
  w.block(own(i.advice.means))
  for paragraph in (i.advice.change .. "\n\n"):gmatch "(.-)\n\n" do w.block(own(paragraph)) end
  for _, language in ipairs { "erlang", "elixir" } do
    local text = i.advice[language]
    if not missing(text) then w.block(fenced(text, language)) end
  end
  if not missing(i.advice.configuration) then
    w.block "Configuration:"
    local items = {}
    for k, item in ipairs(i.advice.configuration) do items[k] = own(item) end
    w.list(items)
  end
end

local function plan(w, i)
  local rows, a = {}, i.advice
  for k, step in ipairs(i.next_steps) do rows[k] = { prose(step.text), prose(step.risk) } end
  w.rows({ "step", "class" }, rows)
  if missing(a) then return end
  w.list { "**verify**: " .. own(a.verify), "**undo**: " .. own(a.undo) }
end

local CLASSES = "SAFE reads or advises. CAUTION changes how the node behaves, and can be taken back or is bounded. "
  .. "DANGEROUS kills, restarts or drops data."

local function follow_up(w, r)
  local items, seen = {}, {}
  for _, i in ipairs(r.insights) do
    for _, item in ipairs(not missing(i.advice) and i.advice.follow_up or {}) do
      if not seen[item] then items[#items + 1], seen[item] = own(item), true end
    end
  end
  if #items == 0 then return end
  w.head(2, "Follow-up")
  w.list(items, "- [ ] ")
end

local function actions(w, r)
  local rows = {}
  for k, a in ipairs(r.actions or {}) do
    rows[k] = { missing(a.id) and "" or code(a.id), code(a.action), code(a.object), prose(a.class),
      prose(said.action_state(a)) }
  end
  if #rows == 0 then return end
  w.head(2, "Actions")
  w.rows({ "id", "action", "object", "class", "state" }, rows)
end

local function findings(w, r)
  summary(w, r)
  w.head(2, "Evidence")
  w.block "Each figure was read again in the observation that it cites."
  each(w, r, function(i) evidence(w, i) end)
  w.head(2, "Considered, and why not")
  each(w, r, function(i) considered(w, i) end)
  w.head(2, "Recommendations")
  each(w, r, function(i) recommended(w, i) end)
  w.head(2, "Risk and validation plan")
  w.block(CLASSES)
  each(w, r, function(i) plan(w, i) end)
end

-- What a verdict without a finding rests on, or what it lacks.
local function rest(w, r)
  if #(r.would_tell or {}) > 0 then
    w.head(2, "Missing")
    local items = {}
    for k, text in ipairs(r.would_tell) do items[k] = prose(text) end
    w.list(items)
  end
  local rows = {}
  for _, look in ipairs(r.looks or {}) do
    local names = {}
    for name, value in pairs(look.figures) do
      if type(value) ~= "table" then names[#names + 1] = name end
    end
    table.sort(names)
    for _, name in ipairs(names) do
      rows[#rows + 1] = { code(look.skill), code(name), code(figure(look.figures[name])) }
    end
  end
  if #rows == 0 then return end
  w.head(2, "What was seen")
  w.rows({ "skill", "figure", "value" }, rows)
end

local function versions(r)
  local list, names = {}, {}
  for name in pairs(r.versions and r.versions.skills or {}) do names[#names + 1] = name end
  table.sort(names)
  for k, name in ipairs(names) do list[k] = ("%s %s"):format(name, r.versions.skills[name]) end
  return list
end

local function how(w, r)
  w.head(2, "How it was looked at")
  local items = {}
  if r.reason ~= "" then items[1] = "reason given: " .. prose(r.reason) end
  if r.versions then items[#items + 1] = "program: " .. code(r.versions.program) end
  local skills = versions(r)
  if #skills > 0 then items[#items + 1] = "skills, by version: " .. code(table.concat(skills, ", ")) end
  local states = {}
  for k, o in ipairs(r.operators or {}) do states[k] = ("%s %s"):format(o.skill, o.state) end
  if #states > 0 then items[#items + 1] = "operators: " .. code(table.concat(states, ", ")) end
  items[#items + 1] = "by " .. prose(said.cost(r.usage))
  items[#items + 1] = prose(said.asked(r.target_load))
  items[#items + 1] = prose(said.footprint(r.footprint))
  if not missing(r.run) then items[#items + 1] = ("kept as %s: `beamlens-run show %s`"):format(code(r.run), r.run) end
  w.list(items)
end

local function answer(w, r)
  local a = r.answer
  w.head(2, a.answered and "Answer" or "No answer")
  w.block(("Asked: \"%s\""):format(prose(r.reason)))
  w.block(a.by == "model" and ('"%s"'):format(prose(a.text)) or prose(a.text))
  evidence(w, { evidence = a.figures })
  local items = {}
  for k, text in ipairs(a.would_tell) do items[k] = own(text) end
  if #items > 0 then w.block "What would tell:" end
  if #items > 0 then w.list(items) end
end

local function not_empty(v) return (missing(v) or v == "") and "" or prose(v) end

local function specialist(w, s)
  local rows, steps, heard, items = {}, {}, {}, {}
  for k, row in ipairs(specialist_words.facts(s)) do rows[k] = { prose(row[1]), prose(row[2]) } end
  w.head(2, "Phase zero")
  w.rows({ "what", "seen" }, rows)
  for k, step in ipairs(s.plan) do
    local calls = not missing(step.calls) and table.concat(step.calls, ", then ") or ""
    steps[k] = { prose(step.what), calls ~= "" and code(calls) or "", prose(step.class), not_empty(step.cost),
      not_empty(step.ends), prose(specialist_words.state(step)) }
    heard[#heard + 1] = specialist_words.heard(step)
  end
  w.head(2, "Instrumentation plan")
  w.rows({ "step", "looks", "class", "cost", "ends", "what came of it" }, steps)
  for k, line in ipairs(heard) do heard[k] = prose(line) end
  if #heard > 0 then w.list(heard) end
  for k, item in ipairs(s.guidance) do
    local cited = {}
    for i, claim in ipairs(item.figures or {}) do
      cited[i] = ("%s %s = %s"):format(claim.observation, claim.path, figure(claim.value))
    end
    local words = item.by == "model" and ('"%s"'):format(prose(item.text)) or prose(item.text)
    items[k] = ("**%s**: %s%s"):format(prose(item.area), words,
      #cited > 0 and (" (%s)"):format(code(table.concat(cited, ", "))) or "")
  end
  if #items > 0 then w.head(2, "Guidance") end
  if #items > 0 then w.list(items) end
end

--- The whole document.
---@param r table   a report
---@return string
function handoff.text(r)
  local w, nodes = writer(), {}
  for k, name in ipairs(r.nodes) do nodes[k] = code(name) end
  local what = r.verdict == "sick" and ", " .. name_of(r.insights[1]) or ""
  w.head(1, ("%s %s%s"):format(said.HEADS[r.verdict], table.concat(nodes, ", "), what))
  if r.verdict ~= "sick" then w.block(prose(said.headline(r)) .. ".") end
  local why = said.incomplete(r)
  if why then w.block("Incomplete: " .. prose(why) .. ".") end
  if r.answer then answer(w, r) end
  if r.restarted then w.block "The node was started anew during the run; what was seen before is gone." end
  if #r.insights > 0 then findings(w, r) end
  if r.verdict ~= "sick" then rest(w, r) end
  if r.specialist then specialist(w, r.specialist) end
  actions(w, r)
  follow_up(w, r)
  how(w, r)
  return table.concat(w.out, "\n"):gsub("\n\n\n+", "\n\n"):match "^(.-)\n*$" .. "\n"
end

return handoff
