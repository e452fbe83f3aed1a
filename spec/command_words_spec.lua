-- What is typed around the commands: words too many, wrong ones, files to copy, and what a program
-- that reads our JSON is told.

local uv = require "luv"
local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

local folder

local function write(name, text)
  local path = folder .. "/" .. name
  os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/"))
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  uv.fs_chmod(path, 384)
  return path
end

local function run(args, env)
  local all = { HOME = folder, XDG_CONFIG_HOME = folder .. "/config" }
  for name, value in pairs(env or {}) do all[name] = value end
  return async.run(function() return program.run(args, { env = all }) end)
end

-- One sentence on stderr, nothing on stdout, and the code.
local function complaint(code, ...)
  local result = run { ... }
  assert.equal("", result.stdout)
  assert.equal(code, result.code, result.stderr)
  assert.matches("^beamlens%-run: [^\n]+\n$", result.stderr)
  return result.stderr:match "^beamlens%-run: (.*)\n$"
end

-- A skill of the user with one callback NAME_look, and a file of checks.
local function own_skill(name, body)
  write(("config/beamlens/skills/%s.lua"):format(name), ([[
    return { name = "NAME", title = "T", about = "a", prompt = "p", queries = { f = "#{}." }, snapshot = "f",
      callbacks = { NAME_look = { doc = "d", class = "SAFE", returns = { "x" }, RUN } } }]])
    :gsub("NAME", name):gsub("RUN", body or 'query = "f"'))
end

local function own_check(file, callback, id)
  write(("config/beamlens/checks/%s.lua"):format(file), ([[
    return { { id = "%s", mechanism = "%s", expert = "e", look = { { "%s" } },
      suspect = function() end, confirm = function() end } }]]):format(id, id, callback))
end

local function utf8_length(line) return select(2, line:gsub("[^\128-\191]", "")) end

-- The program under a shell, which can take from it what it would write to.
local function shell(line)
  local path = write("line.sh", line)
  return async.run(function()
    return program.run({ path }, { path = "/bin/sh", env = { HOME = folder, PROGRAM = program.path } })
  end)
end

