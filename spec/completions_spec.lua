-- Completions as somebody has them who presses Tab: real shells at a real terminal. What runs is a stand-in that tells
-- its arguments; what is asked for completions is the program.

local uv = require "luv"
local async = require "runtime.async"
local database = require "host.db"
local json = require "runtime.json"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local manual = require "runtime.manual"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local until_true = require "spec.support.until_true"

local folder

local STAND_IN = [[
#!/bin/sh
if [ "$1" = completions ]; then exec "$PROGRAM" "$@"; fi
printf 'got'; printf ' <%s>' "$@"; echo .
]]

local function write(name, text, mode)
  local file = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
  file:close()
  uv.fs_chmod(folder .. "/" .. name, mode or 384)
end

local function environment(more)
  local env = { HOME = folder, XDG_CONFIG_HOME = folder, XDG_STATE_HOME = folder, TERM = "dumb", PROGRAM = program.path,
    PATH = folder .. ":" .. os.getenv "PATH", ERL_EPMD_PORT = "1" }
  for name, value in pairs(more or {}) do env[name] = value end
  return env
end

local function run(args, env)
  return held.in_task(program.run, args, { env = environment(env) })
end

-- What the scripts of the shells are told.
local function offered(env, ...)
  local result = run({ "completions", "words", "--json", "--", ... }, env)
  assert.same({ 0, "" }, { result.code, result.stderr })
  local answer = json.decode(result.stdout)
  local list = {}
  for i, offer in ipairs(answer.words) do list[i] = offer.word end
  return list, answer.paths
end

local function words(...) return offered(nil, ...) end

local function commands() return json.decode(run { "help", "--json" }.stdout).commands end

-- Each with the terminal as its own (setsid --ctty), as fish wants it.
local SHELLS = {
  bash = { args = { "--norc", "--noprofile", "-i" },
    set_up = "source <(beamlens-run completions bash); echo set''up" },
  zsh = { args = { "-f", "-i" },
    set_up = "autoload -Uz compinit; compinit -u -D; source <(beamlens-run completions zsh); echo set''up" },
  ["zsh, from a folder of its fpath"] = { program = "zsh", args = { "-f", "-i" },
    set_up = "fpath=(fpath $fpath); autoload -Uz compinit; compinit -u -D; echo set''up" },
  fish = { args = { "--no-config", "-i" },
    set_up = "beamlens-run completions fish | source; echo set''up" },
}

-- What the arguments are after these keys and Enter; each key as it would be pressed.
local function typed(running, keys)
  local before = #running.screen()
  running.keys(keys .. "\t")
  running.keys "\r"
  local answer
  local deadline = async.now() + pty.PATIENCE_S
  repeat
    async.sleep(0.01)
    answer = running.screen():sub(before + 1):match "got ([^\n]-)%.\n"
  until answer or async.now() > deadline
  return answer or running.screen()
end

local LINES = {
  ["beamlens-run hea"] = "<health>",
  ["beamlens-run call beam_top_processes 5 mess"] = "<call> <beam_top_processes> <5> <message_queue>",
  ["beamlens-run health --cook"] = "<health> <--cookie-file>",
  ["beamlens-run coordinator.lua --strategy=pipe"] = "<coordinator.lua> <--strategy=pipeline>",
  ["beamlens-run coordinator.lua --skills beam,allo"] = "<coordinator.lua> <--skills> <beam,allocator>",
  ["beamlens-run doctor --config own_con"] = "<doctor> <--config> <own_config.lua>",
  ["beamlens-run replay x --prompts own_pro"] = "<replay> <x> <--prompts> <own_prompts/>",
  ["beamlens-run health --via kube"] = "<health> <--via> <kubectl:>",
}

