--- A node that we are attached to. Everything above asks it through `n.query` and `n:call`; what
--- carries that (link, calls, forms) is replaced when the connection was lost and comes back.

local async = require "runtime.async"
local call = require "runtime.node.call"
local cookie = require "runtime.node.cookie"
local etf = require "host.etf"
local failure = require "runtime.failure"
local history = require "runtime.history"
local jitter = require "runtime.jitter"
local link = require "runtime.node.link"
local query = require "runtime.node.query"
local relays = require "runtime.relays"
local telemetry = require "runtime.telemetry"

local node = {}

local CONNECT_S = 10
local FIGURES_S = 2
local FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 15

---@class Load                what we cost the node since we attached
---@field calls integer
---@field reductions integer  of queries; plain calls do not say theirs
---@field bytes integer       of answers
---@field max_ms number       the longest that a call took, seen from here
local Load = {}
Load.__index = Load

function Load:count(cost)
  self.calls = self.calls + 1
  self.bytes = self.bytes + cost.bytes
  self.max_ms = math.max(self.max_ms, cost.ms)
end

---@class AttachedNode
---@field name string
---@field refusal? Failure   why it is gone for good
---@field state "up"|"down"|"reconnecting"|"closed"
---@field load Load
---@field query fun(text: string, variables?: table, opts?: CallOptions): any, Failure?
---@field sleep fun(seconds: number): true|nil, string?
---@field past Past           what was seen of it before
---@field lives integer        counted up where it was started anew while we held it
---@field deadline? number   no query goes on after this, whatever its own deadline
---@field private bounds table<table, true>   { deadline } of each run that goes on
---@field private link Link|Rpc
---@field private calls Calls|Rpc
---@field private forms table<string, any>   text -> form, as far as it was needed
---@field relays Relays
---@field uses table<string, fun(s: Skill): any>   what is made to measure for a skill
local Node = {}
Node.__index = Node

local function tell(n, state, metadata)
  n.state = state
  metadata = metadata or {}
  metadata.node = n.name
  metadata.way = state == "up" and n.door and n.door.told or nil
  telemetry.emit("node." .. state, {}, metadata)
  for _, listener in ipairs { unpack(n.listeners) } do listener(state) end
end

-- Not on the node itself, which scripts may print.
local cookies = setmetatable({}, { __mode = "k" })

local reconnect

local function asks_by_rpc(n) return n.door ~= nil and n.door.through == "rpc" end

-- What carries questions: a link, or what stands in for it where a door has none.
local function carrier(n, deadline)
  local door = n.door
  local shut = door and select(2, door:ready(deadline))
  if shut then return nil, shut end
  if asks_by_rpc(n) then
    n.relays:forbid("event relays need a link to the node, and there is none by " .. door.carrier.by.program)
    return door.carrier
  end
  return link.open {
    node = n.name, cookie = cookies[n], port = n.port, deadline = deadline, silence_s = n.silence_s,
    largest = n.largest, door = door,
  }
end

local function establish(n, deadline)
  local opened, err = carrier(n, deadline)
  if not opened then return nil, err end
  -- A node that was started anew may be of another release, and parse to other forms.
  if n.link and n.link.session.peer_creation ~= opened.session.peer_creation then
    n.forms, n.before, n.map_bindings = {}, nil, nil -- and what the old one had is nothing to compare with
    n.past:forget()
    n.lives = n.lives + 1
  end
  n.link = opened
  local function on_down(why)
    if n.state ~= "closed" then reconnect(n, why) end
  end
  if asks_by_rpc(n) then
    n.calls, opened.on_down = opened, on_down
  else
    n.calls = call.attach(opened, on_down)
  end
  return true
end

-- Without an end, but ever more rarely; a node that no longer knows our cookie is left alone,
-- for it logs each attempt.
function reconnect(n, why)
  tell(n, "down", { reason = tostring(why) })
  n.reconnecting = async.spawn(function()
    local pause, attempt = FIRST_PAUSE_S, 0
    while n.state ~= "closed" and n.link.closed do
      attempt = attempt + 1
      tell(n, "reconnecting", { attempt = attempt })
      if not async.sleep(jitter(pause)) then return end
      local up, err = establish(n, async.now() + CONNECT_S)
      if up then return tell(n, "up", { attempt = attempt }) end
      if err.stage == "cookie" then
        n.refusal = err
        return tell(n, "down", { reason = tostring(err) })
      end
      pause = math.min(pause * 2, LONGEST_PAUSE_S)
    end
  end)
end

