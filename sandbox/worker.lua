--- Prepares the worker's Lua state; host/worker.c runs this once, before any chunk is known.
--- The environment of a chunk is built from the list, and what is left of the real globals is
--- emptied after it: a function of a library still leads there, by ways we may not know.
---
--- Given sandbox/globals.lua's table and the worker's own functions; returns
--- function(names, code) -> the chunk as a function. Raises the message of a syntax error.

local globals, host = ...
local all, load = _G, load

local function pick(from, names)
  local picked = {}
  for _, name in ipairs(names) do picked[name] = from[name] end
  return picked
end

local env = pick(all, globals.base)
for library, names in pairs(globals.libraries) do env[library] = pick(all[library], names) end
env.os = { time = host.time, clock = host.clock }
env.print = host.print

local strings = getmetatable ""
strings.__index, strings.__metatable = env.string, false

local callback, error = host.callback, error
for name in pairs(all) do all[name] = nil end

return function(names, code)
  for i = 1, #names do env[names[i]] = callback(i - 1, names[i]) end
  local chunk, err = load(code, "=chunk", "t", env)
  if chunk then return chunk end
  if load("return " .. code, "=chunk", "t", env) then
    err = err .. "; this is an expression: write `return` before it"
  end
  error(err, 0)
end
