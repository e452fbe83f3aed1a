-- What a provider's strict mode asks of every tool, and the catalogue of names.
local arguments = require "runtime.arguments"
local json = require "runtime.json"

local LISTS = {
  operator = { "done", "execute", "get_notifications", "get_snapshot", "get_snapshots", "propose_action",
    "send_notification", "set_state", "take_snapshot", "think", "wait" },
  coordinator = { "done", "get_notifications", "get_operator_statuses", "invoke_operators", "message_operator",
    "produce_insight", "propose_action", "schedule", "think", "update_notification_statuses", "wait" },
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

    it("name no property twice as required, and require none that they do not have", function()
      for _, tool in ipairs(list) do
        each(tool.parameters, tool.name, function(schema, where)
          local seen = {}
          for _, name in ipairs(schema.required or {}) do
            assert.is_table(schema.properties[name], where .. "." .. name)
            assert.is_nil(seen[name], where .. "." .. name)
            seen[name] = true
          end
        end)
      end
    end)

    it("take no argument that they do not name", function()
      for _, tool in ipairs(list) do
        local args, why = arguments.check(tool.parameters, { colour = "red" })
        assert.is_nil(args)
        assert.matches("^there is no colour; it takes ", why)
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

  it("lists to who asks for another only those that can be asked for", function()
    local _, why = tool.run({}, { action = "reboot_everything", arguments = {}, reason = "x" })
    assert.matches("^there is no action reboot_everything; there are .*kill_process", why)
    for _, entry in ipairs(require("runtime.actions").entries()) do
      local wanted = not entry.undo_only and entry.name ~= "run_runbook"
      assert.equal(wanted, (why .. ","):find((" %s,"):format(entry.name), 1, true) ~= nil, entry.name)
    end
  end)

  it("names every action but those that only undo another, each with what it takes", function()
    for _, entry in ipairs(require("runtime.actions").entries()) do
      local wanted = not entry.undo_only and entry.name ~= "run_runbook"
      assert.equal(wanted, tool.doc:find(" " .. require("runtime.actions").call(entry), 1, true) ~= nil, entry.name)
    end
  end)
end)
