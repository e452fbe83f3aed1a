local arguments = require "runtime.arguments"
local json = require "runtime.json"

local TEXT, COUNT = { type = "string" }, { type = "integer", minimum = 1, maximum = 9 }

local SCHEMA = { type = "object", required = { "name" }, properties = { name = TEXT, count = COUNT,
  kind = { type = "string", enum = { "a", "b" } }, list = { type = "array", items = TEXT },
  inner = { type = "object", required = { "text" }, properties = { text = TEXT } }, open = { type = "object" },
  value = { type = { "number", "string", "boolean" } } } }

local function why(args) return select(2, arguments.check(SCHEMA, args)) end

describe("runtime.arguments", function()
  it("takes what fits, and leaves out what is null or empty and need not be there", function()
    assert.same({ name = "n", count = 3, list = { "x" }, value = false },
      arguments.check(SCHEMA, { name = "n", count = 3, list = { "x" }, value = false, kind = "", inner = json.null }))
  end)

  it("says what is missing, empty, unknown or out of bounds, and where", function()
    assert.equal("name is missing", why {})
    assert.equal("name is missing", why { name = json.null })
    assert.equal("name must not be empty", why { name = "" })
    assert.equal("inner.text must not be empty", why { name = "n", inner = { text = "" } })
    assert.equal("list[2] must not be empty", why { name = "n", list = { "x", "" } })
    assert.equal("there is no coun, did you mean count; it takes count, inner, kind, list, name, open, value",
      why { name = "n", coun = 1 })
    assert.equal("count must be from 1 to 9, not 10", why { name = "n", count = 10 })
    assert.equal("count must be a whole number, not 1.5", why { name = "n", count = 1.5 })
    assert.equal("kind must be one of a, b, not c", why { name = "n", kind = "c" })
    assert.equal("inner must be an object, not a text", why { name = "n", inner = "x" })
  end)

  it("takes no property that an object does not name, and any where it names none", function()
    assert.matches("^there is no inner.more", why { name = "n", inner = { text = "t", more = 1 } })
    local open = { anything = { 1, 2 } }
    assert.same(open, arguments.check(SCHEMA, { name = "n", open = open }).open)
  end)
end)
