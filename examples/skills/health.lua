--- What a service says of its own health over HTTP, as a load balancer hears it: `{"status": "up", "parts": {…}}`, or
--- only a status code. Change ADDRESS, and let it out in the config:
---
---   hosts = { "127.0.0.1:4000" }
---
---   beamlens-run coordinator.lua --node shop@host --skills beam,./examples/skills/health.lua

local ADDRESS = "http://127.0.0.1:4000/health"
local SLOW_S = 1

local function look(node)
  local answer, err = node.http.get(ADDRESS, { seconds = 5, headers = { Accept = "application/json" } })
  if not answer then return { unavailable = tostring(err) } end
  local said = node.http.decode(answer.body)
  if type(said) ~= "table" then said = {} end
  local down = {}
  for part, state in pairs(type(said.parts) == "table" and said.parts or {}) do
    if state ~= "up" then down[#down + 1] = tostring(part) end
  end
  table.sort(down)
  return { http_status = answer.status, says = said.status and tostring(said.status), down = down, down_count = #down,
    seconds = math.floor(answer.seconds * 1000 + 0.5) / 1000 }
end

local function is_ill(health)
  return (health.http_status or 200) >= 500 or (health.down_count or 0) > 0 or (health.seconds or 0) >= SLOW_S
end

return {
  name = "health",
  title = "Health endpoint",
  about = "What the service says of its own health over HTTP.",
  needs = "an address that the config's hosts name",
  prompt = "You ask a service for its health. Worth a notification: a status of 500 and above, a part that is down.",

  uses = { "http" },
  queries = {},
  snapshot = look,

  callbacks = {
    health_look = {
      doc = "The answer of the health endpoint.", class = "SAFE", cost = "one GET request",
      returns = { "http_status, says, seconds (it took)", "down[] (parts that are not up), down_count" },
      run = look,
    },
  },

  checks = {
    {
      id = "ill", mechanism = "service_unwell", expert = "a status of 500 and above, a part down, or a second and more",
      suspect = is_ill,
      look = { { "health_look" } },
      confirm = function(results)
        local now = results[1]
        if not is_ill(now) then return nil end
        local parts = now.down_count > 0 and table.concat(now.down, ", ") or nil
        return {
          object = parts or "service", severity = "warning",
          figures = { { look = 1, path = "http_status", value = now.http_status },
            { look = 1, path = "down_count", value = now.down_count },
            { look = 1, path = "seconds", value = now.seconds } },
          hypothesis = ("The service answers %d in %.3f s%s."):format(now.http_status, now.seconds,
            parts and " and says that these parts are not up: " .. parts or ""),
          unlike = { node_down = "a node that is gone answers nothing at all" },
          next_steps = { { text = "look at the node's log around that part", risk = "SAFE" } },
        }
      end,
    },
  },
}
