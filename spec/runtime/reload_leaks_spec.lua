-- A thousand edits of a skill that a live node is looked at with.
local beamlens = require "runtime.beamlens"
local clock_skill = require "spec.support.clock_skill"
local edited = require "spec.support.edited"
local in_use = require "runtime.in_use"
local left_open = require "spec.support.left_open"
local live = require "spec.support.live_node"
local reload = require "runtime.reload"

describe("runtime.reload", function()
  local at

  setup(function()
    edited.open()
    at = live.start()
  end)
  teardown(function()
    live.stop_all()
    edited.close()
  end)

  it("leaves nothing behind after a thousand reloads, neither here nor on the node", live.test(function()
    -- Each has another prompt, every fifth another query too, which the node has to parse.
    local function edit(i)
      local later = ('later = "#{ms => %d + erlang:system_time(millisecond)}."'):format(i - i % 5)
      edited.save("skills/clock.lua", clock_skill.text("p" .. i, clock_skill.later, later))
    end
    edit(0)
    local skills = assert(beamlens.skills { "clock" })
    local unwatch = reload.begin { node = at.node, skills = skills }
    local function go(from, to)
      for i = from, to do
        edit(i)
        reload.look()
      end
      return { left_open.watches(), at.eval "erlang:system_info(atom_count)." }, left_open.memory()
    end
    local before, memory = go(1, 50)
    local after, now = go(51, 1050)
    assert.matches("#{ms => 1050 ", in_use.now(skills[1]).queries.later)
    assert.same(before, after)
    assert.is_true(now - memory < 64 * 1024, ("%d bytes more"):format(now - memory))
    unwatch()
  end))
end)
