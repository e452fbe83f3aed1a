-- What every skill is given, against live nodes.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local base = assert(skill.open "base")

describe("base skill", function()
  local at, callback

  setup(function()
    at = live.start()
    callback = skill.functions(base, at.node)
  end)

  teardown(function() live.stop_all() end)

  it("tells the time of the node, as text in UTC and in milliseconds", live.test(function()
    local before = at.eval "erlang:system_time(millisecond)."
    local now = callback.get_current_time()
    assert.is_true(before <= now.unix_ms and now.unix_ms <= at.eval "erlang:system_time(millisecond).")
    assert.equal(now.unix_ms, at.eval(
      "calendar:rfc3339_to_system_time(binary_to_list(T), [{unit, millisecond}]).", { T = now.timestamp }))
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", now.timestamp)
  end))

  it("says which node this is", live.test(function()
    local function uptime() return at.eval "element(1, erlang:statistics(wall_clock)) div 1000." end
    local before = uptime()
    local info = callback.get_node_info()
    crowd.between(before, info.uptime_seconds, uptime())
    assert.same({ at.name, "unix", at.eval "atom_to_binary(element(2, os:type())).",
      at.eval "list_to_binary(erlang:system_info(otp_release))." },
      { info.node, info.os_type, info.os_name, info.otp_release })
  end))

  it("is part of every other skill", live.test(function()
    assert.equal(at.name, skill.call(assert(skill.open "beam"), "get_node_info", {}, at.node).node)
  end))

  it("works on an Elixir node", live.test(function()
    local elixir = live.start { elixir = true, name = "bl_elixir@127.0.0.1" }
    assert.equal("bl_elixir@127.0.0.1", skill.call(base, "get_node_info", {}, elixir.node).node)
    elixir.stop()
  end))
end)
