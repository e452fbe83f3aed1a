--- From SIGTERM to the end of a watch on its worst day: a run goes on with a model that streams without an end, a
--- webhook never answers, clients hang in their requests, and the node stands still.

local async = require "runtime.async"
local client = require "spec.support.http_client"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local program = require "spec.support.program"

local ROUNDS, LONGEST_S = 5, 2
local TOKEN = "a-token-of-sixteen-or-more"

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  os.execute(("chmod 600 '%s'"):format(path))
  return path
end

local function bad_servers()
  return http_server.start {
    ["POST /never"] = function() end,
    ["POST /v1/messages"] = function(_, response)
      response:stream()
      while not response.socket:is_closing() do
        response:write 'event: ping\ndata: {"type":"ping"}\n\n'
        response:pause(20)
      end
    end,
  }
end

local function listening(watching)
  while true do
    for line in watching.stdout():gmatch "[^\n]+\n" do
      local told = json.decode(line)
      if told.event == "service.listening" then return tonumber(told.url:match ":(%d+)$") end
    end
    async.sleep(0.02)
  end
end

local function seconds_to_end(shop, server, config, token_file)
  local before = #server.requests
  local watching = program.start({ "watch", "--node", shop.name, "--cookie-file", shop.cookie_file, "--config", config,
    "--json", "--store", ":memory:", "--listen", "127.0.0.1:0", "--token-file", token_file, "--provider", "anthropic" },
    { env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home, ANTHROPIC_API_KEY = "sk-test-0123456789",
      ANTHROPIC_BASE_URL = server.url } })
  local port, clients = listening(watching), {}
  while not watching.stdout():find '"anomaly.started"' do async.sleep(0.02) end
  client.ask(port, "POST", "/run", { body = "memory alert", headers = { Authorization = "Bearer " .. TOKEN } })
  for i = 1, 20 do
    clients[i] = client.connect(port)
    clients[i]:write "POST /run HTTP/1.1\r\n"
  end
  while #server.requests < before + 2 do async.sleep(0.02) end -- the webhook and the model
  shop:freeze()
  local started = async.now()
  watching.kill "sigterm"
  watching.wait(30)
  local took = async.now() - started
  shop:thaw()
  for _, c in ipairs(clients) do c:close() end
  return took
end

return async.run(function()
  local shop, server = live.start {}, bad_servers()
  local config = write(shop.home .. "/watch.lua",
    ("return { sinks = { { type = 'webhook', url = '%s/never', events = { '*' } } } }"):format(server.url))
  local token_file, times = write(shop.home .. "/token", TOKEN), {}
  for i = 1, ROUNDS do times[i] = seconds_to_end(shop, server, config, token_file) end
  server.stop()
  live.stop_all()
  local median = measure.median(times)
  return { {
    name = "SIGTERM to the end of a watch on its worst day", ours = ("%.2f s"):format(median),
    peer = ("%d s are promised"):format(LONGEST_S), ratio = median / LONGEST_S, target = "<= 1",
  } }
end)
