--- `replay FILE`: a recorded run again, without its node, and what is different today.

local uv = require "luv"
local counted = require "runtime.counted"
local failure = require "runtime.failure"
local files = require "runtime.files"
local filled = require "runtime.filled"
local json = require "runtime.json"
local ours = require "host.files"
local plain = require("runtime.plain").text
local report = require "runtime.report"
local screen = require "runtime.screen"

local command = {
  usage = "replay FILE",
  words = 1,
  doc = "a recorded run again, without its node",
  takes = { "file" },
  examples = {
    { "beamlens-run coordinator.lua --node shop@host --record shop.cassette", "a run that is recorded" },
    { "beamlens-run replay shop.cassette", "what it comes to with the skills and checks of today" },
    { "beamlens-run replay shop.cassette --prompts ./my-prompts", "would the new prompt have found it?" },
  },
  more = [[
What the node answered and what a model said is taken from the file; skills, checks and prompts are those of today. A
run of the analyst is thought through anew. It exits with the new verdict.

--prompts takes the prompts of that folder, operator.md and coordinator.md for example, in the place of those of the
same name.

A question that the recorded run never asked has no answer, so what rests on it cannot be told. Replies are taken by
agent and turn, whatever they are asked. With --provider NAME a model of today is asked where a prompt is another, or
the file has no reply: that costs money and sends what the file holds. --provider analyst leaves the recorded replies
aside and goes by rules.

The file holds no secrets in clear, but names of processes, tables and the node.
]],
}

local MOST_SHOWN = 8

local function words_of(verdict) return (tostring(verdict):gsub("_", " ")) end

local function parts_of(request) return ("%s, turn %d: %s"):format(request.agent, request.turn,
  table.concat(request.parts, ", ")) end

-- The prompts and tools of a conversation stand in each of its requests: told once.
local function requests_of(list)
  local seen, out = {}, {}
  for _, request in ipairs(list) do
    local fresh = {}
    for _, part in ipairs(request.parts) do
      local key = part == "messages" and "messages" or request.agent .. part
      if not seen[key] then fresh[#fresh + 1] = part end
      seen[key] = true
    end
    if #fresh > 0 then out[#out + 1] = parts_of { agent = request.agent, turn = request.turn, parts = fresh } end
  end
  return out
end

local INDENT = 14 -- columns

local function add_list(lines, name, list)
  for i = 1, math.min(#list, MOST_SHOWN) do
    lines[#lines + 1] = ("   %-11s%s"):format(i == 1 and name or "", filled.text(list[i], INDENT, lines.width))
  end
  if #list > MOST_SHOWN then lines[#lines + 1] = ("%s… and %d more"):format((" "):rep(INDENT), #list - MOST_SHOWN) end
end

local function text_of(done, options)
  local head, changed, lines = done.head, done.changed, { width = screen.out().width or math.huge }
  local mind = head.mind.model and ("%s %s"):format(head.mind.name, head.mind.model) or head.mind.name
  lines[1] = "replayed  " .. filled.text(("recorded %s on %s, thought by %s"):format(head.recorded_at, head.node, mind),
    10, lines.width)
  local verdict = changed.verdict ~= json.null and ("%s; it was %s"):format(words_of(changed.verdict.now),
    words_of(changed.verdict.was)) or words_of(done.report.verdict) .. ", as recorded"
  add_list(lines, "verdict", { verdict })
  add_list(lines, "gone", changed.gone)
  add_list(lines, "new", changed.new)
  add_list(lines, "changed", changed.versions)
  add_list(lines, "requests", requests_of(changed.requests))
  local missing = {}
  for i, one in ipairs(changed.without_reply) do
    missing[i] = ("%s, turn %d: the cassette has no reply%s"):format(one.agent, one.turn,
      options.provider and "" or "; a model would be needed: --provider NAME")
  end
  add_list(lines, "no reply", missing)
  if #changed.asked_anew > 0 then
    add_list(lines, "asked anew", { ("%s, by %s"):format(table.concat(changed.asked_anew, ", "), options.provider) })
  end
  if changed.unanswered > 0 then
    local questions = counted.of(changed.unanswered, "question")
    add_list(lines, "unanswered", { questions .. " that the recorded run did not ask" })
  end
  return table.concat(lines, "\n") .. "\n"
end

local function folder_of(path)
  local stat = uv.fs_stat(path)
  if not stat or stat.type ~= "directory" then
    return nil, failure.new("prompt", plain(path) .. " is no folder", "name the folder of operator.md", 2)
  end
  for _, prompt in ipairs(ours.embedded "prompts/") do
    local name = prompt:match "^prompts/([^/]+)$"
    if name and uv.fs_stat(path .. "/" .. name) then return path end
  end
  return nil, failure.new("prompt", ("there is no prompt in %s"):format(plain(path)),
    "put operator.md or coordinator.md there: `beamlens-run init prompts/operator.md` copies one", 2)
end

function command.run(c)
  local path = c.words[1]
  if not path then
    return nil, failure.new("usage", "replay wants a cassette", "`--record FILE` of a run makes one", 2)
  end
  if c.options.prompts then
    local folder, err = folder_of(c.options.prompts)
    if not folder then return nil, err end
    files.prompts = folder
  end
  local beamlens = require "runtime.beamlens"
  beamlens.options = c.options
  local done, err = require("runtime.replay").run(path, c.options)
  beamlens.close()
  if not done then return nil, err end
  local code = report.exit(done.report)
  if c.options.json then
    local told = { schema = 1, replay = { recorded_at = done.head.recorded_at, node = done.head.node,
      mind = done.head.mind, changed = done.changed }, report = done.report }
    return json.encode(told) .. "\n", code
  end
  return text_of(done, c.options) .. "\n" .. report.text(done.report, screen.out(c.options)), code
end

return command
