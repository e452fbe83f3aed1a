--- A small HTTP/1.1 server on luv: listens, keeps the number of connections within bounds, and ends
--- them all when it is closed. What is asked and answered is the business of whoever starts it.

local uv = require "luv"
local async = require "runtime.async"
local connection = require "runtime.service.connection"
local failure = require "runtime.failure"
local json = require "runtime.json"
local plain = require("runtime.plain").text

local http = { connections = 32 }

local BACKLOG = 128
local FULL = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

---@class HttpServer
---@field host string
---@field port integer     the one that it got, where 0 was asked for
---@field private tasks table<Task, userdata>   the connections there are
local HttpServer = {}
HttpServer.__index = HttpServer

local function close_handle(handle)
  if not handle:is_closing() then handle:close() end
end

-- One that is too many is told so, and not kept.
local function turn_away(handle)
  handle:write(FULL, function() close_handle(handle) end)
end

local function accept(self)
  local handle = uv.new_tcp()
  if not self.listener:accept(handle) then return close_handle(handle) end
  if self.count >= http.connections then return turn_away(handle) end
  handle:nodelay(true)
  self.count = self.count + 1
  local task
  task = async.spawn(function()
    local ok, why = pcall(connection.serve, handle, self.handler, json.encode)
    self.count = self.count - 1
    if task then self.tasks[task] = nil end
    if not ok then io.stderr:write("beamlens-run: a connection failed: ", plain(why), "\n") end
  end)
  if not task.finished then self.tasks[task] = handle end
end

---@param host string
---@param port integer   0 for any
---@param handler { refuse: fun(r: HttpRequest): table?; answer: fun(r: HttpRequest): table }
---@return HttpServer?
---@return Failure? err
function http.listen(host, port, handler)
  local listener = uv.new_tcp()
  local self = setmetatable({ listener = listener, handler = handler, tasks = {}, count = 0, host = host }, HttpServer)
  local ok, why = listener:bind(host, port)
  if ok then
    ok, why = listener:listen(BACKLOG, function(err)
      if not err then accept(self) end
    end)
  end
  if not ok then
    listener:close()
    local word = tostring(why):match "^%u+"
    return nil, failure.new("listen", ("cannot listen on %s:%d (%s)"):format(host, port, word or tostring(why)),
      word == "EADDRINUSE" and "end what listens there, or take another port" or "check the address of --listen", 2)
  end
  self.port = listener:getsockname().port
  return self
end

--- Ends it and every connection.
function HttpServer:close()
  close_handle(self.listener)
  for task, handle in pairs(self.tasks) do
    close_handle(handle)
    task:cancel "closing"
  end
end

return http
