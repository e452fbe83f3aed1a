local uv = require "luv"
local async = require "runtime.async"
local program = require "spec.support.program"
local deadlines = require "runtime.deadlines"

local function in_task(body)
  return function() async.run(body) end
end

local function never() end

-- Something that ends the wait from outside, at the loop's next turn.
local function next_turn(resume, ...)
  local timer, values, count = uv.new_timer(), { ... }, select("#", ...)
  timer:start(0, 0, function()
    timer:close()
    resume(unpack(values, 1, count))
  end)
end

describe("async.run", function()
  it("returns what the root task returns", function()
    assert.same({ 1, nil, 3 }, { async.run(function(a)
      async.sleep(0)
      return a, nil, 3
    end, 1) })
  end)

  it("raises the root's error again, with the place where it happened", function()
    local ok, err = pcall(async.run, function()
      async.sleep(0)
      error("broken here")
    end)
    assert.is_false(ok)
    assert.matches("async_spec.lua:%d+: broken here", err)
    assert.matches("stack traceback", err)
  end)

  it("raises an error object as it is", function()
    local object = { stage = "node" }
    local _, err = pcall(async.run, function() error(object) end)
    assert.equal(object, err)
  end)

  -- In a process of its own: what other specs left in the loop of this one would keep it turning.
  it("says so when nothing could ever wake the root", in_task(function()
    local path = os.tmpname() .. ".lua"
    local file = assert(io.open(path, "w"))
    file:write [[
      local async = require "runtime.async"
      async.run(function() async.await(function() end) end)]]
    file:close()
    local result = program.run({ path }, { path = require("host.files").exe })
    os.remove(path)
    assert.equal(70, result.code)
    assert.matches("nothing is left that could wake it", result.stderr)
  end))

  it("refuses to run inside a task", in_task(function()
    assert.has_error(function() async.run(never) end, "async.run inside a task: use async.spawn")
  end))
end)

