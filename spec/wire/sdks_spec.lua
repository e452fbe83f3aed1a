-- The official SDKs sent after us: given our own body they send the same one to the same place, and read the
-- same answer out of what comes back. An SDK that writes by a schema leaves out what it does not know.
local async = require "runtime.async"
local aimock = require "spec.wire.support.aimock"
local json = require "runtime.json"
local oracle = require "spec.wire.support.oracle"
local recorder = require "spec.wire.support.recorder"
local talk = require "spec.wire.support.talk"
local wires = require "spec.wire.support.wires"

-- Which of their headers are ours too. Anthropic's SDK sends its key as a bearer now, and a later version of the
-- API; both ways are taken, and what we send is the same in both versions. A signature has a spec of its own.
local HEADERS = {
  anthropic = { "content-type" },
  openai = { "content-type", "authorization" },
  ["azure-openai"] = { "content-type", "api-key" },
  ["google-ai"] = { "content-type", "x-goog-api-key" },
  ["vertex-ai"] = { "content-type", "authorization" },
  ["aws-bedrock"] = { "content-type" },
}

local function named(calls)
  local list = {}
  for i, call in ipairs(calls) do list[i] = { name = call.name, args = call.args } end
  return list
end

for _, wire in ipairs(wires.list) do
  if HEADERS[wire.name] then
    describe("the official SDK of " .. wire.name, function()
      local server, between, ours, theirs

      setup(function()
        server = aimock.start(not wire.key)
        between = recorder.start(server.url, wire.form.for_aimock)
        local messages = { { role = "user", text = "all at once" } }
        local reply = assert(talk.ask(wires.provider(wire, between.url), messages))
        messages[2], messages[3] = talk.said(reply), talk.results(reply)
        messages[4] = { role = "user", text = "Once more, all at once." }
        ours = assert(talk.ask(wires.provider(wire, between.url), messages))
        local body = between.exchanges[#between.exchanges].request.body
        theirs = json.decode(async.run(function()
          return oracle.run("ask.mjs", { wire.name, between.url, aimock.key }, body)
        end))
      end)

      teardown(function()
        between.stop()
        server.stop()
      end)

      local function sent(which) return between.exchanges[#between.exchanges - which].request end

      it("sends what we send", function()
        assert.same(json.decode(sent(1).body), json.decode(sent(0).body))
      end)

      it("sends it where we send it", function()
        assert.same({ sent(1).method, sent(1).path }, { sent(0).method, sent(0).path })
      end)

      it("names the key and the kind as we name them", function()
        for _, name in ipairs(HEADERS[wire.name]) do
          assert.is_string(sent(0).headers[name])
          assert.equal(sent(0).headers[name], sent(1).headers[name], name)
        end
      end)

      if wire.name == "aws-bedrock" then
        it("signs as we sign what goes over the wire", function()
          local request = sent(1)
          local list, mine = request.headers.authorization:match "SignedHeaders=([^,]+), Signature=(%x+)"
          local headers = {}
          for name in list:gmatch "[^;]+" do headers[name] = request.headers[name] end
          assert.is_string(headers.host)
          assert.equal(wire.env.AWS_SESSION_TOKEN, headers["x-amz-security-token"])
          headers["x-amz-date"], headers["x-amz-security-token"] = nil, nil -- it adds them
          local asked = { method = "POST", path = request.path, headers = headers, body = request.body,
            region = "eu-central-1", service = "bedrock", time = request.headers["x-amz-date"],
            key_id = wire.env.AWS_ACCESS_KEY_ID, secret = wire.env.AWS_SECRET_ACCESS_KEY,
            token = wire.env.AWS_SESSION_TOKEN }
          local said = async.run(function() return oracle.run("sign.mjs", {}, json.encode(asked) .. "\n") end)
          assert.equal(mine .. "\n", said)
        end)
      end

      it("reads what we read", function()
        assert.same({ text = ours.text, calls = named(ours.calls) }, theirs)
      end)
    end)
  end
end
