-- How a question gets to a database, against a real PostgreSQL behind a stand-in for an Ecto repo of
-- one connection; and how SQL is shown.
local form = require "runtime.skill_form"
local live = require "spec.support.live_node"
local postgres = require "spec.support.postgres"
local shop = require "spec.support.shop"
local skill = require "runtime.skill"

local file = assert(io.open "skills/texts/sql.lua")
local texts = assert(form.evaluate(file:read "*a", "skills/texts/sql.lua"))
file:close()

-- Asks what it is told, as no shipped skill does.
local PROBE = [[
local texts = ...
return { name = "probe", title = "", about = "", prompt = "", snapshot = "database",
  queries = { database = texts.words .. texts.database },
  callbacks = { probe = { doc = "", class = "SAFE", returns = {},
    args = { { name = "sql", type = "string" }, { name = "value", type = "string", default = "" },
      { name = "repo", type = "string", default = "" }, { name = "path", type = "string", default = "" } },
    run = function(node, args)
      return texts.read(node, args.sql, args.sql:find("$1", 1, true) and { args.value } or {}, args) end } } }]]

describe("a question to the database", function()
  local at, pg, probe

  local function ask(...) return skill.call(probe, "probe", { ... }, at.node) end

  setup(function()
    pg = postgres.start()
    at = live.start()
    live.test(function() shop.open(at, pg, 1) end)()
    probe = assert(skill.load(PROBE, "probe.lua"))
    pg:ask "CREATE TABLE parcels (note text); CREATE SCHEMA \"Old Town\"; CREATE TABLE \"Old Town\".carts (n int)"
  end)

  teardown(function()
    live.stop_all()
    pg:stop()
  end)

  it("is answered with rows by the names of their columns, without what is NULL", live.test(function()
    assert.same({ repo = "Shop.Repo", rows = { { a = 1, b = "x", d = 1.5, e = true } } },
      ask "SELECT 1 AS a, 'x'::text AS b, NULL::text AS c, 1.5::float8 AS d, true AS e")
  end))

  it("cannot write: PostgreSQL itself refuses", live.test(function()
    local _, err = ask "INSERT INTO parcels VALUES ('ours')"
    assert.equal("probe: the database refused: cannot execute INSERT in a read-only transaction", err)
    assert.equal("0", pg:ask "SELECT count(*) FROM parcels")
  end))

  it("is bounded in time by the database, and leaves the connection's settings as they were", live.test(function()
    assert.same({ statement = "5s", lock = "1s" }, ask([[SELECT current_setting('statement_timeout') AS statement,
      current_setting('lock_timeout') AS lock]]).rows[1])
    assert.equal("0", at.eval [[ {ok, X} = 'Elixir.Shop.Repo':query(list_to_binary("SHOW statement_timeout"), [], []),
      hd(hd(maps:get(rows, X))).]])
  end))

  it("leaves no transaction open, whatever came of it", live.test(function()
    ask "SELECT 1"
    ask "SELECT 1 / 0"
    assert.equal("idle", pg:ask "SELECT state FROM pg_stat_activity WHERE query ~ '^ROLLBACK'")
  end))

  it("carries values beside the text, quotes and all", live.test(function()
    local hostile = "'; DROP TABLE parcels; --"
    assert.equal(hostile, ask("SELECT $1::text AS value", hostile).rows[1].value)
  end))

  it("looks into the schema that it is given, however that is called", live.test(function()
    assert.same({}, ask("SELECT n FROM carts", "", "", "Old Town").rows)
  end))

  it("gives up where a table is locked, and says so", live.test(function()
    local other = pg:session "porter"
    other.send "BEGIN; LOCK TABLE parcels;"
    pg:await("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted", "1")
    local _, err = ask "SELECT count(*) FROM parcels"
    other.close()
    assert.equal("probe: a table is locked against reading, ecto_locks() says by whom; try again when it is free", err)
  end))

  it("is not counted among the repo's own queries", live.test(function()
    at.eval [[ C = counters:new(1, []), persistent_term:put(witness, C),
      telemetry:attach(witness, [shop, repo, query], fun(_, _, _, _) -> counters:add(C, 1, 1) end, none). ]]
    ask "SELECT 1"
    assert.equal(0, at.eval "counters:get(persistent_term:get(witness), 1).")
    at.eval "telemetry:detach(witness)."
  end))

  it("finds no connection where the pool has none free, and says what would tell more", live.test(function()
    at.eval [[ Me = self(), spawn(fun() -> register(hog, self()), 'Elixir.Shop.Repo':transaction(fun() ->
      Me ! held, receive stop -> ok end end, []) end), receive held -> true end.]]
    local answer = ask "SELECT 1"
    at.eval "hog ! stop, true."
    assert.equal("no connection of the pool of Shop.Repo could be had: it is busy, or the database is away; "
      .. "see ecto_pool_stats()", answer.unavailable)
  end))

  it("names the repos that there are where another was asked for", live.test(function()
    assert.equal("probe: no such repo runs here, there is Shop.Repo", select(2, ask("SELECT 1", "", "Shop.Archive")))
  end))

  it("goes to the first repo on PostgreSQL or to the one that is named, and says which others there are", live.test(
    function()
      pg:ask "CREATE DATABASE archive"
      shop.open_another(at, pg, "Shop.Cache", "archive", "MyXQL")
      shop.open_another(at, pg, "Shop.Archive", "archive")
      local where = "SELECT current_database()::text AS database"
      local first, named, cache = ask(where), ask(where, "", "Shop.Repo"), ask(where, "", "Shop.Cache")
      at.eval "ok = application:set_env(shop, ecto_repos, ['Elixir.Shop.Repo']), true."
      assert.same({ "Shop.Archive", { "Shop.Cache", "Shop.Repo" }, "archive" },
        { first.repo, first.others, first.rows[1].database })
      assert.same({ "Shop.Repo", "postgres" }, { named.repo, named.rows[1].database })
      assert.equal("the repo Shop.Cache is not on PostgreSQL but on Ecto.Adapters.MyXQL", cache.unavailable)
    end))

  it("is not put at all where no repo runs", live.test(function()
    at.eval "ok = application:set_env(shop, ecto_repos, []), true."
    local answer = ask "SELECT 1"
    at.eval "ok = application:set_env(shop, ecto_repos, ['Elixir.Shop.Repo']), true."
    assert.equal(texts.no_repo, answer.unavailable)
  end))
end)

