--- What the monitor says of itself: an anomaly in words, its state, its status.

local occasion = require "runtime.occasion"

local account = {}

local HOUR = 3600

local function figure(value)
  return (value % 1 == 0 and math.abs(value) < 1e15) and ("%d"):format(value) or ("%.4g"):format(value)
end

--- One anomaly in words.
---@param v Verdict
---@param closed? boolean   without a name that a skill took from the node
---@return string
function account.sentence(v, closed)
  local unit = v.rate and "/s" or ""
  local metric = closed and (occasion.name(v.metric, 80) or "a figure of " .. v.metric:match "^[%w_]*") or v.metric
  if v.shape == "drift" then
    return ("%s has climbed from %s to %s"):format(metric, figure(v.median), figure(v.value))
  end
  local looks = v.row == 1 and "1 look" or v.row .. " looks in a row"
  return ("%s is %s%s, usual is %s%s (%s)"):format(metric, figure(v.value), unit, figure(v.median), unit, looks)
end

local function date(t) return t and os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(t)) end

local function tenth(seconds) return seconds and math.floor(math.max(0, seconds) * 10 + 0.5) / 10 end

---@param m Monitor
function account.state(m) return { state = m.state, since = date(m.since) } end

---@param m Monitor
---@param t number      unix seconds
---@param now number    by the clock that nobody sets
function account.status(m, t, now)
  local watched, learnt = m.detector:counts()
  local status = {
    state = m.state, since = date(m.since), metrics_watched = watched, metrics_learned = learnt,
    anomalies_last_hour = 0, anomalies = {}, triggers_last_hour = #m.triggers,
    next_look_seconds = tenth(m.next_look and m.next_look - now),
    cooldown_seconds = m.state == "cooldown" and tenth((m.still_until or now) - now) or nil,
  }
  for i, told in ipairs(m.told) do
    local row = {}
    for key, value in pairs(told) do row[key] = value end
    row.at = date(told.at)
    status.anomalies[i] = row
    if t - told.at <= HOUR then status.anomalies_last_hour = status.anomalies_last_hour + 1 end
  end
  return status
end

return account