-- Nothing, where the node is too busy to say: a node in trouble is who we come for.
local function figures(n, deadline)
  local opts = { timeout = FIGURES_S, deadline = deadline }
  local atoms, modules = unpack(async.all {
    function() return (n.calls:run("erlang", "system_info", { etf.A.atom_count }, opts)) end,
    function() return (n.calls:run("erlang", "loaded", {}, opts)) end,
  })
  if type(atoms.value) ~= "number" or type(modules.value) ~= "table" then return nil end
  return { atoms = atoms.value, modules = #modules.value }
end

--- Calls a function of the node.
---@param module string
---@param func string
---@param args table          the list of arguments
---@param opts? CallOptions
---@return any value          nil when it failed
---@return Failure? err
---@return string? printed
function Node:call(module, func, args, opts)
  local value, err, cost = self.calls:run(module, func, args, opts)
  self.load:count(cost)
  return value, err, cost.printed
end

--- Hides the node's cookie in whatever is masked from now on.
---@param mask Privacy
function Node:conceal(mask)
  if cookies[self] then mask:know(cookies[self]) end
  if self.reach then self.reach.conceal(mask) end
end

--- What the node has more of than just after we attached. Others add to it too: it is an upper
--- bound of what we caused.
---@return { modules_loaded: integer, atoms: integer, relays: integer }|nil
---@return Failure? err
function Node:footprint()
  local now = self.before and figures(self)
  if not now then
    return nil, failure.new("query", "the footprint cannot be read, the node does not answer", nil, 4)
  end
  return {
    modules_loaded = math.max(0, now.modules - self.before.modules),
    atoms = math.max(0, now.atoms - self.before.atoms),
    relays = self.relays.started,
  }
end

--- Bounds the node's queries by the deadline of a run. Of several runs beside each other the latest counts, and one
--- without a deadline bounds none: nobody is cut off at the end of another.
---@param deadline? number
---@return fun() over   the run is
function Node:bound(deadline)
  local one = { deadline = deadline or math.huge }
  local function settle()
    local latest = -math.huge
    for other in pairs(self.bounds) do latest = math.max(latest, other.deadline) end
    self.deadline = math.abs(latest) < math.huge and latest or nil
  end
  self.bounds[one] = true
  settle()
  return function()
    self.bounds[one] = nil
    settle()
  end
end

--- Whether a query's text is Erlang; what was not parsed at home is parsed there, once.
---@param text string
---@return true?
---@return Failure? err
function Node:parse(text) return query.parse(self, text) end

--- Lets go of the form of a text that is not asked any more.
---@param text string
function Node:forget(text) self.forms[text] = nil end

--- The expressions of a query's text as forms, to be judged here.
---@param text string
---@return any[]?
---@return Failure? err
function Node:forms_of(text) return query.forms(self, text) end

--- Whether it will not come back: we left it, or it no longer knows our cookie and is not asked again.
---@return boolean
function Node:is_gone()
  return self.state == "closed" or self.state == "down" and self.reconnecting ~= nil and self.reconnecting.finished
end

---@param listener fun(state: "down"|"up"|"reconnecting")
function Node:on_change(listener) self.listeners[#self.listeners + 1] = listener end

--- Detaches when every relay of ours is confirmed to be off, or after two seconds.
function Node:leave()
  if self.state == "up" then self.relays:stop_all() end
  self:close()
  if self.door then self.door:close() end
end

--- Detaches at once. Calls in flight fail; the node itself ends what was on there.
function Node:close()
  if self.state == "closed" then return end
  self.state = "closed"
  self.link:down(failure.new("node", "detached from " .. self.name, nil, 3))
  if self.reconnecting then self.reconnecting:cancel() end
end

local function check_name(name)
  if not name or name == "" then
    return failure.new("usage", "no node given", "pass --node NAME@HOST or set BEAMLENS_NODE", 2)
  elseif not name:match "^[^@%s]+@[^@%s]+$" then
    return failure.new("usage", ("'%s' is no node name"):format(name),
      "write NAME@HOST, as node() prints it on the node itself", 2)
  end
end

--- Attaches to a running node. It is not shown among its nodes() and nothing is loaded there.
---@param o { name: string, cookie_file?: string, cookie?: string, port?: integer, deadline?: number, tick_s?: number,
---  largest?: integer, relays?: false|{ lease_s?: number }, door?: Door }  port: skips epmd; tick_s: so long a silence
---  ends the link, 60 s; largest: bytes of an answer that are taken, 16 MB; relays: false for none; door: the way to
---  it, which then also knows its cookie if none is given here
---@return AttachedNode|nil
---@return Failure? err
function node.connect(o)
  local wrong = check_name(o.name)
  if wrong then return nil, wrong end
  local secret = o.cookie
  if not secret and not (o.door and not o.cookie_file) then
    local missing
    secret, missing = cookie.find(o.cookie_file)
    if not secret then return nil, missing end
  end
  local n = setmetatable({
    name = o.name, port = o.port, silence_s = o.tick_s, largest = o.largest, door = o.door, state = "down",
    load = setmetatable({ calls = 0, reductions = 0, bytes = 0, max_ms = 0 }, Load),
    forms = {}, listeners = {}, bounds = {}, lives = 1,
  }, Node)
  cookies[n] = secret
  history.attach(n)
  relays.attach(n, o.relays)
  n.query = function(text, variables, opts) return query.run(n, text, variables, opts) end
  n.sleep = async.sleep
  local up, err = establish(n, o.deadline or async.now() + CONNECT_S)
  if not up then return nil, err end
  n.before = figures(n, o.deadline)
  tell(n, "up")
  return n
end

return node
