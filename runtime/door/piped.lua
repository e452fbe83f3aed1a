--- A command whose stdin and stdout are one connection, as those of `ssh -W` are: bytes go through it as they are,
--- so no terminal is between. It has a session of its own, so an interrupt from the keyboard is not for it; it ends
--- with its connection, whatever way this process ends.

local uv = require "luv"

local piped = {}

local MOST_SAID = 4096
local TERMINATE = 15

---@class Piped
---@field handle userdata    luv's, as of a socket
---@field said string        what it said on stderr
---@field ended boolean
local Piped = {}
Piped.__index = Piped

--- Ends it.
function Piped:close()
  if not self.handle:is_closing() then self.handle:close() end
  if not self.ended then self.process:kill(TERMINATE) end
end

---@param words string[]   the command and its words
---@return Piped|nil
---@return string? err     "ENOENT: no such file or directory: ssh"
function piped.start(words)
  local ends = assert(uv.socketpair("stream", nil, { nonblock = true }, nil))
  local self = setmetatable({ said = "", ended = false }, Piped)
  local errors = uv.new_pipe()
  local process, why = uv.spawn(words[1], {
    args = { unpack(words, 2) }, stdio = { ends[2], ends[2], errors }, detached = true,
  }, function()
    self.ended = true
    self.process:close()
  end)
  uv.fs_close(ends[2])
  if not process then
    uv.fs_close(ends[1])
    errors:close()
    return nil, why
  end
  self.process, self.handle = process, uv.new_pipe()
  self.handle:open(ends[1])
  errors:read_start(function(_, text)
    if text then self.said = (self.said .. text):sub(-MOST_SAID) else errors:close() end
  end)
  return self
end

return piped
