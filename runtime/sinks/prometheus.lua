--- The figures of /metrics in a file, for the textfile collector of node_exporter:
--- { type = "prometheus", file = "/var/lib/prometheus/node-exporter/beamlens.prom", seconds = 15 }.
--- Written beside and renamed, so that nobody reads the half of it.

local uv = require "luv"
local metrics = require "runtime.metrics"
local writing = require "runtime.writing"

local prometheus = { fields = { file = "text", seconds = "number" }, needs = { "file" }, hears = false }

local SECONDS = 15
local FILE = 420 -- 0644: the collector runs as somebody else, and figures are no secret

local Prometheus = {}
Prometheus.__index = Prometheus

local function write(self) return writing.replace(self.file, metrics.text(), FILE, "sink") end

---@param settings { file: string, seconds?: number }
---@param state fun(ok: boolean, why: any)   told after each writing
---@return table? sink
---@return any err
function prometheus.open(settings, state)
  metrics.start()
  local self = setmetatable({ file = settings.file }, Prometheus)
  local ok, why = write(self)
  if not ok then return nil, why end
  local ms = (settings.seconds or SECONDS) * 1000
  self.timer = uv.new_timer()
  self.timer:start(ms, ms, function() state(write(self)) end)
  self.timer:unref()
  return self
end

function Prometheus:close()
  self.timer:close()
  write(self)
end

return prometheus
