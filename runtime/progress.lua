--- What the run is doing, on stderr: one line that changes on a terminal, else a line for each
--- event that a person would want to know of.

local uv = require "luv"
local plain = require "runtime.plain"
local telemetry = require "runtime.telemetry"

local progress = {}

local LINES = {
  ["node.up"] = function(m) return "attached to " .. m.node end,
  ["node.down"] = function(m) return ("lost %s: %s"):format(m.node, m.reason or "no word from it") end,
  ["node.reconnecting"] = function(m) return "reconnecting to " .. m.node end,
  ["coordinator.invoke_operators"] = function(m)
    return "looking with " .. table.concat(m.skills or {}, ", ")
  end,
  ["operator.take_snapshot"] = function(m) return m.operator .. ": snapshot" end,
  ["operator.execute_start"] = function(m)
    return ("%s: %s"):format(m.operator, plain.cut(tostring(m.code or ""):gsub("%s+", " "), 60))
  end,
  ["operator.notification_sent"] = function(m)
    return ("%s noticed: %s"):format(m.operator, m.observation or m.type or "")
  end,
  ["operator.done"] = function(m) return ("%s is done: %s"):format(m.operator, m.state or "") end,
  ["action.proposed"] = function(m) return ("proposes %s on %s, as %s"):format(m.action, m.object, m.id) end,
  ["coordinator.insight_produced"] = function(m) return "found: " .. tostring(m.summary or "") end,
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

-- What changes a line for good even on a terminal.
local LASTING = {
  ["reload.loaded"] = true, ["reload.rejected"] = true, ["reload.config"] = true,
  ["node.up"] = true, ["node.down"] = true, ["operator.notification_sent"] = true,
  ["action.proposed"] = true,
  ["coordinator.insight_produced"] = true, ["operator.llm_error"] = true, ["coordinator.llm_error"] = true,
}

local off

--- Says where text is about to go. No option keeps it silent: what leaves is the person's to know.
---@param mind Mind
---@param ask? boolean   what is sent is to be shown
function progress.destination(mind, ask)
  if not mind.destination then
    if ask then io.stderr:write(plain.text(("nothing leaves: %s thinks here"):format(mind.name)), "\n") end
    return
  end
  local who = mind.model or mind.name
  io.stderr:write(plain.text(("sending what is found to %s (%s), secrets masked"):format(mind.destination, who)), "\n")
end

local USUAL_WIDTH = 80

local function width(tty) return tty:get_winsize() or USUAL_WIDTH end

--- @param lines? boolean   no line that changes, for others write to stderr too
function progress.start(lines)
  progress.stop()
  local tty = not lines and uv.guess_handle(2) == "tty" and uv.new_tty(2, false)
  off = telemetry.on("*", function(event, measurements, metadata)
    local line = LINES[event] and LINES[event](metadata, measurements)
    if not line then return end
    line = plain.text(line)
    if tty then
      -- A line that wraps could not be taken back.
      local text = LASTING[event] and line .. "\n" or plain.cut(line, width(tty) - 1)
      io.stderr:write("\r\27[K", text)
    else
      io.stderr:write(line, "\n")
    end
    io.stderr:flush()
  end)
  progress.tty = tty
end

function progress.stop()
  if not off then return end
  off()
  off = nil
  if progress.tty then
    io.stderr:write "\r\27[K"
    progress.tty:close()
    progress.tty = nil
  end
end

return progress
