--- What the monitor of `beamlens-run watch` knows of the node: what is usual, and what was not. It asks
--- the node nothing; all of it lies with us.

local NOBODY = { unavailable = "nobody watches this node: `beamlens-run watch` does" }

local NOTHING = "nothing: answered from what the watch remembers"

---@type Skill
return {
  name = "anomaly",
  title = "Anomalies",
  about = "What the watch of this node has learned as usual, and which figures left it.",

  prompt = [=[
You report what the watch of one BEAM node noticed: which figures left what is usual, when, by how much.
An anomaly is a reason to look, and not yet a cause: it says where the domain's own skill should look.
Worth a notification: several figures that left at the same time, or one that left by ten times and more.
Not worth one: while the watch still learns, and a single figure that came back by itself.
Name the metric, its value, what is usual, and since when.]=],

  uses = { "monitor" },
  needs = "a running `beamlens-run watch`",
  available = function(node) return node.monitor and true or NOBODY.unavailable end,

  queries = {},

  snapshot = function(node)
    if not node.monitor then return NOBODY end
    local status = node.monitor.status()
    return { state = status.state, metrics_watched = status.metrics_watched,
      anomalies_last_hour = status.anomalies_last_hour }
  end,

  callbacks = {
    monitor_get_state = {
      doc = "Whether the watch learns, is active, or keeps still after an escalation, and since when.",
      class = "SAFE",
      cost = NOTHING,
      returns = { "state (learning, active or cooldown)", "since (ISO 8601, UTC)" },
      run = function(node) return node.monitor and node.monitor.state() or NOBODY end,
    },

    monitor_get_status = {
      brief = "What the watch has learned, and its last anomalies",
      doc = "What the watch knows: how many figures it has learned, the last anomalies with their figures, the "
        .. "latest first, and when it looks again.",
      class = "SAFE",
      cost = NOTHING,
      returns = { "state (learning, active or cooldown)", "since (ISO 8601, UTC)", "metrics_watched",
        "metrics_learned", "anomalies_last_hour",
        "anomalies[]: at, metric (skill.field), shape (above, below, drift), value, usual, spread, z (spreads away)",
        "triggers_last_hour (investigations)", "next_look_seconds", "cooldown_seconds (left of it)" },
      run = function(node) return node.monitor and node.monitor.status() or NOBODY end,
    },
  },
}
