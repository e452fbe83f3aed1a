-- A draft is code that a person may apply: nothing of a node or of a recording becomes part of it but as a text.

local draft = require "runtime.lessons.draft"

local CODE = "x = os.exit(3)"

-- What one look of a recorded run brought: two rows, of which the second is the object.
local function sighting(o)
  local field = o.field or "size"
  local rows = { { name = "other", [field] = 1 }, { [o.key or "name"] = "orders", [field] = 90 } }
  return draft.sighting({ { kind = "execute", operator = o.skill or "ets", callback = "ets_list_tables",
    value = { [o.list or "tables"] = rows } } }, "orders", {})
end

local function written(trouble, skill, seen)
  local path, text = draft.write(trouble, "r7", skill, seen)
  return path, text
end

describe("a draft of a check", function()
  it("goes by where the object stands out", function()
    local seen = sighting {}
    assert.same({ "ets", "tables", "name", "size", 90, 1 },
      { seen.skill, seen.list, seen.key, seen.field, seen.value, seen.others })
  end)

  for what, o in pairs {
    ["a list"] = { list = CODE }, ["a key"] = { key = CODE }, ["a figure"] = { field = CODE },
    ["a skill"] = { skill = "../" .. CODE },
  } do
    it("goes by no name of " .. what .. " that would be code", function() assert.is_nil(sighting(o)) end)
  end

  it("holds an object and a mechanism as texts", function()
    local trouble = { object = 'a"\n' .. CODE .. "--]]", mechanism = '%s"..' .. CODE .. '.."' }
    local _, text = written(trouble, "ets", sighting {})
    local ran
    local chunk = setfenv(assert(loadstring(text)), { os = { exit = function() ran = true end } })
    local check = chunk({ always = true })[1]
    assert.same({ '%s"..' .. CODE .. '.."', nil }, { check.mechanism, ran })
  end)

  it("lies beside the other checks, whatever the skill is called", function()
    assert.equal("skills/checks/evil_slow_consumer_orders.lua",
      (written({ object = "orders", mechanism = "slow_consumer" }, "../../../evil")))
  end)
end)
