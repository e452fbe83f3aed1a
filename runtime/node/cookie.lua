--- The cookie: what proves to a node that we may attach, and so may do there whatever its own
--- user may. It comes from a file or the environment, never from the command line, which every
--- user of the machine can read; and it is never part of a message.

local failure = require "runtime.failure"
local uv = require "luv"

local cookie = {}

local HINT = "name the file that holds the node's cookie with --cookie-file, or set BEAMLENS_COOKIE"

local function fail(message, next_step) return nil, failure.new("cookie", message, next_step or HINT, 3) end

-- Bit 2 of the last octal digits: group and others may write.
local WRITE_FOR_OTHERS = { 16, 2 }

local function others_may_write(mode)
  for _, bit in ipairs(WRITE_FOR_OTHERS) do
    if math.floor(mode / bit) % 2 == 1 then return true end
  end
  return false
end

-- A cookie that others may write is not the node's any more; one that they may read has lost
-- its point, but refusing it here would not give that back.
local function read(path)
  local stat, err, code = uv.fs_stat(path)
  if not stat then return fail(code == "ENOENT" and "no cookie file " .. path or "cookie file: " .. err) end
  if stat.type ~= "file" then return fail("cookie file " .. path .. " is no file") end
  if others_may_write(stat.mode) then
    return fail("cookie file " .. path .. " may be written by others", "chmod 400 " .. path)
  end
  local file, why = io.open(path, "rb")
  if not file then return fail("cookie file cannot be read: " .. why) end
  local text = file:read(1024) or ""
  file:close()
  local found = text:match "^[^\r\n]*":gsub("%s+$", "")
  if found == "" then return fail("cookie file " .. path .. " is empty") end
  return found
end

local function config_home() return os.getenv "XDG_CONFIG_HOME" or (os.getenv "HOME" or "") .. "/.config" end

--- The cookie of a file, of the environment, or of where Erlang keeps its own.
---@param file? string   a path that was asked for: then nothing else will do
---@return string|nil
---@return Failure? err
---@return string? where   a path, or BEAMLENS_COOKIE
function cookie.find(file)
  local function from(path)
    local found, err = read(path)
    return found, err, path
  end
  if file then return from(file) end
  local given = os.getenv "BEAMLENS_COOKIE"
  if given and given ~= "" then return given, nil, "BEAMLENS_COOKIE" end
  local usual = { (os.getenv "HOME" or "") .. "/.erlang.cookie", config_home() .. "/erlang/.erlang.cookie" }
  for _, path in ipairs(usual) do
    if uv.fs_stat(path) then return from(path) end
  end
  return fail(("no cookie: BEAMLENS_COOKIE is not set, and there is neither %s nor %s"):format(unpack(usual)))
end

return cookie
