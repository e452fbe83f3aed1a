--- Files that are nobody's but their owner's: keys, the audit, what is kept between runs. Folders
--- are made with 0700 and files with 0600; one that others could read or write is refused, with
--- the command that mends it.

local uv = require "luv"
local failure = require "runtime.failure"

local private = {}

local FOLDER, FILE = 448, 384 -- 0700, 0600
local GROUP_READ, GROUP_WRITE, OTHERS_READ, OTHERS_WRITE = 32, 16, 4, 2

local function has(mode, bit) return math.floor(mode / bit) % 2 == 1 end

local function broken(stage, path, why, next_step)
  return failure.new(stage, ("%s %s"):format(path, why), next_step, 2)
end

local BELONGS = "belongs to another user, so it is not used"

-- Whoever owns it could put another in its place at any time.
local function strange(stat) return stat.uid ~= uv.getuid() and stat.uid ~= 0 end

--- What is wrong with a folder that is there: who may write there can take a file away and put another in its place.
---@param path string
---@param stat table     of uv.fs_stat
---@param stage string   for the Failure
---@return Failure?
function private.folder_fault(path, stat, stage)
  if stat.type ~= "directory" then return broken(stage, path, "is no folder", "move it away") end
  if strange(stat) then return broken(stage, path, BELONGS, "set XDG_STATE_HOME to a folder of your own") end
  if has(stat.mode, OTHERS_WRITE) or has(stat.mode, GROUP_WRITE) then
    return broken(stage, path, "may be written by others, so nothing is kept in it", "chmod go-w " .. path)
  end
end

--- Makes a folder and those above it, where they are not there.
---@param path string
---@param stage string   for the Failure
---@return true?
---@return Failure? err
function private.folder(path, stage)
  local stat = uv.fs_stat(path)
  if stat then
    local fault = private.folder_fault(path, stat, stage)
    return not fault or nil, fault
  end
  local above = path:match "^(.*)/[^/]+$"
  if above and above ~= "" and not uv.fs_stat(above) then
    local ok, err = private.folder(above, stage)
    if not ok then return nil, err end
  end
  local made, why = uv.fs_mkdir(path, FOLDER)
  if made or uv.fs_stat(path) then return true end -- another of us may have been first
  return nil, broken(stage, path, "cannot be made: " .. why, "make it, or set XDG_STATE_HOME")
end

--- What is wrong with who may read or write a file.
---@param group? true   its group may read it
---@return Failure?
function private.fault(path, stat, stage, group)
  if stat.type ~= "file" then return broken(stage, path, "is no file", "move it away") end
  if not group and strange(stat) then return broken(stage, path, BELONGS, "move it away") end
  local mode = stat.mode
  if has(mode, OTHERS_WRITE) or has(mode, GROUP_WRITE) then
    return broken(stage, path, "may be written by others, so it is not used", "chmod go-w " .. path)
  end
  if has(mode, OTHERS_READ) or has(mode, GROUP_READ) and not group then
    local who = group and "o" or "go"
    return broken(stage, path, "may be read by others, so it is not used", ("chmod %s-r %s"):format(who, path))
  end
end

--- Whether systemd handed it to us as a credential: in a folder that is ours alone, where the file may seem to be
--- its group's too, for that is how an access list looks.
---@param path string
---@return boolean
function private.is_credential(path)
  local folder = os.getenv "CREDENTIALS_DIRECTORY" or ""
  return folder:sub(1, 1) == "/" and path:sub(1, #folder + 1) == folder .. "/" and not path:find("/../", 1, true)
end

--- The whole of a file, unless somebody else may read or write it.
---@param path string
---@param stage string
---@param group? true   its group may read it
---@return string|nil|false text   false where there is none
---@return Failure? err
function private.read(path, stage, group)
  local stat, missing = uv.fs_stat(path)
  if not stat then
    if missing:match "^ENOENT" then return false end
    return nil, broken(stage, path, ("cannot be read by you (%s)"):format(missing:match "^%w+"), "ask its owner")
  end
  local fault = private.fault(path, stat, stage, group or private.is_credential(path) or nil)
  if fault then return nil, fault end
  local file, why = io.open(path, "rb")
  if not file then
    return nil, broken(stage, path, ("cannot be read by you (%s)"):format(why:match ": ([^:]*)$"), "ask its owner")
  end
  local text = file:read "*a"
  file:close()
  return text
end

local function write_synced(fd, text)
  local sent, why = uv.fs_write(fd, text, -1)
  if sent and sent ~= #text then sent, why = nil, "there is no room" end
  if sent then sent, why = uv.fs_fsync(fd) end
  uv.fs_close(fd)
  return sent and true or nil, why
end

--- Makes a file that is not there yet.
---@return boolean? made   false where another was first
---@return Failure? err
function private.create(path, text, stage)
  local beside = ("%s.%d"):format(path, uv.os_getpid()) -- nobody ever sees the half of it
  uv.fs_unlink(beside)
  local fd, why = uv.fs_open(beside, "wx", FILE)
  local ok
  if fd then ok, why = write_synced(fd, text) end
  if ok then ok, why = uv.fs_link(beside, path) end
  if fd then uv.fs_unlink(beside) end
  if ok then return true end
  if why:match "^EEXIST" then return false end
  return nil, broken(stage, path, "cannot be made: " .. why, "check the folder")
end

--- Appends lines in one write; they are on the disk when this returns. Where a full disk once left the half of a
--- line, they begin on one of their own.
---@return true?
---@return Failure? err
function private.append(path, text, stage)
  local fd, why = uv.fs_open(path, "a+", FILE)
  if not fd then return nil, broken(stage, path, "cannot be written: " .. why, "check its permissions") end
  local stat = uv.fs_fstat(fd)
  local fault = private.fault(path, stat, stage)
  if fault then
    uv.fs_close(fd)
    return nil, fault
  end
  if stat.size > 0 and uv.fs_read(fd, 1, stat.size - 1) ~= "\n" then text = "\n" .. text end
  local ok
  ok, why = write_synced(fd, text)
  if ok then return true end
  return nil, broken(stage, path, "cannot be written: " .. why, "make room")
end

return private
