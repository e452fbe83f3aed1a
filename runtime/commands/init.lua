--- `init [FILE]`: makes the user's folder, or copies one of our files there to edit.

local uv = require "luv"
local failure = require "runtime.failure"
local files = require "runtime.files"
local json = require "runtime.json"
local ours = require "host.files"
local strategy = require "runtime.strategy"

local init = {
  usage = "init [FILE]",
  words = 1,
  doc = "a config file, or a copy of one of ours, to edit",
  takes = { "copy" },
  examples = {
    { "beamlens-run init", "config.lua in the folder of your settings" },
    { "beamlens-run init skills/ets.lua", "that skill there; yours wins over ours from then on" },
    { "beamlens-run init skills/beam/load.lua", "a part of a skill" },
    { "beamlens-run init checks/ets.lua", "the checks of a skill" },
    { "beamlens-run init prompts/operator.md", "a prompt" },
    { "beamlens-run init policy.lua", "your word on what may be done, over our classes" },
    { "beamlens-run init secrets.lua", "what is a secret to you beside what we know" },
    { "beamlens-run init runbooks/free_binaries.lua", "a runbook; nothing before config.lua names it" },
    { "beamlens-run init skills/redis.lua", "an example of a skill, to be used by its name" },
    { "beamlens-run init strategies/specialist.lua", "how a coordinator works" },
    { "beamlens-run init tools/mailbox_of.lua", "an example of a tool for operators" },
    { "beamlens-run init examples/coordinator.lua", "a script, into this folder" },
    { "beamlens-run init examples/SKILL.md", "teaches a coding agent to look, and only to look" },
  },
}

local GUARDS = { gate = true, runtime = true, sandbox = true }
local FOLDERS = { "skills", "prompts", "examples" }
local PRIVATE_FOLDER, PRIVATE_FILE = 448, 384 -- 0700, 0600

-- What is ours there is theirs here.
local function theirs(path)
  return (path:gsub("^skills/checks/", "checks/"):gsub("^examples/runbooks/", "runbooks/")
    :gsub("^examples/skills/", "skills/"):gsub("^examples/tools/", "tools/"):gsub("^runtime/strategy/", "strategies/")
    :gsub("^examples/policy", "policy"):gsub("^examples/secrets", "secrets"))
end

-- All of ours that are somebody's to edit. Of the runtime these are strategies, each a file of its own.
local function shared()
  local paths = {}
  for _, folder in ipairs(FOLDERS) do
    for _, path in ipairs(ours.embedded(folder .. "/")) do paths[#paths + 1] = path end
  end
  for _, name in ipairs(strategy.names()) do paths[#paths + 1] = ("runtime/strategy/%s.lua"):format(name) end
  return paths
end

local function usage(message, next_step) return failure.new("usage", message, next_step, 2) end

--- All that may be copied, as it is asked for: our skills/checks are checks for the user.
---@return string[]
function init.copies()
  local names = {}
  for i, path in ipairs(shared()) do names[i] = theirs(path) end
  table.sort(names)
  return names
end

local function unknown(word)
  if GUARDS[word:match "^%w+"] then
    return nil, usage(word .. " is part of what guards, and that is never replaced", "policy.lua makes it stricter")
  end
  return nil, usage(("there is no %s of ours"):format(word),
    failure.meant(word, init.copies(), "see `beamlens-run help init`"))
end

-- What is copied, and where to.
local function choose(word)
  if not word then return "examples/config.lua", files.config_home() .. "/config.lua" end
  for _, path in ipairs(shared()) do
    local name = theirs(path)
    if name == word or path == word and not path:find "^examples/" then
      return path, name:match "^examples/(.*)" or files.config_home() .. "/" .. name
    end
  end
  return unknown(word)
end

local function make_folders(path)
  local so_far = path:sub(1, 1) == "/" and "" or "."
  for part in (path:match "^(.*)/" or ""):gmatch "[^/]+" do
    so_far = so_far .. "/" .. part
    local made, _, code = uv.fs_mkdir(so_far, PRIVATE_FOLDER)
    if not made and code ~= "EEXIST" then
      return nil, failure.new("config", ("cannot make the folder %s (%s)"):format(so_far, code),
        "check the permissions of the folder it is in", 2)
    end
  end
  return true
end

-- Half a file is worse than none: it would be used.
local function write(fd, path, text)
  local written, why = uv.fs_write(fd, text, 0)
  local closed, late = uv.fs_close(fd)
  if written == #text and closed then return true end
  uv.fs_unlink(path)
  return nil, failure.new("config", ("cannot write %s: %s"):format(path, why or late or "only a part fits"),
    "make room, and run it again", 2)
end

function init.run(call)
  local from, to = choose(call.words[1])
  if not from then return nil, to end
  local text = ours.read(from)
  if not text then return unknown(from) end
  local made, err = make_folders(to)
  if not made then return nil, err end
  -- "wx": an edited file of the user is never written over, not even between a look and a write.
  local fd, why, code = uv.fs_open(to, "wx", PRIVATE_FILE)
  if not fd then
    if code == "EEXIST" then return nil, usage(to .. " is there already", "edit it, or remove it first") end
    return nil, failure.new("config", "cannot write " .. why, "check the permissions of its folder", 2)
  end
  made, err = write(fd, to, text)
  if not made then return nil, err end
  if call.options.json then return json.encode { schema = 1, written = to } .. "\n", 0 end
  return ("written: %s\n"):format(to), 0
end

return init
