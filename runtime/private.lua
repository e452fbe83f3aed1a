--- Files that are nobody's but their owner's: keys, the audit, what is kept between runs. Folders
--- are made with 0700 and files with 0600 (runtime/writing.lua); one that others could read or write is
--- refused, with the command that mends it. What is opened is what is looked at: another may stand there a
--- moment later.

local uv = require "luv"
local failure = require "runtime.failure"

local private = {}

local FOLDER = 448 -- 0700
local STICKY, GROUP_READ, GROUP_WRITE, OTHERS_READ, OTHERS_WRITE = 512, 32, 16, 4, 2

local TO_READ = uv.constants.O_RDONLY + uv.constants.O_NONBLOCK -- a pipe would be waited for

local function has(mode, bit) return math.floor(mode / bit) % 2 == 1 end

local function broken(stage, path, why, next_step)
  return failure.new(stage, ("%s %s"):format(path, why), next_step, 2)
end

local BELONGS = "belongs to another user, so it is not used"

--- Whether it is somebody else's: whoever owns it could put another in its place at any time.
---@param stat table   of uv.fs_stat
---@return boolean
function private.strange(stat) return stat.uid ~= uv.getuid() and stat.uid ~= 0 end

local strange = private.strange

--- Who but its owner may write it, and what ends that.
---@param path string
---@param mode integer
---@return string? who       "others" or "its group"
---@return string? command
function private.writers(path, mode)
  if has(mode, OTHERS_WRITE) then return "others", "chmod o-w " .. path end
  if has(mode, GROUP_WRITE) then return "its group", "chmod g-w " .. path end
end

--- Who but its owner may put another file in the place of one that lies in this folder. With the sticky bit, as /tmp
--- has it, nobody.
---@param folder string
---@return string? who
---@return string? command
function private.replacers(folder)
  local stat = uv.fs_stat(folder)
  if stat and not has(stat.mode, STICKY) then return private.writers(folder, stat.mode) end
end

--- The folder that a path lies in.
---@param path string
---@return string
function private.folder_of(path)
  local folder = path:match "^(.*)/[^/]*$"
  return folder == "" and "/" or folder or "."
end

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

local function whole_of(fd)
  local parts, at = {}, 0
  repeat
    local part, why = uv.fs_read(fd, 65536, at)
    if not part then return nil, why end
    parts[#parts + 1], at = part, at + #part
  until part == ""
  return table.concat(parts)
end

--- The whole of a file, unless there is something wrong with it.
---@param path string
---@param fault fun(stat: table): Failure?   asked of what was opened
---@return string? text
---@return Failure|string why                 in words of the system: ENOENT: …
function private.text(path, fault)
  local stat, why = uv.fs_stat(path)
  if not stat then return nil, why end
  local fd
  fd, why = uv.fs_open(path, TO_READ, 0)
  if not fd then return nil, fault(stat) or why end
  local wrong, text = fault(assert(uv.fs_fstat(fd))), nil
  if not wrong then text, why = whole_of(fd) end
  uv.fs_close(fd)
  return text, wrong or why
end

--- The whole of a file, unless somebody else may read or write it.
---@param path string
---@param stage string
---@param group? true   its group may read it
---@return string|nil|false text   false where there is none
---@return Failure? err
function private.read(path, stage, group)
  local text, why = private.text(path, function(stat)
    return private.fault(path, stat, stage, group or private.is_credential(path) or nil)
  end)
  if text then return text end
  if failure.is(why) then return nil, why end
  if why:match "^ENOENT" then return false end
  return nil, broken(stage, path, ("cannot be read by you (%s)"):format(why:match "^%w+"), "ask its owner")
end

return private
