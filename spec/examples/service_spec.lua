-- What a user copies to run a watch as a service says what the program takes.

local config = require "runtime.config"
local root = require("host.files").root

local function read(name)
  local file = assert(io.open(("%s/examples/%s"):format(root, name)))
  local text = file:read "*a"
  file:close()
  return text
end

describe("the service of examples/", function()
  it("is started with a command line that watch takes", function()
    local line = read("beamlens-run.service"):gsub("\\\n", ""):match "ExecStart=%S+ ([^\n]*)"
    local words = {}
    for word in line:gmatch "%S+" do words[#words + 1] = word end
    local parsed = assert(config.parse(words))
    assert.same({ "watch" }, parsed.words)
    assert.is_nil(config.stray(parsed.options, "watch"))
    assert.equal("127.0.0.1:9464", parsed.options.listen)
    assert.equal(parsed.options.token_file:match "[^/]*$", "token")
  end)

  it("is what the receiver of Alertmanager asks, with the same token", function()
    local unit, receiver = read "beamlens-run.service", read "alertmanager.yml"
    assert.equal("http://" .. unit:match "%-%-listen (%S+)" .. "/run", receiver:match "url: (%S+)")
    assert.equal(unit:match "LoadCredential=token:(%S+)", receiver:match "credentials_file: (%S+)")
  end)
end)
