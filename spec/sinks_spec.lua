-- Sinks of a real run: the program, a node that is sick, and whoever is told of it.

local crypto = require "host.crypto"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

local shop, state, secret_file, server, answers

local SECRET = "whsec_0123456789"
local GROW = [[register('inbox_password=hunter2secret', spawn(fun() -> timer:sleep(infinity) end)),
  ['inbox_password=hunter2secret' ! {order, X} || X <- lists:seq(1, 20000)],
  register(sends, spawn(fun F() -> ['inbox_password=hunter2secret' ! {order, X} || X <- lists:seq(1, 100)],
    timer:sleep(20), F() end)), ok.]]

local function run(sinks, ...)
  local config = shop:write("config.lua", ("return { sinks = { %s } }"):format(sinks))
  return program.run({ "coordinator", "--node", shop.name, "--cookie-file", shop.cookie_file, "--config", config,
    "--store", ":memory:", "--provider", "analyst", "--quiet", "--skills", "beam", ... },
    { env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home, XDG_STATE_HOME = state } })
end

describe("sinks of a run", function()
  setup(function()
    shop = live.start { code = GROW }
    state, secret_file = shop.home .. "/state", shop:write("secret", SECRET)
  end)
  teardown(live.stop_all)
  before_each(function()
    answers = {}
    server = http_server.start { ["POST /hook"] = function(_, response)
      response:send(table.remove(answers, 1) or 204, "")
    end }
  end)
  after_each(function() server.stop() end)

  local function hook(more)
    return ("{ type = 'webhook', url = '%s/hook', secret_file = %q, %s }"):format(server.url, secret_file, more or "")
  end

  it("tell a webhook what was found before the program ends, signed, and without secrets", live.test(function()
    answers = { 503 }
    assert.equal(1, run(hook()).code)
    local got = {}
    for _, request in ipairs(server.requests) do
      local at = request.headers["beamlens-timestamp"]
      assert.equal("v1=" .. crypto.hmac(SECRET, at .. "." .. request.body), request.headers["beamlens-signature"])
      got[json.decode(request.body).event] = json.decode(request.body)
      assert.is_nil(request.body:find("hunter2secret", 1, true))
    end
    assert.equal("sick", got["run.stop"].metadata.verdict)
    assert.matches("^inbox_password=<secret:%x+>$", got["coordinator.insight_produced"].metadata.root_cause.object)
    assert.equal(shop.name, got["node.up"].metadata.node)
  end))

  it("never tell what they sign with", live.test(function()
    local path = shop.home .. "/events.jsonl"
    os.remove(path)
    run(hook "events = { 'run.stop' }" .. (", { type = 'jsonl', file = %q }"):format(path),
      "--reason", "is " .. SECRET .. " still good?")
    for _, text in ipairs { server.requests[1].body, assert(io.open(path)):read "*a" } do
      assert.is_nil(text:find(SECRET, 1, true))
      assert.matches('"reason":"is <secret:%x+> still good%?"', text)
    end
  end))

  it("cost a run nothing when nobody is there to be told", live.test(function()
    server.stop()
    local result = run(hook "events = { 'run.stop' }" .. ", { type = 'jsonl', file = '/dev/full' }")
    assert.equal(1, result.code)
    assert.matches("^SICK", result.stdout)
    assert.matches("the sink jsonl 2 fails: ENOSPC", result.stderr)
    assert.matches("the sink webhook 1 fails: 127.0.0.1:%d+ cannot be reached", result.stderr)
  end))

  it("are looked at before anything is asked of the node", live.test(function()
    local result = run "{ type = 'webhok' }"
    assert.equal(2, result.code)
    assert.matches(":1: sinks%[1%]: there is no type webhok; did you mean webhook%?", result.stderr)
  end))
end)
