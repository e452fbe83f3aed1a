--- PostgreSQL as its node sees it: asked by a connection of the node's own pool (an Ecto repo), in a transaction
--- that is read-only, ends after five seconds and is rolled back. Nothing is opened from here and no password is
--- needed. Use it by its path:
---
---   beamlens-run coordinator.lua --node shop@host --skills beam,./examples/skills/postgres.lua
---
--- What a skill is handed as `...` are the texts that skills share. `texts.read` asks, `texts.listed` makes rows a
--- list, with SQL shown without its values. To ask something of your own, add a SELECT and a callback.

local texts = ...

local LONG_S = 60        -- a transaction is long from here on
local WAITS_S = 1        -- who waits for a lock so long is held up
local NEARLY_FULL_PCT = 80

local STATE = [[
SELECT count(*) AS connections, count(*) FILTER (WHERE state = 'active') AS active,
       count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_transaction,
       count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,
       coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 AS longest_transaction_s,
       round(100.0 * count(*) / (current_setting('max_connections')::int8
         - current_setting('superuser_reserved_connections')::int8), 2)::float8 AS used_pct
FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()]]

local CONNECTIONS = [[
SELECT application_name AS application, coalesce(state, 'unknown') AS state, count(*) AS count,
       max(extract(epoch FROM clock_timestamp() - state_change))::float8 AS longest_s,
       sum(count(*)) OVER ()::int8 AS connections, count(*) OVER () AS total,
       current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8 AS takes
FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20]]

local BLOCKED = [[
SELECT a.pid AS db_pid, a.application_name AS application, left(a.query, 4000) AS query,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS waits_s,
       b.pid AS blocker_db_pid, b.application_name AS blocker_application, b.state AS blocker_state,
       extract(epoch FROM clock_timestamp() - b.xact_start)::float8 AS blocker_transaction_s,
       left(b.query, 4000) AS blocker_query, count(*) OVER () AS total
FROM pg_catalog.pg_stat_activity a CROSS JOIN LATERAL unnest(pg_blocking_pids(a.pid)) AS blocking(pid)
LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = blocking.pid
WHERE a.wait_event_type = 'Lock' ORDER BY waits_s DESC, a.pid LIMIT 20]]

local TRANSACTIONS = [[
SELECT pid AS db_pid, application_name AS application, state, left(query, 4000) AS query,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS transaction_s,
       age(backend_xmin)::int8 AS holds_back, count(*) OVER () AS total
FROM pg_catalog.pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
ORDER BY xact_start, pid LIMIT 20]]

local SIZES = [[
SELECT n.nspname::text AS schema, c.relname::text AS name,
       (pg_total_relation_size(c.oid) / 1048576.0)::float8 AS total_mb,
       (pg_indexes_size(c.oid) / 1048576.0)::float8 AS indexes_mb, pg_stat_get_live_tuples(c.oid) AS live_rows,
       pg_stat_get_dead_tuples(c.oid) AS dead_rows, count(*) OVER () AS total,
       (pg_database_size(current_database()) / 1048576.0)::float8 AS database_mb
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_t'
ORDER BY 3 DESC, 1, 2 LIMIT $1::int8]]

local CACHE = [[
SELECT blks_hit AS hits, blks_read AS reads,
       round(100.0 * blks_hit / nullif(blks_hit + blks_read, 0), 2)::float8 AS hit_pct,
       deadlocks, temp_files,
       extract(epoch FROM now() - coalesce(stats_reset, pg_postmaster_start_time()))::int8 AS since_s
FROM pg_catalog.pg_stat_database WHERE datname = current_database()]]

local COST = "one transaction on a connection of the repo's pool, read-only, 5 s at most"

-- A callback that answers with rows, or with the one row there is.
local function asks(sql, key, whole)
  return function(node, args)
    local answer, err = texts.read(node, sql, { args and args.limit })
    if not answer or answer.unavailable then return answer, err end
    if not key then return texts.tidy(answer.rows[1]) end
    return texts.listed(answer, key, whole)
  end
end

local function callback(doc, returns, run, args)
  return { doc = doc, returns = returns, run = run, args = args, class = "SAFE", cost = COST }
end

