--- What doors say when they do not open, and what to do about it. The first text that is found counts.

local failure = require "runtime.failure"

local troubles = {}

---@type { says: string, message: string, next: string }[]   says: a pattern, in lower case
troubles.TABLE = {
  { says = "accessdenied[%w]* ?.-ecs:executecommand", message = "AWS denies ecs:ExecuteCommand",
    next = "use a profile whose role has ecs:ExecuteCommand on this cluster and task" },
  { says = "accessdenied", message = "AWS denies access",
    next = "use a profile with ecs:ExecuteCommand, ecs:DescribeTasks and ssm:StartSession" },
  { says = "session ?manager ?plugin.-not found", message = "the Session Manager plugin is not installed here",
    next = "install session-manager-plugin as the AWS documentation says, and try again" },
  { says = "token.-has expired", message = "the AWS login has expired", next = "log in: aws sso login" },
  { says = "execute command was not enabled", message = "the task was started without execute-command",
    next = "update the service with --enable-execute-command and let it start a new task" },
  { says = "cluster not found", message = "the cluster is not there",
    next = "check the region and the cluster's name" },
  { says = "targetnotconnected", message = "the agent in the container does not answer",
    next = "the container may be out of memory: look at `aws ecs describe-tasks`, or try another task" },
  { says = "permission denied %(", message = "ssh: the host takes none of our keys",
    next = "load your key into the agent (ssh-add), or name it in ~/.ssh/config" },
  { says = "host key verification failed", message = "ssh: the host's key is not known, or another one than before",
    next = "connect once by hand with ssh and compare the key" },
  { says = "could not resolve hostname", message = "ssh: the host's name is not known here",
    next = "check the name, or whether you are in its network" },
  { says = "connection refused", message = "nobody listens there", next = "check host and port, and whether it runs" },
  { says = "connection timed out", message = "the host does not answer",
    next = "is it up, and are you in its network?" },
  { says = "no such container", message = "docker knows no such container", next = "see `docker ps`" },
  { says = "container %S+ is not running", message = "the container does not run", next = "see `docker ps -a`" },
  { says = "cannot connect to the docker daemon", message = "docker's daemon does not answer",
    next = "does it run, and may you use it? (group docker, DOCKER_HOST)" },
  { says = "pods? %S+ not found", message = "kubectl knows no such pod",
    next = "see `kubectl get pods -A`; write kubectl:NAMESPACE/POD" },
  { says = "container %S+ is not valid for pod", message = "the pod has no such container",
    next = "see `kubectl describe pod`; write kubectl:NAMESPACE/POD/CONTAINER" },
  { says = "forbidden.-pods/exec", message = "Kubernetes denies exec into the pod",
    next = "use an account with create on pods/exec in that namespace" },
  { says = "executable file not found", message = "there is no shell in the container",
    next = "an image without sh cannot be entered: forward its ports, or attach to the node over the network" },
  { says = "exec: \"?sh\"?: not found", message = "there is no shell in the container",
    next = "an image without sh cannot be entered: forward its ports, or attach to the node over the network" },
}

local QUESTIONS = {
  { "password:%s*$", "the door asks for a password, and nobody is asked here" },
  { "passphrase for [^\n]*:%s*$", "the door asks for the passphrase of a key" },
  { "%(yes/no[^\n]*%)%?%s*$", "the door asks whether to trust a host that it does not know" },
  { "login:%s*$", "the door asks for a login" },
}

--- Whether a person would have to answer now.
---@param said string
---@return string?
function troubles.question(said)
  local tail = said:sub(-300):lower()
  for _, question in ipairs(QUESTIONS) do
    if tail:find(question[1]) then return question[2] end
  end
end

local function plain(text)
  return (text:gsub("\27%[[%d;?]*%a", ""):gsub("[%c]+", " "):gsub("^%s+", ""):gsub("%s+$", ""))
end

--- Why a door did not open.
---@param said string   what was seen
---@param why string    "end", "timeout", or a question
---@param via string
---@return Failure
function troubles.of(said, why, via)
  local seen = plain(said)
  local low = seen:lower()
  for _, trouble in ipairs(troubles.TABLE) do
    if low:find(trouble.says) then
      return failure.new("connect", ("%s: %s"):format(via, trouble.message), trouble.next, 3)
    end
  end
  local last = seen ~= "" and (", and said last: %s"):format(seen:sub(-160)) or " without a word"
  if why == "end" then
    return failure.new("connect", ("%s: the door closed%s"):format(via, last), "try that command by hand", 3)
  elseif why == "timeout" then
    return failure.new("connect", ("%s: no shell answered%s"):format(via, last),
      "the machine may be overwhelmed: try another of its kind, or that command by hand", 3)
  end
  return failure.new("connect", ("%s: %s"):format(via, why), "answer it once by hand, or set up a key", 3)
end

return troubles
