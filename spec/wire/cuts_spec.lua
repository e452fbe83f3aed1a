-- A reply of aimock, cut at every byte there is: in two pieces it is the same reply, and what ends too early
-- is never taken for one.
local async = require "runtime.async"
local aimock = require "spec.wire.support.aimock"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local recorder = require "spec.wire.support.recorder"
local talk = require "spec.wire.support.talk"
local wires = require "spec.wire.support.wires"

local QUESTION = "all at once"
local ONE_TRY = { max_retries = 0 }
local AT_ONCE = 32
local PIECE_MS = 1 -- between two pieces, so that they come as two

-- Many wires speak in one form.
local function one_of_each_form()
  local list, seen = {}, {}
  for _, wire in ipairs(wires.list) do
    local form = wire.form.type
    if not seen[form] then list[#list + 1] = wire end
    seen[form] = true
  end
  return list
end

-- What aimock answers: the reply as it is read whole, and its bytes.
local function record(wire)
  local server = aimock.start(not wire.key)
  local between = recorder.start(server.url, wire.form.for_aimock)
  local reply = assert(talk.ask(wires.provider(wire, between.url, ONE_TRY), QUESTION))
  local exchange = between.exchanges[1]
  between.stop()
  server.stop()
  return talk.plain(reply), exchange.answer, exchange.head:match "[Cc]ontent%-[Tt]ype: ([^\r\n]+)"
end

for _, wire in ipairs(one_of_each_form()) do
  describe("a reply of " .. wire.name, function()
    local server, whole, bytes, ways

    setup(function()
      local kind
      whole, bytes, kind = record(wire)
      -- Which way a request wants stands in front of its path.
      server = http_server.start(setmetatable({}, { __index = function(_, route)
        return function(_, response)
          response:stream { ["content-type"] = kind }
          ways[tonumber(route:match "^POST /(%d+)/")](response)
        end
      end }))
    end)

    teardown(function() server.stop() end)

    -- Asks once for each way of sending, many at a time; the ways whose replies are not as they should be.
    local function wrong_among(sends, is_right)
      local wrong, next_one, workers = {}, 0, {}
      local function work()
        while next_one < #sends do
          next_one = next_one + 1
          local i = next_one
          local reply = talk.ask_here(wires.provider(wire, ("%s/%d"):format(server.url, i), ONE_TRY), QUESTION)
          if not is_right(reply and talk.plain(reply)) then wrong[#wrong + 1] = i end
        end
      end
      for i = 1, AT_ONCE do workers[i] = work end
      ways = sends
      async.run(function() async.all(workers) end)
      return wrong
    end

    local function same(reply) return reply and json.encode(reply) == json.encode(whole) end

    it("is the same wherever its bytes are parted", function()
      local sends = {}
      for at = 1, #bytes - 1 do
        sends[at] = function(response)
          response:write(bytes:sub(1, at))
          response:pause(PIECE_MS)
          response:write(bytes:sub(at + 1))
          response:finish()
        end
      end
      assert.is_true(#sends > 500)
      assert.same({}, wrong_among(sends, same))
    end)

    it("is the same byte for byte", function()
      assert.same({}, wrong_among({ function(response)
        for at = 1, #bytes do
          response:write(bytes:sub(at, at))
          response:pause(PIECE_MS)
        end
        response:finish()
      end }, same))
    end)

    it("is none where it ends before its end was told", function()
      local sends = {}
      for at = 1, #bytes - 1 do
        sends[at] = function(response)
          response:write(bytes:sub(1, at))
          response:finish()
        end
      end
      assert.same({}, wrong_among(sends, function(reply)
        if reply then reply.usage = whole.usage end -- what is told last may be missing
        return not reply or same(reply)
      end))
    end)
  end)
end