describe("completions", function()
  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    uv.fs_mkdir(folder, 448)
    folder = uv.fs_realpath(folder)
    write("beamlens-run", STAND_IN, 448)
    write("own_config.lua", "return {}")
    uv.fs_mkdir(folder .. "/fpath", 448)
    write("fpath/_beamlens-run", run({ "completions", "zsh" }).stdout)
    uv.fs_mkdir(folder .. "/own_prompts", 448)
  end)
  teardown(live.stop_all)
  teardown(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  for name, shell in pairs(SHELLS) do
    it("complete at the terminal of " .. name, function()
      async.run(function()
        local running = pty.start({ "--ctty", "--wait", shell.program or name, unpack(shell.args) },
          { path = "/usr/bin/setsid", whole = true, columns = 200, env = environment() })
        running.keys(("cd '%s'; %s\r"):format(folder, shell.set_up))
        running.see "setup\n"
        local got = {}
        for line in pairs(LINES) do got[line] = typed(running, line) end
        running.keys "exit\r"
        running.wait()
        for line, answer in pairs(got) do got[line] = answer:gsub("own_prompts>", "own_prompts/>") end
        assert.same(LINES, got)
      end)
    end)
  end

  it("offer every command, those that matter first, and the scripts of ours", function()
    local list = words ""
    assert.equal("health", list[1])
    local there = {}
    for _, word in ipairs(list) do there[word] = true end
    for _, name in ipairs(commands()) do assert.is_true(there[name], name) end
    assert.same({ true, true, nil }, { there["coordinator.lua"], there["operator.lua"], there["own_skill.lua"] })
  end)

  it("offer of each command the options that it has, and those of every one, but none that was given", function()
    for _, name in ipairs { "script", unpack(commands()) } do
      local list = words(name == "script" and "coordinator.lua" or name, "--json", "--node", "a@b", "--")
      local wanted = {}
      for _, options in ipairs { manual.options(name), manual.options() } do
        for _, option in ipairs(options) do
          if option.name ~= "json" and option.name ~= "node" then
            wanted[#wanted + 1] = "--" .. option.name:gsub("_", "-")
          end
        end
      end
      wanted[#wanted + 1] = "--help"
      assert.same(wanted, list, name)
    end
  end)

  it("leave files and folders to the shell", function()
    assert.same({ {}, "file" }, { words("coordinator.lua", "--report", "") })
    assert.same({ {}, "file" }, { words("coordinator.lua", "--report=") })
    assert.same({ {}, "folder" }, { words("replay", "x", "--prompts", "") })
    assert.same({ {}, "file" }, { words "./my" })
    assert.same({ {}, "file" }, { words("coordinator.lua", "--skills", "beam,./my") })
    assert.same({ {}, "file" }, { words("coordinator.lua", "--", "") })
  end)

  it("go on behind the -- of connect, where another command stands", function()
    assert.same({ "health" }, (words("connect", "docker:shop", "--", "heal")))
    assert.same({ "--sort" }, (words("connect", "docker:shop", "--", "top", "--so")))
    assert.same({ "memory", "mailbox", "reductions", "binary" },
      (words("connect", "docker:shop", "--", "top", "--sort", "")))
  end)

  it("offer nothing where nothing may stand", function()
    for _, line in ipairs { { "health", "" }, { "explain", "nothing_is_called_so" }, { "health", "--deadline", "" },
      { "no-command", "x" }, { "skills", "beam", "" }, { "call", "beam_top_processes", "" }, { "--bogus=" } } do
      assert.same({}, (words(unpack(line))))
    end
  end)

  it("offer what the config names, and go on where it is broken", function()
    write("clients.lua", [[return { client_registry = { primary = "Ours", clients = {
      { name = "Ours", provider = "anthropic", options = {} } } } }]])
    write("broken.lua", "return {\n")
    assert.same({ "Ours" }, (words("coordinator.lua", "--config", folder .. "/clients.lua", "--provider", "Ou")))
    assert.same({ "analyst" }, (words("coordinator.lua", "--config", folder .. "/broken.lua", "--provider", "anal")))
  end)

  it("offer what is kept, and the nodes of epmd, but no name that a shell would run", live.test(function()
    local at = live.start()
    local env = { ERL_EPMD_PORT = tostring(at.epmd_port) }
    -- Who presses Tab is not kept waiting for epmd, so on a machine under load its names may be missing.
    assert.same({ at.name }, until_true("the node", function()
      local list = offered(env, "health", "--node", at.name)
      return list[1] and list
    end))
    local ran = program.run({ "coordinator.lua", "--skills", "ets", "--node", at.name, "--cookie-file",
      at.cookie_file }, { env = environment(env) })
    assert.equal(0, ran.code, ran.stderr)
    assert.same({ "last", "r1" }, (words("show", "")))
    assert.same({ at.name }, (words("health", "--node", "")))
    local db = assert(database.open(folder .. "/beamlens/beamlens.db"))
    for _, name in ipairs { "a;touch x@b", "--config=/tmp/x@b" } do
      assert(db:exec(("update runs set node = '%s'"):format(name)))
      assert.same({}, (words("health", "--node", "")))
    end
    db:close()
  end))

  it("name the nearest of the shells", function()
    local result = run { "completions", "bsh" }
    assert.same({ 2, "beamlens-run: there are no completions for bsh; did you mean bash?\n" },
      { result.code, result.stderr })
  end)
end)
