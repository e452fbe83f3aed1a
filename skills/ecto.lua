--- Ecto: what a repo's queries take, as Ecto itself measures it, and what the database behind the
--- repo says of itself. Neither Ecto nor its PostgreSQL driver was at hand when this was tested: stand-ins of
--- their documented form were, in front of a real PostgreSQL.

local texts = ...

-- A pool that DBConnection runs itself says how many connections are free and how many callers wait;
-- any other kind of pool might not know the question. The size is read from the application's configuration.
local POOLS = texts.rows .. texts.repos .. [=[
  Pid = fun(R) -> case Has('Elixir.Ecto.Repo.Registry', lookup, 1) andalso
                       catch 'Elixir.Ecto.Repo.Registry':lookup(R) of
                    {_, M} when is_map(M) -> maps:get(pid, M, none); M when is_map(M) -> maps:get(pid, M, none);
                    _ -> none end end,
  Ours = fun(P) -> is_pid(P) andalso Key(P, '$initial_call', 0) =:= {'Elixir.DBConnection.ConnectionPool', init, 1} end,
  Ready = fun(R) -> P = Pid(R),
    case Has('Elixir.DBConnection', get_connection_metrics, 1) andalso Ours(P) andalso
         catch 'Elixir.DBConnection':get_connection_metrics(P) of
      [_ | _] = L -> [{ready, lists:sum([maps:get(ready_conn_count, X, 0) || X <- L])},
                      {waiting, lists:sum([maps:get(checkout_queue_length, X, 0) || X <- L])}];
      _ -> [] end end,
  Size = fun(R) -> case Get(pool_size, lists:append(Envs(R))) of N when is_integer(N) -> N; _ -> undefined end end,
  [Some([{repo, Text(R)}, {adapter, Text(R:'__adapter__'())}, {pool_size, Size(R)} | Ready(R)]) || R <- Repos()].]=]

local SLOW_MS = 100       -- as the relay has it
local RECENT_MINUTES = 10 -- of the queries that are listed
local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }

local function ms(us) return us and math.floor(us / 10 + 0.5) / 100 end

