--- Runs a chunk of Lua, written by a model, in a worker process of its own and serves its
--- callbacks. One worker, one chunk: whatever the chunk did to its state ends with it. A spare is
--- started ahead, so that nobody waits for a process to start.
---
--- The clock here decides, not the worker's: a chunk has its own running time, which stands still
--- while a callback is out, and the whole has an end. What the worker says is checked, and a
--- worker that says anything odd is killed. A worker tells which layers of host/jail.c hold; without
--- the filter of system calls it gets a chunk only where the owner allowed that.

local async = require "runtime.async"
local chunk_limits = require "runtime.chunk_limits"
local explain = require "runtime.chunk_errors"
local jailed = require "runtime.jailed"
local json = require "runtime.json"
local worker = require "runtime.worker"

local sandbox = {}

---@class ChunkLimits       all optional
---@field run_s number      the chunk's own running time; host/jail.c ends any worker after 65 s of processor time
---@field grace_s number    over run_s, for the worker to stop itself and say at which line; then it is killed
---@field callback_s number one callback
---@field total_s number    all of it
---@field memory integer    bytes of the Lua state; the worker process has 2 GiB of addresses at most
---@field callbacks integer
---@field arguments integer bytes of one callback's arguments as JSON
---@field reply integer     bytes of one answer as JSON
---@field result integer    bytes of the result as JSON
---@field print integer     bytes
---@field code integer      bytes
local DEFAULTS = chunk_limits.defaults()
DEFAULTS.grace_s = 0.04

---@class Chunk
---@field code string
---@field names string[]    the callbacks it may call
---@field call fun(name: string, args: any[]): any, string?  runs as a task; nil, err is raised in the chunk
---@field limits? ChunkLimits
---@field program? string   another worker than ours: for specs

---@class Outcome
---@field kind "ok"|"error"|"timeout"|"memory"|"callbacks"|"crash"|"protocol"|"unavailable"
---@field result? any       what the chunk returned; several values are a list
---@field result_json? string
---@field message? string   for the model, when kind is not "ok"
---@field line? integer     of the chunk
---@field print string
---@field calls string[]    the callbacks it made, in order
---@field elapsed_ms number

local MAX_MESSAGE = 2048
local VERDICTS = { "timeout", "memory" }

local function longest_frames(limits)
  return {
    H = jailed.LONGEST_GREETING,
    C = 2 + limits.arguments,
    D = 4 + limits.print + limits.result,
    E = 8 + limits.print + MAX_MESSAGE,
    K = 5 + limits.print,
  }
end

local Run = {}
Run.__index = Run

function Run:outcome(kind, fields)
  local out = fields or {}
  out.kind, out.print, out.calls = kind, out.print or "", self.calls
  self.over = async.now() >= self.deadline
  out.message = out.message or (kind ~= "ok" and explain.stop(kind, self) or nil)
  out.elapsed_ms = (async.now() - self.started) * 1000
  if #out.print >= self.limits.print then out.print = out.print .. "\n[print was cut here]" end
  return out
end

