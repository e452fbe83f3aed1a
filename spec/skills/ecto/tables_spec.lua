-- Tables and indexes as PostgreSQL counts them: the conditions are made in a real database, and each
-- figure is compared with what psql says to a question of another kind.
local live = require "spec.support.live_node"
local postgres = require "spec.support.postgres"
local shop = require "spec.support.shop"
local skill = require "runtime.skill"

local ecto = assert(skill.open "ecto")

local TABLES = [[
CREATE TABLE parcels (id int PRIMARY KEY, note text, code text UNIQUE, weight int);
CREATE INDEX parcels_note ON parcels (note);
CREATE INDEX parcels_weight ON parcels (weight);
CREATE UNIQUE INDEX parcels_pair ON parcels (code, weight);
INSERT INTO parcels SELECT n, repeat('x', 50) || n, 'c' || n, n FROM generate_series(1, 20000) n;
CREATE TABLE carts (id int PRIMARY KEY, note text);
INSERT INTO carts SELECT n, 'cart' FROM generate_series(1, 1000) n;
CREATE TABLE bloated (id int, note text) WITH (autovacuum_enabled = false);
INSERT INTO bloated SELECT n, repeat('y', 200) FROM generate_series(1, 5000) n;
UPDATE bloated SET note = note || 'z';
UPDATE bloated SET note = note || 'z';
CREATE TABLE crowded (id int);
INSERT INTO crowded SELECT generate_series(1, 5000);
DELETE FROM crowded WHERE id % 5 > 0;
]]

describe("ecto skill, of tables", function()
  local at, pg, callback

  local function find(rows, name)
    for _, row in ipairs(rows) do if row.name == name then return row end end
  end

  local function number(sql) return tonumber((pg:ask(sql))) end

  setup(function()
    pg = postgres.start()
    at = live.start()
    callback = skill.functions(ecto, at.node)
    live.test(function() shop.open(at, pg, 1) end)()
    pg:ask(TABLES)
    pg:ask "ANALYZE"
    pg:ask [[SET enable_seqscan = off;
      SELECT weight FROM parcels WHERE weight = 7; SELECT id FROM parcels WHERE id = 7]]
    pg:ask "SELECT count(*) FROM carts"
    pg:await("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'crowded'", "4000")
    pg:await("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'parcels_weight'", "[1-9]")
    pg:await("SELECT seq_scan > 0 FROM pg_stat_user_tables WHERE relname = 'carts'", "t")
  end)

  teardown(function()
    live.stop_all()
    pg:stop()
  end)

  it("tells how a table is read: whole, or by an index", live.test(function()
    local usage = callback.ecto_index_usage()
    local carts = find(usage.tables, "carts")
    assert.equal(0, carts.index_pct)
    assert.equal(number "SELECT pg_stat_get_tuples_returned('carts'::regclass)", carts.rows_scanned)
    assert.equal(number "SELECT pg_stat_get_numscans('carts'::regclass)", carts.table_scans)
    assert.equal(number [[SELECT sum(pg_stat_get_numscans(indexrelid)) FROM pg_index
      WHERE indrelid = 'parcels'::regclass]], find(usage.tables, "parcels").index_scans)
    assert.equal(number "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", usage.total)
  end))

  it("names the index that nobody reads, and none that keeps values unique", live.test(function()
    local unused = callback.ecto_unused_indexes()
    assert.same({ 1, "parcels_note", "parcels", "public" },
      { unused.total, unused.indexes[1].name, unused.indexes[1].table, unused.indexes[1].schema })
    assert.near(number "SELECT relpages * 8 / 1024.0 FROM pg_class WHERE relname = 'parcels_note'",
      unused.indexes[1].size_mb, 0.01)
    assert.is_true(unused.stats_age_s >= 0)
  end))

  it("puts the largest table first, with its indexes apart", live.test(function()
    local sizes = callback.ecto_table_sizes(1)
    assert.equal("parcels", sizes.tables[1].name)
    assert.near(number [[SELECT sum(pg_relation_size(indexrelid)) / 1048576.0 FROM pg_index
      WHERE indrelid = 'parcels'::regclass]], sizes.tables[1].indexes_mb, 0.01)
    assert.near(sizes.tables[1].total_mb, sizes.tables[1].table_mb + sizes.tables[1].indexes_mb, 0.02)
    assert.equal(20000, sizes.tables[1].live_rows)
    assert.same({ 1, 4 }, { sizes.showing, sizes.total })
  end))

  it("tells how much was found in memory", live.test(function()
    local cache = callback.ecto_cache_hit()
    assert.near(number [[SELECT 100.0 * sum(pg_stat_get_blocks_hit(oid)) / sum(pg_stat_get_blocks_fetched(oid))
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace]], cache.table_pct, 0.01)
    assert.equal(16, cache.shared_buffers_mb)
    assert.is_true(cache.hits > 0 and cache.index_pct > 0 and cache.database_pct > 0)
  end))

  it("counts dead rows, and says where nobody removes them", live.test(function()
    local bloat = callback.ecto_bloat(50)
    local crowded = find(bloat.tables, "crowded")
    assert.same({ 4000, 1000, 80 }, { crowded.dead_rows, crowded.live_rows, crowded.dead_pct })
    assert.is_nil(crowded.vacuumed_s)
    assert.is_false(find(bloat.tables, "bloated").autovacuum)
    assert.equal("bloated", bloat.tables[1].name)
  end))

  it("estimates as bloat what a new copy of the table would not have", live.test(function()
    local before = find(callback.ecto_bloat(50).tables, "bloated")
    local sound = find(callback.ecto_bloat(50).tables, "parcels")
    pg:ask "CREATE TABLE copied AS TABLE bloated"
    local saved = number "SELECT (pg_relation_size('bloated') - pg_relation_size('copied')) / 1048576.0"
    pg:ask "DROP TABLE copied"
    assert.near(saved, before.bloat_mb, saved / 10)
    assert.is_true(sound.bloat_pct < 10)
  end))

  it("asks the repo that it is told to, and says which it asked", live.test(function()
    assert.equal("Shop.Repo", callback.ecto_cache_hit("Shop.Repo").repo)
    assert.equal("ecto_cache_hit: no such repo runs here, there is Shop.Repo",
      tostring(select(2, pcall(callback.ecto_cache_hit, "Shop.Archive"))))
  end))
end)