local function events_of(heard, kind)
  local list = {}
  for _, event in ipairs(heard.events) do
    if event.type == kind then list[#list + 1] = event end
  end
  return list
end

local function sum(list, key)
  local total = 0
  for _, item in ipairs(list) do total = total + item[key] end
  return total
end

local function largest(list, key)
  local most
  for _, item in ipairs(list) do most = math.max(most or 0, item[key]) end
  return most
end

--- The value below which 95 of 100 lie, by buckets an eighth of an octave wide, so within 5 %.
local function p95(list, key)
  local counts, highest, total = {}, 0, 0
  for _, item in ipairs(list) do
    for _, share in ipairs(item[key]) do
      counts[share.bucket] = (counts[share.bucket] or 0) + share.count
      highest, total = math.max(highest, share.bucket), total + share.count
    end
  end
  if total == 0 then return nil end
  local below = 0
  for bucket = 0, highest do
    below = below + (counts[bucket] or 0)
    if below >= total * 0.95 then return 2 ^ ((bucket + 0.5) / 8) - 1 end
  end
end

local function figures(heard)
  local sums = events_of(heard, "sum")
  local count, timed = sum(sums, "count"), sum(sums, "timed")
  local longest = largest(sums, "longest_us")
  local middle = p95(sums, "times")
  return {
    query_count = count, slow_count = sum(sums, "slow"), error_count = sum(sums, "errors"), slow_ms = SLOW_MS,
    avg_time_ms = timed > 0 and ms(sum(sums, "total_us") / timed) or nil, max_time_ms = ms(longest),
    p95_time_ms = middle and ms(math.min(middle, longest)),
    listened_seconds = heard.listened_seconds, dropped = heard.dropped + count - timed, ended = heard.ended,
  }, sums
end

local function listen(node, minutes)
  local heard = node.events.of("telemetry", minutes, 2)
  if heard.unavailable then return nil, heard end
  return heard
end

local function snapshot(node)
  local heard, off = listen(node, 1)
  if not heard then return off end
  return (figures(heard))
end

local function shown(event)
  return {
    query = texts.parameterised(event.text), source = event.source, repo = event.repo, why = event.why,
    total_ms = ms(event.total_us), query_ms = ms(event.query_us), queue_ms = ms(event.wait_us),
    decode_ms = ms(event.decode_us), error = event.error, code = event.code, age_s = math.floor(event.age + 0.5),
  }
end

-- Queries of one text together. Slow and long ones are told of more often, so shares are of the samples only.
local function by_text(events)
  local groups, list, sampled = {}, {}, 0
  for _, event in ipairs(events) do
    if event.why == "sample" and event.text then
      local text = texts.parameterised(event.text)
      if not groups[text] then
        groups[text] = { query = text, source = event.source, repo = event.repo, samples = 0, us = 0 }
        list[#list + 1] = groups[text]
      end
      local group = groups[text]
      group.samples, group.us, sampled = group.samples + 1, group.us + event.total_us, sampled + 1
    end
  end
  for _, group in ipairs(list) do
    group.share_pct, group.avg_ms = math.floor(1000 * group.samples / sampled + 0.5) / 10, ms(group.us / group.samples)
    group.us = nil
  end
  table.sort(list, function(a, b)
    if a.samples ~= b.samples then return a.samples > b.samples end
    return a.query < b.query
  end)
  return list
end

local function by_error(events)
  local counts, list = {}, {}
  for _, event in ipairs(events) do
    if event.error then
      local key = event.error .. (event.code and " " .. event.code or "")
      if not counts[key] then
        counts[key] = { error = event.error, code = event.code, heard = 0 }
        list[#list + 1] = counts[key]
      end
      counts[key].heard = counts[key].heard + 1
    end
  end
  table.sort(list, function(a, b) return a.heard > b.heard end)
  return list
end

local function query_stats(node)
  local heard, off = listen(node, 1)
  if not heard then return off end
  local answer = figures(heard)
  local queries = events_of(heard, "query")
  local groups = by_text(queries)
  answer.queries_per_second = math.floor(100 * answer.query_count / math.max(1, heard.listened_seconds) + 0.5) / 100
  answer.total, answer.queries = #groups, { unpack(groups, 1, 10) }
  answer.showing, answer.errors = #answer.queries, by_error(queries)
  return answer
end

local function slow_queries(node, args)
  local heard, off = listen(node, RECENT_MINUTES)
  if not heard then return off end
  local all, list = events_of(heard, "query"), {}
  table.sort(all, function(a, b)
    if a.total_us ~= b.total_us then return a.total_us > b.total_us end
    return a.age < b.age
  end)
  for i = 1, math.min(args.limit, #all) do list[i] = shown(all[i]) end
  return { total = #all, showing = #list, slow_ms = SLOW_MS, slow_count = sum(events_of(heard, "sum"), "slow"),
    queries = list, listened_seconds = heard.listened_seconds, dropped = heard.dropped, ended = heard.ended }
end

local function pool_stats(node)
  local pools, err = node.ask "pools"
  if not pools then return nil, err end
  if #pools == 0 then return { unavailable = texts.no_repo } end
  local heard, off = listen(node, 1)
  if not heard then return { pools = pools, unheard = off.unavailable } end
  local _, sums = figures(heard)
  local waits = sum(sums, "waits")
  return {
    pools = pools, checkouts = waits,
    queue_avg_ms = waits > 0 and ms(sum(sums, "wait_us") / waits) or nil,
    queue_p95_ms = waits > 0 and ms(math.min(p95(sums, "wait_times"), largest(sums, "longest_wait_us"))) or nil,
    queue_max_ms = waits > 0 and ms(largest(sums, "longest_wait_us")) or nil,
    listened_seconds = heard.listened_seconds, dropped = heard.dropped, ended = heard.ended,
  }
end

local FIGURES = "query_count, avg_time_ms, max_time_ms, p95_time_ms (within 5 %), slow_count (of slow_ms and more), "
  .. "error_count; listened_seconds of the last minute, dropped (counted, but not measured)"
local HANDLER = "a telemetry handler: about 10 µs in the process of each query, and a tenth of a core beside them "
  .. "at 700 queries a second"

---@type Skill
return {
  name = "ecto",
  title = "Ecto repos",
  about = "Queries of an Ecto repo: how long, how many fail, what waits for the pool; and PostgreSQL's own view: "
    .. "locks, unused indexes, bloat.",
  needs = "Ecto with its telemetry events; for what the database says, a repo on PostgreSQL",

  prompt = [[
You look after the Ecto repos of one BEAM node and the PostgreSQL database behind them.
A query's time is what it waited for a connection (queue), what the database took (query) and decoding; say which.
Long queues with quick queries: the pool is too small or a transaction holds its connection; slow queries: look at
the database, its locks first, then what runs long, then indexes and bloat.
Worth a notification: a lock that others wait for; a transaction idle for minutes; a pool whose callers wait; one
query text far more frequent than all others; a large unused index; a table whose dead rows nobody removes.
Counters of tables and indexes count since stats_age_s; young ones prove nothing.
Name the query as it is shown, without guessing its parameters, or the table, or the database session (db_pid).]],

  uses = { "events" },
  relays = { "telemetry" },
  snapshot = snapshot,

  available = function(node)
    local pools, err = node.ask "pools"
    if not pools then return tostring(err) end
    return pools[1] and true or texts.no_repo
  end,

  queries = { pools = POOLS, database = texts.words .. texts.database },

  callbacks = {
    ecto_query_stats = {
      doc = "Queries of the last minute as Ecto measured them, the texts that are sampled most, and errors by kind.",
      returns = { FIGURES, "queries_per_second", "total, showing", "queries[]: query (without values), source, repo, "
        .. "samples, share_pct (of all samples), avg_ms", "errors[]: error, code, heard" },
      class = "SAFE", cost = HANDLER,
      run = query_stats,
    },
    ecto_slow_queries = {
      doc = "The slowest queries heard of in ten minutes: those that were slow, failed or longest, and samples.",
      args = { LIMIT },
      returns = { "total, showing, slow_ms, slow_count", "queries[]: query (without values), source, repo, total_ms, "
        .. "query_ms, queue_ms, decode_ms, why (slow, error, longest, sample), error, code, age_s",
        "listened_seconds, dropped" },
      class = "SAFE", cost = HANDLER,
      run = slow_queries,
    },
    ecto_pool_stats = {
      doc = "The connection pool of each repo, and how long queries of the last minute waited for a connection.",
      returns = { "pools[]: repo, adapter, pool_size, ready (connections free now), waiting (callers); the last two "
        .. "where DBConnection tells them", "checkouts, queue_avg_ms, queue_p95_ms, queue_max_ms",
        "listened_seconds, dropped" },
      class = "SAFE", cost = HANDLER .. "; one call to each pool",
      run = pool_stats,
    },
  },
}
