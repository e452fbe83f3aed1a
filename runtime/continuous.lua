--- What is different where an operator never comes to an end: it rests where others would end, and
--- what it keeps in memory stays within bounds. `wait` is where the model sets the pace; a model
--- that does not wait is made to rest, for each turn costs money.

local async = require "runtime.async"

local continuous = {
  turn_s = 300,   -- of one turn; the run has no end
  rest_s = 60,    -- where the model did not wait by itself
  pause_s = 5,    -- after a failure of the provider's; longer with each that follows
}

local LONGEST_PAUSE_S, LONGEST_ASKED_S = 300, 3600
local LOOK_S = 0.5 -- whether a node has come back
local TOLD_AGAIN_S = 300
local OBSERVATIONS, NOTIFICATIONS = 100, 200

-- What another try may mend. A wrong key or an empty account is no matter of time.
local PASSING = { retry = true, wait = true, cancelled = true }

local GO_ON = "Nothing ends here. Go on: take a snapshot when it is time, and wait in between."
local RESTED = "You made many steps without a wait and were made to rest. Wait when there is nothing to do: your "
  .. "steps cost money."

--- Lets go of what nobody will ask for again: old observations that no notification cites, old notifications (each
--- was told when it was sent).
---@param case Case
function continuous.tidy(case)
  case:keep_last(NOTIFICATIONS)
  local cited = {}
  for _, n in ipairs(case.notifications) do
    for _, id in ipairs(n.snapshot_ids) do cited[id] = true end
    for _, claim in ipairs(n.evidence) do cited[claim.observation] = true end
  end
  case.evidence:prune(cited, OBSERVATIONS)
end

--- What stands where an operator would end (agent.lua's `go_on`).
---@param case Case
---@param entry table    of case.operators
---@param emit fun(event: string, measurements?: table, metadata?: table)
---@return fun(ended: string, err: table?): string|true|nil
function continuous.go_on(case, entry, emit)
  local pause, failed_at = continuous.pause_s, -1
  local function rest(seconds, why)
    continuous.tidy(case)
    emit("operator.wait", { ms = seconds * 1000 }, { reason = why })
    return entry.inbox:sleep(seconds)
  end
  return function(ended, err)
    if ended == "answer" then return rest(continuous.rest_s, "it answered without a call") and GO_ON end
    if ended == "iterations" then return rest(continuous.rest_s, "it did not wait") and RESTED end
    if ended == "provider" and err.class == "useless" then return rest(continuous.rest_s, err.message) and GO_ON end
    if ended ~= "deadline" and not (ended == "provider" and PASSING[err.class]) then return nil end
    pause = entry.iterations > failed_at + 1 and continuous.pause_s or math.min(pause * 2, LONGEST_PAUSE_S)
    failed_at = entry.iterations
    local asked = math.min(err and tonumber(err.wait_s) or 0, LONGEST_ASKED_S)
    return rest(math.max(pause, asked), err and tostring(err.message) or "the turn took too long") and true
  end
end

--- Before each turn (agent.lua's `ready`): while the node is away there is nothing to look at, so no model is asked,
--- unless somebody has a question. Where the node is gone for good, that is the end.
---@param node table
---@param entry table
---@param emit fun(event: string, measurements?: table, metadata?: table)
---@return fun(): string?, table?
function continuous.ready(node, entry, emit)
  return function()
    local waits = false
    while node.state ~= "up" and not entry.inbox:is_asked() do
      if node:is_gone() then return "node", { message = tostring(node.refusal or node.name .. " is gone") } end
      if not waits then emit("operator.wait", { ms = 0 }, { reason = "the node is away" }) end
      waits = true
      if not entry.inbox:sleep(LOOK_S) then return nil end
    end
  end
end

--- Tells once that its model cannot be asked, and once that it can again; of one that comes and goes, no more often
--- than each few minutes. What another try cannot mend ends it, and is told then.
---@param entry table
---@param emit fun(event: string, measurements?: table, metadata?: table)
---@param event string    of its own
---@param metadata table
function continuous.hear(entry, emit, event, metadata)
  if event == "operator.llm_error" and PASSING[metadata.class] and not entry.llm_down
    and not async.current().cancelled then
    entry.llm_down = true
    if async.now() < (entry.down_told_until or 0) then return end
    entry.down_told, entry.down_told_until = true, async.now() + TOLD_AGAIN_S
    emit("operator.llm_down", nil, { reason = metadata.reason })
  elseif event == "llm.stop" and entry.llm_down then
    entry.llm_down = nil
    if entry.down_told then emit("operator.llm_up", nil, {}) end
    entry.down_told = nil
  end
end

--- The first message: what is different from the prompt, which is written for runs that end.
---@param names string   "operator" or "watcher"
---@return string
function continuous.task(names)
  local called = names == "watcher"
    and "Here send_notification is called fire_alert, and get_notifications get_alerts. " or ""
  return "You keep watch over your domain, and there is no end and no `done`: `wait` sets the pace. Look, set the "
    .. "state, tell what somebody should act on, then wait: about 30 s, longer while nothing changes, shorter while "
    .. "something develops. " .. called .. "What you told once need not be told again unless it changed. Older turns "
    .. "are folded into a digest, so what matters has to stand in a notification."
end

--- A wait of the model's, which somebody may end early by a question.
---@param state table
---@param ms integer
---@return true?
---@return string? err
function continuous.wait(state, ms)
  continuous.tidy(state.case)
  local ok, why = state.inbox:sleep(ms / 1000)
  if async.current().cancelled then return nil, async.current().cancelled end
  return ok, why
end

return continuous
