-- One look of top on a real node: who leads, by what the node itself says.

local leaders = require "spec.support.leaders"
local live = require "spec.support.live_node"
local look = require "runtime.top.look"

local CROWD = "[spawn(timer, sleep, [infinity]) || _ <- lists:seq(1, 200)], ok."

local SORTS = { memory = "heap", mailbox = "mail", binary = "holds", reductions = "works" }

describe("a look of top", function()
  local at

  setup(live.test(function()
    at = live.start { code = leaders }
    at.eval(CROWD)
  end))
  teardown(live.stop_all)

  local function seen(more)
    local o = { sort = "memory", limit = 10, most = 100000, count = 1, window_ms = 200 }
    for key, value in pairs(more or {}) do o[key] = value end
    return assert(look.at(at.node, o))
  end

  local function row_of(l, name)
    for _, row in ipairs(l.rows) do if row.name == name then return row end end
  end

  for sort, name in pairs(SORTS) do
    it(("by %s has at its head who has most"):format(sort), live.test(function()
      local l = seen { sort = sort }
      assert.equal(name, l.rows[1].name)
      assert.equal(10, #l.rows)
    end))
  end

  it("says of a process what the node says of it", live.test(function()
    local row = seen({ sort = "mailbox" }).rows[1]
    local theirs = at.eval [[
      [{_, M}, {_, Q}] = process_info(whereis(mail), [memory, message_queue_len]),
      {M div 1024, Q, list_to_binary(pid_to_list(whereis(mail)))}.]]
    assert.same({ theirs[1], theirs[2], theirs[3], "waiting", "timer:sleep/1" },
      { row.memory_kb, row.message_queue, row.pid, row.status, row.current_function })
  end))

  it("tells the reductions of its own time, not those of a life", live.test(function()
    local before = at.eval "element(2, process_info(whereis(works), reductions))."
    local l = seen { sort = "reductions", window_ms = 500 }
    local after = at.eval "element(2, process_info(whereis(works), reductions))."
    local per_second = row_of(l, "works").reductions_per_sec
    assert.is_true(per_second > 0 and per_second * l.window_s <= after - before, per_second)
  end))

  it("tells a rate by every measure", live.test(function()
    assert.is_true(row_of(seen { sort = "memory", limit = 50 }, "works").reductions_per_sec > 0)
  end))

  it("finds a long mailbox among the largest, whatever its heap is", live.test(function()
    assert.is_truthy(row_of(seen { sort = "memory", limit = 10 }, "mail"))
  end))

  it("says what the node says of itself", live.test(function()
    local figures = seen().figures
    local theirs = at.eval [[{erlang:system_info(process_limit), erlang:system_info(schedulers_online),
      erlang:memory(total) / 1048576}.]]
    assert.same({ theirs[1], theirs[2] }, { figures.process_limit, figures.schedulers_online })
    assert.near(theirs[3], figures.memory.total_mb, 20)
    assert.is_true(figures.process_count > 200 and figures.scheduler_pct >= 0 and figures.scheduler_pct <= 100)
  end))

  it("says what it took, without the time that it waits", live.test(function()
    local l = seen { window_ms = 3000 }
    assert.is_true(l.took_s > 0 and l.took_s < l.window_s, l.took_s)
    assert.is_true(l.reductions > 1000)
  end))

  it("makes no atom and leaves nothing behind once it was made", live.test(function()
    for sort in pairs(SORTS) do seen { sort = sort } end
    local STATE = [[{erlang:system_info(atom_count), length(erlang:loaded()), length(processes()),
      erlang:statistics(scheduler_wall_time)}.]]
    local before = at.eval(STATE)
    for sort in pairs(SORTS) do seen { sort = sort } end
    local after = at.eval(STATE)
    assert.same({ before[1], before[2], before[3], before[4] }, { after[1], after[2], after[3], after[4] })
  end))

  it("does not show the one who looks", live.test(function()
    local l = seen { sort = "reductions", limit = 1000 }
    for _, row in ipairs(l.rows) do assert.is_nil((row.name or ""):find("erpc:execute_call", 1, true)) end
  end))

  it("asks those again that it is told, and passes over who has died", live.test(function()
    local mail = seen({ sort = "mailbox" }).rows[1]
    local dead = at.eval "P = spawn(fun() -> receive stop -> ok end end), exit(P, kill), P."
    local l = seen { most = 0, known = { mail.id, dead } }
    assert.equal(1, #l.rows)
    assert.same({ "mail", 5000 }, { l.rows[1].name, l.rows[1].message_queue })
  end))

  it("walks through nobody where it is told so", live.test(function()
    local l = seen { most = 0 }
    assert.same({ 0, 0 }, { #l.rows, l.walked })
    assert.is_true(l.figures.process_count > 200)
  end))

  describe("at a crowd", function()
    setup(live.test(function()
      at.eval "[spawn(timer, sleep, [infinity]) || _ <- lists:seq(1, 30000)]."
      at.eval [[register(late, spawn(fun() -> L = lists:seq(1, 500000), receive stop -> L end end)),
        (fun Wait() -> case process_info(whereis(late), status) of
          {_, waiting} -> ok; _ -> timer:sleep(10), Wait() end end)().]]
    end))

    it("sees everybody once in as many looks as it says", live.test(function()
      local first = seen { most = 10000, count = 0 }
      assert.equal(4, first.parts)
      local walked, found = first.walked, row_of(first, "late") and 1 or 0
      for count = 1, 3 do
        local l = seen { most = 10000, count = count }
        walked, found = walked + l.walked, found + (row_of(l, "late") and 1 or 0)
      end
      assert.equal(1, found)
      assert.near(first.figures.process_count, walked, 10)
    end))

    it("keeps those that lead, whatever part it is at", live.test(function()
      local known = {}
      for i, row in ipairs(seen({ sort = "mailbox" }).rows) do known[i] = row.id end
      for count = 0, 3 do
        assert.equal("mail", seen({ sort = "mailbox", most = 10000, count = count, known = known }).rows[1].name)
      end
    end))
  end)
end)
