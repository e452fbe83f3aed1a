--- What an expert looks for in the log: more of it than anybody reads. It has to go on at the second look: a start or
--- one bad moment writes much at once too. That the level is debug is a setting, on many a node on purpose: what it
--- costs is the rate of what comes through.

local words = ...
local cite, step = words.cite, words.step

local STORM = 200  -- events a second, where most are errors: nobody reads so many; a line for each request is none
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
  -- What is said so often is the cause, and that it is said often a symptom.
  yields_to = { missing_process = "any", mnesia_overloaded = "any", disk_full = "any", netsplit = "any" },
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

-- Of level debug, a second: four million lines a day. One costs who logs it and the handler some 50 µs together; where
-- the handler is behind, who logs waits for it, and fewer come.
local DEBUG = 50
local DEBUG_REST = 2.2 -- seconds: they are counted every two

-- Whether a handler takes them at all; without one they cost only who makes them.
local function written(stats)
  for _, handler in ipairs(stats.handlers) do
    if handler.level == "all" or handler.level == "debug" then return true end
  end
  return false
end

-- The module that wrote most of those that were kept.
local function talker(stats)
  local top = stats.modules[1]
  return top and stats.levels.debug and stats.levels.debug >= 0.5 * stats.kept and top.count >= 0.5 * stats.kept and top
end

local debug_logging = {
  id = "debug_logging", mechanism = "debug_logging",
  expert = "Level debug let through, and dozens of such events a second, at two looks: it was left on.",
  suspect = function(snapshot) return (snapshot.debug_count or 0) > 0 end,
  look = {
    { "logger_stats" },
    function(results)
      local first = results[1]
      return (first.levels.debug or 0) > 0 and written(first) and { "logger_stats", after = DEBUG_REST } or nil
    end,
  },
  confirm = function(results)
    local before, now = results[1], results[2]
    if now.debug_per_sec < DEBUG or not written(now) or now.listened_seconds <= before.listened_seconds then return end
    local all, top = now.primary_level == "debug" or now.primary_level == "all", talker(now)
    if not (all or top) then return end
    return {
      object = all and "primary log level" or top.module, severity = "warning", confidence = all and "high" or "medium",
      figures = cite(results, { { 2, "primary_level" }, { 2, "debug_per_sec" }, { 2, "listened_seconds" },
        { 2, "per_second" }, { 2, "levels.debug" }, { 2, "modules[1].module" }, { 2, "modules[1].count" },
        { 2, "handlers[1].level" }, { 1, "debug_per_sec" } }),
      hypothesis = ("%s, and %d events of that level a second are made into text and written%s: who logs pays for each "
        .. "of them, and what matters is lost among them."):format(all and "The primary log level is "
        .. now.primary_level or ("Events of level debug come through for %s"):format(top.module), now.debug_per_sec,
        top and (", most of those read by %s"):format(top.module) or ""),
      unlike = {
        log_storm = ("there it is errors, or lines of any level: of those above debug there are %.1f a second")
          :format(now.per_second),
        debug_on_purpose = ("a level alone costs nothing; here %d events a second come through"):format(
          now.debug_per_sec),
      },
      next_steps = {
        step "see who set it, and since when: a forgotten search for a fault, or the configuration of the release",
        step(all and "logger:set_primary_config(level, info), and in the configuration too"
          or ("logger:unset_module_level(%s)"):format(top.module), "CAUTION"),
      },
    }
  end,
}

return { log_storm, debug_logging }
