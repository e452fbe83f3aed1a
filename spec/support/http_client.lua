--- A client that writes whatever bytes a spec likes to a port of loopback, and reads what comes.

local uv = require "luv"
local async = require "runtime.async"
local json = require "runtime.json"

local http_client = {}

local PATIENCE_S = 30

local Client = {}
Client.__index = Client

---@param port integer
---@return table
function http_client.connect(port)
  local self = setmetatable({ socket = uv.new_tcp(), heard = "" }, Client)
  async.await(function(resume) self.socket:connect("127.0.0.1", port, resume) end, async.now() + PATIENCE_S)
  self.socket:read_start(function(_, bytes)
    if bytes then self.heard = self.heard .. bytes else self.closed = true end
    if self.wake then self.wake() end
  end)
  return self
end

function Client:write(bytes) self.socket:write(bytes) end

--- Until a condition holds, or patience ends; whatever came is in `heard`.
function Client:wait(condition)
  local deadline = async.now() + PATIENCE_S
  while not condition(self) and async.now() < deadline do
    async.await(function(resume) self.wake = resume end, deadline)
    self.wake = nil
  end
  return self
end

--- All that comes until the other side closes.
function Client:rest() return self:wait(function(c) return c.closed end).heard end

function Client:close()
  if not self.socket:is_closing() then self.socket:close() end
end

local function split(text)
  local head, body = text:match "^(.-\r\n)\r\n(.*)$"
  if not head then return { text = text } end
  local headers = {}
  for name, value in head:gmatch "\r\n([^:\r\n]+): ([^\r\n]*)" do headers[name:lower()] = value end
  return { status = tonumber(head:match "^HTTP/1.1 (%d+)"), headers = headers, body = body, json = json.decode(body),
    text = text }
end

--- Writes bytes, and reads until the other side closes.
---@param port integer
---@param bytes string
---@return { status: integer, headers: table, body: string, json: any, text: string }
function http_client.raw(port, bytes)
  local client = http_client.connect(port)
  client:write(bytes)
  local text = client:rest()
  client:close()
  return split(text)
end

--- A request as a client makes it.
---@param port integer
---@param method string
---@param path string
---@param o? { headers?: table<string, string>, body?: string }
function http_client.ask(port, method, path, o)
  o = o or {}
  local lines = { ("%s %s HTTP/1.1"):format(method, path), "Connection: close" }
  local headers = { Host = "127.0.0.1:" .. port, ["Content-Length"] = o.body and #o.body }
  for name, value in pairs(o.headers or {}) do headers[name] = value end
  for name, value in pairs(headers) do lines[#lines + 1] = ("%s: %s"):format(name, value) end
  return http_client.raw(port, table.concat(lines, "\r\n") .. "\r\n\r\n" .. (o.body or ""))
end

return http_client
