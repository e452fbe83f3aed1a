--- What is kept between runs, kept in a folder of this process while something is done: neither a spec nor a bench
--- writes into anybody's home, and nothing of it is left, also where it raises.

local uv = require "luv"

---@param names string[]   variables that name the folder meanwhile
---@param fn fun(): any
---@return any ...          what fn returned
return function(names, fn)
  local folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/spec-state-XXXXXX"))
  for _, name in ipairs(names) do uv.os_setenv(name, folder) end
  local results = { pcall(fn) }
  os.execute(("rm -rf '%s'"):format(folder))
  if not results[1] then error(results[2], 0) end
  return unpack(results, 2, table.maxn(results))
end
