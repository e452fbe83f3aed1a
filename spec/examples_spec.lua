-- What users copy must work as it stands, and what the README shows must be what is there.

local config = require "runtime.config"
local json = require "runtime.json"
local node = require "runtime.node.init"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local root = require("host.files").root

local function read(path)
  local file = assert(io.open(root .. "/" .. path))
  local text = file:read "*a"
  file:close()
  return text
end

describe("the examples", function()
  local at
  setup(function() at = live.start() end)
  teardown(live.stop_all)

  local function run(...)
    return program.run({ ... }, { env = { HOME = at.home, ERL_EPMD_PORT = tostring(at.epmd_port) }, cwd = root })
  end

  it("have a skill that runs beside ours, by its path", live.test(function()
    local result = run("coordinator.lua", "--node", at.name, "--provider", "analyst", "--json", "--quiet",
      "--skills", "beam,./examples/own_skill.lua")
    assert.equal(0, result.code, result.stdout .. result.stderr)
    local skills = {}
    for _, o in ipairs(json.decode(result.stdout).operators) do skills[o.skill] = o.state end
    assert.same({ beam = "healthy", peers = "healthy" }, skills)
  end))

  it("have a skill whose callback answers, once it lies in the user's folder", live.test(function()
    os.execute(("mkdir -p '%s/.config/beamlens/skills'"):format(at.home))
    local file = assert(io.open(at.home .. "/.config/beamlens/skills/peers.lua", "w"))
    file:write(read "examples/own_skill.lua")
    file:close()
    local result = run("call", "peers_hidden", "50", "--node", at.name, "--json")
    local answer = json.decode(result.stdout).result
    assert.equal(2, answer.total) -- the specs' own connection and the program's
    assert.is_true(at.eval("lists:member(binary_to_atom(N), nodes(hidden)).", { N = at.node.link.session.name }))
    assert.is_truthy(table.concat(answer.peers, " "):find(at.node.link.session.name, 1, true))
  end))

  it("have a skill whose check finds what it was written for", live.test(function()
    local tools = {}
    for i = 1, 6 do tools[i] = assert(node.connect { name = at.name, cookie_file = at.cookie_file }) end
    local result = run("coordinator.lua", "--node", at.name, "--provider", "analyst", "--json", "--quiet",
      "--skills", "./examples/own_skill.lua")
    for _, tool in ipairs(tools) do tool:close() end
    assert.equal(1, result.code, result.stdout .. result.stderr)
    local insight = json.decode(result.stdout).insights[1]
    assert.same({ object = "hidden nodes", mechanism = "tools_left_attached" }, insight.root_cause)
    assert.equal(8, insight.evidence[1].value)
  end))

  it("have a config file that is read as it is", function()
    local options = assert(config.settle({ config = root .. "/examples/config.lua" }, function() end))
    assert.equal(300, options.deadline)
  end)

  for _, path in ipairs { "examples/own_skill.lua", "examples/coordinator.lua" } do
    it("stand in the README as they are: " .. path, function()
      assert.is_truthy(read "README.md":find("```lua\n" .. read(path) .. "```", 1, true))
    end)
  end

  it("have a README that names only options and commands that exist", function()
    local readme, options = read "README.md", {}
    for _, option in ipairs(config.OPTIONS) do options["--" .. option.name:gsub("_", "-")] = true end
    for flag in readme:gmatch "%-%-%a[%a-]*" do assert.is_true(options[flag], flag) end
    for command in readme:gmatch "[/`$]beamlens%-run (%l+)[ `]" do
      assert.is_truthy(require("runtime.commands." .. command), command)
    end
  end)
end)
