--- The limits of a chunk: their names and ranges as people write them, in the config file's `chunk`
--- and behind `--limit`, and what runtime/sandbox.lua takes.

local chunk_limits = {}

local KIB, MIB = 1024, 1024 * 1024

local function bytes(name, default, min, max)
  return { name = name, type = "number", default = default, min = min, max = max, whole = true }
end

local function ms(name, default, max)
  return { name = name, type = "number", default = default, min = 1, max = max, whole = true }
end

---@type Option[]  in the form of runtime/config/options.lua
chunk_limits.FIELDS = {
  ms("wall_ms", 2000, 60000), -- host/jail.c ends every worker a little later
  ms("callback_ms", 30000, 600000),
  ms("total_ms", 60000, 3600000),
  bytes("mem_bytes", 64 * MIB, 2 * MIB, 1024 * MIB),
  { name = "max_calls", type = "number", default = 64, min = 0, max = 10000, whole = true },
  -- One frame between the processes holds a megabyte; print and result share one.
  bytes("args_max", 16 * KIB, 64, 512 * KIB),
  bytes("reply_max", 128 * KIB, 64, 512 * KIB),
  bytes("result_max", 64 * KIB, 64, 512 * KIB),
  bytes("print_max", 16 * KIB, 64, 256 * KIB),
  bytes("code_max", 64 * KIB, 64, 512 * KIB),
}

---@return string[]
function chunk_limits.names()
  local names = {}
  for i, field in ipairs(chunk_limits.FIELDS) do names[i] = field.name end
  return names
end

---@param group table<string, number>   the option `chunk`, settled
---@return ChunkLimits
function chunk_limits.of(group)
  return {
    run_s = group.wall_ms / 1000, callback_s = group.callback_ms / 1000, total_s = group.total_ms / 1000,
    memory = group.mem_bytes, callbacks = group.max_calls, arguments = group.args_max, reply = group.reply_max,
    result = group.result_max, print = group.print_max, code = group.code_max,
  }
end

--- Those of a chunk for which nothing was said.
---@return ChunkLimits
function chunk_limits.defaults()
  local group = {}
  for _, field in ipairs(chunk_limits.FIELDS) do group[field.name] = field.default end
  return chunk_limits.of(group)
end

return chunk_limits
