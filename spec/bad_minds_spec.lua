-- The whole program against a live node, with models that are no good and providers on a bad day:
-- each run ends with an answer, a sentence and the right exit code.

local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local minds = require "spec.support.played_minds"
local played_run = require "spec.support.played_run"

local play, short, begin, finish = played_run.play, played_run.short, played_run.begin, played_run.finish

describe("a mind", function()
  setup(played_run.start)

  teardown(live.stop_all)

  describe("that is no good", function()
    it("talks and looks at nothing: cannot tell", live.test(function()
      local run = short(minds.talker)
      assert.same({ 4, "cannot_tell" }, { run.code, run.report.verdict })
      assert.matches("^the model ended without a look; it said: %S", run.report.would_tell[1])
    end))

    it("has operators that only talk: cannot tell", live.test(function()
      local run = short(function(talk)
        return (talk.who == "coordinator" and minds.good or minds.talker)(talk)
      end)
      assert.same({ 4, "cannot_tell" }, { run.code, run.report.verdict })
      assert.matches("no snapshot of beam was taken", run.report.would_tell[1])
    end))

    it("invents tools, is told the real ones, and is given up", live.test(function()
      local run = short(minds.inventor)
      assert.same({ 6, "cannot_tell", "provider" }, { run.code, run.report.verdict, run.report.incomplete })
      assert.matches("the model gave nothing usable 4 times in a row", run.report.would_tell[1])
      assert.matches("the tools are done, get_notifications", run.server.talks[2].results[1].data.error)
    end))

    it("slips in every way once, is told, and finds it all the same", live.test(function()
      local run = short(minds.slipping)
      assert.equal(1, run.code, run.stdout .. run.stderr)
      assert.equal("orders_inbox", run.report.insights[1].root_cause.object)
      local told = played_run.of(run.server, "coordinator")[4].results
      assert.matches('there is no tool "look_around"', told[1].data.error)
      assert.matches('the arguments of wait are no JSON object: {"ms": 10', told[2].data.error)
      assert.matches("wait: ms must be a whole number, not a text", told[3].data.error)
    end))

    for wire, may in pairs { anthropic = { type = "none" }, openai = false } do
      it(("never ends: the last step has no choice of tools, over the wire of %s"):format(wire), live.test(function()
        local run = play(wire, minds.thinker, { args = { "--skills", "beam", "--json" } })
        local report = json.decode(run.stdout)
        assert.same({ 4, "cannot_tell", "iterations" }, { run.code, report.verdict, report.incomplete })
        local last = run.server.talks[#run.server.talks]
        assert.same(may, json.decode(last.request.body).tool_choice or false)
        assert.matches("This was the last step", last.outside[#last.outside])
      end))
    end

    it("claims what is not there: no finding, and the report says so", live.test(function()
      local run = short(minds.liar)
      assert.same({ 4, "cannot_tell", {} }, { run.code, run.report.verdict, run.report.insights })
      assert.matches("no figure bears it out", table.concat(run.report.would_tell, "\n"))
    end))

    local MEGABYTES = ("words "):rep(400000)

    -- Once, and works well otherwise: what it did then is told, and never sent again.
    for what, calls in pairs {
      ["says two megabytes"] = false,
      ["calls with two megabytes of arguments"] = { { "think", { thought = MEGABYTES } } },
    } do
      it(what .. ": it finds it all the same, and is not sent that again", live.test(function()
        local run = short(function(talk)
          if talk.who ~= "coordinator" then return minds.good(talk) end
          if talk.turn == 1 then return { text = MEGABYTES, calls = calls or { { "get_notifications", {} } } } end
          local rest = {}
          for _, result in ipairs(talk.results) do
            if result.name ~= "think" and result.name ~= "get_notifications" or talk.turn > 4 then
              rest[#rest + 1] = result
            end
          end
          return minds.good { who = talk.who, system = talk.system, results = rest, turn = talk.turn }
        end)
        assert.equal(1, run.code, run.stderr)
        for _, talk in ipairs(run.server.talks) do
          assert.is_true(#talk.request.body < 300000, ("%d bytes"):format(#talk.request.body))
        end
      end))
    end

    -- The first answer of the coordinator, spoilt.
    local function spoilt(spoil)
      return function(_, response, answer, talk)
        if talk.who ~= "coordinator" or talk.turn > 1 then return end
        response:stream()
        response:write((spoil(answer)))
        response:finish()
        return true
      end
    end

    it("is cut for its length in a call: that call is not run, and it is told", live.test(function()
      local run = short(minds.good, spoilt(function(answer)
        return answer:gsub('"stop_reason":"tool_use"', '"stop_reason":"max_tokens"')
      end))
      local told = played_run.of(run.server, "coordinator")[2].results[1]
      assert.equal("your answer was cut for its length in this call, so invoke_operators was not run; say it shorter",
        told.data.error)
      assert.same({ 4, "cannot_tell" }, { run.code, run.report.verdict }) -- the played one does not call it again
    end))

    it("writes bytes that are no text: it finds it all the same", live.test(function()
      local run = short(minds.good, spoilt(function(answer) return answer:gsub("All at once", "All \255\254 once") end))
      assert.equal(1, run.code, run.stdout .. run.stderr)
    end))

    local function answers(text, headers)
      return function(_, response)
        response:send(200, text, headers or { ["content-type"] = "text/event-stream" })
        return true
      end
    end

    for what, bad in pairs {
      ["a web page"] = answers("<html>Welcome to the proxy</html>", { ["content-type"] = "text/html" }),
      ["half a JSON object"] = answers('{"type":"message","content":[', { ["content-type"] = "application/json" }),
      ["events that are no JSON"] = answers "event: message_start\ndata: {{{\n\n",
      ["an empty answer"] = answers "",
      ["a call without name and id"] = answers(http_server.sse {
        { type = "content_block_start", index = 0, content_block = { type = "tool_use" } },
        { type = "content_block_stop", index = 0 },
        { type = "message_delta", delta = { stop_reason = "tool_use" } },
        { type = "message_stop" },
      }),
      ["blocks of the wrong kind"] = answers(http_server.sse {
        { type = "content_block_start", index = 0, content_block = 7 },
        { type = "content_block_stop", index = 0 },
        { type = "message_stop" },
      }),
    } do
      it(("sends %s: the provider failed"):format(what), live.test(function()
        local run = short(minds.good, bad)
        assert.same({ 6, "provider" }, { run.code, run.report.incomplete }, run.stdout .. run.stderr)
      end))
    end
  end)

  describe("on a bad day", function()
    local function refuses(status, kind, headers)
      return function(_, response)
        response:send(status, { type = "error", error = { type = kind, message = "no: " .. played_run.key } }, headers)
        return true
      end
    end

    local function first(bad)
      return function(n, ...) return n == 1 and bad(n, ...) end
    end

    it("refuses the key: one sentence, and the report says what is missing", live.test(function()
      local run = play("anthropic", minds.good, { bad = refuses(401, "authentication_error") })
      assert.equal(6, run.code)
      assert.equal(1, #run.server.talks)
      local sentence = "anthropic refused the key %(HTTP 401, authentication_error, no: <key>%); "
        .. "check ANTHROPIC_API_KEY"
      assert.matches("\ncoordinator: " .. sentence .. "\n$", run.stderr)
      assert.matches("^CANNOT TELL  bl_spec@127.0.0.1  what would tell stands below\nincomplete: the model failed\n",
        run.stdout)
      assert.matches(sentence, (run.stdout:gsub("%s+", " ")))
    end))

    for what, bad in pairs {
      ["asks to slow down"] = first(refuses(429, "rate_limit_error", { ["retry-after"] = "1" })),
      ["has a fault of its own"] = first(refuses(500, "api_error")),
      ["is overloaded"] = first(refuses(529, "overloaded_error")),
      ["is overloaded in the middle of an answer"] = first(function(_, response, answer)
        response:stream()
        response:write(answer:sub(1, 300))
        response:write("\n\n" .. http_server.sse {
          { type = "error", error = { type = "overloaded_error", message = "later" } },
        })
        response:finish()
        return true
      end),
      ["is cut off in the middle of an answer"] = function(n, response, answer)
        if n % 2 == 0 then return end -- each answer but the second try
        response:stream()
        response:write(answer:sub(1, #answer / 2))
        response:cut()
        return true
      end,
    } do
      it(("%s: it is asked again"):format(what), live.test(function()
        local run = short(minds.good, bad)
        assert.same({ 1, json.null }, { run.code, run.report.incomplete }, run.stderr)
        assert.is_true(run.report.usage.calls < #run.server.talks)
      end))
    end

    it("says why it takes so long", live.test(function()
      local run = short(minds.good, first(refuses(429, "rate_limit_error", { ["retry-after-ms"] = "100" })))
      assert.matches("\nanthropic asks us to slow down %(HTTP 429, [^\n]*%); asking again in 0.1 s\n", run.stderr)
    end))

    it("stays overloaded: the provider failed", live.test(function()
      local run = short(minds.good, refuses(529, "overloaded_error"))
      assert.same({ 6, "provider", 4 }, { run.code, run.report.incomplete, #run.server.talks })
      assert.matches("anthropic is overloaded", run.report.would_tell[1])
    end))

    it("fails its operators only: what they had found is told", live.test(function()
      local run = short(minds.good, function(n, response, _, talk)
        return talk.who == "beam" and talk.turn == 4 and refuses(403, "permission_error")(n, response)
      end)
      assert.same({ 1, "provider" }, { run.code, run.report.incomplete })
      assert.equal("orders_inbox", run.report.insights[1].root_cause.object)
    end))

    it("says nothing: the deadline gives an answer", live.test(function()
      local run = short(minds.good, function() return true end, { "--deadline", "2" })
      assert.same({ 4, "cannot_tell", "deadline" }, { run.code, run.report.verdict, run.report.incomplete })
    end))

    it("goes silent in the middle of an answer: the deadline gives one", live.test(function()
      local run = short(minds.good, function(n, response, answer)
        if n < 3 then return end
        response:stream()
        response:write(answer:sub(1, 100))
        return true
      end, { "--deadline", "2" })
      assert.same({ 4, "cannot_tell", "deadline" }, { run.code, run.report.verdict, run.report.incomplete })
    end))

    -- An answer that never ends by itself, to one agent.
    local function endless(who, begun)
      return function(_, response, answer, talk)
        if talk.who ~= who then return end
        response:stream()
        response:write(answer:sub(1, 300))
        begun()
        while not response.socket:is_closing() do
          response:write(http_server.sse { { type = "ping" } })
          response:pause(20)
        end
        return true
      end
    end

    for _, who in ipairs { "coordinator", "beam" } do
      it(("is interrupted while it answers %s: the report is printed"):format(who), live.test(function()
        local running, server
        running, server = begin("anthropic", minds.good, { args = { "--json" }, bad = endless(who, function()
          running.kill "sigint"
        end) })
        local run = finish(running, server)
        assert.equal(130, run.code, run.stderr)
        local report = json.decode(run.stdout)
        assert.same({ "cannot_tell", "interrupted" }, { report.verdict, report.incomplete })
      end))
    end

    it("is interrupted while it is given time", live.test(function()
      local running, server
      running, server = begin("anthropic", minds.good, { args = { "--json" }, bad = function(_, response)
        refuses(429, "rate_limit_error", { ["retry-after"] = "60" })(_, response)
        response:pause(50)
        running.kill "sigint"
        return true
      end })
      local run = finish(running, server)
      assert.same({ 130, "interrupted" }, { run.code, json.decode(run.stdout).incomplete })
      assert.equal(1, #server.talks)
    end))
  end)
end)
