--- The runs that were made, a line of JSON each, so that a bench that was ended goes on where it stood. A run is good
--- for what it was made with: the program as it was, the case as it was drawn, who thought.

local crypto = require "host.crypto"
local json = require "runtime.json"

local kept = {}

local FOLDER = "build/diagnosis"
local DECIDING = "runtime skills prompts sandbox host"

local function said(command)
  local pipe = io.popen(command)
  local text = pipe:read "*a"
  pipe:close()
  return text
end

--- What decides a verdict, as it stands in the checkout; and the commit, for people.
---@return string version
---@return string commit
function kept.version()
  local trees = said(("for d in %s; do git rev-parse HEAD:$d; done"):format(DECIDING))
  local edits = said("git diff HEAD -- " .. DECIDING)
    .. said(("git ls-files -o --exclude-standard -- %s | xargs -r cat"):format(DECIDING))
  local commit = said("git rev-parse --short HEAD"):match "%S+" or "none"
  return crypto.sha256(trees .. edits):sub(1, 12), commit .. (edits ~= "" and " and edits" or "")
end

local Kept = {}
Kept.__index = Kept

--- Opens the runs that were kept of one version, provider and background.
---@param about { version: string, provider: string, under: string }
---@param folder? string   build/diagnosis if left out
function kept.open(about, folder)
  folder = folder or FOLDER
  assert(os.execute(("mkdir -p '%s'"):format(folder)) == 0)
  local self = setmetatable({ by_key = {}, about = about }, Kept)
  self.path = ("%s/%s-%s%s.jsonl"):format(folder, about.provider:gsub("[^%w_-]", "_"), about.version,
    about.under ~= "" and "-" .. about.under or "")
  local file = io.open(self.path)
  if file then
    for line in file:lines() do
      local ok, run = pcall(json.decode, line) -- the last line may have been cut when it was ended
      if ok and type(run) == "table" and run.key then self.by_key[run.key] = run end
    end
    file:close()
  end
  return self
end

---@return Run?
function Kept:get(key) return self.by_key[key] end

function Kept:add(key, run)
  run.key = key
  local file = assert(io.open(self.path, "a+"))
  local size = file:seek "end"
  if size > 0 then
    file:seek("set", size - 1)
    if file:read(1) ~= "\n" then file:write "\n" end
  end
  file:write(json.encode(run), "\n")
  file:close()
  self.by_key[key] = json.decode(json.encode(run))
end

return kept
