--- A small HTTP/1.1 server on luv: listens, keeps the number of connections within bounds, and ends
--- them all when it is closed. Where there is no room, who has nothing to say gives way to who comes.
--- What is asked and answered is the business of whoever starts it.

local uv = require "luv"
local async = require "runtime.async"
local connection = require "runtime.service.connection"
local failure = require "runtime.failure"
local json = require "runtime.json"
local plain = require("runtime.plain").text

local http = {
  connections = 128, of_one = 32,  -- that stay; of one address, other than this machine
  most = 512, patience_s = 0.05,   -- that may come before it is seen who stays
}

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

-- Has so many leave of those that `of` picks, the first ones first; who is being answered stays.
local function leave(self, too_many, of)
  local list = {}
  for _, client in pairs(self.tasks) do
    if not client.answering and not client.leaving and of(client) then list[#list + 1] = client end
  end
  table.sort(list, before)
  for i = 1, math.min(too_many, #list) do
    list[i].leaving = true
    list[i]:give_way(FULL)
  end
end

local function any() return true end

-- How many there are, in all and of each address.
local function counted(self)
  local all, of_peer = 0, {}
  for _, client in pairs(self.tasks) do
    if not client.leaving then all, of_peer[client.peer] = all + 1, (of_peer[client.peer] or 0) + 1 end
  end
  return all, of_peer
end

local function make_room(self)
  local _, of_peer = counted(self)
  for peer, count in pairs(of_peer) do
    if is_elsewhere(peer) then leave(self, count - http.of_one, function(client) return client.peer == peer end) end
  end
  leave(self, counted(self) - http.connections, any)
end

-- Not at once: whoever has just come may have something to say, and who reconnects each time finds no haste.
local function is_crowded(self)
  if self.clearing or self.count <= math.min(http.connections, http.of_one) then return end
  self.clearing = async.spawn(function()
    async.sleep(http.patience_s)
    self.clearing = nil
    make_room(self)
  end)
end

local function accept(self)
  local handle = uv.new_tcp()
  if not self.listener:accept(handle) then return close_handle(handle) end
  if self.count >= http.most then return turn_away(handle) end
  handle:nodelay(true)
  local client = connection.new(handle)
  self.count = self.count + 1
  local task
  task = async.spawn(function()
    local ok, why = pcall(client.serve, client, self.handler, json.encode)
    self.count = self.count - 1
    if task then self.tasks[task] = nil end
    if not ok then io.stderr:write("beamlens-run: a connection failed: ", plain(why), "\n") end
  end)
  if task.finished then return end
  self.tasks[task] = client
  is_crowded(self)
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

local ENDING = json.encode { schema = 1, error = { message = "the watch ends; ask again when it was started anew" } }

--- Ends it and every connection; who waits for an answer is told.
function HttpServer:close()
  close_handle(self.listener)
  if self.clearing then self.clearing:cancel "closing" end
  for task, client in pairs(self.tasks) do
    if client.answering and not client.handle:is_closing() then
      client.handle:try_write(("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        .. "Content-Length: %d\r\nConnection: close\r\n\r\n%s"):format(#ENDING, ENDING))
    end
    close_handle(client.handle)
    task:cancel "closing"
  end
end

return http
