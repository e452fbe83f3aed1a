--- One POST to a provider and the events of its answer: the part of the way that all share.
--- Whatever goes wrong on it comes back as a ProviderFault (runtime/llm/fault.lua).

local async = require "runtime.async"
local http = require "host.http"
local fault = require "runtime.llm.fault"
local outgoing = require "runtime.llm.outgoing"
local rate = require "runtime.llm.rate"
local sse = require "runtime.llm.sse"
local telemetry = require "runtime.telemetry"

local stream = {
  idle_s = 120,  -- a local model may load for a minute before its first word
}

local MOST_ANSWER = 32 * 1024 * 1024
local MOST_ERROR = 64 * 1024
local CANCELLED = 42  -- libcurl's code of a callback that failed

-- The headers of the last answer there is; a 100 Continue has some too.
local function read_headers(text)
  local status, headers = nil, {}
  for line in text:gmatch "([^\r\n]+)\r?\n" do
    local code = line:match "^HTTP/[%d.]+ (%d+)"
    if code then
      status, headers = tonumber(code), {}
    else
      local name, value = line:match "^([^:]+):%s*(.-)%s*$"
      if name then headers[name:lower()] = value end
    end
  end
  return status, headers
end

-- Puts the bytes where they belong: events, one JSON object, or the text of an error.
local function reader(who, framing, on_event)
  local r = { head = {}, body = {}, size = 0 }
  local events = framing.new(function(data, name, headers)
    if not r.fault then r.fault = on_event(data, name, headers) end
  end)
  function r.on_header(bytes) r.head[#r.head + 1] = bytes end
  function r.on_data(bytes)
    if not r.headers then
      r.status, r.headers = read_headers(table.concat(r.head))
      local kind = r.headers["content-type"] or ""
      r.streams = r.status == 200 and not kind:find "application/json"
      if r.streams and kind:find "text/html" then
        r.fault = fault.new("fatal", ("a web page came in place of %s's answer; check the base URL"):format(who.name))
      end
    end
    r.size = r.size + #bytes
    if r.size > MOST_ANSWER then
      r.fault = fault.new("fatal", ("the answer of %s is longer than 32 MB; ask for less"):format(who.name))
    elseif r.streams then
      local ok, why = events:feed(bytes)
      if not ok then
        r.fault = fault.new(framing.broken or "fatal", ("%s sent %s; check the base URL"):format(who.name, why))
      end
    else
      r.body[#r.body + 1] = bytes
    end
  end
  function r.finish(status)
    r.status, r.headers = read_headers(table.concat(r.head))
    local body = table.concat(r.body)
    if status ~= 200 then return fault.of_answer(who, status, r.headers, body:sub(1, MOST_ERROR)) end
    events:finish()
    if #r.body > 0 and not r.fault then r.fault = on_event(body) end
    return r.fault
  end
  return r
end

local function failed(who, why, code)
  if code == CANCELLED then
    return fault.new("fatal", ("our reading of %s's answer failed (%s); please report it"):format(who.name, why))
  end
  if code then
    return fault.new("retry", ("no whole answer from %s (%s); try again, or use --provider analyst")
      :format(who.name, (tostring(why):gsub("^http: ", ""))))
  end
  if why == "timeout" then
    return fault.new("cancelled", ("%s gave no whole answer in time; give it more with --deadline"):format(who.name))
  end
  return fault.new("cancelled", ("the request to %s was stopped (%s)"):format(who.name, tostring(why)))
end

-- Before a limit that is near. One `who` is one client, whose agents share what it may use.
local function keep_away(who, deadline)
  local now = async.now()
  local pause = who.slow_until and math.min(who.slow_until, deadline or math.huge) - now or 0
  if pause <= 0 then return true end
  telemetry.emit("llm.slowed", { wait_s = pause }, { provider = who.name })
  return async.sleep(pause)
end

local function note_rate(who, headers)
  local pause = rate.pause_s(headers)
  who.slow_until = pause and async.now() + pause or nil
end

--- Sends it and reads the answer to its end.
---@param who { name: string, env: string, slow_until?: number }   slow_until is kept here
---@param request { url: string, headers: string[], body: string, deadline?: number, show?: boolean, framing?: table }
---  framing: how its events are set apart, runtime/llm/sse.lua if left out
---@param on_event fun(data: string, name?: string, headers?: table): ProviderFault?   one event, or the whole
---  answer of a server that does not stream; a fault ends it
---@return true|nil
---@return ProviderFault? fault
---@return table? headers   of an answer, names in lower case
function stream.post(who, request, on_event)
  local _, stopped = keep_away(who, request.deadline)
  if stopped then return nil, failed(who, stopped) end
  if request.deadline and request.deadline <= async.now() then return nil, failed(who, "timeout") end
  if request.show then outgoing.show(request.url, request.body) end
  local r = reader(who, request.framing or sse, on_event)
  local status, why, code = async.await(function(resume)
    local handle, refused
    handle, refused = http.request {
      url = request.url, headers = request.headers, body = request.body,
      idle_ms = stream.idle_s * 1000,
      on_header = r.on_header,
      on_data = function(bytes)
        r.on_data(bytes)
        if not r.fault then return end
        handle:cancel()
        resume(nil, r.fault)
      end,
      on_done = resume,
    }
    if not handle then return resume(nil, fault.new("fatal", refused .. "; check the base URL")) end
    return function() handle:cancel() end
  end, request.deadline)
  if type(why) == "table" then return nil, why end
  if not status then return nil, failed(who, why, code) end
  local fault_at_end = r.finish(status)
  if fault_at_end then return nil, fault_at_end end
  note_rate(who, r.headers)
  return true, nil, r.headers
end

return stream
