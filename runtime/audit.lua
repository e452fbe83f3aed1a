--- The audit: a line of JSON for everything that was done to a node or kept from being done, in
--- `audit.jsonl` at home. A line is on the disk before the deed it tells of; what cannot be
--- written down is not done.

local uv = require "luv"
local files = require "runtime.files"
local json = require "runtime.json"
local private = require "runtime.private"
local writing = require "runtime.writing"

local audit = {}

---@return string
function audit.path() return files.state_home() .. "/audit.jsonl" end

local function stamp() return os.date "!%Y-%m-%dT%H:%M:%SZ" end

--- One line as it will stand there: what is told, with when, by whom and by which process.
---@param fields table   `kind` among them: "eval", "action.approved"
---@return string line   without its end
function audit.line(fields)
  local line = { schema = 1, at = stamp(), os_pid = uv.os_getpid(), user = (uv.os_get_passwd() or {}).username }
  for key, value in pairs(fields) do line[key] = value end
  return json.encode(json.object(line))
end

--- Appends lines that were made by `audit.line`.
---@param lines string[]
---@return true?
---@return Failure? err
function audit.append(lines)
  local ok, err = private.folder(files.state_home(), "audit")
  if not ok then return nil, err end
  return writing.append(audit.path(), table.concat(lines, "\n") .. "\n", "audit")
end

--- Writes one down. It is on the disk when this returns; where it could not be, the deed is not to be done.
---@param fields table   `kind` among them
---@return true?
---@return Failure? err
function audit.record(fields) return audit.append { audit.line(fields) } end

--- Whether a word stands in the audit: who looks for a nonce finds it though the store was put back.
---@param word string
---@return boolean? found
---@return Failure? err
function audit.tells(word)
  local text, err = private.read(audit.path(), "audit")
  if text == nil then return nil, err end
  return text ~= false and text:find(word, 1, true) ~= nil
end

return audit
