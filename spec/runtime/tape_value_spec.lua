local etf = require "host.etf"
local json = require "runtime.json"
local tape_value = require "runtime.tape_value"

local A = etf.A

local function same(text) return text end

local function written(v) return json.encode(tape_value.encode(v, same)) end

local function back(v) return tape_value.decode(json.decode("[" .. written(v) .. "]")[1]) end

describe("runtime.tape_value", function()
  it("writes what a person can read", function()
    assert.equal('{"memory":12,"name":{"$atom":"code_server"},"queue":[1,2]}',
      written(etf.amap { memory = 12, name = A.code_server, queue = { 1, 2 } }))
    assert.equal('{"$tuple":[{"$atom":"ok"},{"$empty":true}]}', written(etf.tuple(A.ok, etf.amap {})))
  end)

  it("reads back the very term", function()
    for name, v in pairs {
      number = 1.5, text = "x", yes = true, list = { 1, { 2 } }, empty = {}, atom = A.undefined,
      tuple = etf.tuple(1, A.b), map = etf.amap { a = etf.amap { b = { 1 } } },
      texts = etf.decode "\131t\0\0\0\1m\0\0\0\1xa\1",
      numbers = etf.decode "\131t\0\0\0\1a\1a\1", chars = etf.chars "hey", pid = etf.pid("a@b", 1, 2, 3),
      big = etf.decode "\131n\9\0\1\2\3\4\5\6\7\8\9", improper = etf.decode "\131l\0\0\0\1a\1a\2",
      dollar = etf.amap { ["$tuple"] = 1 },
    } do
      assert.equal(etf.kind(v), etf.kind(back(v)), name)
      assert.equal(etf.encode(v), etf.encode(back(v)), name)
    end
  end)

  it("keeps a table of ours apart from a map of the node, and JSON's null", function()
    assert.is_nil(getmetatable(back { a = 1 }))
    assert.same({ { a = 1, b = json.null } }, { back { a = 1, b = json.null } })
  end)

  it("cleans every text in it: values, keys, names of atoms", function()
    local function hide(text) return (text:gsub("hunter2", "<secret>")) end
    local v = { etf.amap { hunter2 = "say hunter2" }, etf.tuple(A.hunter2), etf.chars "hunter2" }
    assert.equal('[{"<secret>":"say <secret>"},{"$tuple":[{"$atom":"<secret>"}]},{"$chars":"<secret>"}]',
      json.encode(tape_value.encode(v, hide)))
  end)

  it("raises what is no value, and what it never wrote", function()
    assert.has_error(function() tape_value.encode({ print }, same) end, "no value of a node: a function")
    assert.has_error(function() tape_value.decode { ["$run"] = "rm" } end, "unknown word $run")
  end)
end)
