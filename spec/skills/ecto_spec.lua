-- What Ecto measures, on a live node with a stand-in for a repo in front of a real PostgreSQL. A
-- witness, a compiled handler of our own, keeps every event: what the skill says is compared with that.
local async = require "runtime.async"
local live = require "spec.support.live_node"
local postgres = require "spec.support.postgres"
local shop = require "spec.support.shop"
local skill = require "runtime.skill"

local ecto = assert(skill.open "ecto")

local WITNESS = [[
  ets:new(witness, [named_table, public, ordered_set, {heir, whereis(init), none}]),
  telemetry:attach(witness, [shop, repo, query], fun(_, M, D, _) ->
    ets:insert(witness, {erlang:unique_integer([monotonic]), M, element(1, maps:get(result, D))}) end, none), true.]]

-- Milliseconds that the witness saw under this key.
local SEEN = [[ A = binary_to_existing_atom(Key),
  [erlang:convert_time_unit(maps:get(A, M), native, microsecond) / 1000
   || {_, M, _} <- ets:tab2list(witness), maps:is_key(A, M)]. ]]

local QUERIES = [[
  Q = fun(T) -> 'Elixir.Shop.Repo':query(list_to_binary(T), [], [{source, list_to_binary("parcels")}]) end,
  [Q("select 1") || _ <- lists:seq(1, 60)],
  [Q("select pg_sleep(0.02), 'hush'") || _ <- lists:seq(1, 10)],
  Q("select pg_sleep(0.15), 4711"),
  Q("select * from nowhere"), Q("select * from nowhere"),
  true.]]

