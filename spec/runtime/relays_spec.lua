local uv = require "luv"
local async = require "runtime.async"
local etf = require "host.etf"
local failure = require "runtime.failure"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local node = require "runtime.node.init"
local program = require "spec.support.program"
local relay_form = require "runtime.relay_form"

-- What it changes on the node nobody but its Off takes back: a word in kernel's environment. It passes on
-- what it is sent as {give, X}; Answer says what On does.
local PROBE = [==[
local variables = ...
return {
  name = "NAME", about = "passes on what it is sent", class = "CLASS", keep = KEEP, per_second = 20,
  variables = { Answer = ANSWER, Beats = 0 },
  text = [=[
    State = 0, Every = Beats,
    On = fun(R) ->
      case Answer of
        X when X =:= 0; X =:= 3 -> case application:get_env(kernel, 'NAME') of
               undefined -> application:set_env(kernel, 'NAME', R), ok;
               _ -> {taken, "somebody has it"} end;
        1 -> {missing, "this node has no NAME"};
        2 -> application:set_env(kernel, 'NAME', R), error(cannot)
      end end,
    Off = fun(R) -> case application:get_env(kernel, 'NAME') of
      {ok, R} -> application:unset_env(kernel, 'NAME'), receive after 20 * Answer -> ok end; _ -> ok end end,
    Take = fun({give, X}, S) -> {event, {S, X}, S + 1};
              ({drop, N}, S) -> {drop, N, S};
              (enough, S) -> {stop, "it had enough", S};
              (_, S) -> {none, S} end,
    Beat = fun(S) ->
      if Answer =:= 3 -> application:set_env(kernel, 'NAME', self()); true -> ok end, S + 1000 end,
  ]=],
  read = function(payload)
    if payload[2] == "late" then return { number = payload[1], unix_us = 1e15 } end
    return { number = payload[1], what = payload[2] }
  end,
}
]==]

local function write_probe(folder, name, o)
  local text = PROBE:gsub("NAME", name):gsub("CLASS", o.class or "SAFE"):gsub("KEEP", o.keep or 1000)
    :gsub("ANSWER", o.answer or 0)
  local file = assert(io.open(("%s/beamlens/skills/relays/%s.lua"):format(folder, name), "w"))
  file:write(text)
  file:close()
end

