local listening = require "runtime.door.listening"

local NODE = { pid = "7", name = "shop@web", root = "/app", bindir = "/app/erts-13/bin" }

-- Where it is found, as PORT at ADDRESS, with a + where others reach it too; or why not.
local function at(printed, port)
  local found, why = listening.read(printed, setmetatable({ port = port }, { __index = NODE }))
  return found and ("%d at %s%s"):format(found.port, found.address, found.any and " +" or "") or why
end

describe("where a node listens", function()
  it("is told by its epmd", function()
    assert.equal("35001 at 127.0.0.1 +", at "bl:own=00000000:0FA0|bl:own=00000000:88B9|bl:known=shop 35001|")
  end)

  it("is told by its flags before that", function()
    assert.equal("9100 at 127.0.0.1 +", at("bl:own=00000000:238C|bl:known=shop 35001|", 9100))
  end)

  it("is its only socket where nothing else tells it", function()
    assert.equal("35001 at 127.0.0.1", at "bl:listen=00000000:0FA0|bl:own=0100007F:88B9|")
  end)

  it("is not guessed among several", function()
    assert.equal("its epmd does not tell the node's port there, nor do its flags",
      at "bl:own=00000000:0FA0|bl:own=00000000:88B9|")
  end)

  it("is not that of a node with another name", function()
    assert.equal("its epmd does not tell the node's port there, nor do its flags", at "bl:known=other 35001|")
  end)

  it("may be one address alone", function()
    assert.equal("35001 at 10.0.0.7", at "bl:own=0700000A:88B9|bl:known=shop 35001|")
  end)

  it("is rather loopback than another address", function()
    assert.equal("35001 at 127.0.0.1", at "bl:own=0100007F:88B9|bl:own=0700000A:88B9|bl:known=shop 35001|")
  end)

  it("may be any address of either kind", function()
    assert.equal("35001 at 127.0.0.1 +", at "bl:own=00000000000000000000000000000000:88B9|bl:known=shop 35001|")
  end)

  it("may be the loopback of IPv6", function()
    assert.equal("35001 at 0:0:0:0:0:0:0:1", at "bl:own=00000000000000000000000001000000:88B9|bl:known=shop 35001|")
  end)

  it("may be an IPv4 address that is written as an IPv6 one", function()
    assert.equal("35001 at 10.0.0.7", at "bl:own=0000000000000000FFFF00000700000A:88B9|bl:known=shop 35001|")
  end)

  it("is taken to be loopback where no socket is to be seen", function()
    assert.equal("35001 at 127.0.0.1", at "bl:known=shop 35001|")
  end)

  it("is asked of the epmd that the node uses", function()
    assert.matches("ERL_EPMD_PORT=4370 ", listening.look { pid = "7", bindir = "/b", epmd_port = 4370 }, 1, true)
  end)
end)
