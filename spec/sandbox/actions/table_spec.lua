-- Rows of ETS tables deleted and put back, on a live node; and tables that are never touched.
local entry = require "spec.support.entry"
local live = require "spec.support.live_node"

local at, eval, flush, put_back, trim

local MAKE = [[
  Me = self(),
  spawn(fun() -> ets:new(Name, [Type, Protection, named_table]),
    ets:insert(Name, [{N, N * 1000, <<"parcel">>} || N <- lists:seq(1, Rows)]), Me ! ready, receive stop -> ok end end),
  receive ready -> ok end.]]

local A = require("host.etf").A

local function make(name, rows, kind, protection)
  eval(MAKE, { Name = A[name], Rows = rows, Type = A[kind or "set"], Protection = A[protection or "public"] })
end

local function size(name) return eval("ets:info(Name, size).", { Name = A[name] }) end

describe("the actions on ETS tables", function()
  setup(live.test(function()
    at = live.start()
    eval = at.eval
    flush, trim = entry.open(at.node, "flush_table"), entry.open(at.node, "trim_table")
    put_back = entry.open(at.node, "put_back")
  end))

  teardown(function() live.stop_all() end)

  it("empty a table, and put every row back as it was", live.test(function()
    make("parcels", 3000)
    eval "ets:insert(parcels, {self(), 2.0, #{a => [fun erlang:halt/0, make_ref()]}})."
    local was = eval "erlang:phash2(lists:sort(ets:tab2list(parcels)))."
    local args = { table = "parcels" }
    local seen, done, after = flush.run(args)
    assert.equal("parcels", seen.object)
    assert.equal("3,001 rows, kept here to be put back", seen.figures.lost)
    assert.same({ "ok", "it is empty; it had 3,001 rows" }, { after[1], after[2] })
    assert.equal(0, size "parcels")
    local undo = flush.entry.undo(args, done[2])
    assert.same({ name = "put_back", args = { table = "parcels" }, given = true }, undo)
    local _, _, back = put_back.run(undo.args, done.before)
    assert.same({ "ok", "3,001 rows put back; it has 3,001" }, { back[1], back[2] })
    assert.equal(was, eval "erlang:phash2(lists:sort(ets:tab2list(parcels))).")
  end))

  it("put back no row whose key has a new one", live.test(function()
    make("orders", 10)
    local _, done = flush.run { table = "orders" }
    eval "ets:insert(orders, {7, new})."
    local _, _, back = put_back.run({ table = "orders" }, done.before)
    assert.same({ "ok", "9 of 10 rows put back, the other keys had new ones; it has 10" }, { back[1], back[2] })
    assert.equal("new", tostring(eval "ets:lookup_element(orders, 7, 2)."))
  end))

  it("put back all rows of one key into a bag", live.test(function()
    make("bag", 0, "duplicate_bag")
    eval "ets:insert(bag, [{1, a}, {1, a}, {1, b}])."
    local _, done = flush.run { table = "bag" }
    assert.equal(0, size "bag")
    put_back.run({ table = "bag" }, done.before)
    assert.equal(3, size "bag")
  end))

  it("put nothing into a table that was made again under the name", live.test(function()
    make("gone", 10)
    local _, done = flush.run { table = "gone" }
    eval "exit(ets:info(gone, owner), kill), (fun W() -> case ets:info(gone) of undefined -> ok; _ -> W() end end)()."
    make("gone", 1)
    local seen = put_back.preview({ table = "gone" }, done.before)
    assert.same({ "refused", "the table was deleted and made again since its rows were taken" }, { seen[1], seen[2] })
  end))

  it("put nothing where nothing was kept", live.test(function()
    make("bare", 1)
    local seen = put_back.preview { table = "bare" }
    assert.same({ "refused", "no rows were kept that could be put back" }, { seen[1], seen[2] })
  end))

  it("refuse more rows than are kept, unless they may be lost", live.test(function()
    make("many", 10001)
    local seen = flush.preview { table = "many" }
    assert.matches("^over 10,000 rows or 1 MB, which is more than is kept", seen[2])
    local sure = { table = "many", without_undo = "yes" }
    local shown, done, after = flush.run(sure)
    assert.equal("10,001 rows, for good", shown.figures.lost)
    assert.same({ "ok", 0 }, { after[1], size "many" })
    assert.equal("its rows were not kept; who owns the table has to fill it again", flush.entry.undo(sure, done[2]))
  end))

  it("refuse to trim more rows than are kept, and nothing is deleted", live.test(function()
    make("tail", 10001)
    local seen = trim.preview { table = "tail", limit = 10000 }
    assert.equal("10,000 rows of 10,001, kept here to be put back", seen.figures.lost)
    assert.matches("^over 10,000 rows", trim.preview({ table = "tail", limit = 20000 })[2])
    assert.matches("^over 10,000 rows", trim.deed({ table = "tail", limit = 20000 }, seen.identity)[2])
    assert.equal(10001, size "tail")
  end))

  it("refuse few rows that are large", live.test(function()
    make("large", 0)
    eval "ets:insert(large, {1, binary:copy(<<0>>, 2000000)})."
    assert.equal("refused", flush.preview({ table = "large" })[1])
    assert.equal("refused", trim.preview({ table = "large", limit = 1 })[1])
  end))

  it("empty no table that was deleted and made again under the name", live.test(function()
    make("again", 10)
    local seen = flush.preview { table = "again" }
    eval [[
      exit(ets:info(again, owner), kill), (fun W() -> case ets:info(again) of undefined -> ok; _ -> W() end end)().]]
    local missing = flush.deed({ table = "again" }, seen.identity)
    assert.same({ "changed", "the table was deleted since" }, { missing[1], missing[2] })
    make("again", 5)
    for _, action in ipairs { flush, trim } do
      local done = action.deed({ table = "again", limit = 1 }, seen.identity)
      assert.same({ "changed", "the table was deleted and made again under this name" }, { done[1], done[2] })
    end
    assert.equal(5, size "again")
  end))

  it("empty no table that was given to another process", live.test(function()
    eval [[
      Me = self(),
      P = spawn(fun() -> ets:new(passed, [public, named_table]), ets:insert(passed, {1}), Me ! ready,
        receive {give, Q} -> ets:give_away(passed, Q, x), Me ! given end, receive stop -> ok end end),
      register(giver, P), receive ready -> ok end.]]
    local seen = flush.preview { table = "passed" }
    eval [[
      Q = spawn(fun() -> receive stop -> ok end end), giver ! {give, Q},
      (fun W() -> case ets:info(passed, owner) of Q -> ok; _ -> W() end end)().]]
    local done = flush.deed({ table = "passed" }, seen.identity)
    assert.same({ "changed", "the table belongs to another process now" }, { done[1], done[2] })
    assert.equal(1, size "passed")
  end))

  it("take a table to be the same though rows come and go", live.test(function()
    make("busy", 10)
    local seen = flush.preview { table = "busy" }
    eval "ets:insert(busy, {11})."
    assert.equal("same", flush.check({ table = "busy" }, seen.identity))
  end))

  it("name a table without a name by its id, and ask for it where several have one", live.test(function()
    local ids = eval [[
      Me = self(),
      spawn(fun() -> L = [ets:new(twin, [public]) || _ <- [1, 2] ], [ets:insert(T, {1}) || T <- L],
        Me ! {ids, L}, receive stop -> ok end end),
      receive {ids, L} -> [list_to_binary(ref_to_list(T)) || T <- L] end.]]
    assert.equal("several tables have this name; give the id (#Ref<...>) of the one",
      flush.preview({ table = "twin" })[2])
    local seen, _, after = flush.run { table = ids[2] }
    assert.equal(ids[2], seen.object)
    assert.equal("ok", after[1])
    assert.same({ 1, 0 }, eval("[ets:info(list_to_ref(binary_to_list(I)), size) || I <- Ids].", { Ids = ids }))
  end))

  it("take names of any script", live.test(function()
    eval [[
      Me = self(), U = list_to_atom([1057, 1082, 1083, 1072, 1076]),
      spawn(fun() -> ets:new(U, [named_table, public]), ets:insert(U, {1}), Me ! ready, receive stop -> ok end end),
      receive ready -> ok end.]]
    local seen, _, after = flush.run { table = "Склад" }
    assert.same({ "Склад", "it is empty; it had 1 row" }, { seen.object, after[2] })
  end))

  it("delete what is older than a bound, and put it back", live.test(function()
    make("sessions", 100)
    local args = { table = "sessions", limit = 50, field = 2, below = 10000 }
    local seen, done, after = trim.run(args)
    assert.equal("those whose element 2 is below 10000", seen.figures.which)
    assert.equal("9 rows of 100, kept here to be put back", seen.figures.lost)
    assert.same({ "ok", "9 rows deleted; it has 91" }, { after[1], after[2] })
    assert.equal(10, eval "lists:min([K || {K, _, _} <- ets:tab2list(sessions)]).")
    local undo = trim.entry.undo(args, done[2])
    put_back.run(undo.args, done.before)
    assert.equal(100, size "sessions")
  end))

  it("delete no more than the limit", live.test(function()
    make("queue", 100, "ordered_set")
    local seen = trim.run { table = "queue", limit = 30 }
    assert.equal("the smallest keys", seen.figures.which)
    assert.same({ 70, 31 }, { size "queue", eval "ets:first(queue)." })
  end))

  it("keep all of the rows that are equal, which can only go together", live.test(function()
    make("pairs", 0, "duplicate_bag")
    eval "ets:insert(pairs, [{1, a}, {1, a}, {1, a}])."
    local args = { table = "pairs", limit = 1 }
    local _, done, after = trim.run(args)
    assert.same({ "3 rows deleted; it has 0", 0 }, { after[2], size "pairs" })
    put_back.run(trim.entry.undo(args, done[2]).args, done.before)
    assert.equal(3, size "pairs")
  end))

  it("say that chance decides where the table keeps no order", live.test(function()
    make("heap", 10)
    assert.equal("chance decides: a set keeps no order", trim.preview({ table = "heap", limit = 1 }).figures.which)
  end))

  it("delete many in pieces without keeping them", live.test(function()
    make("history", 25000)
    local args = { table = "history", limit = 20000, field = 2, below = 2^53, without_undo = "yes" }
    local seen, _, after = trim.run(args)
    assert.equal("20,000 rows of 25,000, for good", seen.figures.lost)
    assert.same({ "ok", "20,000 rows deleted; it has 5,000" }, { after[1], after[2] })
    assert.same({ 5000, false }, { size "history", eval "ets:info(history, fixed)." })
  end))

  it("pass over rows that have no such field", live.test(function()
    make("mixed", 0)
    eval "ets:insert(mixed, [{1}, {2, text}, {3, 5}, {4, 50}])."
    trim.run { table = "mixed", limit = 10, field = 2, below = 10 }
    assert.equal(3, size "mixed")
    assert.equal("no row is to be deleted by this", trim.preview({ table = "mixed", limit = 10, field = 2 })[2])
  end))

  it("tell after a crash of ours whether rows went", live.test(function()
    make("crash", 10)
    local seen = flush.preview { table = "crash" }
    assert.equal("failed", flush.after({ table = "crash" }, seen.identity, A.unknown)[1])
    assert.equal("failed", trim.after({ table = "crash", limit = 1 }, seen.identity, A.unknown)[1])
    eval "ets:delete(crash, 1)."
    local after = trim.after({ table = "crash", limit = 1 }, seen.identity, A.unknown)
    assert.same({ "ok", "it had 10 rows and has 9" }, { after[1], after[2] })
  end))

  it("say who may write to a protected or private table, and refuse it", live.test(function()
    for _, protection in ipairs { "protected", "private" } do
      make("own_" .. protection, 5, "set", protection)
      local seen = flush.preview { table = "own_" .. protection }
      assert.equal("refused", seen[1])
      assert.matches("^this is not done: the table is " .. protection .. ", so nobody but its owner %(<[%d.]+>%) may "
        .. "write to it; what would empty it is a function of its owner", seen[2])
    end
  end))

  it("refuse every table that a fresh node has", live.test(function()
    local ids = eval [[
      [list_to_binary(ref_to_list(ets:info(T, id))) || T <- ets:all(),
        lists:member(application:get_application(ets:info(T, owner)), [{ok, kernel}, {ok, stdlib}]) orelse
        lists:member(process_info(ets:info(T, owner), registered_name), [{registered_name, X} ||
          X <- [application_controller, code_server, init, logger] ])].]]
    local opened = {}
    for _, id in ipairs(ids) do
      local seen = flush.preview { table = id }
      opened[#opened + 1] = seen[1] ~= "refused" and id or nil
    end
    assert.is_true(#ids >= 15)
    assert.same({}, opened)
    for _, name in ipairs { "ac_tab", "code", "inet_db", "logger", "global_names", "sys_dist" } do
      assert.matches("is of the system itself", flush.preview({ table = name })[2])
    end
  end))

  it("refuse tables of Mnesia, which would not know of it", live.test(function()
    eval [[
      Me = self(),
      spawn(fun() -> register(mnesia_monitor, self()), ets:new(ledger, [public, named_table]), ets:insert(ledger, {1}),
        Me ! ready, receive stop -> ok end end), receive ready -> ok end.]]
    assert.matches("it is a table of Mnesia", flush.preview({ table = "ledger" })[2])
  end))

  it("refuse what is no table, or has nothing to lose", live.test(function()
    make("void", 0)
    assert.equal("no such table now; ets_list_tables gives names and ids", flush.preview({ table = "no_table" })[2])
    assert.equal("no such table now; ets_list_tables gives names and ids",
      flush.preview({ table = "#Ref<0.1.2.3>" })[2])
    assert.equal("the table is empty already", flush.preview({ table = "void" })[2])
  end))
end)
