--- What PostgreSQL counts of tables and indexes. Its counters go on since they were reset, which is told;
--- the replicas of a database count for themselves, so an index unused here may be used there.

local texts = ...

local REPO = { name = "repo", type = "string", default = "" }
local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }
local SHOWN = 50
local COST = "one transaction on a connection of the repo's pool, read-only, 5 s at most"

-- Every figure is cast to what a driver gives as a plain number: numeric and times would come as structs.
local AGE = [[(SELECT extract(epoch FROM now() - coalesce(stats_reset, pg_postmaster_start_time()))::int8
  FROM pg_catalog.pg_stat_database WHERE datname = current_database())]]

local INDEX_USAGE = [[
SELECT schemaname::text AS schema, relname::text AS name, seq_scan AS table_scans, idx_scan AS index_scans,
       round(100.0 * idx_scan / nullif(seq_scan + idx_scan, 0), 2)::float8 AS index_pct,
       seq_tup_read AS rows_scanned, n_live_tup AS live_rows,
       count(*) OVER () AS total, ]] .. AGE .. [[ AS stats_age_s
FROM pg_catalog.pg_stat_user_tables
ORDER BY seq_tup_read DESC NULLS LAST, schemaname, relname LIMIT $1::int8]]

-- What keeps values unique or belongs to a constraint works without ever being read.
local UNUSED_INDEXES = [[
SELECT s.schemaname::text AS schema, s.relname::text AS table, s.indexrelname::text AS name,
       (pg_relation_size(s.indexrelid) / 1048576.0)::float8 AS size_mb,
       count(*) OVER () AS total, (sum(pg_relation_size(s.indexrelid)) OVER () / 1048576.0)::float8 AS total_mb,
       ]] .. AGE .. [[ AS stats_age_s
FROM pg_catalog.pg_stat_user_indexes s JOIN pg_catalog.pg_index i ON i.indexrelid = s.indexrelid
WHERE s.idx_scan = 0 AND i.indisvalid AND NOT i.indisunique AND NOT i.indisexclusion
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint c WHERE c.conindid = s.indexrelid)
ORDER BY 4 DESC, 1, 3 LIMIT $1::int8]]

local TABLE_SIZES = [[
SELECT n.nspname::text AS schema, c.relname::text AS name,
       (pg_total_relation_size(c.oid) / 1048576.0)::float8 AS total_mb,
       (pg_table_size(c.oid) / 1048576.0)::float8 AS table_mb,
       (pg_indexes_size(c.oid) / 1048576.0)::float8 AS indexes_mb,
       pg_stat_get_live_tuples(c.oid) AS live_rows,
       count(*) OVER () AS total, (pg_database_size(current_database()) / 1048576.0)::float8 AS database_mb
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
  AND n.nspname !~ '^pg_temp'
ORDER BY 3 DESC, 1, 2 LIMIT $1::int8]]

local CACHE_HIT = [[
SELECT d.blks_hit AS hits, d.blks_read AS reads,
       round(100.0 * d.blks_hit / nullif(d.blks_hit + d.blks_read, 0), 2)::float8 AS database_pct,
       t.table_pct, t.index_pct, ]] .. AGE .. [[ AS stats_age_s,
       (SELECT setting::int8 * 8 / 1024 FROM pg_catalog.pg_settings WHERE name = 'shared_buffers') AS shared_buffers_mb
FROM pg_catalog.pg_stat_database d,
     (SELECT round(100.0 * sum(heap_blks_hit) / nullif(sum(heap_blks_hit + heap_blks_read), 0), 2)::float8 AS table_pct,
             round(100.0 * sum(idx_blks_hit) / nullif(sum(idx_blks_hit + idx_blks_read), 0), 2)::float8 AS index_pct
      FROM pg_catalog.pg_statio_user_tables) t
WHERE d.datname = current_database()]]