describe("a relay", function()
  local at, folder

  setup(function()
    at = live.start()
    folder = at.home .. "/config"
    for _, path in ipairs { "", "/beamlens", "/beamlens/skills", "/beamlens/skills/relays" } do
      uv.fs_mkdir(folder .. path, tonumber("700", 8))
    end
    uv.os_setenv("XDG_CONFIG_HOME", folder)
    write_probe(folder, "probe", {})
    write_probe(folder, "short", { keep = 5 })
    write_probe(folder, "missing", { answer = 1 })
    write_probe(folder, "broken", { answer = 2 })
    write_probe(folder, "asked", { class = "CAUTION" })
  end)
  teardown(function()
    uv.os_unsetenv "XDG_CONFIG_HOME"
    live.stop_all()
  end)

  local n, events

  local function connect(relays)
    return assert(node.connect { name = at.name, cookie_file = at.cookie_file, relays = relays })
  end

  local function attached(body, relays)
    return live.test(function()
      n = connect(relays)
      events = n.uses.events { name = "spec", relays = { "probe", "short", "missing", "broken", "asked", "none" } }
      body()
    end)
  end

  after_each(live.test(function() n:leave() end))

  local function until_true(what)
    local patience = async.now() + 20
    while not what() do
      assert(async.now() < patience, "waited in vain")
      async.sleep(0.01)
    end
  end

  -- By a connection that stands all the while.
  local function placed(name) return n.relays.by_name[name].placed end
  local function send(name, text) at.eval("R ! " .. text .. ", ok.", { R = placed(name).worker }) end
  local function alive(pid) return at.eval("erlang:is_process_alive(P).", { P = pid }) end
  local function set(name) return at.eval(("application:get_env(kernel, '%s') =/= undefined."):format(name)) end
  local function processes() return at.eval "lists:sort([P || P <- processes(), P =/= self()])." end
  local function marked()
    return at.eval "[P || P <- processes(), {_, [{'$beamlens', relay}]} <- [process_info(P, dictionary)]]."
  end
  local function set_of(list)
    local held = {}
    for _, item in ipairs(list) do held[tostring(item)] = true end
    return held
  end
  local function node_log() return assert(io.open(at.home .. "/node.log")):read "*a" end

  local function heard_of(name, count)
    until_true(function() return events.of(name, 1).total >= count end)
    return events.of(name, 1)
  end

  it("starts when it is asked for, and brings what its worker passes on, the oldest first", attached(function()
    assert.same({}, events.of("probe", 1).events)
    send("probe", "{give, 1}")
    send("probe", "{give, 2}")
    local result = heard_of("probe", 2)
    assert.same({ { 0, 1 }, { 1, 2 } },
      { { result.events[1].number, result.events[1].what }, { result.events[2].number, result.events[2].what } })
  end))

  it("tells when an event was by the node's clock", attached(function()
    events.of("probe", 1)
    local before = at.eval "erlang:system_time(millisecond)."
    send("probe", "{give, 1}")
    local seen = heard_of("probe", 1).events[1].datetime
    local after = at.eval "erlang:system_time(millisecond)."
    local told = at.eval("calendar:rfc3339_to_system_time(binary_to_list(T), [{unit, millisecond}]).", { T = seen })
    assert.is_true(before <= told and told <= after, seen)
  end))

  it("lets an event say better when it was", attached(function()
    events.of("probe", 1)
    send("probe", '{give, <<"late">>}')
    assert.equal("2001-09-09T01:46:40.000Z", heard_of("probe", 1).events[1].datetime)
  end))

  it("waits until it listened as long as it was asked to", attached(function()
    local result = events.of("probe", 1, 0.3)
    assert.is_true(result.listened_seconds >= 0.3, result.listened_seconds)
  end))

  it("is one for all that name it, also when they ask at the same time", attached(function()
    local other = n.uses.events { name = "other", relays = { "probe" } }
    local answers = async.all {
      function() return events.of("probe", 1).total end,
      function() return other.of("probe", 1).total end,
      function() return events.of("probe", 1).total end,
    }
    assert.same({ 0, 0, 0 }, { answers[1].value, answers[2].value, answers[3].value })
    assert.same({ 2, 1 }, { #marked(), n:footprint().relays })
  end))

  it("is marked on the node, so that skills tell it from the node's own processes", attached(function()
    events.of("probe", 1)
    assert.same({ [tostring(placed("probe").worker)] = true, [tostring(placed("probe").janitor)] = true },
      set_of(marked()))
  end))

  it("is not for a skill that does not name it", attached(function()
    local other = n.uses.events { name = "other", relays = { "short" } }
    assert.has_error(function() other.of("probe", 1) end, { skill = "other", undeclared_relay = "probe" })
  end))

  it("does a beat in its time", attached(function()
    assert.is_true(events.start("probe", { Beats = 5 }))
    until_true(function()
      send("probe", "{give, 1}")
      local list = heard_of("probe", 1).events
      return list[#list].number >= 1000
    end)
  end))

  it("is off, and the node as before, when stop returns", attached(function()
    local before = processes()
    events.of("probe", 1)
    assert.is_true(set "probe")
    events.stop "probe"
    assert.same(before, processes())
    assert.is_false(set "probe")
  end))

  it("is off for good where its worker does in each beat what is undone", attached(function()
    events.start("asked", { Answer = 3, Beats = 5 })
    events.stop "asked"
    assert.is_false(set "asked")
  end))

  it("is off, and the node as before, when we have left", live.test(function()
    n = connect()
    events = n.uses.events { name = "spec", relays = { "probe", "short" } }
    local before = processes()
    events.of("probe", 1)
    events.of("short", 1)
    n:leave()
    assert.same({ false, false }, { set "probe", set "short" })
    until_true(function() return #processes() < #before end) -- the connection's own goes a moment later
  end))

  it("says when somebody has what it needs, changes nothing of that, and leaves nothing", attached(function()
    local before = processes()
    at.eval "application:set_env(kernel, probe, somebody)."
    local result = events.of("probe", 1)
    local still = at.eval "application:get_env(kernel, probe)."
    at.eval "application:unset_env(kernel, probe)."
    assert.same({ unavailable = "somebody has it" }, result)
    assert.equal("somebody", tostring(still[2]))
    assert.same(before, processes())
    assert.equal(0, n:footprint().relays)
  end))

  it("is asked for again when the node said no", attached(function()
    at.eval "application:set_env(kernel, probe, somebody)."
    events.of("probe", 1)
    at.eval "application:unset_env(kernel, probe)."
    assert.same({}, events.of("probe", 1).events)
  end))

  it("says what the node lacks", attached(function()
    assert.same({ unavailable = "this node has no missing" }, events.of("missing", 1))
  end))

  it("says when there is no such relay", attached(function()
    assert.matches("there is no skills/relays/none.lua", events.of("none", 1).unavailable, 1, true)
  end))

  it("takes back what it did before it failed to start, and the node's log does not hear of it", attached(function()
    local before, log = processes(), node_log()
    local result = events.of("broken", 1)
    assert.equal("the relay broken cannot be switched on: cannot", result.unavailable)
    assert.is_false(set "broken")
    assert.same(before, processes())
    assert.equal(log, node_log())
  end))

  describe("that ends on the node", function()
    local function ends(name, how)
      events.of(name, 1)
      local one = placed(name)
      local log = node_log()
      how(one)
      until_true(function() return events.of(name, 1).ended end)
      until_true(function() return not alive(one.worker) and not alive(one.janitor) end)
      assert.is_false(set(name))
      assert.equal(log, node_log())
      return events.of(name, 1).ended
    end

    it("is undone when its worker is killed", attached(function()
      assert.equal("its worker was killed on the node",
        ends("probe", function(one) at.eval("exit(P, kill).", { P = one.worker }) end))
    end))

    it("is undone when its janitor is killed", attached(function()
      assert.equal("its janitor was killed on the node",
        ends("probe", function(one) at.eval("exit(P, kill).", { P = one.janitor }) end))
    end))

    it("is undone when its worker is sent more than its heap may hold", attached(function()
      assert.equal("its worker was killed on the node",
        ends("probe", function(one) at.eval("P ! lists:seq(1, 5000000), ok.", { P = one.worker }) end))
    end))

    it("is undone when the relay itself says that it is over", attached(function()
      assert.equal("it had enough", ends("probe", function() send("probe", "enough") end))
    end))

    it("is undone when a message makes it fail", attached(function()
      assert.equal("an error of its own: badarith", ends("probe", function() send("probe", "{drop, nothing}") end))
    end))

    it("is undone when more come than it can look at, and those are counted", attached(function()
      local why = ends("probe", function(one)
        at.eval("erlang:suspend_process(P), [P ! {give, X} || X <- lists:seq(1, 2000)], erlang:resume_process(P).",
          { P = one.worker })
      end)
      assert.equal("more events than it could look at", why)
      assert.equal(2000, events.of("probe", 1).total)
    end))

    it("is not started again at once", attached(function()
      ends("probe", function() send("probe", "enough") end)
      events.of("probe", 1)
      assert.equal(1, n:footprint().relays)
    end))

    it("brings what came before", attached(function()
      ends("probe", function()
        send("probe", "{give, 1}")
        send("probe", "enough")
      end)
      assert.equal(1, #events.of("probe", 1).events)
    end))
  end)

  it("passes on so many in a second, and counts the others", attached(function()
    events.of("probe", 1)
    at.eval("[R ! {give, X} || X <- lists:seq(1, 100)].", { R = placed("probe").worker })
    local result = heard_of("probe", 100)
    assert.equal(100, result.total)
    assert.equal(100, #result.events + result.dropped)
    assert.is_true(result.dropped >= 60, result.dropped) -- the second may end once among them
  end))

  it("counts what it was told to count as dropped", attached(function()
    events.of("probe", 1)
    send("probe", "{drop, 7}")
    local result = heard_of("probe", 7)
    assert.same({ 7, 7 }, { result.total, result.dropped })
  end))

  it("keeps the newest, and counts the others in the total", attached(function()
    events.of("short", 1)
    for i = 1, 8 do send("short", ("{give, %d}"):format(i)) end
    local result = heard_of("short", 8)
    assert.equal(8, result.total)
    assert.equal(5, #result.events)
    assert.equal(4, result.events[1].what)
  end))

  it("takes no harm from messages of any shape", attached(function()
    events.of("probe", 1)
    local box = next(n.calls.mailboxes)
    at.eval([=[
      [P ! X || X <- [nothing, 1, {}, {event}, {event, x, y}, {event, 1, {}}, {event, -1, {1, 1}},
        {event, 1.0e300, {2, 2}}, {dropped, -5}, {dropped, x}, {dropped}, #{}, [],
        {other, 1}, {ended}, <<1:8>>]].]=], { P = box })
    send("probe", "{give, last}")
    until_true(function()
      local list = events.of("probe", 1).events
      return #list > 0 and tostring(list[#list].what) == "last"
    end)
    local result = events.of("probe", 1)
    assert.equal(0, result.dropped)
    assert.is_nil(result.ended)
  end))

  it("counts an event that is too large as dropped", attached(function()
    events.of("probe", 1)
    send("probe", "{give, binary:copy(<<1>>, 20000)}")
    send("probe", "{give, binary:copy(<<1>>, 20000000)}")
    heard_of("probe", 2) -- while a large one is on its way the node would drop the next
    send("probe", "{give, 1}")
    local result = heard_of("probe", 3)
    assert.same({ 3, 2, 1 }, { result.total, result.dropped, #result.events })
  end))

  describe("and its lease", function()
    it("is renewed while we live", attached(function()
      local result = events.of("probe", 1, 1)
      assert.is_nil(result.ended)
      assert.equal(1, n.relays.started)
    end, { lease_s = 0.3 }))

    -- A hang of this very process: its loop does nothing at all.
    local function hang(seconds)
      local over = uv.hrtime() + seconds * 1e9
      while uv.hrtime() < over do end
    end

    it("ends when we hang, and the node is as before", attached(function()
      events.of("probe", 1)
      local one = placed "probe"
      hang(1)
      until_true(function() return not alive(one.janitor) and not alive(one.worker) end)
      assert.is_false(set "probe")
    end, { lease_s = 0.3 }))

    it("is over from when it was last renewed, and the relay starts again when it is asked for", attached(function()
      events.of("probe", 1)
      hang(2)
      until_true(function() return not placed "probe" end)
      local result = events.of("probe", 1, 0)
      assert.is_true(result.listened_seconds < 1, result.listened_seconds)
      assert.equal(2, n.relays.started)
    end, { lease_s = 0.3 }))

    -- Both at once, so that neither tells of the other's end. What the relay changed stays behind, but for this.
    local function kill_both(name)
      local one = placed(name)
      at.eval("[erlang:suspend_process(P) || P <- [W, J]], [exit(P, kill) || P <- [W, J]], "
        .. ("application:unset_env(kernel, %s)."):format(name), { W = one.worker, J = one.janitor })
    end

    it("is over when nobody answers it, from when we last heard of it", attached(function()
      local began = async.now()
      events.start "asked"
      kill_both "asked"
      local most = async.now() - began
      until_true(function() return events.of("asked", 1).ended end)
      local result = events.of("asked", 1)
      assert.equal("the node does not answer its lease", result.ended)
      assert.is_true(result.listened_seconds <= most + 0.5, result.listened_seconds)
    end, { lease_s = 2 }))

    it("lets the relay start again when nobody answered it", attached(function()
      events.of("probe", 1)
      kill_both "probe"
      until_true(function() return not placed "probe" end)
      events.of("probe", 1)
      send("probe", "{give, 1}")
      assert.equal(1, heard_of("probe", 1).events[1].what)
      assert.equal(2, n.relays.started)
    end, { lease_s = 0.3 }))

    it("is over for good, also where the janitor only stood still", attached(function()
      events.start "asked"
      local one = placed "asked"
      at.eval("Me = self(), register(holder, spawn(fun() -> erlang:suspend_process(P), Me ! held, "
        .. "receive x -> ok end end)), receive held -> ok end.", { P = one.janitor })
      until_true(function() return not placed "asked" end)
      at.eval "exit(whereis(holder), kill)."
      until_true(function() return not alive(one.janitor) and not alive(one.worker) end)
      assert.is_false(set "asked")
      assert.equal("the node does not answer its lease", events.of("asked", 1).ended)
    end, { lease_s = 0.3 }))
  end)

  -- A node is called back by a look-up of its host, for which OTP starts processes that stay for ever.
  it("is undone when we have gone before it was on, and we are not called back", attached(function()
    local before = processes()
    at.eval(relay_form.open("probe").query,
      { Ctl = etf.pid("gone@localhost", 5, 0, 1), PerSecond = 1, Lease = 60000, Answer = 0, Beats = 0 })
    until_true(function() return not set "probe" end)
    until_true(function() return #processes() == #before end)
    assert.same(before, processes())
  end))

  describe("when the connection breaks", function()
    local function break_it() n.link:down(failure.new("node", "broken by the spec", nil, 3)) end

    it("is undone there", attached(function()
      events.of("probe", 1)
      local one = placed "probe"
      n:close()
      until_true(function() return not alive(one.janitor) and not alive(one.worker) end)
      assert.is_false(set "probe")
    end))

    it("is started again, and the time between was not listened", attached(function()
      events.of("probe", 1)
      send("probe", "{give, 1}")
      heard_of("probe", 1)
      local first = placed "probe"
      break_it()
      until_true(function() return not set "probe" end)
      until_true(function() return n.state == "up" end)
      until_true(function() return placed "probe" end)
      local second = placed "probe"
      assert.are_not.equal(first.worker, second.worker)
      assert.same({ false, true }, { alive(first.worker), alive(second.worker) })
      assert.equal(1, #events.of("probe", 1).events)
      assert.equal(2, #n.relays.by_name.probe.heard.spans)
    end))

    it("is not started again when it wants to be started by name", attached(function()
      events.start "asked"
      break_it()
      until_true(function() return n.state == "up" end)
      assert.is_nil(n.relays.by_name.asked.starting)
      assert.equal("the connection was lost", events.of("asked", 1).ended)
      assert.equal(1, n.relays.started)
    end))
  end)

  describe("with side effects", function()
    it("is never started by the asking", attached(function()
      assert.same({ unavailable = "the relay asked is off, and is started only on demand" }, events.of("asked", 1))
      assert.equal(0, n.relays.started)
    end))

    it("starts by name, once", attached(function()
      assert.is_true(events.start "asked")
      local again, why = events.start "asked"
      assert.is_nil(again)
      assert.equal("asked is on already, stop it first", why)
    end))

    it("forgets what it brought when it is started anew", attached(function()
      events.start "asked"
      send("asked", "{give, 1}")
      heard_of("asked", 1)
      events.stop "asked"
      assert.equal(1, #events.of("asked", 1).events)
      events.start "asked"
      assert.same({}, events.of("asked", 1).events)
    end))

    it("takes its own variables and no others", attached(function()
      assert.has_error(function() events.start("asked", { Ctl = 1 }) end, { relay = "asked", unknown_variable = "Ctl" })
      local on, why = events.start("asked", { Answer = 1 })
      assert.is_nil(on)
      assert.same({ unavailable = "this node has no asked" }, why)
    end))
  end)

  it("is on from the start of a run when a skill names it and it has no side effects", attached(function()
    n.relays:begin { { relays = { "probe", "asked" } }, { relays = { "probe", "short" } }, {} }
    until_true(function() return placed "probe" and placed "short" end)
    assert.is_nil(placed "asked")
    assert.equal(2, n.relays.started)
  end))

  it("is never started with --no-relays, and says so", attached(function()
    local off = { unavailable = "relays are switched off by --no-relays" }
    local before = processes()
    assert.same(off, events.of("probe", 1))
    assert.same({ n = 2, nil, off }, { n = 2, events.start "asked" })
    n.relays:begin { { relays = { "probe" } } }
    assert.same({}, n.relays.by_name)
    assert.same(before, processes())
  end, false))

  describe("of a skill, in the program", function()
    local function footprint(...)
      local result = program.run({ "coordinator.lua", "--provider", "analyst", "--skills", "vm_events", "--json",
        "--quiet", "--node", at.name, ... }, { env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home } })
      return json.decode(result.stdout).footprint.relays
    end

    it("is on, is told in the footprint, and is off afterwards", live.test(function()
      n = connect()
      assert.equal(1, footprint())
      assert.equal("undefined", tostring(at.eval "erlang:system_monitor()."))
    end))

    it("is not on with --no-relays", live.test(function()
      n = connect()
      assert.equal(0, footprint "--no-relays")
    end))

    it("is why a callback says that nobody listens with --no-relays", live.test(function()
      n = connect()
      local result = program.run({ "call", "sysmon_stats", "--no-relays", "--json", "--node", at.name },
        { env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home } })
      assert.equal("relays are switched off by --no-relays", json.decode(result.stdout).result.unavailable)
    end))
  end)

  -- As a node answers that knows no spawn requests, before OTP 23.
  it("works through rex too", attached(function()
    n.calls.through_rex = true
    events.of("probe", 1)
    send("probe", "{give, 1}")
    assert.equal(1, heard_of("probe", 1).events[1].what)
    events.stop "probe"
    assert.is_false(set "probe")
  end))
end)
