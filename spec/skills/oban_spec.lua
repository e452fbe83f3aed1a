-- Jobs in a table of the form that Oban documents, in a real PostgreSQL behind a stand-in for an Ecto
-- repo. Oban itself is not there. Figures are compared with what psql says.
local live = require "spec.support.live_node"
local postgres = require "spec.support.postgres"
local shop = require "spec.support.shop"
local skill = require "runtime.skill"

local oban = assert(skill.open "oban")

local TABLE = [[
CREATE TYPE oban_job_state AS ENUM
  ('available', 'scheduled', 'executing', 'retryable', 'completed', 'discarded', 'cancelled');
CREATE TABLE oban_jobs (
  id bigserial PRIMARY KEY, state oban_job_state NOT NULL DEFAULT 'available', queue text NOT NULL DEFAULT 'default',
  worker text NOT NULL, args jsonb NOT NULL DEFAULT '{}', errors jsonb[] NOT NULL DEFAULT ARRAY[]::jsonb[],
  attempt int NOT NULL DEFAULT 0, max_attempts int NOT NULL DEFAULT 20,
  inserted_at timestamp NOT NULL DEFAULT timezone('UTC', now()),
  scheduled_at timestamp NOT NULL DEFAULT timezone('UTC', now()),
  attempted_at timestamp, completed_at timestamp, attempted_by text[], discarded_at timestamp, cancelled_at timestamp,
  priority int NOT NULL DEFAULT 0, tags text[] DEFAULT ARRAY[]::text[], meta jsonb DEFAULT '{}');
]]

-- The database's zone is not UTC, so that an age in local time would be hours off.
local JOBS = [[
ALTER DATABASE postgres SET timezone = 'Asia/Tokyo';
INSERT INTO oban_jobs (state, queue, worker, args, scheduled_at) SELECT 'available', 'mail', 'Shop.Mailer',
  '{"card": "hush"}', timezone('UTC', now()) - interval '90 seconds' * n FROM generate_series(1, 30) n;
INSERT INTO oban_jobs (state, queue, worker, args, attempt, attempted_at, scheduled_at) VALUES ('executing', 'media',
  'Shop.Thumbnails', '{"card": "hush"}', 3, timezone('UTC', now()) - interval '2 hours',
  timezone('UTC', now()) - interval '1 day');
INSERT INTO oban_jobs (state, queue, worker, scheduled_at) SELECT 'scheduled', 'mail', 'Shop.Reminder',
  timezone('UTC', now()) + interval '1 day' FROM generate_series(1, 5);
INSERT INTO oban_jobs (state, queue, worker) SELECT 'completed', 'mail', 'Shop.Mailer' FROM generate_series(1, 100);
INSERT INTO oban_jobs (state, queue, worker, attempt, attempted_at, errors)
  SELECT (CASE WHEN n <= 4 THEN 'discarded' ELSE 'retryable' END)::oban_job_state, 'sync', 'Shop.Importer', 20,
    timezone('UTC', now()) - interval '1 minute' * n,
    ARRAY[jsonb_build_object('at', now(), 'attempt', 1, 'error', '** (KeyError) key :card not found in: %{hush: 1}'),
          jsonb_build_object('at', now(), 'attempt', n, 'error', CASE WHEN n = 1
            THEN E'** (DBConnection.ConnectionError) tcp recv: closed hush\n    (shop 1.0) lib/shop.ex:3'
            ELSE '** (RuntimeError) hush' END)]
  FROM generate_series(1, 10) n;
INSERT INTO oban_jobs (state, queue, worker, attempt, attempted_at, errors) VALUES ('retryable', 'sync', 'Shop.Odd', 1,
  timezone('UTC', now()), ARRAY[jsonb_build_object('error', 'no shape that we know: hush')]);
]]

