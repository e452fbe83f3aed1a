-- The sup skill against live nodes: what supervisors say of themselves is the other road.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local sup = assert(skill.open "sup")

local function find(rows, key, value)
  for _, row in ipairs(rows) do if row[key] == value then return row end end
end

describe("sup skill", function()
  local at, callback, eval

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(sup, at.node)
    live.test(function()
      crowd.load(at, "grove")
      eval [=[grove:plant(oak, #{}, [grove:worker(a), grove:worker({b, 2}), grove:worker(none, absent),
        grove:under(twig, twig, [grove:worker(c), grove:under(bud, bud, [])])]).]=]
    end)()
  end)

  teardown(function() live.stop_all() end)

  it("counts supervisors and their children as they do themselves", live.test(function()
    local figures = skill.snapshot(sup, at.node)
    local supervisors, children = unpack(eval [=[
      S = [P || P <- processes(), {supervisor, _, 1} <- [proc_lib:translate_initial_call(P)]],
      [length(S), lists:sum([proplists:get_value(active, supervisor:count_children(P)) || P <- S])].]=])
    assert.same({ supervisors, children }, { figures.supervisor_count, figures.total_children })
  end))

  it("lists supervisors with what runs under them and what they list", live.test(function()
    local list = callback.sup_list()
    local oak = find(list.supervisors, "name", "oak")
    assert.same({ 3, 4, true }, { oak.active_children, oak.child_count, oak.answers })
    assert.equal(eval "length(supervisor:which_children(oak)).", oak.child_count)
    assert.equal(eval "list_to_binary(pid_to_list(whereis(oak))).", oak.pid)
    assert.equal(skill.snapshot(sup, at.node).supervisor_count, list.total)
  end))

  it("finds a supervisor without children", live.test(function()
    assert.equal(0, find(callback.sup_list().supervisors, "name", "bud").active_children)
  end))

  it("shows children with their ids, those that do not run first", live.test(function()
    local answer = callback.sup_children "oak"
    local first, twig = answer.children[1], find(answer.children, "id", "twig")
    local pair = find(answer.children, "id", "{b,2}")
    assert.same({ "none", "undefined" }, { first.id, first.status })
    assert.is_nil(first.pid)
    assert.same({ "supervisor", "running", "twig" }, { twig.type, twig.status, twig.name })
    assert.equal(eval "list_to_binary(pid_to_list(grove:child(oak, {b, 2}))).", pair.pid)
    assert.same({ 4, 4, "oak" }, { answer.total, answer.showing, answer.supervisor })
  end))

  it("takes a pid in place of a name", live.test(function()
    local pid = eval "list_to_binary(pid_to_list(whereis(twig)))."
    assert.equal("twig", callback.sup_children(pid).supervisor)
  end))

  it("never calls what is no supervisor, which might die of it", live.test(function()
    local before = eval "whereis(kernel_refc)."
    assert.error_matches(function() callback.sup_children "kernel_refc" end, "no such supervisor now")
    assert.error_matches(function() callback.sup_tree_integrity "kernel_refc" end, "no such supervisor now")
    assert.error_matches(function() callback.sup_children "no_such_name" end, "no such supervisor now")
    assert.equal("none", callback.sup_zombie_children("kernel_refc").status)
    assert.equal(before, eval "whereis(kernel_refc).")
  end))

  it("draws the tree of who started whom, to a depth", live.test(function()
    local tree = callback.sup_tree("oak", 3).tree
    local twig = find(tree.children, "name", "twig")
    assert.same({ "oak", "supervisor", 3, 0 }, { tree.name, tree.kind, tree.active_children, tree.left_out })
    assert.same({ 2, "supervisor", "bud" }, { #twig.children, twig.children[1].kind, twig.children[1].name })
    assert.equal(eval "list_to_binary(pid_to_list(grove:child(twig, c))).", twig.children[2].pid)
    assert.is_nil(find(callback.sup_tree("oak", 1).tree.children, "name", "twig").children)
  end))

  it("shows ten of many children and says how many it left out", live.test(function()
    eval "grove:plant(wide, #{}, [grove:worker(N) || N <- lists:seq(1, 1000)])."
    local answer = callback.sup_tree("wide", 2)
    local children = callback.sup_children "wide"
    local list = callback.sup_list().supervisors[1]
    eval "grove:fell(wide)."
    assert.same({ 1000, 990, 10, 11 },
      { answer.tree.active_children, answer.tree.left_out, #answer.tree.children, answer.showing })
    assert.same({ 1000, 50 }, { children.total, #children.children })
    assert.same({ "wide", 1000, 1000 }, { list.name, list.active_children, list.child_count })
  end))

  it("does not call a supervisor that has more children than can be copied", live.test(function()
    eval [[grove:plant(vast, #{strategy => simple_one_for_one}, [grove:worker(x)]),
      lists:foreach(fun(_) -> supervisor:start_child(vast, []) end, lists:seq(1, 20001)).]]
    local answer = callback.sup_children "vast"
    local row, refused = callback.sup_list().supervisors[1], callback.sup_tree_integrity "vast"
    eval "grove:fell(vast)."
    assert.same({ "parents", 20001, 50 }, { answer.told_by, answer.total, #answer.children })
    assert.same({ "vast", 20001 }, { row.name, row.active_children })
    assert.is_nil(row.child_count)
    assert.equal("the supervisor has 20001 children, more than can be copied; sup_tree shows them", refused.unavailable)
  end))

  it("says of a supervisor that is starting a child that it does not answer, and harms it not", live.test(function()
    eval [[grove:plant(stuck, #{}, [grove:worker(a)]),
      spawn(fun() -> supervisor:start_child(stuck, grove:worker(s, slow)) end),
      grove:until(fun() ->
        process_info(whereis(stuck), current_function) =:= {current_function, {grove, slow, 0}} end).]]
    local children, integrity = callback.sup_children "stuck", callback.sup_tree_integrity "stuck"
    local zombies, row = callback.sup_zombie_children "stuck", find(callback.sup_list().supervisors, "name", "stuck")
    local tree = callback.sup_tree("stuck").tree
    eval "stuck ! go, grove:until(fun() -> length(supervisor:which_children(stuck)) =:= 2 end)."
    local queue = eval "element(2, process_info(whereis(stuck), message_queue_len))."
    eval "grove:fell(stuck)."
    local why = "the supervisor does not answer within 1 s: it may be starting a child"
    assert.equal(why, children.unavailable:sub(1, #why))
    assert.same({ children.unavailable, children.unavailable }, { integrity.unavailable, zombies.unavailable })
    assert.same({ false, 1, 1 }, { row.answers, row.active_children, tree.active_children })
    assert.equal(0, queue)
  end))

  it("draws the same trees from the ancestors that processes keep, where they do not know their parents",
    live.test(function()
      -- As on a node before OTP 25: neither the item `parent` nor a compiled grouping.
      local old = sup.queries.tree:gsub("Modern = try .- end,", "Modern = false,")
        :gsub("groups_from_list, 3", "no_such_groups, 3")
      local asked = { SupervisorName = "oak", Depth = 3 }
      assert.same(at.node.query(sup.queries.tree, asked), at.node.query(old, asked))
    end))
end)

describe("sup skill on an Elixir node", function()
  local at, callback, eval

  setup(function()
    at = live.start { elixir = true, code = [[
      spawn(fn ->
        {:ok, _} = Supervisor.start_link([
          {Registry, keys: :unique, name: Shop.Registry},
          {Task.Supervisor, name: Shop.Tasks},
          {DynamicSupervisor, name: Shop.Carts, max_restarts: 7, max_seconds: 11},
          {PartitionSupervisor, child_spec: Agent.child_spec(fn -> 1 end), name: Shop.Parts, partitions: 3}
        ], strategy: :one_for_one, name: Shop.Supervisor)
        for _ <- 1..3, do: DynamicSupervisor.start_child(Shop.Carts, {Agent, fn -> 0 end})
        Process.register(self(), :shop_ready)
        Process.sleep(:infinity)
      end)]] }
    eval, callback = at.eval, skill.functions(sup, at.node)
    live.test(function()
      eval "(fun W() -> whereis(shop_ready) =/= undefined orelse begin timer:sleep(5), W() end end)()."
    end)()
  end)

  teardown(function() live.stop_all() end)

  it("names supervisors as Elixir does and takes these names back", live.test(function()
    local tree = callback.sup_tree("Shop.Supervisor", 1).tree
    local names = {}
    for _, row in ipairs(tree.children) do names[row.name] = row.kind end
    assert.same({ ["Shop.Registry"] = "supervisor", ["Shop.Tasks"] = "supervisor", ["Shop.Carts"] = "supervisor",
      ["Shop.Parts"] = "supervisor" }, names)
  end))

  it("counts what Elixir's own kinds of supervisors count", live.test(function()
    local list = callback.sup_list().supervisors
    local function counts(name)
      local row = find(list, "name", name)
      return { row.active_children, row.child_count }
    end
    assert.same({ 3, 3 }, counts "Shop.Carts")
    assert.same({ 3, 3 }, counts "Shop.Parts")
    assert.same({ 0, 0 }, counts "Shop.Tasks")
    assert.equal(eval "maps:get(active, 'Elixir.DynamicSupervisor':count_children('Elixir.Shop.Carts')).", 3)
  end))

  it("lists dynamic children, which have no ids", live.test(function()
    local answer = callback.sup_children "Shop.Carts"
    local pids = {}
    for i, row in ipairs(answer.children) do pids[i] = row.pid end
    table.sort(pids)
    assert.same(eval [[lists:sort([list_to_binary(pid_to_list(P)) || {_, P, _, _} <-
      'Elixir.DynamicSupervisor':which_children('Elixir.Shop.Carts')]).]], pids)
    assert.is_nil(answer.children[1].id)
  end))

  it("reads the restarts that a dynamic supervisor keeps, with its intensity and period", live.test(function()
    eval [[{_, P, _, _} = hd('Elixir.DynamicSupervisor':which_children('Elixir.Shop.Carts')), exit(P, kill),
      (fun W() -> L = [C || {_, C, _, _} <- 'Elixir.DynamicSupervisor':which_children('Elixir.Shop.Carts')],
        length(L) =:= 3 andalso not lists:member(P, L) orelse W() end)().]]
    local row = callback.sup_restarts(10, 100).restarts[1]
    assert.same({ "Shop.Carts", 1, 7, 11 }, { row.supervisor, row.restarts, row.intensity, row.period_seconds })
  end))
end)
