-- What a database does now: the conditions are made by sessions of psql in a real PostgreSQL, and
-- psql is asked by another road for what the skill should see.
local live = require "spec.support.live_node"
local postgres = require "spec.support.postgres"
local shop = require "spec.support.shop"
local skill = require "runtime.skill"

local ecto = assert(skill.open "ecto")

describe("ecto skill, of what the database does", function()
  local at, pg, callback

  local function find(rows, key, value)
    for _, row in ipairs(rows) do if row[key] == value then return row end end
  end

  local function number(sql) return tonumber((pg:ask(sql))) end

  local function pid_of(name)
    return number(("SELECT pid FROM pg_stat_activity WHERE application_name = '%s'"):format(name))
  end

  setup(function()
    pg = postgres.start { args = { "-c", "shared_preload_libraries=pg_stat_statements" } }
    at = live.start()
    callback = skill.functions(ecto, at.node)
    live.test(function() shop.open(at, pg, 2) end)()
    pg:ask "CREATE TABLE parcels (id int, note text); INSERT INTO parcels VALUES (1, 'a'), (2, 'b')"
  end)

  teardown(function()
    live.stop_all()
    pg:stop()
  end)

  it("tells how to have statements counted where they are not", live.test(function()
    assert.is_truthy(callback.ecto_db_slow_queries().unavailable:find("CREATE EXTENSION pg_stat_statements", 1, true))
  end))

  it("puts the statement first that cost most, in whatever schema the counts are", live.test(function()
    pg:ask "CREATE SCHEMA tools; CREATE EXTENSION pg_stat_statements SCHEMA tools"
    pg:ask "SELECT pg_sleep(0.4), 'hush'; SELECT pg_sleep(0.2), 'hush'"
    local slow = callback.ecto_db_slow_queries(1)
    local row = slow.queries[1]
    assert.same({ "SELECT pg_sleep($1), $2", 2, 2, 1 }, { row.query, row.calls, row.rows, slow.showing })
    local of_it = "FROM tools.pg_stat_statements WHERE query ~ '^SELECT pg_sleep'"
    assert.near(number("SELECT total_exec_time " .. of_it), row.total_ms, 0.01)
    assert.near(number("SELECT max_exec_time " .. of_it), row.max_ms, 0.01)
    assert.is_true(row.avg_ms >= 300 and row.share_pct > 50)
  end))

  it("says who waits for a lock and who holds it, without a value of their queries", live.test(function()
    local holder, waiter = pg:session "holder", pg:session "waiter"
    holder.send "BEGIN; UPDATE parcels SET note = 'hush' WHERE id = 1;"
    pg:await("SELECT state FROM pg_stat_activity WHERE application_name = 'holder'", "idle in transaction")
    waiter.send "UPDATE parcels SET note = 'me' WHERE id = 1;"
    pg:await("SELECT wait_event_type FROM pg_stat_activity WHERE application_name = 'waiter'", "Lock")
    local locks = callback.ecto_locks()
    local row = locks.blocked[1]
    local waits, holds = pid_of "waiter", pid_of "holder"
    holder.close()
    waiter.close()
    assert.equal(1, locks.total)
    assert.same({ waits, "waiter", "UPDATE parcels SET note = ? WHERE id = ?;" },
      { row.db_pid, row.application, row.query })
    assert.same({ holds, "holder", "idle in transaction", "UPDATE parcels SET note = ? WHERE id = ?;" },
      { row.blocker_db_pid, row.blocker_application, row.blocker_state, row.blocker_query })
    assert.same({ "transactionid", "ShareLock" }, { row.type, row.mode })
    assert.is_true(row.waits_s >= 0 and row.blocker_transaction_s >= row.waits_s)
  end))

  it("names the table where the whole of it is locked", live.test(function()
    local holder, waiter = pg:session "holder", pg:session "waiter"
    holder.send "BEGIN; LOCK TABLE parcels;"
    pg:await("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted", "1")
    waiter.send "SELECT * FROM parcels;"
    pg:await("SELECT wait_event_type FROM pg_stat_activity WHERE application_name = 'waiter'", "Lock")
    local row = callback.ecto_locks().blocked[1]
    holder.close()
    waiter.close()
    assert.same({ "relation", "AccessShareLock", "parcels" }, { row.type, row.mode, row.table })
  end))

  it("says that nobody waits where nobody does", live.test(function()
    assert.same({ repo = "Shop.Repo", total = 0, showing = 0, blocked = {} }, callback.ecto_locks())
  end))

  it("lists transactions that are old, what each does, and none that are young", live.test(function()
    local idler, sleeper, young = pg:session "idler", pg:session "sleeper", pg:session "young"
    idler.send "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM parcels WHERE note = 'hush';"
    sleeper.send "SELECT pg_sleep(600);"
    pg:await([[SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('idler', 'sleeper')
      AND xact_start < clock_timestamp() - interval '1.5 seconds']], "2")
    young.send "BEGIN;"
    pg:await("SELECT state FROM pg_stat_activity WHERE application_name = 'young'", "idle in transaction")
    local long = callback.ecto_long_running()
    local asked = number [[SELECT extract(epoch FROM now() - xact_start) FROM pg_stat_activity
      WHERE application_name = 'idler']]
    pg:ask "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sleeper'"
    for _, session in ipairs { idler, sleeper, young } do session.close() end
    assert.equal(2, long.total)
    local idle, busy = find(long.sessions, "application", "idler"), find(long.sessions, "application", "sleeper")
    assert.same({ "idle in transaction", "SELECT * FROM parcels WHERE note = ?;" }, { idle.state, idle.query })
    assert.is_true(idle.transaction_s <= asked and idle.transaction_s >= 1.5 and idle.idle_s >= 1)
    assert.same({ "active", "SELECT pg_sleep(?);", "Timeout:PgSleep" }, { busy.state, busy.query, busy.waits_for })
    assert.is_true(busy.query_s >= 1.5 and busy.idle_s == nil)
    assert.is_true(idle.holds_back >= 0)
  end))

  it("counts connections by what they do, against how many the server takes", live.test(function()
    local crowd = {}
    for i = 1, 4 do
      crowd[i] = pg:session "crowd"
      crowd[i].send "SELECT 1;"
    end
    pg:await("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crowd' AND state = 'idle'", "4")
    local connections = callback.ecto_connections()
    for _, session in ipairs(crowd) do session.close() end
    local group = find(connections.groups, "application", "crowd")
    assert.same({ 4, "idle", "postgres" }, { group.count, group.state, group.database })
    local sum = 0
    for _, each in ipairs(connections.groups) do sum = sum + each.count end
    assert.equal(sum, connections.connections)
    assert.same({ 40, 3 }, { connections.max_connections, connections.reserved })
    assert.near(100 * connections.connections / 37, connections.used_pct, 0.01)
  end))
end)
