-- The detector against the plain z-score method, over 22 streams of figures as they come in life: mean
-- and population sigma of the first five minutes, once; z over 3; three rounds in a row, on one counter
-- that all metrics share; the same cooldown. The streams are the same for ever, so the numbers are too.
--
-- Of our three false alarms two are of what nobody can know beforehand (the first Saturday, the first night
-- of a nightly job; the second of each is silent), one is three wild values in a row by chance.

local anomaly = require "runtime.anomaly"
local streams = require "spec.support.streams"

local SETTINGS = {
  collection_interval_ms = 30000, learning_duration_ms = 300000, z_threshold = 3, consecutive_required = 3,
  cooldown_ms = 900000, auto_trigger = true, max_triggers_per_hour = 3,
}

local function ours()
  local monitor = assert(anomaly.new { node = { name = "replay@127.0.0.1" }, skills = {}, settings = SETTINGS })
  return function(t, figures)
    local _, escalated = monitor:take(t, figures)
    return escalated
  end
end

local function learn(values)
  local sum, squares = 0, 0
  for _, v in ipairs(values) do sum = sum + v end
  local mean = sum / #values
  for _, v in ipairs(values) do squares = squares + (v - mean) ^ 2 end
  return { mean = mean, sigma = math.sqrt(squares / #values) }
end

local function plain()
  local began, values, known, row, quiet_until = nil, {}, nil, 0, 0
  return function(t, figures)
    began = began or t
    if t - began < SETTINGS.learning_duration_ms / 1000 then
      for name, v in pairs(figures) do
        values[name] = values[name] or {}
        table.insert(values[name], v)
      end
      return
    end
    if not known then
      known = {}
      for name, list in pairs(values) do known[name] = learn(list) end
    end
    local unusual = false
    for name, v in pairs(figures) do
      local k = known[name]
      unusual = unusual or k.sigma > 0 and math.abs(v - k.mean) / k.sigma > SETTINGS.z_threshold
    end
    if t < quiet_until then return end
    row = unusual and row + 1 or 0
    if row < SETTINGS.consecutive_required then return end
    row, quiet_until = 0, t + SETTINGS.cooldown_ms / 1000
    return true
  end
end

-- For ours and for the plain method: alarms that were right, alarms that were wrong, troubles found, missed.
local EXPECTED = {
  ["healthy steady counter"] = { "0 0 0 0", "0 270 0 0" },
  ["counter with daily wave"] = { "0 0 0 0", "0 450 0 0" },
  ["constant then x1000"] = { "1 0 1 0", "0 0 0 1" },
  ["nothing then something"] = { "1 0 1 0", "0 0 0 1" },
  ["slow leak"] = { "3 0 1 0", "526 0 1 0" },
  ["leak on top of a daily wave"] = { "3 0 1 0", "345 157 1 0" },
  ["leak within hours"] = { "1 0 1 0", "89 0 1 0" },
  ["atoms that only rise"] = { "1 0 1 0", "90 0 1 0" },
  ["daily wave"] = { "0 0 0 0", "0 562 0 0" },
  ["workdays and weekends"] = { "0 1 0 0", "0 1637 0 0" },
  ["noisy but healthy"] = { "0 0 0 0", "0 0 0 0" },
  ["noise with a memory"] = { "0 0 0 0", "0 354 0 0" },
  ["single wild values"] = { "0 1 0 0", "0 1 0 0" },
  ["wild values that take turns"] = { "0 0 0 0", "0 13 0 0" },
  ["step and back"] = { "1 0 1 0", "8 0 1 0" },
  ["step that stays"] = { "1 0 1 0", "4 132 1 0" },
  ["step of a few minutes, twice"] = { "2 0 2 0", "2 0 2 0" },
  ["counter that stops"] = { "1 0 1 0", "4 176 1 0" },
  ["counter ten times as fast"] = { "1 0 1 0", "2 178 1 0" },
  ["trouble on a daily wave"] = { "1 0 1 0", "7 307 1 0" },
  ["the same job each night"] = { "0 1 0 0", "0 14 0 0" },
  ["counter that begins anew"] = { "0 0 0 0", "0 180 0 0" },
}

local function play(make)
  local scores, sum = {}, { right = 0, wrong = 0, found = 0, missed = 0 }
  for _, stream in ipairs(streams) do
    local score = streams.score(stream, streams.play(stream, make()))
    scores[stream.name] = ("%d %d %d %d"):format(score.right, score.wrong, score.found, score.missed)
    for key, count in pairs(score) do sum[key] = sum[key] + count end
  end
  return scores, sum
end

local function precision(sum) return ("%.3f"):format(sum.right / (sum.right + sum.wrong)) end
local function recall(sum) return ("%.3f"):format(sum.found / (sum.found + sum.missed)) end

describe("the detector over streams", function()
  local sum, plain_sum
  local played = {}

  setup(function()
    local scores, plain_scores
    scores, sum = play(ours)
    plain_scores, plain_sum = play(plain)
    for name, score in pairs(scores) do played[name] = { score, plain_scores[name] } end
  end)

  it("finds every trouble, and raises three false alarms in a hundred days", function()
    assert.same(EXPECTED, played)
  end)

  it("has a precision of 0.85 and a recall of 1", function()
    assert.same({ "0.850", "1.000" }, { precision(sum), recall(sum) })
  end)

  it("is better than the plain z-score, which has 0.20 and 0.85", function()
    assert.same({ "0.196", "0.846" }, { precision(plain_sum), recall(plain_sum) })
  end)
end)
