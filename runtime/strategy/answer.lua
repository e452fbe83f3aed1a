--- The answer to a question that somebody asked of a node. Which topics it is about, its words say
--- (prompts/knowledge, prompts/mechanisms); how it is, the looks of runtime/answers.lua show; why, the insights of the
--- run do. By a model it is in the model's words, and its figures are read again. Nothing of it is a guess: where the
--- looks do not tell, it says what would.

local answers = require "runtime.answers"
local async = require "runtime.async"
local consult = require "runtime.strategy.consult"
local gravity = require "runtime.gravity"
local knowledge = require "runtime.knowledge"
local looking = require "runtime.strategy.looking"
local mechanisms = require "runtime.mechanisms"
local shapes = require("runtime.tools.operator").shapes
local topic_search = require "runtime.topic_search"
local verdict = require "runtime.verdict"

local answer = {}

local GENERAL = "full_check"   -- a question about nothing in particular
local OF_ONE = "genserver_state"
local OF_TABLES, ONE_TABLE = "ets", "ets_table"
local OF_A_SNAPSHOT = 3
local MOST_TOPICS, MOST_NAMES, MOST_FIGURES = 2, 6, 8

--- The skills that the looks of an answer need, whoever else looks.
answer.skills = { "beam", "ets" }

-- Whether the question names it; of Elixir's modules the last part does.
local function namer(question)
  local words = {}
  for word in question:lower():gmatch "[^%s,;:\"'`()]+" do words[word:gsub("[%.%?!]+$", "")] = true end
  return function(name)
    if type(name) ~= "string" then return false end
    name = name:lower()
    return words[name] or words[name:match "([^%.]+)$"] or false
  end
end

local function mechanism_words(topics)
  local words = {}
  for _, topic in ipairs(topics) do
    if mechanisms[topic.topic] then words[topic.topic] = true end
    for word in topic.group == "routes" and topic.text:gmatch "[%l_]+" or function() end do
      if mechanisms[word] and word ~= "other" then words[word] = true end
    end
  end
  return words
end

local function looks_at(s, topics, words)
  for _, check in ipairs(s.checks or {}) do
    if words[check.mechanism] then return true end
  end
  for _, topic in ipairs(topics) do
    for word in topic.text:gmatch "[%w_]+" do
      if s.callbacks[word] or s.aliases and s.aliases[word] then return true end
    end
  end
end