function Run:order()
  local l, parts = self.limits, {}
  for i, n in ipairs { math.ceil(l.run_s * 1000), l.memory, l.arguments, l.result, l.print } do
    parts[i] = worker.u32(n)
  end
  parts[#parts + 1] = worker.u16(#self.chunk.names)
  for _, name in ipairs(self.chunk.names) do
    if #name > 255 then error { callback_name_too_long = name } end
    parts[#parts + 1] = string.char(#name) .. name
  end
  return table.concat(parts) .. self.chunk.code
end

-- null at the end of the list is an argument left out, as nil would be in Lua.
local function arguments(body)
  local list = json.decode(body:sub(3))
  if type(list) ~= "table" or list == json.null then return nil end
  for key, value in pairs(list) do
    if type(key) ~= "number" then return nil end
    if value == json.null then list[key] = nil end
  end
  return list
end

local function first_line(text) return tostring(text):match "[^\n]*" end

-- The answer as JSON, or nil, err for the model. Encoded in the task, whose failures are caught.
function Run:ask(name, args)
  local task = async.spawn(function()
    local value, err = self.chunk.call(name, args)
    if value == nil and err ~= nil then return nil, tostring(err) end
    return json.encode(value)
  end)
  local deadline = math.min(self.deadline, async.now() + self.limits.callback_s)
  local ok, text, err = task:join(deadline)
  if ok and text and #text > self.limits.reply then
    return nil, ("%s: the answer has %d bytes, more than %d; ask for less (a smaller limit, one object at a time)")
      :format(name, #text, self.limits.reply)
  end
  if ok then return text, err end
  task:cancel(text)
  if text == "timeout" then return nil, ("%s: no answer in %g s"):format(name, self.limits.callback_s) end
  return nil, ("%s failed: %s"):format(name, first_line(text))
end

-- Serves one callback. A kind when it ends the run.
function Run:serve(w, body)
  local name = self.chunk.names[(body:byte(1) or 255) * 256 + (body:byte(2) or 255) + 1]
  local args = name and arguments(body)
  if not args then return "protocol" end
  if #self.calls >= self.limits.callbacks then return "callbacks" end
  self.calls[#self.calls + 1] = name
  local text, err = self:ask(name, args)
  if w:has_more() then return "protocol" end -- it was to wait for the answer
  if async.now() >= self.deadline then return "timeout" end
  if text then
    w:send("R", "\0" .. text)
  else
    w:send("R", "\1" .. json.encode(err))
  end
end

function Run:done(body)
  local length = #body >= 4 and worker.read_u32(body, 1)
  if not length or length > #body - 4 then return self:outcome "protocol" end
  local printed, text = body:sub(5, 4 + length), body:sub(5 + length)
  if text == "" and printed == "" then return self:outcome("error", { message = explain.nothing_returned }) end
  if text == "" then text = "null" end
  local result = json.decode(text)
  if result == nil then return self:outcome "protocol" end
  local out = { print = printed, result_json = json.encode(result) } -- ours, not the worker's
  if result ~= json.null then out.result = result end
  return self:outcome("ok", out)
end

function Run:failed(body)
  local length = #body >= 8 and worker.read_u32(body, 5)
  if not length or length > #body - 8 then return self:outcome "protocol" end
  local known = worker.read_u32(body, 1)
  local line, message = explain.error(body:sub(9 + length), self.chunk.code, self.chunk.names,
    known > 0 and known or nil)
  return self:outcome("error", { print = body:sub(9, 8 + length), message = message, line = line })
end

function Run:stopped(body)
  local kind = VERDICTS[body:byte(1)]
  if not kind or #body < 5 then return self:outcome "protocol" end
  local line = worker.read_u32(body, 2)
  self.line = line > 0 and line or nil
  return self:outcome(kind, { line = self.line, print = body:sub(6) })
end

-- The socket closed without a verdict. A process that ran into the kernel's limit of processor
-- time was too slow; else it crashed.
function Run:gone(w)
  local ended = w:wait_end(1)
  self.signal = ended and ended.signal ~= 0 and ended.signal or nil
  local too_slow = self.signal == 24 or self.left <= 0
  return self:outcome(too_slow and "timeout" or "crash")
end

function Run:no_frame(w, why)
  if why == "gone" then return self:gone(w) end
  if why == "protocol" or why == "timeout" then return self:outcome(why) end
  return self:outcome("error", { message = "the run was ended: " .. why })
end

function Run:drive(w)
  while true do
    local resumed = async.now()
    local kind, body = w:frame(math.min(self.deadline, resumed + self.left + self.limits.grace_s))
    self.left = self.left - (async.now() - resumed)
    if not kind then return self:no_frame(w, body) end
    if kind == "D" then return self:done(body) end
    if kind == "E" then return self:failed(body) end
    if kind == "K" then return self:stopped(body) end
    local stop = kind ~= "C" and "protocol" or self:serve(w, body)
    if stop then return self:outcome(stop) end
  end
end

--- Runs one chunk. What goes wrong is in the outcome; nothing is raised.
---@param chunk Chunk
---@return Outcome
function sandbox.execute(chunk)
  local limits, given = {}, chunk.limits or DEFAULTS
  for name, usual in pairs(DEFAULTS) do limits[name] = given[name] or usual end
  local run = setmetatable({ chunk = chunk, limits = limits, calls = {}, started = async.now() }, Run)
  run.deadline, run.left = run.started + limits.total_s, limits.run_s
  if #chunk.code > limits.code then
    return run:outcome("error", {
      message = ("the code has %d bytes, more than %d: split it into several"):format(#chunk.code, limits.code),
    })
  end
  local w, kind, why, message = jailed.take(longest_frames(limits), chunk.program)
  if not w then
    run.why = why
    return run:outcome(kind, { message = message })
  end
  w:send("X", run:order())
  local out = run:drive(w)
  w:kill()
  if not chunk.program then jailed.start_spare_soon(longest_frames(DEFAULTS)) end
  return out
end

--- Whether a chunk may run where the system refuses the filter of system calls.
---@param allowed boolean
function sandbox.allow_weak(allowed) jailed.allow_weak(allowed) end

--- What holds a worker here, asked of one. Waits, so call it inside a task.
---@return Protection
function sandbox.protection() return jailed.protection(longest_frames(DEFAULTS)) end

--- Ends the spare. A later execute starts its own again.
function sandbox.close() jailed.close() end

return sandbox
