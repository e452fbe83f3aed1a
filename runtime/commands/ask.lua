--- `ask QUESTION…`: a question about a node, answered with figures: the strategy `pipeline`, whose operators are chosen
--- by the question, and a report that begins with the answer.

local failure = require "runtime.failure"
local json = require "runtime.json"
local screen = require "runtime.screen"

local ask = {
  usage = "ask QUESTION...",
  words = math.huge,
  doc = "answer a question, with the figures it rests on",
  examples = {
    { [[beamlens-run ask "why is the queue growing?" --node shop@host]], "who has it, how fast, and why" },
    { [[beamlens-run ask "memory?" --node shop@host]], "whether it grows, which kind, and whose" },
    { [[beamlens-run ask "what does orders_inbox do?" --node shop@host]], "one process, by its name" },
    { [[beamlens-run ask - --node shop@host < question.txt]], "the question from standard input" },
  },
  takes = { "text" },
  more = [[

Without a key, rules answer: the question's words choose what is looked at (`beamlens-run explain` has the topics), the
answer says how it is, with figures, and why where a finding proves it. A model reads any question; each figure that it
cites is read again. Where the looks do not tell, it says what would, and exits with 4.

It is kept like any run, with the question as its reason: `beamlens-run show last` has the whole report. It looks with
the skills that the question asks for; --skills names those that it may choose from.
]],
}

local LONGEST = 2000 -- bytes: a question, and no log

local function usage(message, next_step) return failure.new("usage", message, next_step, 2) end

local SAY_IT = 'put it in quotes: beamlens-run ask "why is the queue growing?"'

-- As words of the command line, or the whole of stdin.
local function question_of(words)
  local text = table.concat(words, " ")
  if text == "-" then text = io.stdin:read(LONGEST + 1) or "" end
  text = text:gsub("%s+", " "):match "^%s*(.-)%s*$"
  if text == "" then return nil, usage("there is no question", SAY_IT) end
  if not text:find "%w" then return nil, usage(("%s is no question"):format(text), SAY_IT) end
  if #text > LONGEST then
    return nil, usage(("the question is longer than %d bytes"):format(LONGEST), "ask for one thing")
  end
  return text
end

local CANNOT_TELL = 4

function ask.run(c)
  local question, err = question_of(c.words)
  if not question then return nil, err end
  local beamlens, report = require "runtime.beamlens", require "runtime.report"
  beamlens.options = c.options
  local r
  -- The one strategy that answers, whatever the config has scripts run by; a copy of it may be edited.
  r, err = beamlens.coordinator.run { question = question, reason = question, strategy = "pipeline" }
  beamlens.close()
  if not r then return nil, err end
  local code = report.exit(r)
  if code == 0 and not (r.answer and r.answer.answered) then code = CANNOT_TELL end
  if c.options.json then return json.encode(r) .. "\n", code end
  return report.answer(r, screen.out(c.options)), code
end

return ask
