local async = require "runtime.async"
local door = require "runtime.door"
local live = require "spec.support.live_node"

-- What such a program was seen to say before it ended, and what we say then.
local ENDS = {
  { "An error occurred (AccessDeniedException) when calling the ExecuteCommand operation: User: arn:aws:sts::1:x is "
    .. "not authorized to perform: ecs:ExecuteCommand on resource: y",
    "AWS denies ecs:ExecuteCommand; use a profile whose role has ecs:ExecuteCommand on this cluster and its tasks" },
  { "An error occurred (AccessDeniedException) when calling the StartSession operation: no",
    "AWS denies StartSession; use a profile whose role has "
      .. "ecs:ListTasks, ecs:DescribeTasks, ecs:ExecuteCommand, ssm:StartSession" },
  { "SessionManagerPlugin is not found. Please refer to SessionManager Documentation here: http://x",
    "the Session Manager plugin is not installed here; "
      .. "it is had at docs.aws.amazon.com/systems-manager/latest/userguide/"
      .. "session-manager-working-with-install-plugin.html" },
  { "Error when retrieving token from sso: Token has expired and refresh failed",
    "the AWS login has expired; log in: aws sso login" },
  { "(InvalidParameterException) ... because execute command was not enabled when the task was run",
    "the task was started without execute-command; "
      .. "update the service with --enable-execute-command and let it start a new task" },
  { "An error occurred (ClusterNotFoundException) when calling the ListTasks operation: Cluster not found.",
    "there is no such cluster in the region that is set here; see `aws ecs list-clusters`" },
  { "An error occurred (TargetNotConnectedException) when calling the ExecuteCommand operation",
    "the agent in the container does not answer; "
      .. "the container may be out of memory or its file system read-only: look at `aws ecs describe-tasks`, "
      .. "or try another task" },
  { "The SSO session associated with this profile has expired or is otherwise invalid.",
    "the AWS login has expired; log in: aws sso login" },
  { "An error occurred (ExpiredToken) when calling the GetCallerIdentity operation: expired",
    "the AWS login has expired; log in: aws sso login" },
  { "Unable to locate credentials. You can configure credentials by running \"aws configure\".",
    "there is no AWS login; log in: aws sso login" },
  { "The config profile (prood) could not be found",
    "AWS knows no profile prood here; see `aws configure list-profiles`" },
  { "You must specify a region. You can also configure your region by running \"aws configure\".",
    "no AWS region is set; name it in the profile of the config file, or set AWS_REGION" },
  { "Cannot perform start session: EOF", "the session ended before there was a shell; try once more, or another task" },
  { "----------ERROR------- Unable to start command: Failed to start pty: fork/exec /bin/sh: no such file",
    "there is no shell in the container; "
      .. "an image without sh cannot be entered: forward its ports, or attach to the node over the network" },
  { "mkdir /var/lib/amazon: read-only file system",
    "the container's file system is read-only, and what lets us in writes there; "
      .. "start the task without readonlyRootFilesystem, or attach to the node over the network" },
  { "SessionId: ecs-execute-command-0f : Your session timed out due to inactivity and has been terminated.",
    "the session was cut for being idle; open it again" },
  { "shop@10.0.0.7: Permission denied (publickey,password).",
    "ssh: the host takes none of our keys; load your key into the agent (ssh-add), or name it in ~/.ssh/config" },
  { "Received disconnect from 10.0.0.7 port 22:2: Too many authentication failures",
    "ssh: the host gave up before the right key was offered; "
      .. "name that key for it in ~/.ssh/config, with IdentitiesOnly yes" },
  { "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nHost key verification failed.",
    "ssh: the host has another key than before; it was set up anew, or somebody stands in between: compare its key, "
      .. "then ssh-keygen -R with its name" },
  { "Host key verification failed.",
    "ssh: the host's key is not known; connect once by hand with ssh and compare the key" },
  { "kex_exchange_identification: read: Connection reset by peer",
    "ssh: the host closed the connection before a login; "
      .. "its sshd may be at its limit (MaxStartups), or keep your address out: try later" },
  { "ssh: Could not resolve hostname nowhere: Name or service not known",
    "ssh: the host's name is not known here; check the name, or whether you are in its network" },
  { "ssh: connect to host 10.0.0.7 port 22: Connection refused",
    "nobody listens there; check host and port, and whether it runs" },
  { "ssh: connect to host 10.0.0.7 port 22: Connection timed out",
    "the host does not answer; is it up, and are you in its network?" },
  { "Error response from daemon: No such container: web", "docker knows no such container; see `docker ps`" },
  { "Error response from daemon: container 0ab is not running", "the container does not run; see `docker ps -a`" },
  { "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
    "docker's daemon does not answer; does it run, and may you use it? (group docker, DOCKER_HOST)" },
  { "E1122 04:11:02 memcache.go: dial tcp 127.0.0.1:8080: connect: connection refused\n"
    .. "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
    "kubectl reaches no cluster; check its context: `kubectl config current-context`, `kubectl cluster-info`" },
  { "error: You must be logged in to the server (Unauthorized)",
    "Kubernetes does not know who you are; log in as your cluster wants it, until `kubectl get pods` answers" },
  { 'Error from server (NotFound): pods "shop-0" not found',
    "kubectl knows no such pod; see `kubectl get pods -A`; write kubectl:NAMESPACE/POD" },
  { "Error from server (BadRequest): container nope is not valid for pod shop-0",
    "the pod has no such container; see `kubectl describe pod`; write kubectl:NAMESPACE/POD/CONTAINER" },
  { 'Error from server (Forbidden): pods "shop-0" is forbidden: User "x" cannot create resource "pods/exec"',
    "Kubernetes denies exec into the pod; use an account with create on pods/exec in that namespace" },
  { 'OCI runtime exec failed: exec failed: unable to start container process: exec: "sh": executable file not found '
    .. "in $PATH",
    "there is no shell in the container; "
      .. "an image without sh cannot be entered: forward its ports, or attach to the node over the network" },
  { "\27[31mBoom\27[0m\r\n", "the door closed, and said last: Boom; try that command by hand" },
  { "", "the door closed without a word; try that command by hand" },
}

