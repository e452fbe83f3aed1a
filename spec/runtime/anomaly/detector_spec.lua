local detector = require "runtime.anomaly.detector"
local json = require "runtime.json"

local STEP, HOUR, DAY = 30, 3600, 86400
local FROM = 1704067200

local SETTINGS = {
  collection_interval_ms = 30000, learning_duration_ms = 300000, z_threshold = 3, consecutive_required = 3,
  cooldown_ms = 900000,
}

-- Feeds figures from one time to another, both in seconds from the start, and gathers what was told.
local function feed(d, name, from, to, value)
  local told, noticed = {}, 0
  for t = from, to - STEP, STEP do
    local v = d:feed(name, FROM + t, value(t))
    if v then noticed = noticed + 1 end
    if v and v.told then
      v.at = t
      told[#told + 1] = v
    end
  end
  return told, noticed
end

local function constant(value) return function() return value end end

describe("detector", function()
  local d

  before_each(function() d = detector.new(SETTINGS) end)

  -- The two that its nearest relative had wrong.
  it("never tells of a steady counter", function()
    assert.same({}, feed(d, "app.requests", 0, 3 * DAY, function(t) return 10 * t end))
  end)

  it("tells of a constant that jumps a thousandfold", function()
    feed(d, "app.waiting", 0, HOUR, constant(5))
    local told = feed(d, "app.waiting", HOUR, HOUR + 600, constant(5000))
    assert.equal(1, #told)
    assert.same({ "above", 5000, 5, false, 3, HOUR + 2 * STEP },
      { told[1].shape, told[1].value, told[1].median, told[1].rate, told[1].row, told[1].at })
  end)

  it("says nothing while it learns", function()
    local told, noticed = feed(d, "app.waiting", 0, 300, function(t) return t == 150 and 1e6 or 5 end)
    assert.same({ 0, 0, false }, { #told, noticed, d:is_learnt "app.waiting" })
  end)

  it("has learned after the time that was given for it", function()
    feed(d, "app.waiting", 0, 330, constant(5))
    assert.is_true(d:is_learnt "app.waiting")
  end)

  it("does not wake anybody for a single wild value, but notices it", function()
    feed(d, "app.waiting", 0, HOUR, constant(5))
    local told, noticed = feed(d, "app.waiting", HOUR, 2 * HOUR, function(t) return t == HOUR and 5000 or 5 end)
    assert.same({ 0, 1 }, { #told, noticed })
  end)

  it("counts each metric for itself", function()
    for _, name in ipairs { "app.a", "app.b", "app.c" } do feed(d, name, 0, HOUR, constant(5)) end
    for i, name in ipairs { "app.a", "app.b", "app.c" } do
      local v = d:feed(name, FROM + HOUR + i * STEP, 5000)
      assert.same({ false, 1 }, { v.told, v.row })
    end
  end)

  it("counts values above and below apart", function()
    feed(d, "app.waiting", 0, HOUR, constant(500))
    local told = feed(d, "app.waiting", HOUR, HOUR + 600, function(t) return t % 60 == 0 and 5000 or 0 end)
    assert.same({}, told)
  end)

  it("tells of a fall too", function()
    feed(d, "app.connections", 0, HOUR, constant(500))
    assert.equal("below", feed(d, "app.connections", HOUR, HOUR + 600, constant(0))[1].shape)
  end)

  it("tells once of a step that ends, and nothing of its end", function()
    feed(d, "app.connections", 0, HOUR, constant(300))
    assert.equal(1, #feed(d, "app.connections", HOUR, HOUR + 600, constant(900)))
    assert.is_true(d:is_away "app.connections")
    assert.same({}, feed(d, "app.connections", HOUR + 600, 3 * HOUR, constant(300)))
    assert.is_false(d:is_away "app.connections")
  end)

  it("takes a step that stays for what is usual, once the cooldown is over", function()
    feed(d, "app.connections", 0, HOUR, constant(300))
    assert.equal(1, #feed(d, "app.connections", HOUR, HOUR + 1200, constant(900)))
    assert.is_false(d:is_away "app.connections")
    assert.equal(900, d.metrics["app.connections"].base.median)
  end)

  it("says nothing when such a step ends within the day", function()
    feed(d, "app.connections", 0, HOUR, constant(300))
    feed(d, "app.connections", HOUR, 5 * HOUR, constant(900))
    assert.same({}, feed(d, "app.connections", 5 * HOUR, 9 * HOUR, constant(300)))
  end)

  it("tells of the same step again when it comes again", function()
    feed(d, "app.connections", 0, HOUR, constant(300))
    feed(d, "app.connections", HOUR, HOUR + 600, constant(900))
    feed(d, "app.connections", HOUR + 600, 6 * HOUR, constant(300))
    assert.equal(1, #feed(d, "app.connections", 6 * HOUR, 6 * HOUR + 600, constant(900)))
  end)

  it("knows a counter by its never falling, and watches its rate", function()
    feed(d, "app.requests", 0, HOUR, function(t) return 10 * t end)
    local told = feed(d, "app.requests", HOUR, HOUR + 600, function(t) return 10 * HOUR + 200 * (t - HOUR) end)
    assert.same({ 1, true, 200, 10 }, { #told, told[1].rate, told[1].value, told[1].median })
  end)

  it("tells of a counter that stands still", function()
    feed(d, "app.requests", 0, HOUR, function(t) return 10 * t end)
    assert.equal("below", feed(d, "app.requests", HOUR, HOUR + 600, constant(10 * HOUR))[1].shape)
  end)

  it("takes a counter that begins anew for no anomaly", function()
    feed(d, "app.requests", 0, HOUR, function(t) return 10 * t end)
    local told, noticed = feed(d, "app.requests", HOUR, 2 * HOUR, function(t) return 10 * (t - HOUR) end)
    assert.same({ 0, 0 }, { #told, noticed })
  end)

  it("takes what never falls for a level nevertheless when it is held and not counted", function()
    local told = feed(d, "beam.atom_count", 0, DAY, function(t) return 15000 + 2 * t end)
    assert.same({ 1, "drift", false }, { #told, told[1].shape, told[1].rate })
  end)

  it("tells of a slow leak as a drift, with where it began", function()
    local told = feed(d, "ets.total_memory_mb", 0, DAY, function(t) return 50 + 25 * t / HOUR + t % 4 end)
    assert.same({ 1, "drift" }, { #told, told[1].shape })
    assert.is_true(told[1].median < 60 and told[1].value > 3 * told[1].median)
  end)

  it("says nothing of a daily wave", function()
    local told, noticed = feed(d, "app.sessions", 0, 4 * DAY, function(t)
      return 1000 + 500 * math.sin(2 * math.pi * t / DAY - 2)
    end)
    assert.same({ 0, 0 }, { #told, noticed })
  end)

  it("says nothing the second time of what happens each day at the same hour", function()
    local function job(t) return t % DAY >= 2 * HOUR and t % DAY < 3 * HOUR and 800 or 100 end
    assert.equal(1, #feed(d, "app.rows", 0, DAY, job))
    assert.same({}, feed(d, "app.rows", DAY, 4 * DAY, job))
  end)

  it("tells of the same figures at another hour", function()
    local function job(t) return t % DAY >= 2 * HOUR and t % DAY < 3 * HOUR and 800 or 100 end
    feed(d, "app.rows", 0, 3 * DAY + 10 * HOUR, job)
    assert.equal(1, #feed(d, "app.rows", 3 * DAY + 10 * HOUR, 3 * DAY + 11 * HOUR, constant(800)))
  end)

  it("tells of days that rise one after the other", function()
    local told = feed(d, "app.tables", 0, 4 * DAY, function(t) return 1000 * (1 + 0.1 * t / DAY) + t % 7 end)
    assert.same({ 1, "drift" }, { #told, told[1].shape })
    assert.equal(3 * DAY, told[1].at)
  end)

  it("says nothing of one day alone that lies above the others", function()
    local levels = { 1000, 1010, 1250, 1260 }
    assert.same({}, feed(d, "app.tables", 0, 4 * DAY, function(t) return levels[math.floor(t / DAY) + 1] + t % 7 end))
  end)

  it("says nothing of days that rise to where the week before was too", function()
    local levels = { 1300, 1600, 1200, 1200, 1200, 1200, 1200, 1300, 1500, 1200 }
    local told = feed(d, "app.sessions", 0, 10 * DAY, function(t)
      return levels[math.floor(t / DAY) + 1] + t * 7919 % 11
    end)
    assert.same({}, told)
  end)

  it("learns again what it has not looked at for hours", function()
    feed(d, "app.connections", 0, HOUR, constant(300))
    d:feed("app.connections", FROM + 4 * HOUR, 900)
    assert.is_false(d:is_learnt "app.connections")
  end)

  it("goes on where it was after a shorter pause", function()
    feed(d, "app.connections", 0, HOUR, constant(300))
    assert.equal(1, #feed(d, "app.connections", 2 * HOUR, 2 * HOUR + 600, constant(900)))
  end)

  it("learns everything again when the node began anew", function()
    feed(d, "app.connections", 0, HOUR, constant(300))
    d:restarted()
    assert.same({}, feed(d, "app.connections", HOUR, 2 * HOUR, constant(900)))
  end)

  it("watches numbers alone", function()
    for _, value in ipairs { "x", true, {}, 0 / 0, 1 / 0 } do d:feed("app.x", FROM, value) end
    assert.same({}, d.metrics)
  end)

  it("knows after it was written down what it knew before", function()
    local function wave(t) return 1000 + 500 * math.sin(2 * math.pi * t / DAY - 2) + t % 7 end
    feed(d, "app.sessions", 0, 2 * DAY, wave)
    feed(d, "app.requests", 0, 2 * DAY, function(t) return 10 * t end)
    local again = detector.new(SETTINGS, json.decode(json.encode(d.metrics)))
    local function trouble(t) return 4 * wave(t) end
    assert.same(feed(d, "app.sessions", 2 * DAY, 2 * DAY + HOUR, trouble),
      feed(again, "app.sessions", 2 * DAY, 2 * DAY + HOUR, trouble))
    assert.same(feed(d, "app.requests", 2 * DAY, 2 * DAY + HOUR, constant(0)),
      feed(again, "app.requests", 2 * DAY, 2 * DAY + HOUR, constant(0)))
  end)

  it("remembers no more of a metric after a month than after ten days", function()
    local function noisy(t) return 100 + t * 7919 % 13 end
    feed(d, "app.latency", 0, 10 * DAY, noisy)
    local before = #json.encode(d.metrics)
    feed(d, "app.latency", 10 * DAY, 30 * DAY, noisy)
    assert.is_true(#json.encode(d.metrics) < before * 1.05)
    assert.is_true(before < 32000, before)
  end)
end)
