-- What a provider's strict mode asks of every tool, and the catalogue of names.
local json = require "runtime.json"

local LISTS = {
  operator = { "done", "execute", "get_notifications", "get_snapshot", "get_snapshots", "propose_action",
    "send_notification", "set_state", "take_snapshot", "think", "wait" },
  coordinator = { "done", "get_notifications", "get_operator_statuses", "invoke_operators", "produce_insight",
    "propose_action", "think", "update_notification_statuses", "wait" },
}

-- Each schema inside a schema, with where it stands.
local function each(schema, where, visit)
  visit(schema, where)
  for name, inner in pairs(schema.properties or {}) do each(inner, where .. "." .. name, visit) end
  if schema.items then each(schema.items, where .. "[]", visit) end
end

for kind, names in pairs(LISTS) do
  describe("the tools of " .. kind, function()
    local list = require("runtime.tools." .. kind).list

    it("are those of the catalogue", function()
      local found = {}
      for i, tool in ipairs(list) do found[i] = tool.name end
      table.sort(found)
      assert.same(names, found)
    end)

    it("take no argument that they do not name, and require none that they do not have", function()
      for _, tool in ipairs(list) do
        each(tool.parameters, tool.name, function(schema, where)
          if schema.type ~= "object" then return end
          assert.is_false(schema.additionalProperties, where)
          for _, name in ipairs(schema.required) do assert.is_table(schema.properties[name], where .. "." .. name) end
        end)
      end
    end)

    it("keep an empty list of arguments an object on the wire", function()
      for _, tool in ipairs(list) do
        assert.matches('"properties":{', json.encode(tool.parameters), 1, true)
      end
    end)

    it("say in a sentence what they do", function()
      for _, tool in ipairs(list) do assert.matches("^%u.*%.$", tool.doc) end
    end)
  end)
end

describe("the tool propose_action", function()
  local tool
  for _, other in ipairs(require("runtime.tools.operator").list) do
    if other.name == "propose_action" then tool = other end
  end

  it("offers every action but those that only undo another, each with what it takes", function()
    local offered = {}
    for _, name in ipairs(tool.parameters.properties.action.enum) do offered[name] = true end
    for _, entry in ipairs(require("runtime.actions").entries()) do
      local wanted = not entry.undo_only and entry.name ~= "run_runbook" or nil
      assert.equal(wanted, offered[entry.name], entry.name)
      for _, arg in ipairs(wanted and entry.args or {}) do
        assert.is_string(tool.parameters.properties.arguments.properties[arg.name].description, arg.name)
      end
    end
  end)

  it("says what a name means to each action that takes it", function()
    local arguments = tool.parameters.properties.arguments.properties
    assert.equal("gc_holders: so many processes. trim_table: so many rows at most", arguments.limit.description)
    assert.matches("^one of kill, shutdown; kill ends it at once", arguments.reason.description)
  end)
end)
