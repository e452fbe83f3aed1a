--- `watch`: learns what is usual on a node and looks into what is not, until it is ended. Its lines are
--- its result: one for each event on stdout, as they come, and the report of each investigation.

local uv = require "luv"
local async = require "runtime.async"
local counted = require "runtime.counted"
local filled = require "runtime.filled"
local json = require "runtime.json"
local outlet = require "runtime.outlet"
local progress = require "runtime.progress"
local screen = require "runtime.screen"
local sentence = require "runtime.sentence"
local telemetry = require "runtime.telemetry"

local watch = {
  usage = "watch",
  words = 0,
  doc = "learn what is usual, look into what is not",
  examples = {
    { "beamlens-run watch --node shop@host --skills beam,ets", "one node, with two skills" },
    { "beamlens-run watch --node shop@host,billing@host,mail@host", "several, each learned by itself" },
    { "beamlens-run watch --node shop@host --listen 127.0.0.1:9464 --token-file token",
      "with metrics for Prometheus, and POST /run for alerts" },
  },
  more = [[
It takes the figures of each skill every 30 s, learns for 5 minutes and goes on learning. What leaves
the usual three times in a row, or climbs for hours, is looked into by a run of the coordinator; then it
keeps still for 15 minutes. At most 3 such runs in an hour. It knows tomorrow what it learned today; with
--store :memory: it begins anew each time. `beamlens-run runs` lists what it looked into. The config file sets
the times: anomaly = { … }, see examples/config.lua. --deadline is the time of each investigation; the watch
itself has none.

Of several nodes each is learned by itself; they are investigated one at a time, and share the limit. One that
is not there is told and tried again.

`watchers` of the config are operators that are kept on for ever: with a model each look costs money, and what
a day costs is told at the pace seen; --escalate lets the analyst watch, and calls the model for what was found.
`limits` hold for each watcher, and where one is reached it rests until midnight UTC; where the quota of its key
is used up, for an hour. While its node is away it asks no model.

Runbooks that `autonomy` of the config names may act on what was found; a dry run first only tells.

Skills, prompts, tools, checks, runbooks, policy and config are read anew when somebody edits them, and all of
them on SIGHUP; what does not pass its check changes nothing and is told.

With --listen 127.0.0.1:9464 it answers there: GET /healthz, GET /metrics (for Prometheus) and, with a token of
--token-file (mode 0600), POST /run, by which an alert handler has it look at once, and GET /runs/ID:

  curl -H "Authorization: Bearer $(cat token)" -d 'memory alert' 'http://127.0.0.1:9464/run?wait=120'

The body is the reason; or JSON with reason, skills and node ({"reason": "slow", "skills": ["beam"]}, known by its
first character); or what Alertmanager sends to a webhook. Of several nodes ?node=NAME says which. One run at a time,
eight wait. `init examples/beamlens-run.service` copies a unit for systemd, `init examples/alertmanager.yml` a
receiver for Alertmanager.

--json prints a JSON object on each line.
Ended by Ctrl-C, it exits with 0 when no investigation found anything, with 1 when one did.
]],
}

