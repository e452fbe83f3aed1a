-- examples/SKILL.md, as a coding agent follows it: every command of it, typed by a shell, at the shop of the demo,
-- which is sick. What it says that a report has is there.

local uv = require "luv"
local async = require "runtime.async"
local held = require "spec.support.held"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local ours = require "host.files"
local program = require "spec.support.program"

local text = ours.read "examples/SKILL.md"
local folder, at

local function write(name, content)
  local file = assert(io.open(folder .. "/" .. name, "w"))
  file:write(content)
  file:close()
  uv.fs_chmod(folder .. "/" .. name, 448)
end

local function shell(line)
  return held.in_task(program.run, { "-c", (line:gsub("shop@host", at.name)) }, { path = "/bin/sh", cwd = folder,
    env = { HOME = at.home, XDG_STATE_HOME = folder, XDG_CONFIG_HOME = folder, PROGRAM = program.path,
      PATH = folder .. ":" .. os.getenv "PATH", ERL_EPMD_PORT = tostring(at.epmd_port) } })
end

local function commands()
  local lines = {}
  for block in text:gmatch "\n```sh\n(.-)\n```" do
    for line in block:gmatch "[^\n]+" do lines[#lines + 1] = line end
  end
  return lines
end

-- Findings are what a sick node has; all others end with 0.
local CODES = { ["coordinator.lua"] = 1, ask = 1 }

describe("the skill for coding agents", function()
  local answers = {}

  setup(live.test(function()
    folder = assert(uv.fs_mkdtemp "/tmp/spec-agent-XXXXXX")
    write("beamlens-run", '#!/bin/sh\nexec "$PROGRAM" "$@"\n')
    at = live.start()
    assert(os.execute(("erlc -o '%s' examples/demo/shop.erl"):format(folder)) == 0)
    at.eval('true = code:add_patha(binary_to_list(Folder)), shop:start(), true.', { Folder = folder })
    local deadline = async.now() + held.PATIENCE_S
    local LENGTH = "case whereis(invoices) of undefined -> 0; P -> element(2, process_info(P, message_queue_len)) end."
    while at.eval(LENGTH) < 2000 and async.now() < deadline do async.sleep(0.05) end
    for _, line in ipairs(commands()) do
      local ran = shell(line)
      local word = line:match "^beamlens%-run (%S+)"
      answers[word] = { code = ran.code, stdout = ran.stdout, stderr = ran.stderr, line = line }
      assert.equal(CODES[word] or 0, ran.code, line .. "\n" .. ran.stdout .. ran.stderr)
    end
  end))
  teardown(function()
    live.stop_all()
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  it("has a name and says when to use it", function()
    assert.matches("^%-%-%-\nname: beamlens%-run\ndescription: [^\n:]+\n%-%-%-\n", text)
  end)

  it("has commands for all that it tells of, each with one JSON object as its answer", function()
    for _, word in ipairs { "doctor", "health", "coordinator.lua", "ask", "skills", "call", "top", "explain", "runs",
      "insights", "show" } do
      assert.is_truthy(answers[word], word)
      assert.equal(1, json.decode(answers[word].stdout).schema, answers[word].line)
      assert.equal("", answers[word].stderr, answers[word].line)
    end
  end)

  it("names the fields of a report that there are", function()
    local report = json.decode(answers["coordinator.lua"].stdout)
    assert.same({ object = "invoices", mechanism = "slow_consumer" }, report.insights[1].root_cause)
    local function has(value, ...)
      for _, name in ipairs { ... } do
        assert.is_not_nil(value[name], name)
        assert.is_truthy(text:find(("`%s`"):format(name), 1, true), name)
      end
    end
    local insight = report.insights[1]
    has(report, "verdict", "insights", "usage", "target_load", "footprint", "incomplete")
    has(insight, "summary", "severity", "confidence", "evidence", "root_cause", "considered", "next_steps")
    has(insight.evidence[1], "observation", "callback", "path", "value")
    has(insight.considered[1], "mechanism", "why_not")
    has(insight.next_steps[1], "text", "risk")
  end)

  it("names every exit code", function()
    for _, exit in ipairs(require("runtime.manual").EXITS) do
      assert.matches("\n|[^|]*%f[%d]" .. exit[1] .. "%f[%D][^|]*|", text)
    end
  end)

  it("has no command that allows, approves, or asks for an expression", function()
    for _, line in ipairs(commands()) do
      assert.is_nil(line:find "%-%-allow" or line:find "approve" or line:find "beamlens%-run eval", line)
    end
  end)

  it("is copied by init into the folder that one stands in", function()
    assert.equal(0, shell("beamlens-run init examples/SKILL.md").code)
    assert.equal(text, assert(io.open(folder .. "/SKILL.md")):read "*a")
  end)
end)
