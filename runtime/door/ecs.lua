--- Finds the container of a service of ECS: whether one is logged in, which cluster, service, task and container, and
--- whether execute-command goes there. Where there is a choice the person at the terminal is asked; where there is
--- none, the names are told.

local uv = require "luv"
local aws = require "runtime.door.aws"
local failure = require "runtime.failure"
local telemetry = require "runtime.telemetry"
local terminal = require "runtime.terminal"
local troubles = require "runtime.door.troubles"

local ecs = {}

local MOST_TASKS = 100 -- that one question describes
local ASK_S = 120
local WHO = "who we are"
local AGENT = "ExecuteCommandAgent"

local function fail(target, message, next_step, stage)
  return nil, failure.new(stage or "connect", ("%s: %s"):format(target.via, message), next_step, 3)
end

local function last(arn) return tostring(arn):match "[^/]+$" end

-- What AWS has none of is left out, or null.
local function each(list) return ipairs(type(list) == "table" and list or {}) end

local function text(value) return type(value) == "string" and value or nil end

local function names_of(arns)
  local list = {}
  for i, arn in each(arns) do list[i] = last(arn) end
  table.sort(list)
  return list
end

local function listed(names) return #names > 0 and table.concat(names, ", ") or "none" end

-- One of several, by its number.
local function asked(what, rows)
  local lines = {}
  for i, row in ipairs(rows) do lines[i] = ("  %d  %s"):format(i, row) end
  terminal.show(what .. ":\n" .. table.concat(lines, "\n"))
  local typed = terminal.ask(("which one? (1 to %d)"):format(#rows), ASK_S)
  return rows[tonumber(typed) or 0] and tonumber(typed) or nil
end

-- The only one, or the one that a person takes.
---@param of { what: string, names: string[], rows?: string[], none: string, none_next: string, how: string }
local function pick(target, ask, of)
  if #of.names == 0 then return fail(target, of.none, of.none_next) end
  if #of.names == 1 then return of.names[1] end
  local i = ask and asked(of.what, of.rows or of.names)
  if i then return of.names[i] end
  return fail(target, ("there are several %s: %s"):format(of.what, listed(of.rows or of.names)), of.how)
end

local function tell_from(target, said)
  if said:find "ClusterNotFound" or said:lower():find("cluster not found", 1, true) then
    local there = aws.json(target.aws, { "ecs", "list-clusters" }, "the clusters")
    local names = names_of(there and there.clusterArns)
    local near = failure.nearest(target.ecs.cluster or "", names)
    target.told.there = near and ("did you mean %s?"):format(near) or "there: " .. listed(names)
      .. "; another region is set by the profile or AWS_REGION"
    target.told.region = aws.region(target.aws)
  elseif said:find "endpoint URL" then
    target.told.region = aws.region(target.aws)
  end
  if said == "timeout" then return fail(target, "AWS does not answer", "is there a way to the internet from here?") end
  return nil, troubles.of(said, "end", target.via, target.told)
end

local function question(target, words, what)
  local answer, said = aws.json(target.aws, words, what)
  if answer then return answer end
  return tell_from(target, said)
end

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
      target.via, line), ASK_S)
    if typed and typed:lower():match "^y" and aws.login(target.aws) then
      me, said = aws.json(target.aws, whoami, WHO)
    end
  end
  if me then return true end
  return tell_from(target, said)
end

local function is_here(program)
  for folder in (os.getenv "PATH" or ""):gmatch "[^:]+" do
    if uv.fs_access(folder .. "/" .. program, "X") then return true end
  end
end

local function has_programs(target)
  local way = target.way
  if not is_here(way.program) then
    return fail(target, ("the program %s is not installed here"):format(way.program), "it is had at " .. way.from)
  end
  if is_here "session-manager-plugin" then return true end
  return fail(target, troubles.NO_PLUGIN.message, troubles.NO_PLUGIN.next)
end

local function find_cluster(target, ask)
  local answer, err = question(target, { "ecs", "list-clusters" }, "the clusters")
  if not answer then return nil, err end
  local names = names_of(answer.clusterArns)
  return pick(target, ask, {
    what = "clusters", names = names, none = #names == 0 and "there is no cluster in " .. aws.region(target.aws),
    none_next = "another region is set by the profile or AWS_REGION", how = "write ecs:CLUSTER/SERVICE",
  })
end

local function services(target, cluster)
  local answer, err = question(target, { "ecs", "list-services", "--cluster", cluster },
    "the services of " .. cluster)
  return answer and names_of(answer.serviceArns), err
end

local function find_service(target, ask, cluster)
  local names, err = services(target, cluster)
  if not names then return nil, err end
  return pick(target, ask, {
    what = "services", names = names, none = "the cluster has no service", none_next = "is it the right cluster?",
    how = ("write ecs:%s/SERVICE"):format(cluster),
  })
end

local function no_such_service(target, cluster, service)
  local names, err = services(target, cluster)
  if not names then return nil, err end
  local near = failure.nearest(service, names)
  return fail(target, ("cluster %s has no service %s"):format(cluster, service),
    near and ("did you mean %s?"):format(near) or "there: " .. listed(names))
