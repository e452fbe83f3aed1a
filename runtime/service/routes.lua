--- What the service answers: a table of paths, and the checks that each request goes through first.

local async = require "runtime.async"
local crypto = require "host.crypto"
local json = require "runtime.json"
local reason = require "runtime.service.reason"

local routes = {}

local LONGEST_WAIT_S = 600
local TEXT = "text/plain; version=0.0.4; charset=utf-8"

local NO_PATH = "there are /healthz, /metrics, /run and /runs/ID"

local function answer(status, value, headers)
  return { status = status, body = json.encode(value) .. "\n", headers = headers }
end

local function refuse(status, message, next_step, headers)
  return answer(status, { schema = 1, error = { message = message, next = next_step } }, headers)
end

local function healthz(service)
  local nodes, reachable = service.nodes(), false
  for _, n in ipairs(nodes) do reachable = reachable or n.state == "up" end
  return answer(reachable and 200 or 503, { schema = 1, status = reachable and "ok" or "no node is reachable",
    version = require "runtime.version", nodes = nodes })
end

local function metrics(service) return { status = 200, body = service.metrics(), kind = TEXT } end

local function names_of(service)
  local names = {}
  for i, n in ipairs(service.nodes()) do names[i] = n.name end
  return names
end

local function is_known(names, node)
  for _, name in ipairs(names) do
    if name == node then return true end
  end
end

-- Which node is meant, where there are several.
local function place(wanted, names)
  if wanted.node and not is_known(names, wanted.node) then
    return nil, ("this watch has no node %s"):format(json.encode(wanted.node))
  end
  if not wanted.node and #names > 1 then
    return nil, "there are several nodes: say which, as /run?node=NAME or by node in a JSON body"
  end
  wanted.node = wanted.node or names[1]
  return true
end

local function told(service, status, run)
  return answer(status, service.runs:told(run), { Location = "/runs/" .. run.id })
end

local ASKS = { wait = true, node = true }

-- A word that is misspelled would have us do something else than was asked for.
local function unknown_word(query)
  for name in pairs(query) do
    if not ASKS[name] then return ("there is no %s to ask with"):format(json.encode(name)) end
  end
end

local function post_run(service, r)
  local wait, unknown = r.query.wait, unknown_word(r.query)
  if unknown then return refuse(400, unknown, "behind ? there are wait=SECONDS and node=NAME, with & between") end
  if wait and not (wait:match "^%d+$" and #wait <= 3 and tonumber(wait) <= LONGEST_WAIT_S) then
    return refuse(400, ("wait must be seconds from 0 to %d"):format(LONGEST_WAIT_S))
  end
  local names = names_of(service)
  local wanted, why, status = reason.read(r.body, r.headers["content-type"], names, r.query.node)
  if not wanted then return refuse(status or 400, why, "`beamlens-run help watch` says what a body may be") end
  if wanted.resolved then return answer(200, { schema = 1, state = "ignored", reason = "nothing is firing" }) end
  local ok
  ok, why = place(wanted, names)
  if not ok then return refuse(400, why, "one of " .. table.concat(names, ", ")) end
  local run, later = service.runs:ask(wanted)
  if not run then
    return refuse(429, "too many runs wait already, or began within the hour", ("ask again in %d s"):format(later),
      { ["Retry-After"] = later })
  end
  if wait then service.runs:wait(run, async.now() + tonumber(wait)) end
  return told(service, run.ended_at and 200 or 202, run)
end

local function get_run(service, r)
  local id = r.path:match "^/runs/(%w+)$"
  local run = service.runs:get(id)
  if not run then
    return refuse(404, ("there is no run %s, or it was forgotten"):format(id),
      "POST /run told its id; what was kept is shown by `beamlens-run show`")
  end
  return told(service, 200, run)
end

local ROUTES = {
  { path = "^/healthz$", GET = healthz },
  { path = "^/metrics$", GET = metrics },
  { path = "^/run$", POST = post_run, guarded = true },
  { path = "^/runs/%w+$", GET = get_run, guarded = true },
}

local function find(path)
  for _, route in ipairs(ROUTES) do
    if path:find(route.path) then return route end
  end
end

local function methods_of(route) return route.POST and "POST" or "GET, HEAD" end

-- A page in somebody's browser may turn its own name to this address; it cannot turn the header Host.
local function from_elsewhere(service, r)
  if r.headers.origin then return refuse(403, "a web page may not ask here", "use curl, or a server's own client") end
  if service.hosts and not service.hosts[(r.headers.host or ""):lower()] then
    return refuse(421, "this is not the host that was asked for", "ask 127.0.0.1 with its port")
  end
end

local function unknown_person(service, r, route)
  if not (route.guarded or service.closed_to_all) then return nil end
  if not service.token then return refuse(403, "no token was set, so no run can be asked for", "give --token-file") end
  if service.token.is(r.headers.authorization) then return nil end
  return refuse(401, "the token is missing or wrong", "send it as Authorization: Bearer …",
    { ["WWW-Authenticate"] = "Bearer" })
end

--- Why a request is not answered, by its head alone: whoever may not ask need not send a body.
---@param service table
---@param r HttpRequest
---@return table?
function routes.refuse(service, r)
  local route = find(r.path)
  local refused = from_elsewhere(service, r) or unknown_person(service, r, route or {})
  if refused then return refused end
  if not route then return refuse(404, "there is no such path", NO_PATH) end
  if not (route[r.method] or r.method == "HEAD" and route.GET) then
    return refuse(405, ("%s is not for this path"):format(r.method), "ask it by " .. methods_of(route),
      { Allow = methods_of(route) })
  end
end

--- Answers what was not refused.
---@param service table
---@param r HttpRequest   with its body
---@return table
function routes.answer(service, r)
  local route = find(r.path)
  local handler = route[r.method] or route.GET
  local ok, result = xpcall(handler, debug.traceback, service, r)
  if ok then return result end
  local id = crypto.hex(crypto.random(4))
  io.stderr:write(("beamlens-run: a fault of ours (%s): %s\n"):format(id,
    require("runtime.plain").text(result:match "^[^\n]*")))
  return refuse(500, "a fault of ours", "look for " .. id .. " on stderr")
end

return routes
