-- `beamlens-run doctor`: what it says where all is well, and where one thing is not.

local uv = require "luv"
local async = require "runtime.async"
local files = require "host.files"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local store = require "runtime.store"

local NO_EPMD = "1" -- nobody listens there
local PROBE = files.exe:match "^(.*)/" .. "/jail_probe"

local home

local function write(name, text, mode)
  local path = home .. "/" .. name
  os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/"))
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  uv.fs_chmod(path, mode or 384)
  return path
end

local function run(env, ...)
  local variables = {
    HOME = home, XDG_CONFIG_HOME = home .. "/config", XDG_STATE_HOME = home .. "/state", ERL_EPMD_PORT = NO_EPMD,
  }
  for name, value in pairs(env or {}) do variables[name] = value end
  return program.run({ "doctor", ... }, { env = variables })
end

-- All rows by name, and the exit code.
local function rows(env, ...)
  local result = run(env, "--json", ...)
  local answer, by_name = assert(json.decode(result.stdout), result.stdout .. result.stderr), {}
  for _, row in ipairs(answer.checks) do by_name[row.name] = row end
  return by_name, result.code, answer
end

-- Root may write everywhere.
local function of_nobody(words)
  return uv.getuid() == 0 and { "--reuid=65534", "--clear-groups", program.path, unpack(words) } or words
end

local function test(body)
  return function() async.run(body) end
end

