--- One connection of a client: a task that reads a request, has it answered, and reads the next.
--- Whoever is slow, says too much or goes away loses the connection and nothing else.

local async = require "runtime.async"
local request = require "runtime.service.request"

local connection = {
  head_s = 10,   -- for a head, from its first byte or from the connecting on
  body_s = 20,
  write_s = 20,
  idle_s = 60,   -- between two requests
  stranger_s = 5, -- the same, of who showed no token
}

local MOST_REQUESTS = 1000
local LINGER_S, LINGER_BYTES = 1, 1024 * 1024
local REASONS = {
  [200] = "OK", [202] = "Accepted", [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden",
  [404] = "Not Found", [405] = "Method Not Allowed", [408] = "Request Timeout", [411] = "Length Required",
  [413] = "Content Too Large", [414] = "URI Too Long", [415] = "Unsupported Media Type", [417] = "Expectation Failed",
  [421] = "Misdirected Request", [429] = "Too Many Requests", [431] = "Request Header Fields Too Large",
  [500] = "Internal Server Error", [503] = "Service Unavailable", [505] = "HTTP Version Not Supported",
}

---@class Connection
---@field private handle userdata
---@field private buffer string
---@field peer string              its address
---@field private gone? boolean   the client has closed its side
---@field since number             when it last got an answer, or came
---@field known? boolean           it showed the token
---@field answering? boolean       it waits for us, not we for it
---@field writing? boolean         half an answer may be on its way
local Connection = {}
Connection.__index = Connection

local function listen(self)
  self.handle:read_start(function(err, bytes)
    if bytes then
      self.buffer = self.buffer .. bytes
      -- More than one request will ever be: what else it says can wait in its kernel.
      if #self.buffer > request.head + request.body and not self.lingering then
        self.handle:read_stop()
        self.full = true
      end
    else
      self.gone = err or "EOF"
    end
    if self.wake then self.wake() elseif self.gone and self.answering then self.task:cancel "the client went away" end
  end)
end

-- Until more has come. True, or nil and "timeout", "EOF" …
local function more(self, deadline)
  if self.gone then return nil, self.gone end
  if self.full then
    self.full = nil
    listen(self)
  end
  local before = #self.buffer
  local _, err = async.await(function(resume)
    self.wake = resume
    return function() self.wake = nil end
  end, deadline)
  self.wake = nil
  if err then return nil, err end
  if #self.buffer > before then return true end
  return nil, self.gone
end

local function write(self, bytes)
  if self.handle:is_closing() then return nil, "closed" end
  self.writing = true
  local err, why = async.await(function(resume)
    self.handle:write(bytes, function(failed) resume(failed or false) end)
  end, async.now() + connection.write_s)
  self.writing = err ~= false
  return err == false and true or nil, err or why
end

---@param answer { status: integer, body: string, kind?: string, headers?: table<string, string> }
---@param keep boolean
---@param bare boolean   without the body, which HEAD does not want
local function bytes_of(answer, keep, bare)
  local lines = {
    ("HTTP/1.1 %d %s"):format(answer.status, REASONS[answer.status]),
    "Content-Type: " .. (answer.kind or "application/json"), "Content-Length: " .. #answer.body,
    "Cache-Control: no-store", "X-Content-Type-Options: nosniff", "Connection: " .. (keep and "keep-alive" or "close"),
  }
  for name, value in pairs(answer.headers or {}) do lines[#lines + 1] = name .. ": " .. value end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (bare and "" or answer.body)
end

-- A socket that is closed while bytes of the client are unread takes the answer with it.
local function linger(self)
  if self.gone or self.handle:is_closing() then return end
  self.lingering = true
  self.handle:shutdown()
  local deadline, seen = async.now() + LINGER_S, 0
  while seen < LINGER_BYTES do
    seen, self.buffer = seen + #self.buffer, ""
    if not more(self, deadline) then return end
  end
end

-- The next request; nil and a fault that is worth an answer; nil alone where there is nobody to answer.
local function next_request(self, idle_s)
  if #self.buffer == 0 then
    local ok, err = more(self, async.now() + idle_s)
    if not ok then return nil, err == "timeout" and idle_s == connection.head_s and
      { status = 408, message = "no request came" } or nil end
  end
  local deadline = async.now() + connection.head_s
  local last, fault = request.find_head(self.buffer)
  while not last and not fault do
    local ok, err = more(self, deadline)
    if not ok then return nil, err == "timeout" and { status = 408, message = "the head took too long" } or nil end
    last, fault = request.find_head(self.buffer)
  end
  if fault then return nil, fault end
  local r
  r, fault = request.read(self.buffer:sub(1, last))
  if not r then return nil, fault end
  self.buffer = self.buffer:sub(last + 1)
  return r
end

local function read_body(self, r)
  if r.expects and #self.buffer < r.length then write(self, "HTTP/1.1 100 Continue\r\n\r\n") end
  local deadline = async.now() + connection.body_s
  while #self.buffer < r.length do
    local ok, err = more(self, deadline)
    if not ok then return nil, err == "timeout" and { status = 408, message = "the body took too long" } or nil end
  end
  r.body, self.buffer = self.buffer:sub(1, r.length), self.buffer:sub(r.length + 1)
  return true
end

local function refusal(fault, to_json)
  return { status = fault.status, body = to_json { schema = 1, error = { message = fault.message } } }
end

local function serve(self, handler, to_json)
  local idle_s = connection.head_s
  for count = 1, MOST_REQUESTS do
    local r, fault = next_request(self, idle_s)
    self.known = r and handler.knows(r) or nil
    local refused = r and handler.refuse(r) -- before its body is waited for
    local ok = r and not refused
    if ok then ok, fault = read_body(self, r) end
    if refused or fault then
      write(self, bytes_of(refused or refusal(fault, to_json), false, false))
      return linger(self)
    end
    if not ok then return end
    self.answering = true
    local answer = handler.answer(r)
    self.answering = false
    if async.current().cancelled then return end
    local keep = r.keep and count < MOST_REQUESTS
    if not write(self, bytes_of(answer, keep, r.method == "HEAD")) then return end
    if not keep then return linger(self) end
    self.since, idle_s = async.now(), self.known and connection.idle_s or connection.stranger_s
  end
end

---@param handle userdata   luv's, accepted
---@return Connection
function connection.new(handle)
  local peer = handle:getpeername()
  return setmetatable({ handle = handle, buffer = "", since = async.now(), peer = peer and peer.ip or "" }, Connection)
end

--- Serves a client until it or we have had enough. Runs in a task of its own, which `close` of the server cancels.
---@param handler { refuse: fun(r: HttpRequest): table?; knows: fun(r: HttpRequest): boolean?;
---  answer: fun(r: HttpRequest): table }
---@param to_json fun(value: table): string
function Connection:serve(handler, to_json)
  self.task = async.current()
  listen(self)
  local ok, why = xpcall(serve, debug.traceback, self, handler, to_json)
  if not self.handle:is_closing() then self.handle:close() end
  if not ok then error(why, 0) end
end

--- Ends it for the sake of another, with some last words where none of ours are on their way.
---@param words string
function Connection:give_way(words)
  if not self.writing and not self.handle:is_closing() then self.handle:write(words) end
  self.task:cancel "another client"
end

return connection
