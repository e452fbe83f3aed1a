local async = require "runtime.async"
local confined = require "runtime.confined"
local failure = require "runtime.failure"
local stand_in = require "runtime.stand_in"

local function load_it(text, given) return assert(stand_in.load(text, "it.lua", given)) end

describe("a file of somebody else", function()
  it("becomes data, with functions that can be called", function()
    local data = load_it "return { n = 1, list = { 'a' }, f = function(x) return x + 1, nil, 'three' end }"
    assert.same({ 1, { "a" } }, { data.n, data.list })
    assert.same({ 3, nil, "three" }, { data.f(2) })
  end)

  it("is handed copies: what it changes there is nobody else's", function()
    local given = { inner = { 1 } }
    local data = load_it("local t = ... t.inner[1] = 2 return { f = function(x) x.n = 9 return t.inner[1] end }", given)
    local args = { n = 1 }
    assert.equal(2, data.f(args))
    assert.same({ { inner = { 1 } }, { n = 1 } }, { given, args })
  end)

  it("calls what it is handed, with what it was handed", function()
    local node = { ask = function(x) return x * 2 end }
    local data = load_it("local twice = ... return { f = function(node) return twice(node, 4) end }",
      function(n, x) return n.ask(n.ask(x)) end)
    assert.equal(16, data.f(node))
  end)

  it("is told that table.sort cannot wait for a node", function()
    local data = load_it("return { f = function(node) table.sort({ 1, 2, 3 }, function() return node.ask() end) end }")
    local ok, err = async.run(function() return pcall(data.f, { ask = function() return async.sleep(0.001) end }) end)
    assert.is_false(ok)
    assert.matches("^it.lua: the node cannot be asked from within table.sort or string.gsub: ask before",
      tostring(confined.fault("it.lua", err)))
  end)

  it("hands over functions, which run confined", function()
    local data = load_it("local call = ... return { f = function(x) return call(function(y) return x + y end) end }",
      function(f) return f(2) end)
    assert.equal(5, data.f(3))
  end)

  it("is stopped in a function that it handed over", function()
    local data = load_it("local call = ... return { f = function() return call(function() while true do end end) end }",
      function(f) return f() end)
    local ok, err = pcall(data.f)
    assert.is_false(ok)
    assert.matches("^it%.lua:1: ran for 20 million steps", tostring(err))
  end)

  it("counts its steps over all that it waits for", function()
    local data = load_it([[return { f = function(node)
      while true do for _ = 1, 1e6 do end node.ask() end
    end }]])
    local asked = 0
    local ok, err = pcall(data.f, { ask = function() asked = asked + 1 end })
    assert.is_false(ok)
    assert.matches("^it%.lua:2: ran for 20 million steps", tostring(err))
    assert.is_true(asked > 3 and asked < 30)
  end)

  it("leaves others alone while it waits", function()
    async.run(function()
      local data = load_it "return { f = function(sleep) sleep() return ('x'):rep(3) end }"
      local task = async.spawn(data.f, function()
        async.sleep(0.05)
      end)
      local hook, long = debug.gethook(), ("x"):rep(5000000)
      local _, text = task:join()
      assert.same({ 5000000, "xxx" }, { #long, text })
      assert.same({ nil, nil }, { hook, (debug.gethook()) })
    end)
  end)

  it("raises what is wrong as a Failure with file and line", function()
    local data = load_it "return { f = function()\n local x = nil\n return x.y\nend }"
    local ok, err = pcall(data.f)
    assert.is_false(ok)
    assert.is_true(failure.is(err))
    assert.equal("it.lua:3: attempt to index local 'x' (a nil value)", err.message)
  end)

  it("keeps what marks a table as ours", function()
    local json = require "runtime.json"
    local data = load_it("local object = ... return { empty = object {}, f = function() return object {} end }",
      json.object)
    assert.same({ "{}", "{}" }, { json.encode(data.empty), json.encode(data.f()) })
  end)
end)
