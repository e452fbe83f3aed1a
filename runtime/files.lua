--- Where skills, prompts and the like are read from: the user's folder wins over the checkout
--- beside the program, and that over what is embedded, file by file. Never the working directory.
--- What guards (runtime, sandbox) has no folder there: it is ours alone. The user's `checks/ets.lua`
--- stands for our `skills/checks/ets.lua`.

local uv = require "luv"
local ours = require "host.files"
local failure = require "runtime.failure"
local private = require "runtime.private"

local files = { exe = ours.exe }

local USERS = { skills = true, prompts = true, tools = true, checks = true, runbooks = true,
  strategies = true }
local LARGEST = 1024 * 1024

local function home(variable, usual)
  local base = os.getenv(variable)
  if not base or base:sub(1, 1) ~= "/" then base = (uv.os_homedir() or "") .. usual end -- a relative one does not count
  return base .. "/beamlens"
end

--- `$XDG_CONFIG_HOME/beamlens`: what the user wrote.
---@return string
function files.config_home() return home("XDG_CONFIG_HOME", "/.config") end

--- `$XDG_STATE_HOME/beamlens`: what we keep between runs. May not be there yet.
---@return string
function files.state_home() return home("XDG_STATE_HOME", "/.local/state") end

local AND_NEW_ONES = { others = "", ["its group"] = ", and umask 022 makes new files so" }

-- Whoever may write a file may have put into it what they like, and so may who owns it. A folder that others
-- may write or own is as bad, for they put another file in its place; /tmp has the sticky bit against that.
local function foreign_hand(path, stat)
  local who, command = private.writers(path, stat.mode)
  if who then return ("%s may be written by %s, so it is not used"):format(path, who), command .. AND_NEW_ONES[who] end
  if private.strange(stat) then
    return ("%s belongs to another user (%d), so it is not used"):format(path, stat.uid),
      ("chown %d %s, or make a copy of your own"):format(uv.getuid(), path)
  end
  local folder = private.folder_of(path)
  who, command = private.replacers(folder)
  if who then
    return ("%s lies in a folder that may be written by %s, so it is not used"):format(path, who),
      command .. AND_NEW_ONES[who]
  end
  local about = uv.fs_stat(folder)
  if about and private.strange(about) then
    return ("%s lies in a folder of another user (%d), so it is not used"):format(path, about.uid),
      "make a copy in a folder of your own"
  end
end

-- Where the file lies, as long as it is still the one that was opened.
local function place_of(path, stat)
  local place = uv.fs_realpath(path)
  local there = place and uv.fs_stat(place)
  return there and there.ino == stat.ino and there.dev == stat.dev and place or nil
end

