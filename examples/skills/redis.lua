--- Redis beside the node: INFO and SLOWLOG over its own protocol. Use it by its path,
---
---   beamlens-run coordinator.lua --node shop@host --skills beam,./examples/skills/redis.lua
---
--- or copy it to your settings folder as skills/redis.lua and use it as `redis`. The config must let it out:
---
---   hosts = { "127.0.0.1:6379" }                    -- or, where Redis wants a password,
---   hosts = { "127.0.0.1:6379 REDIS_PASSWORD" }     -- from the environment, or a file named by REDIS_PASSWORD_FILE
---
--- It sends PING, INFO, SLOWLOG GET, CLIENT LIST, TIME and AUTH, and nothing else.

local HOST, PORT = "127.0.0.1", 6379

local MB = 1024 * 1024
local DEEPEST, LONGEST_LIST = 4, 2000
local SHOWN = 64 -- bytes of a command

local function round(x) return math.floor(x * 100 + 0.5) / 100 end

-- What Redis answers: a status, an error, a number, a text or a list of such.
local function reply(c, depth)
  local line, err = c.read_line()
  if not line then return nil, err end
  local kind, rest = line:sub(1, 1), line:sub(2)
  if kind == "+" then return rest end
  if kind == "-" then return nil, "Redis refuses: " .. rest end
  local n = tonumber(rest)
  if kind == ":" and n then return n end
  if kind == "$" and n then
    if n < 0 then return false end
    local text
    text, err = c.read(n + 2)
    if not text then return nil, err end
    return text:sub(1, n)
  end
  if kind ~= "*" or not n or n > LONGEST_LIST or depth > DEEPEST then return nil, "this is not what Redis answers" end
  local list = {}
  for i = 1, n do
    list[i], err = reply(c, depth + 1)
    if list[i] == nil then return nil, err end
  end
  return list
end

