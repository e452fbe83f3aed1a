local json = require "runtime.json"

describe("json", function()
  it("gives the same text for the same value, whatever the order of its keys", function()
    assert.equal('{"a":1,"b":[1,2.5],"c":{"x":true}}', json.encode { c = { x = true }, b = { 1, 2.5 }, a = 1 })
  end)

  it("tells an empty list from an empty object", function()
    assert.equal('{"list":[],"object":{}}', json.encode { list = {}, object = json.object {} })
  end)

  it("keeps integers whole and fractions as short as they read back", function()
    assert.equal("[1,9007199254740991,0.1,1e+300]", json.encode { 1, 2 ^ 53 - 1, 0.1, 1e300 })
    assert.equal("[1795297107000000000,-1795297107000000000]", json.encode { 1795297107e9, -1795297107e9 })
  end)

  it("says null for what JSON has no number for", function()
    assert.equal("[null,null,null]", json.encode { 0 / 0, math.huge, json.null })
  end)

  it("escapes control characters and replaces bytes that are no UTF-8", function()
    assert.equal('"a\\u001b\\n\\"é\239\191\189"', json.encode "a\27\n\"é\255")
  end)

  it("refuses overlong and surrogate sequences as UTF-8", function()
    assert.equal('"' .. ("\239\191\189"):rep(5) .. '"', json.encode "\192\175\237\160\128")
  end)

  it("raises on a table that contains itself, and not on one that stands twice", function()
    local twice = { 1 }
    assert.equal("[[1],[1]]", json.encode { twice, twice })
    local t = {}
    t.t = t
    assert.has_error(function() json.encode(t) end, "json: a table that contains itself")
  end)

  it("says where a text is no JSON", function()
    local value, err = json.decode '{"a":'
    assert.is_nil(value)
    assert.matches("character 6", err)
  end)

  it("shows what no eye sees and what steers a terminal, and means the same", function()
    local given = "a\194\155b\226\128\174c\243\160\129\161d é 漢 😀 \27[2J"
    local text = json.encode { given }
    assert.equal('["a\\u009bb\\u202ec\\udb40\\udc61d é 漢 😀 \\u001b[2J"]', text)
    assert.equal(given, json.decode(text)[1])
  end)

  it("keeps empty objects and empty lists apart for what goes back", function()
    for _, text in ipairs { '{"a":{},"b":[],"c":[{},[],{"d":{}}]}', "{}", "[]", "[{}]", '{"a":"{}"}', '{"a\\"{}":{}}',
      '{"a":"\\\\","b":{}}', "null", '"{}"' } do
      assert.equal(text, json.encode(json.faithful(text)))
    end
    assert.equal('{"a":{}}', json.encode(json.faithful ' { "a" : { \n } } '))
  end)

  it("says of broken text what decode says, with empty objects in it too", function()
    for _, text in ipairs { '{"a":{},', '{}}', '{"a":"{}', "" } do
      assert.same({ json.decode(text) }, { json.faithful(text) })
    end
  end)
end)
