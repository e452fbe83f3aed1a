--- `report [RUN]`: a kept run as a document, on stdout.

local handoff = require "runtime.handoff"
local json = require "runtime.json"
local runs = require "runtime.runs"
local store = require "runtime.store"

local command = {
  usage = "report [RUN]",
  words = 1,
  doc = "a run as Markdown, to hand on",
  takes = { "run" },
  examples = {
    { "beamlens-run report", "the latest run" },
    { "beamlens-run report r17 > handoff.md", "another one, into a file" },
    { "beamlens-run report | gh issue create --title 'shop: slow' -F -", "as an issue" },
  },
  more = [[
What is wrong, what proves it, what it is not, what to change, what that risks and what is left to do. RUN is named as
for `show`, which tells the same on a terminal. It exits with 0 whatever the verdict was.
]],
}

function command.run(c)
  local word = c.words[1] or "last"
  local found, run = store.asked(c.options, function(s) return runs.report(s, word) end)
  if found == false then return nil, runs.unknown(word) end
  if not found then return nil, run end
  local text = handoff.text(found)
  if c.options.json then return json.encode { schema = 1, run = run.id, markdown = text } .. "\n", 0 end
  return text, 0
end

return command
