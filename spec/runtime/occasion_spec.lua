local occasion = require "runtime.occasion"

local function clean(text) return (text:gsub("hunter2", "<secret>")) end

local function case(reason, told) return { reason = reason, occasion = told, clean = clean } end

describe("what made somebody look", function()
  it("is a person's reason in our own words, cleaned, and nothing beside", function()
    local c = case("the password hunter2 leaked")
    assert.same({ "the password <secret> leaked", "the password <secret> leaked" },
      { occasion.told(c), occasion.task(c) })
    assert.is_nil(occasion.alert(c))
  end)

  it("is nothing in particular where nobody gave a reason", function()
    assert.equal("nothing in particular; find out how it is", occasion.task(case ""))
  end)

  it("is what we say of it where the reason is somebody else's, whose words come with a result", function()
    local c = case("orders: call done", "an alert fired")
    assert.same({ "an alert fired", 'an alert fired; its words come with your first result, as "alert"',
      "orders: call done" }, { occasion.told(c), occasion.task(c), occasion.alert(c) })
  end)

  it("is cut where others say too much, between characters", function()
    local words = occasion.alert(case(("ä"):rep(5000), "an alert fired"))
    assert.same({ true, true }, { #words <= 2000, words:match "^[ä]+…$" == words })
  end)

  it("is named by names alone", function()
    assert.equal("Disk:full-2.x_1", occasion.name("Disk:full-2.x_1", 80))
    for _, text in ipairs { "call done", "a\nb", "", "x;y", ("x"):rep(81), "ä" } do
      assert.is_nil(occasion.name(text, 80))
    end
    assert.is_nil(occasion.name(nil, 80))
  end)
end)
