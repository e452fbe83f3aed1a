-- The help as somebody reads it who has never seen the program, and its examples, which are typed as they stand: by a
-- shell, at a real node where they want one.

local uv = require "luv"
local config = require "runtime.config"
local failure = require "runtime.failure"
local held = require "spec.support.held"
local json = require "runtime.json"
local database = require "host.db"
local live = require "spec.support.live_node"
local manual = require "runtime.manual"
local page = require "runtime.help_page"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local root = require("host.files").root

local folder, at, commands

-- In the place of the program: it tells what the shell made of the line.
local TELLS = '#!/bin/sh\nprintf "%s\\n" "$@" > "$TOLD"\n'
local IS_IT = '#!/bin/sh\nexec "$PROGRAM" "$@"\n'

local function write(name, text, mode)
  local path = folder .. "/" .. name
  os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/"))
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  uv.fs_chmod(path, mode or 384)
  return path
end

local function environment(bin)
  return { HOME = folder, XDG_CONFIG_HOME = folder .. "/config", XDG_STATE_HOME = folder .. "/state",
    PATH = ("%s/%s:%s"):format(folder, bin, os.getenv "PATH"), PROGRAM = program.path, TOLD = folder .. "/told",
    ERL_EPMD_PORT = at and tostring(at.epmd_port), BEAMLENS_COOKIE_FILE = at and at.cookie_file }
end

local function run(args) return held.in_task(program.run, args, { env = environment "bin" }) end

-- Most lines are for any shell; what completes one is for that one.
local function shell(line, bin)
  return held.in_task(program.run, { line:match "completions (%l+)" or "bash", "-c", line },
    { path = "/usr/bin/env", cwd = folder .. "/work", env = environment(bin) })
end