end

-- The tasks of the service that run, by their ids.
local function running(target, cluster, service)
  local words = { "ecs", "list-tasks", "--cluster", cluster, "--service-name", service, "--desired-status", "RUNNING" }
  local answer, said = aws.json(target.aws, words, "the tasks of " .. service)
  if not answer and said:find "ServiceNotFound" then return no_such_service(target, cluster, service) end
  if not answer then return tell_from(target, said) end
  local ids = names_of(answer.taskArns)
  if #ids == 0 then
    return fail(target, ("no task of %s runs"):format(service),
      ("see `aws ecs describe-services --cluster %s --services %s`"):format(cluster, service))
  end
  words = { "ecs", "describe-tasks", "--cluster", cluster, "--tasks", unpack(ids, 1, math.min(#ids, MOST_TASKS)) }
  local described, err = question(target, words, "the state of these tasks")
  if not described then return nil, err end
  local tasks = {}
  for _, task in each(described.tasks) do
    local id = last(task.taskArn)
    tasks[id], tasks[#tasks + 1] = task, id
  end
  return tasks
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
local function others(target, tasks, id, name)
  local all, fit = {}, {}
  for _, other in ipairs(tasks) do
    local container = other ~= id and named(tasks[other], name)
    all[#all + 1] = other ~= id and other or nil
    if container and not unfit(target, tasks[other], container) then
      fit[#fit + 1] = { task = other, runtime_id = text(container.runtimeId) }
    end
  end
  return all, fit
end

-- Those that can be entered, where there are any; each of the others is told.
local function fit_of(target, tasks, container)
  local fit, passed = {}, {}
  for _, id in ipairs(tasks) do
    local why
    for _, one in each(tasks[id].containers) do
      if not container or one.name == container then why = why or unfit(target, tasks[id], one) end
    end
    if why then passed[#passed + 1] = { id = id, why = why } else fit[#fit + 1] = id end
  end
  if #fit == 0 then return tasks end
  for _, one in ipairs(passed) do
    telemetry.emit("door.passed_over", {}, { task = one.id, reason = one.why, other = table.concat(fit, " or ") })
  end
  return fit
end

local function find_task(target, ask, tasks, container)
  local wanted = target.ecs.task or target.task
  if not wanted then
    local fit, rows = fit_of(target, tasks, container), {}
    for i, id in ipairs(fit) do rows[i] = row(id, tasks[id]) end
    return pick(target, ask, {
      what = "tasks", names = { unpack(fit) }, rows = rows, how = "name one with --task: its first letters will do",
      none = "no task of it can be described", none_next = "try again",
    })
  end
  local of = {}
  for _, id in ipairs(tasks) do of[#of + 1] = id:sub(1, #wanted) == wanted and id or nil end
  if #of == 1 then return of[1] end
  return fail(target, ("there is %s task %s"):format(#of == 0 and "no" or "more than one", wanted),
    "there: " .. listed(tasks))
end

local function find_container(target, ask, task, wanted)
  local names, by_name = {}, {}
  for _, container in each(task.containers) do
    names[#names + 1], by_name[container.name] = container.name, container
  end
  table.sort(names)
  if wanted and not by_name[wanted] then
    return fail(target, ("the task has no container %s"):format(wanted), "there: " .. listed(names))
  end
  local name, err = wanted, nil
  if not name then
    name, err = pick(target, ask, {
      what = "containers", names = names, none = "the task has no container", none_next = "try again",
      how = "write ecs:CLUSTER/SERVICE/CONTAINER",
    })
  end
  if not name then return nil, err end
  return by_name[name]
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
  local tasks, container
  tasks, err = running(target, is.cluster, is.service)
  if not tasks then return nil, err end
  local id
  id, err = find_task(target, ask, tasks, wanted or known.container)
  if not id then return nil, err end
  is.task, is.several = id, #tasks > 1
  container, err = find_container(target, ask, tasks[id], wanted or known.container)
  if not container then return nil, err end
  is.container, is.runtime_id = container.name, text(container.runtimeId)
  is.others, is.fit = others(target, tasks, id, is.container)
  target.told.another = another(is.others)
  local message, next_step, more = unfit(target, tasks[id], container)
  if not message then return true end
  return fail(target, message, next_step or ("try %s%s"):format(target.told.another, more or ""))
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

--- Whether there is another task to go over to, where nobody named the one that was found.
---@param target Target   that words were found for
---@return boolean
function ecs.has_other(target)
  return not (target.task or target.ecs.passed) and target.ecs.fit[1] ~= nil
end

--- What leads to that one: its first one gave no shell. Once.
---@param target Target   then with that task
---@param reason string   for whoever waits
---@return string[] words
function ecs.other_words(target, reason)
  local is = target.ecs
  local other = is.fit[1]
  telemetry.emit("door.passed_over", {}, { task = is.task, reason = reason, other = other.task })
  is.passed, is.task, is.runtime_id = is.task, other.task, other.runtime_id
  local left = {}
  for _, id in ipairs(is.others) do left[#left + 1] = id ~= other.task and id or nil end
  target.told.another = another(left)
  return words_of(target)
end

return ecs