-- With lengths before them no word can become a command of its own.
local function ask(c, ...)
  local words = { ... }
  local out = { ("*%d\r\n"):format(#words) }
  for i, word in ipairs(words) do out[i + 1] = ("$%d\r\n%s\r\n"):format(#tostring(word), word) end
  local ok, err = c.send(table.concat(out))
  if not ok then return nil, err end
  return reply(c, 1)
end

-- What node.secret answers stands for the password in what is sent: a skill never has that itself.
local function connect(node)
  local c, err = node.tcp.open(HOST, PORT, 5)
  if not c then return nil, err end
  local pong
  pong, err = ask(c, "PING")
  if not pong and tostring(err):find("NOAUTH", 1, true) then
    pong, err = c.send(("AUTH '%s'\r\n"):format(node.secret "REDIS_PASSWORD"))
    if pong then pong, err = reply(c, 1) end
  end
  return pong and c, err
end

-- The connection ends with the function that has it. When Redis is not there, that is an answer, too.
local function with_redis(f)
  return function(node, args)
    local c, err = connect(node)
    if not c then return { unavailable = tostring(err) } end
    return f(c, args, node)
  end
end

-- The fields of INFO; what a Redis of another age does not count is 0.
local function info(c, section)
  local text, err = ask(c, "INFO", section)
  if not text then return nil, err end
  local fields = {}
  for line in text:gmatch "[^\r\n]+" do
    local name, value = line:match "^([^:#]+):(.*)$"
    if name then fields[name] = tonumber(value) or value end
  end
  return fields, function(name) return tonumber(fields[name]) or 0 end
end

local function pct(part, whole) return whole > 0 and round(100 * part / whole) or nil end

local function keys_of(fields)
  local keys = 0
  for name, value in pairs(fields) do
    if name:match "^db%d+$" then keys = keys + (tonumber(tostring(value):match "keys=(%d+)") or 0) end
  end
  return keys
end

local snapshot = with_redis(function(c)
  local fields, n = info(c, "default")
  if not fields then return nil, n end
  local length, err = ask(c, "SLOWLOG", "LEN")
  if not length then return nil, err end
  return {
    memory_mb = round(n "used_memory" / MB), memory_pct = pct(n "used_memory", n "maxmemory"), keys = keys_of(fields),
    hit_pct = pct(n "keyspace_hits", n "keyspace_hits" + n "keyspace_misses"), evicted_keys = n "evicted_keys",
    clients = n "connected_clients", clients_pct = pct(n "connected_clients", n "maxclients"),
    blocked_clients = n "blocked_clients", rejected_connections = n "rejected_connections",
    ops_per_s = n "instantaneous_ops_per_sec", slow_commands = length, uptime_s = n "uptime_in_seconds",
  }
end)

local memory = with_redis(function(c)
  local fields, n = info(c, "memory")
  if not fields then return nil, n end
  return {
    used_mb = round(n "used_memory" / MB), peak_mb = round(n "used_memory_peak" / MB),
    rss_mb = round(n "used_memory_rss" / MB), max_mb = n "maxmemory" > 0 and round(n "maxmemory" / MB) or nil,
    used_pct = pct(n "used_memory", n "maxmemory"), policy = fields.maxmemory_policy,
    fragmentation = fields.mem_fragmentation_ratio,
  }
end)

-- Its counters run since it was started: what happens now is the difference of two looks.
local rates = with_redis(function(c, args, node)
  local before, was = info(c, "stats")
  if not before then return nil, was end
  node.sleep(args.window_ms / 1000)
  local after, now = info(c, "stats")
  if not after then return nil, now end
  local function gained(name) return now(name) - was(name) end
  local hits, misses = gained "keyspace_hits", gained "keyspace_misses"
  return {
    seconds = args.window_ms / 1000, commands = gained "total_commands_processed", hits = hits, misses = misses,
    hit_pct = pct(hits, hits + misses), evicted = gained "evicted_keys", expired = gained "expired_keys",
    rejected = gained "rejected_connections", evicted_ever = now "evicted_keys",
  }
end)

-- The first two words say what was done; what stands behind them are the application's values.
local function shown(words)
  local text = table.concat({ tostring(words[1]):upper(), words[2] and tostring(words[2]) or nil }, " ")
  return #text > SHOWN and text:sub(1, SHOWN) .. "…" or text
end

local slowlog = with_redis(function(c, args)
  local time, entries, total, err
  time, err = ask(c, "TIME")
  if not time then return nil, err end
  total, err = ask(c, "SLOWLOG", "LEN")
  if not total then return nil, err end
  entries, err = ask(c, "SLOWLOG", "GET", 128)
  if not entries then return nil, err end
  local list = {}
  for i, e in ipairs(entries) do
    list[i] = { command = shown(e[4]), words = #e[4], took_ms = round(e[3] / 1000),
      age_s = math.max(0, tonumber(time[1]) - e[2]), client = e[6] ~= "" and e[6] or nil }
  end
  table.sort(list, function(a, b) return a.took_ms > b.took_ms end)
  local showing = { unpack(list, 1, args.limit) }
  return { total = total, showing = #showing, commands = showing }
end)

-- As `CLIENT LIST` has them: a line of name=value for each.
local clients = with_redis(function(c)
  local text, err = ask(c, "CLIENT", "LIST")
  if not text then return nil, err end
  local fields, n = info(c, "clients")
  if not fields then return nil, n end
  local groups, list, total, blocked = {}, {}, 0, 0
  for line in text:gmatch "[^\n]+" do
    local name, does = line:match " name=(%S*)" or "", line:match " cmd=(%S*)" or ""
    local key, waits = name .. " " .. does, (line:match " flags=(%S*)" or ""):find "b" and 1 or 0
    if not groups[key] then
      groups[key] = { name = name ~= "" and name or nil, last_command = does, count = 0, blocked = 0 }
      list[#list + 1] = groups[key]
    end
    groups[key].count, groups[key].blocked = groups[key].count + 1, groups[key].blocked + waits
    total, blocked = total + 1, blocked + waits
  end
  table.sort(list, function(a, b) return a.count > b.count end)
  return { total = total, blocked = blocked, max = n "maxclients" > 0 and n "maxclients" or nil,
    used_pct = pct(total, n "maxclients"), groups = { unpack(list, 1, 20) } }
end)

local function figures(results, paths)
  local list = {}
  for _, path in ipairs(paths) do
    local value = results[1]
    for key in path:gmatch "[%w_]+" do value = value and value[tonumber(key) or key] end
    if value ~= nil then list[#list + 1] = { look = 1, path = path, value = value } end
  end
  return list
end

local WINDOW = { name = "window_ms", type = "integer", min = 100, max = 20000, default = 2000 }

return {
  name = "redis",
  title = "Redis",
  about = "The Redis that this node uses: memory and evictions, hit rate, slow commands, clients.",
  needs = "a Redis at an address that the config's hosts name",
  prompt = [[
You look after one Redis, beside the BEAM node that uses it. Redis does one command at a time: a slow one holds all
callers up. Counters run since its start, so judge by redis_rates, not by totals.
Worth a notification: keys evicted now; a hit rate below 90 % under traffic; a command of 100 ms and more in the last
minutes; clients near the limit. Clients blocked in BLPOP, BRPOP or XREAD are workers without work, and healthy.]],

  uses = { "tcp" },
  queries = {},
  snapshot = snapshot,
  available = function(node)
    local c, err = connect(node)
    return c and true or tostring(err)
  end,

  callbacks = {
    redis_info = {
      doc = "One section of INFO as it stands.",
      args = { { name = "section", type = "choice", default = "stats", of = { "server", "clients", "memory",
        "persistence", "stats", "replication", "cpu", "commandstats", "errorstats", "keyspace" } } },
      class = "SAFE", returns = { "the section's fields" },
      run = with_redis(function(c, args)
        local fields, err = info(c, args.section)
        return fields, not fields and err or nil
      end),
    },
    redis_memory = {
      doc = "Memory against its limit, and what happens at the limit.",
      class = "SAFE", returns = { "used_mb, peak_mb, rss_mb, fragmentation (rss by used)",
        "max_mb, used_pct (absent without a limit)", "policy" },
      run = memory,
    },
    redis_rates = {
      doc = "What its counters gained between two looks.",
      args = { WINDOW }, timeout = 45,
      class = "SAFE", returns = { "seconds, commands, hits, misses, hit_pct, evicted, expired, rejected (connections)",
        "evicted_ever" },
      run = rates,
    },
    redis_slowlog = {
      doc = "The slowest of the last 128 slow commands. Of each the first two words; the others are counted.",
      args = { { name = "limit", type = "integer", min = 1, max = 128, default = 10 } },
      class = "SAFE", returns = { "total, showing", "commands[]: command, words, took_ms, age_s, client" },
      run = slowlog,
    },
    redis_clients = {
      doc = "Its clients by their name and last command, and how many are blocked.",
      class = "SAFE", cost = "CLIENT LIST: a line for each client",
      returns = { "total, max, used_pct, blocked", "groups[]: name, last_command, count, blocked" },
      run = clients,
    },
  },

  checks = {
    {
      id = "evictions", mechanism = "redis_evictions",
      expert = "keys evicted between two looks: the memory limit is too low for what is kept",
      suspect = function(s) return (s.evicted_keys or 0) > 0 end,
      look = { { "redis_rates", 2000 }, { "redis_memory" } },
      confirm = function(results)
        local now, full = results[1], results[2]
        if not now.evicted or now.evicted == 0 then return nil end
        local cited = figures(results, { "evicted", "seconds", "hit_pct", "evicted_ever" })
        if full.used_pct then cited[#cited + 1] = { look = 2, path = "used_pct", value = full.used_pct } end
        return {
          object = "redis", severity = "warning", confidence = "high", figures = cited,
          hypothesis = ("Redis evicted %d keys in %.1f s: what is written does not fit in its %s MB (policy %s).")
            :format(now.evicted, now.seconds, tostring(full.max_mb), tostring(full.policy)),
          unlike = { expiry = ("keys that expire are counted apart: %d"):format(now.expired) },
          next_steps = {
            { text = "see how many keys have an expiry: redis_info(\"keyspace\")", risk = "SAFE" },
            { text = "raise maxmemory, or give keys an expiry", risk = "CAUTION" },
          },
        }
      end,
    },
    {
      id = "hit_rate", mechanism = "redis_low_hit_rate", expert = "a hit rate below 90 % under traffic",
      suspect = function(s) return (s.hit_pct or 100) < 90 end,
      look = { { "redis_rates", 2000 } },
      confirm = function(results)
        local now = results[1]
        if not now.hit_pct or now.hits + now.misses < 100 or now.hit_pct >= 90 then return nil end
        return {
          object = "redis", severity = now.hit_pct < 50 and "warning" or "info",
          figures = figures(results, { "hit_pct", "hits", "misses", "seconds", "evicted" }),
          hypothesis = ("%d of %d reads in %.1f s found nothing: the cache spares little work."):format(now.misses,
            now.hits + now.misses, now.seconds),
          unlike = {
            redis_evictions = ("%d keys were evicted in that time"):format(now.evicted),
            cold_start = "after a restart the rate rises by itself; see uptime_s in the snapshot",
          },
          next_steps = { { text = "find which keys are read and never written", risk = "SAFE" } },
        }
      end,
    },
    {
      id = "slow_command", mechanism = "redis_slow_command",
      expert = "a command of 100 ms or more within ten minutes: everybody waits for it",
      suspect = function(s) return (s.slow_commands or 0) > 0 end,
      look = { { "redis_slowlog", 128 } },
      confirm = function(results)
        local worst, at
        for i, c in ipairs(results[1].commands or {}) do
          local grave = c.age_s <= 600 and c.took_ms >= 100
          if grave and not worst then worst, at = c, ("commands[%d]."):format(i) end
        end
        if not worst then return nil end
        return {
          object = worst.command, severity = worst.took_ms >= 1000 and "critical" or "warning", confidence = "high",
          figures = figures(results, { at .. "took_ms", at .. "age_s", at .. "words", at .. "client", "total" }),
          hypothesis = ("%s took %d ms, %d s ago. Redis does one command at a time, so every caller waited for it.")
            :format(worst.command, worst.took_ms, worst.age_s),
          unlike = { busy_redis = "many quick commands would not stand in the slow log" },
          next_steps = {
            { text = "find who sends " .. worst.command, risk = "SAFE" },
            { text = "use SCAN in place of KEYS, and UNLINK in place of DEL for what is large", risk = "CAUTION" },
          },
        }
      end,
    },
    {
      id = "clients", mechanism = "redis_clients_near_limit", expert = "clients at 80 % of maxclients",
      suspect = function(s) return (s.clients_pct or 0) >= 80 end,
      look = { { "redis_clients" } },
      confirm = function(results)
        local now = results[1]
        if (now.used_pct or 0) < 80 then return nil end
        return {
          object = "redis", severity = "warning",
          figures = figures(results, { "total", "max", "used_pct", "blocked", "groups[1].count",
            "groups[1].last_command" }),
          hypothesis = ("%d of %d clients are connected; the next ones are refused."):format(now.total, now.max),
          unlike = { workers = ("%d of them are blocked: workers that wait for work"):format(now.blocked) },
          next_steps = {
            { text = "see which name has most connections: a pool per process, or a leak", risk = "SAFE" },
            { text = "raise maxclients", risk = "CAUTION" },
          },
        }
      end,
    },
  },
}
