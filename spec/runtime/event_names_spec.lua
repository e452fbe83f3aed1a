local event_names = require "runtime.event_names"

describe("the name of an event", function()
  it("is taken bare, with the program's name in front, as a kind, and for all", function()
    for given, name in pairs { ["operator.done"] = "operator.done", ["beamlens.operator.done"] = "operator.done",
      ["operator.*"] = "operator.*", ["beamlens.node.*"] = "node.*", ["*"] = "*" } do
      assert.equal(name, event_names.read(given))
    end
  end)

  it("that is none is told with the one that was meant", function()
    assert.same({ nil, "there is no event operator.notfication_sent", "did you mean operator.notification_sent?" },
      { event_names.read "operator.notfication_sent" })
    assert.same({ nil, "there is no event whatever.*", "see `beamlens-run help events`" },
      { event_names.read "whatever.*" })
  end)

  it("is looked at when a script asks for it, for nobody would ever hear of it", function()
    local ok, err = pcall(require("runtime.beamlens").on, "operator.doen", print)
    assert.same({ false, "there is no event operator.doen; did you mean operator.done?", 2 },
      { ok, tostring(err):gsub("^.-: ", "", 1), err.exit })
  end)
end)
