--- `feedback RUN right|wrong`: what a person says of a run, kept with it.

local failure = require "runtime.failure"
local feedback = require "runtime.feedback"
local gravity = require "runtime.gravity"
local json = require "runtime.json"
local plain = require("runtime.plain").text
local records = require "runtime.records"
local runs = require "runtime.runs"
local store = require "runtime.store"

local command = {
  usage = "feedback RUN right|wrong",
  words = 2,
  doc = "whether a run was right; findings tell how often",
  takes = { "run", "feedback" },
  examples = {
    { "beamlens-run feedback r17 right", "it was as the report said" },
    { "beamlens-run feedback last wrong --cause invoices:slow_consumer", "what it really was, in a report's words" },
    { "beamlens-run feedback 9f3a0c wrong --cause healthy --note 'a nightly batch'", "there was nothing" },
  },
  more = [[
RUN as in `show`: r17, the beginning of a trace_id, or last. Said again, it replaces what was said. Where a run named
several findings and one was right, that one is the --cause. A run that was spoken of is kept for as long as the store
is.

`show`, `runs` and `insights` tell it, and the next report says beside a finding how often such a one was right here. No
verdict changes by it; `beamlens-run lessons` proposes what could.
]],
}

local function usage(message, next_step) return nil, failure.new("usage", message, next_step, 2) end

-- What the run had said, as causes.
local function findings(report)
  local list = {}
  for i, insight in ipairs(report.insights) do list[i] = feedback.named(insight.root_cause) end
  return #list > 0 and table.concat(list, ", ") or (tostring(report.verdict):gsub("_", " "))
end

-- Whether a cause is all that a run found.
local function is_all(report, cause)
  local found = false
  for _, insight in ipairs(report.insights) do
    local root = insight.root_cause
    if gravity.grave[insight.severity] then
      found = true
      if root.object ~= cause.object or root.mechanism ~= cause.mechanism then return false end
    end
  end
  return found
end

local function keep(s, c)
  local report, run = runs.report(s, c.words[1])
  if not report then return nil, run end
  local said, kept, err = { word = c.words[2], note = c.options.note or "" }
  if c.options.cause then
    said.cause, err = feedback.cause(c.options.cause, s)
    if err then return nil, err end
    -- Who says so means another run, or `right`.
    if said.word == "wrong" and is_all(report, said.cause) then
      return usage(("%s said just that: %s"):format(run.id, findings(report)),
        ("`beamlens-run feedback %s right`"):format(run.id))
    end
  end
  kept, err = feedback.keep(s, run, said)
  if not kept then return nil, err end
  return { run = run.id, said = said, before = kept.before, found = findings(report), records = records.all(s) or {} }
end

local function text_of(done)
  local lines = { ("%s: %s (it said %s)"):format(done.run, plain(feedback.text(done.said)), plain(done.found)) }
  if done.said.note ~= "" then lines[2] = ('   "%s"'):format(plain(done.said.note)) end
  if done.before then
    lines[#lines + 1] = ("   in place of %s, said %sZ"):format(plain(feedback.text(done.before)),
      os.date("!%Y-%m-%d %H:%M", done.before.said_at))
  end
  return table.concat(lines, "\n") .. "\n"
end

function command.run(c)
  local word, judgement = c.words[1], c.words[2]
  if not word then return usage("feedback wants a run and a word", "`beamlens-run runs` lists them") end
  if not judgement then
    return usage("feedback wants right or wrong behind " .. plain(word), ("`beamlens-run feedback %s right`"):format(
      plain(word)))
  end
  local done, err = store.asked(c.options, function(s) return keep(s, c) end)
  if done == false then return nil, runs.unknown(word) end
  if not done then return nil, err end
  if c.options.json then
    return json.encode { schema = 1, run = done.run, feedback = done.said, replaced = done.before or json.null,
      records = done.records } .. "\n", 0
  end
  return text_of(done), 0
end

return command
