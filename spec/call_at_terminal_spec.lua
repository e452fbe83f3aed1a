-- `call` of what has a side effect, with a person before it.

local live = require "spec.support.live_node"
local pty = require "spec.support.pty"

local at

local function call(answer, ...)
  local running = pty.start({ "call", "beam_binary_leak", "3", "--node", at.name, ... },
    { env = { HOME = at.home, ERL_EPMD_PORT = tostring(at.epmd_port), XDG_CONFIG_HOME = at.home } })
  if answer then
    running.see "beam_binary_leak has a side effect on the running system. Run it? [y/N]"
    running.type(answer)
  end
  return running.wait(), running
end

describe("call at a terminal", function()
  setup(function() at = live.start() end)
  teardown(live.stop_all)

  for _, answer in ipairs { "y", "yes" } do
    it(("runs what has a side effect after %q"):format(answer), live.test(function()
      local code, running = call(answer)
      assert.equal(0, code, running.screen())
      assert.not_equal("", running.stdout())
    end))
  end

  for _, answer in ipairs { "", "n", "Y e s", "yes please" } do
    it(("does not after %q"):format(answer), live.test(function()
      local code, running = call(answer)
      assert.same({ 5, "" }, { code, running.stdout() })
      assert.matches("; not run; answer y next time", running.screen(), 1, true)
    end))
  end

  it("does not ask when it was allowed", live.test(function()
    assert.equal(0, (call(nil, "--allow", "beam_binary_leak")))
  end))

  it("does not ask with --no-input", live.test(function()
    assert.equal(5, (call(nil, "--no-input")))
  end))
end)
