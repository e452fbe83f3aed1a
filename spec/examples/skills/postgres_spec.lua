-- The PostgreSQL skill as a user uses it, by its path and confined, on a live node with a stand-in for a repo in
-- front of a real PostgreSQL. What it says is compared with what psql says.

local live = require "spec.support.live_node"
local postgres = require "spec.support.postgres"
local root = require("host.files").root
local shop = require "spec.support.shop"
local skill = require "runtime.skill"

describe("the PostgreSQL skill", function()
  local at, pg, s, callback, copy

  setup(function()
    pg = postgres.start { args = { "-c", "max_connections=13" } } -- ten, and three for superusers
    at = live.start()
    live.test(function() shop.open(at, pg, 2) end)()
    pg:ask "CREATE TABLE parcels (id int, note text); INSERT INTO parcels VALUES (1, 'a'), (2, 'b')"
    -- A minute is long to wait for, so to this copy a second is long.
    copy = os.tmpname()
    local from, to = assert(io.open(root .. "/examples/skills/postgres.lua")), assert(io.open(copy, "w"))
    to:write((from:read "*a":gsub("LONG_S = 60 ", "LONG_S = 1 ")))
    from:close()
    to:close()
    os.rename(copy, copy .. ".lua")
    copy = copy .. ".lua"
    s = assert(skill.open(copy))
    callback = skill.functions(s, at.node)
  end)

  teardown(function()
    live.stop_all()
    pg:stop()
    os.remove(copy)
  end)

  local function judged(id)
    for _, check in ipairs(s.checks) do
      if check.id == id then
        if not check.suspect(assert(skill.snapshot(s, at.node))) then return nil, "not suspect" end
        return check.confirm { callback[check.look[1][1]]() }
      end
    end
  end

  local function pid_of(name)
    return tonumber((pg:ask(("SELECT pid FROM pg_stat_activity WHERE application_name = '%s'"):format(name))))
  end

  it("does no more than it declares, and is there where a repo is", live.test(function()
    assert.is_true(skill.parse(s, at.node))
    assert.is_true(skill.available(s, at.node))
    assert.matches("no Ecto repo runs on this node", skill.available(s, live.start({ name = "empty@127.0.0.1" }).node))
  end))

  it("cannot be edited into one that writes and calls itself SAFE", live.test(function()
    local file = assert(io.open(copy))
    local text = file:read "*a":gsub("asks%(CACHE%)", [[function(node)
      return node.ask("database", { sql = "DELETE FROM parcels", params = {}, repo = "", path = "",
        ["begin"] = "COMMIT", limits = "SELECT 1" })
    end]])
    file:close()
    local edited = assert(skill.load(text, "edited.lua"))
    local result, err = skill.call(edited, "postgres_cache", {}, at.node)
    assert.equal("2", pg:ask "SELECT count(*) FROM parcels")
    assert.is_nil(result)
    assert.matches("query database of postgres_cache is declared SAFE, and begins its transaction otherwise than",
      tostring(err), 1, true)
  end))

  it("finds nothing on a database that is well", live.test(function()
    for _, check in ipairs(s.checks) do assert.same({ nil, "not suspect" }, { judged(check.id) }) end
  end))

  it("finds who holds the lock that another waits for", live.test(function()
    local holder, waiter = pg:session "holder", pg:session "waiter"
    holder.send "BEGIN; UPDATE parcels SET note = 'hush' WHERE id = 1;"
    pg:await("SELECT state FROM pg_stat_activity WHERE application_name = 'holder'", "idle in transaction")
    waiter.send "UPDATE parcels SET note = 'me' WHERE id = 1;"
    pg:await([[SELECT count(*) FROM pg_stat_activity WHERE application_name = 'waiter' AND wait_event_type = 'Lock'
      AND state_change < clock_timestamp() - interval '1.1 seconds']], "1")
    local finding, locks = judged "blocked", callback.postgres_locks()
    local long, pid = judged "long", pid_of "holder"
    holder.close()
    waiter.close()
    local object = ("session %d (holder)"):format(pid)
    assert.same({ object, "warning" }, { finding.object, finding.severity })
    assert.same({ "UPDATE parcels SET note = ? WHERE id = ?;", "idle in transaction" },
      { locks.blocked[1].blocker_query, locks.blocked[1].blocker_state })
    assert.same({ object, "sessions[1].transaction_s" }, { long.object, long.figures[1].path })
  end))

  it("finds that the server takes hardly any more connections", live.test(function()
    local crowd = {}
    for i = 1, 7 do
      crowd[i] = pg:session "crowd"
      crowd[i].send "SELECT 1;"
    end
    pg:await("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crowd' AND state = 'idle'", "7")
    local finding, groups = judged "connections", callback.postgres_connections()
    for _, each in ipairs(crowd) do each.close() end
    assert.same({ "connections", "warning", 10 }, { finding.object, finding.severity, finding.figures[2].value })
    local most = groups.groups[1]
    assert.same({ "crowd", "idle", 7 }, { most.application, most.state, most.count })
  end))

  it("has sizes and the cache as PostgreSQL counts them", live.test(function()
    local sizes = callback.postgres_table_sizes(1)
    assert.same({ "parcels", 1 }, { sizes.tables[1].name, sizes.showing })
    local bytes = tonumber((pg:ask "SELECT pg_total_relation_size('parcels')"))
    assert.near(bytes / 2 ^ 20, sizes.tables[1].total_mb, 0.01)
    local cache = callback.postgres_cache()
    assert.equal(math.floor(10000 * cache.hits / (cache.hits + cache.reads) + 0.5) / 100, cache.hit_pct)
  end))
end)
