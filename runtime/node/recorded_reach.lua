--- What skills reach beside the node (runtime/reach.lua), on a cassette: each HTTP answer, and each step of a TCP
--- connection, which is found again by all that was done on it until then.

local crypto = require "host.crypto"
local failure = require "runtime.failure"
local json = require "runtime.json"

local recorded_reach = {}

local LENGTH = 16 -- hex digits
local STEPS = { "send", "read", "read_line" }

local function sum(v) return crypto.sha256(json.encode(v)):sub(1, LENGTH) end

-- Lengths are counted in bytes by who reads: an end of a line stays what it is.
local function lines(clean)
  return function(text) return type(text) == "string" and text:gsub("[^\r\n]+", clean) or text end
end

local function cleaned(answer, clean)
  if type(answer) ~= "table" then return lines(clean)(answer) end
  local out = {}
  for key, value in pairs(answer) do out[key] = cleaned(value, clean) end
  return out
end

-- A connection whose steps are known by all that was done on it until then.
local function stepped(done, close, step)
  local shown = { close = close }
  for _, name in ipairs(STEPS) do
    shown[name] = function(value)
      done[#done + 1] = { name, value or "" }
      return step(sum(done), name, value)
    end
  end
  return shown
end

--- What reaches out and writes down what came back.
---@param reach Reach
---@param tape Tape
---@param clean fun(text: string): string
---@return Reach
function recorded_reach.recording(reach, tape, clean)
  local function keep(key, answer, why)
    local words = cleaned(failure.is(why) and why.message or why, clean)
    answer = cleaned(answer, clean)
    tape:add { reached = key, answer = { answer ~= nil and answer or json.null }, why = words }
    return answer, failure.is(why) and why or words
  end
  local own = { hosts = reach.hosts }
  function own.request(request, deadline)
    return keep(sum { request.method, request.url, request.headers, request.body or "" },
      reach.request(request, deadline))
  end
  function own.open(host, port, deadline)
    local done = { host, port }
    local connection, why = reach.open(host, port, deadline)
    keep(sum(done), connection and true or nil, why)
    if not connection then return nil, why end
    return stepped(done, connection.close, function(key, name, value) return keep(key, connection[name](value)) end)
  end
  return own
end

--- The same without anybody there.
---@param tape { head: table, entries: table[] }
---@param unknown fun(what: string): Failure
---@return Reach
function recorded_reach.replaying(tape, unknown)
  local left, hosts = {}, {}
  for _, where in ipairs(tape.head.hosts or {}) do hosts[where] = true end
  for _, entry in ipairs(tape.entries) do
    if entry.reached then
      left[entry.reached] = left[entry.reached] or {}
      table.insert(left[entry.reached], entry)
    end
  end
  local function take(key, what)
    local entry = left[key] and table.remove(left[key], 1)
    if not entry then return nil, unknown(what).message end
    local answer = entry.answer[1]
    if answer == json.null then return nil, entry.why ~= json.null and entry.why or nil end
    return answer
  end
  local own = { hosts = hosts }
  function own.request(request)
    return take(sum { request.method, request.url, request.headers, request.body or "" }, request.where)
  end
  function own.open(host, port)
    local done, where = { host, port }, ("%s:%d"):format(host, port)
    local there, why = take(sum(done), where)
    if not there then return nil, why end
    return stepped(done, function() end, function(key) return take(key, where) end)
  end
  return own
end

return recorded_reach
