--- The tasks of a service of ECS: those that run, which one of them is entered and in which of its containers, and to
--- which other one one may go over. What is found stands on the target's `ecs`.

local asked = require "runtime.door.ecs_asked"
local aws = require "runtime.door.aws"
local failure = require "runtime.failure"
local telemetry = require "runtime.telemetry"

local each, fail, last, text = asked.each, asked.fail, asked.last, asked.text

local tasks = {}

local MOST = 100 -- that one question describes
local AGENT = "ExecuteCommandAgent"

local function no_such_service(target, cluster, service)
  local names, err = asked.services(target, cluster)
  if not names then return nil, err end
  return fail(target, ("cluster %s has no service %s"):format(cluster, service),
    failure.meant(service, names, "there: " .. asked.listed(names)))
end

--- Those of the service that run.
---@param target Target
---@return table? running   their ids, and what AWS tells of each under its id
---@return Failure? err
function tasks.running(target)
  local cluster, service = target.ecs.cluster, target.ecs.service
  local words = { "ecs", "list-tasks", "--cluster", cluster, "--service-name", service, "--desired-status", "RUNNING" }
  local answer, said = aws.json(target.aws, words, "the tasks of " .. service)
  if not answer and said:find "ServiceNotFound" then return no_such_service(target, cluster, service) end
  if not answer then return asked.refused(target, said) end
  local ids = asked.names_of(answer.taskArns)
  if #ids == 0 then
    return fail(target, ("no task of %s runs"):format(service),
      ("see `aws ecs describe-services --cluster %s --services %s`"):format(cluster, service))
  end
  words = { "ecs", "describe-tasks", "--cluster", cluster, "--tasks", unpack(ids, 1, math.min(#ids, MOST)) }
  local described, err = asked.of_aws(target, words, "the state of these tasks")
  if not described then return nil, err end
  local running = {}
  for _, task in each(described.tasks) do
    local id = last(task.taskArn)
    running[id], running[#running + 1] = task, id
  end
  return running
end

local function row(id, task)
  local about = {}
  for _, key in ipairs { "lastStatus", "healthStatus", "startedAt" } do
    local what = text(task[key])
    about[#about + 1] = what ~= "UNKNOWN" and what or nil
  end
  return ("%s (%s)"):format(id, table.concat(about, ", "))
end

local function agent_of(container)
  for _, agent in each(container.managedAgents) do
    if agent.name == AGENT then return agent end
  end
end

-- What would only fail after a long wait, or with words that nobody understands; and what to do about it, where
-- another task is no help.
local function unfit(target, task, container)
  if task.enableExecuteCommand ~= true then
    local c, s = target.ecs.cluster, target.ecs.service
    return "the task was started without execute-command",
      ("let new ones have it: aws ecs update-service --cluster %s --service %s --enable-execute-command "
        .. "--force-new-deployment"):format(c, s)
  end
  if container.lastStatus ~= "RUNNING" then
    return ("container %s is %s"):format(container.name, text(container.lastStatus) or "not running")
  end
  local agent = agent_of(container)
  if agent and agent.lastStatus ~= "RUNNING" then
    local why = text(agent.reason)
    return ("the agent in container %s is %s%s"):format(container.name, text(agent.lastStatus) or "gone",
      why and (" (%s)"):format(why) or ""), nil, "; it stops where the file system is read-only or the memory is full"
  end
end

local function another(ids)
  return #ids > 0 and "another task: --task " .. table.concat(ids, ", or ") or "again when a new task runs"
end

local function named(task, name)
  for _, container in each(task.containers) do
    if container.name == name then return container end
  end
end

-- The other tasks, and of them those with such a container that can be entered.
local function others(target, running, id, name)
  local all, fit = {}, {}
  for _, other in ipairs(running) do
    local container = other ~= id and named(running[other], name)
    all[#all + 1] = other ~= id and other or nil
    if container and not unfit(target, running[other], container) then
      fit[#fit + 1] = { task = other, runtime_id = text(container.runtimeId) }
    end
  end
  return all, fit
end

-- Those that can be entered, where there are any; each of the others is told.
local function fit_of(target, running, container)
  local fit, passed = {}, {}
  for _, id in ipairs(running) do
    local why
    for _, one in each(running[id].containers) do
      if not container or one.name == container then why = why or unfit(target, running[id], one) end
    end
    if why then passed[#passed + 1] = { id = id, why = why } else fit[#fit + 1] = id end
  end
  if #fit == 0 then return running end
  for _, one in ipairs(passed) do
    telemetry.emit("door.passed_over", {}, { task = one.id, reason = one.why, other = table.concat(fit, " or ") })
  end
  return fit
end

local function find_task(target, ask, running, container)
  local wanted = target.ecs.task or target.task
  if not wanted then
    local fit, rows = fit_of(target, running, container), {}
    for i, id in ipairs(fit) do rows[i] = row(id, running[id]) end
    return asked.pick(target, ask, {
      what = "tasks", names = { unpack(fit) }, rows = rows, how = "name one with --task: its first letters will do",
      none = "no task of it can be described", none_next = "try again",
    })
  end
  local of = {}
  for _, id in ipairs(running) do of[#of + 1] = id:sub(1, #wanted) == wanted and id or nil end
  if #of == 1 then return of[1] end
  return fail(target, ("there is %s task %s"):format(#of == 0 and "no" or "more than one", wanted),
    "there: " .. asked.listed(running))
end

local function find_container(target, ask, task, wanted)
  local names, by_name = {}, {}
  for _, container in each(task.containers) do
    names[#names + 1], by_name[container.name] = container.name, container
  end
  table.sort(names)
  if wanted and not by_name[wanted] then
    return fail(target, ("the task has no container %s"):format(wanted), "there: " .. asked.listed(names))
  end
  local name, err = wanted, nil
  if not name then
    name, err = asked.pick(target, ask, {
      what = "containers", names = names, none = "the task has no container", none_next = "try again",
      how = "write ecs:CLUSTER/SERVICE/CONTAINER",
    })
  end
  if not name then return nil, err end
  return by_name[name]
end

--- Takes one, and one of its containers.
---@param target Target
---@param ask? boolean        a person is there to choose
---@param running table       from `running`
---@param container? string   the one that was asked for
---@return true?
---@return Failure? err       also where execute-command would not get into it
function tasks.choose(target, ask, running, container)
  local is = target.ecs
  local id, err = find_task(target, ask, running, container)
  if not id then return nil, err end
  is.task, is.several = id, #running > 1
  local its
  its, err = find_container(target, ask, running[id], container)
  if not its then return nil, err end
  is.container, is.runtime_id = its.name, text(its.runtimeId)
  is.others, is.fit = others(target, running, id, is.container)
  target.told.another = another(is.others)
  local message, next_step, more = unfit(target, running[id], its)
  if not message then return true end
  return fail(target, message, next_step or ("try %s%s"):format(target.told.another, more or ""))
end

--- Whether there is another one to go over to, where nobody named the one that was found.
---@param target Target   that one was chosen for
---@return boolean
function tasks.has_other(target) return not (target.task or target.ecs.passed) and target.ecs.fit[1] ~= nil end

--- Goes over to that one: the first one gave no shell. Once.
---@param target Target
---@param reason string   for whoever waits
function tasks.pass_over(target, reason)
  local is = target.ecs
  local other = is.fit[1]
  telemetry.emit("door.passed_over", {}, { task = is.task, reason = reason, other = other.task })
  is.passed, is.task, is.runtime_id = is.task, other.task, other.runtime_id
  local left = {}
  for _, id in ipairs(is.others) do left[#left + 1] = id ~= other.task and id or nil end
  target.told.another = another(left)
end

return tasks
