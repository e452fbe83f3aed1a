-- Which skills join a run that was given none, on a live node where a process has the name of an application's
-- supervisor.
local config = require "runtime.config"
local joining = require "runtime.joining"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

describe("the skills that join", function()
  local at, bare

  setup(function()
    at = live.start { code = "spawn(fun() -> register(ejabberd_sup, self()), receive stop -> ok end end)." }
    bare = live.start {}
  end)
  teardown(live.stop_all)

  local USUAL = { skills = config.default "skills" }

  it("are those of the applications that run", live.test(function()
    assert.same({ "beam", "ejabberd" }, joining.with({ "beam" }, USUAL, at.node))
  end))

  it("are none where no such application runs, and leave no atom there", live.test(function()
    joining.with({ "beam" }, USUAL, bare.node)
    local before = bare.eval "erlang:system_info(atom_count)."
    assert.same({ "beam" }, joining.with({ "beam" }, USUAL, bare.node))
    assert.equal(before, bare.eval "erlang:system_info(atom_count).")
  end))

  it("are none where somebody named the skills, or the config has operators", live.test(function()
    assert.same({ "beam" }, joining.with({ "beam" }, { skills = { "beam" } }, at.node))
    assert.same({ "beam" }, joining.with({ "beam" }, { skills = USUAL.skills, operators = { "beam" } }, at.node))
  end))

  it("join once, whatever a node says of them", function()
    local odd = { query = function() return { "rabbit_sup", "ejabberd_sup", "ejabberd_sup", "kernel_sup", 7 } end }
    assert.same({ "beam", "ejabberd", "rabbitmq" }, joining.with({ "beam" }, USUAL, odd))
  end)

  it("look in a run", live.test(function()
    local result = program.run({ "coordinator.lua", "--node", at.name, "--provider", "analyst", "--quiet", "--json" },
      { env = { HOME = at.home, ERL_EPMD_PORT = tostring(at.epmd_port) } })
    local names = {}
    for i, o in ipairs(json.decode(result.stdout).operators) do names[i] = o.skill end
    local joined = { unpack(USUAL.skills) }
    table.insert(joined, "ejabberd")
    assert.same(joined, names)
  end))
end)
