-- The checks of ets, on a live node where a pause is what the spec makes of it, so that each edge
-- is met exactly.
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local ets = assert(skill.open "ets")
local at, callback, eval, during

local function check(id)
  for _, c in ipairs(ets.checks) do if c.id == id then return c end end
end

-- All looks of a check, as the analyst makes them; nil when one of them saw enough.
local function look_through(c)
  local results = {}
  for i, look in ipairs(c.look) do
    local call = type(look) == "function" and look(results) or type(look) == "table" and look
    if not call then return nil end
    results[i] = callback[call[1]](unpack(call, 2))
  end
  return results
end

local function find(id)
  local results = look_through(check(id))
  return results and check(id).confirm(results), results
end

local function insert(rows)
  eval("ets:insert(parcels, [{make_ref(), lists:seq(1, 10)} || _ <- lists:seq(1, Rows)]).", { Rows = rows })
end

local function read(results, figure)
  local value = results[figure.look]
  for key in figure.path:gmatch "[%w_]+" do value = value[tonumber(key) or key] end
  return value
end

describe("the checks of ets", function()
  setup(function()
    at = live.start()
    eval = at.eval
    callback = skill.functions(ets, { query = at.node.query, sleep = function() if during then during() end end })
  end)

  teardown(function() live.stop_all() end)

  before_each(live.test(function()
    during = nil
    eval [[
      Me = self(),
      spawn(fun() -> register(depot, self()), ets:new(parcels, [named_table, public]),
        ets:insert(parcels, [{N} || N <- lists:seq(1, 50000)]), Me ! ready,
        (fun F() -> receive {make, N} -> [ets:new(label, []) || _ <- lists:seq(1, N)];
                            {job, N} -> [ets:delete(ets:new(label, [])) || _ <- lists:seq(1, N)] end, F() end)() end),
      receive ready -> ok end.]]
  end))

  after_each(live.test(function()
    eval "Ref = monitor(process, depot), exit(whereis(depot), kill), receive {'DOWN', Ref, _, _, _} -> ok end."
  end))

  it("find the table that grows at both looks, and cite what can be read again", live.test(function()
    during = function() insert(3000) end
    local finding, results = find "ets_growth"
    assert.equal("parcels", finding.object)
    assert.matches("belongs to depot", finding.hypothesis)
    assert.matches("gained 3000 rows, then 3000", finding.unlike.large_stable_ets)
    assert.is_true(#finding.figures >= 6)
    for _, figure in ipairs(finding.figures) do assert.equal(read(results, figure), figure.value) end
  end))

  it("find nothing in a table that is large and stable, and look no further", live.test(function()
    insert(300000)
    assert.is_nil(look_through(check "ets_growth"))
  end))

  it("find nothing in a table that was filled at one look only", live.test(function()
    local once = false
    during = function()
      if not once then insert(3000) end
      once = true
    end
    assert.is_nil(look_through(check "ets_growth"))
  end))

  it("find nothing in a table that gained at both looks and is emptied now and then", live.test(function()
    during = function() insert(3000) end
    eval [[spawn(fun() -> link(whereis(depot)),
      (fun F() -> ets:insert(parcels, [{make_ref(), x, y} || _ <- lists:seq(1, 2000)]), timer:sleep(20),
         ets:match_delete(parcels, {'_', x, y}), F() end)() end), ok.]]
    local finding, results = find "ets_growth"
    assert.is_nil(finding)
    assert.is_true(results[3].lost > 1000)
  end))

  it("find the table all the same that loses less than it gains", live.test(function()
    local orders = { id = "orders", name = "orders", size_delta = 5000, current_size = 900000, memory_mb = 90,
      memory_delta_kb = 500, owner_pid = "<0.9.0>" }
    local window = { seconds = 1.8, tables = { orders } }
    local finding = check("ets_growth").confirm { window, window,
      { id = "orders", samples = 90, gained = 5500, lost = 900, falls = 9 } }
    assert.same({ "orders", "high" }, { finding.object, finding.confidence })
  end))

  it("find nothing in a table that gains so little that it can wait", live.test(function()
    during = function() insert(1) end
    assert.is_nil(look_through(check "ets_growth"))
  end))

  it("look no further where it is the code server's table, which gains what is loaded", function()
    local function looks(owner)
      local row = { id = "code", name = "code", owner_name = owner, size_delta = 300, memory_delta_kb = 9000,
        current_size = 900, memory_mb = 20 }
      return { { seconds = 2, tables = { row } }, { seconds = 2, tables = { row } } }
    end
    local look = check("ets_growth").look[3]
    assert.same({ "ets_table_info", nil }, { look(looks "parcels_server")[1], look(looks "code_server") })
  end)

  it("find tables that are made and never deleted, by their name and their maker", live.test(function()
    eval [[spawn(fun() -> register(press, self()),
      (fun F() -> depot ! {make, 1}, timer:sleep(20), F() end)() end), ok.]]
    local finding, results = find "ets_table_leak"
    eval "exit(whereis(press), kill)."
    assert.equal("label", finding.object)
    assert.matches("depot makes them", finding.hypothesis)
    for _, figure in ipairs(finding.figures) do assert.equal(read(results, figure), figure.value) end
  end))

  it("find nothing in tables that are deleted after their job", live.test(function()
    eval [[spawn(fun() -> register(press, self()),
      (fun F() -> depot ! {job, 5}, timer:sleep(5), F() end)() end), ok.]]
    local results = look_through(check "ets_table_leak")
    eval "exit(whereis(press), kill)."
    assert.is_nil(results)
  end))

  it("find nothing in many tables that are made at once and stay", live.test(function()
    eval "spawn(fun() -> timer:sleep(300), depot ! {make, 200} end), ok."
    assert.is_nil((find "ets_table_leak"))
  end))

  it("look no further where most of what is made is deleted again", function()
    local busy = { seconds = 1.8, count_before = 30, count = 130, born = 1000, died = 900, groups = {} }
    assert.is_nil(check("ets_table_leak").look[2] { busy })
  end)

  it("name the maker where the tables have many names", function()
    local window = { seconds = 1.8, count_before = 30, count = 130, born = 100, died = 0, groups = {
      { name = "a", owner_pid = "<0.5.0>", owner_name = "press", tables = 1, memory_kb = 1 },
      { name = "b", owner_pid = "<0.5.0>", owner_name = "press", tables = 1, memory_kb = 1 },
      { name = "c", owner_pid = "<0.5.0>", owner_name = "press", tables = 1, memory_kb = 1 } } }
    local finding = check("ets_table_leak").confirm { window, window }
    assert.equal("press", finding.object)
  end)
end)
