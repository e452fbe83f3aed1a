local uv = require "luv"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local node = require "runtime.node.init"
local played = require "spec.support.played_node"

local function file_with(text, mode)
  local path = os.tmpname()
  local file = io.open(path, "w")
  file:write(text)
  file:close()
  uv.fs_chmod(path, mode)
  return path
end

-- What a failed attach says, with the stage it names and the exit code it leads to.
local function refusal(o)
  local n, err = node.connect(o)
  assert.is_nil(n)
  assert.equal("string", type(err.next))
  return err
end

local function with_environment(values, body)
  local before = {}
  for name, value in pairs(values) do
    before[name] = os.getenv(name) or false
    if value then uv.os_setenv(name, value) else uv.os_unsetenv(name) end
  end
  local ok, err = pcall(body)
  for name, value in pairs(before) do
    if value then uv.os_setenv(name, value) else uv.os_unsetenv(name) end
  end
  if not ok then error(err, 0) end
end

describe("node.connect", function()
  local at, cookie, other_port

  setup(function()
    at = live.start()
    cookie = assert(io.open(at.cookie_file)):read "*a"
    other_port = played.listen()
  end)
  teardown(function()
    other_port.close()
    at.stop()
  end)

  -- epmd's port is this process's environment, and other live nodes may have changed it.
  before_each(function() uv.os_setenv("ERL_EPMD_PORT", tostring(at.epmd_port)) end)

  local function soon() return async.now() + 0.3 end

  it("attaches hidden, under a name that the node gives", live.test(function()
    local n = assert(node.connect { name = at.name, cookie_file = at.cookie_file })
    assert.same({}, at.eval "nodes().")
    local ours = n.query("node(P).", { P = n.calls.us })
    assert.is_true(at.eval("lists:member(N, nodes(hidden)).", { N = ours }))
    n:close()
  end))

  it("attaches to a node with a short name", live.test(function()
    local short = live.start { name = "bl_short@localhost", short = true }
    assert.equal("bl_short@localhost", tostring(short.node:call("erlang", "node", {})))
    short.stop()
  end))

  it("says that it was broken off when its task is cancelled", live.test(function()
    local err
    local task = async.spawn(function()
      err = select(2, node.connect { name = at.name, cookie = cookie, port = other_port.port })
    end)
    async.sleep(0.05)
    task:cancel "interrupted"
    assert.matches("was broken off: interrupted", err.message)
  end))

  it("says that a peer that closes at once may be too old", live.test(function()
    local closing = played.listen(function(socket) socket:close() end)
    local err = refusal { name = at.name, cookie = cookie, port = closing.port }
    assert.matches("closed the connection after our name", err.message)
    assert.matches("older than OTP 23", err.next)
    closing.close()
  end))

  it("takes the cookie from BEAMLENS_COOKIE", live.test(function()
    with_environment({ BEAMLENS_COOKIE = cookie }, function()
      local n = assert(node.connect { name = at.name })
      n:close()
    end)
  end))

  it("takes the cookie from ~/.erlang.cookie, and else from XDG_CONFIG_HOME", live.test(function()
    with_environment({ HOME = at.home, BEAMLENS_COOKIE = false }, function()
      assert(node.connect { name = at.name }):close()
    end)
    local config = os.tmpname()
    os.remove(config)
    uv.fs_mkdir(config, 448)
    uv.fs_mkdir(config .. "/erlang", 448)
    os.rename(file_with(cookie, 256), config .. "/erlang/.erlang.cookie")
    with_environment({ HOME = config, XDG_CONFIG_HOME = config, BEAMLENS_COOKIE = false }, function()
      assert(node.connect { name = at.name }):close()
    end)
    os.remove(config .. "/erlang/.erlang.cookie")
    uv.fs_rmdir(config .. "/erlang")
    uv.fs_rmdir(config)
  end))

  it("takes a port in place of epmd", live.test(function()
    local epmd = require "runtime.node.epmd"
    local port = assert(epmd.port("127.0.0.1", "bl_spec", async.now() + 5))
    with_environment({ ERL_EPMD_PORT = "1" }, function()
      assert(node.connect { name = at.name, cookie_file = at.cookie_file, port = port }):close()
    end)
  end))

  it("says wrong cookie, and does not say the cookie", live.test(function()
    local path = file_with("NOT_THE_COOKIE", 256)
    local err = refusal { name = at.name, cookie_file = path }
    assert.equal("cookie", err.stage)
    assert.equal(3, err.exit)
    assert.equal("wrong cookie for " .. at.name, err.message)
    assert.matches("--cookie-file", err.next, 1, true)
    assert.is_nil(tostring(err):find("NOT_THE_COOKIE", 1, true))
    os.remove(path)
  end))

  it("names a cookie file that is not there", live.test(function()
    local err = refusal { name = at.name, cookie_file = "/nowhere/cookie" }
    assert.equal("cookie", err.stage)
    assert.equal("no cookie file /nowhere/cookie", err.message)
  end))

  it("says where it looked when there is no cookie at all", live.test(function()
    with_environment({ HOME = "/nowhere", XDG_CONFIG_HOME = "/nowhere/x", BEAMLENS_COOKIE = false }, function()
      local err = refusal { name = at.name }
      assert.matches("/nowhere/.erlang.cookie nor /nowhere/x/erlang/.erlang.cookie", err.message, 1, true)
      assert.equal(3, err.exit)
    end)
  end))

  it("refuses a cookie file that others may write", live.test(function()
    local path = file_with(cookie, 438)
    local err = refusal { name = at.name, cookie_file = path }
    assert.equal(("cookie file %s may be written by others"):format(path), err.message)
    assert.equal("chmod 400 " .. path, err.next)
    os.remove(path)
  end))

  it("refuses an empty cookie file", live.test(function()
    local path = file_with("\n", 256)
    assert.matches("is empty", refusal({ name = at.name, cookie_file = path }).message)
    os.remove(path)
  end))

  it("asks for a node when none is given, and for a host when it lacks one", live.test(function()
    local err = refusal {}
    assert.equal("usage", err.stage)
    assert.equal(2, err.exit)
    assert.matches("--node", err.next, 1, true)
    err = refusal { name = "shop" }
    assert.equal("'shop' is no node name", err.message)
    assert.equal(2, err.exit)
  end))

  it("lists the names that epmd knows when the name is not among them", live.test(function()
    local err = refusal { name = "zz@127.0.0.1", cookie = cookie }
    assert.equal("epmd", err.stage)
    assert.equal(3, err.exit)
    assert.equal("no node named zz in epmd on 127.0.0.1:" .. at.epmd_port, err.message)
    assert.equal("it knows bl_spec", err.next)
  end))

  it("says that there is no epmd", live.test(function()
    with_environment({ ERL_EPMD_PORT = "1" }, function()
      local err = refusal { name = at.name, cookie = cookie }
      assert.equal("epmd", err.stage)
      assert.equal("no epmd on 127.0.0.1:1", err.message)
    end)
  end))

  it("says that the host was not found", live.test(function()
    local err = refusal { name = "shop@no-such-host.invalid", cookie = cookie }
    assert.equal("connect", err.stage)
    assert.equal("host no-such-host.invalid not found", err.message)
    assert.equal(3, err.exit)
  end))

  it("says that nothing listens on the port it was given", live.test(function()
    local err = refusal { name = at.name, cookie = cookie, port = 1 }
    assert.equal("connect", err.stage)
    assert.matches("cannot connect to 127.0.0.1:1: ECONNREFUSED", err.message, 1, true)
  end))

  it("does not ask another port than the one it was told, where that is none", live.test(function()
    for _, port in ipairs { "abc", "0", "65536", "-1", "1.5", "0x10", "99999999999999999999" } do
      with_environment({ ERL_EPMD_PORT = port }, function()
        local err = refusal { name = at.name, cookie = cookie }
        assert.same({ "ERL_EPMD_PORT is no port: " .. port, 2 }, { err.message, err.exit })
      end)
    end
  end))

  it("gives up on a mute host at its deadline, in epmd", live.test(function()
    with_environment({ ERL_EPMD_PORT = tostring(other_port.port) }, function()
      local err = refusal { name = at.name, cookie = cookie, deadline = soon() }
      assert.equal("epmd", err.stage)
      assert.matches("^timeout after %d+ ms in epmd", err.message)
    end)
  end))

  it("gives up on a mute host at its deadline, in the handshake", live.test(function()
    local err = refusal { name = at.name, cookie = cookie, port = other_port.port, deadline = soon() }
    assert.equal("handshake", err.stage)
    assert.matches("^timeout after %d+ ms in handshake", err.message)
  end))

  it("gives up on a node that is frozen", live.test(function()
    at:freeze()
    local n, err = node.connect { name = at.name, cookie = cookie, deadline = soon() }
    at:thaw()
    assert.is_nil(n)
    assert.matches("^timeout after %d+ ms in handshake", err.message)
  end))

  it("says what the node calls itself when the host part differs", live.test(function()
    local err = refusal { name = "bl_spec@localhost", cookie = cookie }
    assert.equal("handshake", err.stage)
    assert.equal("peer calls itself bl_spec@127.0.0.1, not bl_spec@localhost: it runs with -name", err.message)
    assert.equal("pass --node bl_spec@127.0.0.1", err.next)
  end))

  it("says that what listens there is no epmd", live.test(function()
    local web = played.listen(function(socket) socket:write "HTTP/1.1 400 Bad Request\r\n\r\n" end)
    with_environment({ ERL_EPMD_PORT = tostring(web.port) }, function()
      assert.matches("is no epmd$", refusal({ name = at.name, cookie = cookie }).message)
    end)
    web.close()
  end))

  it("says that what listens there is no node", live.test(function()
    local web = played.listen(function(socket) socket:write "HTTP/1.1 400 Bad Request\r\n\r\n" end)
    local err = refusal { name = at.name, cookie = cookie, port = web.port }
    assert.equal("handshake", err.stage)
    assert.matches("does not speak the protocol of Erlang nodes", err.message, 1, true)
    web.close()
  end))

  it("says that a peer is too old", live.test(function()
    local old = played.node { name = "shop@127.0.0.1", cookie = cookie, old = true }
    local err = refusal { name = "shop@127.0.0.1", cookie = cookie, port = old.port }
    assert.equal("handshake", err.stage)
    assert.matches("^peer too old", err.message)
    assert.equal("OTP 23 or newer is needed", err.next)
    old.close()
  end))

  it("says that a node takes TLS connections only", live.test(function()
    local made = at.eval([[
      Key = [{key, {rsa, 2048, 3}}],
      #{server_config := C} = public_key:pkix_test_data(#{
        server_chain => #{root => Key, intermediates => [], peer => Key},
        client_chain => #{root => [], intermediates => [], peer => []}}),
      {T, K} = proplists:get_value(key, C),
      Entries = [{'Certificate', proplists:get_value(cert, C), not_encrypted}, {T, K, not_encrypted}],
      file:write_file(F, public_key:pem_encode(Entries)).]],
      { F = at.home .. "/tls.pem" })
    assert.equal("ok", tostring(made))
    local tls = live.start {
      attach = false,
      args = { "-proto_dist", "inet_tls", "-ssl_dist_opt", "server_certfile", at.home .. "/tls.pem" },
    }
    local err = refusal { name = tls.name, cookie = cookie }
    assert.equal("handshake", err.stage)
    assert.equal(tls.name .. " takes TLS connections only (-proto_dist inet_tls)", err.message)
    tls.stop()
  end))

  for what, given in pairs { ["with bytes that are no text"] = "1\255@localhost", ["without a host"] = "shop",
    ["that is no name but a length"] = ("x"):rep(300) .. "@localhost" } do
    it("takes no name from its peer " .. what, live.test(function()
      local liar = played.node { name = "shop@127.0.0.1", cookie = cookie, given = given }
      local err = refusal { name = "shop@127.0.0.1", cookie = cookie, port = liar.port }
      assert.equal("handshake", err.stage)
      assert.matches("does not speak the protocol of Erlang nodes", err.message, 1, true)
      liar.close()
    end))
  end

  it("does not take a peer that only pretends to know the cookie", live.test(function()
    local liar = played.node { name = "shop@127.0.0.1", cookie = "guessed" }
    local err = refusal { name = "shop@127.0.0.1", cookie = cookie, port = liar.port }
    assert.equal("cookie", err.stage)
    assert.matches("has another cookie than we", err.message, 1, true)
    liar.close()
  end))
end)

