-- What a person says of a run, by the real program on a real node: kept with the run, told wherever it is shown, and
-- counted beside the next finding of its kind.

local uv = require "luv"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

local at, folder

local function run(args, more)
  local env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home, XDG_STATE_HOME = folder,
    BEAMLENS_SCRIPT = "spec/support/played_case.lua" }
  for name, value in pairs(more or {}) do env[name] = value end
  return program.run(args, { env = env })
end

local function investigate(...)
  return run { "coordinator.lua", "--skills", "ets", "--provider", "script", "--quiet", "--node", at.name,
    "--cookie-file", at.cookie_file, ... }
end

local function told(...)
  local ran = run { ... }
  assert.equal(0, ran.code, ran.stderr)
  return ran.stdout
end

local function decoded(...) return assert(json.decode(told(...))) end

local function refused(...)
  local ran = run { ... }
  assert.same({ 2, "" }, { ran.code, ran.stdout })
  return (ran.stderr:gsub("^beamlens%-run: ", ""):gsub("\n$", ""))
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

describe("what a person says of a run", function()
  setup(function()
    at = live.start()
    folder = assert(uv.fs_mkdtemp "/tmp/spec-feedback-XXXXXX")
  end)
  teardown(function()
    live.stop_all()
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  it("is refused where no run is kept", live.test(function()
    assert.equal("no run is kept; `beamlens-run coordinator.lua` makes one", refused("feedback", "last", "right"))
    assert.equal("there is no run r1; `beamlens-run runs` lists them", refused("feedback", "r1", "right"))
  end))

  it("is nowhere before it is said", live.test(function()
    local ran = investigate "--json"
    assert.equal(1, ran.code, ran.stderr)
    assert.is_nil(json.decode(ran.stdout).insights[1].record)
    assert.is_nil(decoded("runs", "--json").runs[1].feedback)
  end))

  it("is kept with the run, which is named as in `show`", live.test(function()
    assert.equal("r1: right (it said tables: other)\n", told("feedback", "last", "right"))
    local kept = decoded("runs", "--json").runs[1]
    assert.equal("right", kept.feedback.word)
    local again = decoded("feedback", kept.trace_id:sub(1, 8), "right", "--note", "as I saw it", "--json")
    assert.same({ "r1", "right", "as I saw it", "right" },
      { again.run, again.feedback.word, again.feedback.note, again.replaced.word })
    assert.same({ { skill = "ets", mechanism = "other", right = 1, wrong = 0, missed = 0 } }, again.records)
  end))

  it("is told by `show`, `runs` and `insights`", live.test(function()
    assert.equal('said right, "as I saw it"', told("show", "r1"):match "\n([^\n]*)\n")
    assert.equal("right", decoded("show", "r1", "--json").feedback.word)
    assert.matches("  right\n$", told "runs")
    assert.matches("  said right 1 x\n$", told "insights")
    assert.same({ right = 1, wrong = 0 }, decoded("insights", "--json").insights[1].said)
  end))

  it("is counted beside the next such finding, in text, Markdown and JSON, and changes no verdict", live.test(function()
    local path = folder .. "/handoff.md"
    local ran = investigate("--report", path)
    assert.equal(1, ran.code)
    assert.matches("\n   here       such a finding was right here 1 of 1 time\n", ran.stdout)
    assert.matches("\nSuch a finding was right here 1 of 1 time%.\n", read(path))
    assert.same({ right = 1, of = 1 }, decoded("show", "r2", "--json").insights[1].record)
  end))

  it("is replaced when it is said again, and says so", live.test(function()
    local text = told("feedback", "r1", "wrong", "--cause", "healthy", "--note", "a \27[31mbatch")
    assert.matches('^r1: wrong, there was nothing %(it said tables: other%)\n   "a ', text)
    assert.matches("\n   in place of right, said %d+%-%d%d%-%d%d %d%d:%d%dZ\n$", text)
    assert.is_nil(text:find("\27", 1, true))
    assert.same({ right = 0, of = 1 }, json.decode(investigate("--json").stdout).insights[1].record)
  end))

  it("may say what it really was", live.test(function()
    assert.matches("^r1: wrong, it was shop:loop/1: process_leak ",
      told("feedback", "r1", "wrong", "--cause", "shop:loop/1:process_leak"))
    assert.same({ object = "shop:loop/1", mechanism = "process_leak" },
      decoded("show", "r1", "--json").feedback.cause)
  end))

  it("is not taken in other words", live.test(function()
    for words, said in pairs {
      ["feedback"] = "feedback wants a run and a word; `beamlens-run runs` lists them",
      ["feedback r1"] = "feedback wants right or wrong behind r1; `beamlens-run feedback r1 right`",
      ["feedback r1 perhaps"] = "a run was right or wrong, not perhaps; see `beamlens-run help feedback`",
      ["feedback r1 write"] = "a run was right or wrong, not write; see `beamlens-run help feedback`",
      ["feedback r1 wrong --cause tables:other"] = "r1 said just that: tables: other; `beamlens-run feedback r1 right`",
      ["feedback r9 right"] = "there is no run r9; `beamlens-run runs` lists them",
      ["feedback x right"] = "x is no run; name it as r17, or by its trace_id",
      ["runs --note x"] = "--note is an option of feedback; see `beamlens-run help feedback`",
    } do
      local list = {}
      for word in words:gmatch "%S+" do list[#list + 1] = word end
      assert.equal(said, refused(unpack(list)))
    end
  end))

  it("is nothing in a cassette: what was right here is no business of who reads it", live.test(function()
    local path = folder .. "/run.cassette"
    assert.is_not_nil(json.decode(investigate("--json", "--record", path).stdout).insights[1].record)
    assert.is_nil(read(path):find('"record":', 1, true))
    assert.equal(path, decoded("runs", "--json").runs[1].cassette)
  end))
end)
