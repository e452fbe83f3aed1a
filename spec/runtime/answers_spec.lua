-- The sentences that figures make: each topic's own, from what its callbacks answer (spec/skills tells that they do).
local answers = require "runtime.answers"

local function nobody() return false end
local function of(name) return function(asked) return asked == name end end

local function queue(name, from, to)
  return { name = name, pid = "<0.1.0>", initial_queue = from, final_queue = to, queue_growth = to - from }
end

local function mailbox(asked, ...)
  return answers.mailbox.state({ { seconds = 3, total = 50, processes = { ... } } }, asked or nobody)
end

describe("runtime.answers", function()
  it("tells of the queue that grows before the longest", function()
    local state = mailbox(nil, queue("long", 90000, 90000), queue("inbox", 100, 400))
    assert.equal("The queue of inbox grows by 100 a second, from 100 to 400 messages in 3 s.", state.text)
    assert.same({ false, "processes[2].final_queue" }, { state.calm, state.figures[1].path })
  end)

  it("tells of the queue that the question names before one that grows", function()
    local state = mailbox(of "calm", queue("inbox", 100, 400), queue("calm", 3, 3))
    assert.equal("The queue of calm does not grow: it went from 3 to 3 messages in 3 s.", state.text)
  end)

  it("takes for growth no traffic, and no less of a long queue than of a short one for traffic", function()
    assert.is_true(mailbox(nil, queue("inbox", 100, 119)).calm)
    assert.is_false(mailbox(nil, queue("inbox", 43829, 44621)).calm)
  end)

  it("has words that contradict no finding", function()
    assert.equal("The longest queue is that of inbox: it went from 100 to 110 messages in 3 s.",
      mailbox(nil, queue("inbox", 100, 110)).beside)
  end)

  it("says that nobody waits where nobody does", function()
    assert.equal("No queue grows: of 50 processes nobody had a message waiting for long.", mailbox().text)
  end)

  local function memory(total, before)
    local v = { seconds = 2, total_mb = total, total_mb_before = before, growth_mb_per_sec = (total - before) / 2,
      processes = { { name = "hog", memory_kb = 2048 } } }
    for _, kind in ipairs { "processes", "binary", "ets", "code", "atom" } do
      v[kind .. "_mb"], v[kind .. "_mb_before"] = 10, 10
    end
    v.binary_mb = 10 + total - before
    return v
  end

  it("says how fast memory grows, and which kind", function()
    local state = answers.memory.state({ memory(120, 100) }, nobody)
    assert.equal("Memory grows by 10 MB a second, from 100 to 120 MB in 2 s; of its kinds binaries gained most.",
      state.text)
    assert.is_false(state.calm)
  end)

  it("says what memory is that stands still, and whose it is that the question names", function()
    local state = answers.memory.state({ memory(100, 100.04) }, of "hog")
    assert.equal("Memory does not grow: it is 100 MB, and was 100 MB 2 s before; most of it is processes, 10 MB. "
      .. "hog takes 2,048 kB of it.", state.text)
    assert.equal("Memory is 100 MB, and was 100 MB 2 s before; most of it is processes, 10 MB.", state.beside)
  end)

  it("says that memory hardly grows where that is no growth yet, and its figures differ", function()
    local state = answers.memory.state({ memory(100.1, 100) }, nobody)
    assert.equal("Memory hardly grows: by 0.05 MB a second, from 100 to 100.1 MB in 2 s; most of it is binaries, "
      .. "10.1 MB.", state.text)
    assert.equal("Memory went from 100 to 100.1 MB in 2 s; most of it is binaries, 10.1 MB.", state.beside)
    assert.is_true(state.calm)
  end)

  it("calls schedulers busy by their use, and by what waits at both ends", function()
    local function state(use, queue_before, run_queue)
      return answers.schedulers.state({ { utilization_pct = use, max_utilization_pct = use, run_queue = run_queue,
        run_queue_before = queue_before, schedulers_online = 2 } }, nobody).calm
    end
    assert.same({ true, false, false, true }, { state(10, 0, 0), state(90, 0, 0), state(10, 9, 9), state(10, 9, 0) })
  end)
end)
