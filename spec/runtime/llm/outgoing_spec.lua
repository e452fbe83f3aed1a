-- `--show-outgoing`: what is shown is what is sent, byte for byte.

local live = require "spec.support.live_node"
local outgoing = require "runtime.llm.outgoing"
local minds = require "spec.support.played_minds"
local played_run = require "spec.support.played_run"
local provider = require "spec.support.played_provider"
local pty = require "spec.support.pty"
local unseen = require "runtime.unseen"

-- The bodies that were shown, in order, and what else stands on stderr.
local function shown(stderr)
  local bodies = {}
  local rest = stderr:gsub("%-%-%- outgoing: POST (%S+), (%d+) bytes\n(.-)\n%-%-%- end of outgoing\n",
    function(url, size, body)
      bodies[#bodies + 1] = { url = url, size = tonumber(size), body = body }
      return ""
    end)
  return bodies, rest
end

describe("what is sent", function()
  setup(played_run.start)
  teardown(live.stop_all)

  -- A reason with what steers a terminal and what no eye sees; nobody cleans what a model says itself.
  local REASON = "slow \226\128\174 since\27[2J noon"

  local function talkative(talk)
    local reply = minds.good(talk)
    reply.text = "I look.\194\155 31m\243\160\129\161"
    return reply
  end

  for wire, path in pairs { anthropic = "/v1/messages", openai = "/v1/chat/completions" } do
    it("to " .. wire .. " is shown byte for byte, with where it goes and without a header", live.test(function()
      local run = played_run.play(wire, talkative, { args = { "--show-outgoing", "--quiet", "--reason", REASON } })
      local bodies, rest = shown(run.stderr)
      local received = {}
      for i, request in ipairs(run.server.requests) do
        received[i] = { url = run.server.url .. path, size = #request.body, body = request.body }
      end
      assert.is_true(#received > 5)
      local function by_body(a, b) return a.body < b.body end -- operators ask side by side
      table.sort(bodies, by_body)
      table.sort(received, by_body)
      assert.same(received, bodies)
      assert.is_nil(rest:find("outgoing", 1, true))
      for _, sent in ipairs(received) do
        assert.is_nil(sent.body:find "%c")
        assert.equal(sent.body, unseen.escaped(sent.body))
      end
    end))
  end

  it("is nothing with the analyst, and it says so", live.test(function()
    local run = played_run.plain({ "--skills", "beam", "--provider", "analyst", "--show-outgoing", "--quiet" }, {})
    assert.equal("nothing leaves: analyst thinks here\n", run.stderr)
  end))

  it("is nothing with a script, and it says so", live.test(function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write 'return { { text = "nothing to do" } }'
    file:close()
    local run = played_run.plain({ "--skills", "beam", "--provider", "script", "--show-outgoing", "--quiet" },
      { BEAMLENS_SCRIPT = path })
    os.remove(path)
    assert.equal("nothing leaves: script thinks here\n", run.stderr)
  end))

  it("stands on lines of its own, at a terminal too", live.test(function()
    local server = provider.start("anthropic", minds.talker)
    local running = pty.start({ "coordinator.lua", "--skills", "beam", "--provider", "anthropic", "--show-outgoing" },
      { env = played_run.environment(server.env) })
    running.wait()
    server.stop()
    local bodies = {}
    for body in running.screen():gmatch "\n%-%-%- outgoing: [^\n]*\n([^\n]*)\n%-%-%- end of outgoing\n" do
      bodies[#bodies + 1] = body
    end
    assert.is_true(#bodies > 0)
    for i, request in ipairs(server.requests) do assert.equal(request.body, bodies[i]) end
  end))

  it("is not shown where nobody asked", live.test(function()
    local run = played_run.play("anthropic", minds.talker, { args = { "--skills", "beam" } })
    assert.is_nil(run.stderr:find("outgoing", 1, true))
  end))

  it("is told, not shown, where it would steer the terminal after all", function()
    assert.equal('--- outgoing: POST http://host/v1, 10 bytes\n{"a":"\\u009b"}\n--- not as it is sent: signs that '
      .. "would steer the terminal\n--- end of outgoing\n", outgoing.text("http://host/v1?key=abc", '{"a":"\194\155"}'))
  end)
end)
