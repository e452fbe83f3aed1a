-- Our signatures against those that AWS publishes, and against the signer of its SDK for requests by a seed,
-- with ids of models that have a colon in them: libcurl's are wrong there.
local async = require "runtime.async"
local json = require "runtime.json"
local oracle = require "spec.wire.support.oracle"
local sigv4 = require "runtime.llm.sigv4"

local file = assert(io.open "spec/wire/vectors.json")
local published = json.decode(file:read "*a")
file:close()

local REQUESTS = 400

-- Numerical Recipes' generator: the same requests everywhere.
local function generator(seed)
  return function(n)
    seed = (1664525 * seed + 1013904223) % 2 ^ 32
    return math.floor(seed / 2 ^ 32 * n) + 1
  end
end

local function sorted(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function ours(asked)
  local headers, query = {}, {}
  for _, name in ipairs(sorted(asked.headers)) do headers[#headers + 1] = { name, asked.headers[name] } end
  for _, name in ipairs(sorted(asked.query)) do
    query[#query + 1] = sigv4.encoded(name) .. "=" .. sigv4.encoded(asked.query[name])
  end
  local _, steps = sigv4.sign {
    method = asked.method, path = asked.path, query = table.concat(query, "&"), headers = headers, body = asked.body,
    region = asked.region, service = asked.service, key_id = asked.key_id, secret = asked.secret, token = asked.token,
    time = asked.time,
  }
  return steps.signature
end

local function theirs(list)
  local lines, signatures = {}, {}
  for i, asked in ipairs(list) do lines[i] = json.encode(asked) .. "\n" end
  local said = async.run(function() return oracle.run("sign.mjs", {}, table.concat(lines)) end)
  for signature in said:gmatch "%x+" do signatures[#signatures + 1] = signature end
  return signatures
end

-- A published vector as a request; they are all of one account and time.
local function asked_of(vector)
  local asked = { method = vector.method, path = vector.path, token = vector.token, body = vector.body or "",
    headers = { host = published.host }, query = json.object(vector.query or {}) }
  for _, field in ipairs { "key_id", "secret", "region", "service", "time" } do asked[field] = published[field] end
  for name, value in pairs(vector.headers or {}) do asked.headers[name] = value end
  return asked
end

local MODELS = { "anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-lite-v1:0:24k", "meta.llama3-1-8b",
  "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.some.model-v1:0", "größe 健康", "a+b=c&d~e'(f)*!" }
local REGIONS = { "us-east-1", "eu-central-1", "us-gov-west-1" }
local LETTERS = { "a", "Z", "0", " ", ":", "/", "+", "%", "=", "&", "é", "健", "\"", "\\", "{", "}", "~", "*" }

local function word(random, longest)
  local letters = {}
  for i = 1, random(longest) do letters[i] = LETTERS[random(#LETTERS)] end
  return table.concat(letters)
end

local function random_request(random)
  local asked = {
    method = ({ "GET", "POST", "PUT" })[random(3)], region = REGIONS[random(#REGIONS)],
    path = ("/model/%s/converse-stream"):format(sigv4.encoded(MODELS[random(#MODELS)])),
    service = "bedrock", key_id = "AKID" .. random(1e6), secret = "s/" .. random(1e9) .. "+x",
    token = random(2) == 1 and "token/" .. random(1e9) .. "==" or nil,
    time = ("2026%02d%02dT%02d%02d59Z"):format(random(12), random(28), random(24) - 1, random(60) - 1),
    body = word(random, 80), query = json.object {},
    headers = { host = "bedrock-runtime.example.com", ["content-type"] = "application/json" },
  }
  for _ = 1, random(3) - 1 do asked.query[word(random, 6)] = word(random, 8) end
  for i = 1, random(3) - 1 do asked.headers["X-Own-" .. i] = ("  some   value %d "):format(random(100)) end
  return asked
end

describe("the signature of AWS", function()
  it("is the published one for each vector", function()
    for _, vector in ipairs(published.vectors) do
      assert.equal(vector.signature, ours(asked_of(vector)), vector.name)
    end
  end)

  it("comes out of the SDK's signer for each vector too, so that it may judge the others", function()
    local list, expected = {}, {}
    for i, vector in ipairs(published.vectors) do
      list[i], expected[i] = asked_of(vector), vector.signature
    end
    assert.same(expected, theirs(list))
  end)

  it("is what the SDK's signer says for 400 requests", function()
    local random, list, mine = generator(5), {}, {}
    for i = 1, REQUESTS do
      list[i] = random_request(random)
      mine[i] = ours(list[i])
    end
    assert.same(theirs(list), mine)
  end)
end)
