--- A small HTTP/1.1 server on 127.0.0.1 for specs: real sockets, and answers that go wrong on
--- purpose. Routes are functions; each request runs in a coroutine of its own, so that a route
--- reads from top to bottom. One request per connection.

local uv = require "luv"
local json = require "runtime.json"

local http_server = {}

local REASONS = { [200] = "OK", [400] = "Bad Request", [401] = "Unauthorized", [404] = "Not Found",
  [429] = "Too Many Requests", [500] = "Internal Server Error", [529] = "Overloaded" }

local Response = {}
Response.__index = Response

local function head(status, headers)
  local lines = { ("HTTP/1.1 %d %s"):format(status, REASONS[status] or "Other"), "connection: close" }
  for name, value in pairs(headers) do lines[#lines + 1] = name .. ": " .. value end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local function shut(socket)
  if not socket:is_closing() then socket:close() end
end

--- Answers at once.
---@param status integer
---@param body string|table     a table goes as JSON
---@param headers? table<string, string>
function Response:send(status, body, headers)
  headers = headers or {}
  if type(body) == "table" then body = json.encode(body) end
  headers["content-length"] = #body
  self.socket:write(head(status, headers) .. body, function() shut(self.socket) end)
end

--- Begins an answer in chunks.
function Response:stream(headers)
  headers = headers or { ["content-type"] = "text/event-stream" }
  headers["transfer-encoding"] = "chunked"
  self.socket:write(head(200, headers))
end

function Response:write(bytes)
  if not self.socket:is_closing() then self.socket:write(("%x\r\n%s\r\n"):format(#bytes, bytes)) end
end

--- Ends an answer in chunks as it should be.
function Response:finish()
  if not self.socket:is_closing() then self.socket:write("0\r\n\r\n", function() shut(self.socket) end) end
end

--- Ends it in the middle: the last chunk never comes.
function Response:cut()
  local co = coroutine.running()
  self.socket:write("", function() coroutine.resume(co) end)
  coroutine.yield()
  shut(self.socket)
end

--- Lets the loop go round for so long.
function Response.pause(_, ms)
  local co, timer = coroutine.running(), uv.new_timer()
  timer:start(ms, 0, function()
    timer:close()
    assert(coroutine.resume(co))
  end)
  coroutine.yield()
end

--- Events as a provider sends them: every table is one, its type is the event's name.
---@param events table[]
function http_server.sse(events)
  local out = {}
  for i, event in ipairs(events) do
    local name = event.type and ("event: %s\n"):format(event.type) or ""
    out[i] = ("%sdata: %s\n\n"):format(name, json.encode(event))
  end
  return table.concat(out)
end

local function parse(text)
  local at = text:find("\r\n\r\n", 1, true)
  if not at then return end
  local method, path = text:match "^(%u+) (%S+)"
  local headers = {}
  for name, value in text:sub(1, at):gmatch "\r\n([^:\r\n]+): *([^\r\n]*)" do headers[name:lower()] = value end
  local length = tonumber(headers["content-length"] or 0)
  if #text - at - 3 < length then return end
  return { method = method, path = path, headers = headers, body = text:sub(at + 4, at + 3 + length), raw = text }
end

---@param routes table<string, fun(request: table, response: table)>   "POST /v1/messages" = function
---@return table server   { url, requests = { {method, path, headers, body, raw} }, stop() }
function http_server.start(routes)
  local listener, sockets = uv.new_tcp(), {}
  local server = { requests = {} }
  assert(listener:bind("127.0.0.1", 0))
  assert(listener:listen(512, function(err)
    assert(not err, err)
    local socket, parts = uv.new_tcp(), {}
    listener:accept(socket)
    socket:nodelay(true)
    sockets[#sockets + 1] = socket
    socket:read_start(function(_, bytes)
      if not bytes then return shut(socket) end
      parts[#parts + 1] = bytes
      local request = parse(table.concat(parts))
      if not request then return end
      parts = {}
      server.requests[#server.requests + 1] = request
      local route = routes[request.method .. " " .. request.path]
        or function(_, response) response:send(404, "no such route") end
      assert(coroutine.resume(coroutine.create(route), request, setmetatable({ socket = socket }, Response)))
    end)
  end))
  server.url = "http://127.0.0.1:" .. listener:getsockname().port
  function server.stop()
    shut(listener)
    for _, socket in ipairs(sockets) do shut(socket) end
  end
  return server
end

return http_server
