--- One run of one function of a skill, as far as it reaches beside its node: what it is handed for that, what it may
--- open, and what is closed when it ends.

local async = require "runtime.async"
local failure = require "runtime.failure"
local files = require "runtime.files"
local json = require "runtime.json"
local reach_hosts = require "runtime.reach_hosts"
local reach_http = require "runtime.reach_http"
local reach_secrets = require "runtime.reach_secrets"

local reach_visit = {}

local MOST_OPENED = 16      -- connections and requests of one callback
local USUAL_S = 10
local LONGEST_JSON = 256 * 1024

---@class SkillTcp
---@field open fun(host: string, port: integer, seconds?: number): SkillConnection?, any?

---@class SkillHttp
---@field get fun(url: string, o?: { headers?: table<string, string>, seconds?: number }): table?, any?
---  { status, headers (names in small letters), body, seconds (it took) }
---@field post fun(url: string, body: string, o?: table): table?, any?   for a callback that is not SAFE
---@field decode fun(text: string): any, string?   of JSON; null is nil in an object

local function misused(who, why, next_step)
  error(failure.new("skill", ("%s: %s"):format(who, why), next_step, 2), 0)
end

local function failed(why, where)
  if failure.is(why) then return nil, why end
  return nil, failure.new("reach", where and ("%s %s"):format(where, why) or why,
    "see that it runs and answers there", 4)
end

-- What it opened, until when, and what stands for the secrets that it asked for.
local function visit_of(to, o)
  local v = { connections = {}, opened = 0, marks = reach_secrets.marks() }
  local ends = async.now() + o.seconds

  function v.deadline(seconds)
    if seconds ~= nil and (type(seconds) ~= "number" or seconds ~= seconds or seconds <= 0) then
      misused(o.name, "waits seconds, a number above 0, and not " .. tostring(seconds), "give it as the last argument")
    end
    return math.min(ends, async.now() + (seconds or USUAL_S))
  end

  function v.permit(where)
    if not to.hosts[where] then
      return failure.refused(("%s may not reach %s"):format(o.name, where),
        ('if you want that, add it to hosts = { "%s" } in %s'):format(where,
          to.config or files.config_home() .. "/config.lua"))
    end
    v.opened = v.opened + 1
    if v.opened > MOST_OPENED then
      return nil, failure.new("skill", ("%s opens more than %d connections"):format(o.name, MOST_OPENED),
        "ask for more at once, over one connection", 2)
    end
    return true
  end

  function v.close()
    for _, connection in ipairs(v.connections) do connection.close() end
  end
  return v
end

