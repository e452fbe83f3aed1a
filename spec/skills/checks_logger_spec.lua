-- The check of logger on played answers: that it finds what is really there, the gallery shows.
local played = require "spec.support.played_checks"
local with = played.with
local find, suspect = played.of "logger"

local STATS = { listened_seconds = 2, dropped = 1500, total = 2000, per_second = 1000, kept = 100,
  levels = { error = 100 }, error_rate_pct = 100,
  modules = { { module = "shop", count = 90, errors = 90 } }, shut_seconds = 0,
  primary_level = "notice" }
local LATER = with(STATS, { listened_seconds = 4, total = 4000 })

local DEBUG = { listened_seconds = 2, dropped = 0, total = 8, per_second = 4, kept = 8, levels = { debug = 8 },
  error_rate_pct = 0, modules = { { module = "shop", count = 8, errors = 0 } }, shut_seconds = 0,
  debug_per_sec = 900, primary_level = "debug", handlers = { { id = "default", level = "all" } } }
local DEBUG_LATER = with(DEBUG, { listened_seconds = 4.2 })

describe("the checks of logger", function()
  it("names the module that writes most of a storm", function()
    local finding = find("log_storm", { STATS, LATER })
    assert.same({ "shop", "high" }, { finding.object, finding.confidence })
    assert.matches("1000 log events a second, most of them by shop", finding.hypothesis)
  end)

  it("names the logger where no module writes most of it", function()
    assert.equal("logger", find("log_storm", { STATS, with(LATER, { modules = {} }) }).object)
  end)

  it("counts the seconds in which the tap was shut, and nothing could be counted", function()
    local shut = with(LATER, { total = 2000, shut_seconds = 1, storm_per_sec = 9000 })
    assert.equal("critical", find("log_storm", { STATS, shut }).severity)
  end)

  it("finds nothing where a burst is over at the second look", function()
    assert.is_nil((find("log_storm", { STATS, with(LATER, { total = 2010, per_second = 502 }) })))
  end)

  it("looks no further where a hundred events a second are logged", function()
    assert.same({ nil, 1 }, { find("log_storm", { with(STATS, { per_second = 150 }) }) })
  end)

  it("takes a thousand lines of requests for traffic, and four thousand for a flood", function()
    assert.same({ nil, 1 }, { find("log_storm", { with(STATS, { error_rate_pct = 1 }) }) })
    local flood = { error_rate_pct = 1, per_second = 4000 }
    assert.equal("warning", find("log_storm", { with(STATS, flood), with(LATER, flood) }).severity)
  end)

  it("name the level where debug was left on and much comes through", function()
    local finding = find("debug_logging", { DEBUG, DEBUG_LATER })
    assert.same({ "primary log level", "warning" }, { finding.object, finding.severity })
    assert.matches("900 events of that level a second .* most of those read by shop", finding.hypothesis)
  end)

  it("name the module where debug is its level alone", function()
    local alone = { primary_level = "notice" }
    assert.equal("shop", find("debug_logging", { with(DEBUG, alone), with(DEBUG_LATER, alone) }).object)
  end)

  it("find nothing in a level that next to nothing comes through", function()
    local few = { debug_per_sec = 40 }
    assert.is_nil((find("debug_logging", { with(DEBUG, few), with(DEBUG_LATER, few) })))
  end)

  it("look no further at events of debug that no handler takes", function()
    local unwritten = with(DEBUG, { handlers = { { id = "default", level = "info" } } })
    assert.same({ nil, 1 }, { find("debug_logging", { unwritten }) })
  end)

  -- So many lines, the newest first, the newest at this second.
  local function lines(count, newest, message)
    local entries = {}
    for i = 1, count do
      entries[i] = { timestamp = ("2026-01-01T00:00:%02d.000Z"):format(newest - i), level = "error", message = message,
        pid = "<0.9.0>" }
    end
    return { listened_seconds = newest, dropped = 0, kept = count, total = count, showing = count, entries = entries }
  end

  it("name the folder where writing fails for want of room, as the VM says it and in words", function()
    local function object(id, message)
      return find(id, { lines(6, 20, message), lines(9, 23, message) }).object
    end
    assert.same({ "/var/spool/out", "data", "<0.9.0>" }, {
      object("disk_full", "cannot write /var/spool/out/7.log: enospc"),
      object("disk_full_in_words", "could not write to file \"data/7\": no space left on device"),
      object("disk_full", "journal: {error,enospc}") })
  end)

  it("find no full disk where it was full once", function()
    assert.is_nil((find("disk_full", { lines(6, 20, "x/y: enospc"), lines(6, 20, "x/y: enospc") })))
  end)

  it("take events of debug for no storm", function()
    assert.same({ nil, 1 }, { find("log_storm", { DEBUG }) })
  end)

  it("is suspect by what was heard a second", function()
    assert.is_true(suspect("log_storm", { listened_seconds = 2, total_count = 2000 }))
    assert.is_false(suspect("log_storm", { listened_seconds = 300, total_count = 2000 }))
  end)
end)
