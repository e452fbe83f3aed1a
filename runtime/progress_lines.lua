--- What is said of a run while it goes on, by event: a sentence, or nil where there is nothing to say.

local plain = require "runtime.plain"
local sentence = require "runtime.sentence"

-- What came of looking again.
local DOUBTED = {
  stands = "nothing is held against it", confirmed = "looked for again, and it is so",
  replaced = "looked for again, and it is something else", lowered = "looked for again, and not seen",
  not_made = "it could not be looked for again", not_asked = "no model could be asked what speaks against it",
}

local LONG_S = 1 -- what takes longer is told with its time

local LINES = {
  ["node.up"] = function(m) return "attached to " .. m.node .. (m.way and ", " .. m.way or "") end,
  ["node.down"] = function(m) return sentence.lost(m) end,
  ["node.reconnecting"] = function(m) return "reconnecting to " .. m.node end,
  ["door.asking"] = function(m) return m.what end,
  ["door.answered"] = function(m, figures)
    local seconds = figures.duration / 1e9
    return seconds > LONG_S and ("%s: %.0f s"):format(m.what, seconds) or nil
  end,
  ["door.passed_over"] = function(m)
    return ("task %s is passed over: %s; trying task %s"):format(m.task, m.reason, m.other)
  end,
  ["coordinator.invoke_operators"] = function(m)
    return "looking with " .. table.concat(m.skills or {}, ", ")
  end,
  ["operator.take_snapshot"] = function(m) return m.operator .. ": snapshot" end,
  ["operator.execute_start"] = function(m)
    return ("%s: %s"):format(m.operator, plain.cut(tostring(m.code or ""):gsub("%s+", " "), 60))
  end,
  ["operator.notification_sent"] = function(m) return ("%s noticed: %s"):format(m.operator, sentence.of(m)) end,
  ["operator.done"] = function(m) return ("%s is done: %s"):format(m.operator, m.state or "") end,
  ["action.proposed"] = function(m) return ("proposes %s on %s, as %s"):format(m.action, m.object, m.id) end,
  ["coordinator.insight_produced"] = function(m) return "found: " .. tostring(m.summary or "") end,
  ["coordinator.doubted"] = function(m) return ("%s: %s"):format(m.id, DOUBTED[m.outcome]) end,
  ["operator.llm_error"] = function(m) return ("%s: %s"):format(m.operator, tostring(m.reason)) end,
  ["coordinator.llm_error"] = function(m) return "coordinator: " .. tostring(m.reason) end,
  ["llm.retry"] = function(m, figures)
    return ("%s; asking again in %.1f s"):format(tostring(m.reason):match "^[^;]*", figures.wait_s)
  end,
  ["llm.slowed"] = function(m, figures)
    return ("%s is near its limit; waiting %.1f s"):format(m.provider, figures.wait_s)
  end,
  ["llm.fallback"] = function(m)
    return ("%s; asking %s in place of %s"):format(tostring(m.reason):match "^[^;]*", m.to, m.from)
  end,
}

for event, line in pairs(require "runtime.reload_lines") do LINES[event] = line end

return LINES
