-- Servers that were told a key and say it back: what a person, a log and a file of runs get of that.
local clients = require "spec.support.wire_clients"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local llm = require "runtime.llm"
local wire_replies = require "spec.support.wire_replies"

local KEY = "zz.Plain.Word.Of.Mine.0123456789abc" -- of no form that anybody knows
local SPLIT = (KEY:gsub("%.", ".\226\128\139"))

-- Ways to say it, each in every field.
local WAYS = { KEY, "x_" .. KEY, SPLIT, KEY:upper(), KEY:sub(1, 20), (KEY:gsub("%.", "\n")) }

-- As a reader would look for it: letters and digits alone.
local function tells(text)
  local plain, key = text:lower():gsub("%W", ""), KEY:lower():gsub("%W", "")
  for at = 1, #key - 11 do
    if plain:find(key:sub(at, at + 11), 1, true) then return true end
  end
  return false
end

for _, kind in ipairs(clients.names()) do
  describe("a refusal of " .. kind, function()
    local server, respond, provider

    setup(function()
      server = http_server.start { ["POST " .. clients.kinds[kind].path] = function(_, response) respond(response) end }
    end)

    teardown(function() server.stop() end)

    before_each(function()
      local form = clients.form(kind, server.url)
      form.retry_policy = { max_retries = 1, first_ms = 1, longest_ms = 1 }
      if not next(clients.kinds[kind].env) then form.options.api_key_env = "SOME" end
      provider = assert(llm.choose({ client_registry = { primary = "C", clients = { form } } }, function(name)
        local usual = clients.kinds[kind].env[name] or name == "SOME" and clients.key
        return usual and (usual == clients.key and KEY or usual) or nil
      end)).operator {}
    end)

    local function ask()
      local heard = {}
      local reply, err = clients.ask(provider, { system = "s", messages = { { role = "user", text = "x" } },
        emit = function(_, _, meta) heard[#heard + 1] = meta.reason end })
      assert.is_nil(reply)
      heard[#heard + 1] = err.message
      heard[#heard + 1] = err.type
      heard[#heard + 1] = err.request_id
      return table.concat(heard, " | "), err
    end

    local function error_with(word)
      return { type = word, status = word, code = word, message = "no such key: " .. word }
    end

    it("holds no key, whatever word of it says one", function()
      for _, way in ipairs(WAYS) do
        for _, status in ipairs { 400, 401, 429, 529 } do
          respond = function(response)
            response:send(status, { error = error_with(way) }, { ["content-type"] = "application/json",
              ["request-id"] = way:gsub("\n", ""), ["x-amzn-errortype"] = way:gsub("\n", "") })
          end
          assert.is_false(tells((ask())))
        end
      end
    end)

    it("holds none either where the stream had begun", function()
      for _, way in ipairs(WAYS) do
        respond = function(response)
          local bytes = http_server.sse { { type = "error", error = error_with(way) } }
          if clients.kinds[kind].wire == "bedrock" then
            bytes = wire_replies.aws_message({ [":message-type"] = "exception", [":exception-type"] = way },
              json.encode { message = "no such key: " .. way })
            response:stream { ["content-type"] = "application/vnd.amazon.eventstream" }
          else
            response:stream()
          end
          response:write(bytes)
          response:finish()
        end
        assert.is_false(tells((ask())))
      end
    end)

    it("keeps their own word for it, where it is one", function()
      respond = function(response)
        response:send(400, { error = { type = "invalid_request_error", message = "look: no" } },
          { ["request-id"] = "req_011CSHoEeqs5C35K2" })
      end
      local _, err = ask()
      assert.same({ "invalid_request_error", "req_011CSHoEeqs5C35K2" }, { err.type, err.request_id })
      assert.matches("^C refused the request %(HTTP 400, invalid_request_error, look: no%); ", err.message)
      respond = function(response) response:send(400, { error = { type = "two words", message = "no" } }) end
      assert.matches("^C refused the request %(HTTP 400, no%); ", (select(2, ask()).message))
    end)
  end)
end

describe("a refusal after a key was renewed", function()
  it("holds neither the new nor the old one", function()
    local path, known = os.tmpname(), {}
    local function write(key)
      local file = assert(io.open(path, "w"))
      file:write(key)
      file:close()
    end
    write(KEY)
    assert(require "luv".fs_chmod(path, 384))
    local server = http_server.start { ["POST /v1/messages"] = function(request, response)
      known[#known + 1] = request.headers["x-api-key"]
      response:send(401, { error = { type = "authentication_error", message = table.concat(known, " and ") } })
    end }
    local form = clients.form("anthropic", server.url)
    form.options.api_key_file = path
    local provider = clients.mind({ form }, "C").operator {}
    local request = { system = "s", messages = { { role = "user", text = "x" } } }
    local _, first = clients.ask(provider, request)
    write "Another-One-Of-Mine-987654"
    local _, second = clients.ask(provider, request)
    server.stop()
    os.remove(path)
    assert.same({ "HTTP 401, authentication_error, <key>", "HTTP 401, authentication_error, <key> and <key>" },
      { first.message:match "%((.*)%)", second.message:match "%((.*)%)" })
    assert.same({ KEY, "Another-One-Of-Mine-987654" }, known)
  end)
end)