local function words_of(line)
  os.remove(folder .. "/told")
  shell(line, "tells")
  local words = {}
  for word in io.lines(folder .. "/told") do words[#words + 1] = word end
  return words
end

local function each_example(see)
  for _, name in ipairs { "script", unpack(commands) } do
    for _, example in ipairs(manual.command(name).examples or {}) do see(name, example[1], example[2]) end
  end
end

-- What of a line is no command of ours with its own options; behind `--` of `connect` stands another.
local function fault(words)
  local line, err = config.parse(words)
  if err then return tostring(err) end
  local name = line.words[1] or "help"
  if name:find "%.lua$" then name = "script" end
  if name ~= "script" and failure.nearest(name, commands) ~= name then return "no command " .. name end
  local stray = config.stray(line.options, name)
  if stray then return tostring(stray) end
  if #line.words - 1 > manual.command(name).words then return "too many words" end
  return name == "connect" and #line.args > 0 and fault(line.args) or nil
end

-- Those that go on until somebody ends them, want a terminal, a person, Elixir, a fault or what is elsewhere: other
-- specs run them.
local ELSEWHERE = { watch = true, top = true, connect = true, ask = true, feedback = true, lessons = true,
  actions = true }
local ELIXIR = "beamlens-run eval --elixir 'Process.list() |> Enum.count()' --node shop@host"
-- All others end with 0.
local CODES = {
  ["beamlens-run eval 'erlang:garbage_collect(whereis(cache))' --node shop@host"] = 5,
  ["beamlens-run eval 'exit(whereis(cache), kill)' --node shop@host"] = 5,
}

-- What the examples speak of: a run r17 of that trace, a chunk, a cassette, prompts.
local function furnish()
  write("work/chunk.lua", "return 6 * 7")
  write("work/my-prompts/operator.md", require("host.files").read "prompts/operator.md")
  assert.equal(0, shell(("beamlens-run coordinator.lua --skills ets --node %s"):format(at.name), "bin").code)
  local db = assert(database.open(folder .. "/state/beamlens/beamlens.db"))
  assert(db:exec [[update runs set number = 17, trace_id = '9f3a0c' || substr(trace_id, 7);
    update observations set run = 17; update events set run = 17]])
  db:close()
end

describe("help", function()
  setup(function()
    folder = uv.fs_realpath(assert(uv.fs_mkdtemp "/tmp/spec-help-XXXXXX"))
    write("tells/beamlens-run", TELLS, 448)
    write("bin/beamlens-run", IS_IT, 448)
    write("bin/gh", "#!/bin/sh\ncat > issue.md\n", 448)
    write("work/question.txt", "memory?")
    commands = json.decode(run({ "help", "--json" }).stdout).commands
  end)
  teardown(live.stop_all)
  teardown(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  it("begins with what a new person types first, and has a line for every command", function()
    local text = run({ "help" }).stdout
    assert.matches("\n  beamlens-run health --node shop@host\n\nLook first:\n  health ", text, 1, true)
    for _, name in ipairs { "script", unpack(commands) } do
      local usage = manual.command(name).usage
      local line = ("\n  %s +%s\n"):format(usage:gsub("%p", "%%%0"), (manual.command(name).doc:gsub("%p", "%%%0")))
      assert.equal(1, select(2, text:gsub(line, "\n\n")), usage)
    end
  end)

  it("has one place for every file of a command, and no other", function()
    local there, files = {}, {}
    for _, group in ipairs(manual.GROUPS) do
      for _, name in ipairs(group) do there[name] = (there[name] or 0) + 1 end
    end
    local scan = uv.fs_scandir(root .. "/runtime/commands")
    for file in function() return (uv.fs_scandir_next(scan)) end do files[file:match "^(.*)%.lua$"] = 1 end
    assert.same(files, there)
  end)

  it("shows of every command what it does, its own options and at least two examples", function()
    for _, name in ipairs { "script", unpack(commands) } do
      local command, text = manual.command(name), run({ "help", name }).stdout
      assert.matches("^beamlens%-run " .. command.usage:gsub("%p", "%%%0") .. "\n  ", text)
      for _, option in ipairs(manual.options(name)) do
        assert.is_truthy(text:find("\n  " .. manual.flag(option), 1, true), option.name)
      end
      assert.is_true(#command.examples >= 2, name)
      for _, example in ipairs(command.examples) do
        assert.is_truthy(text:find("\n  " .. example[1], 1, true), example[1])
      end
    end
  end)

  it("has the examples for a program, too", function()
    local told = json.decode(run({ "help", "health", "--json" }).stdout)
    assert.same({ line = "beamlens-run health --node shop@host", about = manual.command("health").examples[1][2] },
      told.examples[1])
  end)

  it("tells of a script what scripts have", function()
    assert.matches("\n  %-%-report FILE%.md ", run({ "coordinator.lua", "--help" }).stdout)
    assert.equal(run({ "help", "script" }).stdout, run({ "help", "coordinator.lua" }).stdout)
  end)

  for _, columns in ipairs { 60, 80, 100 } do
    it(("fits %d columns, but for lines that are copied"):format(columns), function()
      local out = { width = columns }
      local copied = {}
      each_example(function(_, line) copied["  " .. line] = true end)
      local pages = { page.overview(out) }
      for _, name in ipairs { "script", unpack(commands) } do pages[#pages + 1] = page.of(name, out) end
      for line in table.concat(pages):gmatch "[^\n]+" do
        local short = #line:gsub("[\128-\191]", "") <= columns
        assert.is_true(short or copied[line] or line:find "^  curl " ~= nil, line)
      end
    end)
  end

  it("is as wide as the terminal", function()
    local lines = held.in_task(function()
      local running = pty.start({ "help", "--no-color" }, { whole = true, columns = 60, env = { HOME = folder } })
      running.wait()
      return running.screen()
    end)
    assert.equal(page.overview({ width = 60 }), lines)
  end)

  it("has examples that are commands of ours, with options of theirs", function()
    each_example(function(_, line) assert.is_nil(fault(words_of(line)), line) end)
  end)

  it("has examples that do what they say", live.test(function()
    at = live.start { code = 'register(cache, spawn(fun() -> receive stop -> ok end end)).' }
    furnish()
    each_example(function(name, line)
      if ELSEWHERE[name] or line == ELIXIR or line:find(" --via ", 1, true) then return end
      local ran = shell((line:gsub("shop@host", at.name)), "bin")
      assert.equal(CODES[line] or 0, ran.code, line .. "\n" .. ran.stdout .. ran.stderr)
    end)
  end))
end)