describe("doctor", function()
  before_each(function()
    home = os.tmpname()
    os.remove(home)
    uv.fs_mkdir(home, 448)
  end)
  after_each(function() os.execute(("rm -rf '%s'"):format(home)) end)

  it("finds nothing bad where nothing is set up yet, and makes nothing", test(function()
    local by_name, code, answer = rows()
    assert.same({ 0, 1, true }, { code, answer.schema, answer.well })
    assert.equal("ok", by_name.config.status)
    assert.equal("ok", by_name.state.status)
    assert.is_nil(uv.fs_stat(home .. "/state"))
  end))

  it("says how strictly a model's Lua is held", test(function()
    local row = rows().sandbox
    assert.equal("ok", row.status)
    assert.matches("^strict: system calls filtered, no new privileges", row.text)
  end))

  it("shows a person a line for each, with what to do below", test(function()
    local said = run().stdout
    assert.matches("\nsandbox   ok    strict: ", said)
    assert.matches("\nepmd      warn  no epmd on localhost:1\n                is the node running there", said)
  end))

  it("tells a config file that is none, and looks on", test(function()
    local path = write("config/beamlens/config.lua", "return {\n  nod = 1 }")
    local by_name, code = rows()
    assert.same({ "bad", path .. ":2: nod is no option" }, { by_name.config.status, by_name.config.text })
    assert.equal("did you mean node?", by_name.config.next)
    assert.equal(2, code)
    assert.equal("ok", by_name.sandbox.status)
  end))

  it("tells a config file that others may write", test(function()
    write("config/beamlens/config.lua", "return {}", 438)
    assert.matches("may be written by others", rows().config.text)
  end))

  it("says that there is a key and never which", test(function()
    local result = run { ANTHROPIC_API_KEY = "sk-ant-secret-123" }
    assert.matches("\nprovider  ok    anthropic, .*; there is a key\n", result.stdout)
    assert.is_nil((result.stdout .. result.stderr):find("secret-123", 1, true))
  end))

  it("tells a key that others may read", test(function()
    local by_name, code = rows { ANTHROPIC_API_KEY_FILE = write("key", "sk-ant-secret-123", 420) }
    assert.same({ 2, "bad", "chmod 600 " .. home .. "/key" }, { code, by_name.provider.status, by_name.provider.next })
  end))

  it("tells a provider that has no key", test(function()
    local by_name, code = rows({}, "--provider", "anthropic")
    assert.same({ 2, "bad", "there is no key for anthropic" }, { code, by_name.provider.status, by_name.provider.text })
  end))

  it("finds the cookie and never shows it", test(function()
    write(".erlang.cookie", "COOKIEWORD", 256)
    local result = run()
    assert.matches("\ncookie    ok    found", result.stdout)
    assert.is_nil(result.stdout:find("COOKIEWORD", 1, true))
  end))

  it("warns of a cookie that others may read", test(function()
    local path = write(".erlang.cookie", "COOKIEWORD", 292)
    local by_name, code = rows()
    assert.same({ 0, "warn", "chmod 400 " .. path }, { code, by_name.cookie.status, by_name.cookie.next })
  end))

  it("names the variables that are set, and never what they hold", test(function()
    local result = run { BEAMLENS_COOKIE = "COOKIEWORD", BEAMLENS_REASON = "alert" }
    assert.matches("\nvariables ok    set: BEAMLENS_COOKIE, BEAMLENS_REASON, BEAMLENS_STRATEGY; C.UTF%-8\n",
      result.stdout)
    assert.is_nil((result.stdout .. result.stderr):find("COOKIEWORD", 1, true))
  end))

  it("tells what it stands on", test(function()
    assert.matches("^beamlens%-run [%d.]+, LuaJIT 2.1[%w.-]*, libuv [%d.]+, libcurl [%d.]+, OpenSSL [%d.]+%w*$",
      rows().program.text)
  end))

  it("tells a store in a folder that may not be written", test(function()
    uv.fs_chmod(home, 493) -- 0755
    uv.fs_mkdir(home .. "/shut", 365) -- 0555
    local words = { "doctor", "--json", "--store", home .. "/shut/runs.db" }
    local result = program.run(of_nobody(words), { path = uv.getuid() == 0 and "setpriv" or program.path,
      env = { HOME = home, XDG_STATE_HOME = home .. "/state" } })
    local said = {}
    for _, row in ipairs(json.decode(result.stdout).checks) do said[row.name] = row end
    assert.same({ "bad", ("%s/shut/runs.db: %s/shut may not be written by you"):format(home, home) },
      { said.store.status, said.store.text })
  end))

  it("tells what is missing for a way, and where it is had", test(function()
    local by_name, code = rows({ PATH = home }, "--via", "docker:shop")
    assert.same({ 2, "bad", "docker: docker is not installed here",
      "install docker: docker.io, or the docs of Docker" },
      { code, by_name.way.status, by_name.way.text, by_name.way.next })
  end))

  it("tells where a way of ECS wants a second program", test(function()
    write("bin/aws", "#!/bin/sh\nexit 1\n", 493)
    local row = rows({ PATH = home .. "/bin" }, "--via", "ecs:prod/shop").way
    assert.same({ "bad", "ecs: session-manager-plugin is not installed here" }, { row.status, row.text })
  end))

  it("tells a way that there is not", test(function()
    local by_name, code = rows({}, "--via", "dcker:shop")
    assert.same({ 2, "bad", "did you mean docker:CONTAINER?" },
      { code, by_name.way.status, by_name.way.next })
  end))

  it("tells a door that does not open, and looks on", test(function()
    local by_name, code = rows({}, "--via", "shell:false")
    assert.same({ 3, "ok", "bad", "warn", "unknown: the door did not open" },
      { code, by_name.way.status, by_name.door.status, by_name.node.status, by_name.node.text })
    assert.matches("^shell:false: ", by_name.door.text)
  end))

  it("finds no cookie in a file that was named and is not there", test(function()
    local by_name, code = rows({}, "--cookie-file", home .. "/nope")
    assert.same({ 3, "bad" }, { code, by_name.cookie.status })
  end))

  local function state_folder(mode)
    uv.fs_mkdir(home .. "/state", 448)
    uv.fs_mkdir(home .. "/state/beamlens", 448)
    uv.fs_chmod(home .. "/state/beamlens", mode)
  end

  local function store_with(sql)
    state_folder(448)
    local s = assert(store.open(home .. "/state/beamlens/beamlens.db"))
    assert(s.db:exec(sql))
    s:close()
  end

  it("says how many runs are kept, since when, and how large that is", test(function()
    store_with [[insert into runs (trace_id, node, skills, reason, mind, started_at, process)
      values ('a', 'shop@host', '[]', '', 'analyst', 1767225600, '1:1')]]
    local row = rows().store
    assert.equal("ok", row.status)
    assert.matches(home:gsub("%p", "%%%0") .. "/state/beamlens/beamlens.db: 1 run since 2026%-01%-01, 0%.%d MB$",
      row.text)
  end))

  it("tells a store that a newer one has written", test(function()
    store_with "pragma user_version = 99"
    assert.matches("was written by a newer beamlens%-run", rows().store.text)
  end))

  it("warns of a state folder that others may look into", test(function()
    state_folder(493)
    local by_name, code = rows()
    assert.same({ 0, "warn", ("chmod 700 %s/state/beamlens"):format(home) },
      { code, by_name.state.status, by_name.state.next })
  end))

  it("tells a state folder that its group may write, which nothing uses", test(function()
    state_folder(504)
    local by_name, code = rows()
    assert.same({ 2, "bad", ("chmod go-w %s/state/beamlens"):format(home) },
      { code, by_name.state.status, by_name.state.next })
    local used = program.run({ "actions" }, { env = { HOME = home, XDG_STATE_HOME = home .. "/state" } })
    assert.same({ 2, ("beamlens-run: %s; chmod go-w %s/state/beamlens\n"):format(by_name.state.text, home) },
      { used.code, used.stderr })
  end))

  -- What a person edits, the row that reads it, and what it says.
  for _, case in ipairs {
    { "policy.lua", "return { actionz = {} }", "policy", "bad", "there is no actionz" },
    { "policy.lua", "return { actions = { kill_proces = 'never' } }", "policy", "bad",
      "actions: kill_proces is no action" },
    { "policy.lua", "return { callbacks = { beam_binary_lek = 'never' } }", "policy", "warn",
      "no skill has a callback beam_binary_lek" },
    { "secrets.lua", "return { formz = {} }", "secrets", "bad", "formz is none of" },
    { "config.lua", "return { sinks = { { type = 'jsnl' } } }", "config", "bad", "there is no type jsnl" },
    { "config.lua", "return {\n watchers = { { skil = 'ets' } } }", "config", "bad",
      "config.lua:2: watchers[1] knows no" },
    { "config.lua", "return { hosts = { 'x' } }", "config", "bad", "config.lua:1: hosts: x is no host with its port" },
    { "config.lua", "return { prices = { m = { inputt = 1 } } }", "config", "bad", "config.lua:1: prices" },
    { "config.lua", "return { autonomy = { runbooks = { 'nope' } } }", "autonomy", "bad", "there is no runbook nope" },
    { "config.lua", "return { autonomy = { quiet_hours = '8-9' } }", "autonomy", "bad", "is no time of day: 8-9" },
    { "config.lua", "return { autonomy = { callbacks = { 'nope' } } }", "autonomy", "bad", "nope is no callback" },
    { "config.lua", "return { approval_key = '/tmp' }", "approval", "bad", "/tmp is no file" },
    { "gate.lua", "return {}", "settings", "warn", "gate.lua is not read" },
    { "tools/odd.lua", "return {}", "settings", "bad", "tools/odd.lua: name must be odd, as its file" },
  } do
    it(("tells a %s of %s"):format(case[1], case[2]), test(function()
      write("config/beamlens/" .. case[1], case[2])
      local by_name, code = rows()
      assert.same({ case[4], case[4] == "bad" and 2 or 0 }, { by_name[case[3]].status, code })
      assert.matches(case[5], by_name[case[3]].text, 1, true)
    end))
  end

  it("tells a file of the state folder that others may read", test(function()
    local path = write("state/beamlens/approval.key", "x", 420)
    uv.fs_chmod(home .. "/state/beamlens", 448)
    local by_name, code = rows()
    assert.same({ 2, "bad" }, { code, by_name.state.status })
    assert.matches(path .. " may be read by others", by_name.state.text, 1, true)
  end))

  it("exits with 3 for a node that is not reached", test(function()
    local by_name, code = rows({ BEAMLENS_COOKIE = "c" }, "--node", "nobody@127.0.0.1")
    assert.same({ 3, "bad", "bad" }, { code, by_name.epmd.status, by_name.node.status })
  end))

  describe("where the system refuses seccomp", function()
    local function weakly(...)
      local args = { "--without-seccomp", program.path, "doctor", "--json", ... }
      local result = program.run(args, { path = PROBE, env = { HOME = home, XDG_STATE_HOME = home .. "/state" } })
      return json.decode(result.stdout).checks[3], result.code
    end

    it("says that execute is disabled, and how to have it", test(function()
      local row, code = weakly()
      assert.same({ "sandbox", "bad", 2 }, { row.name, row.status, code })
      assert.matches("refuses seccomp filters (EPERM), so execute is disabled", row.text, 1, true)
      assert.matches("allow the seccomp system call, or --sandbox allow-weak", row.next, 1, true)
    end))

    it("warns of what the owner allowed", test(function()
      local row, code = weakly("--sandbox", "allow-weak")
      assert.same({ "warn", 0 }, { row.status, code })
    end))
  end)

  it("attaches to a node, and says what can be looked at there", live.test(function()
    local at = live.start()
    local by_name, code = rows({ ERL_EPMD_PORT = tostring(at.epmd_port) }, "--node", at.name, "--cookie-file",
      at.cookie_file)
    assert.equal(0, code)
    assert.same({ "ok", "ok", "ok", "ok" },
      { by_name.epmd.status, by_name.node.status, by_name.limits.status, by_name.skills.status })
    assert.matches("^" .. at.name:gsub("%p", "%%%0") .. ", OTP %d+$", by_name.node.text)
    assert.matches("beam, .*; not on this node: .*oban %(", by_name.skills.text)
    at.stop()
  end))

  it("warns of a file that is no skill, with its line", live.test(function()
    local at = live.start()
    local path = write("config/beamlens/skills/peers.lua", "return {\n  name = ,\n}")
    local by_name, code = rows({ ERL_EPMD_PORT = tostring(at.epmd_port) }, "--node", at.name, "--cookie-file",
      at.cookie_file)
    os.remove(path)
    assert.same({ "warn", 0 }, { by_name.skills.status, code })
    assert.matches(("^peers does not load: %s:2: .*; those that do: .*beam"):format(path:gsub("%p", "%%%0")),
      by_name.skills.text)
    at.stop()
  end))

  it("tells what was found behind a door, and no cookie", live.test(function()
    local at = live.start { name = live.own_name "bl_doctor" } -- every VM of this machine is to be seen there
    local result = program.run({ "doctor", "--json", "--via", "local", "--node", at.name },
      { env = { HOME = at.home, XDG_STATE_HOME = home .. "/state", ERL_EPMD_PORT = NO_EPMD } })
    local by_name, cookie = {}, assert(io.open(at.cookie_file)):read "*a"
    for _, row in ipairs(json.decode(result.stdout).checks) do by_name[row.name] = row end
    assert.same({ "ok", "ok", "ok", "ok" },
      { by_name.way.status, by_name.door.status, by_name.node.status, by_name.limits.status })
    assert.matches("^vm: pid " .. at.os_pid .. " there, of /.*; cookie: in .* there; ", by_name.door.text)
    assert.is_nil(by_name.epmd)
    assert.is_nil((result.stdout .. result.stderr):find(cookie, 1, true))
    at.stop()
  end))
end)
