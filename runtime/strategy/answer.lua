--- The answer to a question that somebody asked of a node. How it is, the looks show that its words lead to
--- (runtime/strategy/question.lua); why, the insights of the run do. By a model it is in the model's words, and its
--- figures are read again. Nothing of it is a guess: where the looks do not tell, it says what would.

local consult = require "runtime.strategy.consult"
local gravity = require "runtime.gravity"
local looking = require "runtime.strategy.looking"
local question = require "runtime.strategy.question"
local reached_by = require "runtime.reached_by"
local shapes = require("runtime.tools.operator").shapes
local verdict = require "runtime.verdict"

local answer = {}

local OF_A_SNAPSHOT = 3
local MOST_FIGURES = 8

--- The skills that the looks of an answer need, whoever else looks.
answer.skills = { "beam", "ets" }

-- The insights that answer it: of what it asks about, or of what it or the looks name.
local function causes_of(case, facts)
  local words, asked, objects, list = question.mechanisms(facts.topics), question.namer(case.question), {}, {}
  for _, state in ipairs(facts.states) do
    if state.object and (not state.calm or asked(state.object)) then objects[state.object] = true end
  end
  local general = #facts.topics > 0 and facts.topics[1].topic == question.general
  for _, insight in ipairs(case:ordered()) do
    local cause = insight.root_cause
    if gravity.grave[insight.severity]
      and (general or words[cause.mechanism] or asked(cause.object) or objects[cause.object]) then
      list[#list + 1] = insight
    end
  end
  return list
end

local function add(list, more)
  for _, item in ipairs(more) do list[#list + 1] = item end
end

-- Each figure once, and so many that a person reads them.
local function the_first(figures)
  local list, seen = {}, {}
  for _, claim in ipairs(figures) do
    local key = claim.observation .. " " .. claim.path
    if not seen[key] and #list < MOST_FIGURES then list[#list + 1], seen[key] = claim, true end
  end
  return list
end

local function sentence(text) return text:find "[%.!?]$" and text or text .. "." end

local function cause_text(insight)
  local cause = insight.root_cause
  return ("The cause is %s: %s. %s"):format(cause.object, cause.mechanism, sentence(insight.summary))
end

-- Numbers of the last snapshot of a skill as claims, those that a mechanism's name speaks of before others.
local function snapshot_figures(case, name, mechanism, figures)
  local last
  for _, o in ipairs(case.evidence:all()) do
    if o.kind == "snapshot" and o.operator == name then last = o end
  end
  local of_it, others = {}, {}
  for path, value in pairs(last and last.value or {}) do
    local list = path:find(mechanism:match "^%a+", 1, true) and of_it or others
    if type(value) == "number" then list[#list + 1] = path end
  end
  local paths = #of_it > 0 and of_it or others
  table.sort(paths)
  for i = 1, math.min(#paths, OF_A_SNAPSHOT) do figures[#figures + 1] = looking.cite(case, last.id, paths[i]) end
end

local BY_ITSELF = { done = true, answer = true }

-- Whether who looks with a skill made all the looks that were called for.
local function looked_well(case, s)
  local ended
  for _, entry in ipairs(case.operators) do
    if entry.skill == s.name then ended = entry.ended end
  end
  return BY_ITSELF[ended] and #verdict.open_looks(case, s) == 0
end

-- What a mechanism that was asked for comes to, where it was not found: it was looked for. nil where nobody could.
local function not_seen(case, mechanism, figures)
  local names = {}
  for _, s in ipairs(case.skills) do
    for _, check in ipairs(s.checks or {}) do
      if check.mechanism == mechanism and not names[s.name] then
        if not looked_well(case, s) then return nil end
        names[#names + 1], names[s.name] = s.name, true
        snapshot_figures(case, s.name, mechanism, figures)
      end
    end
  end
  if #names == 0 then return nil end
  return ("There is no sign of %s: %s looked for it, and found none."):format(mechanism, table.concat(names, " and "))
end

local ASK_FOR = "ask for memory, a mailbox, the schedulers, tables, or a process by its name; `beamlens-run explain` "
  .. "has all that can be asked for, and `beamlens-run health` counts and limits"
local A_MODEL = "a model reads any question: set its key, or name it with --provider"

local NOTHING = "Nothing wrong was found: every look that was called for was made."

-- How it is: first what the question names, then its topics in their order, as sentences. Calm: nothing is as somebody
-- feared who asked, and what it is about first of all was seen.
local function told(case, facts, found, figures)
  local texts, of_topic, calm = { facts.missing }, {}, not facts.missing
  for _, topic in ipairs(facts.topics) do of_topic[topic.topic] = true end
  for _, state in ipairs(facts.states) do
    calm = calm and state.calm
    if not of_topic[state.topic] then texts[#texts + 1] = state.text end
  end
  for i, topic in ipairs(facts.topics) do
    if topic.group == "mechanisms" and not found then
      local text = not_seen(case, topic.topic, figures)
      texts[#texts + 1], calm = text, calm and (text ~= nil or i > 1)
    elseif topic.topic == question.general and not found then
      local healthy = verdict.of(case) == "healthy"
      texts[#texts + 1], calm = healthy and NOTHING or nil, calm and healthy
    end
    for _, state in ipairs(facts.states) do
      if state.topic == topic.topic then texts[#texts + 1] = found and state.calm and state.beside or state.text end
    end
  end
  return texts, calm
end

local function open_of(facts, texts, calm)
  local open = { unpack(facts.why) }
  if facts.missing then open[#open + 1] = "`beamlens-run call beam_top_processes 20` has names; ask again with one" end
  for _, state in ipairs(facts.states) do
    if not state.calm then
      add(open, { state.object and ("`beamlens-run call beam_watch_process %s 3000` shows what it does"):format(
        reached_by.word(state.object)) or nil,
        ("`beamlens-run explain %s` has the looks that come next"):format(state.topic) })
    end
  end
  if #texts == 0 and #open == 0 and #facts.topics == 0 then add(open, { ASK_FOR, A_MODEL }) end
  if #open == 0 and (#texts == 0 or not calm) then
    open[1] = "what is missing for a verdict stands below; `beamlens-run health` has the figures of the whole node"
  end
  return open
end

-- By rules: how it is, and why.
local function by_rules(case, facts)
  local causes, figures, ids = causes_of(case, facts), {}, {}
  for _, state in ipairs(facts.states) do add(figures, state.figures) end
  local texts, calm = told(case, facts, #causes > 0, figures)
  for i, insight in ipairs(causes) do
    ids[i] = insight.id
    if i == 1 then
      texts[#texts + 1] = cause_text(insight)
      for _, claim in ipairs(insight.evidence) do
        figures[#figures + 1] = looking.cite(case, claim.observation, claim.path)
      end
    end
  end
  local answered = not facts.missing and #causes > 0 or #texts > 0 and calm
  local would_tell = answered and {} or open_of(facts, texts, calm)
  if #texts == 0 then
    texts[1] = #facts.topics == 0 and "No word of the question says what to look at, so everybody looked."
      or "The looks that were made do not tell."
  elseif not answered and not facts.missing then
    texts[#texts + 1] = "Why, the looks that were made do not tell."
  end
  return { text = table.concat(texts, " "), answered = answered, by = "rules", figures = the_first(figures),
    insights = ids, would_tell = would_tell }
end

local object, list, text = shapes.object, shapes.list, shapes.text

local TOOL = {
  name = "answer", doc = "The answer to the question, with the figures that it rests on.",
  parameters = object({
    text = text(), answered = { type = "boolean" }, would_tell = list(text()),
    evidence = list(object({ observation = text(), path = text(),
      value = { type = { "number", "string", "boolean" } } }, { "observation", "path", "value" })),
  }, { "text", "answered", "evidence" }),
}

-- As the model sees it: the question, what was concluded, and every figure that it may cite.
local function shown(case, facts)
  local seen, insights, notifications = {}, {}, {}
  for i, state in ipairs(facts.states) do seen[i] = { says = state.text, figures = state.figures } end
  local function row(item) return { id = item.id, severity = item.severity, root_cause = item.root_cause,
    says = item.summary or item.hypothesis or item.observation, evidence = item.evidence } end
  for i, insight in ipairs(case:ordered()) do insights[i] = row(insight) end
  for i, n in ipairs(case.notifications) do notifications[i] = row(n) end
  return { question = case.question, looks = seen, insights = insights, notifications = notifications }
end

local function by_model(case, facts, emit, system)
  local figures, would_tell = {}, nil
  local function check(args)
    local stand, dropped = case.evidence:check_all(args.evidence)
    if #dropped > 0 then return nil, ("%s; cite what stands, or take it out"):format(dropped[1].why) end
    if args.answered and #stand == 0 then
      return nil, "no figure bears it out: cite one, or answered is false and would_tell says what would tell"
    end
    for i, claim in ipairs(stand) do figures[i] = looking.cite(case, claim.observation, claim.path) end
    would_tell = args.would_tell or {}
    return true
  end
  local said, why = consult.ask(case, emit, { system = system, shows = shown(case, facts), tool = TOOL, check = check,
    task = ("Answer a question about the node %s: read it with get_facts, and call answer."):format(case.node.name) })
  if not said then return nil, why end
  local ids = {}
  for i, insight in ipairs(causes_of(case, facts)) do ids[i] = insight.id end
  return { text = said.text, answered = said.answered, by = "model", figures = figures, insights = ids,
    would_tell = said.answered and {} or would_tell }
end

--- Answers the question of the run, in its report.
---@param case Case
---@param emit fun(event: string, measurements?: table, metadata?: table)
---@param system string   the prompt of a model
function answer.make(case, emit, system)
  local facts, made, why = question.facts(case), nil, nil
  case:promote()
  if not case.mind.by_rules then made, why = by_model(case, facts, emit, system) end
  made = made or by_rules(case, facts)
  if why then table.insert(made.would_tell, ("the model did not answer: %s"):format(why)) end
  made.topics, made.looked = {}, {}
  for i, topic in ipairs(facts.topics) do made.topics[i] = topic.topic end
  for i, s in ipairs(case.skills) do made.looked[i] = s.name end
  case.more.answer = made
end

return answer
