--- `init [FILE]`: makes the user's folder, or copies one of our files there to edit.

local uv = require "luv"
local failure = require "runtime.failure"
local files = require "runtime.files"
local json = require "runtime.json"
local ours = require "host.files"

local init = {
  usage = "init [FILE]",
  words = 1,
  doc = "a config file to start from; with FILE, a copy of ours to edit",
  more = [[

  beamlens-run init                            config.lua in the folder of your settings
  beamlens-run init skills/ets.lua             that skill there; yours wins over ours from then on
  beamlens-run init checks/beam.lua            the checks of a skill
  beamlens-run init prompts/operator.md        a prompt
  beamlens-run init examples/coordinator.lua   a script, into this folder
]],
}

local FOLDERS = { skills = true, prompts = true, checks = true }
local PRIVATE_FOLDER, PRIVATE_FILE = 448, 384 -- 0700, 0600

local function usage(message, next_step) return failure.new("usage", message, next_step, 2) end

-- What is copied, and where to.
local function choose(word)
  if not word then return "examples/config.lua", files.config_home() .. "/config.lua" end
  local folder, name = word:match "^([%w_]+)/([%w_.]+)$"
  if folder == "examples" then return word, name end
  if not FOLDERS[folder] then return nil, usage(word .. " is nothing to copy", "see `beamlens-run help init`") end
  return folder == "checks" and "skills/" .. word or word, files.config_home() .. "/" .. word
end

local function make_folders(path)
  local so_far = path:sub(1, 1) == "/" and "" or nil
  for part in path:match "^(.*/)" and path:match("^(.*)/"):gmatch "[^/]+" or function() end do
    so_far = so_far and so_far .. "/" .. part or part
    uv.fs_mkdir(so_far, PRIVATE_FOLDER)
  end
end

function init.run(call)
  local from, to = choose(call.words[1])
  if not from then return nil, to end
  local text = ours.read(from)
  if not text then return nil, usage("there is no " .. from .. " of ours", "see `beamlens-run skills`") end
  make_folders(to)
  -- "wx": an edited file of the user is never written over, not even between a look and a write.
  local fd, why = uv.fs_open(to, "wx", PRIVATE_FILE)
  if not fd then
    if why:match "^EEXIST" then return nil, usage(to .. " is there already", "edit it, or remove it first") end
    return nil, failure.new("config", "cannot write " .. why, "check the permissions of its folder", 2)
  end
  uv.fs_write(fd, text, 0)
  uv.fs_close(fd)
  if call.options.json then return json.encode { schema = 1, written = to } .. "\n", 0 end
  return ("written: %s\n"):format(to), 0
end

return init
