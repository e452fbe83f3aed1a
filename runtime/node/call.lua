--- Calls of functions on the node, many at a time over one link. A call is a process there that
--- we ask the node to start (SPAWN_REQUEST of erpc:execute_call/4) and whose exit reason is the
--- answer: so it has its own heap limit and priority, and can be killed when its time is up.
--- A node that cannot do that is asked through `rex`, which can neither limit nor kill.

local async = require "runtime.async"
local control = require "runtime.node.control"
local etf = require "host.etf"
local failure = require "runtime.failure"
local outcome = require "runtime.node.outcome"
local stdio = require "runtime.node.stdio"

local call = {}

local A, OP, decode = etf.A, control.OP, etf.decode

local EXECUTE = etf.tuple(A.erpc, A.execute_call, 4)
local TIMEOUT_S = 10

---@class CallOptions
---@field timeout? number      seconds from now, 10 if neither is given
---@field deadline? number     absolute; the earlier of both counts
---@field heap_words? integer  the process is killed when it needs more; no limit if left out
---@field priority? "low"|"normal"|"high"
---@field group_leader? "user" what is printed goes to the node's own output: for calls that leave processes behind
---@field outlives? true     of a query: it is not ended with the connection, for it is to be done whole or not at all
---@field runs_out? true     its deadline is that of the whole run
---@field form? "raw"|"json"   the answer as bytes or as JSON text instead of Lua values

---@class Calls
---@field link Link
---@field pending table<any, table>  by ref: what waits for an exit; by pid: what waits for rex
---@field boxes table<any, table>    by the pid we gave it as group leader: whose output that is
---@field mailboxes table<any, table>   by pid: who takes what is sent there, of how many bytes at most
---@field private us any             our pid in everything that needs one
---@field private count integer
---@field private through_rex boolean
local Calls = {}
Calls.__index = Calls

local function fresh_pid(self)
  self.count = self.count + 1
  local session = self.link.session
  return etf.pid(session.name, self.count % 2^28, math.floor(self.count / 2^28), session.creation)
end

-- The first word of a reference has 18 bits.
local function fresh_ref(self)
  self.count = self.count + 1
  local session = self.link.session
  return etf.ref(session.name, session.creation, { self.count % 2^18, math.floor(self.count / 2^18), 0 })
end

local function forget(self, request)
  self.pending[request.key] = nil
  self.boxes[request.box] = nil
end

local function end_call(self, request, ...)
  forget(self, request)
  request.resume(...)
end

-- Kills what we know by name. What was only asked for so far is killed when the node names it;
-- sending a signal to a pid that we do not have would cut the link.
local function abandon(self, request)
  request.abandoned = true
  self.boxes[request.box] = nil
  if request.pid then
    self.pending[request.key] = nil
    self.link:send(control.exit(self.us, request.pid, A.kill))
  elseif request.through_rex then
    self.pending[request.key] = nil
  end
end

local options_of = {}  -- encoded once for each combination in use

