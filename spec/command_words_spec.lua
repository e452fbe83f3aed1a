-- What is typed around the commands: words too many, wrong ones, files to copy, and what a program
-- that reads our JSON is told.

local uv = require "luv"
local async = require "runtime.async"
local json = require "runtime.json"
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
  after_each(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  it("ask for help and the version as everybody does", function()
    assert.equal(run({ "help" }).stdout, run({ "--help" }).stdout)
    assert.equal(run({ "version" }).stdout, run({ "--version" }).stdout)
    assert.equal(run({ "version" }).stdout, run({ "-v" }).stdout)
    assert.equal(run({ "help", "call" }).stdout, run({ "call", "--help" }).stdout)
    assert.equal(run({ "help" }).stdout, run({ "coordinator.lua", "--help" }).stdout)
  end)

  it("are refused when there are too many, and a node among them is told where it belongs", function()
    assert.equal("health takes no words, and there is shop@127.0.0.1; did you mean --node shop@127.0.0.1?",
      complaint(2, "health", "shop@127.0.0.1"))
    for line, said in pairs { ["version x"] = "version takes no words", ["skills beam ets"] = "skills takes one word",
      ["init a b"] = "init takes one word", ["help call health"] = "help takes one word" } do
      local words = {}
      for word in line:gmatch "%S+" do words[#words + 1] = word end
      assert.matches("^" .. said, complaint(2, unpack(words)))
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

  it("print one JSON object, whatever the command", function()
    local help = json.decode(run({ "help", "call", "--json" }).stdout)
    assert.same({ 1, "call", "call NAME [ARGS…]" }, { help.schema, help.command, help.usage })
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

  it("lead to a result that is all written, or to a sentence and another code", function()
    for _, command in ipairs { "version", "health --json" } do
      local result = shell(('"$PROGRAM" %s > /dev/full'):format(command))
      assert.equal(2, result.code)
      assert.equal("beamlens-run: cannot write the result: No space left on device; make room, and run it again\n",
        result.stderr)
    end
  end)

  it("may lead into a reader that has had enough", function()
    local result = shell '"$PROGRAM" help | true; echo done'
    assert.same({ "done\n", "" }, { result.stdout, result.stderr })
  end)
end)
