--- What a question is about, and the looks that show it: its words lead to topics (prompts/knowledge,
--- prompts/mechanisms), whose pages say who looks; words that no topic is known by may be names on the node.

local answers = require "runtime.answers"
local async = require "runtime.async"
local knowledge = require "runtime.knowledge"
local looking = require "runtime.strategy.looking"
local mechanisms = require "runtime.mechanisms"
local topic_search = require "runtime.topic_search"

local question = { general = "full_check" } -- the topic of a question about nothing in particular

local OF_ONE = "genserver_state"
local OF_TABLES, ONE_TABLE = "ets", "ets_table"
local MOST_TOPICS, MOST_NAMES = 2, 6

--- Whether the question names something; of Elixir's modules the last part does.
---@param asked string
---@return fun(name: any): boolean
function question.namer(asked)
  local words = {}
  for word in asked:lower():gmatch "[^%s,;:\"'`()]+" do words[word:gsub("[%.%?!]+$", "")] = true end
  return function(name)
    if type(name) ~= "string" then return false end
    name = name:lower()
    return words[name] or words[name:match "([^%.]+)$"] or false
  end
end

--- The mechanisms that topics are about.
---@param topics Topic[]
---@return table<string, true>
function question.mechanisms(topics)
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
local function of_names(case, facts)
  local of_tables, asked = false, question.namer(case.question)
  for _, topic in ipairs(facts.topics) do of_tables = of_tables or topic.topic == OF_TABLES end
  local rules = of_tables and { ONE_TABLE, OF_ONE } or { OF_ONE }
  local names = topic_search.names(case.question, facts.known)
  for i = 1, math.min(#names, MOST_NAMES) do
    local state
    for _, rule in ipairs(rules) do state = state or state_of(case, rule, asked, names[i]) end
    facts.states[#facts.states + 1], facts.named = state, facts.named or state ~= nil
    if not state and topic_search.is_name(names[i]) then
      facts.missing = ("There is no process%s of the name %s on the node now."):format(
        of_tables and " or table" or "", names[i])
    end
  end
end

---@class QuestionFacts
---@field topics Topic[]        that the question is about, the first of them most
---@field states table[]        what its looks say (runtime/answers.lua), with figures as claims
---@field why string[]          of looks that told nothing
---@field named boolean         one of its words is a process or a table
---@field missing? string       one of its words is a name that nobody has, as a sentence
---@field known Topic[]         all that there are

-- What its words say of it, and the looks at what they name: these may say most of it.
local function begun(case)
  if case.facts then return case.facts end
  local known = knowledge.all()
  local facts = { topics = topic_search.route(case.question, known), states = {}, why = {}, named = false,
    known = known }
  for i = #facts.topics, MOST_TOPICS + 1, -1 do facts.topics[i] = nil end
  of_names(case, facts)
  if #facts.topics == 0 and facts.named then facts.topics[1] = knowledge.of(OF_ONE) end
  case.facts = facts
  return facts
end

--- Who should look: those whose callbacks the topics name, and whose checks know their mechanisms.
---@param case Case
---@return string[] skills   all of the run's, where no word leads anywhere
function question.skills(case)
  local topics = begun(case).topics
  local everybody, words, skills, all = #topics == 0, question.mechanisms(topics), {}, {}
  for _, topic in ipairs(topics) do everybody = everybody or topic.topic == question.general end
  for i, s in ipairs(case.skills) do
    all[i] = s.name
    if looks_at(s, topics, words) then skills[#skills + 1] = s.name end
  end
  return (everybody or #skills == 0) and all or skills
end

--- Makes the looks that show what was asked for, once.
---@param case Case
---@return QuestionFacts
function question.facts(case)
  local facts = begun(case)
  if facts.complete then return facts end
  facts.complete = true
  local asked = question.namer(case.question)
  for _, topic in ipairs(facts.topics) do
    if topic.topic == OF_ONE and not facts.named then
      facts.why[#facts.why + 1] = "name the process as it is registered, or by its pid, and ask again"
    elseif answers[topic.topic] and not (facts.named and (topic.topic == OF_TABLES or topic.topic == OF_ONE)) then
      local state, why = state_of(case, topic.topic, asked)
      facts.states[#facts.states + 1], facts.why[#facts.why + 1] = state, why
    end
  end
  return facts
end

return question
