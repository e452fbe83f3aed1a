--- Oban: background jobs, kept in a table of the database behind an Ecto repo. Asked by SQL alone, by the
--- repo's own connection; of a job its arguments, meta and tags are never read. Oban itself was not at hand when
--- this was tested: a table of the documented form was, in a real PostgreSQL.

local texts = ...

local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }
local PREFIX = { name = "prefix", type = "string", default = "public" } -- the schema that Oban is configured with
local REPO = { name = "repo", type = "string", default = "" }
local COST = "two transactions on a connection of the repo's pool, read-only, 5 s at most each"

-- Oban keeps times in UTC without saying so. States are compared as text: a table of an older Oban has
-- fewer of them. The schema is the search path, so the name stands alone; what another schema has is not found.
local PRESENT = "SELECT to_regclass('oban_jobs') IS NOT NULL AS present"

local NOW = "timezone('UTC', clock_timestamp())"

local SNAPSHOT = [[
SELECT count(*) FILTER (WHERE state::text = 'available') AS available,
       count(*) FILTER (WHERE state::text = 'executing') AS executing,
       count(*) FILTER (WHERE state::text = 'retryable') AS retryable,
       count(*) FILTER (WHERE state::text = 'scheduled') AS scheduled,
       count(*) FILTER (WHERE state::text = 'discarded') AS discarded,
       extract(epoch FROM ]] .. NOW .. [[ - min(scheduled_at) FILTER (WHERE state::text = 'available'))::float8
         AS oldest_available_s
FROM oban_jobs WHERE state IN ('available', 'executing', 'retryable', 'scheduled', 'discarded')]]

local COUNTS = [[
SELECT queue, state::text AS state, count(*) AS count,
       extract(epoch FROM ]] .. NOW .. [[ - CASE state WHEN 'executing' THEN min(attempted_at)
                                             WHEN 'available' THEN min(scheduled_at) END)::float8 AS oldest_s,
       count(*) OVER () AS total, sum(count(*)) OVER ()::int8 AS jobs
FROM oban_jobs GROUP BY queue, state ORDER BY 3 DESC, 1, 2 LIMIT 50]]

-- Of what should be going on: jobs that wait for a free worker, and those that a worker has had for long.
local OLDEST = [[
SELECT id, queue, worker, state::text AS state, attempt, max_attempts, age_s, count(*) OVER () AS total
FROM (SELECT id, queue, worker, state, attempt, max_attempts,
             extract(epoch FROM ]] .. NOW .. [[ - CASE WHEN state = 'executing' THEN attempted_at
                                                        ELSE scheduled_at END)::float8 AS age_s
      FROM oban_jobs WHERE state IN ('available', 'executing', 'retryable')) AS jobs
WHERE age_s >= 0 ORDER BY age_s DESC, id LIMIT $1::int8]]

-- The last error of the job that failed last. Its text begins "** (Module) message" or "** (exit) …";
-- what stands in the parentheses is all that leaves the database.
local FAILING = [[
SELECT worker, count(*) FILTER (WHERE state = 'discarded') AS discarded,
       count(*) FILTER (WHERE state = 'retryable') AS retryable,
       extract(epoch FROM ]] .. NOW .. [[ - max(attempted_at))::float8 AS last_attempt_s,
       (array_agg(substring(errors[array_upper(errors, 1)] ->> 'error' FROM '^\*\* \(([A-Za-z0-9_.:]+)\)')
                  ORDER BY attempted_at DESC NULLS LAST, id DESC))[1] AS last_error,
       count(*) OVER () AS total
FROM oban_jobs WHERE state IN ('discarded', 'retryable')
GROUP BY worker ORDER BY count(*) DESC, worker LIMIT $1::int8]]

local function no_table(prefix)
  return { unavailable = ("no table oban_jobs in the schema %s behind a repo of this node: Oban is not used, or has "
    .. "another prefix or repo, which can be given"):format(prefix) }
end

-- The first repo that has the table, where none was named: an application may have several.
local function find(node, args)
  local o = { repo = args.repo, path = args.prefix }
  local answer, err = texts.read(node, PRESENT, {}, o)
  if not answer or answer.unavailable or answer.rows[1].present then return answer, err end
  if args.repo == "" then
    for _, other in ipairs(answer.others or {}) do
      local there = texts.read(node, PRESENT, {}, { repo = other, path = args.prefix })
      if there and there.rows and there.rows[1].present then return there end
    end
  end
  return no_table(args.prefix)
end

local function ask(node, sql, params, args)
  local found, err = find(node, args)
  if not found or found.unavailable then return found, err end
  return texts.read(node, sql, params, { repo = found.repo, path = args.prefix })
end

local function list_of(sql, key, whole)
  return function(node, args)
    local answer, err = ask(node, sql, args.limit and { args.limit } or {}, args)
    if not answer or answer.unavailable then return answer, err end
    return texts.listed(answer, key, whole)
  end
end

local function snapshot(node)
  local answer, err = ask(node, SNAPSHOT, {}, { prefix = "public", repo = "" })
  if not answer or answer.unavailable then return answer, err end
  return texts.tidy(answer.rows[1])
end

local ROWS = "repo, total, showing"

---@type Skill
return {
  name = "oban",
  title = "Oban jobs",
  about = "Background jobs of Oban: how many wait, run, fail, and which worker's fail; from its table, by SQL.",
  needs = "an oban_jobs table in PostgreSQL behind an Ecto repo of the node",

  prompt = [[
You look after the background jobs of one BEAM application, kept by Oban in a database table.
A job is scheduled, then available, executing, and completed; a failed one is retryable until its attempts are used
up, then discarded. Nothing fetches an available job when its queue is not running or all its workers are busy.
Worth a notification: available jobs that grow old; one that executes for longer than its worker ever should, or
since before the node started (an orphan); a worker whose jobs all fail with one error; many discarded.
Not worth one: scheduled jobs, completed ones, a few retries.
Name the queue, the worker, the count and the age. Arguments of jobs are not shown, do not guess them.]],

  snapshot = snapshot,

  available = function(node)
    local found, err = find(node, { prefix = "public", repo = "" })
    if not found then return tostring(err) end
    return found.unavailable or true
  end,

  queries = { database = texts.words .. texts.database },

  callbacks = {
    oban_job_counts = {
      doc = "Jobs by queue and state, most first.",
      args = { PREFIX, REPO },
      returns = { ROWS, "jobs (in all)", "counts[]: queue, state, count, oldest_s (of available since due, of "
        .. "executing since begun)" },
      class = "SAFE", cost = COST .. "; counts every row of oban_jobs",
      run = list_of(COUNTS, "counts", { "total", "jobs" }),
    },
    oban_oldest = {
      doc = "The jobs that are available, executing or due for another try for longest.",
      args = { LIMIT, PREFIX, REPO },
      returns = { ROWS, "jobs[]: id, queue, worker, state, attempt, max_attempts, age_s (since due, of executing since "
        .. "begun)" },
      class = "SAFE", cost = COST .. "; reads every unfinished job",
      run = list_of(OLDEST, "jobs", { "total" }),
    },
    oban_failing = {
      doc = "Workers whose jobs fail, most first, with the type of the error that came last.",
      args = { LIMIT, PREFIX, REPO },
      returns = { ROWS, "workers[]: worker, discarded, retryable, last_error (type), last_attempt_s (ago)" },
      class = "SAFE", cost = COST .. "; reads every failed job",
      run = list_of(FAILING, "workers", { "total" }),
    },
  },
}
