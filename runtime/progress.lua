--- What the run is doing: one line that changes on a terminal, else a line for each event that a person would want to
--- know of. On stderr; beside the lines of a watch on the same terminal it goes the way that they go, so that neither
--- is written into the other.

local uv = require "luv"
local counted = require "runtime.counted"
local filled = require "runtime.filled"
local lines_of = require "runtime.progress_lines"
local plain = require "runtime.plain"
local telemetry = require "runtime.telemetry"

local progress = {}

-- What changes a line for good even on a terminal.
local LASTING = {
  ["reload.loaded"] = true, ["reload.rejected"] = true, ["reload.config"] = true,
  ["node.up"] = true, ["node.down"] = true, ["operator.notification_sent"] = true,
  ["action.proposed"] = true, ["door.passed_over"] = true,
  ["coordinator.insight_produced"] = true, ["operator.llm_error"] = true, ["coordinator.llm_error"] = true,
}

-- Beside a watch, which tells the rest itself: only what keeps a run from its work.
local TROUBLE = {
  ["operator.llm_error"] = true, ["coordinator.llm_error"] = true, ["llm.retry"] = true, ["llm.slowed"] = true,
  ["llm.fallback"] = true,
}

local CLEAR = "\r\27[K"
local USUAL_WIDTH, INDENT, TICK_MS = 80, 2, 1000

-- While something is shown: { out, tty?, off, timer?, line?: what stands in it, noticed, waits, began, tokens, usd }.
local shown
local beside -- the watch, while there is one
local destinations = {}

--- Says where text is about to go, each place once. No option keeps it silent: what leaves is the person's to know.
---@param mind Mind
---@param ask? boolean   what is sent is to be shown
function progress.destination(mind, ask)
  local text
  if mind.destination then
    text = ("sending what is found to %s (%s), secrets masked"):format(mind.destination, mind.model or mind.name)
  elseif ask then
    text = ("nothing leaves: %s thinks here"):format(mind.name)
  end
  if not text or destinations[text] then return end
  destinations[text] = true
  if beside and beside.say then return beside.say(text) end
  io.stderr:write(plain.text(text), "\n")
end

-- A terminal that does not know its width says 0.
local function width()
  local columns = shown.tty:get_winsize()
  return columns and columns > 0 and columns or USUAL_WIDTH
end

local function seconds_since(moment) return math.floor((uv.hrtime() - moment) / 1e9) end

-- For how long by now, and what models took so far.
local function so_far()
  local parts = { ("%d s"):format(seconds_since(shown.began)) }
  if shown.tokens > 0 then
    parts[2] = counted.of(shown.tokens, "token") .. (shown.usd > 0 and (", %.4f USD"):format(shown.usd) or "")
  end
  return table.concat(parts, " · ")
end

local function transient(text)
  -- A line that wraps could not be taken back.
  shown.out:write(CLEAR, plain.cut(("%s · %s"):format(so_far(), text), width() - 1))
  shown.line = text
end

local function lasting(text)
  local columns = shown.tty and shown.tty:get_winsize() or 0
  shown.out:write(shown.tty and CLEAR or "", filled.text(text, INDENT, columns > 0 and columns or math.huge), "\n")
  shown.line = nil
end

-- Who waits for a model or before a door, and since when. The analyst is no answer of anybody's: it looks, or rests
-- between two looks.
local function note_waiting(event, m)
  local who = ("%s %s"):format(m.trace_id or "", m.operator or "")
  if event == "llm.start" and m.provider ~= "analyst" then
    shown.waits[who] = { what = "waiting for " .. m.provider, since = uv.hrtime() }
  elseif event == "llm.stop" or event == "llm.exception" then
    shown.waits[who] = nil
  elseif event == "door.asking" then
    shown.waits.door = { what = m.what, since = uv.hrtime() }
  elseif event == "door.answered" then
    shown.waits.door = nil
  end
end

local function note_cost(measurements)
  shown.tokens = shown.tokens + (measurements.input_tokens or 0) + (measurements.output_tokens or 0)
  shown.usd = shown.usd + (measurements.cost_usd or 0)
end

local function tick()
  local longest
  for _, wait in pairs(shown.waits) do
    if not longest or wait.since < longest.since then longest = wait end
  end
  local seconds = longest and seconds_since(longest.since) or 0
  if seconds > 0 then return transient(("%s, %d s"):format(longest.what, seconds)) end
  if shown.line then transient(shown.line) end
end

local function take_away()
  if shown.line then shown.out:write(CLEAR) end
  shown.line = nil
end

-- One trouble is told once: the insight that only says what was noticed is not news.
local function is_old(event, m, text)
  if event == "operator.notification_sent" then shown.noticed[text:match "noticed: (.*)"] = true end
  return event == "coordinator.insight_produced" and shown.noticed[tostring(m.summary)]
end

local function hear(event, measurements, metadata)
  note_waiting(event, metadata)
  if event == "llm.stop" then note_cost(measurements) end
  -- What a door says next may be a question to the person.
  if event == "door.answered" and shown.tty then return progress.aside() end
  local text = lines_of[event] and lines_of[event](metadata, measurements)
  if not text or is_old(event, metadata, text) then return end
  if beside then
    if TROUBLE[event] then
      lasting(text)
    elseif shown.tty and not beside.tells[event] then
      transient(text)
    end
  elseif shown.tty and not LASTING[event] then
    transient(text)
  else
    lasting(text)
  end
end

--- A watch begins or, without it, ends: what it tells is not told here.
---@param watch? { tells: table<string, any>, out?: Outlet, say: fun(text: string) }   out: where stdout is a terminal
function progress.beside(watch) beside = watch end

--- What takes the line that changes away, to be written in front of a line of the watch.
---@return string
function progress.cleared()
  if not (shown and shown.line and beside and beside.out) then return "" end
  shown.line = nil
  return CLEAR
end

--- Takes the line that changes away, for somebody else writes there: it comes back with what happens next.
function progress.aside()
  if shown then take_away() end
end

--- @param lines? boolean   no line that changes, for others write to stderr too
function progress.start(lines)
  progress.stop()
  local out, fd = io.stderr, 2
  if beside and beside.out then out, fd = beside.out, 1 end
  shown = { out = out, noticed = {}, waits = {}, began = uv.hrtime(), tokens = 0, usd = 0 }
  if not lines and uv.guess_handle(fd) == "tty" then
    shown.tty, shown.timer = uv.new_tty(fd, false), uv.new_timer()
    shown.timer:start(TICK_MS, TICK_MS, tick)
    shown.timer:unref()
  end
  shown.off = telemetry.on("*", hear)
end

---@return boolean
function progress.is_on() return shown ~= nil end

function progress.stop()
  if not shown then return end
  shown.off()
  if shown.tty then
    take_away()
    shown.timer:close()
    shown.tty:close()
  end
  shown = nil
end

return progress
