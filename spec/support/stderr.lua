--- What this process says on stderr while a spec goes on.

local stderr = {}

local before

---@return fun(): string   what was said so far
function stderr.catch()
  local parts = {}
  before = io.stderr
  io.stderr = { -- luacheck: ignore 122
    write = function(_, ...) parts[#parts + 1] = table.concat { ... } end, flush = function() end,
  }
  return function() return table.concat(parts) end
end

function stderr.release()
  if before then io.stderr = before end -- luacheck: ignore 122
  before = nil
end

return stderr
