--- Stands between us and a server: passes on what we send and what comes back, byte for byte, and
--- keeps both. One request per connection towards the server.

local uv = require "luv"

local recorder = {}

local function shut(socket)
  if not socket:is_closing() then socket:close() end
end

-- The request, once it is whole. A client of ours sends its next one after the answer.
local function parse(text)
  local at = text:find("\r\n\r\n", 1, true)
  if not at then return end
  local head, headers = text:sub(1, at + 1), {}
  for name, value in head:gmatch "\r\n([^:\r\n]+): *([^\r\n]*)" do headers[name:lower()] = value end
  local length = tonumber(headers["content-length"] or 0)
  if #text < at + 3 + length then return end
  local method, path = head:match "^(%u+) (%S+)"
  return { method = method, path = path, head = head, headers = headers, body = text:sub(at + 4, at + 3 + length) }
end

local function as_sent(request)
  local head = request.head:gsub("^%S+ %S+", function() return request.method .. " " .. request.path end)
    :gsub("\r\n[Cc]ontent%-[Ll]ength:[^\r\n]*", ""):gsub("\r\n[Cc]onnection:[^\r\n]*", "")
  return ("%sconnection: close\r\ncontent-length: %d\r\n\r\n%s"):format(head, #request.body, request.body)
end

-- The body of an answer, its chunks joined.
local function body_of(bytes)
  local head, body = bytes:match "^(.-\r\n)\r\n(.*)$"
  if not (head and head:lower():find("transfer-encoding: chunked", 1, true)) then return head, body end
  local parts, at = {}, 1
  while true do
    local size, from = body:match("^(%x+)[^\r\n]*\r\n()", at)
    if not size or tonumber(size, 16) == 0 then return head, table.concat(parts) end
    parts[#parts + 1] = body:sub(from, from + tonumber(size, 16) - 1)
    at = from + tonumber(size, 16) + 2
  end
end

local function pass_on(exchange, request, client, host, port)
  local server, parts = uv.new_tcp(), {}
  local function over()
    exchange.head, exchange.answer = body_of(table.concat(parts))
    shut(server)
    shut(client)
  end
  server:connect(host, port, function(err)
    if err then return over() end
    server:write(as_sent(request))
    server:read_start(function(_, bytes)
      if not bytes then return over() end
      parts[#parts + 1] = bytes
      if not client:is_closing() then client:write(bytes) end
    end)
  end)
end

---@param url string   of the server
---@param always? fun(request: table)   changes every request before it goes on
---@return table between   { url, exchanges = { {request, head, answer} }, change, stop() };
---  request = { method, path, headers, body }; `change(request)` may change one before it goes on
function recorder.start(url, always)
  local host, port = url:match "^http://([%d.]+):(%d+)$"
  local listener, sockets, between = uv.new_tcp(), {}, { exchanges = {} }
  assert(listener:bind("127.0.0.1", 0))
  assert(listener:listen(128, function(err)
    assert(not err, err)
    local client, bytes_so_far = uv.new_tcp(), ""
    listener:accept(client)
    sockets[#sockets + 1] = client
    client:read_start(function(_, bytes)
      if not bytes then return shut(client) end
      bytes_so_far = bytes_so_far .. bytes
      local request = parse(bytes_so_far)
      if not request then return end
      bytes_so_far = ""
      local exchange = { request = request }
      between.exchanges[#between.exchanges + 1] = exchange
      local passed = setmetatable({}, { __index = request })
      if always then always(passed) end
      if between.change then between.change(passed) end
      pass_on(exchange, passed, client, host, tonumber(port))
    end)
  end))
  between.url = "http://127.0.0.1:" .. listener:getsockname().port
  function between.stop()
    shut(listener)
    for _, socket in ipairs(sockets) do shut(socket) end
  end
  return between
end

return recorder
