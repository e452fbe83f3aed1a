-- The published example of AWS (20150830T123600Z, us-east-1, "service"), and what only our paths have.
local sigv4 = require "runtime.llm.sigv4"

local function sign(more)
  local r = { method = "GET", path = "/", query = "", body = "", region = "us-east-1", service = "service",
    headers = { { "host", "example.amazonaws.com" } }, key_id = "AKIDEXAMPLE",
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", time = "20150830T123600Z" }
  for key, value in pairs(more or {}) do r[key] = value end
  return sigv4.sign(r)
end

local function signature(more) return select(2, sign(more)).signature end

describe("sigv4", function()
  it("signs as the published vectors have it", function()
    assert.equal("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", signature())
    assert.equal("b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
      signature { query = "Param2=value2&Param1=value1" })
    assert.equal("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", signature { method = "POST" })
  end)

  it("names key, scope and signed headers beside the signature", function()
    assert.same({ { "x-amz-date", "20150830T123600Z" }, { "authorization", "AWS4-HMAC-SHA256 "
      .. "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, "
      .. "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" } }, (sign()))
  end)

  it("signs the token of a session, and sends it", function()
    local added, steps = sign { token = "session" }
    assert.same({ "x-amz-security-token", "session" }, added[2])
    assert.is_truthy(steps.canonical:find("\nx-amz-security-token:session\n", 1, true))
  end)

  it("encodes a path once more than the wire has it", function()
    local path = "/model/" .. sigv4.encoded "vendor.model-v1:0" .. "/converse-stream"
    assert.equal("/model/vendor.model-v1%3A0/converse-stream", path)
    local _, steps = sign { path = path }
    assert.equal("/model/vendor.model-v1%253A0/converse-stream", (steps.canonical:match "\n([^\n]*)"))
  end)

  it("orders and trims headers, and joins those of one name", function()
    local _, steps = sign { headers = { { "Zeta", "  a   b " }, { "host", "h" }, { "Alpha", "2" }, { "alpha", "1" } } }
    assert.is_truthy(steps.canonical:find("\nalpha:2,1\nhost:h\nx-amz-date:20150830T123600Z\nzeta:a b\n\n", 1, true))
  end)

  it("takes the time of now", function()
    assert.matches("^%d%d%d%d%d%d%d%dT%d%d%d%d%d%dZ$", sign({ time = false })[1][2])
    assert.equal("20010909T014640Z", sign({ time = 1000000000 })[1][2])
  end)
end)
