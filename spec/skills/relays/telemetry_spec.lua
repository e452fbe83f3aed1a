-- The relay on a live node with a stand-in for the library telemetry (spec/support/telemetry.erl), which
-- treats a handler as the real one does. Events are executed as Ecto executes them.
local async = require "runtime.async"
local live = require "spec.support.live_node"
local shop = require "spec.support.shop"

-- A crowd of queries with these times in native units, as many as asked for, in one process.
local EXECUTE = [[
  Ms = fun(X) -> erlang:convert_time_unit(X, millisecond, native) end,
  B = fun erlang:list_to_binary/1,
  Query = fun(Total, Result, Text) ->
    telemetry:execute([shop, repo, query],
      #{query_time => Ms(Total) - Ms(Total) div 4, queue_time => Ms(Total) div 4, decode_time => 0,
        total_time => Ms(Total)},
      #{type => ecto_sql_query, repo => 'Elixir.Shop.Repo', result => Result, params => [B("4711")], query => B(Text),
        source => B("parcels"), stacktrace => nil, options => []}) end,
]]

local APPLICATION = [[
  spawn(fun() -> register('Elixir.Shop.Repo', self()), receive stop -> ok end end),
  ok = application:load({application, shop, [{vsn, "1"}, {modules, []}, {registered, []}, {applications, []},
    {env, [{ecto_repos, ['Elixir.Shop.Repo']}]}]}), true.]]