local LINES = {
  ["anomaly.started"] = function(m, figures)
    return ("watching %s: %s"):format(m.node, m.state == "learning" and "learning what is usual"
      or ("it knows %s, state %s"):format(counted.of(figures.metrics, "metric"), m.state))
  end,
  ["anomaly.learning_complete"] = function(_, figures) return "learned " .. counted.of(figures.metrics, "metric") end,
  -- Else it is told with its escalation, or was a single value; --json has them all.
  ["anomaly.anomaly_detected"] = function(m)
    return m.told and m.state == "cooldown" and "anomaly, while keeping still: " .. m.text or nil
  end,
  ["anomaly.escalation"] = function(m)
    return not m.reason:find "^the watcher " and "anomaly: " .. m.reason or nil -- who has just said it
  end,
  ["anomaly.auto_trigger_started"] = function() return "looking into it" end,
  ["anomaly.auto_trigger_failed"] = function(m) return "could not look into it: " .. m.reason end,
  ["anomaly.trigger_rate_limited"] = function(_, figures)
    return ("not looked into, after %s within the hour"):format(counted.of(figures.triggers, "investigation"))
  end,
  ["anomaly.cooldown_started"] = function(_, figures) return ("keeping still for %.4g s"):format(figures.ms / 1000) end,
  ["anomaly.metric_collection_failed"] = function(m) return ("no figures of %s: %s"):format(m.skill, m.reason) end,
  ["watcher.started"] = function(m) return ("the watcher %s is on"):format(m.watcher) end,
  ["watcher.state_change"] = function(m) return ("%s is %s: %s"):format(m.watcher, m.to, m.reason or "") end,
  ["watcher.alert_fired"] = function(m) return ("%s says (%s): %s"):format(m.watcher, m.severity, sentence.of(m)) end,
  ["watcher.restarting"] = function(m, figures)
    local long = figures.wait_s >= 600
    return ("the watcher %s ended (%s); again in %.0f %s"):format(m.watcher, m.reason,
      long and figures.wait_s / 60 or figures.wait_s, long and "min" or "s")
  end,
  ["watcher.llm_down"] = function(m)
    return ("the watcher %s cannot ask its model, and goes on trying: %s"):format(m.watcher, m.reason)
  end,
  ["watcher.llm_up"] = function(m) return ("the watcher %s can ask its model again"):format(m.watcher) end,
  ["cost.estimate"] = function(m, figures)
    local usd = figures.usd_per_day and (", %.2f USD"):format(figures.usd_per_day)
      or "; the price is not known, set prices in the config"
    return ("at the pace seen over %.0f s a day costs %s tokens in %s requests%s"):format(m.seconds,
      counted.grouped(figures.tokens_per_day), counted.grouped(figures.calls_per_day), usd)
  end,
  ["node.up"] = function(m) return "attached to " .. m.node end,
  ["node.down"] = function(m) return sentence.lost(m) end,
  ["action.proposed"] = function(m)
    if m.by.kind == "runbook" then return nil end -- which does it, and tells
    return ("proposed, for a person to decide: %s %s %s"):format(m.id, m.action, m.object)
  end,
  ["runbook.dry_run"] = function(m) return ("%s would have done %s to %s"):format(m.runbook, m.action, m.object) end,
  ["runbook.done"] = function(m) return ("%s did %s to %s: %s"):format(m.runbook, m.action, m.object, m.message) end,
  ["runbook.refused"] = function(m) return ("%s did not do %s: %s"):format(m.runbook, m.action, m.message) end,
  ["runbook.not_found_again"] = function(m) return ("%s did nothing: %s is not there any more"):format(m.runbook,
    m.mechanism) end,
  ["service.listening"] = function(m) return "listening on " .. m.url end,
  ["store.failed"] = function(m)
    return (m.trace_id and "this run is not kept: " or "what was learned is not kept: ") .. m.reason
  end,
}

for event, line in pairs(require "runtime.reload_lines") do LINES[event] = line end

local function stamp() return os.date "!%Y-%m-%dT%H:%M:%SZ" end

local function object(event, measurements, metadata)
  local line = { schema = 1, event = event, at = stamp() }
  for _, part in ipairs { measurements, metadata } do
    for key, value in pairs(part) do line[key] = value end
  end
  return json.encode(line)
end

-- A reader that went away ends the watch: nobody would ever know what it finds. One that only stopped holds up nothing.
local function printer(as_json)
  local root = async.current()
  outlet.out.on_fault = function() root:cancel "interrupted" end
  local function left_out(count) return object("lines.left_out", { count = count }, {}) .. "\n" end
  if as_json then outlet.out.note = left_out end
  return function(text) outlet.out:write(text) end
end

-- Where several are watched, each line says of which node it is.
local NAMES_IT = { ["node.up"] = true, ["node.down"] = true, ["anomaly.started"] = true }

-- The state that goes with what a watcher says has the same sentence, before or after it: it is told once.
local function unheard()
  local last = {}
  return function(event, m)
    local text = event == "watcher.alert_fired" and sentence.of(m) or event == "watcher.state_change" and m.reason
    if not text then return true end
    local who = ("%s %s"):format(m.node, m.watcher)
    local new = last[who] ~= text
    last[who] = text
    return new
  end
end

function watch.run(call)
  local report = require "runtime.report"
  local beamlens = require "runtime.beamlens"
  beamlens.options = call.options
  local as_json, say = call.options.json, printer(call.options.json)
  local several = (call.options.node or ""):find(",", 1, true)
  local is_new = unheard()
  local function tell(line)
    local now = stamp()
    say(("%s%s %s\n"):format(progress.cleared(), now, filled.text(line, #now + 1, screen.out().width or math.huge)))
  end
  progress.beside { tells = LINES, say = not as_json and tell or nil,
    out = uv.guess_handle(1) == "tty" and outlet.out or nil }
  local off = telemetry.on("*", function(event, measurements, metadata)
    local line = LINES[event] and LINES[event](metadata, measurements)
    if as_json and LINES[event] then
      say(progress.cleared() .. object(event, measurements, metadata) .. "\n")
    elseif line and is_new(event, metadata) then
      tell(several and metadata.node and not NAMES_IT[event] and ("%s: %s"):format(metadata.node, line) or line)
    end
  end)
  local ended, err = beamlens.watch {
    report = function(r)
      say(progress.cleared() .. (as_json and object("report", {}, { report = r }) .. "\n"
        or ("\n%s\n"):format(report.text(r, screen.out()))))
    end,
  }
  off()
  beamlens.close()
  progress.beside(nil)
  if not ended then return nil, err end
  local code = ended.sick > 0 and 1 or 0
  if as_json then return object("ended", ended, {}) .. "\n", code end
  return ("%s ended: %s, %d found something\n"):format(stamp(), counted.of(ended.reports, "investigation"), ended.sick),
    code
end

return watch