local QUESTIONS = {
  { "shop@10.0.0.7's password: ", "the door asks for a password, and nobody is asked here" },
  { "Enter passphrase for key '/root/.ssh/id_rsa': ", "the door asks for the passphrase of a key" },
  { "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
    "the door asks whether to trust a host that it does not know" },
  { "db-1 login: ", "the door asks for a login" },
}

local function quoted(text) return "'" .. text:gsub("'", [['\'']]) .. "'" end

local function opened(via, seconds)
  local d = door.new(via)
  local _, err = d:ready(async.now() + (seconds or 30))
  return tostring(err):sub(#via + 3), d
end

describe("a door that does not open", function()
  for _, case in ipairs(ENDS) do
    it("and said: " .. case[1]:gsub("%c", " "):sub(1, 60), live.test(function()
      assert.equal(case[2], (opened(("shell:sh -c %s"):format(quoted("printf %s " .. quoted(case[1]) .. "; exit 1")))))
    end))
  end

  for _, case in ipairs(QUESTIONS) do
    it("and asks: " .. case[1], live.test(function()
      local said = opened(("shell:sh -c %s"):format(quoted("printf %s " .. quoted(case[1]) .. "; sleep 60")))
      assert.equal(case[2] .. "; answer it once by hand, or set up a key", said)
    end))
  end

  it("because nothing answers", live.test(function()
    local said = opened("shell:sleep 60", 2)
    assert.equal("no shell answered without a word; "
      .. "the machine may be overwhelmed: try another of its kind, or that command by hand", said)
  end))

  it("is closed again", live.test(function()
    local _, d = opened("shell:sleep 60", 2)
    assert.is_nil(d.shell)
  end))
end)
