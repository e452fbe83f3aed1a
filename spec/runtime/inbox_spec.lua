local async = require "runtime.async"
local inbox = require "runtime.inbox"

local function task(body) return function() async.run(body) end end

local function soon() return async.now() + 10 end

describe("runtime.inbox", function()
  it("hands a question over once, and the next words are its answer", task(function()
    local box = inbox.new()
    local asking = async.spawn(box.post, box, "how many?", soon())
    assert.is_false(box:hears "said before it was read")
    assert.equal("how many?", box:take())
    assert.is_nil(box:take())
    assert.is_false(box:hears " \n")
    assert.is_true(box:hears "three")
    assert.equal("three", select(2, asking:join()))
    assert.is_false(box:hears "said afterwards")
  end))

  it("keeps the order of the questions, one at a time", task(function()
    local box, answers = inbox.new(), {}
    for i = 1, 2 do
      async.spawn(function() answers[i] = box:post("question " .. i, soon()) end)
    end
    assert.equal("question 1", box:take())
    assert.is_nil(box:take())
    box:hears "one"
    assert.equal("question 2", box:take())
    box:hears "two"
    assert.same({ "one", "two" }, answers)
  end))

  it("ends a pause when somebody asks, and not before", task(function()
    local box, woken = inbox.new(), false
    local sleeping = async.spawn(function()
      woken = box:sleep(60)
    end)
    assert.is_false(woken)
    local asking = async.spawn(box.post, box, "awake?", soon())
    assert.is_true(woken)
    assert.is_true(sleeping.finished)
    box:close "bye"
    asking:join()
  end))

  it("ends every pause there is", task(function()
    local box, woken = inbox.new(), 0
    for _ = 1, 3 do
      async.spawn(function()
        box:sleep(60)
        woken = woken + 1
      end)
    end
    async.spawn(box.post, box, "awake?", soon())
    assert.equal(3, woken)
    box:close "bye"
  end))

  it("is told by a pause that its task was cancelled", task(function()
    local box = inbox.new()
    local sleeping = async.spawn(function() return { box:sleep(60) } end)
    sleeping:cancel "interrupted"
    assert.same({ nil, "interrupted" }, select(2, sleeping:join()))
  end))

  it("does not pause while a question waits unread", task(function()
    local box = inbox.new()
    async.spawn(box.post, box, "x", soon())
    assert.is_true(box:sleep(3600))
    box:close "bye"
  end))

  it("says why no answer came in time", task(function()
    local box = inbox.new()
    assert.same({ nil, "it has not read the question yet" }, { box:post("x", async.now()) })
    local asking = async.spawn(function() return { box:post("y", async.now() + 0.02) } end)
    assert.equal("y", box:take())
    assert.same({ nil, "it read the question and has not answered yet" }, select(2, asking:join()))
  end))

  it("has its owner's words pass as an answer though the one who asked went away", task(function()
    local box = inbox.new()
    local asking = async.spawn(box.post, box, "x", soon())
    box:take()
    asking:cancel()
    assert.is_true(box:hears "an answer")
  end))

  it("gives the last words to who still asks, and says how many were never read", task(function()
    local box = inbox.new()
    local read, unread = async.spawn(box.post, box, "x", soon()), async.spawn(box.post, box, "y", soon())
    box:take()
    assert.equal(1, box:close "I am done")
    assert.same({ "I am done", "I am done", "I am done" },
      { select(2, read:join()), select(2, unread:join()), (box:post("z", soon())) })
  end))

  it("takes no more than sixteen questions at once", task(function()
    local box = inbox.new()
    for _ = 1, 16 do async.spawn(box.post, box, "x", soon()) end
    assert.same({ nil, "16 questions wait already; wait for their answers" }, { box:post("x", soon()) })
    box:close "bye"
  end))
end)
