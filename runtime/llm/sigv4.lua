--- AWS Signature Version 4. Ours, because libcurl's signs a path with %3A in it wrongly, and ids of
--- models have a colon: outside S3 the path is encoded once more for the signature than for the wire.

local crypto = require "host.crypto"

local sigv4 = {}

local ALGORITHM = "AWS4-HMAC-SHA256"

local function bytes(hex) return (hex:gsub("%x%x", function(two) return string.char(tonumber(two, 16)) end)) end

local function hmac(key, text) return bytes(crypto.hmac(key, text)) end

--- As a part of a path or of a query: all but what is never special becomes %XX.
---@param text string
---@return string
function sigv4.encoded(text)
  return (text:gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- Dots and double slashes go first, then each part is encoded; the slashes between stay.
local function canonical_path(path)
  local parts = {}
  for part in path:gmatch "[^/]+" do
    if part == ".." then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = sigv4.encoded(part)
    end
  end
  local text = "/" .. table.concat(parts, "/")
  return text ~= "/" and path:find("/$") and text .. "/" or text
end

local function decoded(text) return (text:gsub("%%(%x%x)", function(two) return string.char(tonumber(two, 16)) end)) end

local function canonical_query(query)
  local pairs_of = {}
  for pair in (query or ""):gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=?(.*)$"
    pairs_of[#pairs_of + 1] = { sigv4.encoded(decoded(name)), sigv4.encoded(decoded(value)) }
  end
  table.sort(pairs_of, function(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    return a[2] < b[2]
  end)
  for i, pair in ipairs(pairs_of) do pairs_of[i] = pair[1] .. "=" .. pair[2] end
  return table.concat(pairs_of, "&")
end

-- Names in small letters and in order, blanks of values as one; headers of one name are one, joined.
local function canonical_headers(headers)
  local by_name, names = {}, {}
  for _, header in ipairs(headers) do
    local name, value = header[1]:lower(), header[2]:gsub("%s+", " "):match "^ ?(.-) ?$"
    if by_name[name] then
      by_name[name] = by_name[name] .. "," .. value
    else
      by_name[name], names[#names + 1] = value, name
    end
  end
  table.sort(names)
  local lines = {}
  for i, name in ipairs(names) do lines[i] = name .. ":" .. by_name[name] .. "\n" end
  return table.concat(lines), table.concat(names, ";")
end

---@class SigningRequest
---@field method string
---@field path string             as it goes over the wire, encoded once
---@field query? string
---@field headers { [1]: string, [2]: string }[]   those to sign, host among them
---@field body string
---@field region string
---@field service string
---@field key_id string
---@field secret string
---@field token? string           of a session
---@field time? string|integer    "20150830T123600Z", or seconds since 1970; now, if left out

local function stamp_of(time)
  if type(time) == "string" then return time end
  return os.date("!%Y%m%dT%H%M%SZ", time or os.time())
end

--- What a request is signed over, and the signature.
---@param r SigningRequest
---@return { [1]: string, [2]: string }[] headers   to be added: x-amz-date, x-amz-security-token, authorization
---@return { canonical: string, to_sign: string, signature: string } steps
function sigv4.sign(r)
  local stamp = stamp_of(r.time)
  local day = stamp:sub(1, 8)
  local added = { { "x-amz-date", stamp } }
  if r.token then added[2] = { "x-amz-security-token", r.token } end
  local signed = { unpack(r.headers) }
  for _, header in ipairs(added) do signed[#signed + 1] = header end
  local lines, names = canonical_headers(signed)
  local canonical = table.concat({ r.method, canonical_path(r.path), canonical_query(r.query), lines, names,
    crypto.sha256(r.body) }, "\n")
  local scope = table.concat({ day, r.region, r.service, "aws4_request" }, "/")
  local to_sign = table.concat({ ALGORITHM, stamp, scope, crypto.sha256(canonical) }, "\n")
  local key = hmac(hmac(hmac(hmac("AWS4" .. r.secret, day), r.region), r.service), "aws4_request")
  local signature = crypto.hmac(key, to_sign)
  added[#added + 1] = { "authorization", ("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s"):format(ALGORITHM,
    r.key_id, scope, names, signature) }
  return added, { canonical = canonical, to_sign = to_sign, signature = signature }
end

return sigv4
