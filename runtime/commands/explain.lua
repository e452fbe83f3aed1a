--- `explain [TOPIC]`: what there is to know about the BEAM, and about all that goes wrong on it. No node is asked.

local failure = require "runtime.failure"
local json = require "runtime.json"
local knowledge = require "runtime.knowledge"
local plain = require("runtime.plain").text
local screen = require "runtime.screen"
local topic_search = require "runtime.topic_search"
local typeset = require "runtime.typeset"

local command = {
  usage = "explain [TOPIC...]",
  words = math.huge, -- what somebody looks for is a sentence sometimes
  doc = "what to look at, what to take, what goes wrong",
  takes = { "topic" },
  examples = {
    { "beamlens-run explain", "all topics" },
    { "beamlens-run explain mailbox", "what to look at, in order, when a mailbox grows" },
    { "beamlens-run explain links or monitors", "which one to take" },
    { "beamlens-run explain genserver timeout", "what speaks of these words" },
    { "beamlens-run explain monitor_leak", "a mechanism that a report names" },
    { "beamlens-run explain mechanisms", "all of these, with a line each" },
  },
  more = [[
They are Markdown: `beamlens-run init prompts/knowledge/mailbox.md` makes a copy for you to edit, which wins over ours,
and a file of your own beside it is a topic, too. It exits with 2 where nothing speaks of what was asked for.
]],
}

local function rows(topics)
  local list = {}
  for i, t in ipairs(topics) do list[i] = { topic = t.topic, title = t.title, group = t.group, about = t.about } end
  return list
end

local function tell(said) io.stderr:write("beamlens-run: ", plain(said), "\n") end

local function entries(topics, out)
  local list = {}
  for i, t in ipairs(topics) do list[i] = { t.topic, t.about } end
  return typeset.entries(list, out)
end

local function of_group(topics, name)
  local list = {}
  for _, t in ipairs(topics) do if t.group == name then list[#list + 1] = t end end
  return list
end

local function overview(topics, out)
  local parts = { typeset.text("`beamlens-run explain TOPIC` tells one of these, or what speaks of your words:\n"
    .. "`beamlens-run explain links`.", out) }
  for _, group in ipairs(knowledge.GROUPS) do
    local list = of_group(topics, group.name)
    parts[#parts + 1] = typeset.text("## " .. group.title, out)
    if group.name == "mechanisms" then
      local names = {}
      for i, t in ipairs(list) do names[i] = t.topic end
      parts[#parts] = parts[#parts] .. typeset.text(table.concat(names, ", "), out) .. "\n"
        .. typeset.text("`beamlens-run explain mechanisms` has a line for each.", out)
    else
      parts[#parts] = parts[#parts] .. entries(list, out)
    end
  end
  return table.concat(parts, "\n")
end

local function page(topic, more, out)
  local head = ("# %s\n\n%s\n\n"):format(topic.title, topic.about)
  local names = {}
  for i, t in ipairs(more) do names[i] = "`" .. t.topic .. "`" end
  local others = #names > 0 and "\n\n## Near to it\n\n" .. table.concat(names, ", ") or ""
  return typeset.text(head .. topic.text .. others, out)
end

local function whole(topic, more)
  return { schema = 1, topic = topic.topic, title = topic.title, group = topic.group, about = topic.about,
    also = topic.also, text = topic.text, fault = topic.fault, near = rows(more) }
end

local function show(c, topic, more)
  if topic.fault then tell(topic.fault .. "; ours is shown") end
  if c.options.json then return json.encode(whole(topic, more)) .. "\n", 0 end
  return page(topic, more, screen.page(c.options)), 0
end

local function list(c, topics, head)
  if c.options.json then return json.encode { schema = 1, topics = rows(topics) } .. "\n", 0 end
  local out = screen.page(c.options)
  return head and typeset.text(head, out) .. "\n" .. entries(topics, out) or overview(topics, out), 0
end

function command.run(c)
  local asked = table.concat(c.words, " "):gsub("%?$", "")
  local name = asked:lower():gsub("^%s+", ""):gsub("%s+$", ""):gsub("[%s%-]+", "_")
  local exact, err
  if name ~= "" then exact, err = knowledge.of(name) end
  if exact then return show(c, exact, {}) end
  if err then return nil, err end
  local topics, broken = knowledge.all()
  for _, b in ipairs(broken) do tell(b) end
  if name == "" then return list(c, topics) end
  if name == "mechanisms" then return list(c, of_group(topics, name), "# What goes wrong") end
  local found, clear = topic_search.find(asked, topics)
  if clear then return show(c, table.remove(found, 1), found) end
  if #found > 0 then return list(c, found, ("# What speaks of %s"):format(plain(asked):gsub("`", ""))) end
  local near = topic_search.near(asked, topics)
  return nil, failure.new("usage", ("no topic speaks of %s"):format(asked),
    near and ("did you mean %s?"):format(near) or "see `beamlens-run explain`", 2)
end

return command