--- What a question is about.
---@param case Case
---@return { topics: Topic[], skills: string[] }   skills: all of the run's, where no word leads anywhere
function answer.route(case)
  local topics = topic_search.route(case.question, (knowledge.all()))
  for i = #topics, MOST_TOPICS + 1, -1 do topics[i] = nil end
  local everybody, words, skills, all = #topics == 0, mechanism_words(topics), {}, {}
  for _, topic in ipairs(topics) do everybody = everybody or topic.topic == GENERAL end
  for i, s in ipairs(case.skills) do
    all[i] = s.name
    if looks_at(s, topics, words) then skills[#skills + 1] = s.name end
  end
  return { topics = topics, skills = (everybody or #skills == 0) and all or skills }
end

-- The looks of one topic, and what they say; nil and why.
local function state_of(case, topic, asked, name)
  local rule, seen, values = answers[topic], {}, {}
  for i, look in ipairs(rule.look) do
    if look.after then async.sleep(look.after) end
    local call = look.name and { look[1], name, unpack(look, 2) } or { unpack(look) }
    local got, why = looking.look(case, case.also, call)
    if not got then return nil, why end
    seen[i], values[i] = got.observation, got.value
  end
  local state = rule.state(values, asked)
  if not state then return nil, ("%s has nothing to tell"):format(rule.look[1][1]) end
  local cited = {}
  for _, figure in ipairs(state.figures) do
    cited[#cited + 1] = looking.cite(case, seen[figure.look], figure.path)
  end
  state.figures, state.topic = cited, topic
  return state
end

-- Where a word of the question is the name of a table or a process, how that one is.
local function of_names(case, facts, asked)
  local of_tables, found = false, false
  for _, topic in ipairs(facts.route.topics) do of_tables = of_tables or topic.topic == OF_TABLES end
  local rules = of_tables and { ONE_TABLE, OF_ONE } or { OF_ONE }
  local names = topic_search.names(case.question, facts.topics)
  for i = 1, math.min(#names, MOST_NAMES) do
    local state
    for _, rule in ipairs(rules) do state = state or state_of(case, rule, asked, names[i]) end
    facts.states[#facts.states + 1], found = state, found or state ~= nil
    if not state and topic_search.is_name(names[i]) then
      facts.missing = ("There is no process%s of the name %s on the node now."):format(
        of_tables and " or table" or "", names[i])
    end
  end
  return found
end

--- Makes the looks that show what was asked for, once.
---@param case Case
---@return { states: table[], why: string[], route: table, topics: Topic[] }
function answer.facts(case)
  if case.facts then return case.facts end
  local facts = { states = {}, why = {}, route = answer.route(case), topics = (knowledge.all()) }
  case.facts = facts
  local asked, wants_one = namer(case.question), false
  local named = of_names(case, facts, asked)
  for _, topic in ipairs(facts.route.topics) do
    wants_one = wants_one or topic.topic == OF_ONE
    if answers[topic.topic] and topic.topic ~= OF_ONE and not (named and topic.topic == OF_TABLES) then
      local state, why = state_of(case, topic.topic, asked)
      facts.states[#facts.states + 1], facts.why[#facts.why + 1] = state, why
    end
  end
  if wants_one and not named then
    facts.why[#facts.why + 1] = "name the process as it is registered, or by its pid, and ask again"
  end
  return facts
end

-- The insights that answer it: of what it asks about, or of what it or the looks name.
local function causes_of(case, facts)
  local words, asked, objects, list = mechanism_words(facts.route.topics), namer(case.question), {}, {}
  for _, state in ipairs(facts.states) do
    if state.object and (not state.calm or asked(state.object)) then objects[state.object] = true end
  end
  local general = #facts.route.topics > 0 and facts.route.topics[1].topic == GENERAL
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

local function sentence(text) return text:find "[%.!?]$" and text or text .. "." end

local function cause_text(insight)
  local cause = insight.root_cause
  return ("The cause is %s: %s. %s"):format(cause.object, cause.mechanism, sentence(insight.summary))
end

-- Numbers of the last snapshot of a skill, as claims.
local function snapshot_figures(case, name, figures)
  local last
  for _, o in ipairs(case.evidence:all()) do
    if o.kind == "snapshot" and o.operator == name then last = o end
  end
  local paths = {}
  for path, value in pairs(last and last.value or {}) do
    if type(value) == "number" then paths[#paths + 1] = path end
  end
  table.sort(paths)
  for i = 1, math.min(#paths, OF_A_SNAPSHOT) do figures[#figures + 1] = looking.cite(case, last.id, paths[i]) end
end

-- What a topic that has no look of its own comes to, where nothing was found: it was looked for.
local function not_seen(case, topic, figures)
  local names = {}
  for _, s in ipairs(case.skills) do
    for _, check in ipairs(s.checks or {}) do
      if check.mechanism == topic.topic and not names[s.name] then
        names[#names + 1], names[s.name] = s.name, true
        snapshot_figures(case, s.name, figures)
      end
    end
  end
  if #names == 0 then return nil end
  return ("There is no sign of %s: the checks of %s, which know it, found none."):format(topic.topic,
    table.concat(names, " and "))
end

local ASK_FOR = "ask for memory, a mailbox, the schedulers, tables, or a process by its name; `beamlens-run explain` "
  .. "has all that can be asked for"
local A_MODEL = "a model reads any question: set its key, or name it with --provider"

-- How it is, where the topics have looks or checks of their own.
local function told(case, facts, found, figures)
  local texts, calm = { facts.missing }, not facts.missing
  for _, state in ipairs(facts.states) do
    texts[#texts + 1], calm = state.text, calm and state.calm
  end
  local general
  for _, topic in ipairs(facts.route.topics) do
    general = general or topic.topic == GENERAL
    if not answers[topic.topic] and topic.topic ~= GENERAL and not found then
      texts[#texts + 1] = not_seen(case, topic, figures)
    end
  end
  local healthy = verdict.of(case) == "healthy"
  if general and not found and healthy then
    texts[#texts + 1] = "Nothing wrong was found: every look that was called for was made."
  end
  return texts, calm and (healthy or #facts.states > 0 and not general)
end

local function open_of(facts, texts, calm)
  local open = { unpack(facts.why) }
  if facts.missing then open[#open + 1] = "`beamlens-run call beam_top_processes 20` has names; ask again with one" end
  for _, state in ipairs(facts.states) do
    if not state.calm then
      add(open, { state.object and ("`beamlens-run call beam_watch_process %s 3000` shows what it does"):format(
        state.object) or nil, ("`beamlens-run explain %s` has the looks that come next"):format(state.topic) })
    end
  end
  if #texts == 0 and #open == 0 and #facts.route.topics == 0 then add(open, { ASK_FOR, A_MODEL }) end
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
  for i = #figures, MOST_FIGURES + 1, -1 do figures[i] = nil end
  local answered = not facts.missing and #causes > 0 or #texts > 0 and calm
  local would_tell = answered and {} or open_of(facts, texts, calm)
  if #texts == 0 then
    texts[1] = #facts.route.topics == 0 and "No word of the question says what to look at, so everybody looked."
      or "The looks that were made do not tell."
  elseif not answered and not facts.missing then
    texts[#texts + 1] = "Why, the looks that were made do not tell."
  end
  return { text = table.concat(texts, " "), answered = answered, by = "rules", figures = figures, insights = ids,
    would_tell = would_tell }
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
  local facts, made, why = answer.facts(case), nil, nil
  case:promote()
  if not case.mind.by_rules then made, why = by_model(case, facts, emit, system) end
  made = made or by_rules(case, facts)
  if why then table.insert(made.would_tell, ("the model did not answer: %s"):format(why)) end
  made.topics, made.looked = {}, {}
  for i, topic in ipairs(facts.route.topics) do made.topics[i] = topic.topic end
  for i, s in ipairs(case.skills) do made.looked[i] = s.name end
  case.more.answer = made
end

return answer
