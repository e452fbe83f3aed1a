-- The walk-throughs of examples/walkthroughs, typed from their first line to their last on a node that they start
-- themselves. What they quote is what the program says, where it does not depend on the moment.

local held = require "spec.support.held"
local live = require "spec.support.live_node"
local ours = require "host.files"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local sshd = require "spec.support.sshd"
local until_true = require "spec.support.until_true"
local uv = require "luv"

-- Doors show every node of this machine, so these have names of their own.
local SHORT = "shop" .. uv.os_getpid()

-- When a fault is one: `call` says so by a pattern of its answer.
local WALKS = {
  { name = "checkout", call = { "beam_top_processes", "1", "message_queue" }, ripe = '"message_queue":%d%d%d%d' },
  { name = "memory", call = { "ets_top_tables", "1", "memory" }, ripe = '"size":%d%d%d%d' },
  { name = "behind_a_door", call = { "beam_top_processes", "1", "memory" }, ripe = '"name":"prices"' },
}

-- What is typed at a terminal: what is seen there first, and the answer.
local ANSWERS = {
  { "top ", "MAILBOX", "q" },
  { "actions approve", "to do it, anything else to leave it:", "session_sweeper\r" },
  { "%-%-strategy specialist", "Run it? [y/N]", "y\r" },
}

-- 1 is what a finding ends with.
local FINDS = { "^beamlens%-run ask \"why", "coordinator%.lua" }

local function any(line, list)
  for _, pattern in ipairs(list) do
    if line:find(pattern) then return true end
  end
  return false
end

-- The lines that stay, whatever the figures: each command's first, verdicts, and what was found.
local STAYS = { "^%u+  shop", "^   object  ", "^   mechanism  ", "^   points to  ", "^   plan  ", "^cookie  ",
  "^a%d  " }

-- Nor does it matter whether a slow machine took minutes.
local function without_figures(text)
  return (text:gsub("%d[%d,.:]*", "N"):gsub("%s+", " "):gsub("N min N s", "N s"):gsub("N min", "N s"))
end

-- { line, quoted }: a command, and what it says by the document that stays so.
local function steps_of(text)
  local steps = {}
  for line in text:gmatch "[^\n]*" do
    local command, said = line:match "^    %$ (.+)$", line:match "^    (.*)$"
    local step = steps[#steps]
    if command then
      steps[#steps + 1] = { line = command, quoted = {} }
    elseif step and said and said ~= "" and not said:find "^%s*…" and (#step.quoted == 0 or any(said, STAYS)) then
      step.quoted[#step.quoted + 1] = without_figures(said)
    end
  end
  return steps
end

-- An epmd of their own, and a home with a cookie; a node that is still there when this ends is ended.
local HOLD = [[
umask 077
export HOME=$(mktemp -d) && cd "$HOME" || exit 1
od -An -tx8 -N16 /dev/urandom | tr -d ' \n' > .erlang.cookie && chmod 400 .erlang.cookie
mkdir bin && ln -s "$PROGRAM" bin/beamlens-run && : > nodes
epmd -address 127.0.0.1 > epmd.log 2>&1 &
EPMD=$!
until epmd -names > names.log 2>&1; do kill -0 $EPMD || exit 1; done
echo "$HOME"
read -r UNTIL_CLOSED
kill -9 $(cat nodes) $EPMD 2> kill.log
wait
rm -rf "$HOME"
]]

local Walk = {}
Walk.__index = Walk

function Walk:here(line)
  return (line:gsub("%f[%w]start%.sh %S+", "%0 " .. self.node):gsub("shop@127%.0%.0%.1", self.node)
    :gsub("ssh:shop%-1", "ssh:node"):gsub("^kill %d+", "kill " .. tostring(self.pid)))
end

function Walk:as_written(text)
  return without_figures((text:gsub("\27%[[%d;?]*%a", ""):gsub(self.short, "shop"):gsub("ssh:node", "ssh:shop-1")))
end

function Walk:words(line) return { "-u", "BEAMLENS_STRATEGY", "sh", "-c", self:here(line) } end

function Walk:run(line)
  local o = { path = "env", env = self.env, cwd = ours.root, whole = true, columns = 98 }
  for _, answer in ipairs(ANSWERS) do
    if line:find(answer[1]) then
      local terminal = pty.start(self:words("exec " .. line), o)
      terminal.see(answer[2])
      terminal.keys(answer[3])
      return { code = terminal.wait(), text = terminal.screen() }
    end
  end
  local ran = program.run(self:words(line), o)
  local pid = ran.stdout:match "to end it: kill (%d+)"
  if pid then
    self.pid = pid
    local nodes = assert(io.open(self.env.HOME .. "/nodes", "a"))
    nodes:write(pid, "\n")
    nodes:close()
  end
  return { code = ran.code, text = ran.stdout .. ran.stderr }
end

function Walk:wait_until_ripe(walk)
  local words = table.concat(walk.call, " ")
  until_true(walk.ripe, function()
    return self:run(("beamlens-run call %s --node %s --json --quiet"):format(words, self.node)).text:find(walk.ripe)
  end)
end

describe("the walk-through", function()
  local env, release, server

  setup(function()
    held.in_task(function()
      server = sshd.start()
      env = { ERL_EPMD_PORT = tostring(held.free_port()), NO_COLOR = "1" }
      local home
      home, release = held.start(HOLD, {}, held.environment("^BEAMLENS_", { PROGRAM = program.path,
        ERL_EPMD_PORT = env.ERL_EPMD_PORT }))
      env.HOME = home:match "%S+"
      env.PATH = ("%s/bin:%s"):format(env.HOME, server.path)
    end)
  end)

  teardown(function()
    server.stop()
    held.in_task(release)
    os.execute(("rm -rf '%s/build/walkthroughs/'%s_*"):format(ours.root, SHORT))
  end)

  for _, walk in ipairs(WALKS) do
    it(walk.name .. " says what the program says", live.test(function()
      local short = SHORT .. "_" .. walk.name
      local here = { HOME = env.HOME, PATH = env.PATH, ERL_EPMD_PORT = env.ERL_EPMD_PORT, NO_COLOR = "1",
        XDG_STATE_HOME = env.HOME .. "/" .. walk.name, BEAMLENS_NODE = short .. "@127.0.0.1" }
      local self = setmetatable({ short = short, node = here.BEAMLENS_NODE, env = here }, Walk)
      for i, step in ipairs(steps_of(ours.read("examples/walkthroughs/" .. walk.name .. ".md"))) do
        local ran = self:run(step.line)
        assert.equal(any(step.line, FINDS) and 1 or 0, ran.code, step.line .. "\n" .. ran.text)
        local said = self:as_written(ran.text)
        for _, quoted in ipairs(step.quoted) do
          assert.is_truthy(said:find(quoted, 1, true), ("%s\n%q is not in\n%s"):format(step.line, quoted, ran.text))
        end
        if i == 1 then self:wait_until_ripe(walk) end
      end
    end))
  end
end)
