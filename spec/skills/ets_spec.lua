-- The ETS skill against a live Erlang node, because ets:info is the thing in doubt.
local async = require "runtime.async"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local ets = assert(skill.open "ets")
local at, callback, eval

-- A spec never waits: what should happen during a pause happens in its place, once for each.
local during, past
local function sleep()
  if during then during() end
end
local function history() return past or {} end

local function find(rows, name)
  for _, row in ipairs(rows) do if row.name == name then return row end end
end

local function insert(rows)
  eval("ets:insert(parcels, [{make_ref()} || _ <- lists:seq(1, Rows)]).", { Rows = rows })
end

local function complaint(name, ...) return tostring(select(2, pcall(callback[name], ...))) end

describe("ets skill", function()
  local node

  setup(function()
    at = live.start()
    eval = at.eval
    node = { query = at.node.query, sleep = sleep, history = history }
    callback = skill.functions(ets, node)
  end)

  teardown(function() live.stop_all() end)

  before_each(live.test(function() -- a table dies with its owner, so the owner must outlive the call
    during, past = nil, nil
    eval [[
      Me = self(),
      spawn(fun() ->
        register(depot, self()),
        ets:new(parcels, [named_table, public]),
        ets:insert(parcels, [{N} || N <- lists:seq(1, 50000)]),
        ets:new(twin, []), ets:new(twin, []),
        Me ! ready,
        receive {bear, Name} -> ets:new(Name, [named_table]) end,
        receive stop -> ok end
      end),
      receive ready -> ok end.]]
  end))

  after_each(live.test(function()
    eval [[
      Ref = monitor(process, depot),
      exit(whereis(depot), kill),
      receive {'DOWN', Ref, _, _, _} -> ok end.]]
  end))

  it("puts the table with most rows first, and says how many it left out", live.test(function()
    local top = callback.ets_top_tables(1, "size")
    assert.equal("parcels", top.tables[1].name)
    assert.equal(50000, top.tables[1].size)
    assert.equal(1, top.showing)
    assert.equal(eval "length(ets:all()).", top.total)
  end))

  it("counts memory in kB, not words", live.test(function()
    local words = eval "ets:info(parcels, memory)."
    assert.equal(math.floor(words * 8 / 1024), callback.ets_top_tables(1).tables[1].memory_kb)
  end))

  it("names the owner of a table as the node registered it", live.test(function()
    local row = callback.ets_top_tables(1).tables[1]
    assert.equal("depot", row.owner_name)
    assert.equal(eval "list_to_binary(pid_to_list(whereis(depot))).", row.owner_pid)
  end))

  it("lists all tables where they are few, those with most memory first", live.test(function()
    local all = callback.ets_list_tables()
    assert.same({ eval "length(ets:all()).", eval "length(ets:all())." }, { all.total, #all.tables })
    assert.equal("parcels", all.tables[1].name)
    for i = 2, #all.tables do assert.is_true(all.tables[i - 1].memory_kb >= all.tables[i].memory_kb) end
  end))

  it("sees in its snapshot the memory that the node itself has gained", live.test(function()
    local before, total = skill.snapshot(ets, node), eval "erlang:memory(ets)."
    insert(100000)
    local headers = 8 * 100000 -- the allocator's, one a row, which ets:info leaves out
    local gained = (eval "erlang:memory(ets)." - total - headers) / 2 ^ 20
    local after = skill.snapshot(ets, node)
    assert.near(gained, after.total_memory_mb - before.total_memory_mb, gained / 50)
    assert.equal(eval "length(ets:all()).", after.table_count)
    assert.near(callback.ets_top_tables(1).tables[1].memory_kb / 1024, after.largest_table_mb, 0.01)
  end))

  it("tells tables of one name apart by their ids", live.test(function()
    assert.equal("depot", callback.ets_table_info("parcels").owner_name)
    local id, other = complaint("ets_table_info", "twin")
      :match "^ets_table_info: several tables have this name, give the id: (#Ref%S+), (#Ref%S+)$"
    assert.equal(id, callback.ets_table_info(id).id)
    assert.equal("twin", callback.ets_table_info(other).name)
  end))

  it("counts the rows that one table lost while it was watched", live.test(function()
    insert(500)
    eval [[spawn(fun() -> timer:sleep(700), ets:delete_all_objects(parcels),
      ets:insert(parcels, [{make_ref()} || _ <- lists:seq(1, 20)]) end), ok.]]
    local info = callback.ets_table_info("parcels", 1500)
    assert.is_true(info.lost >= 480, info.lost)
    assert.is_true(info.samples >= 5 and info.seconds >= 1.5)
  end))

  it("says of one table how it is locked and kept", live.test(function()
    local info = callback.ets_table_info "parcels"
    assert.same({ false, false, false }, { info.compressed, info.read_concurrency, info.write_concurrency })
    assert.same({ "set", "public" }, { info.type, info.protection })
  end))

  it("raises what the model can act on", live.test(function()
    assert.equal("ets_top_tables: limit must be from 1 to 50", complaint("ets_top_tables", 51))
    assert.equal("ets_top_tables: sort_by must be one of memory, size",
      complaint("ets_top_tables", 5, "memory), halt("))
    assert.equal("ets_table_info: table_name must be a string", complaint "ets_table_info")
    assert.equal("ets_table_info: no such table now; ets_list_tables gives names and ids",
      complaint("ets_table_info", "'parcels'"))
    assert.equal("ets_table_info: no such table now; ets_list_tables gives names and ids",
      complaint("ets_table_info", "#Ref<0.1.2.3>")) -- of which ets:info says badarg
  end))

  it("forgives tables that die while it looks", live.test(function()
    eval [[
      spawn(fun() -> register(churn, self()),
        (fun F() -> lists:foreach(fun ets:delete/1, [ets:new(mayfly, []) || _ <- lists:seq(1, 500)]), F() end)() end).]]
    for _ = 1, 10 do
      callback.ets_top_tables(50)
      callback.ets_list_tables(50)
      callback.ets_growth_stats()
      callback.ets_table_growth(100)
      skill.snapshot(ets, node)
    end
    assert.is_true(eval "is_pid(whereis(churn)) andalso exit(whereis(churn), kill).")
  end))

  it("is not empty on a real leak: reports the table that grew, and none that did not", live.test(function()
    during = function() insert(500) end
    local growth = callback.ets_growth_stats(0.05)
    local row = find(growth.tables, "parcels")
    assert.same({ 3, 500, 1, 50500 }, { growth.seconds, row.size_delta, row.growth_pct, row.current_size })
    assert.is_true(row.memory_delta_kb > 0)
    for _, other in ipairs(growth.tables) do assert.is_true(other.size_delta + other.memory_delta_kb > 0) end
  end))

  it("reports a table whose rows grow although their number stands still", live.test(function()
    during = function() eval "ets:insert(parcels, {1, lists:seq(1, 100000)})." end
    local row = find(callback.ets_growth_stats(0.05).tables, "parcels")
    assert.equal(0, row.size_delta)
    assert.is_true(row.memory_delta_kb > 1000)
  end))

  it("reports no table that was born or died between the looks", live.test(function()
    during = function() eval "ets:delete(parcels), depot ! {bear, crates}." end
    local growth = callback.ets_growth_stats()
    assert.is_nil(find(growth.tables, "parcels"))
    assert.is_nil(find(growth.tables, "crates"))
  end))

  it("takes the earlier look from history where that reaches back", live.test(function()
    local parcels = callback.ets_table_info "parcels"
    past = { { age = 3000, value = { { id = parcels.id, size = 40000, memory_kb = 1 } } } }
    during = function() error "it should not wait" end
    local growth = callback.ets_growth_stats(60)
    assert.same({ 3000, 10000, 25 }, { growth.seconds, growth.tables[1].size_delta, growth.tables[1].growth_pct })
  end))

  it("makes short looks now, so that two in a row share no time", live.test(function()
    past = { { age = 3, value = {} } }
    during = function() insert(500) end
    local growth = callback.ets_growth_stats(0.05)
    assert.equal(500, find(growth.tables, "parcels").size_delta)
  end))

  it("takes what was kept for less than was asked, and says for how long, rather than look less", live.test(function()
    local parcels = callback.ets_table_info "parcels"
    past = { { age = 40, value = { { id = parcels.id, size = 49000, memory_kb = 1 } } } }
    during = function() error "it should not wait" end
    local growth = callback.ets_growth_stats(60)
    assert.same({ 40, 1000 }, { growth.seconds, growth.tables[1].size_delta })
  end))

  it("suspects of a leak by the pace of what was kept in less than an hour, and looks once more", live.test(function()
    local parcels = callback.ets_table_info "parcels"
    local function look(age, size) return { age = age, value = { { id = parcels.id, size = size, memory_kb = 1 } } } end
    past = { look(30, 49900), look(20, 49930), look(10, 49960) }
    during = function() error "it should not wait" end
    local leaks = callback.ets_leak_candidates(20)
    assert.same({ 30, 1, "parcels", 100 },
      { leaks.seconds, leaks.total, leaks.tables[1].name, leaks.tables[1].size_delta })
    assert.equal(0, callback.ets_leak_candidates(30).total) -- 0.2 % in half a minute are 24 % in an hour
  end))

  it("finds what grows under the sampler of a real run", live.test(function()
    local sampler = require "runtime.sampler"
    local going = sampler.start(at.node, { ets })
    local deadline = async.now() + 30
    while going.asked < 1 and async.now() < deadline do async.sleep(0.01) end
    going:stop()
    insert(700)
    local real = skill.functions(ets, { query = at.node.query, sleep = function() error "it should not wait" end,
      history = function(metric) -- what was kept just now, told as if a minute had passed
        local kept = at.node.past:look("ets", metric, 60)
        return { { age = 60, value = kept[#kept].value } }
      end })
    local row = find(real.ets_growth_stats(2).tables, "parcels")
    assert.same({ 700, 50700 }, { row.size_delta, row.current_size })
  end))

  it("suspects of a leak what grew in an hour and never fell", live.test(function()
    local function look(age, a, b, c)
      return { age = age, value = {
        { id = "a", name = "a", size = a, memory_kb = 10240 },
        { id = "b", name = "b", size = b, memory_kb = 10240 },
        { id = "c", name = "c", size = c, memory_kb = 10240 } } }
    end
    past = { look(3600, 100, 100, 100), look(1800, 150, 90, 105), look(0, 200, 200, 110) }
    local leaks = callback.ets_leak_candidates(20)
    assert.same({ 1, 60, "a", 100 },
      { leaks.total, leaks.minutes, leaks.tables[1].name, leaks.tables[1].growth_pct })
  end))

  it("looks several times where there is no history, and says for how long", live.test(function()
    during = function() insert(1000) end
    local leaks = callback.ets_leak_candidates()
    assert.equal(2, leaks.seconds)
    assert.equal(2000, find(leaks.tables, "parcels").size_delta)
  end))

  it("acquits without history what shrank between two of its looks", live.test(function()
    local steps = { function() insert(5000) end,
      function() eval "ets:delete_all_objects(parcels), ets:insert(parcels, [{N} || N <- lists:seq(1, 50100)])." end }
    during = function() table.remove(steps, 1)() end
    assert.is_nil(find(callback.ets_leak_candidates().tables, "parcels"))
  end))

  it("counts the tables that were made and stayed, by name and owner", live.test(function()
    eval [[spawn(fun() -> register(press, self()),
      (fun F() -> ets:new(leaflet, []), ets:delete(ets:new(draft, [])), timer:sleep(5), F() end)() end), ok.]]
    local growth = callback.ets_table_growth(500)
    eval "exit(whereis(press), kill)."
    assert.equal(growth.count - growth.count_before, growth.born - growth.died)
    assert.is_true(growth.born >= 1)
    assert.same({ "leaflet", "press" }, { growth.groups[1].name, growth.groups[1].owner_name })
    assert.is_true(growth.groups[1].tables >= growth.born - 1)
  end))
end)
