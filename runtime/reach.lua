--- What a skill may reach beside its node: the hosts that the config names, by TCP or HTTP, and while one of its
--- functions runs. What was opened then is closed when that ends. Nobody here can judge what is sent over a
--- connection, so naming a host in the config is the owner's word for every skill of the run.

local reach_hosts = require "runtime.reach_hosts"
local reach_http = require "runtime.reach_http"
local reach_secrets = require "runtime.reach_secrets"
local reach_tcp = require "runtime.reach_tcp"
local reach_visit = require "runtime.reach_visit"
local telemetry = require "runtime.telemetry"

local reach = {}

---@class Reach
---@field hosts table<string, true|table<string, true>>   "127.0.0.1:6379", with the secrets that may go there
---@field config? string   the file that names them; the usual one if left out
---@field conceal fun(mask: Privacy)
---@field open fun(host: string, port: integer, deadline: number): table?, string?
---@field request fun(request: HttpRequest, deadline: number): table?, string?   its headers are Pieces, and so is
---  what a connection of `open` sends

--- The hosts of the config, with the secrets that may go there.
---@param list? string[]
---@return table<string, true|table<string, true>>?
---@return Failure? err
function reach.hosts(list)
  local set, err = reach_hosts.read(list)
  err = err or reach_secrets.fault(set)
  if err then return nil, err end
  return set
end

local attached = setmetatable({}, { __mode = "k" }) -- reach -> what says the hosts of the config now

--- Lets the skills that look at a node reach these hosts.
---@param node table
---@param hosts table<string, true|table>   from reach.hosts
---@param now? fun(): string[]             the config's hosts, after an edit
---@param config? string                    the file that names them
function reach.attach(node, hosts, now, config)
  local to, secrets = { hosts = hosts, config = config }, reach_secrets.new(hosts)
  function to.open(host, port, deadline)
    local where = (host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(host, port)
    local connection, err = reach_tcp.open(host, port, deadline)
    if not connection then return nil, err end
    local send = connection.send
    function connection.send(pieces)
      local text, refused = secrets:filled(pieces, where)
      if refused then return nil, refused end
      return send(text)
    end
    return connection
  end
  function to.request(request, deadline)
    local headers = {}
    for i, header in ipairs(request.headers) do
      local filled, err = secrets:filled(header, request.where, request.url)
      if not filled then return nil, err end
      headers[i] = filled
    end
    return reach_http.request(setmetatable({ headers = headers }, { __index = request }), deadline)
  end
  function to.conceal(mask) secrets:conceal(mask) end
  node.reach, attached[to] = to, now
end

-- The same table holds others, for whoever has it already. A slip leaves all as it was.
local function renew(to, now)
  local set = reach.hosts(now())
  if not set then return end
  for where in pairs(to.hosts) do to.hosts[where] = set[where] end
  for where, names in pairs(set) do to.hosts[where] = names end
end

telemetry.on("reload.config", function()
  for to, now in pairs(attached) do renew(to, now) end
end)

local NOWHERE = { hosts = {} }

--- What one function of a skill is handed while it runs, by the names in `uses`, and what closes it. Who may reach
--- out may ask for secrets, too.
---@param node table
---@param uses? string[]
---@param o { name: string, class: Class, seconds: number }   who reaches out, and how long it may take
---@return { tcp?: SkillTcp, http?: SkillHttp, secret?: fun(name: string): string }
---@return fun()? close     nil when it uses none of these
function reach.handed(node, uses, o)
  local handed, visit = {}, nil
  for _, use in ipairs(uses or {}) do
    if use == "tcp" or use == "http" then
      visit = visit or reach_visit.begin(node.reach or NOWHERE, o)
      handed[use], handed.secret = visit[use], visit.secret
    end
  end
  return handed, visit and visit.close
end

return reach
