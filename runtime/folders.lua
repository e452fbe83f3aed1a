--- Says when something in a folder changed, by inotify through luv. Editors write beside a file and rename, so it is
--- folders that are watched and not files; what changed there is for whoever hears it to find out. A folder that
--- is not there is waited for: the nearest one above it is watched until it comes.

local uv = require "luv"

local folders = {}

---@class Folders
---@field private heard fun()
---@field private held table<string, { handle: any, names: table<string, true>|true, stale?: boolean }>
---@field private refused table<string, string>   what cannot be watched, and why
local Folders = {}
Folders.__index = Folders

---@param heard fun()   called for each event, in the loop: must not wait
---@return Folders
function folders.new(heard) return setmetatable({ heard = heard, held = {}, refused = {} }, Folders) end

local function is_folder(path)
  local stat = uv.fs_stat(path)
  return stat ~= nil and stat.type == "directory"
end

-- The folder itself; else the nearest above it that is there, and what is waited for in it.
local function standing(path)
  local awaited
  while not is_folder(path) and path ~= "/" do
    local above, name = path:match "^(.*)/([^/]*)$"
    path, awaited = above == "" and "/" or above, name
  end
  return path, awaited
end

-- By folder: true for all that happens there, or the names that are waited for.
local function needed(paths)
  local wanted, order = {}, {}
  for _, path in ipairs(paths) do
    local at, awaited = standing(path)
    if wanted[at] == nil then order[#order + 1], wanted[at] = at, {} end
    if not awaited then
      wanted[at] = true
    elseif wanted[at] ~= true then
      wanted[at][awaited] = true
    end
  end
  return wanted, order
end

local function close(one)
  one.handle:stop()
  one.handle:close()
end

-- What happens to the folder itself is told by its own name; what it holds then is another folder.
local function hearing(self, one, own_name)
  return function(err, name)
    if err or name == own_name then one.stale = true end
    if err or one.stale or one.names == true or one.names[name or ""] then self.heard() end
  end
end

local function open(self, at, names)
  local one = { handle = uv.new_fs_event(), names = names }
  local ok, why = one.handle:start(at, {}, hearing(self, one, at:match "[^/]*$"))
  if not ok then
    one.handle:close()
    self.refused[at] = tostring(why)
    return
  end
  one.handle:unref()
  self.held[at] = one
  return true
end

--- These from now on, and no others. To be called again after each event: folders come and go.
---@param paths string[]   absolute
---@return string[] refused   those that cannot be watched, with why
function Folders:watch(paths)
  self.refused = {}
  repeat -- what came into being while we began to wait for it was not told
    local began = false
    local wanted, order = needed(paths)
    for at, one in next, self.held do
      if not wanted[at] or one.stale then
        close(one)
        self.held[at] = nil
      end
    end
    for _, at in ipairs(order) do
      if self.held[at] then
        self.held[at].names = wanted[at]
      elseif not self.refused[at] then
        began = open(self, at, wanted[at]) or began
      end
    end
  until not began
  local refused = {}
  for at, why in next, self.refused do refused[#refused + 1] = ("%s (%s)"):format(at, why) end
  table.sort(refused)
  return refused
end

--- Watches nothing any more.
function Folders:close()
  for at, one in next, self.held do
    close(one)
    self.held[at] = nil
  end
end

return folders
