--- What PostgreSQL is doing now: who waits for whom, what runs long, who is connected, which
--- statements cost most. A session is named by its db_pid, the process on the database's machine.

local texts = ...

local REPO = { name = "repo", type = "string", default = "" }
local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }
local COST = "one transaction on a connection of the repo's pool, read-only, 5 s at most"

-- The extension may lie in any schema.
local STATEMENTS_AT = [[
SELECT n.nspname::text AS schema, current_setting('server_version_num')::int8 AS version
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements']]

local STATEMENTS = [[
SELECT left(query, 4000) AS query, calls, total_exec_time::float8 AS total_ms, mean_exec_time::float8 AS avg_ms,
       max_exec_time::float8 AS max_ms, rows,
       round((100.0 * total_exec_time / nullif(sum(total_exec_time) OVER (), 0))::numeric, 2)::float8 AS share_pct,
       round(100.0 * shared_blks_hit / nullif(shared_blks_hit + shared_blks_read, 0), 2)::float8 AS hit_pct,
       count(*) OVER () AS total
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
ORDER BY total_exec_time DESC, queryid LIMIT $1::int8]]

-- Before PostgreSQL 13 the columns had shorter names.
local OLD_STATEMENTS = STATEMENTS:gsub("([%w]+)_exec_time", "%1_time")

-- A row for each session that waits and each one that it waits for. What is waited for since when
-- PostgreSQL says from 14 on; by way of JSON the column may be missing.
local LOCKS = [[
SELECT a.pid AS db_pid, a.application_name AS application, left(a.query, 4000) AS query,
       extract(epoch FROM clock_timestamp()
         - coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.query_start))::float8 AS waits_s,
       l.locktype AS type, l.mode, l.relation::regclass::text AS table,
       b.pid AS blocker_db_pid, b.application_name AS blocker_application, b.state AS blocker_state,
       extract(epoch FROM clock_timestamp() - b.xact_start)::float8 AS blocker_transaction_s,
       left(b.query, 4000) AS blocker_query,
       count(*) OVER () AS total
FROM pg_catalog.pg_stat_activity a
CROSS JOIN LATERAL unnest(pg_blocking_pids(a.pid)) AS blocking(pid)
LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = blocking.pid
LEFT JOIN LATERAL (SELECT * FROM pg_catalog.pg_locks w WHERE w.pid = a.pid AND NOT w.granted LIMIT 1) l ON true
WHERE a.wait_event_type = 'Lock'
ORDER BY waits_s DESC NULLS LAST, a.pid, b.pid LIMIT 50]]

local LONG_RUNNING = [[
SELECT pid AS db_pid, application_name AS application, state, left(query, 4000) AS query,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS transaction_s,
       CASE WHEN state = 'active' THEN extract(epoch FROM clock_timestamp() - query_start)::float8 END AS query_s,
       CASE WHEN state <> 'active' THEN extract(epoch FROM clock_timestamp() - state_change)::float8 END AS idle_s,
       CASE WHEN state = 'active' THEN wait_event_type || ':' || wait_event END AS waits_for,
       age(backend_xmin)::int8 AS holds_back, count(*) OVER () AS total
FROM pg_catalog.pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND datname = current_database()
  AND coalesce(xact_start, CASE WHEN state = 'active' THEN query_start END) < clock_timestamp() - interval '1 second'
ORDER BY coalesce(xact_start, query_start), pid LIMIT 50]]

local CONNECTIONS = [[
SELECT coalesce(datname, '')::text AS database, application_name AS application, coalesce(state, 'unknown') AS state,
       count(*) AS count, max(extract(epoch FROM clock_timestamp() - state_change))::float8 AS longest_s,
       sum(count(*)) OVER ()::int8 AS connections, count(*) OVER () AS total,
       current_setting('max_connections')::int8 AS max_connections,
       current_setting('superuser_reserved_connections')::int8 AS reserved
FROM pg_catalog.pg_stat_activity
WHERE backend_type = 'client backend'
GROUP BY 1, 2, 3
ORDER BY 4 DESC, 1, 2, 3 LIMIT 50]]

local HOW = "pg_stat_statements is not installed in this database: it wants shared_preload_libraries = "
  .. "'pg_stat_statements', a restart and CREATE EXTENSION pg_stat_statements"

local function db_slow_queries(node, args)
  local at, err = texts.read(node, STATEMENTS_AT, {}, { repo = args.repo })
  if not at or at.unavailable then return at, err end
  local found = at.rows[1]
  if not found then return { unavailable = HOW } end
  local answer
  answer, err = texts.read(node, found.version >= 130000 and STATEMENTS or OLD_STATEMENTS, { args.limit },
    { repo = args.repo, path = found.schema })
  if not answer and tostring(err):find "shared_preload_libraries" then return { unavailable = HOW } end
  if not answer or answer.unavailable then return answer, err end
  return texts.listed(answer, "queries", { "total" })
end

local function list_of(sql, key)
  return function(node, args)
    local answer, err = texts.read(node, sql, {}, { repo = args.repo })
    if not answer or answer.unavailable then return answer, err end
    return texts.listed(answer, key, { "total" })
  end
end

local function connections(node, args)
  local answer, err = texts.read(node, CONNECTIONS, {}, { repo = args.repo })
  if not answer or answer.unavailable then return answer, err end
  local result = texts.listed(answer, "groups", { "total", "connections", "max_connections", "reserved" })
  local takes = result.max_connections - result.reserved
  result.used_pct = math.floor(10000 * result.connections / takes + 0.5) / 100
  return result
end

local WHERE = "repo, others (repos)"

return {
  queries = {},
  callbacks = {
    ecto_db_slow_queries = {
      doc = "The statements that cost the database most time in all, by its extension pg_stat_statements.",
      args = { LIMIT, REPO },
      returns = { WHERE, "total, showing", "queries[]: query (without values), calls, total_ms, avg_ms, max_ms, rows, "
        .. "share_pct (of the time of all), hit_pct (of its blocks found in memory)" },
      class = "SAFE", cost = "two transactions on a connection of the repo's pool, read-only, 5 s at most each",
      run = db_slow_queries,
    },
    ecto_locks = {
      doc = "Database sessions that wait for a lock, and who holds it, longest wait first.",
      args = { REPO },
      returns = { WHERE, "total, showing", "blocked[]: db_pid, application, query (without values), waits_s, "
        .. "type, mode, table, blocker_db_pid, blocker_application, blocker_state, blocker_transaction_s, "
        .. "blocker_query" },
      class = "SAFE", cost = COST .. "; holds the database's lock table for a moment",
      run = list_of(LOCKS, "blocked"),
    },
    ecto_long_running = {
      doc = "Transactions and queries of this database that are older than a second, oldest first. One that is idle "
        .. "in transaction keeps its locks and hinders vacuum.",
      args = { REPO },
      returns = { WHERE, "total, showing", "sessions[]: db_pid, application, state, query (the last, without values), "
        .. "transaction_s, query_s (running), idle_s, waits_for, holds_back (transactions that vacuum cannot clean)" },
      class = "SAFE", cost = COST,
      run = list_of(LONG_RUNNING, "sessions"),
    },
    ecto_connections = {
      brief = "By database, application and state, against the limit",
      doc = "Client connections of the database server by database, application and state, against how many it takes.",
      args = { REPO },
      returns = { WHERE, "connections, max_connections, reserved (for superusers), used_pct (of what is not reserved)",
        "total, showing", "groups[]: database, application, state, count, longest_s (in that state)" },
      class = "SAFE", cost = COST,
      run = connections,
    },
  },
}
