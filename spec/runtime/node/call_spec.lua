local uv = require "luv"
local async = require "runtime.async"
local etf = require "host.etf"
local live = require "spec.support.live_node"
local node = require "runtime.node.init"
local until_true = require "spec.support.until_true"

local A = etf.A

describe("a call", function()
  local at, n

  setup(function()
    at = live.start()
    n = at.node
  end)
  teardown(function() at.stop() end)

  -- Processes that were started for a call of somebody's.
  local function running()
    return at.eval [[
      length([P || P <- processes(), P =/= self(),
                   process_info(P, initial_call) =:= {initial_call, {erpc, execute_call, 4}}]).]]
  end

  -- Kill signals need a moment.
  local function settles_at(wanted)
    return until_true("the end of the calls", function() return running() == wanted end)
  end

  it("returns what the function returns", live.test(function()
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    assert.equal("ab", n:call("erlang", "list_to_binary", { { "a", "b" } }))
  end))

  it("tells false from failure", live.test(function()
    local value, err = n:call("erlang", "is_atom", { 1 })
    assert.is_false(value)
    assert.is_nil(err)
  end))

  it("brings back every type of term so that the node knows it again", live.test(function()
    at.eval [=[
      P = open_port({spawn, "cat"}, []),
      T = [0, -1, 255, 256, -257, 1 bsl 31, -(1 bsl 31), 1 bsl 53, 1 bsl 64, -(1 bsl 70), 1 bsl 5000,
           1.5, -0.25, 1.0e300, ok, 'with space', 'ünïcode', true, false, nil, undefined, '', [], {},
           <<>>, <<"text">>, <<255, 0>>, <<5:3>>, "chars", [1, 2, 3], [1, [2, [3]]], [a | b], [300, 400],
           lists:seq(1, 300), {a, {b, {c}}}, list_to_tuple(lists:seq(1, 300)),
           #{}, #{a => 1}, #{<<"a">> => 1}, #{1 => one, {x} => y, [] => z, 1.5 => f}, #{a => #{b => [#{}]}},
           self(), P, make_ref(), fun erlang:node/0, fun(X) -> X + 1 end],
      persistent_term:put(bl_spec_terms, T).]=]
    local terms = n:call("persistent_term", "get", { A.bl_spec_terms })
    assert.equal(A.ok, at.eval([[
      case [{X, Y} || {X, Y} <- lists:zip(T, persistent_term:get(bl_spec_terms)), X =/= Y] of [] -> ok; L -> L end.]],
      { T = terms }))
  end))

  it("says what was raised, and where", live.test(function()
    local value, err = n:call("erlang", "binary_to_existing_atom", { "bl_spec_never_an_atom" })
    assert.is_nil(value)
    assert.equal("query", err.stage)
    assert.equal("error", err.class)
    assert.matches("failed: badarg in erlang:binary_to_existing_atom/", err.message, 1, true)
  end))

  it("says that a function is not there", live.test(function()
    local _, err = n:call("no_such_module", "at_all", { 1, 2 })
    assert.equal("no_such_module:at_all/2 failed: the node has no function no_such_module:at_all/2", err.message)
  end))

  it("tells error, exit and throw apart", live.test(function()
    local _, err = n:call("erlang", "exit", { A.going })
    assert.same({ "exit", A.going }, { err.class, err.reason })
    _, err = n:call("erlang", "throw", { A.ball })
    assert.same({ "throw", A.ball }, { err.class, err.reason })
  end))

  it("cuts a long reason", live.test(function()
    local _, err = n:call("erlang", "exit", { ("x"):rep(100000) })
    assert.is_true(#err.message < 500)
  end))

  it("runs beside many others, and each gets its own answer", live.test(function()
    local waits, wanted = {}, {}
    for i = 1, 200 do
      waits[i] = function() return (n:call("erlang", "*", { i, 2 })) end
      wanted[i] = { ok = true, value = 2 * i }
    end
    assert.same(wanted, async.all(waits))
  end))

  it("has no answer at its deadline, and is ended on the node", live.test(function()
    local before, waits = running(), {}
    for i = 1, 50 do
      waits[i] = function() return n:call("timer", "sleep", { 60000 }, { timeout = 0.1 }) end
    end
    for _, result in ipairs(async.all(waits)) do
      assert.matches("^timer:sleep/1 had no answer after 0.1%d* s and was ended on the node", result.err.message)
    end
    assert.is_true(settles_at(before))
  end))

  it("is ended even when its deadline passes before the node has started it", live.test(function()
    local before = running()
    local value, err = n:call("timer", "sleep", { 60000 }, { deadline = async.now() - 1 })
    assert.is_nil(value)
    assert.equal("query", err.stage)
    assert.is_true(settles_at(before))
    assert.equal(0, next(n.calls.pending) and 1 or 0)
  end))

  it("is ended when the task that waits for it is cancelled", live.test(function()
    local before, err = running(), nil
    local task = async.spawn(function() err = select(2, n:call("timer", "sleep", { 60000 })) end)
    n:call("erlang", "node", {})
    task:cancel "interrupted"
    assert.equal("timer:sleep/1 was given up: interrupted", err.message)
    assert.is_true(settles_at(before))
  end))

  it("is ended when it needs more heap than it may have", live.test(function()
    local _, err = n:call("lists", "seq", { 1, 10000000 }, { heap_words = 1000000 })
    assert.equal("lists:seq/2 was ended on the node: it needed more than its 7 MB of heap", err.message)
    assert.matches("^ask for less", err.next)
  end))

  it("runs at the priority that was asked for", live.test(function()
    local text = "element(2, process_info(self(), priority))."
    assert.equal(A.low, n.query(text))
    assert.equal(A.high, n.query(text, {}, { priority = "high" }))
  end))

  it("has what it printed, in order", live.test(function()
    local lines = {}
    for i = 1, 200 do lines[i] = i .. " is ü\n" end
    local value, err, printed = n.query [=[
      [io:format("~w is ~ts~n", [X, [252]]) || X <- lists:seq(1, 200)], done.]=]
    assert.is_nil(err)
    assert.equal(A.done, value)
    assert.equal(table.concat(lines), printed)
  end))

  it("has in UTF-8 what was printed in Latin-1", live.test(function()
    local _, _, printed = n.query "io:request(group_leader(), {put_chars, latin1, <<\"gr\", 252, \"n\">>})."
    assert.equal("grün", printed)
  end))

  it("has only what it printed itself", live.test(function()
    local results = async.all {
      function() return { select(3, n.query "io:put_chars(\"one\"), timer:sleep(20), io:put_chars(\" more\").") } end,
      function() return { select(3, n.query "timer:sleep(10), io:put_chars(<<\"two\">>).") } end,
    }
    assert.same({ { "one more" }, { "two" } }, { results[1].value, results[2].value })
  end))

  it("is not stopped by asking for input or for the width of the screen", live.test(function()
    local value = n.query "{io:get_line(\"?\"), io:columns(), io:setopts([binary]), io:getopts()}."
    assert.same({ etf.tuple(A.error, A.enotsup), etf.tuple(A.error, A.enotsup), A.ok, {} }, value)
  end))

  it("keeps 64 KB of what is printed and says that there was more", live.test(function()
    local _, _, printed = n.query "[io:put_chars(lists:duplicate(1000, $x)) || _ <- lists:seq(1, 100)], ok."
    assert.equal(65536, select(2, printed:gsub("x", "")))
    assert.matches("more was printed than is kept", printed)
  end))

  it("fails alone when its answer is too large, and says how to narrow it", live.test(function()
    local results = async.all {
      function() return n:call("binary", "copy", { "x", 50 * 1024 * 1024 }) end,
      function() return n:call("erlang", "+", { 1, 2 }) end,
    }
    local err = results[1].err
    assert.matches("^binary:copy/2 has an answer of 50.0 MB, and more than 16 MB are not taken", err.message)
    assert.matches("^ask for less", err.next)
    assert.equal(3, results[2].value)
    assert.equal(4, n:call("erlang", "+", { 2, 2 }))
    assert.equal("up", n.state)
  end))

  it("may have an answer of just under the limit", live.test(function()
    assert.equal(15 * 1024 * 1024, #n:call("binary", "copy", { "x", 15 * 1024 * 1024 }))
  end))

  it("fails alone, and is ended, when it prints too much at once", live.test(function()
    local before = running()
    local _, err = n.query "io:put_chars(binary:copy(<<\"x\">>, 20000000)), timer:sleep(60000)."
    assert.matches("more than 16 MB are not taken", err.message)
    assert.is_true(settles_at(before))
  end))

  it("can leave a process behind that prints to the node's own output", live.test(function()
    at.eval "spawn(fun() -> timer:sleep(20), io:format(\"printed later~n\") end)."
    until_true("what was printed", function()
      return assert(io.open(at.home .. "/node.log")):read("*a"):find "printed later"
    end)
  end))

  it("counts what it cost", live.test(function()
    local mine = assert(node.connect { name = at.name, cookie_file = at.cookie_file })
    mine:call("binary", "copy", { "x", 100000 })
    mine.query "lists:sum(lists:seq(1, 100000))."
    mine.query "timer:sleep(30)."
    assert.is_true(mine.load.calls >= 3)
    assert.is_true(mine.load.bytes >= 100000)
    assert.is_true(mine.load.reductions >= 1000)
    assert.is_true(mine.load.max_ms >= 30)
    mine:close()
  end))

  -- Such a call first asks for the process `user`; nothing would wake it if it asked on a link that is gone.
  it("fails at once when the link goes while it looks for who takes its output", live.test(function()
    local mine, err = assert(node.connect { name = at.name, cookie_file = at.cookie_file }), nil
    local task = async.spawn(function() err = select(2, mine:call("erlang", "node", {}, { group_leader = "user" })) end)
    mine:close()
    assert.is_true(task.finished)
    assert.equal("detached from bl_spec@127.0.0.1", err.message)
  end))

  it("has mailboxes beside it: what the node sends there is taken as it comes", live.test(function()
    local taken = {}
    local box = n.calls:open_mailbox(function(message) taken[#taken + 1] = message or "too large" end, 1000)
    at.eval("[P ! X || X <- [{one, 1}, binary:copy(<<1>>, 2000), binary:copy(<<1>>, 20000000), {two, 2}]], ok.",
      { P = box })
    until_true("the fourth message", function() return #taken == 4 end)
    n.calls:close_mailbox(box)
    at.eval("P ! three, ok.", { P = box })
    assert.same({ 1, "too large", "too large", 2 }, { taken[1][2], taken[2], taken[3], taken[4][2] })
    assert.equal(4, #taken)
  end))
end)

describe("a call through rex", function()
  local at, n

  setup(function()
    at = live.start()
    n = at.node
    n.calls.through_rex = true
  end)
  teardown(function() at.stop() end)

  it("returns values and failures like the others", live.test(function()
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    local _, err = n:call("erlang", "binary_to_existing_atom", { "bl_spec_never_an_atom" })
    assert.matches("failed: badarg in erlang:binary_to_existing_atom/", err.message, 1, true)
    _, err = n:call("no_such_module", "at_all", {})
    assert.equal("no_such_module:at_all/0 failed: the node has no function no_such_module:at_all/0", err.message)
    _, err = n.query "throw(ball)."
    assert.equal("the query failed: throw ball", err.message)
  end))

  it("has what it printed", live.test(function()
    local value, _, printed = n.query "io:format(\"out~n\"), done."
    assert.same({ A.done, "out\n" }, { value, printed })
  end))

  it("gives queries their heap limit and their priority", live.test(function()
    local _, err = n.query("lists:seq(1, 10000000).", {}, { heap_words = 1000000 })
    assert.matches("it needed more than its 7 MB of heap", err.message)
    assert.equal(A.low, n.query "element(2, process_info(self(), priority)).")
  end))

  it("gives queries as JSON too", live.test(function()
    assert.equal('{"a":[1,2]}', n.query("#{a => [1, 2]}.", {}, { json = true }))
  end))

  it("says that what it gave up goes on", live.test(function()
    local _, err = n:call("timer", "sleep", { 300 }, { timeout = 0.05 })
    assert.matches("goes on there, for this node offers no way to end it", err.message)
  end))

  it("is what a node without erpc is asked through", live.test(function()
    n.calls.through_rex = false
    at.eval [[
      {ok, {_, [{_, {_, Forms}}]}} = beam_lib:chunks(code:which(erpc), [abstract_code]),
      {ok, M, B} = compile:forms([case F of
        {attribute, L, export, X} -> {attribute, L, export, lists:delete({execute_call, 4}, X)};
        _ -> F end || F <- Forms]),
      code:unstick_mod(erpc),
      spawn(fun() -> timer:sleep(20), code:purge(erpc), {module, M} = code:load_binary(M, "erpc.beam", B) end).]]
    n.calls.through_rex = true
    until_true("the other erpc", function() return not n.query "erlang:function_exported(erpc, execute_call, 4)." end)
    n.calls.through_rex = false
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    assert.is_true(n.calls.through_rex)
  end))
end)

describe("calls in flight", function()
  local at

  before_each(function() at = live.start() end)
  after_each(function() at.stop() end)

  local function hundred_calls(n, each)
    local tasks = {}
    for i = 1, 100 do
      tasks[i] = async.spawn(function()
        local _, err = n:call("timer", "sleep", { 60000 })
        each(err)
      end)
    end
    n:call("erlang", "node", {})
    return tasks
  end

  it("all fail at once when the node is killed, and so does the next", live.test(function()
    local failed = 0
    local tasks = hundred_calls(at.node, function(err)
      assert.equal("node", err.stage)
      assert.equal(3, err.exit)
      assert.matches("^lost bl_spec@127.0.0.1: ", err.message)
      failed = failed + 1
    end)
    uv.kill(at.os_pid, "sigkill")
    for _, task in ipairs(tasks) do assert.is_true(task:join(async.now() + 60)) end
    assert.equal(100, failed)
    local _, err = at.node:call("erlang", "node", {})
    assert.matches("^lost bl_spec@127.0.0.1: ", err.message)
  end))

  it("meet their deadlines while the node is frozen, and the next works when it goes on", live.test(function()
    local n = at.node
    at:freeze()
    local _, err = n:call("erlang", "node", {}, { timeout = 0.2 })
    at:thaw()
    assert.matches("^erlang:node/0 had no answer after 0.2%d* s: the node did not even start it", err.message)
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
  end))

  it("fail when we detach", live.test(function()
    local heard
    local tasks = hundred_calls(at.node, function(err) heard = err end)
    at.node:close()
    for _, task in ipairs(tasks) do assert.is_true(task.finished) end
    assert.equal("detached from bl_spec@127.0.0.1", heard.message)
  end))
end)

describe("a node of Elixir", function()
  local at
  setup(function() at = live.start { elixir = true } end)
  teardown(function() at.stop() end)

  it("is called like any other, and what it prints comes with the answer", live.test(function()
    assert.equal("1.14", at.node:call("Elixir.System", "version", {}):match "^%d+%.%d+")
    local value, err, printed = at.node:call("Elixir.IO", "puts", { "grüße" })
    assert.is_nil(err)
    assert.equal(A.ok, value)
    assert.equal("grüße\n", printed)
    assert.equal("%{a: 1}\n", (select(3, at.node:call("Elixir.IO", "inspect", { etf.amap { a = 1 } }))))
  end))

  it("raises its own exceptions", live.test(function()
    local _, err = at.node:call("Elixir.String", "to_integer", { "x" })
    assert.equal("error", err.class)
    assert.matches("badarg in erlang:binary_to_integer/1", err.message, 1, true)
  end))
end)
