--- Server-sent events: bytes as they come off the wire -> events. A piece may end anywhere, in
--- the middle of a character too, so lines are split as bytes and only whole ones are read.

local sse = {}

local MOST_UNFINISHED = 8 * 1024 * 1024

---@class Sse
---@field feed fun(self: Sse, bytes: string): true|nil, string?   nil: the event has no end
---@field finish fun(self: Sse)   some servers leave out the last blank line
local Sse = {}
Sse.__index = Sse

---@param on_event fun(data: string, name: string?)
---@return Sse
function sse.new(on_event) return setmetatable({ on_event = on_event, rest = {}, size = 0, data = {} }, Sse) end

local function dispatch(self)
  local data, name = self.data, self.name
  self.data, self.name = {}, nil
  if #data > 0 then self.on_event(table.concat(data, "\n"), name) end
end

local function line(self, text)
  if text == "" then return dispatch(self) end
  local field, value = text:match "^([^:]+): ?(.*)$"
  if field == "data" then
    self.data[#self.data + 1] = value
  elseif field == "event" then
    self.name = value
  end
end

local function lines(self, text)
  local at = 1
  while true do
    local stop = text:find("[\r\n]", at)
    -- A \r at the very end may be the half of \r\n.
    if not stop or (stop == #text and text:byte(stop) == 13) then break end
    local ending = text:sub(stop, stop + 1) == "\r\n" and 2 or 1
    line(self, text:sub(at, stop - 1))
    at = stop + ending
  end
  self.rest, self.size = { text:sub(at) }, #text - at + 1
end

-- The pieces of a long line are joined once, when it ends.
function Sse:feed(bytes)
  if bytes == "" then return true end
  local rest = self.rest
  local before = rest[#rest] or ""
  rest[#rest + 1], self.size = bytes, self.size + #bytes
  if bytes:find "[\r\n]" or before:byte(-1) == 13 then lines(self, table.concat(rest)) end
  if self.size > MOST_UNFINISHED then return nil, "an event longer than 8 MB" end
  return true
end

function Sse:finish()
  local text = table.concat(self.rest)
  if text ~= "" then line(self, (text:gsub("\r$", ""))) end
  self.rest, self.size = {}, 0
  dispatch(self)
end

return sse
