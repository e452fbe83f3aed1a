--- A settings folder of its own, and a person who edits in it: saves in place, as editors do by a rename, or half.

local uv = require "luv"
local async = require "runtime.async"
local telemetry = require "runtime.telemetry"

local edited = {}

local PATIENCE_S = 30

local before

--- Makes the folder, and has this process use it.
---@return string folder   $XDG_CONFIG_HOME/beamlens, which is not there yet
function edited.open()
  edited.home = uv.fs_realpath(assert(uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX"))
  before = os.getenv "XDG_CONFIG_HOME"
  uv.os_setenv("XDG_CONFIG_HOME", edited.home)
  edited.folder = edited.home .. "/beamlens"
  return edited.folder
end

function edited.close()
  if before then uv.os_setenv("XDG_CONFIG_HOME", before) else uv.os_unsetenv "XDG_CONFIG_HOME" end
  os.execute(("rm -rf '%s'"):format(edited.home))
end

local function folder_of(path)
  local folder = path:match "^(.*)/"
  if uv.fs_stat(folder) then return end
  folder_of(folder)
  assert(uv.fs_mkdir(folder, tonumber("700", 8)))
end

local function put(path, text)
  folder_of(path)
  local fd = assert(uv.fs_open(path, "w", tonumber("600", 8)))
  assert(uv.fs_write(fd, text, 0))
  uv.fs_close(fd)
  return path
end

function edited.path(name) return name:sub(1, 1) == "/" and name or ("%s/%s"):format(edited.folder, name) end

--- Saves in place.
---@param name string   "skills/clock.lua", or a path
---@return string path
function edited.save(name, text) return put(edited.path(name), text) end

--- Saves beside it and renames, as most editors do.
function edited.rename(name, text)
  local path = edited.path(name)
  put(path .. "~new", text)
  assert(uv.fs_rename(path .. "~new", path))
end

function edited.remove(name) assert(uv.fs_unlink(edited.path(name))) end

--- Does something, and waits for what is told of it. Inside a task.
---@param event string
---@param deed fun()
---@param fits? fun(metadata: table): boolean   the first, if left out
---@return table metadata
function edited.until_told(event, deed, fits)
  local told, wake
  local off = telemetry.on(event, function(_, _, metadata)
    if told or fits and not fits(metadata) then return end
    told = metadata
    if wake then wake(metadata) end
  end)
  deed()
  if not told then async.await(function(resume) wake = resume end, async.now() + PATIENCE_S) end
  off()
  return assert(told, ("nothing was told of %s"):format(event))
end

--- All files of which this is told while it does something.
---@param what "loaded"|"rejected"
---@param deed fun()
---@return string[]   "skill clock", "prompt operator"
function edited.told_while(what, deed)
  local list = {}
  local off = telemetry.on("reload." .. what, function(_, _, m) list[#list + 1] = ("%s %s"):format(m.kind, m.name) end)
  deed()
  off()
  return list
end

return edited
