-- `watch --listen`: the real program, a real node that is sick, an alert handler that asks, and SIGTERM in the
-- middle of everything. That an end comes by itself is seen by its exit code: after ten seconds of grace the
-- host would end it with 130.

local async = require "runtime.async"
local client = require "spec.support.http_client"
local exposition = require "spec.support.exposition"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local until_true = require "spec.support.until_true"
local watch_of = require "spec.support.watching"
local uv = require "luv"

local lines, until_told = watch_of.lines, watch_of.until_told

local TOKEN = "an-alert-handler-s-token"
local shop, token_file, watching, port, state

local MAILBOX = [[register(never_reads, spawn(fun() -> timer:sleep(infinity) end)),
  [never_reads ! {order, X} || X <- lists:seq(1, 20000)],
  register(sends, spawn(fun F() -> [never_reads ! {order, X} || X <- lists:seq(1, 100)], timer:sleep(20), F() end)),
  ok.]]

local function start(env, ...)
  local all = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home, XDG_STATE_HOME = state }
  for name, value in pairs(env) do all[name] = value end
  watching = program.start({ "watch", "--node", shop.name, "--cookie-file", shop.cookie_file, "--json",
    "--store", ":memory:", "--listen", "127.0.0.1:0", "--token-file", token_file, ... }, { env = all })
  port = tonumber(until_told(watching, "service.listening").url:match ":(%d+)$")
  until_told(watching, "anomaly.started")
end

local function ask(method, path, body, kind)
  return client.ask(port, method, path, { body = body,
    headers = { Authorization = "Bearer " .. TOKEN, ["Content-Type"] = kind } })
end