local function tcp_of(to, o, v)
  local function open(host, port, seconds)
    if type(host) ~= "string" or not reach_hosts.is_host(host) or type(port) ~= "number" or port % 1 ~= 0 then
      misused(o.name, "tcp.open wants a host and a port", 'for example tcp.open("127.0.0.1", 6379)')
    end
    local where, deadline = ("%s:%d"):format(host:lower(), port), v.deadline(seconds)
    local ok, err = v.permit(where)
    if not ok then return nil, err end
    local connection, why = to.open(host:lower():match "^%[(.*)%]$" or host:lower(), port, deadline)
    if not connection then return failed(why, where) end
    v.connections[#v.connections + 1] = connection
    local handed = { close = connection.close }
    for _, name in ipairs { "send", "read", "read_line" } do
      handed[name] = function(value)
        if type(value) == "table" then
          misused(o.name, ("calls %s with a colon"):format(name), ("write connection.%s(…), with a dot"):format(name))
        end
        local given = name == "send" and type(value) == "string" and v.marks.pieces(value) or value
        local result, wrong = connection[name](given)
        if result == nil then return failed(wrong, where) end
        return result
      end
    end
    return handed
  end
  return { open = open }
end

-- Read strictly, so that nothing that another reader of URLs takes for a host stands elsewhere in it.
local function address(o, url)
  local scheme, authority, path = tostring(url):match "^(https?)://([^/?#]+)([^#%c%s\\]*)$"
  local host, port = reach_hosts.split(authority and (authority:match ":%d+$" and authority
    or authority .. (scheme == "https" and ":443" or ":80")) or "")
  if not host then
    misused(o.name, ("%s is no http:// or https:// address"):format(tostring(url):sub(1, 100)),
      "give it as https://host:port/path")
  end
  return ("%s://%s:%d%s"):format(scheme, host, port, path), ("%s:%d"):format(host, port)
end

-- How a request is framed, and for whom, follows from its address and its body: another reading of that would be
-- another request, or one to another host behind the same address.
local FRAMES = { host = true, connection = true, upgrade = true, te = true, trailer = true, expect = true,
  ["content-length"] = true, ["transfer-encoding"] = true, ["keep-alive"] = true, ["proxy-connection"] = true }

local function headers_of(o, given, marks)
  local list = {}
  for name, value in pairs(given or {}) do
    if type(name) ~= "string" or not name:match "^[%w%-_]+$" or tostring(value):find "%c" then
      misused(o.name, ("%s is no header"):format(tostring(name):sub(1, 60)), 'write it like ["Accept"] = "text/plain"')
    end
    if FRAMES[name:lower():gsub("_", "-")] then
      misused(o.name, ("the header %s is ours to set"):format(name), "leave it out")
    end
    list[#list + 1] = ("%s: %s"):format(name, tostring(value))
  end
  table.sort(list)
  for i, header in ipairs(list) do list[i] = marks.pieces(header) end
  return list
end

-- `null` in an object is as if it were not there: to a skill it would be one more kind of value.
local function without_null(value)
  if type(value) ~= "table" then return value end
  for key, item in pairs(value) do
    if item == json.null and type(key) == "string" then value[key] = nil else value[key] = without_null(item) end
  end
  return value
end

local function http_of(to, o, v)
  local function send(method, url, body, more)
    more = more or {}
    if v.marks.stands_in(tostring(url)) or body and v.marks.stands_in(body) then
      misused(o.name, "a secret stands in an address or a body", "send it in a header")
    end
    local whole, where = address(o, url)
    local request = { url = whole, where = where, method = method, headers = headers_of(o, more.headers, v.marks),
      body = body }
    local deadline = v.deadline(more.seconds)
    local ok, err = v.permit(where)
    if not ok then return nil, err end
    local answer, why = to.request(request, deadline)
    if not answer then return failed(why) end
    return answer
  end
  local http = {}
  function http.get(url, more) return send("GET", url, nil, more) end
  function http.post(url, body, more)
    if o.class == "SAFE" then
      misused(o.name, "http.post may change something there, and this is declared SAFE", "declare it CAUTION")
    end
    if type(body) ~= "string" or #body > reach_http.MOST then
      misused(o.name, ("http.post wants a text of at most %d bytes"):format(reach_http.MOST), "send less")
    end
    return send("POST", url, body, more)
  end
  function http.decode(text)
    if type(text) ~= "string" or #text > LONGEST_JSON then
      return nil, ("JSON is a text of at most %d bytes"):format(LONGEST_JSON)
    end
    local value, why = json.decode(text)
    if value == nil then return nil, why end
    return without_null(value)
  end
  return http
end

local function secret_of(o, v)
  return function(name)
    if type(name) ~= "string" or not name:match "^[%u_][%u%d_]*$" then
      misused(o.name, "node.secret wants the name of a secret", 'for example node.secret "REDIS_PASSWORD"')
    end
    return v.marks.of(name)
  end
end

---@param to Reach
---@param o { name: string, class: Class, seconds: number }
---@return { tcp: SkillTcp, http: SkillHttp, secret: fun(name: string): string }
function reach_visit.begin(to, o)
  local v = visit_of(to, o)
  return { tcp = tcp_of(to, o, v), http = http_of(to, o, v), secret = secret_of(o, v), close = v.close }
end

return reach_visit
