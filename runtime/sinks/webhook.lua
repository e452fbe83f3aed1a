--- Events by POST to a server of the user's:
--- { type = "webhook", url = "https://…", secret_file = FILE, events = { "coordinator.insight_produced" } }.
---
--- With a secret each request is signed, so that the server knows who sends and that nobody sends it again
--- later: Beamlens-Timestamp is the seconds since 1970, Beamlens-Signature is "v1=" and the HMAC-SHA256, in
--- hex, of timestamp "." body. Beamlens-Delivery is the same for each try at one event.

local async = require "runtime.async"
local crypto = require "host.crypto"
local http = require "host.http"
local is_loopback = require "runtime.loopback"
local jitter = require "runtime.jitter"
local line = require "runtime.sinks.line"
local private = require "runtime.private"
local version = require "runtime.version"

local webhook = {
  fields = { url = "text", url_file = "text", secret_file = "text" },
  events = { "coordinator.insight_produced", "watcher.alert_fired", "anomaly.escalation", "node.down", "node.up",
    "run.stop" },
  tries = 5, first_s = 1, longest_s = 60, timeout_s = 10,
}

local Webhook = {}
Webhook.__index = Webhook

-- What another try may mend: the way to it, and what its server says of itself.
local function may_pass(status) return not status or status >= 500 or status == 408 or status == 429 end

local function secret_of(path, what)
  local text, err = private.read(path, "sink")
  if text == nil then return nil, err end
  local word = text and text:match "^%s*(.-)%s*$" or ""
  if word == "" then return nil, ("there is no %s in %s"):format(what, path) end
  return word
end

-- What leaves this machine goes encrypted, for it tells what is wrong with a system.
local function host_of(url)
  local scheme, authority = url:match "^(https?)://([^/?#%s]+)[^%s]*$"
  if not scheme or authority:find("@", 1, true) then
    return nil, "url must be https://host/path, without a user name"
  end
  local host = authority:match "^%[[%x:]+%]" or authority:match "^[^:]+" or ""
  if scheme == "http" and not is_loopback(host:lower()) then return nil, "url must be https:// but on loopback" end
  return authority
end

---@param settings { url?: string, url_file?: string, secret_file?: string }
---@return table? sink
---@return any err
function webhook.open(settings)
  local self = setmetatable({ url = settings.url }, Webhook)
  local err
  if settings.url_file then
    self.url, err = secret_of(settings.url_file, "url")
    if not self.url then return nil, err end
  end
  if not self.url then return nil, "give url, or url_file with a secret one" end
  self.host, err = host_of(self.url)
  if not self.host then return nil, err end
  if settings.secret_file then
    self.secret, err = secret_of(settings.secret_file, "secret")
    if not self.secret then return nil, err end
  end
  self.secrets = { self.secret, settings.url_file and self.url or nil }
  return self
end

--- The headers of a request, signed at this moment.
local function headers_of(self, body, delivery)
  local headers = { "Content-Type: application/json", "User-Agent: beamlens-run/" .. version,
    "Beamlens-Delivery: " .. delivery }
  if self.secret then
    local now = tostring(os.time())
    headers[#headers + 1] = "Beamlens-Timestamp: " .. now
    headers[#headers + 1] = "Beamlens-Signature: v1=" .. crypto.hmac(self.secret, now .. "." .. body)
  end
  return headers
end

-- The status, or nil and why there is none. What a server answers beside it is read by nobody.
local function post(self, body, delivery)
  local head = {}
  local status, why = async.await(function(resume)
    local handle, refused = http.request {
      url = self.url, headers = headers_of(self, body, delivery), body = body,
      timeout_ms = webhook.timeout_s * 1000,
      on_header = function(bytes) head[#head + 1] = bytes end, on_data = function() end, on_done = resume,
    }
    if not handle then return resume(nil, refused) end
    return function() handle:cancel() end
  end, async.now() + webhook.timeout_s + 1)
  local after = tonumber(table.concat(head):lower():match "\nretry%-after:%s*(%d+)%s*\r?\n")
  return status, why, after
end

-- Until another try; cut short when we are to end.
local function pause(self, seconds)
  if self.hurried then return end
  async.await(function(resume)
    self.wake = resume
    return function() self.wake = nil end
  end, async.now() + seconds)
  self.wake = nil
end

--- The program is about to end: what waits is tried once more, and no longer waited with.
function Webhook:hurry()
  self.hurried = true
  if self.wake then self.wake() end
end

--- Sends one, and tries again where that may help.
---@param item table
---@return true?
---@return string? why
function Webhook:send(item)
  local body, delivery = line.text(item), crypto.hex(crypto.random(8))
  for try = 1, webhook.tries do
    local status, why, after = post(self, body, delivery)
    if status and status >= 200 and status < 300 then return true end
    local said = status and ("answered %d"):format(status) or "cannot be reached (" .. tostring(why) .. ")"
    if not may_pass(status) then return nil, ("%s %s"):format(self.host, said) end
    if try == webhook.tries or self.hurried then return nil, ("%s %s, %d times"):format(self.host, said, try) end
    local most = math.min(webhook.longest_s, webhook.first_s * 2 ^ (try - 1))
    pause(self, after and math.min(after, webhook.longest_s) or jitter(most))
    if async.current().cancelled then return nil, "closing" end
  end
end

function Webhook.close() end

return webhook
