--- Which topic somebody means who did not type its name: "links", "genserver timeout", "why is the mailbox so long".

local failure = require "runtime.failure"

local topic_search = {}

-- What a word counts by the place that it is found in. A topic explains, a mechanism is one case: it comes second.
local NAME, ALSO, TITLE, ABOUT, TEXT, OF_A_MECHANISM = 10, 8, 6, 4, 1, 0.5
-- Shown at once is what was found by a name or by what it is about, and by far before the next.
local SHOWN, AHEAD = 4, 1.25
local MOST = 8

local IDLE = {}
for word in ([[a an and are be do does for from go grow growing how i in is it its many me much my node of on or our
  should so the their there they this to use using want what when where which who why with long high big
  explain]]):gmatch "%a+" do
  IDLE[word] = true
end

-- Without the ending of a plural or a verb, that "links" finds "link", and "restarting" "restart".
local function stem(word)
  word = #word > 3 and word:gsub("sses$", "ss"):gsub("ss$", "s\1"):gsub("s$", ""):gsub("\1$", "s") or word
  return word:match "^(....+)ing$" or word:match "^(....+)ed$" or word
end

local function stems(text)
  local set = {}
  for word in text:lower():gmatch "[%w_]+" do
    set[stem(word)] = true
    for part in word:gmatch "[^_]+" do set[stem(part)] = true end
  end
  return set
end

