--- Files of ours as they are written: for nobody else to read, never the half of one, and never another than the
--- one that was meant. In a folder that others write to, one of them could put a link to a file of ours there, or a
--- pipe that nobody reads.

local uv = require "luv"
local crypto = require "host.crypto"
local failure = require "runtime.failure"
local private = require "runtime.private"

local writing = {}

local FILE = 384 -- 0600

-- A pipe would be waited for.
local O = uv.constants
local TO_APPEND = O.O_RDWR + O.O_APPEND + O.O_CREAT + O.O_NONBLOCK

local function broken(stage, path, why, next_step)
  return failure.new(stage, ("%s %s"):format(path, why), next_step, 2)
end

local function write(fd, text, synced)
  local sent, why = uv.fs_write(fd, text, -1)
  if sent and sent ~= #text then sent, why = nil, "there is no room" end
  if sent and synced then sent, why = uv.fs_fsync(fd) end
  uv.fs_close(fd)
  return sent and true or nil, why
end

-- Nobody ever sees the half of it, nor knows its name beforehand.
local function write_beside(path, text, mode, synced)
  local beside = ("%s.%s"):format(path, crypto.hex(crypto.random(8)))
  local fd, why = uv.fs_open(beside, "wx", mode)
  if not fd then return nil, why end
  local ok
  ok, why = write(fd, text, synced)
  if ok then return beside end
  uv.fs_unlink(beside)
  return nil, why
end

--- Makes a file that is not there yet.
---@param path string
---@param text string
---@param stage string    for the Failure
---@return boolean? made   false where another was first
---@return Failure? err
function writing.create(path, text, stage)
  local beside, why = write_beside(path, text, FILE, true)
  local ok
  if beside then
    ok, why = uv.fs_link(beside, path)
    uv.fs_unlink(beside)
  end
  if ok then return true end
  if why:match "^EEXIST" then return false end
  return nil, broken(stage, path, "cannot be made: " .. why, "check the folder")
end

-- Of a folder that is not ours alone: a link that somebody else put there would lead to a file of ours.
local function shared_fault(path, stage)
  local who, command = private.replacers(private.folder_of(path))
  if not who then return nil end
  return broken(stage, path, ("lies in a folder that may be written by %s, so it is not written"):format(who),
    ("%s, or chmod +t %s"):format(command, private.folder_of(path)))
end

-- There a file is replaced by its owner alone, the folder's, and root.
local function kept_by_another(stat, folder)
  local us, sticky = uv.getuid(), folder.mode % 1024 >= 512
  return sticky and us ~= 0 and stat.uid ~= us and folder.uid ~= us
end

--- Why a file could not be put there, asked before there is anything to write: what stands there is no file that may
--- be replaced, or the folder takes none.
---@param path string
---@param stage string
---@return Failure?
function writing.refusal(path, stage)
  local stat, folder = uv.fs_lstat(path), private.folder_of(path)
  if stat and stat.type == "directory" then return broken(stage, path, "is a folder", "name a file in it") end
  if stat and stat.type ~= "file" then
    return broken(stage, path, ("is a %s, so it is not replaced"):format(stat.type), "name a file")
  end
  local about = uv.fs_stat(folder)
  if not about or about.type ~= "directory" then
    return broken(stage, path, "cannot be written: there is no folder " .. folder, "make the folder first")
  end
  if not uv.fs_access(folder, "W") then
    return broken(stage, path, ("cannot be written: you may not write in %s"):format(folder), "name another folder")
  end
  if stat and kept_by_another(stat, about) then
    return broken(stage, path, ("is another user's (%d)"):format(stat.uid), "name another file")
  end
  local fault = shared_fault(path, stage)
  if fault then return fault end
  local beside, why = write_beside(path, "", FILE) -- a name that is too long, a folder that is none of a disk's
  if not beside then return broken(stage, path, "cannot be written: " .. why:match "^[^/]*%a", "name another file") end
  uv.fs_unlink(beside)
end

--- Puts a file in the place of another, in a folder that may be shared.
---@param path string
---@param text string
---@param mode integer   who may read it
---@param stage string
---@return true?
---@return Failure? err
function writing.replace(path, text, mode, stage)
  local fault = shared_fault(path, stage)
  if fault then return nil, fault end
  local beside, why = write_beside(path, text, mode)
  local ok
  if beside then ok, why = uv.fs_rename(beside, path) end
  if ok then return true end
  if beside then uv.fs_unlink(beside) end
  return nil, broken(stage, path, "cannot be written: " .. why, "check the folder")
end

-- What stands at the path, where it can be written to: a link leads elsewhere. A device is as good as a file, for
-- nobody but root makes one.
local function path_fault(path, stat, stage)
  if stat.type == "link" then return broken(stage, path, "is a link, so it is not written", "name the file itself") end
  if stat.type == "char" then return nil end
  return private.fault(path, stat, stage)
end

-- The same file by its name and as it was opened; and by no other name, where others may give it one.
local function open_fault(path, fd, stage)
  local opened, named = assert(uv.fs_fstat(fd)), uv.fs_lstat(path)
  local fault = path_fault(path, opened, stage)
  if fault then return fault end
  if not named or named.ino ~= opened.ino or named.dev ~= opened.dev then
    return broken(stage, path, "was replaced while it was opened", "try again")
  end
  local folder = private.folder_of(path)
  if opened.nlink > 1 and private.folder_fault(folder, uv.fs_stat(folder), stage) then
    return broken(stage, path, "has another name elsewhere, so it is not written", "move it away")
  end
end

--- Opens a file of ours to append to, in a folder that may be shared.
---@param path string
---@param stage string
---@return integer? fd
---@return Failure? err
function writing.open(path, stage)
  local stat = uv.fs_lstat(path)
  local fault = shared_fault(path, stage) or stat and path_fault(path, stat, stage)
  if fault then return nil, fault end
  local fd, why = uv.fs_open(path, TO_APPEND, FILE)
  if not fd then return nil, broken(stage, path, "cannot be written: " .. why, "check its permissions") end
  fault = open_fault(path, fd, stage)
  if not fault then return fd end
  uv.fs_close(fd)
  return nil, fault
end

--- Appends lines in one write; they are on the disk when this returns. Where a full disk once left the half of a
--- line, they begin on one of their own.
---@param path string
---@param text string
---@param stage string
---@return true?
---@return Failure? err
function writing.append(path, text, stage)
  local fd, err = writing.open(path, stage)
  if not fd then return nil, err end
  local stat = assert(uv.fs_fstat(fd))
  if stat.size > 0 and uv.fs_read(fd, 1, stat.size - 1) ~= "\n" then text = "\n" .. text end
  local ok, why = write(fd, text, true)
  if ok then return true end
  return nil, broken(stage, path, "cannot be written: " .. why, "make room")
end

return writing
