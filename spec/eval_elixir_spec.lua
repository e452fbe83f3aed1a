-- `eval --elixir` as a person runs it, on a real Elixir node.

local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local state_home = require "spec.support.state_home"

describe("eval --elixir", function()
  local at

  local function options()
    return { env = { XDG_STATE_HOME = os.getenv "XDG_STATE_HOME", ERL_EPMD_PORT = tostring(at.epmd_port),
      BEAMLENS_NODE = at.name, BEAMLENS_COOKIE_FILE = at.cookie_file } }
  end

  local function eval(...) return program.run({ "eval", "--elixir", ... }, options()) end

  setup(function()
    state_home.open()
    at = live.start { elixir = true }
  end)
  teardown(function()
    live.stop_all()
    state_home.close()
  end)

  it("runs what is SAFE and writes the result as Elixir does", live.test(function()
    assert.equal('%{a: [1, 2], b: {:ok, "text"}}\n', eval('%{a: [1, 2], b: {:ok, "te" <> "xt"}}').stdout)
  end))

  it("names functions as Elixir does", live.test(function()
    assert.equal("Process.sleep/1", json.decode(eval("Process.sleep(1)", "--json").stdout).reasons[1].what)
  end))

  it("allows a CAUTION by that name", live.test(function()
    assert.equal(0, eval(":erlang.garbage_collect(Process.whereis(:init))", "--allow", "erlang:garbage_collect/1").code)
  end))

  it("takes Elixir's names in --allow", live.test(function()
    assert.equal(0, eval('System.get_env("NO_SUCH")', "--allow", "System.get_env/1").code)
  end))

  it("shows what was printed", live.test(function()
    assert.equal("hello\n:ok\n", eval('IO.puts("hello")').stdout)
  end))

  it("masks a secret under its name", live.test(function()
    assert.is_nil(eval('[password: "geheim123"]').stdout:find("geheim123", 1, true))
  end))

  it("meets the guards", live.test(function()
    assert.matches("ets:tab2list/1 is refused", eval("t = :ets.new(:t, []); Enum.each(1..10001, &:ets.insert(t, {&1}))"
      .. "; :ets.tab2list(t)").stderr, 1, true)
  end))

  it("refuses what runs while it is expanded, at a terminal too, without asking", live.test(function()
    local person = pty.start({ "eval", "--elixir", "require Logger; Logger.info(1)" }, options())
    assert.equal(5, (person.wait()))
    assert.matches("DANGEROUS: require in line 1 is not expanded", person.screen(), 1, true)
  end))

  it("has a DANGEROUS one typed by its name", live.test(function()
    local person = pty.start({ "eval", "--elixir", "Application.put_env(:spec_eval, :typed, true)" }, options())
    person.see("type: run Application.put_env/3 on " .. at.name)
    person.type("run Application.put_env/3 on " .. at.name)
    person.wait()
    assert.is_true(at.eval "application:get_env(spec_eval, typed) =:= {ok, true}.")
  end))

  it("tells the exception that was raised", live.test(function()
    local result = eval('raise "no luck"', "--quiet")
    assert.equal(4, result.code)
    assert.matches("no luck", result.stderr, 1, true)
  end))
end)
