--- A pipe whose reader stops: then it holds all that it can, and who writes to it waits.

local uv = require "luv"

local full_pipe = {}

local FILL = ("~"):rep(4096)

---@class FullPipe
---@field write_fd integer   for a process; close_write_end() here once it has it
local FullPipe = {}
FullPipe.__index = FullPipe

---@return FullPipe
function full_pipe.new()
  local ends = uv.pipe()
  local self = setmetatable({ write_fd = ends.write, pipe = uv.new_pipe(false), parts = {} }, FullPipe)
  -- By a description of its own: what the process gets is an ordinary one, which waits.
  self.fill_fd = assert(uv.fs_open("/proc/self/fd/" .. ends.write, uv.constants.O_WRONLY + uv.constants.O_NONBLOCK, 0))
  self.pipe:open(ends.read)
  return self
end

--- Reads on, in the background.
function FullPipe:read()
  self.pipe:read_start(function(_, chunk)
    if chunk then self.parts[#self.parts + 1] = chunk else self.ended = true end
  end)
end

--- Reads no more, and fills what room there is.
function FullPipe:stop()
  self.pipe:read_stop()
  for _, size in ipairs { 4096, 1 } do
    while uv.fs_write(self.fill_fd, FILL:sub(1, size), -1) do end -- luacheck: ignore 542
  end
end

--- Only the process holds the end that is written to.
function FullPipe:close_write_end()
  if self.write_fd then uv.fs_close(self.write_fd) end
  if self.fill_fd then uv.fs_close(self.fill_fd) end
  self.write_fd, self.fill_fd = nil, nil
end

--- What the process wrote, as far as it was read.
---@return string
function FullPipe:text() return (table.concat(self.parts):gsub("~", "")) end

function FullPipe:close()
  self:close_write_end()
  self.pipe:close()
end

return full_pipe