--- What the process of a question is started with: its limits, and that its end is told.
---@param o CallOptions
---@return any list
function call.spawn_options(o)
  local key = (o.heap_words or 0) .. (o.priority or "normal")
  local options = options_of[key]
  if not options then
    local list = { A.monitor }
    if o.priority then list[#list + 1] = etf.tuple(A.priority, A[o.priority]) end
    if o.heap_words then
      list[#list + 1] = etf.tuple(A.max_heap_size,
        etf.amap { size = o.heap_words, kill = true, error_logger = false })
    end
    options = etf.raw(etf.encode(list):sub(2))
    options_of[key] = options
  end
  return options
end

local function begin(self, request, module, func, args, o)
  local group_leader = o.group_leader == "user" and self.user or request.box
  if request.through_rex then
    local what = etf.tuple(A.call, A[module], A[func], args, group_leader)
    return control.reg_send(request.key, "rex", etf.tuple(request.key, what))
  end
  local arguments = { request.key, A[module], A[func], args }
  return control.spawn_request(request.key, self.us, group_leader, EXECUTE, call.spawn_options(o), arguments)
end

local function attempt(self, module, func, args, o, deadline)
  local request = {
    through_rex = self.through_rex, form = o.form, heap_words = o.heap_words, box = fresh_pid(self),
    subject = o.subject or ("%s:%s/%d"):format(module, func, #args), started = async.now(), runs_out = o.runs_out,
  }
  if self.link.closed then return request, nil, self.link.closed end -- while another was waited for
  request.key = request.through_rex and fresh_pid(self) or fresh_ref(self)
  local frame = begin(self, request, module, func, args, o)
  self.pending[request.key], self.boxes[request.box] = request, request
  local _, err = async.await(function(resume)
    request.resume = resume
    self.link:send(frame)
    return function() abandon(self, request) end
  end, deadline)
  if request.buffer then
    local value
    value, err = outcome.read(request)
    return request, value, err
  elseif failure.is(err) then
    return request, nil, err
  end
  if not request.abandoned then forget(self, request) end
  return request, nil, outcome.gave_up(request, err)
end

-- Once per link, for calls whose processes live on and print after we have gone.
local function find_user(self, deadline)
  if self.user then return end
  local _, pid = attempt(self, "erlang", "whereis", { A.user }, {}, deadline)
  self.user = etf.kind(pid) == "pid" and pid or nil
end

--- Calls a function on the node and waits for its answer.
---@param module string
---@param func string
---@param args table        the list of arguments; values as host.etf encodes them
---@param o? CallOptions
---@return any value        nil when it failed; an atom `nil` is an object
---@return Failure? err
---@return { bytes: integer, ms: number, printed: string? } cost   of the answer
function Calls:run(module, func, args, o)
  o = o or {}
  local started = async.now()
  local deadline = started + (o.timeout or TIMEOUT_S)
  if o.deadline and (not o.timeout or o.deadline < deadline) then deadline = o.deadline end
  if o.group_leader == "user" then find_user(self, deadline) end
  local request, value, err = attempt(self, module, func, args, o, deadline)
  if err and outcome.lacks_erpc(request) and not self.through_rex then
    self.through_rex = true
    request, value, err = attempt(self, module, func, args, o, deadline)
  end
  return value, err, { bytes = request.bytes or 0, ms = (async.now() - started) * 1000, printed = stdio.text(request) }
end

--- A pid of ours that the node's processes may send to.
---@param take fun(message: any)   in no task, so it may not wait; nil stands for one that was too large
---@param most integer             bytes of a message
---@return any pid
function Calls:open_mailbox(take, most)
  local pid = fresh_pid(self)
  self.mailboxes[pid] = { take = take, most = most }
  return pid
end

--- Our pid on this link.
---@return any
function Calls:pid() return self.us end

function Calls:close_mailbox(pid) self.mailboxes[pid] = nil end

--- Can heap limit, priority and killing be had on this node?
---@return boolean
function Calls:limited() return not self.through_rex end

-- The answer stays in the buffer until the task reads it: decoding needs no copy.
local function answered(self, request, buffer, from, to)
  request.buffer, request.at, request.bytes = buffer, from, to - from + 1
  end_call(self, request)
end

local handlers = {}

handlers[OP.SPAWN_REPLY] = function(self, message)
  local request = self.pending[message[2]]
  if not request then return end
  if etf.kind(message[5]) == "pid" then
    request.pid = message[5]
    if request.abandoned then
      forget(self, request)
      self.link:send(control.exit(self.us, request.pid, A.kill))
    end
  else
    request.refused = tostring(message[5])
    if request.abandoned then forget(self, request) else end_call(self, request, nil, outcome.refused(request)) end
  end
end

handlers[OP.PAYLOAD_MONITOR_P_EXIT] = function(self, message, buffer, from, to)
  local request = self.pending[message[4]]
  if request and not request.abandoned then answered(self, request, buffer, from, to) end
end

-- A peer that sends no payloads with exits puts the reason into the message.
handlers[OP.MONITOR_P_EXIT] = function(self, message)
  local bytes = etf.encode(message[5])
  handlers[OP.PAYLOAD_MONITOR_P_EXIT](self, message, bytes, 1, #bytes)
end

handlers[OP.SEND] = function(self, message, buffer, from, to)
  local receiver = message[3]
  local request = self.pending[receiver]
  if request then return answered(self, request, buffer, from, to) end
  local mailbox = self.mailboxes[receiver]
  local payload, why
  if not mailbox or to - from < mailbox.most then
    payload, why = decode(buffer, from)
    if payload == nil then return why end
  end
  if mailbox then mailbox.take(payload) else stdio.serve(self, receiver, payload) end
end

handlers[OP.SEND_SENDER] = handlers[OP.SEND]

-- Erlang's net_adm:ping/1 asks net_kernel; without an answer it waits for ever.
handlers[OP.REG_SEND] = function(self, message, buffer, from)
  if message[4] ~= A.net_kernel then return end
  local payload, why = decode(buffer, from)
  if payload == nil then return why end
  if etf.kind(payload) == "tuple" and payload[1] == A["$gen_call"] and etf.kind(payload[2]) == "tuple"
    and etf.kind(payload[2][1]) == "pid" then
    self.link:send(control.send(payload[2][1], etf.tuple(payload[2][2], A.yes)))
  end
end

-- Our boxes, our own pid and the name that is pinged live; whatever else is monitored is not there.
handlers[OP.MONITOR_P] = function(self, message)
  local of = message[3]
  if self.boxes[of] or self.mailboxes[of] or self.pending[of] or of == self.us or of == A.net_kernel then return end
  self.link:send(control.monitor_exit(of, message[2], message[4], A.noproc))
end

handlers[OP.UNLINK_ID] = function(self, message)
  self.link:send(control.unlink_ack(message[2], message[4], message[3]))
end

-- What must stand at which place of a message that we read, for handlers to trust it. `false`: any.
local FORMS = {
  [OP.SEND] = { "integer", false, "pid" },
  [OP.SEND_SENDER] = { "integer", false, "pid" },
  [OP.REG_SEND] = { "integer", "pid", false, "atom" },
  [OP.MONITOR_P] = { "integer", "pid", false, "ref" },
  [OP.MONITOR_P_EXIT] = { "integer", false, false, "ref", false },
  [OP.PAYLOAD_MONITOR_P_EXIT] = { "integer", false, false, "ref" },
  [OP.SPAWN_REPLY] = { "integer", "ref", false, false, false },
  [OP.UNLINK_ID] = { "integer", false, "pid", "pid" },
}

local function misshaped(message)
  local form = FORMS[message[1]]
  if #message < #form then return "a control message that is too short" end
  for i, kind in ipairs(form) do
    if kind and etf.kind(message[i]) ~= kind then return ("a control message with no %s at %d"):format(kind, i) end
  end
end

-- Messages that we have no use for (links, exits, traces) are taken silently.
local function on_frame(self, buffer, from, to)
  local message, next_at = decode(buffer, from)
  if message == nil then return next_at end
  if etf.kind(message) ~= "tuple" or next_at > to + 1 then return "no control message" end
  local handler = handlers[message[1]]
  if not handler then return end
  return misshaped(message) or handler(self, message, buffer, next_at, to)
end

-- The control message stands at the front and is short: it tells whose answer is too large.
local function on_oversize(self, head, length)
  local message = decode(head, 1)
  if etf.kind(message) ~= "tuple" then return end
  local answer = self.pending[message[4]] or self.pending[message[3]]
  if answer then return end_call(self, answer, nil, outcome.too_large(answer, length, self.link.largest)) end
  local mailbox = self.mailboxes[message[3]]
  if mailbox then return mailbox.take(nil) end
  local printing = self.boxes[message[3]]
  if printing then
    local pid = printing.pid
    end_call(self, printing, nil, outcome.too_large(printing, length, self.link.largest))
    if pid then self.link:send(control.exit(self.us, pid, A.kill)) end
  end
end

-- Whoever is woken here may call again at once; the link is marked as closed before.
local function on_down(self, why)
  local waiting = self.pending
  self.pending, self.boxes, self.mailboxes = {}, {}, {}
  for _, request in pairs(waiting) do
    if not request.abandoned then request.resume(nil, why) end
  end
end

--- Takes a link that was just opened and reads it from now on.
---@param link Link
---@param on_down_too fun(why: Failure)
---@return Calls
function call.attach(link, on_down_too)
  local self = setmetatable({
    link = link, pending = {}, boxes = {}, mailboxes = {}, count = 0, through_rex = not link.session.spawn,
  }, Calls)
  self.us = fresh_pid(self)
  link.on_frame = function(...) return on_frame(self, ...) end
  link.on_oversize = function(...) on_oversize(self, ...) end
  link.on_quiet = function() async.spawn(self.run, self, "erlang", "node", {}) end
  link.on_down = function(why)
    on_down_too(why) -- first: who is woken below must see that the node is down
    on_down(self, why)
  end
  link.start()
  return self
end

return call
