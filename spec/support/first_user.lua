--- Somebody new to the program: a home with a cookie and nothing else in it, no key, a fresh clone, a shop that runs
--- (the demo's, with its fault), doors to where it runs, and a shell to type into. An sshd is real; docker, kubectl and
--- aws are stand-ins.

local cloud = require "spec.support.cloud"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local ours = require "host.files"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local sshd = require "spec.support.sshd"
local uv = require "luv"

local first_user = {}

local User = {}
User.__index = User

local function quoted(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

local function must(command)
  local code = os.execute(command)
  assert(code == 0 or code == true, command)
end

-- git takes nothing from a folder of another user, as a container's checkout may be; what came as an archive is copied.
local CLONE = [[
SCRATCH=%s FROM=%s TO=%s PROGRAM=%s
printf '[safe]\n directory = *\n' > "$SCRATCH/gitconfig"
if [ -e "$FROM/.git" ]; then GIT_CONFIG_GLOBAL=$SCRATCH/gitconfig git clone -q "$FROM" "$TO"
else cp -r "$FROM" "$TO"
fi && cp "$PROGRAM" "$TO/beamlens-run"]]

--- What is typed, with the names here in place of those of the README.
function User:here(line)
  for _, swap in ipairs(self.swaps) do line = line:gsub(swap[1], swap[2]) end
  return line
end

-- env, for nothing else takes a name out: specs have a strategy that nobody chose here.
function User:words(line, shell)
  local there = ("cd %s && %s"):format(quoted(self.folder), self:here(line))
  return { "-u", "BEAMLENS_STRATEGY", shell or "sh", "-c", there }
end

function User:environment(more)
  local env = {}
  for name, value in pairs(self.env) do env[name] = value end
  for name, value in pairs(more or {}) do env[name] = value end
  return env
end

--- Types what goes on until it is ended.
---@param line string
---@param env? table<string, string>
---@return table running   of program.start
function User:start(line, env)
  local running = program.start(self:words("exec " .. line), { path = "env", env = self:environment(env) })
  local wait = running.wait
  self.running[running] = true
  function running.wait(seconds)
    self.running[running] = nil
    return wait(seconds)
  end
  return running
end

--- Types it where there is no terminal, and waits for its end.
---@param line string
---@param env? table<string, string>
---@param shell? string   sh if left out
---@return { code: integer, stdout: string, stderr: string }
function User:run(line, env, shell)
  return program.run(self:words(line, shell), { path = "env", env = self:environment(env) })
end

--- The same before a terminal.
---@return table running   of pty.start
function User:at_terminal(line, env)
  return pty.start(self:words("exec " .. line), { path = "env", env = self:environment(env) })
end

--- A file of the clone, or by its whole path; written anew.
function User:write(name, text)
  local path = name:sub(1, 1) == "/" and name or self.folder .. "/" .. name
  local fd = assert(uv.fs_open(path, "w", 384))
  assert(uv.fs_write(fd, text))
  uv.fs_close(fd)
  return path
end

function User:read(name)
  local file = assert(io.open(name:sub(1, 1) == "/" and name or self.folder .. "/" .. name))
  local text = file:read "*a"
  file:close()
  return text
end

--- Whatever a failure left running ends, too.
function User:leave()
  for running in pairs(self.running) do running.kill "sigkill" end
  self.sshd.stop()
  self.cloud:close()
  live.stop_all()
  must("rm -r " .. quoted(self.beams))
end

---@return table user   { home, folder: of the clone, settings, node: its name, port: free, … }
function first_user.start()
  local node, beams = live.own_name "shop", assert(uv.fs_mkdtemp "/tmp/spec-shop-XXXXXX")
  must(("erlc -o %s %s"):format(quoted(beams), quoted(ours.root .. "/examples/demo/shop.erl")))
  local at = live.start { name = node, attach = false, args = { "-pa", beams, "-s", "shop", "start" } }
  local self = setmetatable({ home = at.home, node = at.name, port = held.free_port(), beams = beams }, User)
  self.running = {}
  self.folder, self.settings = at.home .. "/beamlens-run", at.home .. "/.config/beamlens"
  must(CLONE:format(quoted(beams), quoted(ours.root), quoted(self.folder), quoted(program.path)))
  self.sshd, self.cloud = sshd.start(), cloud.new()
  self.env = { HOME = at.home, ERL_EPMD_PORT = tostring(at.epmd_port), DOORS_CONTAINER = "web", DOORS_POD = "shop-0" }
  for name, value in pairs(self.cloud.env) do self.env[name] = value end
  self.env.PATH = ("%s:%s/bin:%s"):format(self.folder, self.sshd.folder, self.cloud.env.PATH)
  self.swaps = {
    { "^make", "make -o beamlens-run" }, -- it is built: only what else make does
    { "ssh:[%w.@-]+", "ssh:node" },
    { "docker:[%w_-]+", "docker:web" },
    { "kubectl:[%w/-]+", "kubectl:shop-0" },
    { "ecs:[%w/-]+", "ecs:prod/shop" },
    { "shop@[%w.]+", self.node },
    { "%f[%w]r17%f[%W]", "r1" },
    { "billing@host", live.own_name "billing" },
    { "127%.0%.0%.1:9464", "127.0.0.1:" .. self.port },
  }
  return self
end

return first_user
