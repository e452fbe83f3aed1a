--- What a provider answers when it does not answer: one sentence with the next step, and the
--- class that says what to do about it.

local json = require "runtime.json"
local secrets = require "runtime.secrets"
local unseen = require "runtime.unseen"

local fault = {}

---@class ProviderFault
---@field class "retry"|"wait"|"fatal"|"shrink"|"quota"|"cancelled"
---   retry: soon, it may pass; wait: slow down; shrink: send less; quota: money, not time
---@field message string       a sentence, next step included
---@field status? integer      of HTTP
---@field type? string         the provider's own word for it
---@field wait_s? number       how long it asked us to wait
---@field request_id? string
local Fault = {}
Fault.__index = Fault
function Fault:__tostring() return self.message end

---@param class string
---@param message string
---@param more? table   further fields
---@return ProviderFault
function fault.new(class, message, more)
  local f = more or {}
  f.class, f.message = class, message
  return setmetatable(f, Fault)
end

local BY_STATUS = {
  [400] = "fatal", [401] = "fatal", [402] = "quota", [403] = "fatal", [404] = "fatal", [408] = "retry",
  [409] = "retry", [413] = "shrink", [422] = "fatal", [424] = "retry", [429] = "wait",
}

-- Money and not time, whatever the status.
local QUOTA = { insufficient_quota = true, enforced_spend_limit_reached = true, contract_spend_limit_reached = true,
  linked_organization_spend_limit_reached = true, billing_error = true,
  billing_hard_limit_reached = true, ServiceQuotaExceededException = true }
local BAD_KEY = { "API key not valid" }
local NO_MONEY = { "credit balance is too low" }

local TOO_LONG = { "prompt is too long", "context_length_exceeded", "maximum context length", "context window",
  "too many tokens", "exceed_context", "input is too long", "exceeds the maximum number of tokens" }

-- What happened and what to do, by status; %s are the provider and, in the next step, its variable.
local SENTENCES = {
  [401] = { "%s refused the key", "check %s" },
  [402] = { "%s wants to be paid first", "look at the billing page, or use --provider analyst" },
  [403] = { "%s does not allow this key to do that", "check %s and the model" },
  [404] = { "%s does not know this model or address", "check --model and the base URL" },
  [408] = { "%s gave up waiting for our request", "try again" },
  [413] = { "%s finds the request too large", "ask for less at a time" },
  [424] = { "the model of %s failed", "try again, or use another --model" },
  [429] = { "%s asks us to slow down", "wait a while, or use another --model" },
  [529] = { "%s is overloaded", "try again later, or use --provider analyst" },
}
local ELSEWHERE = { "%s sends us elsewhere, and no key is sent there", "check the base URL" }
local REFUSED = { "%s refused the request", "check --model" }
local BROKEN = { "%s has a fault of its own", "try again later, or use --provider analyst" }
local EMPTY_ACCOUNT = { "the quota of this key at %s is used up", "raise it, or use --provider analyst" }
local FULL = { "the conversation is longer than the model of %s can read", "use fewer --skills, or another --model" }

local LONG_S = 60 -- a wait that is worth a word

local function text(v) return type(v) == "string" and v ~= "" and v or nil end

-- What the provider says may repeat our key to us: ours, of which `who.own` knows, or another that it was given.
local function said(who, message)
  if not message then return nil end
  message = unseen.replace(message:gsub("[%c]+", " "), "")
  message = secrets.hide(who.own and who.own:hide(message) or message, function() return "<key>" end)
  return #message > 300 and message:sub(1, 300):gsub("[\128-\255]+$", "") .. "…" or message
end

local LONGEST_WORD = 60

-- What they call it is one short word; anything else in its place is none.
local function word(who, v)
  return v and #v <= LONGEST_WORD and not v:find "[^%w_.-]" and said(who, v) == v and v or nil
end

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11,
  Dec = 12 }

-- Both clocks in UTC, so that the zone of this machine drops out.
local function seconds_until(date)
  local day, month, year, hour, min, sec = date:match "(%d+) (%a+) (%d+) (%d+):(%d+):(%d+)"
  if not (day and MONTHS[month]) then return nil end
  local now = os.time(os.date "!*t")
  return math.max(0, os.time { day = day, month = MONTHS[month], year = year, hour = hour, min = min, sec = sec } - now)
end