describe("attaching, calling and detaching", function()
  -- All that a visitor could leave behind. The query's own process is not counted.
  local STATE = [[
    #{processes => length(processes()) - 1, ports => length(erlang:ports()), ets => length(ets:all()),
      nodes => nodes(connected), registered => length(registered()),
      wall_time => erlang:statistics(scheduler_wall_time), sweep => erlang:system_info(fullsweep_after),
      monitor => erlang:system_monitor(), profile => erlang:system_profile(),
      trace => erlang:trace_info(new, flags), traced => erlang:trace_info(on_load, all),
      handlers => logger:get_handler_ids(), level => maps:get(level, logger:get_primary_config())}.]]

  it("leaves the node as it was, and the second time adds no atom", live.test(function()
    local at = live.start()
    local function state()
      local found = at.eval(STATE)
      return require("runtime.json").encode(found)
    end
    local function visit()
      local n = assert(node.connect { name = at.name, cookie_file = at.cookie_file })
      assert(n.query("X = lists:seq(1, N), io:format(\"~p~n\", [X]), length(X).", { N = 10 }))
      assert(n:call("erlang", "memory", {}))
      n.query("timer:sleep(10000).", {}, { timeout = 0.05 })
      n.query "no_such_module:at_all()."
      n:close()
    end
    visit()
    at.eval "timer:sleep(50)."
    local before, atoms = state(), at.eval "erlang:system_info(atom_count)."
    visit()
    at.eval "timer:sleep(50)."
    assert.equal(before, state())
    assert.equal(atoms, at.eval "erlang:system_info(atom_count).")
    at.stop()
  end))

  it("tells in footprint what it made the node load", live.test(function()
    local at = live.start()
    local n = assert(node.connect { name = at.name, cookie_file = at.cookie_file })
    local first = assert(n:footprint())
    assert.equal(0, first.relays)
    at.eval "{module, erl_tar} = code:load_file(erl_tar)."
    local second = assert(n:footprint())
    assert.is_true(second.modules_loaded > first.modules_loaded)
    assert.is_true(second.atoms > first.atoms)
    n:close()
    at.stop()
  end))

  it("attaches to a node that says nothing, and has no footprint to tell then", live.test(function()
    local peer = played.node { name = "shop@127.0.0.1", cookie = "c" }
    local n = assert(node.connect { name = "shop@127.0.0.1", cookie = "c", port = peer.port,
      deadline = async.now() + 0.3 })
    local footprint, err = n:footprint()
    assert.is_nil(footprint)
    assert.matches("footprint cannot be read", tostring(err))
    n:close()
    peer.close()
  end))
end)
