-- Restarts and odd children, on a live node: what the supervisor says and keeps is the other road.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local sup = assert(skill.open "sup")

local function find(rows, key, value)
  for _, row in ipairs(rows) do if row[key] == value then return row end end
end

describe("sup skill, restarts", function()
  local at, callback, eval

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(sup, at.node)
    live.test(function() crowd.load(at, "grove") end)()
  end)

  teardown(function() live.stop_all() end)

  it("sees a restart loop with its intensity and period, and the child that loops", live.test(function()
    eval [[grove:plant(flappy, #{intensity => 1000, period => 5}, [grove:worker(calm), grove:worker(brief, brief)]),
      grove:until(fun() -> length(element(8, sys:get_state(flappy))) >= 5 end).]]
    local answer = callback.sup_restarts(10, 500)
    local row = answer.restarts[1]
    local kept = eval "length(element(8, sys:get_state(flappy)))."
    eval "grove:fell(flappy)."
    assert.same({ "flappy", 1000, 5, true }, { row.supervisor, row.intensity, row.period_seconds, row.looping })
    assert.is_true(row.restarts >= 5 and row.restarts <= kept and row.restarts == row.restarts_in_period)
    assert.is_true(row.last_restart_seconds <= 1)
    assert.equal("brief", row.children[1].id)
    assert.is_nil(find(row.children, "id", "calm"))
    assert.equal(1, answer.total)
  end))

  -- Which child is there at the second look is chance; how often it was started is not.
  it("counts every start in the window, not only who is there at its end", live.test(function()
    eval [[grove:plant(hasty, #{intensity => 1000, period => 5}, [grove:worker(brief, brief)]),
      grove:until(fun() -> length(element(8, sys:get_state(hasty))) >= 5 end).]]
    local row = find(callback.sup_restarts(10, 1500).restarts, "supervisor", "hasty")
    eval "grove:fell(hasty)."
    assert.is_true(row.started >= 5 and row.started <= row.restarts)
  end))

  it("remembers one restart, and does not call it a loop", live.test(function()
    eval [[grove:plant(sturdy, #{intensity => 3, period => 60}, [grove:worker(a)]),
      P = grove:child(sturdy, a), exit(P, kill), grove:until(fun() -> grove:child(sturdy, a) =/= P end).]]
    local row = find(callback.sup_restarts(10, 100).restarts, "supervisor", "sturdy")
    eval "grove:fell(sturdy)."
    assert.same({ 1, 1, 3, 60, false },
      { row.restarts, row.restarts_in_period, row.intensity, row.period_seconds, row.looping })
  end))

  it("does not take children that come and go for restarts", live.test(function()
    eval [[grove:plant(pool, #{strategy => simple_one_for_one},
        [maps:put(restart, temporary, grove:worker(x, brief))]),
      register(feeder, spawn(fun() -> (fun F() -> supervisor:start_child(pool, []), receive after 5 -> F() end end)()
        end)).]]
    local answer = callback.sup_restarts(10, 300)
    eval "exit(whereis(feeder), kill), grove:fell(pool)."
    assert.is_nil(find(answer.restarts, "supervisor", "pool"))
  end))

  it("asks every supervisor, and says which do not answer", live.test(function()
    eval [[grove:plant(stuck, #{}, [grove:worker(a)]),
      spawn(fun() -> supervisor:start_child(stuck, grove:worker(s, slow)) end), grove:until(fun() ->
        process_info(whereis(stuck), current_function) =:= {current_function, {grove, slow, 0}} end).]]
    local answer = callback.sup_restarts(10, 100)
    eval "stuck ! go, grove:until(fun() -> length(supervisor:which_children(stuck)) =:= 2 end), grove:fell(stuck)."
    local silent = answer.silent[1]
    assert.same({ "stuck", 0, 0, "grove:slow/0" },
      { silent.name, silent.message_queue, silent.started, silent.stack[1] })
    assert.matches("^supervisor:", silent.stack[2])
    assert.same({ skill.snapshot(sup, at.node).supervisor_count + 1, 0 }, { answer.asked, answer.left_out })
  end))

  it("counts children by state as which_children does, and finds nothing odd in health", live.test(function()
    eval "grove:plant(hale, #{}, [grove:worker(a), grove:worker(b), grove:worker(c, absent)])."
    local answer = callback.sup_tree_integrity "hale"
    local pid = eval "list_to_binary(pid_to_list(grove:fell(hale)))."
    assert.same({ anomalies = {}, total = 0, showing = 0, supervisor = "hale", supervisor_pid = pid,
      supervisor_queue = 0, total_children = 3, active_children = 2, undefined_children = 1,
      restarting_children = 0 }, answer)
  end))

  it("finds a child that cannot be restarted", live.test(function()
    eval [[persistent_term:erase(grove_once),
      grove:plant(orchard, #{intensity => 1000000, period => 1}, [grove:worker(pear, once), grove:worker(plum)]),
      exit(grove:child(orchard, pear), kill), grove:until(fun() -> grove:child(orchard, pear) =:= restarting end).]]
    local answer, children = callback.sup_tree_integrity "orchard", callback.sup_children "orchard"
    local row = find(callback.sup_restarts(10, 100).restarts, "supervisor", "orchard")
    eval "persistent_term:erase(grove_once), grove:fell(orchard)."
    assert.same({ 2, 1, 1 }, { answer.total_children, answer.active_children, answer.restarting_children })
    assert.same({ "restarting", "pear" }, { answer.anomalies[1].kind, answer.anomalies[1].id })
    assert.same({ "pear", "restarting" }, { children.children[1].id, children.children[1].status })
    assert.same({ "pear", "restarting" }, { row.children[1].id, row.children[1].status })
  end))

  it("finds a child whose end its supervisor will not see", live.test(function()
    eval "grove:plant(hedge, #{}, [grove:worker(a), grove:worker(b, loose)])."
    local answer = callback.sup_tree_integrity "hedge"
    local pid = eval "list_to_binary(pid_to_list(grove:child(hedge, b)))."
    eval "exit(grove:child(hedge, b), kill), grove:fell(hedge)."
    assert.same({ 1, "unlinked", "b", pid },
      { answer.total, answer.anomalies[1].kind, answer.anomalies[1].id, answer.anomalies[1].pid })
  end))
end)