describe("the words of the command line", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    uv.fs_mkdir(folder, 448)
  end)
  teardown(live.stop_all)
  after_each(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  it("ask for help and the version as everybody does", function()
    assert.equal(run({ "help" }).stdout, run({ "--help" }).stdout)
    assert.equal(run({ "version" }).stdout, run({ "--version" }).stdout)
    assert.equal(run({ "version" }).stdout, run({ "-v" }).stdout)
    assert.equal(run({ "help", "call" }).stdout, run({ "call", "--help" }).stdout)
    assert.equal(run({ "help", "script" }).stdout, run({ "coordinator.lua", "--help" }).stdout)
    assert.equal("there is no command event; did you mean events?", complaint(2, "help", "event"))
  end)

  it("are refused when there are too many, and a node among them is told where it belongs", function()
    assert.equal("health takes no words, and there is shop@127.0.0.1; did you mean --node shop@127.0.0.1?",
      complaint(2, "health", "shop@127.0.0.1"))
    for line, said in pairs { ["version x"] = "version takes no words", ["skills beam ets"] = "skills takes one word",
      ["init a b"] = "init takes one word", ["help call health"] = "help takes one word",
      ["eval 1 + 1"] = "eval takes one word at most, and there is +; put the expression in quotes",
      ["actions show a1 a2"] = "actions takes two words at most" } do
      local words = {}
      for word in line:gmatch "%S+" do words[#words + 1] = word end
      assert.equal(said, complaint(2, unpack(words)):sub(1, #said))
    end
  end)

  it("put every error into the JSON form, however JSON was asked for", function()
    local config = write("json.lua", "return { json = true }")
    for _, asked in ipairs {
      { { "--bogus", "--json" } }, { { "--json", "--bogus" } }, { { "helth", "--json" } },
      { { "health" }, { BEAMLENS_JSON = "true" } }, { { "health" }, { BEAMLENS_JSON = "1" } },
      { { "health", "--config", config } }, { { "health", "--port", "0", "--config", config } },
      { { "health" }, { BEAMLENS_JSON = "1", BEAMLENS_PORT = "none" } },
    } do
      local result = run(asked[1], asked[2])
      assert.same({ 2, "" }, { result.code, result.stderr })
      assert.equal("usage", json.decode(result.stdout).error.stage)
    end
  end)

  it("put a fault of ours into the JSON form as well", function()
    local result = run { write("fault.lua", 'require("runtime.async").sleep()'), "--json" }
    assert.same({ 70, "" }, { result.code, result.stderr })
    local said = json.decode(result.stdout).error
    assert.equal("internal", said.stage)
    assert.matches("^a fault of ours: runtime/async%.lua:%d+: ", said.message)
  end)

  it("print one JSON object, whatever the command", function()
    local help = json.decode(run({ "help", "call", "--json" }).stdout)
    assert.same({ 1, "call", "call NAME [ARGS...]" }, { help.schema, help.command, help.usage })
    assert.same({ schema = 1, exit = 7 }, json.decode(run({ write("seven.lua", "return 7"), "--json" }).stdout))
    assert.same({ schema = 1, exit = 0 }, json.decode(run({ write("none.lua", "local _"), "--json" }).stdout))
  end)

  it("name file and line of a skill that is no skill, whatever is wrong in it", function()
    for _, wrong in ipairs { "checks = 5", "uses = 5", "checks = { { id = 'x', mechanism = 'm', look = { 5 } } }" } do
      own_skill("zz", 'query = "f" } }, ' .. wrong .. ", x = { {")
      assert.matches("^/.*/skills/zz%.lua:%d+: ", complaint(2, "skills", "zz"))
    end
    write("config/beamlens/skills/zz.lua", string.dump(function() end))
    assert.matches("^/.*/skills/zz%.lua: attempt to load chunk", complaint(2, "skills", "zz"))
    assert.matches("^/.*/code%.lua: attempt to load chunk",
      complaint(2, write("code.lua", string.dump(function() end))))
  end)

  it("show each skill with its own checks, also where one name begins like another", function()
    own_skill "my"
    own_skill "my_skill"
    own_check("my_skill", "my_skill_look", "hers")
    own_check("my_skill_more", "my_skill_look", "hers_too")
    own_check("my_more", "my_look", "his")
    local function shown(name)
      local found = {}
      for id in run({ "skills", name }).stdout:gmatch "look for ([%w_]+):" do found[#found + 1] = id end
      return found
    end
    assert.same({ "hers", "hers_too" }, shown "my_skill")
    assert.same({ "his" }, shown "my")
  end)

  it("show skills within the width of a terminal, each with all its callbacks", function()
    local list = json.decode(run({ "skills", "--json" }).stdout)
    local pages = { run({ "skills" }).stdout }
    for _, s in ipairs(list.skills) do
      local page = run({ "skills", s.name }).stdout
      for _, c in ipairs(s.callbacks) do assert.is_truthy(page:find(c.name .. "(", 1, true), c.name) end
      pages[#pages + 1] = page
    end
    for line in table.concat(pages):gmatch "[^\n]+" do assert.is_true(utf8_length(line) <= 80, line) end
  end)

  it("show of a callback its arguments, fields, class, cost and older names", function()
    local page = run({ "skills", "allocator" }).stdout
    assert.matches("\nallocator_by_type%(allocator_name%)  SAFE\n  One allocator whole: ", page)
    assert.matches("\n  allocator_name  binary_alloc, driver_alloc, [^;]*; *\n* *binary_alloc if left out\n", page)
    assert.matches("\n  also called  allocator_get_binary %(binary_alloc%), allocator_get_mbuf", page)
    assert.matches("\n  cost         asks every scheduler once; well under 1 ms\n", page)
    assert.matches("\n  module       a string\n", run({ "skills", "tracer" }).stdout)
    assert.matches("^system: The machine\n", run({ "skills", "os" }).stdout)
  end)

  it("say that an argument may be left out where that means nothing in particular", function()
    assert.matches("\n  repo         a string; may be left out\n", run({ "skills", "oban" }).stdout)
  end)

  it("end the page of what every skill has with its callbacks", function()
    local page = run({ "skills", "base" }).stdout
    assert.matches("get_node_info%(%)  SAFE\n", page)
    assert.not_matches("as every skill has", page)
    assert.matches("\nAnd, as every skill has: get_current_time%(%), get_node_info%(%)\n",
      run({ "skills", "ets" }).stdout)
  end)

  it("say of skills what they need, and of a node whether it has that", live.test(function()
    own_skill("near", 'query = "f" } }, needs = "a moon", available = function() return true end, x = { {')
    own_skill("far", [[query = "f" } }, needs = "a second moon",
      available = function() return "it has one" end, x = { {]])
    local at = live.start()
    local function look(...)
      local env = { HOME = folder, XDG_CONFIG_HOME = folder .. "/config", ERL_EPMD_PORT = tostring(at.epmd_port) }
      return program.run({ "skills", ... }, { env = env }).stdout
    end
    local function ask(...) return look("--node", at.name, "--cookie-file", at.cookie_file, ...) end
    assert.matches("\nneeds a second moon\nnot on this node: it has one\n", ask "far")
    assert.matches("\n +needs a moon\n +so it is on this node\n", ask())
    local rows = {}
    for _, s in ipairs(json.decode(ask "--json").skills) do rows[s.name] = s end
    assert.same({ false, "it has one", true, true },
      { rows.far.available, rows.far.unavailable, rows.near.available, rows.beam.available })
    assert.matches("\nneeds a second moon\n\n", look "far")
    assert.is_nil(json.decode(look("far", "--json")).skills[1].available)
  end))

  it("tell what a callback could not tell by the exit code, and whose fault it was", live.test(function()
    own_skill("gone", 'run = function() return { unavailable = "no such process" } end')
    own_skill("odd", 'run = function() return nil, "the moon must be full" end')
    local at = live.start()
    local function call(name, word)
      local args = { "call", name, "--json", "--node", at.name, "--cookie-file", at.cookie_file, word }
      local env = { XDG_CONFIG_HOME = folder .. "/config", ERL_EPMD_PORT = tostring(at.epmd_port) }
      local result = program.run(args, { env = env })
      return result.code, json.decode(result.stdout)
    end
    local code, answer = call "gone_look"
    assert.same({ 4, "no such process" }, { code, answer.result.unavailable })
    code, answer = call "odd_look"
    assert.same({ 4, "query", "odd_look: the moon must be full" }, { code, answer.error.stage, answer.error.message })
    code, answer = call("beam_get_memory", "5")
    assert.same({ 2, "usage", "beam_get_memory takes no arguments" },
      { code, answer.error.stage, answer.error.message })
    code, answer = call("beam_top_processes", "many")
    assert.same({ 2, "usage" }, { code, answer.error.stage })
    code, answer = call("beam_get_memory")
    assert.same({ 0, "beam_get_memory" }, { code, answer.callback })
  end))

  it("allow only what there is", function()
    assert.equal("--allow knows no cautoin; did you mean caution?",
      complaint(2, "call", "beam_binary_leak", "--allow", "cautoin", "--node", "nobody@127.0.0.1"))
  end)

  it("reach a callback past a skill that does not load, which the list of skills tells", function()
    own_skill("bad", "query = 5")
    own_skill("afar")
    assert.matches("^no node was given", complaint(2, "call", "beam_get_memory"))
    assert.matches("^no node was given", complaint(2, "call", "afar_look"))
    assert.matches("did you mean beam_get_memory%?", complaint(2, "call", "beam_get_memori"))
    assert.matches("skills/bad%.lua:%d+: bad_look: no query 5", complaint(2, "call", "bad_look"))
    assert.matches("skills/bad%.lua:%d+: bad_look: no query 5", complaint(2, "skills", "bad"))
    assert.matches("\nbad +does not load: [^\n]*skills/bad%.lua:%d+: bad_look: no query 5\n", run({ "skills" }).stdout)
    local list = json.decode(run({ "skills", "--json" }).stdout)
    assert.same({ "bad" }, { list.broken[1].name, list.broken[2] })
    assert.equal("afar", list.skills[1].name)
  end)

  it("copy every part of a skill, and the copy is what is used", function()
    local target = folder .. "/config/beamlens/skills/beam/load.lua"
    assert.equal("written: " .. target .. "\n", run({ "init", "skills/beam/load.lua" }).stdout)
    write("config/beamlens/skills/beam/load.lua", "return {}")
    assert.matches("skills/beam/load%.lua:1: queries must be a table", complaint(2, "skills", "beam"))
    assert.equal(("written: %s/config/beamlens/checks/beam_cpu.lua\n"):format(folder),
      run({ "init", "skills/checks/beam_cpu.lua" }).stdout)
  end)

  it("tell what there is to copy", function()
    assert.equal("there is no skills/beem.lua of ours; did you mean skills/beam.lua?",
      complaint(2, "init", "skills/beem.lua"))
    assert.equal("there is no everything of ours; see `beamlens-run help init`", complaint(2, "init", "everything"))
    local said = run({ "help", "init" }).stdout
    for _, name in ipairs { "skills/ets.lua", "skills/beam/load.lua", "checks/ets.lua", "prompts/operator.md",
      "examples/coordinator.lua" } do
      assert.is_truthy(said:find(name, 1, true), name)
    end
  end)

  it("say that what guards is nobody's to replace", function()
    for _, word in ipairs { "gate.lua", "sandbox/policy.lua", "runtime/gate.lua" } do
      assert.equal(word .. " is part of what guards, and that is never replaced; policy.lua makes it stricter",
        complaint(2, "init", word))
    end
  end)

  it("copy the whole file or none, and name the folder that cannot be made", function()
    local result = run({ "init" }, { XDG_CONFIG_HOME = "/proc/nowhere" })
    assert.equal("beamlens-run: cannot make the folder /proc/nowhere (ENOENT); check the permissions of the folder "
      .. "it is in\n", result.stderr)
    result = shell "trap '' XFSZ; ulimit -f 0; exec \"$PROGRAM\" init"
    assert.equal(2, result.code)
    assert.matches("cannot write .*config%.lua: EFBIG", result.stderr)
    assert.is_nil(uv.fs_stat(folder .. "/.config/beamlens/config.lua"))
  end)

  it("tell the line of a script that raises without a text", function()
    for _, raised in ipairs { "error()", "error {}", "error(nil)" } do
      assert.matches("^/.*/raises%.lua:2: the script raised an error without a text$",
        complaint(2, write("raises.lua", "local function f() end f()\n" .. raised)))
    end
  end)

  it("lead to a result that is all written, or to a sentence and another code", function()
    for _, command in ipairs { "version", "health --json" } do
      local result = shell(('"$PROGRAM" %s > /dev/full'):format(command))
      assert.equal(2, result.code)
      assert.equal("beamlens-run: cannot write the result: No space left on device; make room, and run it again\n",
        result.stderr)
    end
  end)

  it("may lead into a reader that has had enough", function()
    local result = shell [[
      mkfifo "$HOME/gone"
      { read _ < "$HOME/gone"; "$PROGRAM" help; echo "$?" >&2; } | { exec <&-; echo > "$HOME/gone"; }]]
    assert.equal("0\n", result.stderr)
  end)
end)
