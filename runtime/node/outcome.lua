--- What became of a call: its value, or a sentence on why there is none. The sentences are read
--- by a person or a model, so each says what to ask instead.

local async = require "runtime.async"
local etf = require "host.etf"
local failure = require "runtime.failure"
local term = require "runtime.node.term"

local outcome = {}

local A, kind = etf.A, etf.kind

local INCOMPLETE = 4
local LESS = "ask for less: a smaller limit, fewer fields, one object"
local MB = 1024 * 1024
local BYTES_PER_WORD = 8

---@param class? string   error, exit or throw, as the node said
---@param reason? any      the term behind it
local function fail(message, next_step, class, reason)
  local err = failure.new("query", message, next_step, INCOMPLETE)
  err.class, err.reason = class, reason
  return err
end

local function seconds(since) return ("%.3g s"):format(async.now() - since) end

-- The frame that raised: {Module, Function, ArityOrArguments, Location}.
local function place(stack)
  local top = kind(stack) == "list" and stack[1]
  if kind(top) ~= "tuple" or #top < 3 then return end
  local arity = type(top[3]) == "number" and top[3] or kind(top[3]) == "list" and #top[3] or 0
  return ("%s:%s/%d"):format(term.text(top[1]), term.text(top[2]), arity)
end

local function raised(request, class, reason, stack)
  local where = place(stack)
  if reason == A.undef and where then
    return fail(("%s failed: the node has no function %s"):format(request.subject, where), nil, class, reason)
  end
  if kind(reason) == "tuple" and reason[1] == A.unbound then
    return fail(("%s failed: the variable %s is not bound"):format(request.subject, tostring(reason[2])),
      "bind it before it is used", class, reason)
  end
  local text = ("%s failed: %s%s%s"):format(request.subject, class == "error" and "" or class .. " ",
    term.text(reason), where and " in " .. where or "")
  return fail(text, nil, class, reason)
end

local function ended(request, reason)
  if reason == A.killed and request.heap_words then
    return fail(("%s was ended on the node: it needed more than its %d MB of heap"):format(
      request.subject, request.heap_words * BYTES_PER_WORD / MB), LESS, "exit", reason)
  end
  return fail(("%s was ended on the node: %s"):format(request.subject, term.text(reason)), nil, "exit", reason)
end

-- An answer that stays in external form is cut out where the value begins, undecoded.
local function spelt(name) return "w" .. string.char(#name) .. name, "d\0" .. string.char(#name) .. name end

local function behind(buffer, at, prefix)
  if buffer:sub(at, at + #prefix - 1) == prefix then return at + #prefix end
end

local function value_at(request)
  local buffer, at = request.buffer, request.at + 1
  local word = "rex"
  if request.through_rex then
    at = behind(buffer, at, "h\2")
  else
    word = "return"
    at = behind(buffer, at, "h\3" .. etf.encode(request.key):sub(2))
  end
  if not at then return end
  local short, old = spelt(word)
  local value = behind(buffer, at, short) or behind(buffer, at, old)
  if not value or not request.through_rex then return value end
  short, old = spelt "badrpc"
  if behind(buffer, value, "h\2" .. short) or behind(buffer, value, "h\2" .. old) then return end
  return value
end

local function read_rex(request, answer)
  local value = kind(answer) == "tuple" and answer[2]
  if kind(value) ~= "tuple" or value[1] ~= A.badrpc then return value end
  local why = value[2]
  if kind(why) ~= "tuple" or why[1] ~= A.EXIT then return nil, ended(request, why) end
  local reason = why[2]
  if kind(reason) == "tuple" and kind(reason[2]) == "list" then
    return nil, raised(request, "error", reason[1], reason[2])
  end
  return nil, ended(request, reason)
end

local function read_erpc(request, answer)
  if kind(answer) ~= "tuple" or answer[1] ~= request.key then
    request.exit = answer
    return nil, ended(request, answer)
  elseif answer[2] == A["return"] then
    return answer[3]
  end
  return nil, raised(request, tostring(answer[2]), answer[3], answer[4])
end

--- The value of an answer, in the form that was asked for.
---@return any value
---@return Failure? err
function outcome.read(request)
  local from = request.form and value_at(request)
  if from then
    local raw = "\131" .. request.buffer:sub(from, request.at + request.bytes - 1)
    if request.form == "raw" then return raw end
    local text, why = etf.json(raw)
    if not text then return nil, fail(request.subject .. " gave an answer that cannot be read: " .. why) end
    return text
  end
  local answer, why = etf.decode(request.buffer, request.at)
  if answer == nil then
    return nil, fail(request.subject .. " gave an answer that cannot be read: " .. tostring(why))
  end
  if request.through_rex then return read_rex(request, answer) end
  return read_erpc(request, answer)
end

--- We stopped waiting: at the deadline, or because the task was cancelled.
---@param why string
function outcome.gave_up(request, why)
  if why ~= "timeout" then return fail(("%s was given up: %s"):format(request.subject, why)) end
  local over = request.runs_out and " (the time of the run was over)" or ""
  local message = ("%s had no answer after %s%s"):format(request.subject, seconds(request.started), over)
  if request.through_rex then
    return fail(message .. " and goes on there, for this node offers no way to end it", LESS)
  elseif request.pid then
    return fail(message .. " and was ended on the node",
      request.runs_out and "give the run more with --deadline" or LESS .. "; or allow more time")
  end
  return fail(message .. ": the node did not even start it", "it may be frozen or overloaded; look at its machine")
end

--- The node refused to start the process.
function outcome.refused(request)
  return fail(("%s could not be started on the node: %s"):format(request.subject, request.refused))
end

function outcome.too_large(request, length, limit)
  return fail(("%s has an answer of %.1f MB, and more than %.0f MB are not taken"):format(
    request.subject, length / MB, limit / MB), LESS)
end

--- Did the call fail because the node is without erpc, or takes no such spawn request?
---@return boolean
function outcome.lacks_erpc(request)
  if request.refused == "badopt" or request.refused == "notsup" then return true end
  local exit = request.exit
  return kind(exit) == "tuple" and exit[1] == A.undef and place(exit[2]) == "erpc:execute_call/4"
end

return outcome
