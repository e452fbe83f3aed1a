--- `--show-outgoing`: what is sent, byte for byte, before it is sent. No header is shown, for one of
--- them holds the key.
---
--- The body is JSON of ours (runtime/json.lua), in which whatever steers a terminal or hides from an
--- eye stands as \u: so it can be shown as it is, and what is shown is what goes. What others wrote
--- into that JSON would not be; it is not shown but told.

local plain = require("runtime.plain").text
local unseen = require "runtime.unseen"

local outgoing = {}

local function is_safe(body) return not body:find "%c" and unseen.escaped(body) == body end

--- A line with the address and the size, the body, and a line that ends it.
---@param url string
---@param body string
---@return string
function outgoing.text(url, body)
  local head = ("--- outgoing: POST %s, %d bytes"):format(url:gsub("[?#].*", ""), #body)
  if not is_safe(body) then body = plain(body) .. "\n--- not as it is sent: signs that would steer the terminal" end
  return ("%s\n%s\n--- end of outgoing\n"):format(plain(head), body)
end

--- Writes it to stderr.
---@param url string
---@param body string
function outgoing.show(url, body)
  io.stderr:write(outgoing.text(url, body))
  io.stderr:flush()
end

return outgoing
