-- What somebody meant who typed almost that: every kind of name that stands on a command line, in the environment or in
-- the config file says which is near.

local uv = require "luv"
local async = require "runtime.async"
local program = require "spec.support.program"

local folder

local function run(args, env)
  local all = { HOME = folder, XDG_CONFIG_HOME = folder, XDG_STATE_HOME = folder, BEAMLENS_COOKIE = "x" }
  for name, value in pairs(env or {}) do all[name] = value end
  return async.run(function() return program.run(args, { env = all }) end)
end

local function words_of(line)
  local words = {}
  for word in line:gmatch "%S+" do words[#words + 1] = word end
  return words
end

local LINES = {
  -- commands, and what is none but belongs behind one
  ["helht"] = "did you mean health?",
  ["help expalin"] = "did you mean explain?",
  ["coordinatr.lua"] = "did you mean coordinator.lua?",
  ["coordinatr"] = "did you mean coordinator?",
  ["shop@host"] = "did you mean `beamlens-run health --node shop@host`?",
  ["mailbox"] = "did you mean `beamlens-run explain mailbox`?",
  ["ets"] = "did you mean `beamlens-run skills ets`?",
  ["beam_get_memory"] = "did you mean `beamlens-run call beam_get_memory`?",
  ["help ets"] = "did you mean `beamlens-run skills ets`?",
  -- options and their values
  ["health --ndoe a@127.0.0.1"] = "did you mean --node?",
  ["health -node a@127.0.0.1"] = "did you mean --node?",
  ["-node a@127.0.0.1 health"] = "did you mean --node?",
  ["health --cookie x"] = "did you mean --cookie-file?",
  ["health --color"] = "did you mean --no-color?",
  ["coordinator.lua --node a@127.0.0.1 --provider antropic"] = "did you mean anthropic?",
  ["coordinator.lua --node a@127.0.0.1 --strategy pipelin"] = "did you mean pipeline?",
  ["coordinator.lua --node a@127.0.0.1 --skills beem"] = "did you mean beam?",
  ["coordinator.lua --node a@127.0.0.1 --allow cautoin"] = "did you mean caution?",
  ["coordinator.lua --sandbox strickt"] = "did you mean strict?",
  ["top --sort memroy"] = "did you mean memory?",
  ["health --via shs:a@b"] = "did you mean ssh:USER@HOST?",
  -- words of commands
  ["call beam_top_proceses"] = "did you mean beam_top_processes?",
  ["skills bean"] = "did you mean beam?",
  ["explain mailbx"] = "did you mean mailbox?",
  ["init skill/ets.lua"] = "did you mean skills/ets.lua?",
  ["actions aprove a1"] = "did you mean approve?",
  ["show 17"] = "did you mean r17?",
  ["show lst"] = "did you mean last?",
  ["completions zhs"] = "did you mean zsh?",
  ["sandbox --demo-callbacks --limit wal_ms=3 chunk.lua"] = "did you mean wall_ms?",
}

describe("a name that is almost one", function()
  setup(function()
    folder = assert(uv.fs_mkdtemp "/tmp/spec-near-XXXXXX")
    local file = assert(io.open(folder .. "/chunk.lua", "w"))
    file:write "return 1"
    file:close()
    uv.fs_chmod(folder .. "/chunk.lua", 384)
  end)
  teardown(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  for line, meant in pairs(LINES) do
    it("is told with the one that was meant: " .. line, function()
      local words = words_of(line:gsub("chunk%.lua", folder .. "/chunk.lua"))
      local ran = run(words)
      assert.same({ 2, "" }, { ran.code, ran.stdout })
      assert.equal(meant, ran.stderr:match "(did you mean .-%?)%)?[;\n]", ran.stderr)
    end)
  end

  it("is told where a variable of the environment has it, which nobody reads", function()
    local ran = run({ "version" }, { BEAMLENS_NDOE = "shop@host", BEAMLENS_COOKI = "x" })
    assert.equal(0, ran.code)
    assert.equal("beamlens-run: BEAMLENS_COOKI is not read; did you mean BEAMLENS_COOKIE?\n"
      .. "beamlens-run: BEAMLENS_NDOE is not read; did you mean BEAMLENS_NODE?\n", ran.stderr)
  end)

  it("is told of a variable for what no variable sets", function()
    local ran = run({ "version" }, { BEAMLENS_ALLOW = "caution", BEAMLENS_LIMITS = "1" })
    assert.equal("beamlens-run: BEAMLENS_ALLOW is not read; --allow may only stand on the command line\n"
      .. "beamlens-run: BEAMLENS_LIMITS is not read; only the config file sets limits\n", ran.stderr)
  end)

  it("is not told of variables that are read, or may be another program's, nor where nobody wants to hear", function()
    assert.equal("", run({ "version" }, { BEAMLENS_DEBUG = "1", BEAMLENS_NODE = "a@b", BEAMLENS_CONFIG = "",
      BEAMLENS_WEBHOOK_ENDPOINT = "1" }).stderr)
    assert.equal("", run({ "version", "--quiet" }, { BEAMLENS_NDOE = "a@b" }).stderr)
  end)
end)
