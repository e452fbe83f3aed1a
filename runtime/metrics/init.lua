--- What happened, in figures: hears the events and keeps them as Prometheus wants them, for /metrics and
--- for the sink that writes a file.

local uv = require "luv"
local families = require "runtime.metrics.families"
local registry = require "runtime.metrics.registry"
local telemetry = require "runtime.telemetry"

local metrics = {}

local OWN = {
  { name = "beamlens_info", type = "gauge", labels = { "version" }, help = "The program that tells this." },
  { name = "process_resident_memory_bytes", type = "gauge", help = "Memory of this program." },
  { name = "process_cpu_seconds_total", type = "counter", help = "Time on a processor of this program." },
  { name = "process_start_time_seconds", type = "gauge", help = "When this program began, since 1970." },
}

local held, off, began

local function labels_of(family, event, metadata)
  if not family.state then return metadata end
  local labels = { state = event:match "%.(.*)$" }
  for name, value in pairs(metadata) do labels[name] = labels[name] or value end
  return labels
end

local function take(family, event, measurements, metadata)
  local value = family.value and measurements[family.value] or not family.value and 1
  if family.of then value = family.of[event] end
  if type(value) ~= "number" or family.where and type(metadata[family.where]) ~= "string" then return end
  if family.one_of then
    for _, word in ipairs(family.values) do
      held:set(family.name, setmetatable({ [family.one_of] = word }, { __index = metadata }),
        word == metadata[family.one_of] and 1 or 0)
    end
  elseif family.set then
    held:set(family.name, metadata, value)
  else
    held:add(family.name, labels_of(family, event, metadata), value * (family.scale or 1))
  end
end

local function hear()
  local offs = {}
  for _, family in ipairs(families) do
    for _, event in ipairs(type(family.event) == "table" and family.event or { family.event }) do
      offs[#offs + 1] = telemetry.on(event, function(...) take(family, ...) end)
    end
  end
  return offs
end

--- Begins to hear, once for the process.
function metrics.start()
  if held then return end
  local all = {}
  for _, list in ipairs { OWN, families } do
    for _, family in ipairs(list) do all[#all + 1] = family end
  end
  held, began = registry.new(all), os.time()
  off = hear()
end

--- Forgets everything; for specs.
function metrics.stop()
  for _, each in ipairs(off or {}) do each() end
  held, off = nil, nil
end

local function own()
  local used = uv.getrusage()
  held:set("beamlens_info", { version = require "runtime.version" }, 1)
  held:set("process_resident_memory_bytes", nil, uv.resident_set_memory())
  held:set("process_cpu_seconds_total", nil,
    used.utime.sec + used.stime.sec + (used.utime.usec + used.stime.usec) / 1e6)
  held:set("process_start_time_seconds", nil, began)
end

--- All figures as Prometheus reads them.
---@return string
function metrics.text()
  metrics.start()
  own()
  return held:text()
end

return metrics
