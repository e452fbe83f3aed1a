-- Somebody new: clone, demo, attach to a node by its name, by ssh, ask, add a skill, edit it while a watch runs, hand a
-- report off; and every command of the README, as it is typed, in the same home. What is typed stands in the README
-- or in `help`; nothing is set but HOME, PATH and the port of epmd.

local first_user = require "spec.support.first_user"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local readme = require "spec.support.readme"
local until_true = require "spec.support.until_true"
local uv = require "luv"

local user

local PROPOSE = 'require("beamlens").action("gc_process", { process = "invoices" })'

local function propose()
  user:write("propose.lua", PROPOSE)
  assert.equal(0, user:run("beamlens-run propose.lua --node shop@host").code)
end

local function prompts_of_mine() user:run "mkdir my-prompts && cp prompts/operator.md my-prompts" end

local function tapes() user:run "mkdir tapes && cp examples/cassettes/shop.cassette tapes" end

local function listen()
  user:write("token", "an-alert-handler-s-token")
  local watching = user:start "beamlens-run watch --node shop@host --listen 127.0.0.1:9464 --token-file token"
  until_true("the address", function() return watching.stdout():find("listening", 1, true) end)
  return function()
    watching.kill "sigterm"
    watching.wait(30)
  end
end

local PROFILE = [[return { profiles = { shop = { way = "ecs", service = "shop", container = "app",
  envs = { prod = { cluster = "prod", profile = "prod", region = "eu-west-1" } } } } }]]

local function profile()
  user:write(user.settings .. "/config.lua", PROFILE)
  return function() os.remove(user.settings .. "/config.lua") end
end

-- How a line of the README is run, by the first of these that its words fit; one that fits none is red.
-- code      what it exits with: 0 done or healthy, 1 sick, as this shop is
-- before    is done first; what it returns is done afterwards
-- answers   at a terminal: what is typed once `asks` stands there
-- ends_at   does not end by itself: it is interrupted once this was said
-- shell     where it is not sh's
-- cannot    is not run, and why
local WAYS = {
  { "^make demo", code = 0 },
  { "^make install", cannot = "writes into the folders of this machine, as root" },
  { "^make", cannot = "builds, or runs the specs, of which this is one" },
  { "| gh ", cannot = "writes to a host that is not here" },
  { "^curl .*127%.0%.0%.1", code = 0, before = listen },
  { "^echo .*>", code = 0 },
  { "^source .* zsh", code = 0, shell = "zsh" },
  { "^source ", code = 0, shell = "bash" },
  { "| source$", code = 0, shell = "fish" },
  { "beamlens%-run init", code = 0 },
  { "beamlens%-run watch", code = 0, ends_at = "attached to shop" },
  { "beamlens%-run actions approve", code = 0, before = propose, asks = "type", answers = "invoices" },
  { "beamlens%-run replay .*my%-prompts", code = 1, before = prompts_of_mine },
  { "beamlens%-run replay", code = 1 },
  { "beamlens%-run lessons .*%./tapes", code = 0, before = tapes },
  { "beamlens%-run connect shop .*%-%- health", code = 0, before = profile },
  { "beamlens%-run .*%f[%w]ask ", code = 1 },
  { "beamlens%-run .*%f[%w]coordinator%.lua", code = 1 },
  { "beamlens%-run %l", code = 0 },
}

local function way_of(line)
  for _, way in ipairs(WAYS) do
    if line:find(way[1]) then return way end
  end
end

-- More nodes run on this machine than where one lives: who goes by a door is spared the choice. And a sentence does not
-- name the node again.
local function environment(line, in_sentence)
  local by_a_door = line:find(" connect ", 1, true) or line:find(" --via ", 1, true)
  return { BEAMLENS_NODE = (by_a_door or in_sentence) and user.node or nil }
end

