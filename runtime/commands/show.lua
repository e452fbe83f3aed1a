--- `show RUN`: the report of a run once more.

local failure = require "runtime.failure"
local feedback = require "runtime.feedback"
local json = require "runtime.json"
local plain = require("runtime.plain").text
local report = require "runtime.report"
local report_file = require "runtime.report_file"
local runs = require "runtime.runs"
local screen = require "runtime.screen"
local store = require "runtime.store"

local command = {
  usage = "show RUN",
  words = 1,
  doc = "the report of a run again",
  takes = { "run" },
  examples = {
    { "beamlens-run show last", "the latest" },
    { "beamlens-run show r17", "as `runs` and the report itself name it" },
    { "beamlens-run show 9f3a0c", "or by the beginning of its trace_id" },
    { "beamlens-run show r17 --report handoff.md", "and as a document, to hand on" },
  },
  more = [[
Of a run that was ended before it had a report it shows what it had told. It exits with 0 whatever the verdict was.
]],
}

local WORDS = { running = "goes on", interrupted = "was ended before it had a report" }

local function said(run)
  local word = run.feedback
  if not word then return "" end
  local note = word.note ~= "" and (', "%s"'):format(plain(word.note)) or ""
  return ("said %s%s\n"):format(plain(feedback.text(word)), note)
end

local function head(run)
  local took = run.ms and (", %.1f s"):format(run.ms / 1000) or ""
  local state = WORDS[run.state] and ("; it " .. WORDS[run.state]) or ""
  return ("%s  %sZ%s, %s%s%s\n%s"):format(run.id, os.date("!%Y-%m-%dT%H:%M:%S", run.started_at), took, plain(run.mind),
    run.reason ~= "" and (', "%s"'):format(plain(run.reason)) or "", state, said(run))
end

function command.run(c)
  local word = c.words[1]
  if not word then return nil, failure.new("usage", "show wants a run", "`beamlens-run runs` lists them", 2) end
  local refusal = report_file.refusal(c.options.report)
  if refusal then return nil, refusal end
  local found, run = store.asked(c.options, function(s) return runs.report(s, word) end)
  if found == false then return nil, runs.unknown(word) end
  if not found then return nil, run end
  local err = report_file.write(c.options.report, found)
  if err then return nil, err end
  if c.options.json then
    found.feedback = run.feedback
    return json.encode(found) .. "\n", 0
  end
  return head(run) .. report.text(found, screen.out(c.options)), 0
end

return command
