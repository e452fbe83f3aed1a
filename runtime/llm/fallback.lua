--- Several clients, one after the other: the next is asked where one cannot answer and no waiting
--- mends it soon. Who failed is asked last for a while, also by the agents of later runs.
---
--- A conversation that is too long stays so with the next client, and a task that was cancelled
--- wants no answer from anybody: those go up at once.

local async = require "runtime.async"
local fault = require "runtime.llm.fault"
local telemetry = require "runtime.telemetry"

local fallback = {
  rest_s = 60,          -- so long one that failed is asked last
  quota_rest_s = 600,   -- an empty account is not filled in a minute
  patience_s = 5,       -- a longer pause before another try: the next client first
  share = 0.5,          -- of the time that is left, for one behind whom others stand
}

local down = {}  -- by a client's name: until when it is asked last

--- Forgets who failed.
function fallback.reset() down = {} end

local Fallback = {}
Fallback.__index = Fallback

-- A request that it finds wrong says nothing of how it is.
local ABOUT_THE_REQUEST = { [400] = true, [413] = true, [422] = true }

local function note_down(name, err)
  if ABOUT_THE_REQUEST[err.status] then return end
  local rest = err.class == "quota" and fallback.quota_rest_s or fallback.rest_s
  down[name] = async.now() + math.max(rest, err.wait_s or 0)
end

-- Those that are well, in the order of the config, before those that failed lately.
local function in_order(members)
  local now, well, rest = async.now(), {}, {}
  for _, member in ipairs(members) do
    local list = (down[member.name] or 0) > now and rest or well
    list[#list + 1] = member
  end
  for _, member in ipairs(rest) do well[#well + 1] = member end
  return well
end

local function request_of(self, request, is_last)
  local own = {}
  for key, value in pairs(request) do own[key] = value end
  own.known_tools = self.tools
  if is_last then return own end
  own.patience_s = fallback.patience_s
  local now = async.now()
  if own.deadline then own.deadline = now + (own.deadline - now) * fallback.share end
  return own
end

local function is_final(err, request)
  if err.class == "shrink" or async.current().cancelled then return true end
  -- Out of its own share of the time is not out of time.
  return request.deadline ~= nil and async.now() >= request.deadline
end

local function head(err) return tostring(err.message):match "^[^;]*" end

-- Most sentences begin with the name already.
local function of_whom(one, words)
  return words:sub(1, #one.name) == one.name and words or ("%s: %s"):format(one.name, words)
end

-- The last one's error, and what was the matter with those before.
local function of_all(failed)
  local last = failed[#failed]
  if #failed == 1 then return last.err end
  local before = {}
  for i = 1, #failed - 1 do before[i] = of_whom(failed[i], head(failed[i].err)) end
  return fault.new(last.err.class, ("%s (before that %s)"):format(of_whom(last, last.err.message),
    table.concat(before, "; ")), { status = last.err.status, type = last.err.type })
end

---@param request table
---@return table|nil reply
---@return ProviderFault? err
function Fallback:ask(request)
  if request.tools and #request.tools > 0 then self.tools = request.tools end
  local members, failed = in_order(self.members), {}
  for i, member in ipairs(members) do
    local own = request_of(self, request, i == #members)
    local reply, err = member:ask(own)
    if reply then
      down[member.name] = nil
      return reply
    end
    if is_final(err, request) then return nil, err end
    note_down(member.name, err)
    failed[i] = { name = member.name, err = err }
    if members[i + 1] then
      local emit = request.emit or telemetry.emit
      emit("llm.fallback", nil, { provider = self.name, from = member.name, to = members[i + 1].name,
        reason = err.message, class = err.class })
    end
  end
  return nil, of_all(failed)
end

---@param name string
---@param members table[]   providers, each with its name
---@return table provider
function fallback.new(name, members) return setmetatable({ name = name, members = members }, Fallback) end

return fallback