describe("SQL that is shown", function()
  local shown = texts.parameterised

  it("has no literal of any kind", function()
    assert.equal("select ?, ?, ?, ?, ?, ?, ?, ? from t", shown
      [[select 'it''s', E'a\'b', $$x'y$$, $tag$ $$ $tag$, 12, 1.5e-3, U&'d\0061t', B'01' from t]])
  end)

  it("keeps names, also those in quotes or with figures in them, and parameters", function()
    assert.equal([[select "it's" from t1 where a$2 = $1 and x.y2 = ?]],
      shown [[select "it's" from t1 where a$2 = $1 and x.y2 = 3]])
  end)

  it("has no comments, where anything may stand", function()
    assert.equal("select a from b", shown "select a /* 'x' /* nested */ y */ from b -- it's secret")
  end)

  it("ends a literal that was cut in its middle", function()
    assert.equal("select ?", shown "select 'never ends")
    assert.equal("select ?", shown "select $x$ never ends")
    assert.equal("select", shown "select /* never ends")
  end)

  it("shows lists of literals alike, however long", function()
    assert.equal("select a from b where c in (?)", shown "select a from b where c in (1, 2, 'x')")
  end)

  it("is cut where it is long", function()
    assert.equal(("x"):rep(1000) .. "…", shown(("x"):rep(1001)))
  end)
end)