-- Dead rows are counted. Bloat is estimated: the pages that the planner's row count would need at the mean
-- width that ANALYZE found (a row has a header of 24 bytes and a pointer of 4, a page of 8 kB a header of 24
-- bytes), against those there are. Absent where nobody ever ran ANALYZE.
local BLOAT = [[
WITH widths AS (
  SELECT schemaname, tablename, ceil(sum((1 - null_frac) * avg_width) / 8) * 8 AS width
  FROM pg_catalog.pg_stats WHERE NOT inherited GROUP BY 1, 2),
tables AS (
  SELECT s.schemaname, s.relname, pg_relation_size(s.relid) AS bytes, s.n_dead_tup, s.n_live_tup,
         greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed,
         greatest(s.last_analyze, s.last_autoanalyze) AS analyzed,
         coalesce((SELECT lower(option_value) NOT IN ('false', 'off', 'no', '0')
                   FROM pg_options_to_table(c.reloptions) WHERE option_name = 'autovacuum_enabled'), true)
           AND current_setting('autovacuum') = 'on' AS autovacuum,
         CASE WHEN c.reltuples >= 0 AND w.width IS NOT NULL
              THEN ceil(c.reltuples * (28 + w.width) / 8168) * 8192 END AS needed
  FROM pg_catalog.pg_stat_user_tables s JOIN pg_catalog.pg_class c ON c.oid = s.relid
  LEFT JOIN widths w ON w.schemaname = s.schemaname AND w.tablename = s.relname)
SELECT schemaname::text AS schema, relname::text AS name, (bytes / 1048576.0)::float8 AS size_mb,
       n_dead_tup AS dead_rows, n_live_tup AS live_rows,
       round(100.0 * n_dead_tup / nullif(n_live_tup + n_dead_tup, 0), 2)::float8 AS dead_pct,
       (greatest(bytes - needed, 0) / 1048576.0)::float8 AS bloat_mb,
       (100.0 * greatest(bytes - needed, 0) / nullif(bytes, 0))::float8 AS bloat_pct,
       extract(epoch FROM now() - vacuumed)::int8 AS vacuumed_s,
       extract(epoch FROM now() - analyzed)::int8 AS analyzed_s, autovacuum, count(*) OVER () AS total
FROM tables
ORDER BY greatest(coalesce(greatest(bytes - needed, 0), 0),
                  bytes * n_dead_tup::float8 / greatest(n_live_tup + n_dead_tup, 1)) DESC, 1, 2
LIMIT $1::int8]]

local function list_of(sql, key, whole)
  return function(node, args)
    local answer, err = texts.read(node, sql, { args.limit or SHOWN }, { repo = args.repo })
    if not answer or answer.unavailable then return answer, err end
    return texts.listed(answer, key, whole)
  end
end

local function cache_hit(node, args)
  local answer, err = texts.read(node, CACHE_HIT, {}, { repo = args.repo })
  if not answer or answer.unavailable then return answer, err end
  local result = answer.rows[1]
  result.repo, result.others = answer.repo, answer.others
  return result
end

local WHERE = "repo, others (repos)"

return {
  queries = {},
  callbacks = {
    ecto_index_usage = {
      brief = "Scans of the whole table, or by an index",
      doc = "How each table is read: by scans of the whole table or by an index. Most rows scanned first.",
      args = { REPO },
      returns = { WHERE, "total, showing, stats_age_s", "tables[]: schema, name, table_scans, index_scans, "
        .. "index_pct (of all scans), rows_scanned, live_rows" },
      class = "SAFE", cost = COST,
      run = list_of(INDEX_USAGE, "tables", { "total", "stats_age_s" }),
    },
    ecto_unused_indexes = {
      doc = "Indexes that no query read since the counters were reset: each costs every write. Largest first.",
      args = { REPO },
      returns = { WHERE, "total, showing, total_mb, stats_age_s", "indexes[]: schema, table, name, size_mb" },
      class = "SAFE", cost = COST .. "; the size of each such index",
      run = list_of(UNUSED_INDEXES, "indexes", { "total", "total_mb", "stats_age_s" }),
    },
    ecto_table_sizes = {
      doc = "The largest tables on disk, with what their indexes take.",
      args = { LIMIT, REPO },
      returns = { WHERE, "total, showing, database_mb", "tables[]: schema, name, total_mb, table_mb, indexes_mb, "
        .. "live_rows" },
      class = "SAFE", cost = COST .. "; the size of each table",
      run = list_of(TABLE_SIZES, "tables", { "total", "database_mb" }),
    },
    ecto_cache_hit = {
      doc = "How much of what was read PostgreSQL found in its own memory, of tables, of indexes and of all.",
      args = { REPO },
      returns = { WHERE, "table_pct, index_pct, database_pct", "hits, reads (blocks of 8 kB)", "shared_buffers_mb",
        "stats_age_s" },
      class = "SAFE", cost = COST,
      run = cache_hit,
    },
    ecto_bloat = {
      brief = "Room in tables that nobody uses",
      doc = "Tables with room that nobody uses: dead rows as counted, bloat as estimated from ANALYZE's figures.",
      args = { LIMIT, REPO },
      returns = { WHERE, "total, showing", "tables[]: schema, name, size_mb, dead_rows, live_rows, dead_pct, "
        .. "bloat_mb, bloat_pct, vacuumed_s, analyzed_s (since then; absent: never), autovacuum (true: on)" },
      class = "SAFE", cost = COST .. "; the size of each table",
      run = list_of(BLOAT, "tables", { "total" }),
    },
  },
}
