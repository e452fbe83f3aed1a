local async = require "runtime.async"
local failure = require "runtime.failure"
local in_use = require "runtime.in_use"
local live = require "spec.support.live_node"

describe("runtime.in_use", function()
  local file, loads, release

  -- A file: a text and its version, or what is wrong with it.
  local function load()
    loads = loads + 1
    if file.raises then error(file.raises, 0) end
    if file.wrong then return nil, failure.new("skill", file.wrong, nil, 2) end
    return { text = file.text }, file.text
  end

  local function open() return in_use.open("skill", "clock", load) end

  -- What is told of a look: "a -> b", or why not.
  local function renew(check)
    local told = {}
    in_use.renew(check or function() return true end, function(outcome)
      local renewed = ("%s -> %s"):format(outcome.before, outcome.unit.version)
      told[#told + 1] = outcome.err and tostring(outcome.err) or renewed
    end)
    return told
  end

  before_each(function() file, loads, release = { text = "a" }, 0, in_use.hold() end)
  after_each(function() release() end)

  it("loads once what is in use, and each time what nobody holds", function()
    open()
    open()
    assert.equal(1, loads)
    release()
    open()
    open()
    assert.equal(3, loads)
  end)

  it("gives the last that passed, and keeps what somebody holds as it is", live.test(function()
    local older = open()
    file.text = "b"
    assert.same({ "a -> b" }, renew())
    assert.same({ "a", "b" }, { older.text, open().text })
  end))

  it("says which is the newest form of a skill, as long as somebody holds it", live.test(function()
    local older = open()
    older.opened = "clock"
    file.text = "b"
    renew()
    assert.equal("b", in_use.now(older).text)
    release()
    assert.equal(older, in_use.now(older))
  end))

  it("counts what was renewed, and nothing else", live.test(function()
    open()
    local before = in_use.generation()
    renew()
    file.wrong = "half a file"
    renew()
    assert.equal(before, in_use.generation())
    file.wrong, file.text = nil, "b"
    renew()
    assert.equal(before + 1, in_use.generation())
  end))

  it("tells a refusal once, and again when it was mended in between", live.test(function()
    open()
    file.wrong = "half a file"
    assert.same({ { "half a file" }, {} }, { renew(), renew() })
    file.wrong = nil
    renew()
    file.wrong = "half a file"
    assert.same({ "half a file" }, renew())
  end))

  it("tells that a file which was refused is as it was before", live.test(function()
    open()
    file.wrong = "no"
    renew()
    file.wrong = nil
    assert.same({ "a -> a" }, renew())
    assert.same({}, renew())
  end))

  it("refuses what does not pass the check beyond the form", live.test(function()
    open()
    file.text = "b"
    assert.same({ "the node does not understand it" }, renew(function()
      return nil, "the node does not understand it"
    end))
    assert.equal("a", open().text)
  end))

  it("outlives a file that raises", live.test(function()
    open()
    file.raises = "clock.lua:3: attempt to index a nil value"
    assert.same({ "clock.lua:3: attempt to index a nil value; correct the file" }, renew())
    assert.equal("a", open().text)
  end))

  it("says nothing of a check that was cut off with its task, and goes no further", live.test(function()
    in_use.open("skill", "ets", load)
    open()
    file.text = "b"
    local told, checks = nil, 0
    local task = async.spawn(function()
      told = renew(function()
        checks = checks + 1
        return async.sleep(60)
      end)
    end)
    task:cancel "the run is over"
    task:join()
    assert.same({ {}, 1 }, { told, checks })
    assert.equal("a", open().text)
  end))
end)