describe("oban skill", function()
  local at, pg, callback

  local function snapshot() return skill.snapshot(oban, at.node) end

  local function find(rows, key, value)
    for _, row in ipairs(rows) do if row[key] == value then return row end end
  end

  local function no_secret(value)
    if type(value) == "table" then
      for _, inner in pairs(value) do no_secret(inner) end
    else
      assert.is_nil(tostring(value):find("hush", 1, true))
    end
  end

  setup(function()
    pg = postgres.start()
    at = live.start()
    callback = skill.functions(oban, at.node)
    live.test(function() shop.open(at, pg, 2) end)()
  end)

  teardown(function()
    live.stop_all()
    pg:stop()
  end)

  it("says that Oban is not used where there is no table", live.test(function()
    local none = "no table oban_jobs in the schema public behind a repo of this node: Oban is not used, or has another "
      .. "prefix or repo, which can be given"
    assert.equal(none, skill.available(oban, at.node))
    assert.equal(none, snapshot().unavailable)
    assert.equal(none, callback.oban_job_counts().unavailable)
    pg:ask(TABLE .. JOBS)
    at.eval("'Elixir.Shop.Repo':stop(), 'Elixir.Shop.Repo':start(P, \"postgres\", \"postgres\", 2).", { P = pg.port })
  end))

  it("counts jobs by state, and how long one has been due, whatever the database's zone", live.test(function()
    local figures = snapshot()
    assert.near(2700, figures.oldest_available_s, 60)
    figures.oldest_available_s = nil
    assert.same({ available = 30, executing = 1, retryable = 7, scheduled = 5, discarded = 4 }, figures)
  end))

  it("is there where the table is", live.test(function()
    assert.is_true(skill.available(oban, at.node))
  end))

  it("counts jobs by queue and state, as psql does", live.test(function()
    local counts = callback.oban_job_counts()
    local lines = {}
    for i, row in ipairs(counts.counts) do lines[i] = ("%s|%s|%d"):format(row.queue, row.state, row.count) end
    assert.equal(pg:ask "SELECT queue, state, count(*) FROM oban_jobs GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2::text",
      table.concat(lines, "\n"))
    assert.same({ 147, #lines, #lines }, { counts.jobs, counts.total, counts.showing })
    assert.near(7200, find(counts.counts, "state", "executing").oldest_s, 60)
    assert.is_nil(find(counts.counts, "state", "completed").oldest_s)
  end))

  it("puts the job first that has been going on for longest, and says nothing of its arguments", live.test(function()
    local oldest = callback.oban_oldest(2)
    assert.near(7200, oldest.jobs[1].age_s, 60)
    assert.near(2700, oldest.jobs[2].age_s, 60)
    local first = oldest.jobs[1]
    assert.same({ "media", "Shop.Thumbnails", "executing", 3, 20 },
      { first.queue, first.worker, first.state, first.attempt, first.max_attempts })
    assert.same({ "mail", "Shop.Mailer", "available" },
      { oldest.jobs[2].queue, oldest.jobs[2].worker, oldest.jobs[2].state })
    assert.equal(2, oldest.showing)
    no_secret(oldest)
  end))

  it("names the workers that fail, with the type of the last error and none of its words", live.test(function()
    local failing = callback.oban_failing()
    local first = failing.workers[1]
    assert.same({ "Shop.Importer", 4, 6, "DBConnection.ConnectionError" },
      { first.worker, first.discarded, first.retryable, first.last_error })
    assert.near(60, first.last_attempt_s, 60)
    local odd = failing.workers[2]
    assert.same({ "Shop.Odd", 0, 1 }, { odd.worker, odd.discarded, odd.retryable })
    assert.is_nil(odd.last_error)
    no_secret(failing)
  end))

  it("finds the repo that has the table among several", live.test(function()
    pg:ask "CREATE DATABASE archive"
    shop.open_another(at, pg, "Shop.Archive", "archive")
    local oldest, archive = callback.oban_oldest(1), callback.oban_oldest(1, "public", "Shop.Archive")
    at.eval "ok = application:set_env(shop, ecto_repos, ['Elixir.Shop.Repo']), true."
    assert.same({ "Shop.Repo", "Shop.Thumbnails" }, { oldest.repo, oldest.jobs[1].worker })
    assert.is_truthy(archive.unavailable)
  end))

  it("looks into another schema where it is told to", live.test(function()
    pg:ask [[CREATE SCHEMA "Night Shift"; CREATE TABLE "Night Shift".oban_jobs (LIKE oban_jobs INCLUDING DEFAULTS);
      CREATE TYPE "Night Shift".oban_job_state AS ENUM ('available');
      INSERT INTO "Night Shift".oban_jobs (worker) VALUES ('Shop.Owl')]]
    assert.equal("Shop.Owl", callback.oban_oldest(1, "Night Shift").jobs[1].worker)
    assert.is_truthy(callback.oban_oldest(1, "nowhere; DROP TABLE oban_jobs").unavailable)
    assert.equal("147", pg:ask "SELECT count(*) FROM oban_jobs")
  end))
end)
