--- What a call prints. Each call's group leader is a pid of ours, so its output comes here as
--- Erlang's io protocol has it, and whoever prints waits for our reply: every request gets one.

local async = require "runtime.async"
local control = require "runtime.node.control"
local etf = require "host.etf"

local stdio = {}

local A, kind = etf.A, etf.kind

local MOST_KEPT = 64 * 1024  -- bytes of text for each call
local CUT = "\n(more was printed than is kept)"
local NOT_SUPPORTED = etf.tuple(A.error, A.enotsup)

local LAST_CODE = 0x10FFFF

local function utf8(code)
  if code < 0 or code > LAST_CODE or code % 1 ~= 0 then return "?" end
  if code < 0x80 then return string.char(code) end
  local tail = {}
  local first = 0xC0
  local room = 0x20
  while true do
    table.insert(tail, 1, string.char(0x80 + code % 64))
    code = math.floor(code / 64)
    if code < room then break end
    first, room = first + room, room / 2
  end
  return string.char(first + code) .. table.concat(tail)
end

local function latin1(text) return (text:gsub("[\128-\255]", function(c) return utf8(c:byte()) end)) end

-- Chardata is text, a character, or a list of chardata, perhaps with a binary for its tail.
local function flatten(data, encoding, out)
  if type(data) == "number" then
    out[#out + 1] = utf8(data)
  elseif type(data) == "string" then
    out[#out + 1] = encoding == A.latin1 and latin1(data) or data
  elseif kind(data) == "chars" then
    out[#out + 1] = tostring(data)
  elseif type(data) == "table" then
    for i = 1, #data do flatten(data[i], encoding, out) end
    if data.tail then flatten(data.tail, encoding, out) end
  end
end

-- The place is taken before the text is known, for what is printed meanwhile comes behind it.
local function reserve(request)
  request.printed = request.printed or { kept = 0 }
  local place = #request.printed + 1
  request.printed[place] = ""
  return place
end

local function keep(request, place, encoding, data)
  local printed, out = request.printed, {}
  flatten(data, encoding, out)
  local text = table.concat(out)
  local room = MOST_KEPT - printed.kept
  if room < 0 then return end
  if #text > room then text = text:sub(1, room) .. CUT end
  printed.kept = printed.kept + #text
  printed[place] = text
end

local serve_one

-- {put_chars, Encoding, Chars}, or {put_chars, Encoding, M, F, A}: what M:F(A) gives is known on
-- the node only, so we call it there. The oldest forms lack the encoding.
local function put(calls, request, asked)
  local encoded = #asked == 3 or #asked == 5
  local encoding, at = encoded and asked[2] or A.latin1, encoded and 3 or 2
  local place = reserve(request)
  if #asked < 4 then
    keep(request, place, encoding, asked[at])
    return A.ok
  end
  local data = calls:run(tostring(asked[at]), tostring(asked[at + 1]), asked[at + 2], {})
  if data == nil then return etf.tuple(A.error, A.terminated) end
  keep(request, place, encoding, data)
  return A.ok
end

function serve_one(calls, request, asked)
  if asked == A.getopts then return {} end
  if kind(asked) ~= "tuple" then return NOT_SUPPORTED end
  if asked[1] == A.put_chars and #asked >= 2 and #asked <= 5 then return put(calls, request, asked) end
  if asked[1] == A.setopts then return A.ok end
  if asked[1] == A.requests and type(asked[2]) == "table" then
    local reply = A.ok
    for _, each in ipairs(asked[2]) do reply = serve_one(calls, request, each) end
    return reply
  end
  return NOT_SUPPORTED
end

--- Takes a message to a group leader of ours. What is printed after its call has ended, by
--- processes that it left behind, is dropped.
---@param calls Calls
---@param box any       the pid it was sent to
---@param message any
function stdio.serve(calls, box, message)
  if kind(message) ~= "tuple" or message[1] ~= A.io_request or kind(message[2]) ~= "pid" then return end
  async.spawn(function()
    local request = calls.boxes[box] or {}
    local reply = serve_one(calls, request, message[4])
    calls.link:send(control.send(message[2], etf.tuple(A.io_reply, message[3], reply)))
  end)
end

---@return string|nil   all that the call printed
function stdio.text(request)
  return request.printed and table.concat(request.printed)
end

return stdio