describe("ecto skill", function()
  local at, pg, callback

  local function snapshot() return skill.snapshot(ecto, at.node) end

  local function seen(key)
    local times = at.eval(SEEN, { Key = key })
    table.sort(times)
    return times
  end

  -- Queries are told of half a second later.
  local function heard()
    local deadline = async.now() + 20
    local count = at.eval "ets:info(witness, size)."
    while snapshot().query_count < count and async.now() < deadline do async.sleep(0.05) end
  end

  setup(function()
    pg = postgres.start()
    at = live.start()
    callback = skill.functions(ecto, at.node)
    live.test(function()
      shop.open(at, pg, 2)
      at.eval(WITNESS)
      snapshot()
      at.eval(QUERIES)
      heard()
    end)()
  end)

  teardown(function()
    live.stop_all()
    pg:stop()
  end)

  it("counts what the witness counted", live.test(function()
    local figures = snapshot()
    assert.same({ 73, 1, 2, 0 }, { figures.query_count, figures.slow_count, figures.error_count, figures.dropped })
    assert.equal(at.eval "ets:info(witness, size).", figures.query_count)
  end))

  it("has the mean, the 95th percentile and the longest of the witness's times", live.test(function()
    local times, sum, figures = seen "total_time", 0, snapshot()
    for _, ms in ipairs(times) do sum = sum + ms end
    assert.near(sum / #times, figures.avg_time_ms, 0.01)
    assert.near(times[#times], figures.max_time_ms, 0.01)
    local exact = times[math.ceil(#times * 0.95)]
    assert.near(exact, figures.p95_time_ms, exact * 0.05)
  end))

  it("says how long it listened", live.test(function()
    assert.is_true(snapshot().listened_seconds >= 2)
  end))

  it("groups samples by their text, without values", live.test(function()
    local stats = callback.ecto_query_stats()
    local by_text, samples = {}, 0
    for _, row in ipairs(stats.queries) do by_text[row.query], samples = row, samples + row.samples end
    assert.same({ "parcels", "Shop.Repo" }, { by_text["select ?"].source, by_text["select ?"].repo })
    assert.near(100 * by_text["select ?"].samples / samples, by_text["select ?"].share_pct, 0.1)
    assert.same({ { error = "Postgrex.Error", code = "undefined_table", heard = 2 } }, stats.errors)
    assert.equal(stats.showing, #stats.queries)
  end))

  it("lists the slowest first, with what of it the database took and what the queue, and no value", live.test(function()
    local slow = callback.ecto_slow_queries(1)
    local row, times = slow.queries[1], seen "total_time"
    assert.same({ "select pg_sleep(?), ?", "slow", "parcels" }, { row.query, row.why, row.source })
    assert.near(times[#times], row.total_ms, 0.01)
    assert.near(row.total_ms, row.query_ms + row.queue_ms + row.decode_ms, 0.02)
    assert.equal(1, slow.showing)
  end))

  it("tells of failed queries among them", live.test(function()
    local failed = {}
    for _, row in ipairs(callback.ecto_slow_queries(50).queries) do
      if row.error then failed[#failed + 1] = row.query .. ": " .. row.error .. " " .. row.code end
    end
    assert.same({ "select * from nowhere: Postgrex.Error undefined_table",
      "select * from nowhere: Postgrex.Error undefined_table" }, failed)
  end))

  it("knows the size of the pool from the configuration, and of the waits what the witness knows", live.test(function()
    local stats, waits, sum = callback.ecto_pool_stats(), seen "queue_time", 0
    for _, ms in ipairs(waits) do sum = sum + ms end
    assert.same({ { repo = "Shop.Repo", adapter = "Ecto.Adapters.Postgres", pool_size = 2 } }, stats.pools)
    assert.equal(#waits, stats.checkouts)
    assert.near(sum / #waits, stats.queue_avg_ms, 0.01)
    assert.near(waits[#waits], stats.queue_max_ms, 0.01)
  end))

  it("sees callers wait for a connection where the pool is busy", live.test(function()
    at.eval [[ Me = self(), Hold = fun() -> 'Elixir.Shop.Repo':transaction(fun() ->
        Me ! held, receive after 150 -> ok end end, []) end,
      spawn(Hold), spawn(Hold), receive held -> ok end, receive held -> ok end,
      'Elixir.Shop.Repo':query(list_to_binary("select 1"), [], []), true.]]
    heard()
    local waits = seen "queue_time"
    assert.is_true(waits[#waits] > 50)
    assert.near(waits[#waits], callback.ecto_pool_stats().queue_max_ms, 0.01)
  end))

  it("asks a pool of DBConnection itself, and no other process", live.test(function()
    shop.load(at, "db_connection.erl")
    shop.load(at, "ecto_registry.erl")
    at.eval "'Elixir.DBConnection':start_pool(pool, 'Elixir.DBConnection.ConnectionPool')."
    local ready = callback.ecto_pool_stats().pools[1]
    at.eval "'Elixir.DBConnection':start_pool(pool, 'Elixir.Some.Supervisor')."
    local silent = callback.ecto_pool_stats().pools[1]
    assert.same({ 1, 4 }, { ready.ready, ready.waiting })
    assert.is_nil(silent.ready)
    at.eval "[true = code:delete(M) || M <- ['Elixir.DBConnection', 'Elixir.Ecto.Repo.Registry']]."
  end))

  it("is there where a repo runs", live.test(function()
    assert.is_true(skill.available(ecto, at.node))
  end))

  it("is not there where none runs, and says so at every callback", live.test(function()
    at.node.relays:stop "telemetry"
    at.eval "ok = application:set_env(shop, ecto_repos, []), true."
    local none = "no Ecto repo runs on this node: none is in Ecto's registry or in an application's ecto_repos"
    assert.equal(none, skill.available(ecto, at.node))
    local args = { ecto_query_stats = {}, ecto_slow_queries = { 5 }, ecto_pool_stats = {}, ecto_db_slow_queries = { 5 },
      ecto_index_usage = {}, ecto_unused_indexes = {}, ecto_table_sizes = { 5 }, ecto_cache_hit = {}, ecto_locks = {},
      ecto_long_running = {}, ecto_bloat = { 5 }, ecto_connections = {} }
    for name, given in pairs(args) do
      assert.same({ name, none }, { name, skill.call(ecto, name, given, at.node).unavailable })
    end
    assert.equal(none, snapshot().unavailable)
  end))
end)
