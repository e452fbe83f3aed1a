--- A small HTTP/1.1 server on luv: listens, keeps the number of connections within bounds, and ends
--- them all when it is closed. Where there is no room, who has nothing to say gives way to who comes.
--- What is asked and answered is the business of whoever starts it.

local uv = require "luv"
local async = require "runtime.async"
local connection = require "runtime.service.connection"
local failure = require "runtime.failure"
local json = require "runtime.json"
local plain = require("runtime.plain").text

local http = { connections = 32, of_one = 8 } -- of_one: from one address, other than this machine

local BACKLOG = 128
local FULL = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

---@class HttpServer
---@field host string
---@field port integer     the one that it got, where 0 was asked for
---@field count integer    of the connections there are
---@field private tasks table<Task, Connection>
local HttpServer = {}
HttpServer.__index = HttpServer

local function close_handle(handle)
  if not handle:is_closing() then handle:close() end
end

-- One that is too many is told so, and not kept.
local function turn_away(handle)
  handle:write(FULL, function() close_handle(handle) end)
end

local function is_elsewhere(peer) return not (peer:match "^127%." or peer == "::1" or peer:match "^::ffff:127%.") end

-- Who goes first: a stranger before who showed the token, and who has had no answer for the longest time.
local function before(a, b)
  if a.known and not b.known or b.known and not a.known then return b.known end
  return a.since < b.since
end

-- Makes room: of all, or of those of one address that has enough of them. Who is being answered stays.
local function room(self, peer)
  local of_peer, of_all, own, any = 0, 0, nil, nil
  for _, c in pairs(self.tasks) do
    if not c.leaving then
      of_all = of_all + 1
      if not c.answering and (not any or before(c, any)) then any = c end
      if c.peer == peer then
        of_peer = of_peer + 1
        if not c.answering and (not own or before(c, own)) then own = c end
      end
    end
  end
  local leaver
  if is_elsewhere(peer) and of_peer >= http.of_one then
    leaver = own
  elseif of_all >= http.connections then
    leaver = any
  else
    return true
  end
  if not leaver then return false end
  leaver.leaving = true
  leaver:give_way(FULL)
  return true
end

local function accept(self)
  local handle = uv.new_tcp()
  if not self.listener:accept(handle) then return close_handle(handle) end
  local client = connection.new(handle)
  if not room(self, client.peer) then return turn_away(handle) end
  handle:nodelay(true)
  self.count = self.count + 1
  local task
  task = async.spawn(function()
    local ok, why = pcall(client.serve, client, self.handler, json.encode)
    self.count = self.count - 1
    if task then self.tasks[task] = nil end
    if not ok then io.stderr:write("beamlens-run: a connection failed: ", plain(why), "\n") end
  end)
  if not task.finished then self.tasks[task] = client end
end

---@param host string
---@param port integer   0 for any
---@param handler { refuse: fun(r: HttpRequest): table?; knows: fun(r: HttpRequest): boolean?;
---  answer: fun(r: HttpRequest): table }   knows: whether it shows a token
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
  for task, client in pairs(self.tasks) do
    close_handle(client.handle)
    task:cancel "closing"
  end
end

return http
