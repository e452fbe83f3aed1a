--- How each program leads to a port of a machine or a container. `prepare` comes before its shell is started, `lead`
--- when the node was found, `connect` for each connection, `drop` ends what these started.

local async = require "runtime.async"
local console = require "runtime.door.console"
local crypto = require "host.crypto"
local files = require "runtime.files"
local piped = require "runtime.door.piped"
local private = require "runtime.private"
local step = require "runtime.door.step"
local tcp = require "runtime.node.tcp"
local troubles = require "runtime.door.troubles"
local with_flags = require("runtime.door.ways").with_flags

local LONGEST_SOCKET = 85 -- of the 107 bytes of such a name ssh adds 17 while it makes it
local ANSWER_S, TUNNEL_S, NEAR_S = 5, 15, 2

-- What a command says until it ends, and how.
local function heard(words, deadline)
  local asked, err = console.start(words, { silent = true, stop_at = troubles.question, on_end = function() end })
  if not asked then return nil, err end
  local _, why = asked:await("%z", deadline)
  if not asked.line.ended then
    asked:close()
    return nil, why
  end
  return asked.said, asked.line.ended.code
end

local function nothing() return true end

local function bracketed(address) return address:find(":", 1, true) and "[" .. address .. "]" or address end

-- One login for the shell and its tunnels. A master that the person has already is used as it is; else the shell's
-- own ssh is one, on a socket in a folder that nobody else may enter. It takes that away when it ends, which it does
-- with the shell, whatever way this process ends.
local ssh = {
  told = "forward by ssh: a direct link plus ssh's own cost; many questions at once, relays; nothing is started there",
}

function ssh.prepare(self)
  local host = self.target.target
  local _, code = heard({ "ssh", "-O", "check", "--", host }, async.now() + ANSWER_S)
  self.mux = {}
  if code == 0 then return true end
  local runtime_folder = os.getenv "XDG_RUNTIME_DIR"
  local folder = runtime_folder and runtime_folder .. "/beamlens-run" or files.state_home()
  local made, err = private.folder(folder, "connect")
  if not made then return nil, err.message end
  self.socket = ("%s/ssh-%s"):format(folder, crypto.hex(crypto.random(6)))
  if #self.socket > LONGEST_SOCKET then return nil, "its socket would have too long a name in " .. folder end
  self.mux = { "-S", self.socket }
  local words = { "ssh", "-o", "ControlMaster=yes", "-o", "ControlPersist=no", unpack(self.mux) }
  for i = 2, #self.words do words[#words + 1] = self.words[i] end
  self.words = words
  return true
end

ssh.lead = nothing

function ssh.connect(self, port)
  local words = { "ssh", "-o", "BatchMode=yes", unpack(self.mux) }
  for _, word in ipairs { "-W", ("%s:%d"):format(bracketed(self.at.address), port), "--", self.target.target } do
    words[#words + 1] = word
  end
  local tunnel, err = piped.start(words)
  if not tunnel then return nil, err end
  self.opened[#self.opened + 1] = tunnel
  return tcp.over(tunnel.handle)
end

function ssh.said(self)
  local last = self.opened[#self.opened]
  return last and last.said ~= "" and troubles.last(last.said) or nil
end

function ssh.drop(self)
  for _, tunnel in ipairs(self.opened) do tunnel:close() end
  self.opened = {}
end

local ASKING = "asking docker for the container's address"

-- On Linux a container's address is near. A daemon elsewhere has containers that are not, and another one may have
-- that address here.
local docker = {
  told = "forward to the container's address: a direct link, many questions at once, relays; nothing is started there",
  prepare = nothing, drop = nothing,
}

function docker.lead(self, at, deadline)
  local said = step(ASKING, heard, with_flags(self.target,
    { "docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}" }), deadline)
  if not (said or ""):match "^%s*unix://" then return nil, "docker's daemon is not on this machine" end
  said = step(ASKING, heard, with_flags(self.target, { "docker", "inspect", "--format",
    "bl:{{.HostConfig.NetworkMode}}{{range .NetworkSettings.Networks}} {{.IPAddress}}{{end}}.", self.target.target }),
    deadline)
  local address = (said or ""):match "bl:%S+ ([%x.:]*[%x])"
  if (said or ""):find "bl:host[ .]" then address = at.address end
  if not address then return nil, "the container has no address of its own" end
  if not (at.any or at.address == address) then return nil, "the node listens inside its container only" end
  self.address = address
  return true
end

function docker.connect(self, port, deadline)
  return tcp.connect(self.address, port, math.min(deadline, async.now() + NEAR_S))
end

-- A program that opens a port of loopback here, says which and goes on until it is ended: one for each port there.
-- Whoever else is on this machine may connect to it too, and then lacks the cookie.
local function local_port(asking, words_for, opens, told)
  local way = { told = told, prepare = nothing }

  local function open(self, port, deadline)
    local tunnel, err = console.start(words_for(self.target, port), {
      silent = true, stop_at = troubles.question, on_end = function() self.opened[port] = nil end,
    })
    if not tunnel then return nil, err end
    self.opened[port], self.last = tunnel, tunnel
    tunnel.here = step(asking, tunnel.await, tunnel, opens, math.min(deadline, async.now() + TUNNEL_S))
    if tunnel.here then return tunnel end
    tunnel:close()
    return nil, "no port was opened: " .. troubles.last(tunnel.said)
  end

  function way.lead(self, at, deadline) return open(self, at.port, deadline) end

  function way.connect(self, port, deadline)
    local tunnel, err = self.opened[port], nil
    if not tunnel then tunnel, err = open(self, port, deadline) end
    if not tunnel then return nil, err end
    return tcp.connect("127.0.0.1", tonumber(tunnel.here), deadline)
  end

  function way.said(self) return self.last and troubles.last(self.last.said) end

  function way.drop(self)
    local all = {}
    for _, tunnel in pairs(self.opened) do all[#all + 1] = tunnel end
    for _, tunnel in ipairs(all) do async.shield(function() tunnel:close() end) end
  end

  return way
end

local function kubectl_words(target, port)
  local namespace, pod = target.target:match "^([^/]+)/([^/]+)"
  local words = { "kubectl", "port-forward", "--address", "127.0.0.1" }
  if namespace then words[#words + 1], words[#words + 2] = "-n", namespace end
  words[#words + 1], words[#words + 2] = pod or target.target, ":" .. port
  return with_flags(target, words)
end

local function ssm_words(target, port)
  return require("runtime.door.aws").words(target.aws, {
    "ssm", "start-session", "--target",
    ("ecs:%s_%s_%s"):format(target.ecs.cluster, target.ecs.task, target.ecs.runtime_id),
    "--document-name", "AWS-StartPortForwardingSession", "--parameters", ("portNumber=%d"):format(port),
  })
end

return {
  ssh = ssh,
  docker = docker,
  kubectl = local_port("asking kubectl for a port here", kubectl_words, "Forwarding from 127%.0%.0%.1:(%d+)",
    "forward by kubectl port-forward: many questions at once, relays; nothing is started there"),
  ecs = local_port("asking aws for a port here", ssm_words, "Port (%d+) opened for session",
    "forward by a port session of SSM: many questions at once, relays; nothing is started there"),
}
