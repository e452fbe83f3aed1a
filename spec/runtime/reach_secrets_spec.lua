-- What a skill sends in the place of a password that it never has.

local uv = require "luv"
local async = require "runtime.async"
local far_skill = require "spec.support.far_skill"
local http_server = require "spec.support.http_server"
local played = require "spec.support.played_node"
local privacy = require "runtime.privacy"
local reach = require "runtime.reach"
local reach_tcp = require "runtime.reach_tcp"
local skill = require "runtime.skill"
local telemetry = require "runtime.telemetry"

local function in_task(fn) return function() async.run(fn) end end

describe("a secret that a skill sends", function()
  local NAME, VALUE = "SPEC_FAR_PASSWORD", "s3same-0pen"
  local peer, heard
  before_each(function()
    heard = {}
    uv.os_setenv(NAME, VALUE)
    peer = played.listen(function(socket, chunk)
      heard[#heard + 1] = chunk
      socket:write "ok\r\n"
    end)
  end)
  after_each(function()
    peer.close()
    uv.os_unsetenv(NAME)
  end)

  local ASKS = [[
    local c, why = node.tcp.open("127.0.0.1", args.port)
    if not c then return nil, why end
    local ok, err = c.send("AUTH " .. node.secret "SPEC_FAR_PASSWORD" .. args.url .. "\r\n")
    if not ok then return nil, err end
    return c.read_line()]]

  local function sent(hosts, more)
    return far_skill.look(ASKS, { hosts = hosts, port = peer.port, url = more })
  end

  local function here() return { ("127.0.0.1:%d SPEC_FAR_PASSWORD"):format(peer.port) } end

  it("is put in by us, for the host that the config names it with", in_task(function()
    assert.equal("ok", sent { ("127.0.0.1:%d OTHER SPEC_FAR_PASSWORD"):format(peer.port) })
    assert.equal("AUTH s3same-0pen\r\n", table.concat(heard))
  end))

  it("is not put in where somebody else names it: only the skill's own text can", in_task(function()
    assert.equal("ok", sent(here(), " ${SPEC_FAR_PASSWORD} <<SPEC_FAR_PASSWORD 0123456789abcdef0123456789abcdef>>"))
    assert.equal("AUTH s3same-0pen ${SPEC_FAR_PASSWORD} <<SPEC_FAR_PASSWORD 0123456789abcdef0123456789abcdef>>\r\n",
      table.concat(heard))
  end))

  it("is not put in for what stood for it in an earlier call", in_task(function()
    local mark = far_skill.look('return { node.secret "SPEC_FAR_PASSWORD" }', { hosts = here() })[1]
    assert.matches("SPEC_FAR_PASSWORD", mark)
    assert.equal("ok", sent(here(), mark))
    assert.equal(("AUTH s3same-0pen%s\r\n"):format(mark), table.concat(heard))
  end))

  it("is put in where the skill asked for it, not for another name beside its mark", in_task(function()
    uv.os_setenv("SPEC_NEAR_PASSWORD", "0ther-w0rds")
    local hosts = { here()[1] .. " SPEC_NEAR_PASSWORD" }
    local answer = far_skill.look([[
      local c = assert(node.tcp.open("127.0.0.1", args.port))
      assert(c.send((node.secret "SPEC_FAR_PASSWORD":gsub("FAR", "NEAR")) .. "\r\n"))
      return c.read_line()]], { hosts = hosts, port = peer.port })
    uv.os_unsetenv "SPEC_NEAR_PASSWORD"
    assert.equal("ok", answer)
    assert.is_nil(table.concat(heard):find("0ther", 1, true))
  end))

  it("goes by TCP to this machine alone, for nothing is encrypted there", in_task(function()
    local connect = reach_tcp.open
    finally(function() reach_tcp.open = connect end)
    reach_tcp.open = function(_, ...) return connect("127.0.0.1", ...) end
    local _, err = far_skill.look(ASKS:gsub('"127.0.0.1"', '"192.0.2.2"'),
      { hosts = { ("192.0.2.2:%d SPEC_FAR_PASSWORD"):format(peer.port) }, port = peer.port })
    assert.equal(("the secret SPEC_FAR_PASSWORD would go unencrypted to 192.0.2.2:%d; lead a tunnel there (ssh -L, "
      .. "stunnel) and name its end on 127.0.0.1"):format(peer.port), tostring(err))
    assert.same({}, heard)
  end))

  it("is a name in capitals", in_task(function()
    local _, err = far_skill.look('return node.secret "s3same-0pen"', { hosts = {} })
    assert.equal('far_look: node.secret wants the name of a secret; for example node.secret "REDIS_PASSWORD"',
      tostring(err))
  end))

  it("is one that can be hidden: seven signs are refused before anything is reached", function()
    uv.os_setenv(NAME, "1234567")
    local hosts, err = reach.hosts(here())
    assert.is_nil(hosts)
    assert.equal("the secret SPEC_FAR_PASSWORD has less than 8 signs, so nothing could hide it in an answer; choose a "
      .. "longer one", tostring(err))
    uv.os_setenv(NAME, "12345678")
    assert.is_table(reach.hosts(here()))
  end)

  for _, named in ipairs { "", " SPEC_OTHER_PASSWORD" } do
    it(("goes nowhere else%s"):format(named == "" and "" or ", not where another one may go"), in_task(function()
      local _, err = sent { "127.0.0.1:" .. peer.port .. named, "127.0.0.1:1 SPEC_FAR_PASSWORD" }
      assert.equal(("the secret SPEC_FAR_PASSWORD may not be sent to 127.0.0.1:%d; if you want that, write hosts = "
        .. '{ "127.0.0.1:%d SPEC_FAR_PASSWORD" } in the config'):format(peer.port, peer.port), tostring(err))
      assert.same({}, heard)
    end))
  end

  it("is missed by its name", in_task(function()
    uv.os_unsetenv(NAME)
    local _, err = sent { ("127.0.0.1:%d SPEC_FAR_PASSWORD"):format(peer.port) }
    assert.equal("the secret SPEC_FAR_PASSWORD is not there; set SPEC_FAR_PASSWORD, or SPEC_FAR_PASSWORD_FILE to a "
      .. "file of mode 0600 that holds it", tostring(err))
  end))

  it("stands in headers, too, and not on a way that others can read", in_task(function()
    local server = http_server.start { ["GET /"] = function(request, response)
      response:send(200, request.headers.authorization)
    end }
    local body = [[
      return node.http.get(args.url, { headers = { Authorization = "Bearer " .. node.secret "SPEC_FAR_PASSWORD" } })]]
    local where = server.url:match "//(.*)"
    local answer = far_skill.look(body, { hosts = { where .. " SPEC_FAR_PASSWORD" }, url = server.url .. "/" })
    server.stop()
    assert.equal("Bearer s3same-0pen", answer.body)
    local _, err = far_skill.look(body, { hosts = { "example.org:80 SPEC_FAR_PASSWORD" }, url = "http://example.org/" })
    assert.equal("the request would send the key unencrypted to example.org; use https://", tostring(err))
  end))

  it("stands in no address and in no body, where it would be written down", in_task(function()
    for _, call in ipairs { 'get("http://127.0.0.1/?key=" .. mark)', 'post("http://127.0.0.1/", "key=" .. mark)' } do
      local _, err = far_skill.look('local mark = node.secret "SPEC_FAR_PASSWORD" return node.http.' .. call,
        { hosts = { "127.0.0.1:80 SPEC_FAR_PASSWORD" }, class = "CAUTION" })
      assert.equal("far_look: a secret stands in an address or a body; send it in a header", tostring(err))
    end
  end))

  it("is hidden in whatever comes back", function()
    local node, mask = {}, privacy.new()
    reach.attach(node, assert(reach.hosts { "127.0.0.1:1 SPEC_FAR_PASSWORD" }))
    node.reach.conceal(mask)
    assert.is_nil(mask:clean("ERR unknown command 's3same-0pen'"):find(VALUE, 1, true))
  end)

  it("is hidden in what comes back when it was renewed, or named, in the meantime", in_task(function()
    local now, node, mask = {}, { sleep = async.sleep }, privacy.new()
    reach.attach(node, assert(reach.hosts(now)), function() return now end)
    node.reach.conceal(mask)
    now = here()
    telemetry.emit("reload.config", {}, { applied = { "hosts" } })
    local s = assert(far_skill.load(ASKS))
    for _, value in ipairs { VALUE, "an0ther-w0rd" } do
      uv.os_setenv(NAME, value)
      assert.equal("ok", skill.call(s, "far_look", { "", peer.port }, node))
      assert.is_nil(mask:clean("ERR unknown command '" .. value .. "'"):find(value, 1, true))
    end
  end))

  it("never stands in the config itself", function()
    local _, err = reach.hosts { "127.0.0.1:6379 s3same" }
    assert.equal('hosts: behind 127.0.0.1:6379 stands no name of a secret; write it like "127.0.0.1:6379 '
      .. 'REDIS_PASSWORD", and never the secret itself', tostring(err))
  end)
end)
