-- The program as a user meets it when something is wrong with what they typed or wrote: one clear
-- sentence with the next step, the right exit code, no traceback.

local uv = require "luv"
local async = require "runtime.async"
local json = require "runtime.json"
local program = require "spec.support.program"

local folder

local function write(name, text, mode)
  local path = folder .. "/" .. name
  local parent = path:match "^(.*)/"
  os.execute(("mkdir -p '%s'"):format(parent))
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  uv.fs_chmod(path, mode or 384)
  return path
end

local function run(...)
  local args = { ... }
  return async.run(function()
    return program.run(args, { env = { HOME = folder, XDG_CONFIG_HOME = folder .. "/config" } })
  end)
end

-- One sentence on stderr, nothing on stdout, and the code.
local function complaint(code, ...)
  local result = run(...)
  assert.equal("", result.stdout)
  assert.equal(code, result.code)
  assert.matches("^beamlens%-run: [^\n]+\n$", result.stderr)
  assert.is_nil(result.stderr:find("traceback", 1, true))
  return result.stderr:match "^beamlens%-run: (.*)\n$"
end

describe("command line", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    uv.fs_mkdir(folder, 448)
  end)
  after_each(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  it("shows its help without a command, with every command and option in it", function()
    local result = run()
    assert.equal(0, result.code)
    for _, word in ipairs { "health", "call NAME", "init", "skills", "version", "--node NAME", "--allow WHAT" } do
      assert.is_truthy(result.stdout:find(word, 1, true), word)
    end
  end)

  it("says its version, as text and as JSON", function()
    local version = require "runtime.version"
    assert.matches("^beamlens%-run " .. version:gsub("%p", "%%%0") .. " ", run("version").stdout)
    assert.equal(version, json.decode(run("version", "--json").stdout).versions.program)
  end)

  it("names the nearest for an unknown option", function()
    assert.equal("there is no option --cookiefile; did you mean --cookie-file?",
      complaint(2, "health", "--cookiefile", "x"))
  end)

  it("names the nearest for an unknown command", function()
    assert.equal("there is no command or script helth; did you mean health?", complaint(2, "helth"))
  end)

  it("says that no node was given, and how to give one", function()
    assert.equal("no node was given; name it: --node shop@host (or BEAMLENS_NODE)", complaint(2, "health"))
    assert.equal("no node was given; name it: --node shop@host (or BEAMLENS_NODE)", complaint(2, "coordinator.lua"))
  end)

  it("puts an error into the JSON form when JSON was asked for", function()
    local result = run("health", "--json")
    assert.equal(2, result.code)
    assert.same({ schema = 1, error = { stage = "usage", message = "no node was given",
      next = "name it: --node shop@host (or BEAMLENS_NODE)" } }, json.decode(result.stdout))
  end)

  it("refuses a store that others may write", function()
    local path = write("open.db", "", 438)
    assert.matches("open%.db may be written by others, so it is not used; chmod go%-w",
      complaint(2, "watch", "--node", "shop@127.0.0.1", "--store", path))
  end)

  it("tells file and line of a script that does not parse", function()
    local path = write("broken.lua", "return {\n  1,\n  then\n}")
    assert.matches("broken%.lua:3: unexpected symbol near 'then'", complaint(2, path))
  end)

  it("tells file and line of a script that fails while it runs", function()
    local path = write("fails.lua", "local x\n\nreturn x.y")
    assert.matches("fails%.lua:3: attempt to index local 'x'", complaint(2, path))
  end)

  it("shows the traceback when BEAMLENS_DEBUG asks for it", function()
    local path = write("fails.lua", "local x\nreturn x.y")
    local result = async.run(function()
      return program.run({ path }, { env = { HOME = folder, BEAMLENS_DEBUG = "1" } })
    end)
    assert.matches("stack traceback", result.stderr)
    assert.equal(2, result.code)
  end)

  it("refuses a script that others may write", function()
    local path = write("open.lua", "return 0", 438)
    assert.matches("open%.lua may be written by others, so it is not used; chmod o%-w", complaint(2, path))
  end)

  it("says so when a script returns what is no result", function()
    assert.matches("the script returned a boolean; return a report", complaint(2, write("s.lua", "return true")))
  end)

  it("takes a script's integer as the exit code, and nothing as 0", function()
    assert.equal(7, run(write("seven.lua", "return 7")).code)
    assert.equal(0, run(write("nothing.lua", "local _ = 1")).code)
  end)

  it("hands a script its arguments", function()
    local path = write("args.lua", [[
      local beamlens = require "beamlens"
      local first = ...
      return first == "a" and beamlens.options.args[2] == "--b" and 5 or 6]])
    assert.equal(5, run(path, "--", "a", "--b").code)
  end)

  for slip, said in pairs {
    ["b.sleep()"] = "sleep wants seconds", ["b.on('x')"] = "on wants an event and a function",
    ["b.operator.run()"] = "operator.run wants a skill", ["b.connect('shop@host')"] = "options must be a table",
    ["b.coordinator.run { skils = 'beam' }"] = "there is no option skils; did you mean skills%?",
    ["b.coordinator.run { deadline = 'soon' }"] = "deadline wants a number from 1 to 86400, not soon",
    ["return { verdict = 'banana' }"] = "the script returned a table",
  } do
    it("tells a slip in a script with the script's own line: " .. slip, function()
      local text = complaint(2, write("slip.lua", 'local b = require "beamlens"\n' .. slip))
      assert.matches((slip:match "^b" and "slip%.lua:2: " or "") .. said, text)
    end)
  end

  it("refuses to run with a slip in what is allowed", function()
    assert.matches("cautoin.*did you mean caution%?",
      complaint(2, "coordinator.lua", "--allow", "cautoin", "--node", "a@b"))
  end)

  it("refuses a run without a skill", function()
    assert.matches("%-%-skills wants names, one at least",
      complaint(2, "coordinator.lua", "--skills", ",", "--node", "a@b"))
    assert.matches("skills wants names, one at least",
      complaint(2, write("none.lua", 'return require("beamlens").coordinator.run { skills = {} }')))
  end)

  it("ends at the second Ctrl-C even while a script computes without an end", function()
    local path = write("loop.lua", 'io.stderr:write "here\\n" while true do end')
    async.run(function()
      local running = program.start({ path }, { env = { HOME = folder } })
      while running.stderr() == "" do async.sleep(0.01) end
      running.kill "sigint"
      async.sleep(0.05)
      running.kill "sigint"
      assert.equal(130, (running.wait()))
    end)
  end)

  it("runs without stdin, stdout and stderr", function()
    local path = write("closed.sh", program.path .. ' health --node a@127.0.0.1 <&- >&- 2>&- ; echo "$?" > "$1"')
    os.execute(("BEAMLENS_COOKIE=x ERL_EPMD_PORT=1 sh '%s' '%s/code'"):format(path, folder))
    assert.equal("3\n", assert(io.open(folder .. "/code")):read "*a")
  end)

  it("never lets a name steer the terminal", function()
    local text = run("health", "--node", "a\27[31mb@127.0.0.1").stderr
    assert.is_nil(text:find("\27", 1, true))
  end)

  it("passes on what a script passes on", function()
    local path = write("on.lua", 'return require("beamlens").connect()')
    assert.matches("^no node was given", complaint(2, path))
  end)

  it("tells what the API has when a script asks for something else", function()
    assert.matches("beamlens has no conect; it has options, connect",
      complaint(2, write("api.lua", 'require("beamlens").conect()')))
  end)

  it("uses a skill of the user's folder at once, and tells file and line of a broken one", function()
    write("config/beamlens/skills/ets.lua", "return {\n name = ets..\n}")
    assert.matches("skills/ets%.lua:3: ", complaint(2, "skills", "ets"))
    local source = require("host.files").read "skills/ets.lua"
    write("config/beamlens/skills/ets.lua", (source:gsub("title = \"[^\"]*\"", 'title = "Mine"', 1)))
    assert.matches("^ets: Mine\n", run("skills", "ets").stdout)
  end)

  it("refuses a skill that others may write", function()
    write("config/beamlens/skills/ets.lua", require("host.files").read "skills/ets.lua", 438)
    assert.matches("ets%.lua may be written by others", complaint(2, "skills", "ets"))
  end)

  it("says what lies in the user's folder and is never read", function()
    os.execute(("mkdir -p '%s/config/beamlens/sandbox'"):format(folder))
    local said = run("skills").stdout
    os.execute(("rmdir '%s/config/beamlens/sandbox'"):format(folder))
    assert.matches("/config/beamlens/sandbox is not read: only checks, config.lua,", said, 1, true)
  end)

  it("names the nearest for an unknown skill or callback", function()
    assert.matches("there is no skill etz; did you mean ets%?", complaint(2, "skills", "etz"))
    assert.matches("did you mean beam_get_memory%?", complaint(2, "call", "beam_get_memori", "--node", "a@b"))
  end)

  it("copies a file of ours into the user's folder once, and never over an edited one", function()
    local target = folder .. "/config/beamlens/skills/ets.lua"
    assert.equal("written: " .. target .. "\n", run("init", "skills/ets.lua").stdout)
    assert.equal(require("host.files").read "skills/ets.lua", assert(io.open(target)):read "*a")
    assert.matches("is there already; edit it", complaint(2, "init", "skills/ets.lua"))
    assert.equal(0, run("init").code)
    assert.equal(0, run("health", "--node", "nobody@nowhere.invalid").code - 3)
  end)

  for _, name in ipairs { "beamlens-run.service", "alertmanager.yml" } do
    it("copies the example " .. name .. " into this folder", function()
      local copied = async.run(function() return program.run({ "init", "examples/" .. name }, { cwd = folder }) end)
      assert.equal("written: " .. name .. "\n", copied.stdout)
      assert.equal(require("host.files").read("examples/" .. name), assert(io.open(folder .. "/" .. name)):read "*a")
    end)
  end

  it("loses no word of a script that ends the process", function()
    local path = write("leaves.lua", 'for i = 1, 500 do io.stderr:write(i, "\\n") end\nos.exit(3)\n')
    local result = run(path)
    assert.same({ 3, 500 }, { result.code, select(2, result.stderr:gsub("\n", "")) })
  end)

  it("refuses a CAUTION callback that was not allowed before it reaches for the node", function()
    assert.matches("%-%-allow", complaint(5, "call", "beam_binary_leak", "--node", "nobody@127.0.0.1"))
  end)
end)