describe("async.await", function()
  it("gives back what resume was given, nils included", in_task(function()
    assert.same({ n = 3, nil, "b", nil }, (function(...) return { n = select("#", ...), ... } end)(
      async.await(function(resume) next_turn(resume, nil, "b", nil) end)))
  end))

  it("takes an answer that comes before start returns", in_task(function()
    assert.equal(7, async.await(function(resume) resume(7) end, async.now() + 10))
  end))

  it("takes the first answer only", in_task(function()
    local again
    local first = async.await(function(resume)
      again = resume
      resume("first")
    end)
    again("second")
    assert.equal("first", first)
  end))

  it("says timeout at the deadline and abandons what was begun", in_task(function()
    local abandoned
    local value, err = async.await(function() return function(why) abandoned = why end end, async.now() + 0.01)
    assert.is_nil(value)
    assert.equal("timeout", err)
    assert.equal("timeout", abandoned)
  end))

  it("ignores an answer after the deadline", in_task(function()
    local late
    async.await(function(resume) late = resume end, async.now())
    late("too late")
    assert.equal("on time", async.await(function(resume) next_turn(resume, "on time") end))
  end))

  it("meets deadlines in their order, not in the order they were set", in_task(function()
    local order, tasks, start = {}, {}, async.now()
    for i, after in ipairs { 0.03, 0.01, 0.04, 0.02, 0.005 } do
      tasks[i] = async.spawn(function()
        async.await(never, start + after)
        order[#order + 1] = after
      end)
    end
    for _, task in ipairs(tasks) do task:join() end
    assert.same({ 0.005, 0.01, 0.02, 0.03, 0.04 }, order)
  end))

  it("never expires before its deadline", in_task(function()
    local deadline = async.now() + 0.0215
    async.await(never, deadline)
    assert.is_true(async.now() >= deadline)
  end))

  it("keeps the other deadlines when some in the middle are met early", in_task(function()
    local wake, order, tasks, start = {}, {}, {}, async.now()
    for i = 1, 40 do
      tasks[i] = async.spawn(function()
        local _, err = async.await(function(resume) wake[i] = resume end, start + 0.001 * ((i * 17) % 41))
        if err then order[#order + 1] = (i * 17) % 41 end
      end)
    end
    for i = 1, 40, 3 do wake[i](true) end
    for _, task in ipairs(tasks) do task:join() end
    assert.equal(26, #order)
    local sorted = { unpack(order) }
    table.sort(sorted)
    assert.same(sorted, order)
  end))

  -- Who is woken first waits for long: the timer must not be left at that.
  it("meets a deadline that stood before a later one that a woken task set", in_task(function()
    local later = async.now() + 5
    local long = async.spawn(function()
      async.await(never, async.now() + 0.01)
      async.await(never, later)
    end)
    async.await(never, async.now() + 0.02)
    assert.is_true(async.now() < later)
    long:cancel()
  end))

  it("forgets its deadline when the answer comes first", in_task(function()
    local before = deadlines.pending()
    for _ = 1, 10 do async.await(function(resume) next_turn(resume, true) end, async.now() + 3600) end
    assert.equal(before, deadlines.pending())
  end))

  it("is refused outside a task", function()
    assert.has_error(function() async.await(never) end, "async.await outside a task: start one with async.run")
  end)
end)

describe("a task", function()
  it("hands its results to who joins it, also after its end", in_task(function()
    local task = async.spawn(function() return "a", "b" end)
    assert.same({ true, "a", "b" }, { task:join() })
    assert.same({ true, "a", "b" }, { task:join() })
  end))

  it("hands its traceback to who joins it and does not disturb the others", in_task(function()
    local task = async.spawn(function()
      async.sleep(0)
      error "fell over"
    end)
    local ok, trace = task:join()
    assert.is_false(ok)
    assert.matches("fell over.*stack traceback", trace)
  end))

  it("is left alone when who joins it runs out of time", in_task(function()
    local release
    local task = async.spawn(function() return async.await(function(resume) release = resume end) end)
    assert.same({ false, "timeout" }, { task:join(async.now() + 0.005) })
    release("still here")
    assert.same({ true, "still here" }, { task:join() })
  end))

  it("learns why it was cancelled, in this wait and in the next", in_task(function()
    local heard = {}
    local abandoned
    local task = async.spawn(function()
      heard[1] = { async.await(function() return function(why) abandoned = why end end) }
      heard[2] = { async.sleep(10) }
    end)
    task:cancel("interrupted")
    assert.is_true(task.finished)
    assert.equal("interrupted", abandoned)
    assert.same({ { nil, "interrupted" }, { nil, "interrupted" } }, heard)
  end))

  it("can cancel the task that runs it", in_task(function()
    local outer
    outer = async.spawn(function()
      async.sleep(0)
      async.spawn(function() outer:cancel() end)
      return async.sleep(10)
    end)
    assert.same({ true, nil, "cancelled" }, { outer:join() })
  end))

  it("is the current one while it runs", in_task(function()
    local inner
    local task = async.spawn(function() inner = async.current() end)
    assert.equal(task, inner)
    assert.not_equal(task, async.current())
  end))
end)

describe("async.sleep", function()
  it("is true when it slept and nil with the reason when it did not", in_task(function()
    assert.is_true(async.sleep(0.001))
    local task = async.spawn(function() return async.sleep(10) end)
    task:cancel()
    assert.same({ true, nil, "cancelled" }, { task:join() })
  end))
end)

describe("async.all", function()
  it("runs the functions side by side and keeps their order", in_task(function()
    local trail = {}
    local results = async.all {
      function()
        async.sleep(0.01)
        trail[#trail + 1] = "slow"
        return 1
      end,
      function()
        trail[#trail + 1] = "quick"
        return nil, "refused"
      end,
      function() error "bug" end,
    }
    assert.same({ "quick", "slow" }, trail)
    assert.same({ ok = true, value = 1 }, results[1])
    assert.same({ ok = false, err = "refused" }, results[2])
    assert.is_false(results[3].ok)
    assert.matches("bug", results[3].err)
  end))

  it("cancels them all when its own task is cancelled", in_task(function()
    local heard = {}
    local task = async.spawn(function()
      async.all {
        function() heard[1] = select(2, async.sleep(10)) end,
        function() heard[2] = select(2, async.sleep(10)) end,
      }
    end)
    task:cancel("interrupted")
    assert.is_true(task.finished)
    assert.same({ "interrupted", "interrupted" }, heard)
  end))

  it("waits, when it is cancelled, for what its functions put away", in_task(function()
    local trail = {}
    local function puts_away(name)
      return function()
        async.sleep(3600)
        local slept = async.shield(function() return async.sleep(0.02) end)
        trail[#trail + 1] = slept and name
      end
    end
    local task = async.spawn(function()
      async.all { puts_away "one", puts_away "two" }
      trail[#trail + 1] = "all"
    end)
    task:cancel "interrupted"
    task:join()
    assert.same({ "one", "two", "all" }, trail)
  end))
end)

describe("a task that failed", function()
  -- What a process of its own says on stderr that runs this.
  local function said(body)
    local path = os.tmpname() .. ".lua"
    local file = assert(io.open(path, "w"))
    file:write("local async = require 'runtime.async'\nasync.run(function()\n", body, "\nend)\nreturn 0\n")
    file:close()
    local ended
    async.run(function() ended = program.run({ path }, { path = require("host.files").exe }) end)
    os.remove(path)
    os.remove((path:gsub("%.lua$", "")))
    return ended.stderr
  end

  it("is told as soon as nobody can join it, for a program may run for months", function()
    assert.equal("a task in the background failed: one\nlater\na task in the background failed: two\n", said [[
      async.spawn(function() error("one", 0) end)
      local held = async.spawn(function() error("two", 0) end)
      collectgarbage() collectgarbage()
      io.stderr:write "later\n"
      async.sleep(0)
      return held]])
  end)

  it("is not told where somebody heard it", function()
    assert.equal("later\n", said [[
      async.spawn(function() error("one", 0) end):join()
      collectgarbage() collectgarbage()
      io.stderr:write "later\n"]])
  end)

  describe("shield", function()
    it("lets a cancelled task wait for what it puts away, and no longer", function()
      local steps = {}
      async.run(function()
        local task = async.spawn(function()
          steps[#steps + 1] = select(2, async.sleep(3600))
          async.shield(function() steps[#steps + 1] = async.sleep(0.01) end)
          steps[#steps + 1] = select(2, async.sleep(3600))
        end)
        task:cancel "interrupted"
        task:join()
      end)
      assert.same({ "interrupted", true, "interrupted" }, steps)
    end)

    it("returns what its function returns, and raises what it raises", function()
      async.run(function()
        assert.same({ 1, 2 }, { async.shield(function() return 1, 2 end) })
        assert.has_error(function() async.shield(function() error("why", 0) end) end, "why")
      end)
    end)

    it("keeps what a task was cancelled by meanwhile", function()
      local why
      async.run(function()
        local task
        task = async.spawn(function()
          async.sleep(0)
          async.shield(function() task:cancel "again" end)
          why = select(2, async.sleep(3600))
        end)
        task:join()
      end)
      assert.equal("again", why)
    end)
  end)
end)
