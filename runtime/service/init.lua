--- The door of a watch: /healthz, /metrics, and POST /run, by which an alert handler has it look at once.
--- On loopback alone unless asked otherwise; then every path wants the token.

local address = require "runtime.service.address"
local async = require "runtime.async"
local failure = require "runtime.failure"
local http = require "runtime.service.http"
local routes = require "runtime.service.routes"
local runs = require "runtime.service.runs"
local telemetry = require "runtime.telemetry"
local token = require "runtime.service.token"

local service = {}

local CLOSE_S = 0.7 -- of the two seconds that a SIGTERM has

---@class Service
---@field url string
---@field runs Runs
---@field private server HttpServer
local Service = {}
Service.__index = Service

--- Starts it.
---@param o { listen: string, token_file?: string, gate?: Turns,
---  investigate: fun(wanted: RunWanted): (table?, any), nodes: fun(): { name: string, state: string }[],
---  metrics: fun(): string, clean?: fun(value: any): any }   gate: whose turn it is, shared with who else investigates;
---  wanted: { reason, node, skills? }; a node's state is "up" when it can be asked; metrics: Prometheus text;
---  clean: makes of what a run said what may be told
---@return Service?
---@return Failure? err
function service.start(o)
  local at, err = address.read(o.listen)
  if not at then return nil, err end
  local secret
  if o.token_file then
    secret, err = token.read(o.token_file)
    if not secret then return nil, err end
  elseif not at.loopback then
    return nil, failure.new("listen", o.listen .. " can be reached from elsewhere, so every path wants a token",
      "give --token-file FILE, or listen on 127.0.0.1", 2)
  end
  local self = setmetatable({
    token = secret, closed_to_all = not at.loopback, nodes = o.nodes, metrics = o.metrics,
    runs = runs.new(o.investigate, o.gate, o.clean),
  }, Service)
  self.server, err = http.listen(at.host, at.port, {
    refuse = function(r) return routes.refuse(self, r) end,
    knows = function(r) return secret ~= nil and secret.is(r.headers.authorization) end,
    answer = function(r) return routes.answer(self, r) end,
  })
  if not self.server then return nil, err end
  at.port = self.server.port
  self.hosts = at.loopback and address.names(at) or nil -- elsewhere it is the token that keeps a browser out
  self.url = ("http://%s:%d"):format(at.host:find(":", 1, true) and "[" .. at.host .. "]" or at.host, at.port)
  telemetry.emit("service.listening", nil, { url = self.url })
  return self
end

--- Ends every connection and every run; in a task.
function Service:close()
  self.server:close()
  async.shield(function() self.runs:close(async.now() + CLOSE_S) end)
end

return service