local function run(line, in_sentence)
  local way, env = assert(way_of(line), "no way to run this stands in WAYS"), environment(line, in_sentence)
  local after = way.before and way.before()
  local ran
  if way.answers then
    local terminal = user:at_terminal(line, env)
    terminal.see(way.asks)
    terminal.type(way.answers)
    ran = { code = terminal.wait(), stdout = terminal.stdout(), stderr = terminal.screen() }
  elseif way.ends_at then
    local running = user:start(line, env)
    until_true(way.ends_at, function() return (running.stdout() .. running.stderr()):find(way.ends_at, 1, true) end)
    running.kill "sigint"
    ran = { code = running.wait(30), stdout = running.stdout(), stderr = running.stderr() }
  else
    ran = user:run(line, env, way.shell)
  end
  if after then after() end
  return ran
end

local seen = {}

-- One run tells what a step wants to see, and what the README says of it.
local function once(line, in_sentence)
  seen[line] = seen[line] or run(line, in_sentence)
  return seen[line]
end

describe("somebody new", function()
  it("finds the commands of a text", function()
    local text = table.concat({ "    $ one --a \\", "      b", "    said", "$ none", "```", "$ two", "said", "```",
      "`init a`, `init`, `show ID`, `init a`", "" }, "\n")
    assert.same({ "one --a b", "two" }, readme.lines(text))
    assert.same({ "beamlens-run init a" }, readme.spans(text))
  end)

  setup(function() user = first_user.start() end)
  teardown(function() user:leave() end)

  it("sees the demo find its fault, from a fresh clone", live.test(function()
    local ran = once "make demo"
    assert.equal(0, ran.code, ran.stderr)
    assert.matches("\nfound: invoices: slow_consumer, queue_last = ", ran.stdout, 1, true)
  end))

  it("is told what a node of one's own wants", live.test(function()
    local ran = user:run "./beamlens-run health"
    assert.same({ 2, "beamlens-run: no node was given; name it: --node shop@host (or BEAMLENS_NODE)\n" },
      { ran.code, ran.stderr })
  end))

  it("attaches to a node by its name", live.test(function()
    local ran = once "./beamlens-run health --node shop@host"
    assert.equal(0, ran.code, ran.stderr)
    assert.matches(("^%s  OTP "):format(user.node), ran.stdout)
    assert.matches("invoices", ran.stdout, 1, true)
  end))

  it("has it looked into for a reason, as one object", live.test(function()
    local ran = once './beamlens-run coordinator.lua --node shop@host --reason "checkout is slow" --json'
    local report = assert(json.decode(ran.stdout), ran.stderr)
    assert.same({ 1, "sick", "checkout is slow", { object = "invoices", mechanism = "slow_consumer" } },
      { ran.code, report.verdict, report.reason, report.insights[1].root_cause })
  end))

  it("sees the same node by ssh, and goes on with what it is told to type", live.test(function()
    local ran = user:run "./beamlens-run connect ssh:shop@host --node shop@host"
    assert.equal(0, ran.code, ran.stderr)
    assert.matches(("^node +%s\n"):format(user.node), ran.stdout)
    assert.matches("\nway +forward by ssh: ", ran.stdout)
    local health = user:run(ran.stdout:match "\n  (beamlens%-run [^\n]+ %-%- health)\n")
    assert.equal(0, health.code, health.stderr)
    assert.matches(("^%s  OTP "):format(user.node), health.stdout)
  end))

  it("gets an answer to a question", live.test(function()
    local ran = once './beamlens-run ask "why is the queue growing?" --node shop@host'
    assert.equal(1, ran.code, ran.stderr)
    assert.matches("^ANSWER  The queue of invoices grows by ", ran.stdout)
  end))

  it("adds a skill by its path", live.test(function()
    local ran = once "./beamlens-run coordinator.lua --node shop@host --skills beam,./examples/own_skill.lua"
    assert.equal(1, ran.code, ran.stderr)
    assert.matches("\npeers is done: healthy\n", ran.stderr, 1, true)
  end))

  it("is told how a skill in this folder is named", live.test(function()
    assert.equal(0, once("beamlens-run init examples/own_skill.lua").code)
    local told = user:run("./beamlens-run own_skill.lua --node shop@host").stderr
    assert.matches(": own_skill.lua is a skill, and no script; look with it: ", told, 1, true)
    local ran = user:run(told:match "look with it: (beamlens%-run .-)\n" .. " --node shop@host")
    assert.equal(0, ran.code, ran.stderr)
  end))

  it("copies one of ours into the folder of settings", live.test(function()
    local ran = once "beamlens-run init skills/ets.lua"
    assert.same({ 0, ("written: %s/skills/ets.lua\n"):format(user.settings) }, { ran.code, ran.stdout })
    assert.equal(user:read "skills/ets.lua", user:read(user.settings .. "/skills/ets.lua"))
  end))

  it("edits a skill while a watch runs", live.test(function()
    local path, text = user.settings .. "/skills/peers.lua", user:read "examples/own_skill.lua"
    user:write(path, text)
    local watching = user:start "./beamlens-run watch --node shop@host --skills beam,peers"
    local function see(said)
      until_true(said, function() return watching.stdout():find(said, 1, true) end)
    end
    see "learning what is usual"
    user:write(path, (text:gsub("Connected nodes", "Peers")))
    see "skill peers: edited, and used from now on ("
    user:write(path, text .. "}")
    see(("skill peers: edited, and not used: %s:%d: "):format(path, select(2, text:gsub("\n", "")) + 1))
    user:write(path, (text:gsub("Connected nodes", "Who is there")))
    until_true("the mended one", function()
      return select(2, watching.stdout():gsub("skill peers: edited, and used from now on", "")) == 2
    end)
    watching.kill "sigint"
    assert.equal(0, (watching.wait(30)))
    assert.matches("^peers: Who is there\n", user:run("beamlens-run skills peers").stdout)
  end))

  it("hands a report off", live.test(function()
    local ran = user:run "./beamlens-run coordinator.lua --node shop@host --skills beam --report handoff.md"
    assert.equal(1, ran.code, ran.stderr)
    assert.matches(("# SICK `%s`, `invoices`: `slow_consumer`\n"):format(user.node), user:read "handoff.md", 1, true)
    assert.equal(user:read "handoff.md", user:run("./beamlens-run report").stdout)
  end))

  it("says that it was right, and sees it among what was found", live.test(function()
    local ran = user:run "./beamlens-run feedback last right"
    local id = ran.stdout:match "^(r%d+): right %(it said invoices: slow_consumer%)\n$"
    assert.is_truthy(id, ran.stdout .. ran.stderr)
    assert.matches("\nr1  [^\n]+sick[^\n]+\"checkout is slow\"\n", once("./beamlens-run runs").stdout)
    assert.matches("  invoices: slow_consumer  ", once("./beamlens-run insights").stdout, 1, true)
    assert.matches("said right", user:run("./beamlens-run show " .. id).stdout, 1, true)
    assert.matches("slow_consumer", user:run("./beamlens-run explain slow_consumer").stdout, 1, true)
  end))

  it("follows every link of the README to what is in the clone", function()
    local missing = {}
    for path in readme.text():gmatch "%]%(([%w/._-]+)%)" do
      if not uv.fs_stat(user.folder .. "/" .. path) then missing[#missing + 1] = path end
    end
    assert.same({}, missing)
  end)

  -- What no way fits is among them, and fails.
  local function typed(lines, what, in_sentence)
    for _, line in ipairs(lines) do
      local way = way_of(line)
      if not (way and way.cannot) then
        it(("types what the README %s: %s"):format(what, line), live.test(function()
          local ran = once(line, in_sentence)
          assert.equal(way.code, ran.code, ran.stdout .. ran.stderr)
        end))
      end
    end
  end

  typed(readme.lines(readme.text()), "shows")
  typed(readme.spans(readme.text()), "says", true)
end)