describe("watch --listen", function()
  setup(function()
    shop = live.start { code = MAILBOX }
    token_file, state = shop:write("token", TOKEN), shop.home .. "/state"
  end)
  teardown(live.stop_all)
  after_each(function()
    async.run(function()
      if watching then watching.kill "sigkill" end
    end)
  end)

  it("answers Alertmanager with the id of a run, and the run finds what is wrong", live.test(function()
    start {}
    local alert = json.encode { version = "4", groupKey = "g", status = "firing", alerts = { { status = "firing",
      labels = { alertname = "SlowOrders", node = shop.name }, annotations = { summary = "orders wait" } } } }
    local asked = ask("POST", "/run", alert, "application/json")
    assert.equal(202, asked.status)
    local run = until_true("the end of the run", function()
      local now = ask("GET", "/runs/" .. asked.json.id).json
      return now.ended_at and now
    end)
    assert.same({ "done", "sick", "never_reads" },
      { run.state, run.report.verdict, run.report.insights[1].root_cause.object })
    assert.matches('^firing, as Alertmanager reports it: "SlowOrders" .*: "orders wait"$', run.report.reason)
    assert.equal(asked.json.id, run.id)
    local figures = exposition.read(ask("GET", "/metrics").body)
    assert.same({ { labels = { node = shop.name, verdict = "sick" }, value = 1 } }, figures.beamlens_runs_total.samples)
    assert.same({ { name = shop.name, state = "up", monitor = "learning" } }, ask("GET", "/healthz").json.nodes)
    watching.kill "sigterm"
    assert.equal(1, (watching.wait(30))) -- one investigation found something
  end))

  it("hands out no secret that the node shows", live.test(function()
    local secret = "sk-ant-api03-" .. ("Q"):rep(40)
    shop.eval([[Q = binary_to_atom(Name), register(Q, spawn(fun() -> timer:sleep(infinity) end)),
      register(fills, spawn(fun F() -> [Q ! {order, X} || X <- lists:seq(1, 200)], timer:sleep(20), F() end)), ok.]],
      { Name = secret })
    start {}
    local answers = { ask("POST", "/run?wait=60", "token=ghp_" .. ("a1B2"):rep(9)) }
    shop.eval("[exit(P, kill) || P <- [whereis(fills), whereis(binary_to_atom(Name))]], ok.", { Name = secret })
    answers[2] = ask("GET", "/runs/" .. answers[1].json.id)
    for _, answer in ipairs(answers) do
      assert.is_nil(answer.body:find(secret, 1, true))
      assert.is_nil(answer.body:find("ghp_", 1, true))
      assert.matches('"object":"<secret:%x+>"', answer.body)
    end
  end))

  it("ends by SIGTERM with connections open and a client in the middle of its request", live.test(function()
    start {}
    local open = {}
    for i = 1, 20 do
      open[i] = client.connect(port)
      open[i]:write "POST /run HTTP/1.1\r\nHo"
    end
    assert.equal(200, ask("GET", "/healthz").status)
    watching.kill "sigterm"
    assert.equal(0, (watching.wait(30)))
    for i = 1, 20 do open[i]:close() end
  end))

  it("ends by SIGTERM in the middle of a run whose model streams without an end", live.test(function()
    local asked = 0
    local server = http_server.start { ["POST /v1/messages"] = function(_, response)
      asked = asked + 1
      response:stream()
      while not response.socket:is_closing() do
        response:write 'event: ping\ndata: {"type":"ping"}\n\n'
        response:pause(20)
      end
    end }
    start({ ANTHROPIC_API_KEY = "sk-test-0123456789", ANTHROPIC_BASE_URL = server.url }, "--provider", "anthropic")
    ask("POST", "/run", "memory alert")
    until_true("the model is asked", function() return asked > 0 end)
    watching.kill "sigterm"
    assert.equal(0, (watching.wait(30)))
    server.stop()
    assert.matches("interrupted", watching.stdout())
  end))

  it("keeps no run that waited for its turn when it is ended", live.test(function()
    local server = http_server.start { ["POST /v1/messages"] = function(_, response)
      response:stream()
      while not response.socket:is_closing() do response:pause(20) end
    end }
    start({ ANTHROPIC_API_KEY = "sk-test-0123456789", ANTHROPIC_BASE_URL = server.url }, "--provider", "anthropic")
    for i = 1, 5 do assert.equal(202, ask("POST", "/run", "reason " .. i).status) end
    watching.kill "sigterm"
    watching.wait(30)
    server.stop()
    assert.equal(1, lines(watching, "ended")[1].reports)
  end))

  it("goes on in another file of events after SIGHUP", live.test(function()
    local path = shop.home .. "/events.jsonl"
    start({}, "--config", shop:write("watch.lua",
      ("return { sinks = { { type = 'jsonl', file = %q } } }"):format(path)))
    assert(os.rename(path, path .. ".1"))
    watching.kill "sighup"
    until_true("the other file", function() return uv.fs_stat(path) end)
    assert.equal("done", ask("POST", "/run?wait=60", "memory alert").json.state)
    watching.kill "sigterm"
    watching.wait(30)
    local kinds = {}
    for line in io.lines(path) do kinds[assert(json.decode(line)).event] = true end
    assert.is_true(kinds["run.stop"])
    assert.is_true(kinds["operator.notification_sent"])
  end))

  it("says at the start what is wrong with its address or its token", live.test(function()
    local args = { "watch", "--node", shop.name, "--cookie-file", shop.cookie_file, "--store", ":memory:" }
    local function refused(...)
      local all = { unpack(args) }
      for _, word in ipairs { ... } do all[#all + 1] = word end
      local result = program.run(all, { env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home,
        XDG_STATE_HOME = state } })
      assert.equal(2, result.code)
      return result.stderr
    end
    assert.matches("give it as 127.0.0.1:9464", refused("--listen", "9464"))
    assert.matches("every path wants a token", refused("--listen", "0.0.0.0:0"))
    assert.matches("there is no token file", refused("--listen", "127.0.0.1:0", "--token-file", "/nowhere"))
    assert.matches("nothing listens; give %-%-listen", refused("--token-file", "/nowhere"))
    assert.matches("named twice", refused("--node", shop.name .. "," .. shop.name))
  end))
end)