-- What was looked at is what is read: another file may stand there a moment later.
local function read_open(fd, path, stage)
  local stat = assert(uv.fs_fstat(fd))
  if stat.type ~= "file" then return nil, failure.new(stage, path .. " is no file", "name a Lua file", 2) end
  if stat.size > LARGEST then
    return nil, failure.new(stage, ("%s has more than %d bytes"):format(path, LARGEST), "name a Lua file", 2)
  end
  local place = place_of(path, stat)
  if not place then return nil, failure.new(stage, path .. " was replaced while it was read", "try again", 2) end
  local why, next_step = foreign_hand(place, stat)
  if why then return nil, failure.new(stage, why, next_step, 2) end
  local parts, at = {}, 0
  repeat
    local part, err = uv.fs_read(fd, LARGEST + 1, at)
    if not part then return nil, failure.new(stage, "cannot read " .. err, "check its permissions", 2) end
    parts[#parts + 1], at = part, at + #part
  until part == "" or at > LARGEST
  return table.concat(parts)
end

--- The whole of a file of the user, unless somebody else could have written it. Links are followed: it is
--- the file and its own folder that count.
---@param path string
---@param stage string     for the Failure: config, script, skill, prompt
---@return string? text
---@return Failure? err
function files.read_users(path, stage)
  local stat, why = uv.fs_stat(path)
  if not stat then
    local code = tostring(why):match "^%w+"
    return nil, failure.new(stage, ("cannot read %s (%s)"):format(path, code), "check the path", 2)
  end
  -- A pipe would be waited for.
  if stat.type ~= "file" then return nil, failure.new(stage, path .. " is no file", "name a Lua file", 2) end
  local fd, err = uv.fs_open(path, "r", 0)
  if not fd then return nil, failure.new(stage, "cannot read " .. err, "check its permissions", 2) end
  local text
  text, err = read_open(fd, path, stage)
  uv.fs_close(fd)
  return text, err
end

-- skills/checks/ets.lua is checks/ets.lua for the user; what has no folder of theirs is ours alone.
local function users_path(path)
  local folder, rest = path:gsub("^skills/checks/", "checks/"):match "^(%w+)/(.+)$"
  return USERS[folder] and ("%s/%s/%s"):format(files.config_home(), folder, rest) or nil
end

-- A replay may take prompts of another folder, where they are there.
local function instead(path)
  local name = files.prompts and path:match "^prompts/([^/]+)$"
  local other = name and ("%s/%s"):format(files.prompts, name)
  return other and uv.fs_stat(other) and other or nil
end

-- What a trial reads in the place of a file, by its path (runtime/lessons/trial.lua). It counts as the user's.
files.trial = {}

--- One file, from the place that wins.
---@param path string      "skills/ets.lua", with forward slashes, below one of our folders
---@return string? text
---@return string|Failure shown   the name to show in messages, or what is wrong
---@return boolean? shipped        it is ours, and no user's
function files.read(path)
  local theirs = instead(path) or users_path(path)
  if files.trial[path] then return files.trial[path], theirs end
  if theirs and uv.fs_stat(theirs) then
    local text, err = files.read_users(theirs, path:match "^%w+")
    if not text then return nil, err end
    return text, theirs
  end
  local text = ours.read(path)
  if not text then return nil, failure.new("config", "there is no " .. path, "see `beamlens-run skills`", 2) end
  return text, path, true
end

local SETTINGS = { ["config.lua"] = true, ["policy.lua"] = true, ["secrets.lua"] = true }

local function all_read()
  local names = {}
  for _, set in ipairs { USERS, SETTINGS } do
    for name in pairs(set) do names[#names + 1] = name end
  end
  table.sort(names)
  return ("%s and %s"):format(table.concat(names, ", ", 1, #names - 1), names[#names])
end

local AT_A_TIME = 64

-- What a folder holds, as { name, type }; nothing where there is none. Not by fs_scandir, of which luv 1.44 keeps what
-- it read for ever.
local function entries(folder)
  local all, dir = {}, uv.fs_opendir(folder, nil, AT_A_TIME)
  local some = dir and uv.fs_readdir(dir)
  while some do
    for _, entry in ipairs(some) do all[#all + 1] = entry end
    some = uv.fs_readdir(dir)
  end
  if dir then uv.fs_closedir(dir) end
  return all
end

--- What lies in the user's folder and is never read, with why: our gate is nobody's to replace.
---@return string[] sorted   one sentence each
function files.ignored()
  local told = {}
  for _, entry in ipairs(entries(files.config_home())) do
    local name = entry.name
    if (entry.type == "directory" or name:match "%.lua$") and not USERS[name] and not SETTINGS[name] then
      told[#told + 1] = ("%s/%s is not read: only %s are"):format(files.config_home(), name, all_read())
    end
  end
  table.sort(told)
  return told
end

-- With those in it, and no deeper: nothing is read there. A link to a file in another folder is followed there: that
-- is where it is edited.
local function folders_of(folder, found, inner)
  found[#found + 1] = folder
  for _, entry in ipairs(entries(folder)) do
    local path = ("%s/%s"):format(folder, entry.name)
    if entry.type == "directory" then
      if not inner then folders_of(path, found, true) end
    elseif entry.type == "link" then
      local target = uv.fs_realpath(path)
      found[#found + 1] = target and target:match "^(.+)/[^/]*$"
    end
  end
end

--- The folders where what is read here may change: the user's, there or not, and those of the checkout.
---@return string[]
function files.places()
  local found = { files.config_home() }
  for name in pairs(USERS) do folders_of(("%s/%s"):format(files.config_home(), name), found) end
  for _, name in ipairs(ours.root and { "skills", "prompts" } or {}) do
    folders_of(("%s/%s"):format(ours.root, name), found)
  end
  return found
end

local function add_folder(found, folder, suffix)
  for _, entry in ipairs(entries(folder)) do
    local name = entry.name
    if entry.type ~= "directory" and name:sub(-#suffix) == suffix then found[name:sub(1, -#suffix - 1)] = true end
  end
end

--- The names, without suffix, of what a folder holds in all three places.
---@param folder string    "skills"
---@param suffix string    ".lua"
---@return string[]        sorted
function files.list(folder, suffix)
  local found, names = {}, {}
  for _, path in ipairs(ours.embedded(folder .. "/")) do
    local name = path:sub(#folder + 2)
    if not name:find("/", 1, true) and name:sub(-#suffix) == suffix then found[name:sub(1, -#suffix - 1)] = true end
  end
  if ours.root then add_folder(found, ours.root .. "/" .. folder, suffix) end
  for path in pairs(files.trial) do
    local inside, name = path:match "^(.*)/([^/]+)$"
    if inside == folder and name:sub(-#suffix) == suffix then found[name:sub(1, -#suffix - 1)] = true end
  end
  local theirs = users_path(folder .. "/x")
  if theirs then add_folder(found, theirs:sub(1, -3), suffix) end
  for name in pairs(found) do names[#names + 1] = name end
  table.sort(names)
  return names
end

return files
