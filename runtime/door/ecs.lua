--- Finds the container of a service of ECS: whether one is logged in, which cluster and service; then by
--- runtime/door/ecs_tasks.lua which task and container, and whether execute-command goes there.

local uv = require "luv"
local asked = require "runtime.door.ecs_asked"
local aws = require "runtime.door.aws"
local tasks = require "runtime.door.ecs_tasks"
local terminal = require "runtime.terminal"
local troubles = require "runtime.door.troubles"

local ecs = {}

local WHO = "who we are"

local NO_LOGIN = { "expired", "error loading sso token", "unable to locate credentials" }

local function is_login_trouble(said)
  said = said:lower()
  for _, words in ipairs(NO_LOGIN) do if said:find(words, 1, true) then return true end end
  return false
end

-- Whether AWS knows us. At a terminal a login that ended is made anew, where the person says so.
local function logged_in(target, ask)
  local whoami = { "sts", "get-caller-identity" }
  local me, said = aws.json(target.aws, whoami, WHO)
  if not me and ask and is_login_trouble(said) then
    local line = aws.login_line(target.aws)
    local typed = terminal.ask(("%s: there is no AWS login, or it has expired. Run `%s`? (yes or no)"):format(
      target.via, line), asked.LONGEST_S)
    if typed and typed:lower():match "^y" and aws.login(target.aws) then
      me, said = aws.json(target.aws, whoami, WHO)
    end
  end
  if me then return true end
  return asked.refused(target, said)
end

local function is_here(program)
  for folder in (os.getenv "PATH" or ""):gmatch "[^:]+" do
    if uv.fs_access(folder .. "/" .. program, "X") then return true end
  end
end

local function has_programs(target)
  local way = target.way
  if not is_here(way.program) then
    return asked.fail(target, ("the program %s is not installed here"):format(way.program), "it is had at " .. way.from)
  end
  if is_here "session-manager-plugin" then return true end
  return asked.fail(target, troubles.NO_PLUGIN.message, troubles.NO_PLUGIN.next)
end

local function find_cluster(target, ask)
  local answer, err = asked.of_aws(target, { "ecs", "list-clusters" }, "the clusters")
  if not answer then return nil, err end
  local names = asked.names_of(answer.clusterArns)
  return asked.pick(target, ask, {
    what = "clusters", names = names, none = #names == 0 and "there is no cluster in " .. aws.region(target.aws),
    none_next = "another region is set by the profile or AWS_REGION", how = "write ecs:CLUSTER/SERVICE",
  })
end

local function find_service(target, ask, cluster)
  local names, err = asked.services(target, cluster)
  if not names then return nil, err end
  return asked.pick(target, ask, {
    what = "services", names = names, none = "the cluster has no service", none_next = "is it the right cluster?",
    how = ("write ecs:%s/SERVICE"):format(cluster),
  })
end

-- CLUSTER/SERVICE/CONTAINER, of which any may be empty; a single word is the service.
local function parts_of(text_of)
  local parts = {}
  for part in (text_of .. "/"):gmatch "([^/]*)/" do parts[#parts + 1] = part ~= "" and part or false end
  if #parts == 1 then return nil, parts[1] or nil end
  return parts[1] or nil, parts[2] or nil, parts[3] or nil
end

-- What is found stands on `target.ecs`, also as far as it went.
local function find(target, ask)
  local cluster, service, wanted = parts_of(target.target)
  local known = target.ecs or {}
  target.aws = target.aws or {}
  target.ecs = { cluster = cluster or known.cluster, service = service or known.service, task = known.task }
  target.told = { login = aws.login_line(target.aws) }
  local is = target.ecs
  local ok, err = has_programs(target)
  if ok then ok, err = logged_in(target, ask) end
  if not ok then return nil, err end
  if not is.cluster then
    is.cluster, err = find_cluster(target, ask)
    if not is.cluster then return nil, err end
  end
  if not is.service then
    is.service, err = find_service(target, ask, is.cluster)
    if not is.service then return nil, err end
  end
  local running
  running, err = tasks.running(target)
  if not running then return nil, err end
  return tasks.choose(target, ask, running, wanted or known.container)
end

local function words_of(target)
  local is = target.ecs
  return aws.words(target.aws, { "ecs", "execute-command", "--cluster", is.cluster, "--task", is.task, "--container",
    is.container, "--interactive", "--command", "/bin/sh" })
end

--- What leads to a shell in the container.
---@param target Target   `ecs` is set on it: { cluster, service, task, several, container, runtime_id }
---@param ask? boolean    a person is there to choose and to log in
---@return string[]? words
---@return Failure? err
function ecs.words(target, ask)
  local ok, err = find(target, ask)
  if not ok then return nil, err end
  return words_of(target)
end

ecs.has_other = tasks.has_other

--- What leads to another task: the first one gave no shell. Once, and where there is one.
---@param target Target   then with that task
---@param reason string   for whoever waits
---@return string[] words
function ecs.other_words(target, reason)
  tasks.pass_over(target, reason)
  return words_of(target)
end

return ecs