local function cited(results, paths)
  local list = {}
  for _, path in ipairs(paths) do
    local value = results[1]
    for key in path:gmatch "[%w_]+" do value = value and value[tonumber(key) or key] end
    if value ~= nil then list[#list + 1] = { look = 1, path = path, value = value } end
  end
  return list
end

local function session(pid, application)
  return ("session %d"):format(pid) .. (application and (" (%s)"):format(application) or "")
end

return {
  name = "postgres",
  title = "PostgreSQL",
  about = "The database behind the node's Ecto repo: connections, locks, long transactions, sizes, cache.",
  needs = "an Ecto repo on PostgreSQL",
  prompt = [[
You look after the PostgreSQL database behind one BEAM node. Worth a notification: sessions that wait for a lock, with
who holds it; a transaction of a minute or more, worst when it is idle; connections near what the server takes.
A short wait for a lock is traffic. Name the session (db_pid), its application and its query as shown.]],

  queries = { database = texts.words .. texts.database },
  snapshot = asks(STATE),
  available = function(node)
    local answer, err = texts.read(node, "SELECT 1 AS one")
    if not answer then return tostring(err) end
    return answer.unavailable or true
  end,

  callbacks = {
    postgres_connections = callback("Connections by application and state, against how many the server takes.",
      { "connections, takes", "groups[]: application, state, count, longest_s (in that state)" },
      asks(CONNECTIONS, "groups", { "total", "connections", "takes" })),
    postgres_locks = callback("Sessions that wait for a lock, and who holds it, longest wait first.",
      { "total, showing", "blocked[]: db_pid, application, query (without values), waits_s, blocker_db_pid, "
        .. "blocker_application, blocker_state, blocker_transaction_s, blocker_query" },
      asks(BLOCKED, "blocked", { "total" })),
    postgres_transactions = callback("Open transactions, oldest first. One that is idle keeps locks and stops vacuum.",
      { "total, showing", "sessions[]: db_pid, application, state, query, transaction_s, holds_back (transactions)" },
      asks(TRANSACTIONS, "sessions", { "total" })),
    postgres_table_sizes = callback("The largest tables, with rows that are dead.",
      { "total, showing, database_mb", "tables[]: schema, name, total_mb, indexes_mb, live_rows, dead_rows" },
      asks(SIZES, "tables", { "total", "database_mb" }),
      { { name = "limit", type = "integer", min = 1, max = 50, default = 10 } }),
    postgres_cache = callback("How much of what was read came out of PostgreSQL's memory, since its counters began.",
      { "hits, reads, hit_pct, deadlocks, temp_files, since_s" }, asks(CACHE)),
  },

  checks = {
    {
      id = "blocked", mechanism = "postgres_lock_wait", expert = "a session that waits for a lock for a second or more",
      suspect = function(now) return (now.waiting or 0) > 0 end,
      look = { { "postgres_locks" } },
      confirm = function(results)
        local first = results[1].blocked and results[1].blocked[1]
        if not first or first.waits_s < WAITS_S or not first.blocker_db_pid then return nil end
        local holder = session(first.blocker_db_pid, first.blocker_application)
        return {
          object = holder, severity = first.waits_s >= 30 and "critical" or "warning", confidence = "high",
          figures = cited(results, { "total", "blocked[1].waits_s", "blocked[1].db_pid", "blocked[1].blocker_db_pid",
            "blocked[1].blocker_state", "blocked[1].blocker_transaction_s" }),
          hypothesis = ("%s holds a lock that %s has waited for %.1f s; it is %s, in a transaction of %.1f s."):format(
            holder, session(first.db_pid, first.application), first.waits_s, first.blocker_state or "unknown",
            first.blocker_transaction_s or 0),
          unlike = { slow_query = "who waits for a lock does no work" },
          next_steps = {
            { text = "find the code that opens this transaction, and what it does before it commits", risk = "SAFE" },
            { text = ("SELECT pg_terminate_backend(%d) rolls its work back"):format(first.blocker_db_pid),
              risk = "DANGEROUS" },
          },
        }
      end,
    },
    {
      id = "long", mechanism = "postgres_long_transaction", expert = ("a transaction of %d s or more"):format(LONG_S),
      suspect = function(now) return (now.longest_transaction_s or 0) >= LONG_S end,
      look = { { "postgres_transactions" } },
      confirm = function(results)
        local oldest = results[1].sessions and results[1].sessions[1]
        if not oldest or oldest.transaction_s < LONG_S then return nil end
        local who = session(oldest.db_pid, oldest.application)
        return {
          object = who, severity = "warning",
          figures = cited(results, { "sessions[1].transaction_s", "sessions[1].state", "sessions[1].holds_back",
            "total" }),
          hypothesis = ("%s has had a transaction open for %.0f s and is %s: its locks stay, and vacuum removes no row "
            .. "that it may still see."):format(who, oldest.transaction_s, oldest.state),
          unlike = { postgres_lock_wait = "a lock wait has somebody who waits: see postgres_locks" },
          next_steps = {
            { text = "see what the node does between its first query and the commit", risk = "SAFE" },
            { text = "set idle_in_transaction_session_timeout", risk = "CAUTION" },
          },
        }
      end,
    },
    {
      id = "connections", mechanism = "postgres_connections_near_limit",
      expert = ("connections at %d %% of what the server takes"):format(NEARLY_FULL_PCT),
      suspect = function(now) return (now.used_pct or 0) >= NEARLY_FULL_PCT end,
      look = { { "postgres_connections" } },
      confirm = function(results)
        local now = results[1]
        if not now.takes or 100 * now.connections / now.takes < NEARLY_FULL_PCT then return nil end
        local most = now.groups[1]
        return {
          object = "connections", severity = "warning",
          figures = cited(results, { "connections", "takes", "groups[1].application", "groups[1].state",
            "groups[1].count" }),
          hypothesis = ("%d of %d connections are taken, %d of them by %s (%s)."):format(now.connections, now.takes,
            most.count, most.application or "no name", most.state),
          unlike = { busy_pool = "a pool that is too small makes callers wait on the node, not here" },
          next_steps = {
            { text = "add up the pool sizes of all nodes that share this server", risk = "SAFE" },
            { text = "make pools smaller, or put a pooler between", risk = "CAUTION" },
          },
        }
      end,
    },
  },
}
