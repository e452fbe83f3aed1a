--- What doors say when they do not open, and what to do about it. The first text that is found counts.

local failure = require "runtime.failure"

local troubles = {}

local MOST_SAID = 160 -- bytes that are told

-- What looking at a service wants, where the message does not name it.
local NEEDED = "ecs:ListTasks, ecs:DescribeTasks, ecs:ExecuteCommand, ssm:StartSession"

-- Where it is had.
troubles.PLUGIN = "docs.aws.amazon.com/systems-manager/latest/userguide/"
  .. "session-manager-working-with-install-plugin.html"

troubles.NO_PLUGIN = {
  message = "the Session Manager plugin is not installed here", next = "it is had at " .. troubles.PLUGIN,
}

local NO_SHELL = {
  message = "there is no shell in the container",
  next = "an image without sh cannot be entered: forward its ports, or attach to the node over the network",
}

---@class Trouble
---@field says string       a pattern, in lower case
---@field message string    words in braces: see USUAL
---@field next string
---@field of_one? true      another one of the same service may do better
---@field action? string    a pattern for what {action} is in the text as it stands

---@type Trouble[]
troubles.TABLE = {
  { says = "accessdenied.-not authorized to perform", action = "perform:? ([%w%-]+:%w+)",
    message = "AWS denies {action}", next = "use a profile whose role has {action} on this cluster and its tasks" },
  { says = "accessdenied.-when calling the", action = "calling the (%w+)",
    message = "AWS denies {action}", next = "use a profile whose role has " .. NEEDED },
  { says = "accessdenied", message = "AWS denies access", next = "use a profile whose role has " .. NEEDED },
  { says = "session ?manager ?plugin.-not found", message = troubles.NO_PLUGIN.message,
    next = troubles.NO_PLUGIN.next },
  { says = "token.-has expired", message = "the AWS login has expired", next = "log in: {login}" },
  { says = "sso session.-has expired", message = "the AWS login has expired", next = "log in: {login}" },
  { says = "error loading sso token", message = "there is no AWS login", next = "log in: {login}" },
  { says = "expiredtoken", message = "the AWS login has expired", next = "log in: {login}" },
  { says = "unable to locate credentials", message = "there is no AWS login", next = "log in: {login}" },
  { says = "config profile %(.-%) could not be found", action = "profile %((.-)%)",
    message = "AWS knows no profile {action} here", next = "see `aws configure list-profiles`" },
  { says = "must specify a region", message = "no AWS region is set",
    next = "name it in the profile of the config file, or set AWS_REGION" },
  { says = "could not connect to the endpoint url", message = "nobody answers for AWS in {region}",
    next = "check the region's name, and whether this machine reaches AWS" },
  { says = "execute command was not enabled", message = "the task was started without execute-command",
    next = "update the service with --enable-execute-command and let it start a new task" },
  { says = "cluster not found", message = "there is no such cluster in {region}", next = "{there}" },
  { says = "targetnotconnected", of_one = true, message = "the agent in the container does not answer",
    next = "the container may be out of memory or its file system read-only: look at `aws ecs describe-tasks`, or try "
      .. "{another}" },
  { says = "cannot perform start session", of_one = true, message = "the session ended before there was a shell",
    next = "try once more, or {another}" },
  { says = "unable to start command", message = NO_SHELL.message, next = NO_SHELL.next },
  { says = "read%-only file system",
    message = "the container's file system is read-only, and what lets us in writes there",
    next = "start the task without readonlyRootFilesystem, or attach to the node over the network" },
  { says = "timed out due to inactivity", message = "the session was cut for being idle", next = "open it again" },
  { says = "permission denied %(", message = "ssh: the host takes none of our keys",
    next = "load your key into the agent (ssh-add), or name it in ~/.ssh/config" },
  { says = "too many authentication failures", message = "ssh: the host gave up before the right key was offered",
    next = "name that key for it in ~/.ssh/config, with IdentitiesOnly yes" },
  { says = "remote host identification has changed", message = "ssh: the host has another key than before",
    next = "it was set up anew, or somebody stands in between: compare its key, then ssh-keygen -R with its name" },
  { says = "host key verification failed", message = "ssh: the host's key is not known",
    next = "connect once by hand with ssh and compare the key" },
  { says = "kex_exchange_identification", message = "ssh: the host closed the connection before a login",
    next = "its sshd may be at its limit (MaxStartups), or keep your address out: try later" },
  { says = "could not resolve hostname", message = "ssh: the host's name is not known here",
    next = "check the name, or whether you are in its network" },
  { says = "connection to the server %S+ was refused", message = "kubectl reaches no cluster",
    next = "check its context: `kubectl config current-context`, `kubectl cluster-info`" },
  { says = "context %S+ does not exist", action = 'context "([^"]+)"', message = "kubectl has no context {action} here",
    next = "see `kubectl config get-contexts`" },
  { says = "context not found", action = 'context "([^"]+)"', message = "docker has no context {action} here",
    next = "see `docker context ls`" },
  { says = "must be logged in to the server", message = "Kubernetes does not know who you are",
    next = "log in as your cluster wants it, until `kubectl get pods` answers" },
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
  { says = "executable file not found", message = NO_SHELL.message, next = NO_SHELL.next },
  { says = "exec: \"?sh\"?: not found", message = NO_SHELL.message, next = NO_SHELL.next },
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
  return (text:gsub("\27%[[%d;?]*%a", ""):gsub("%c+", " "):gsub("^%s+", ""):gsub("%s+$", ""))
end

--- The end of what a program said, in one line.
---@param said string
---@return string
function troubles.last(said) return plain(said):sub(-MOST_SAID) end

-- What stands for a word that only who opened the door knows.
local USUAL = {
  login = "aws sso login", region = "the region that is set here", there = "see `aws ecs list-clusters`",
  another = "another task", action = "that",
}

local function fill(text, told)
  return (text:gsub("{(%a+)}", function(word) return told[word] or USUAL[word] end))
end

local CUT = {
  { says = "timed out due to inactivity", why = "the session was cut for being idle" },
  { says = "exiting session with sessionid", why = "the session ended" },
}

--- Why a door that stood open closed.
---@param said? string   what was heard last
---@return string
function troubles.cut(said)
  local low = plain(said or ""):lower()
  for _, cut in ipairs(CUT) do if low:find(cut.says) then return cut.why end end
  return "the door closed"
end

local OURS = { ["end"] = "the session ended", timeout = "the shell fell silent" }

--- Why a door did not open.
---@param said string   what was seen
---@param why string    "end", "timeout", or a question
---@param via string
---@param told? table<string, string>   login, region, there, another: for the words of the table in braces
---@param at? string    "while …": what was being done, once the shell was ours
---@return Failure
---@return boolean? of_one   another one of the same service may do better
function troubles.of(said, why, via, told, at)
  local seen = plain(said)
  local low = seen:lower()
  for _, trouble in ipairs(troubles.TABLE) do
    if low:find(trouble.says) then
      local words = setmetatable({ action = trouble.action and seen:match(trouble.action) }, { __index = told })
      return failure.new("connect", ("%s: %s"):format(via, fill(trouble.message, words)), fill(trouble.next, words), 3),
        trouble.of_one
    end
  end
  if at then seen = plain(said:gsub("bl[:_][^|\n]*|?", ""):gsub("{%l*[ %d]*}?", "")) end -- without our own marks
  local last = seen ~= "" and ", and said last: " .. troubles.last(seen) or " without a word"
  if at and OURS[why] then
    return failure.new("connect", ("%s: %s %s%s"):format(via, OURS[why], at, seen ~= "" and last or ""),
      "try again, or that command by hand", 3)
  end
  if why == "end" then
    return failure.new("connect", ("%s: the door closed%s"):format(via, last), "try that command by hand", 3)
  elseif why == "timeout" then
    return failure.new("connect", ("%s: no shell answered%s"):format(via, last),
      fill("the machine may be overwhelmed: try {another}, or that command by hand",
        told or { another = "another of its kind" }), 3), true
  end
  return failure.new("connect", ("%s: %s"):format(via, why), "answer it once by hand, or set up a key", 3)
end

return troubles