local function wait_of(headers)
  local ms = tonumber(headers["retry-after-ms"])
  if ms and ms >= 0 then return ms / 1000 end
  local after = headers["retry-after"]
  local s = tonumber(after)
  if s and s >= 0 then return s end
  return after and seconds_until(after)
end

local function says(words, signs)
  for _, sign in ipairs(signs) do
    if words:find(sign, 1, true) then return true end
  end
  return false
end

local function class_of(status, kind, code, message, headers, daily)
  if daily or QUOTA[kind] or QUOTA[code] then return "quota" end
  local lower = (message or ""):lower() .. " " .. (code or "")
  if status < 500 and says(lower, NO_MONEY) then return "quota" end
  if status < 500 and status ~= 429 and says(lower, TOO_LONG) then return "shrink" end
  local class = BY_STATUS[status] or (status >= 500 and "retry" or "fatal")
  if headers["x-should-retry"] == "false" and (class == "retry" or class == "wait") then return "fatal" end
  if headers["x-should-retry"] == "true" and class == "fatal" then return "retry" end
  return class
end

-- Google tells in a list how long to wait, and whose quota it was: one of a day is not over in a minute.
local function google_details(details)
  local wait, daily
  for _, detail in ipairs(details) do
    if type(detail) == "table" then
      wait = wait or tonumber((text(detail.retryDelay) or ""):match "^([%d.]+)s$")
      for _, violation in ipairs(type(detail.violations) == "table" and detail.violations or {}) do
        daily = daily or tostring(type(violation) == "table" and violation.quotaId):find "PerDay" ~= nil
      end
    end
  end
  return wait, daily
end

---@class Provider words
---@field name string   "anthropic"
---@field env string    the variable of its key
---@field own? OwnSecrets   what it was told with our requests

--- An answer that is no answer.
---@param who { name: string, env: string, own?: OwnSecrets }
---@param status integer
---@param headers table<string, string>   names in lower case
---@param body string
---@return ProviderFault
function fault.of_answer(who, status, headers, body)
  local answer = json.decode(body)
  if type(answer) == "table" and type(answer[1]) == "table" then answer = answer[1] end
  local err = type(answer) == "table" and type(answer.error) == "table" and answer.error or {}
  local details = type(err.details) == "table" and err.details or {}
  local kind = text(err.type) or text(err.status) or (headers["x-amzn-errortype"] or ""):match "^[^:]+"
  local code = text(err.code) or text(details.error_code)
  local wait_s, daily = google_details(details)
  local message = text(err.message) or (type(answer) == "table" and text(answer.message or answer.error)) or nil
  local class = class_of(status, kind, code, message, headers, daily)
  local words = class == "quota" and status ~= 402 and EMPTY_ACCOUNT or class == "shrink" and status ~= 413 and FULL
    or says(message or "", BAD_KEY) and SENTENCES[401] or SENTENCES[status] or status >= 500 and BROKEN
    or status >= 300 and status < 400 and ELSEWHERE or REFUSED
  kind = word(who, kind)
  local inside = { "HTTP " .. status, kind, said(who, message) }
  if not kind then table.remove(inside, 2) end
  wait_s = wait_of(headers) or wait_s
  local step = words[2]:gsub("%%s", who.env)
  if class == "wait" and (wait_s or 0) >= LONG_S then
    step = ("it wants us to wait %.0f minutes; until then use another --model"):format(math.ceil(wait_s / 60))
  end
  return fault.new(class, ("%s (%s); %s"):format(words[1]:format(who.name), table.concat(inside, ", "), step), {
    status = status, type = kind, wait_s = wait_s,
    request_id = word(who, headers["request-id"] or headers["x-request-id"] or headers["x-amzn-requestid"]),
  })
end

-- The words that stand in an event, after a 200, for a status that came too late.
local BY_TYPE = { rate_limit_error = 429, overloaded_error = 529, api_error = 500, timeout_error = 504,
  authentication_error = 401, permission_error = 403, not_found_error = 404, request_too_large = 413,
  invalid_request_error = 400, billing_error = 402, throttlingException = 429, serviceUnavailableException = 503,
  modelStreamErrorException = 424, internalServerException = 500, validationException = 400 }

--- An `error` event in the middle of a stream.
---@param error_object any   as it stands in the event
---@return ProviderFault
function fault.of_event(who, error_object, headers)
  local err = type(error_object) == "table" and error_object or { message = tostring(error_object) }
  local status = BY_TYPE[err.type] or tonumber(err.code) or 500
  return fault.of_answer(who, status, headers, json.encode { error = err })
end

return fault
