--- Callbacks without a node behind them, to try a chunk with: a figure, a list, what was sent, and one that fails.
--- The form is that of `names` and `call` of runtime/sandbox.lua.

local json = require "runtime.json"

local demo = { names = { "beam_get_memory", "beam_top_processes", "echo", "boom" } }

local MOST = 100
local KEYS = { memory = true, reductions = true, message_queue_len = true }

local answers = {}

function answers.beam_get_memory()
  return { total = 52428800, processes = 18874368, system = 33554432, binary = 1048576, ets = 2097152 }
end

function answers.beam_top_processes(args)
  local count, key = args[1] or 10, args[2] or "memory"
  if type(count) ~= "number" then
    return nil, "beam_top_processes: n must be a number, not " .. json.encode(count)
  end
  if not KEYS[key] then
    return nil, "beam_top_processes: key must be one of memory, reductions, message_queue_len, not " .. tostring(key)
  end
  local rows = {}
  for i = 1, math.max(0, math.min(MOST, math.floor(count))) do
    rows[i] = { pid = ("<0.%d.0>"):format(100 + i), name = "worker_" .. i, [key] = 1000000 - i * 1000 }
  end
  return rows
end

-- A list with null for what was left out between two.
function answers.echo(args)
  local last, list = 0, {}
  for i in pairs(args) do last = math.max(last, i) end
  for i = 1, last do list[i] = args[i] == nil and json.null or args[i] end
  return list
end

function answers.boom() return nil, "boom: callback failed: boom" end

---@param name string
---@param args any[]
---@return any value
---@return string? err
function demo.call(name, args) return answers[name](args) end

return demo
