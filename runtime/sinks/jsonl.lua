--- Events as lines of JSON in a file of the user's alone: { type = "jsonl", file = "/var/log/…/events.jsonl" }.
--- Opened anew on SIGHUP, so that logrotate may move it.

local uv = require "luv"
local line = require "runtime.sinks.line"
local writing = require "runtime.writing"

local jsonl = { fields = { file = "text" }, needs = { "file" }, events = { "*" } }

local Jsonl = {}
Jsonl.__index = Jsonl

-- A line of it says what is wrong with a system, so it is for nobody else to read.
local function open(self)
  local fd, fault = writing.open(self.file, "sink")
  if not fd then return nil, fault end
  self.fd = fd
  return true
end

---@param settings { file: string }
---@return table? sink
---@return any err
function jsonl.open(settings)
  local self = setmetatable({ file = settings.file }, Jsonl)
  local ok, why = open(self)
  if not ok then return nil, why end
  return self
end

--- Writes one line. A full disk may have left the half of another.
---@param item table   from line.of
---@return true?
---@return any why
function Jsonl:take(item)
  if not self.fd then
    local ok, why = open(self)
    if not ok then return nil, why end
  end
  local text = (self.broken and "\n" or "") .. line.text(item) .. "\n"
  local written, why = uv.fs_write(self.fd, text, -1)
  if written == #text then
    self.broken = nil
    return true
  end
  self.broken = self.broken or written ~= nil and written > 0
  self:close() -- another may stand there by the next event
  return nil, why or "there is no room"
end

function Jsonl:close()
  if self.fd then uv.fs_close(self.fd) end
  self.fd = nil
end

--- The file of that name from now on. Where it cannot be opened, the next event says so.
function Jsonl:reopen()
  self:close()
  open(self)
end

return jsonl
