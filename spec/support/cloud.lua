--- A cloud for the stand-in `aws` (spec/support/doors): a cluster with a service, its tasks and their containers, as
--- the files that it answers from. Where a spec wants another answer it writes the file anew.

local uv = require "luv"
local json = require "runtime.json"
local ours = require "host.files"

local cloud = {}

local ARN = "arn:aws:ecs:eu-west-1:123456789012:"

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

--- A container as describe-tasks tells of it.
---@param name string
---@param more? { lastStatus?: string, agent?: string, reason?: string }
---@return table
function cloud.container(name, more)
  more = more or {}
  return {
    name = name, lastStatus = more.lastStatus or "RUNNING", runtimeId = "0123-" .. name,
    managedAgents = { { name = "ExecuteCommandAgent", lastStatus = more.agent or "RUNNING", reason = more.reason } },
  }
end

local Cloud = {}
Cloud.__index = Cloud

--- Replaces an answer.
---@param command string   "ecs-list-tasks.json", "sts-get-caller-identity.err"
---@param answer table|string
function Cloud:says(command, answer)
  write(self.folder .. "/" .. command, type(answer) == "table" and json.encode(answer) or answer)
end

--- The names of what there is, of clusters or services.
function Cloud:has(what, names)
  local arns = {}
  for i, name in ipairs(names) do arns[i] = ARN .. what .. "/" .. name end
  self:says(("ecs-list-%ss.json"):format(what), { [what .. "Arns"] = arns })
end

--- The tasks that run, by their ids, each with its containers.
---@param tasks { id: string, containers?: table[], enabled?: boolean }[]
function Cloud:runs(tasks)
  local arns, told = {}, {}
  for i, task in ipairs(tasks) do
    arns[i] = ARN .. "task/prod/" .. task.id
    told[i] = {
      taskArn = arns[i], lastStatus = "RUNNING", healthStatus = "HEALTHY", startedAt = "2026-11-20T08:00:00+00:00",
      enableExecuteCommand = task.enabled ~= false, containers = task.containers or { cloud.container "app" },
    }
  end
  self:says("ecs-list-tasks.json", { taskArns = arns })
  self:says("ecs-describe-tasks.json", { tasks = told })
end

--- What it was asked, a call in each line.
---@return string
function Cloud:called()
  local file = io.open(self.folder .. "/called")
  if not file then return "" end
  local text = file:read "*a"
  file:close()
  return text
end

function Cloud:forget()
  for _, name in ipairs(self:files()) do os.remove(self.folder .. "/" .. name) end
end

function Cloud:files()
  local names, scan = {}, uv.fs_scandir(self.folder)
  while true do
    local name = uv.fs_scandir_next(scan)
    if not name then return names end
    names[#names + 1] = name
  end
end

--- As it is where all is well: one of each.
---@param ... string   words for spec/support/doors/session.lua
function Cloud:is_well(...)
  self:forget()
  self:says("sts-get-caller-identity.json", { Account = "123456789012" })
  self:says("configure-get.sh", "echo eu-west-1")
  self:says("ssm-start-session.err",
    "An error occurred (AccessDeniedException) when calling the StartSession operation: no\n")
  self:has("cluster", { "prod" })
  self:has("service", { "shop" })
  self:runs { { id = "0a1b2c" } }
  self:says("session", table.concat({ "shell=sh", ... }, "\n") .. "\n")
end

--- The processes of its sessions that run, the helpers behind them too: each has our folder in its environment.
---@return string[] pids
function Cloud:sessions()
  local list, scan = {}, uv.fs_scandir "/proc"
  while true do
    local pid = uv.fs_scandir_next(scan)
    if not pid then return list end
    local file = pid:find "^%d+$" and tonumber(pid) ~= uv.os_getpid() and io.open(("/proc/%s/environ"):format(pid))
    local environment = file and file:read "*a" or "" -- nothing of who ends now
    if file then file:close() end
    if environment:find(self.folder, 1, true) then list[#list + 1] = pid end
  end
end

--- Has what runs in this process ask it too, until it is closed.
---@param more? table<string, string>   to be set in the environment as well
function Cloud:use(more)
  for _, values in ipairs { self.env, more or {} } do
    for name, value in pairs(values) do
      self.before[name] = uv.os_getenv(name) or false
      uv.os_setenv(name, value)
    end
  end
end

function Cloud:close()
  self:forget()
  uv.fs_rmdir(self.folder)
  for name, value in pairs(self.before) do
    if value then uv.os_setenv(name, value) else uv.os_unsetenv(name) end
  end
end

---@return table   { env: what a program needs to ask it, … }
function cloud.new()
  local self = setmetatable({ folder = assert(uv.fs_mkdtemp "/tmp/spec-cloud-XXXXXX"), before = {} }, Cloud)
  self.env = {
    PATH = ours.root .. "/spec/support/doors:" .. os.getenv "PATH", DOORS_CLOUD = self.folder, DOORS_HOST = ours.exe,
  }
  self:is_well()
  return self
end

return cloud
