--- What an expert looks for in the log: more of it than anybody reads. It has to go on at the second look: a start or
--- one bad moment writes much at once too. Events of level debug are not heard, so of debug left on nothing is said; on
--- many a node that is the level it was given.

local words = ...
local cite, step = words.cite, words.step

local STORM = 500  -- events a second, where most are errors; a line for each request may be as many
local FLOOD = 3000 -- of any level
local REST = 2     -- seconds
local LEAST = 0.5  -- between two looks, to make a rate of them

local function rate_of(stats) return math.max(stats.per_second, stats.storm_per_sec or 0) end

local function storms(stats)
  local rate = rate_of(stats)
  return rate >= FLOOD or rate >= STORM and stats.error_rate_pct >= 50
end

-- What came between the looks. Where five minutes are full, what comes and what is forgotten hold each other.
local function goes_on(results)
  local before, now = results[1], results[2]
  local apart = now.listened_seconds - before.listened_seconds
  if apart < LEAST then return now.total >= 0.9 * before.total end
  local shut = (now.shut_seconds or 0) - (before.shut_seconds or 0)
  return shut > 0 or (now.total - before.total) / apart >= STORM
end

local FIGURES = { { 2, "per_second" }, { 2, "total" }, { 2, "listened_seconds" }, { 2, "dropped" },
  { 2, "storm_per_sec" }, { 2, "primary_level" }, { 2, "modules[1].module" }, { 2, "modules[1].count" },
  { 2, "error_rate_pct" }, { 2, "kept" }, { 1, "total" }, { 1, "per_second" } }

local log_storm = {
  id = "log_storm", mechanism = "log_storm",
  suspect = function(snapshot)
    return (snapshot.total_count or 0) >= STORM * math.max(1, snapshot.listened_seconds or 1)
  end,
  look = {
    { "logger_stats" },
    function(results) return storms(results[1]) and { "logger_stats", after = REST } or nil end,
  },
  symptom_of = { "restart_loop", "dependency_error_storm", "heap_limit_kills", "disk_full" },
  expert = "Hundreds of log events a second at two looks: name the module that writes most of them.",
  confirm = function(results)
    local now = results[2]
    if not storms(now) or not goes_on(results) then return end
    local top = now.modules[1]
    local one = top and top.count >= 0.5 * now.kept
    return {
      object = one and top.module or "logger", figures = cite(results, FIGURES),
      severity = rate_of(now) >= 5000 and "critical" or "warning", confidence = one and "high" or "medium",
      hypothesis = ("%.0f log events a second%s, at both looks: more than anybody reads, and the handlers make who "
        .. "logs wait, or drop what comes."):format(rate_of(now),
        one and (", most of them by %s"):format(top.module) or ""),
      unlike = {
        debug_logging = ("what is counted is of level info and above; the primary level is %s"):format(
          tostring(now.primary_level)),
        lines_of_requests = ("%.0f %% of what was read are errors"):format(now.error_rate_pct),
        one_bad_moment = ("a burst is over at the second look; here %d events became %d"):format(results[1].total,
          now.total),
      },
      next_steps = {
        step "read some of them: logger_recent; what repeats is what to mend",
        step("limit it where it is logged, or raise the level of that module: logger:set_module_level", "CAUTION"),
      },
    }
  end,
}

return { log_storm }
