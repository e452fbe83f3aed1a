-- Processes outside of the trees, on a live node.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local sup = assert(skill.open "sup")

local function find(rows, key, value)
  for _, row in ipairs(rows) do if row[key] == value then return row end end
end

describe("sup skill, strays", function()
  local at, node, callback, eval, past

  setup(function()
    at = live.start()
    eval = at.eval
    node = { query = at.node.query, sleep = at.node.sleep, history = function() return past or {} end }
    callback = skill.functions(sup, node)
    live.test(function() crowd.load(at, "grove") end)()
  end)

  teardown(function() live.stop_all() end)

  before_each(function() past = nil end)

  -- `glade` starts these: two that nobody is linked to, one of them watched, and one that is linked.
  local function glade()
    eval [[Me = self(), spawn(fun() -> register(glade, self()),
      register(lone, spawn(grove, wait, [])), register(watched, spawn(grove, wait, [])), monitor(process, watched),
      register(bound, spawn_link(grove, wait, [])), Me ! ready, receive stop -> ok end end), receive ready -> ok end.]]
  end
  local function clear()
    eval "[exit(P, kill) || N <- [lone, watched, bound, glade], P <- [whereis(N)], is_pid(P)], ok."
  end

  it("finds those whom nobody is linked to, and not those with a link", live.test(function()
    glade()
    local answer = callback.sup_unlinked_processes()
    local lone, watched = find(answer.processes, "name", "lone"), find(answer.processes, "name", "watched")
    local bound = find(answer.processes, "name", "bound")
    clear()
    assert.same({ 0, 1 }, { lone.monitored_by_count, watched.monitored_by_count })
    assert.is_nil(bound)
  end))

  it("counts all who are unlinked as the node does itself", live.test(function()
    glade()
    local others = eval [[length([P || P <- processes(), P =/= self(), process_info(P, links) =:= {links, []},
      process_info(P, parent) =/= {parent, whereis(init)}]).]]
    local answer = callback.sup_unlinked_processes()
    clear()
    assert.equal(others, answer.total)
  end))

  it("counts what was spawned and forgotten by what it does", live.test(function()
    eval [[spawn(fun() -> register(leaker, self()), [spawn(grove, deaf, []) || _ <- lists:seq(1, 3000)],
      receive stop -> ok end end), grove:until(fun() -> length([P || P <- processes(),
        process_info(P, current_function) =:= {current_function, {grove, deaf, 0}}]) =:= 3000 end).]]
    local answer = callback.sup_unlinked_processes()
    eval "[exit(P, kill) || P <- processes(), process_info(P, initial_call) =:= {initial_call, {grove, deaf, 0}}], ok."
    eval "exit(whereis(leaker), kill)."
    assert.same({ "grove:deaf/0", 3000 }, { answer.groups[1].current_function, answer.groups[1].count })
    assert.same({ 50, 0 }, { answer.showing, answer.left_out })
  end))

  it("finds whose parent is dead, and names the dead", live.test(function()
    local parent = eval [[Me = self(), P = spawn(fun() -> register(orphan, spawn(grove, wait, [])), Me ! ready end),
      receive ready -> ok end, grove:until(fun() -> not is_process_alive(P) end), list_to_binary(pid_to_list(P)).]]
    local row = find(callback.sup_orphaned_processes().processes, "name", "orphan")
    eval "orphan ! stop."
    assert.same({ { parent }, "grove:wait/0", 0 }, { row.dead_ancestor_pids, row.initial_call, row.link_count })
    assert.is_nil(row.age_seconds)
  end))

  it("counts orphans as the node does itself", live.test(function()
    local count = eval [[length([P || P <- processes(), {parent, X} <- [process_info(P, parent)], is_pid(X),
      node(X) =:= node(), not is_process_alive(X)]).]]
    assert.equal(count, callback.sup_orphaned_processes().total)
  end))

  it("tells the age of an orphan that was seen before, and of no other", live.test(function()
    local rows = callback.sup_orphaned_processes().processes
    past = { { age = 900, value = { rows[1].pid } }, { age = 60, value = { rows[1].pid, rows[2].pid } } }
    local again = callback.sup_orphaned_processes().processes
    local ages = {}
    for i = 1, 3 do ages[i] = find(again, "pid", rows[i].pid).age_seconds or "unknown" end
    assert.same({ 900, 60, "unknown" }, ages)
  end))

  it("remembers of orphans their pids", live.test(function()
    local pids, rows = at.node.query(sup.queries.orphan_pids), callback.sup_orphaned_processes().processes
    local shown = {}
    for i, row in ipairs(rows) do shown[i] = row.pid end
    table.sort(pids)
    table.sort(shown)
    assert.same(shown, pids)
  end))

  it("finds the children that outlived their supervisor, by its pid and by its name", live.test(function()
    eval "grove:plant(dying, #{}, [grove:worker(a), grove:worker(b, stubborn)])."
    local child = eval "P = grove:child(dying, b), register(survivor, P), list_to_binary(pid_to_list(P))."
    local pid = eval [[P = grove:fell(dying), list_to_binary(pid_to_list(P)).]]
    local by_pid, by_name = callback.sup_zombie_children(pid), callback.sup_zombie_children "dying"
    eval "grove:plant(dying, #{}, [grove:worker(a)])."
    local again = callback.sup_zombie_children "dying"
    eval "survivor ! stop, grove:fell(dying)."
    assert.same({ "dead", 1, child, "dead" },
      { by_pid.status, by_pid.total, by_pid.zombies[1].pid, by_pid.zombies[1].reason })
    assert.same({ "dead", 1, child, "former" },
      { by_name.status, by_name.total, by_name.zombies[1].pid, by_name.zombies[1].reason })
    assert.same({ "alive", 1, child, "former" },
      { again.status, again.total, again.zombies[1].pid, again.zombies[1].reason })
  end))

  it("finds what a living supervisor started and does not list", live.test(function()
    eval [[grove:plant(careless, #{}, [grove:worker(a), grove:worker(b, loose)]),
      P = grove:child(careless, b), register(dropped, P),
      sys:replace_state(careless, fun(S) -> {[b | T], M} = case element(4, S) of {[a, b], X} -> {[b, a], X}; X -> X end,
        setelement(4, S, {T, maps:remove(b, M)}) end).]]
    local answer = callback.sup_zombie_children "careless"
    local odd = callback.sup_tree_integrity "careless"
    eval "dropped ! stop, grove:fell(careless)."
    assert.same({ "alive", 1, "dropped", "unlisted" },
      { answer.status, answer.total, answer.zombies[1].name, answer.zombies[1].reason })
    assert.same({ "unlisted", "dropped" }, { odd.anomalies[1].kind, odd.anomalies[1].name })
  end))

  it("finds no zombie where all is well", live.test(function()
    assert.same({ "alive", 0 }, { callback.sup_zombie_children("kernel_sup").status,
      callback.sup_zombie_children("kernel_sup").total })
  end))

  it("forgives processes that die while it looks", live.test(function()
    eval [[register(churn, spawn(fun() -> (fun F() ->
      [spawn(fun() -> spawn(fun() -> receive after 3 -> ok end end) end) || _ <- lists:seq(1, 200)],
      receive after 1 -> F() end end)() end)).]]
    for _ = 1, 5 do
      callback.sup_unlinked_processes()
      callback.sup_orphaned_processes()
      callback.sup_tree("churn", 3)
      callback.sup_restarts(10, 100)
      skill.snapshot(sup, node)
    end
    assert.is_true(eval "is_pid(whereis(churn)) andalso exit(whereis(churn), kill).")
  end))
end)
