-- What stays behind on a node when relays were on, every callback of every skill has run, and we go:
-- by leaving, by kill -9 of us, by hanging, behind a network that was cut, and when the worker or the
-- janitor of a relay is killed there. Nothing of ours may be left.

local uv = require "luv"
local async = require "runtime.async"
local every = require "spec.support.every_callback"
local live = require "spec.support.live_node"
local node = require "runtime.node.init"
local ours = require "host.files"
local program = require "spec.support.program"
local relay_form = require "runtime.relay_form"
local shop = require "spec.support.shop"

-- As in spec/residue_spec.lua, and what relays touch besides: handlers of telemetry, patterns and
-- flags of traces. Of terms not those that logger keeps to itself: a handler that was removed is one with
-- the value `undefined`, as OTP's own handler `simple` is on every node.
local STATE = [==[
  T = fun(X) -> iolist_to_binary(io_lib:format("~w", [X])) end,
  #{processes => [T({P, I}) || P <- processes(), P =/= self(), {_, I} <- [process_info(P, initial_call)]],
    registered => [T(R) || R <- lists:sort(registered())],
    ports => [T(N) || P <- lists:sort(erlang:ports()), {name, N} <- [erlang:port_info(P, name)]],
    tables => [T({E, ets:info(E, name)}) || E <- lists:sort(ets:all())],
    monitor => T(erlang:system_monitor()),
    wall_time => T(erlang:statistics(scheduler_wall_time)),
    trace => [T(erlang:trace_info(new, flags)), T(erlang:system_info(trace_control_word)),
              T(erlang:trace_info({lists, seq, 2}, all)), T(erlang:trace_info({init, get_status, 0}, all))],
    traced => [T(P) || P <- processes(), {flags, [_ | _]} <- [erlang:trace_info(P, flags)]],
    handlers => [T(H) || H <- lists:sort(logger:get_handler_ids())],
    logger => T(logger:get_primary_config()),
    telemetry => T(lists:sort([I || #{id := I} <- telemetry:list_handlers([])])),
    environment => T(erlang:phash2([application:get_all_env(A) || {A, _, _} <- application:loaded_applications()])),
    terms => [T(K) || {K, _} <- persistent_term:get(), element(1, K) =/= logger_config]}.]==]

-- Atoms have numbers in the order of their birth, so those that came since can be named.
local ATOMS = "erlang:system_info(atom_count)."
local BORN = "[binary_to_term(<<131, 75, N:24>>) || N <- lists:seq(Since, erlang:system_info(atom_count) - 1)]."
local MODULES = "length(erlang:loaded())."

-- Some questions are asked only when something happened on the node. Their words are there once the
-- node saw the text, whenever that is.
local function know_every_word(n)
  for _, s in ipairs(every.skills()) do
    for _, text in pairs(s.queries) do
      assert(n:parse(text))
      assert(n:call("erlang", "phash2", { n.forms[text] }))
    end
  end
end

-- A repo that the telemetry relay finds; nobody asks it anything.
local REPO = [[
  telemetry:start(),
  register('Elixir.Spec.Repo', spawn(fun() -> receive stop -> ok end end)),
  application:load({application, spec, [{vsn, "1"}, {modules, []}, {registered, []}, {applications, []},
    {env, [{ecto_repos, ['Elixir.Spec.Repo']}, {'Elixir.Spec.Repo', [{telemetry_prefix, [spec, repo]}]}]}]}).]]

-- Relays that want to know what they shall look at.
local STARTED_WITH = { trace = { Module = "lists", Func = "seq", Arity = 2 } }

-- In the program itself, as a script of a user: attaches, runs everything, switches every relay on, and
-- keeps them on until it is told to go. What it tells and is told are files.
local SCRIPT = [==[
local async, node = require "runtime.async", require "runtime.node.init"
local relay_form = require "runtime.relay_form"
local name, folder, root, lease = ...

local function tell(word) io.open(folder .. "/" .. word, "w"):close() end
local function told(word)
  local file = io.open(folder .. "/" .. word)
  return file and file:close()
end
local function until_told(word) while not told(word) do async.sleep(0.02) end end

package.preload["spec.support.every_callback"] = assert(loadfile(root .. "/spec/support/every_callback.lua"))
local every = require "spec.support.every_callback"
local n = assert(node.connect { name = name, relays = { lease_s = tonumber(lease) } })
local skills, failed, answered = every.skills(), {}, 0
tell "attached"
until_told "go"
local each = {}
for i, s in ipairs(skills) do
  each[i] = function()
    for _, row in ipairs(every.run(skills, n, s)) do
      if row.result ~= nil then answered = answered + 1 end
      if row.err then failed[#failed + 1] = tostring(row.err) end
    end
  end
end
for _, result in ipairs(async.all(each)) do assert(result.ok, result.err) end
-- They run beside each other, so what one saw may be gone when the next looks at it.
assert(#failed * 10 < answered, table.concat(failed, "\n"))
local events = n.relays:seen_by { name = "spec", relays = relay_form.names() }
local with = { trace = { Module = "lists", Func = "seq", Arity = 2 } }
local function all_on()
  local on = 0
  for _, relay in ipairs(relay_form.names()) do
    local one = n.relays.by_name[relay]
    if not (one and one.placed) then events.start(relay, with[relay]) end
    if n.relays.by_name[relay].placed then on = on + 1 end
  end
  return on == #relay_form.names()
end
while not told "leave" do
  if all_on() then tell "on" end
  async.sleep(0.05)
end
n:leave()
]==]

describe("nothing of ours is left on a node", function()
  local at

  setup(function()
    at = live.start()
    async.run(function()
      shop.load(at, "telemetry_handler_table.erl")
      shop.load(at, "telemetry.erl")
      at.eval(REPO)
      at.eval(STATE) -- what the specs' own looks load comes first
      at.eval(ATOMS)
      at.eval(MODULES)
      at.eval(BORN, { Since = at.eval(ATOMS) })
    end)
  end)
  teardown(live.stop_all)

  local function state() return at.eval(STATE) end

  local function until_true(what, seconds)
    local patience = async.now() + (seconds or 60)
    while not what() do
      assert(async.now() < patience, "waited in vain")
      async.sleep(0.02)
    end
  end

  local function lines_of(looked)
    local lines = {}
    for key, value in pairs(looked) do
      for _, item in ipairs(type(value) == "table" and value or { value }) do
        local line = key .. " " .. tostring(item)
        lines[line] = (lines[line] or 0) + 1
      end
    end
    return lines
  end

  -- What is there now and was not, and the other way round; nothing is all that is wanted.
  local function difference(before, after)
    local was, is, list = lines_of(before), lines_of(after), {}
    for line, count in pairs(is) do
      if count > (was[line] or 0) then list[#list + 1] = "+ " .. line end
    end
    for line, count in pairs(was) do
      if count > (is[line] or 0) then list[#list + 1] = "- " .. line end
    end
    table.sort(list)
    return table.concat(list, "\n")
  end

  -- Signals and closed connections need a moment.
  local function comes_back_to(before)
    local patience = async.now() + 20
    while difference(before, state()) ~= "" and async.now() < patience do async.sleep(0.05) end
    assert.equal("", difference(before, state()))
  end

  local started = 0

  local function child(lease)
    started = started + 1
    local folder = ("%s/child%d"):format(at.home, started)
    assert(uv.fs_mkdir(folder, tonumber("700", 8)))
    local path = folder .. "/script.lua"
    local file = assert(io.open(path, "w"))
    file:write(SCRIPT)
    file:close()
    uv.fs_chmod(path, tonumber("600", 8))
    local running = program.start({ path, at.name, folder, ours.root, tostring(lease) },
      { env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home } })
    function running.tell(word) assert(io.open(folder .. "/" .. word, "w")):close() end
    function running.until_told(word)
      uv.fs_unlink(folder .. "/" .. word)
      until_true(function() return uv.fs_stat(folder .. "/" .. word) end, 120)
    end
    return running
  end

  -- Handlers of the log, once there is a system monitor.
  local function all_on()
    return at.eval "case erlang:system_monitor() of undefined -> 0; _ -> length(logger:get_handler_ids()) end."
  end

  describe("by the program", function()
    local before, handlers, atoms, modules

    it("after every callback, with all relays on, when it leaves", live.test(function()
      know_every_word(at.node)
      -- A line of the node's own log loads this, whenever it comes; that our texts load nothing, loads_spec holds.
      at.eval [[length(io_lib:format("~p ~tp", [{x, #{y => [1]}}, "z"])).]]
      before, handlers = state(), #at.eval "logger:get_handler_ids()."
      local running = child(15)
      running.tell "go"
      running.until_told "on"
      assert.equal(handlers + 1, all_on())
      running.tell "leave"
      local code = running.wait()
      assert.equal(0, code, running.stdout() .. running.stderr())
      comes_back_to(before)
      atoms, modules = at.eval(ATOMS), at.eval(MODULES)
    end))

    -- The same again adds no atom and loads no module, so what the first added was no name of ours.
    it("when it hangs, and when it is killed", live.test(function()
      local running = child(1)
      running.until_told "attached"
      local attached = state()
      running.tell "go"
      running.until_told "on"

      running.kill "sigstop"
      comes_back_to(attached)

      running.kill "sigcont"
      running.until_told "on" -- which may be what it thought before it heard that its leases were over
      running.until_told "on"
      until_true(function() return all_on() == handlers + 1 end)
      running.kill "sigkill"
      local _, signal = running.wait()
      assert.equal(9, signal)
      comes_back_to(before)
      assert.same({}, at.eval(BORN, { Since = atoms }))
      assert.equal(modules, at.eval(MODULES))
    end))
  end)

  describe("by a relay", function()
    local n

    before_each(live.test(function()
      n = assert(node.connect { name = at.name, cookie_file = at.cookie_file, relays = { lease_s = 1 } })
    end))
    after_each(live.test(function() n:leave() end))

    local function start(relay)
      local events = n.relays:seen_by { name = "spec", relays = { relay } }
      local on, why = events.start(relay, STARTED_WITH[relay])
      assert.is_true(on, why and (why.unavailable or why))
      return n.relays.by_name[relay].placed
    end

    local function killed(who)
      return live.test(function()
        for _, relay in ipairs(relay_form.names()) do
          local before = state()
          local placed = start(relay)
          assert.are_not.equal("", difference(before, state()))
          at.eval("exit(P, kill).", { P = placed[who] })
          comes_back_to(before)
        end
      end)
    end

    it("whose worker is killed", killed "worker")

    it("whose janitor is killed", killed "janitor")

    it("whose worker and janitor are killed, but a handler without credit", live.test(function()
      for _, relay in ipairs { "monitor", "trace" } do
        local before = state()
        local placed = start(relay)
        at.eval("exit(P, kill), exit(R, kill).", { P = placed.worker, R = placed.janitor })
        local after = state()
        -- What is left of a trace is a breakpoint and a control word that nobody's flag makes use of.
        at.eval "erlang:trace_pattern({lists, seq, 2}, false, [local]), erlang:system_flag(trace_control_word, 0)."
        assert.same({ before.monitor, before.traced, #before.processes },
          { after.monitor, after.traced, #after.processes })
      end
    end))
  end)

  -- A cable that was pulled: neither side hears that the other is gone.
  it("behind a network that was cut", live.test(function()
    local port = at.eval [=[
      [N] = [N || P <- erlang:ports(), {name, "tcp_inet"} <- [erlang:port_info(P, name)],
                  {ok, N} <- [inet:port(P)], {error, enotconn} <- [inet:peername(P)]], N.]=]
    local cut, sockets, server = false, {}, uv.new_tcp()
    server:bind("127.0.0.1", 0)
    server:listen(8, function()
      local near, far = uv.new_tcp(), uv.new_tcp()
      sockets[1], sockets[2] = near, far
      server:accept(near)
      far:connect("127.0.0.1", port, function()
        local function pass(from, to)
          from:read_start(function(_, chunk)
            if chunk and not cut then to:write(chunk) end
          end)
        end
        pass(near, far)
        pass(far, near)
      end)
    end)
    local n = assert(node.connect { name = at.name, cookie_file = at.cookie_file, relays = { lease_s = 1 },
      port = server:getsockname().port })
    local attached = state()
    local events = n.relays:seen_by { name = "spec", relays = relay_form.names() }
    for _, relay in ipairs(relay_form.names()) do assert.is_true(events.start(relay, STARTED_WITH[relay])) end
    cut = true
    comes_back_to(attached)
    n:close()
    server:close()
    for _, socket in ipairs(sockets) do socket:close() end
  end))
end)
