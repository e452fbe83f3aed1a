--- A TCP connection that a task reads from top to bottom. A link uses it only while it is set up:
--- afterwards runtime/node/link.lua takes the socket and what was read too much.

local uv = require "luv"
local async = require "runtime.async"

local tcp = {}

---@class Socket
---@field handle userdata   luv's
local Socket = {}
Socket.__index = Socket

-- What a callback passes when nothing went wrong is nil, which is also how a wait that ran out
-- begins. So success is false here.
local function fault(err) return err or false end

local function resolve(host, deadline)
  local err, addresses = async.await(function(resume)
    local request, why = uv.getaddrinfo(host, nil, { socktype = "stream" }, function(err, found)
      resume(fault(err), found)
    end)
    if not request then return resume(why) end
    return function() uv.cancel(request) end
  end, deadline)
  if err == nil then return nil, addresses end
  if err or #addresses == 0 then return nil, "ENOTFOUND" end
  -- Distribution listens on IPv4 unless somebody asked for more.
  local sorted = {}
  for _, family in ipairs { "inet", "inet6" } do
    for _, address in ipairs(addresses) do
      if address.family == family then sorted[#sorted + 1] = address.addr end
    end
  end
  return sorted
end

local function connect_to(address, port, deadline)
  local handle = uv.new_tcp()
  local err, why = async.await(function(resume)
    local request, refused = handle:connect(address, port, function(err) resume(fault(err)) end)
    if not request then resume(refused) end
  end, deadline)
  if err == false then
    handle:nodelay(true)
    return handle
  end
  handle:close()
  return nil, err or why
end

--- Resolves and connects.
---@param host string
---@param port integer
---@param deadline number
---@return Socket|nil
---@return string? err   "timeout", "ENOTFOUND", "ECONNREFUSED" and luv's other names
function tcp.connect(host, port, deadline)
  local addresses, err = resolve(host, deadline)
  if not addresses then return nil, err end
  local handle
  for _, address in ipairs(addresses) do
    handle, err = connect_to(address, port, deadline)
    if handle or err == "timeout" then break end
  end
  if not handle then return nil, err end
  return tcp.over(handle)
end

--- A connection that somebody else opened.
---@param handle userdata|table   luv's, or what does as it
---@return Socket
function tcp.over(handle)
  local socket = setmetatable({ handle = handle, buffer = "" }, Socket)
  handle:read_start(function(failed, chunk)
    if not chunk then
      socket.failed = failed or "EOF"
    elseif not socket.deaf then
      socket.buffer = socket.buffer .. chunk
    end
    if socket.wake then socket.wake() end
  end)
  return socket
end

local function wait(socket, deadline)
  local _, err = async.await(function(resume)
    socket.wake = resume
    return function() socket.wake = nil end
  end, deadline)
  socket.wake = nil
  return err
end

--- Exactly so many bytes.
---@return string|nil
---@return string? err   "timeout", "EOF" and luv's names
function Socket:read(count, deadline)
  while #self.buffer < count do
    if self.failed then return nil, self.failed end
    local err = wait(self, deadline)
    if err then return nil, err end
  end
  local bytes = self.buffer:sub(1, count)
  self.buffer = self.buffer:sub(count + 1)
  return bytes
end

--- All until the peer closes, or the first `limit` bytes.
function Socket:read_rest(limit, deadline)
  while not self.failed and #self.buffer < limit do
    local err = wait(self, deadline)
    if err then return nil, err end
  end
  return self.buffer:sub(1, limit)
end

--- From now on what the peer says is thrown away; that it closes is still heard.
function Socket:ignore() self.deaf, self.buffer = true, "" end

function Socket:write(bytes) self.handle:write(bytes) end

--- Gives the connection away.
---@return userdata handle
---@return string rest   read, and wanted by nobody so far
function Socket:release()
  self.handle:read_stop()
  return self.handle, self.buffer
end

-- luv does not call a read callback on close: whoever waits here has a deadline.
function Socket:close()
  if not self.handle:is_closing() then self.handle:close() end
end

return tcp
