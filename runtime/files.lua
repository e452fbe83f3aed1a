--- Where skills, prompts and the like are read from: the user's folder wins over the checkout
--- beside the program, and that over what is embedded, file by file. Never the working directory.
--- The user's `checks/beam.lua` stands for our `skills/checks/beam.lua`.

local uv = require "luv"
local ours = require "host.files"
local failure = require "runtime.failure"

local files = { exe = ours.exe }

local USERS = { skills = true, prompts = true, tools = true, checks = true, runbooks = true }
local OTHERS_MAY_WRITE = 2 -- S_IWOTH

local function home(variable, usual)
  local base = os.getenv(variable)
  if not base or base == "" then base = (os.getenv "HOME" or "/") .. usual end
  return base .. "/beamlens"
end

--- `$XDG_CONFIG_HOME/beamlens`: what the user wrote.
---@return string
function files.config_home() return home("XDG_CONFIG_HOME", "/.config") end

--- `$XDG_STATE_HOME/beamlens`: what we keep between runs. May not be there yet.
---@return string
function files.state_home() return home("XDG_STATE_HOME", "/.local/state") end

--- The whole of a file of the user, unless somebody else could have written it.
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
  if stat.type ~= "file" then return nil, failure.new(stage, path .. " is no file", "name a Lua file", 2) end
  if math.floor(stat.mode / OTHERS_MAY_WRITE) % 2 == 1 then
    return nil, failure.new(stage, path .. " may be written by others, so it is not used", "chmod o-w " .. path, 2)
  end
  local file, err = io.open(path, "rb")
  if not file then return nil, failure.new(stage, "cannot read " .. err, "check its permissions", 2) end
  local text = file:read "*a"
  file:close()
  return text
end

-- skills/checks/beam.lua is checks/beam.lua for the user; what has no folder of theirs is ours alone.
local function users_path(path)
  local folder, rest = path:gsub("^skills/checks/", "checks/"):match "^(%w+)/(.+)$"
  return USERS[folder] and ("%s/%s/%s"):format(files.config_home(), folder, rest) or nil
end

--- One file, from the place that wins.
---@param path string      "skills/ets.lua", with forward slashes, below one of our folders
---@return string? text
---@return string|Failure shown   the name to show in messages, or what is wrong
function files.read(path)
  local theirs = users_path(path)
  if theirs and uv.fs_stat(theirs) then
    local text, err = files.read_users(theirs, path:match "^%w+")
    if not text then return nil, err end
    return text, theirs
  end
  local text = ours.read(path)
  if not text then return nil, failure.new("config", "there is no " .. path, "see `beamlens-run skills`", 2) end
  return text, path
end

local function add_folder(found, folder, suffix)
  local scan = uv.fs_scandir(folder)
  while scan do
    local name, kind = uv.fs_scandir_next(scan)
    if not name then break end
    if kind ~= "directory" and name:sub(-#suffix) == suffix then found[name:sub(1, -#suffix - 1)] = true end
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
  local theirs = users_path(folder .. "/x")
  if theirs then add_folder(found, theirs:sub(1, -3), suffix) end
  for name in pairs(found) do names[#names + 1] = name end
  table.sort(names)
  return names
end

return files