describe("the telemetry relay", function()
  local at, relays

  local function execute(text) at.eval(EXECUTE .. text .. ", true.") end

  -- What it brought since it was started anew, once that fulfils the promise.
  local function heard(enough)
    local deadline = async.now() + 20
    while true do
      local result = relays:of("telemetry", 5, 0)
      local count = { sum = 0, query = 0, queries = 0 }
      for _, event in ipairs(result.events) do
        count[event.type] = count[event.type] + 1
        count.queries = count.queries + (event.count or 0)
      end
      if enough(count) then return result.events end
      assert(async.now() < deadline, "the relay did not bring what was waited for")
      async.sleep(0.02)
    end
  end

  local function of_type(events, kind)
    local list = {}
    for _, event in ipairs(events) do if event.type == kind then list[#list + 1] = event end end
    return list
  end

  local function total(events, key)
    local sum = 0
    for _, event in ipairs(of_type(events, "sum")) do sum = sum + event[key] end
    return sum
  end

  local function fresh()
    relays:stop "telemetry"
    assert(relays:start "telemetry")
  end

  setup(function()
    at = live.start()
    live.test(function()
      relays = at.node.relays
      shop.load_telemetry(at)
    end)()
  end)

  teardown(function() live.stop_all() end)

  it("says that there is no repo where none runs", live.test(function()
    assert.equal("no Ecto repo runs on this node: none is in Ecto's registry or in an application's ecto_repos",
      relays:of("telemetry", 1).unavailable)
    at.eval(APPLICATION)
  end))

  it("counts every query, its time, its wait, and those that were slow or failed", live.test(function()
    fresh()
    execute [[ [Query(T, {ok, []}, "select $1") || T <- [4, 8, 12, 200] ], Query(16, {error, #{}}, "select $2") ]]
    local events = heard(function(count) return count.queries == 5 end)
    local totals = {}
    for _, key in ipairs { "count", "timed", "total_us", "wait_us", "slow", "errors" } do
      totals[#totals + 1] = total(events, key)
    end
    assert.same({ 5, 5, 240000, 60000, 1, 1 }, totals)
  end))

  it("brings the text of what was slow and of what failed, with the kind of error alone", live.test(function()
    fresh()
    execute [[ Query(1, {ok, []}, "select a"), Query(300, {ok, []}, "select slow"),
      Query(2, {error, #{'__struct__' => 'Elixir.Postgrex.Error', '__exception__' => true, postgres =>
        #{code => unique_violation, message => B("4711 exists"), detail => B("4711")}}}, "insert b") ]]
    local events = of_type(heard(function(count) return count.query >= 3 end), "query")
    local told = {}
    for _, event in ipairs(events) do
      told[event.why] = { event.text, event.total_us, event.error, event.code, event.repo, event.source }
      for _, value in pairs(event) do assert.is_nil(tostring(value):find("4711", 1, true)) end
    end
    assert.same({ "select slow", 300000, nil, nil, "Shop.Repo", "parcels" }, told.slow)
    assert.same({ "insert b", 2000, "Postgrex.Error", "unique_violation", "Shop.Repo", "parcels" }, told.error)
  end))

  it("cuts a long text before it is sent", live.test(function()
    fresh()
    execute [[ Query(300, {ok, []}, lists:duplicate(100000, $x)) ]]
    local events = of_type(heard(function(count) return count.query >= 1 end), "query")
    assert.equal(2048, #events[1].text)
  end))

  it("survives events that nobody expects, and stays attached", live.test(function()
    fresh()
    execute [[ telemetry:execute([shop, repo, query], #{}, #{}),
      telemetry:execute([shop, repo, query], #{total_time => nil},
        #{result => gone, query => nil, source => 7, repo => []}),
      Query(4, {error, not_a_map}, "select 1") ]]
    local events = heard(function(count) return count.queries == 3 end)
    assert.equal(1, total(events, "timed"))
    assert.equal(1, at.eval "length(telemetry:list_handlers([shop, repo])).")
  end))

  it("counts a storm whole, measures a part of it, and is never sent more than it can hold", live.test(function()
    fresh()
    at.eval([[ Most = fun Most(N) -> receive {stop, P} -> P ! {most, N}
        after 0 -> Most(max(N, element(2, process_info(W, message_queue_len)))) end end,
      persistent_term:put(gauge, spawn(fun() -> Most(0) end)).]], { W = relays.by_name.telemetry.placed.worker })
    execute [[ [Query(1, {ok, []}, "select $1") || _ <- lists:seq(1, 20000)] ]]
    local events = heard(function(count) return count.queries >= 20000 end)
    assert.equal(20000, total(events, "count"))
    assert.is_true(total(events, "timed") < 20000)
    assert.is_true(at.eval "persistent_term:get(gauge) ! {stop, self()}, receive {most, N} -> N end." <= 260)
  end))

  it("leaves neither handler nor process when it is stopped", live.test(function()
    relays:stop "telemetry"
    at.eval "persistent_term:put(before, processes())."
    fresh()
    relays:stop "telemetry"
    assert.same({}, at.eval "telemetry:list_handlers([]).")
    assert.same({}, at.eval "[P || P <- processes() -- persistent_term:get(before), P =/= self()].")
  end))

  it("detaches when its worker is killed", live.test(function()
    fresh()
    at.eval("exit(W, kill).", { W = relays.by_name.telemetry.placed.worker })
    local deadline = async.now() + 10
    while at.eval "length(telemetry:list_handlers([]))." > 0 and async.now() < deadline do async.sleep(0.02) end
    assert.same({}, at.eval "telemetry:list_handlers([]).")
  end))

  it("leaves a handler of its name that is another's, and says so", live.test(function()
    relays:stop "telemetry"
    at.eval "telemetry:attach(beamlens_telemetry, [a], fun(_, _, _, _) -> ok end, none)."
    local _, refused = relays:start "telemetry"
    assert.equal("a handler beamlens_telemetry is attached already: another beamlens listens to this node",
      refused.unavailable)
    assert.equal(1, at.eval "length(telemetry:list_handlers([])).")
    at.eval "telemetry:detach(beamlens_telemetry)."
  end))

  it("takes the place of one of its own that nobody is left of", live.test(function()
    at.eval [[ {P, R} = spawn_monitor(fun() -> ok end), receive {'DOWN', R, _, _, _} -> ok end,
      telemetry:attach(beamlens_telemetry, [a], fun(_, _, _, _) -> ok end, {P, make_ref()}). ]]
    assert(relays:start "telemetry")
    assert.equal(0, at.eval "length(telemetry:list_handlers([a])).")
    assert.equal(1, at.eval "length(telemetry:list_handlers([shop])).")
    relays:stop "telemetry"
  end))

  it("keeps out of the node's log, where telemetry tells of a handler without a module", live.test(function()
    at.eval "logger:set_primary_config(level, info)."
    fresh()
    relays:stop "telemetry"
    at.eval [[ telemetry:attach(control, [a], fun(_, _, _, _) -> ok end, none), telemetry:detach(control),
      logger:set_primary_config(level, notice). ]]
    local text
    repeat
      local log = assert(io.open(at.home .. "/node.log"))
      text = log:read "*a"
      log:close()
      async.sleep(0.02)
    until text:find("handler control is a local function", 1, true)
    assert.is_nil(text:find("beamlens", 1, true))
  end))

  it("attaches nothing where handlers were made a persistent term", live.test(function()
    at.eval "persistent_term:put(telemetry, {telemetry_pt, state})."
    local _, refused = relays:start "telemetry"
    at.eval "persistent_term:erase(telemetry)."
    assert.equal("telemetry:persist/0 was called: a new handler would have every process collect garbage",
      refused.unavailable)
    assert.same({}, at.eval "telemetry:list_handlers([]).")
  end))

  it("hears a repo by the name that its configuration gives its events", live.test(function()
    at.eval "application:set_env(shop, 'Elixir.Shop.Repo', [{telemetry_prefix, [warehouse]}])."
    assert(relays:start "telemetry")
    assert.same({ "warehouse", "query" }, (function(list)
      local event = {}
      for i, word in ipairs(list) do event[i] = tostring(word) end
      return event
    end)(at.eval "[X] = telemetry:list_handlers([]), maps:get(event_name, X)."))
    at.eval "application:unset_env(shop, 'Elixir.Shop.Repo')."
    relays:stop "telemetry"
  end))
end)
