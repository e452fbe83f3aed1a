--- One HTTP request of a skill's and its whole answer: bounded, by a deadline, with no redirect followed and the
--- certificate checked (host/http.c does both).

local async = require "runtime.async"
local http = require "host.http"

local reach_http = {
  MOST = 256 * 1024, -- bytes of a body, each way
}

---@class HttpRequest
---@field url string
---@field where string       host:port, for messages
---@field method string
---@field headers string[]   "Name: value"
---@field body? string

-- Of the last answer there is: a 100 Continue has headers too.
local function headers_of(pieces)
  local headers = {}
  for line in table.concat(pieces):gmatch "([^\r\n]+)\r?\n" do
    local name, value = line:match "^([^:%s]+):%s*(.-)%s*$"
    if line:match "^HTTP/" then headers = {} elseif name then headers[name:lower()] = value end
  end
  return headers
end

--- Sends it and reads the answer to its end.
---@param request HttpRequest
---@param deadline number
---@return { status: integer, headers: table<string, string>, body: string, seconds: number }?
---@return string? err   a sentence
function reach_http.request(request, deadline)
  local head, body, size, began = {}, {}, 0, async.now()
  local status, why = async.await(function(resume)
    local handle, refused
    handle, refused = http.request {
      url = request.url, method = request.method, headers = request.headers, body = request.body,
      on_header = function(bytes) head[#head + 1] = bytes end,
      on_data = function(bytes)
        size = size + #bytes
        body[#body + 1] = bytes
        if size <= reach_http.MOST then return end
        handle:cancel()
        resume(nil, ("%s sent more than %d bytes"):format(request.where, reach_http.MOST))
      end,
      on_done = resume,
    }
    if not handle then return resume(nil, refused) end
    return function() handle:cancel() end
  end, deadline)
  if status then
    return { status = status, headers = headers_of(head), body = table.concat(body), seconds = async.now() - began }
  end
  if why == "timeout" then return nil, request.where .. " gave no answer in time" end
  return nil, (tostring(why):gsub("^http: ", ""))
end

return reach_http