-- The words of a question that say something, as stems.
local function words_of(asked)
  local words = {}
  for word in asked:lower():gmatch "[%w_]+" do
    if not IDLE[word] then words[#words + 1] = stem(word) end
  end
  return words
end

-- What each word counts: of the places that it is found in, the best.
local function weights(words, places)
  local list = {}
  for i, place in ipairs(places) do places[i] = { stems(place[1]), place[2] } end
  for i, word in ipairs(words) do
    list[i] = 0
    for _, place in ipairs(places) do
      if place[1][word] then list[i] = math.max(list[i], place[2]) end
    end
  end
  return list
end

local function plainly(text) return (text:lower():gsub("[^%w_]+", " ")) end

-- Whether it is just another name for a topic.
local function is_called(topic, asked)
  for _, word in ipairs(topic.also) do if plainly(word) == plainly(asked) then return true end end
  return false
end

local function weigh(topic, words)
  local sum = 0
  for _, worth in ipairs(weights(words, { { topic.topic, NAME }, { table.concat(topic.also, " "), ALSO },
    { topic.title, TITLE }, { topic.about, ABOUT }, { topic.text, TEXT } })) do
    if worth == 0 then return 0 end -- all of the words are to be found
    sum = sum + worth
  end
  return sum * (topic.group == "mechanisms" and OF_A_MECHANISM or 1) / #words
end

--- The topics that all of the words are found in, the best first.
---@param asked string
---@param topics Topic[]
---@return Topic[] found   8 at most
---@return boolean clear   the first is what was meant
function topic_search.find(asked, topics)
  local words, found, worth = words_of(asked), {}, {}
  if #words == 0 then return {}, false end
  for _, topic in ipairs(topics) do
    local weight = weigh(topic, words) + (is_called(topic, asked) and NAME or 0)
    if weight > 0 then found[#found + 1], worth[topic] = topic, weight end
  end
  table.sort(found, function(a, b)
    if worth[a] ~= worth[b] then return worth[a] > worth[b] end
    return a.topic < b.topic
  end)
  for i = #found, MOST + 1, -1 do found[i] = nil end
  local first, second = worth[found[1]] or 0, worth[found[2]] or 0
  return found, first >= SHOWN and first >= AHEAD * second
end

-- Whether every word of a topic's name is there: "is the disk full?" means disk_full.
local function whole_name(topic, words)
  local there = {}
  for _, word in ipairs(words) do there[word] = true end
  for part in topic.topic:gmatch "[^_]+" do
    if not there[stem(part)] then return false end
  end
  return true
end

-- What a topic says of itself, and not what its text speaks of on the way. One word of several ("run queue") is less.
local function named(topic, words)
  local sum, count, single = 0, 0, {}
  for _, name in ipairs(topic.also) do single[#single + 1] = not name:find "[ _]" and name or nil end
  for _, worth in ipairs(weights(words, { { topic.topic, NAME }, { table.concat(single, " "), ALSO },
    { topic.title, TITLE }, { topic.about .. " " .. table.concat(topic.also, " "), ABOUT } })) do
    sum, count = sum + worth, count + (worth > 0 and 1 or 0)
  end
  local less = topic.group == "mechanisms" and not whole_name(topic, words)
  return sum * (less and OF_A_MECHANISM or 1), count
end

--- The words of a question that no topic is known by, as they were typed: a process of that name, or a table, perhaps.
---@param question string
---@param topics Topic[]
---@return string[]   those that can be nothing but a name first
function topic_search.names(question, topics)
  local sure, perhaps, seen = {}, {}, {}
  for typed in question:gmatch "[^%s,;:\"'`()]+" do
    local word = typed:gsub("[%.%?!]+$", "")
    if #word > 1 and not seen[word] and not IDLE[word:lower()] then
      seen[word] = true
      local known = false
      for _, topic in ipairs(topics) do
        known = known or topic.topic == word
          or topic.group == "routes" and select(2, named(topic, { stem(word:lower()) })) > 0
      end
      local list = not known and (topic_search.is_name(word) and sure or perhaps)
      if list then list[#list + 1] = word end
    end
  end
  for _, word in ipairs(perhaps) do sure[#sure + 1] = word end
  return sure
end

--- Whether a word can be nothing but a name: orders_inbox, Shop.Sink, <0.81.0>.
---@param word string
---@return boolean
function topic_search.is_name(word)
  return (word:find "^%a%w*_[%w_@]*$" or word:find "^<%d+%.%d+%.%d+>$" or word:find "^%u%w*%.%u[%w%.]*$") ~= nil
end

-- Of a question whose other words name what it is about: those that come near the best of them.
local NEAR = 0.75
local ROUTES = { routes = true, mechanisms = true }
local EVERYWHERE = { process = true } -- a word of so many topics that alone it means none of them

-- Whether the question has more of it than such a word.
local function is_meant(topic, words)
  local telling = {}
  for _, word in ipairs(words) do
    if not EVERYWHERE[word] then telling[#telling + 1] = word end
  end
  return select(2, named(topic, telling)) > 0
end

--- What a whole question is about: topics that tell what to look at, the best first. Words that none of them knows are
--- names of the node's, or of no matter.
---@param question string
---@param topics Topic[]
---@return Topic[] found   empty where no word leads anywhere
function topic_search.route(question, topics)
  local words, found, worth, known = words_of(question), {}, {}, {}
  for _, topic in ipairs(topics) do
    if ROUTES[topic.group] then
      worth[topic], known[topic] = named(topic, words)
      if worth[topic] >= ABOUT and is_meant(topic, words) then found[#found + 1] = topic end
    end
  end
  table.sort(found, function(a, b)
    if worth[a] ~= worth[b] then return worth[a] > worth[b] end
    if known[a] ~= known[b] then return known[a] > known[b] end
    return a.topic < b.topic
  end)
  while #found > 0 and worth[found[#found]] < NEAR * worth[found[1]] do found[#found] = nil end
  return found
end

--- The name that a slip of the fingers may have meant, in the whole of what was typed or in one of its words.
---@param asked string
---@param topics Topic[]
---@return string?
function topic_search.near(asked, topics)
  local words, of = {}, {}
  for _, topic in ipairs(topics) do
    words[#words + 1], of[topic.topic] = topic.topic, topic.topic
    for _, word in ipairs(topic.also) do
      words[#words + 1], of[word] = word, of[word] or topic.topic
    end
  end
  local tried = { (asked:lower():gsub("%W+", "_"):gsub("_$", "")) }
  for word in asked:lower():gmatch "[%w_]+" do
    if not IDLE[word] then tried[#tried + 1] = word end
  end
  for _, word in ipairs(tried) do
    local near = failure.nearest(word, words)
    if near then return of[near] end
  end
end

return topic_search
