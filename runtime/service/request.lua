--- What a client wrote, read as RFC 9112 has it and not a byte more kindly: what two readers could
--- read in two ways is refused, with the status that says why. Bytes in, a request or a fault out.

local request = { head = 8192, body = 65536 }

local MOST_HEADERS = 64
local LONGEST_TARGET = 2048
local TOKEN = "^[%w!#$%%&'*+%-.^_`|~]+$"

---@class HttpRequest
---@field method string
---@field path string                     without the query
---@field query table<string, string>     as it was written, only "+" and %XX are read
---@field headers table<string, string>   names in lower case
---@field length integer                  of the body
---@field keep boolean                    the client wants to go on with this connection
---@field expects boolean                 it waits for a 100 before the body
---@field body? string                    once it is there

---@class HttpFault
---@field status integer
---@field message string

local function fault(status, message) return nil, { status = status, message = message } end

local function decoded(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function read_query(text)
  local query = {}
  for pair in text:gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=?(.*)$"
    query[decoded(name)] = decoded(value)
  end
  return query
end

local function read_line(line)
  local method, target, version = line:match "^(%S+) (%S+) HTTP/(%d%.%d)$"
  if not method then return fault(400, "the first line is none of HTTP/1.1") end
  if not method:match "^%u+$" or #method > 16 then return fault(400, "the method is no word in capitals") end
  if version ~= "1.1" and version ~= "1.0" then return fault(505, "only HTTP/1.1 is spoken here") end
  if #target > LONGEST_TARGET then return fault(414, "the path is longer than 2048 bytes") end
  if target:sub(1, 1) ~= "/" or target:find "[^\33-\126]" then return fault(400, "the path must begin with a /") end
  local path, query = target:match "^([^?#]*)%??([^#]*)$"
  if not path then return fault(400, "the path holds a #") end
  return { method = method, path = path, query = read_query(query), version = version, headers = {} }
end

-- Two of one name are one list, but for those that decide where the message ends and for whom it is.
local ONCE = { host = true, ["content-length"] = true, ["transfer-encoding"] = true, authorization = true,
  ["content-type"] = true, origin = true }

local function read_header(r, line)
  local name, value = line:match "^([^:]+):[ \t]*(.-)[ \t]*$"
  if not name or not name:match(TOKEN) then return fault(400, "a header line is none") end
  if value:find "[%z\1-\8\10-\31\127]" then return fault(400, "a header holds a control character") end
  name = name:lower()
  if r.headers[name] and ONCE[name] then return fault(400, "there are two headers " .. name) end
  r.headers[name] = r.headers[name] and r.headers[name] .. ", " .. value or value
  return true
end

local function read_length(r)
  local h = r.headers
  if h["transfer-encoding"] then return fault(411, "send the body with a Content-Length, not in chunks") end
  local text = h["content-length"]
  if not text then
    if r.method == "POST" or r.method == "PUT" or r.method == "PATCH" then
      return fault(411, "say the length of the body in Content-Length")
    end
    return 0
  end
  if not text:match "^%d+$" or #text > 15 then return fault(400, "Content-Length is no number") end
  local length = tonumber(text)
  if length > request.body then return fault(413, ("the body is longer than %d bytes"):format(request.body)) end
  return length
end

--- Where the head ends in what has come so far.
---@param bytes string
---@return integer|nil last   its last byte; nil while it is not there yet
---@return HttpFault? fault   it will never be one
function request.find_head(bytes)
  local _, last = bytes:find("\r\n\r\n", 1, true)
  if (last or #bytes) > request.head then
    return fault(431, ("the head is longer than %d bytes"):format(request.head))
  end
  return last
end

--- Reads a whole head, with the empty line at its end.
---@param head string
---@return HttpRequest?
---@return HttpFault? fault
function request.read(head)
  local text = head:sub(1, -3)
  if text:gsub("\r\n", ""):find "[\r\n%z]" then return fault(400, "a line does not end with CR and LF") end
  local first, rest = text:match "^(.-)\r\n(.*)$"
  local r, err = read_line(first)
  if not r then return nil, err end
  local count = 0
  for line in rest:gmatch "(.-)\r\n" do
    count = count + 1
    if count > MOST_HEADERS then return fault(431, ("there are more than %d headers"):format(MOST_HEADERS)) end
    local ok
    ok, err = read_header(r, line)
    if not ok then return nil, err end
  end
  if not r.headers.host and r.version == "1.1" then return fault(400, "there is no header Host") end
  r.length, err = read_length(r)
  if not r.length then return nil, err end
  local expect = (r.headers.expect or ""):lower()
  if expect ~= "" and expect ~= "100-continue" then return fault(417, "nothing but 100-continue can be expected") end
  r.expects = expect ~= ""
  local connection = (r.headers.connection or ""):lower()
  r.keep = r.version == "1.1" and not connection:find("close", 1, true)
  return r
end

return request
