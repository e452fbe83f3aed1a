--- A connection of a skill's: lines or so many bytes, read with a deadline, and no more than a fixed amount of
--- them, whatever the other side sends.

local async = require "runtime.async"
local tcp = require "runtime.node.tcp"

local reach_tcp = {}

local MOST = 256 * 1024 -- bytes, each way, of one connection
local LONGEST_LINE = 64 * 1024

local WORDS = { timeout = "gave no answer in time", EOF = "closed the connection", ENOTFOUND = "has no address",
  ECONNREFUSED = "refused the connection" }

local function words(err) return WORDS[err] or ("failed (%s)"):format(tostring(err)) end

---@class SkillConnection
---@field send fun(text: string): true?, any?
---@field read fun(bytes: integer): string?, any?       exactly so many
---@field read_line fun(most?: integer): string?, any?  without its end
---@field close fun()

-- What came and was not read yet, in pieces, so that many small ones are not copied again and again.
local function receive(c, chunk, err)
  if not chunk then
    c.failed = words(err or "EOF")
  elseif c.received + #chunk > MOST then
    c.failed = ("sent more than %d bytes"):format(MOST)
    c.handle:read_stop()
  else
    c.pieces[#c.pieces + 1] = chunk
    c.received, c.size = c.received + #chunk, c.size + #chunk
    c.lines = c.lines + select(2, chunk:gsub("\n", ""))
  end
  if c.wake then c.wake() end
end

local function wait_for(c, enough)
  while not enough() do
    if c.failed then return nil, c.failed end
    local _, err = async.await(function(resume)
      c.wake = resume
      return function() c.wake = nil end
    end, c.deadline)
    c.wake = nil
    if err then return nil, words(err) end
  end
  return true
end

local function take(c, count)
  local text = table.concat(c.pieces)
  local taken = text:sub(1, count)
  c.pieces = { text:sub(count + 1) }
  c.size, c.lines = c.size - #taken, c.lines - select(2, taken:gsub("\n", ""))
  return taken
end

local function read(c, count)
  if type(count) ~= "number" or count % 1 ~= 0 or count < 0 or count > MOST then
    return nil, ("can be read at most %d bytes of, and not %s"):format(MOST, tostring(count))
  end
  local ok, err = wait_for(c, function() return c.size >= count end)
  if not ok then return nil, err end
  return take(c, count)
end

local function read_line(c, most)
  most = type(most) == "number" and most or LONGEST_LINE
  local ok, err = wait_for(c, function() return c.lines > 0 or c.size > most end)
  if not ok then return nil, err end
  local text = table.concat(c.pieces)
  local at = text:find("\n", 1, true)
  if not at or at > most + 2 then return nil, ("sent a line of more than %d bytes"):format(most) end
  return (take(c, at):gsub("\r?\n$", ""))
end

local function send(c, text)
  c.sent = c.sent + #tostring(text)
  if type(text) ~= "string" or c.sent > MOST then
    return nil, ("is sent texts, of %d bytes at most"):format(MOST)
  end
  if c.handle:is_closing() then return nil, "was closed" end
  local err, why = async.await(function(resume)
    c.handle:write(text, function(wrong) resume(wrong or false) end)
  end, c.deadline)
  if err == false then return true end
  return nil, words(err or why)
end

--- Connects. `deadline` holds for all that is done with it.
---@param host string
---@param port integer
---@param deadline number
---@return SkillConnection?
---@return string? err       what the other side did, as what follows its name
function reach_tcp.open(host, port, deadline)
  local socket, err = tcp.connect(host, port, deadline)
  if not socket then return nil, words(err) end
  local handle, rest = socket:release()
  local c = { handle = handle, pieces = {}, size = 0, lines = 0, received = 0, sent = 0, deadline = deadline }
  if #rest > 0 then receive(c, rest) end
  handle:read_start(function(wrong, chunk) receive(c, chunk, wrong) end)
  return {
    send = function(text) return send(c, text) end,
    read = function(count) return read(c, count) end,
    read_line = function(most) return read_line(c, most) end,
    close = function()
      c.failed = "was closed"
      if not handle:is_closing() then handle:close() end
    end,
  }
end

return reach_tcp
