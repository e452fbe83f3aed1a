-- What was judged is what runs: forms, never the text once more; guards in the place of dear reads.

local etf = require "host.etf"
local eval = require "runtime.eval"
local functions = require "sandbox.functions"
local guards = require "sandbox.guards"
local live = require "spec.support.live_node"
local node = require "runtime.node.init"
local query = require "runtime.node.query"

describe("an expression", function()
  local at

  setup(function()
    at = live.start { code = [[
      Me = self(),
      spawn(fun() ->
        ets:new(spec_rows, [named_table, public]), ets:insert(spec_rows, [{I} || I <- lists:seq(1, 10001)]),
        Me ! ready, receive stop -> ok end
      end),
      receive ready -> ok end.]] }
  end)
  teardown(live.stop_all)

  local function run(text)
    local expression = assert(eval.read(at.node, text))
    local evaluated, err = eval.run(at.node, expression)
    return evaluated and etf.decode(evaluated.raw, 1, true), err
  end

  it("runs as it was written: whole floats, texts, large numbers, binaries", live.test(function()
    assert.is_true(run [[
      {float_to_list(3.0, [short]), float_to_list(1.0e22, [short]), "ż", "te" "xt", <<1.0/float>>, $x, "",
       integer_to_list(12345678901234567890)} =:=
      {"3.0", "1.0e22", [380], "text", <<63, 240, 0, 0, 0, 0, 0, 0>>, 120, [], "12345678901234567890"} ]])
  end))

  it("cannot leave the fun that it runs in by closing it", live.test(function()
    local expression = eval.read(at.node, "1 end)(), (fun() -> 2")
    assert.is_nil(expression)
  end))

  it("is read without being run", live.test(function()
    eval.read(at.node, "register(spec_reader, self())")
    assert.is_true(at.eval "whereis(spec_reader) =:= undefined.")
  end))

  it("is not run over another connection than it was read by: another node may answer to the name", live.test(function()
    local again = assert(node.connect { name = at.name, cookie_file = at.cookie_file })
    local _, err = eval.run(again, assert(eval.read(at.node, "1")))
    again:close()
    assert.equal("gate", err.stage)
  end))

  it("of many expressions has the value of the last, and its variables stay there", live.test(function()
    assert.equal(6, run "X = 1, Y = 2, X + Y * 2 + 1")
  end))

  for _, text in ipairs {
    "ets:tab2list(spec_rows)", "length(ets:tab2list(spec_rows))", "T = spec_rows, ets:tab2list(T)",
    "F = fun ets:tab2list/1, F(spec_rows)", "lists:map(fun ets:tab2list/1, [spec_rows])",
    "apply(ets, tab2list, [spec_rows])", "erlang:apply(ets, tab2list, [spec_rows])",
    "apply(fun ets:tab2list/1, [spec_rows])", "[ets:tab2list(X) || X <- [spec_rows]]",
    "(fun(X) -> ets:tab2list(X) end)(spec_rows)", "timer:tc(ets, tab2list, [spec_rows])",
    "case 1 of 1 -> ets:tab2list(spec_rows) end", "Rows = 1, Words = 2, ets:tab2list(spec_rows)",
  } do
    it("meets the guard of a large table: " .. text, live.test(function()
      local _, err = run(text)
      assert.matches("ets:tab2list/1 is refused: the table has 10001 rows", tostring(err), 1, true)
    end))
  end

  it("that reaches a guarded function where no guard can stand is refused", live.test(function()
    local _, err = eval.read(at.node, "A = [spec_rows], apply(ets, tab2list, A)")
    assert.matches("ets:tab2list/1 is reached in a way that no guard can be put before", tostring(err), 1, true)
  end))

  it("has its guarded functions in the table of functions, and no other is said to be guarded there", function()
    local said, have = {}, {}
    for mfa, entry in pairs((functions.all())) do if entry.guard then said[mfa] = true end end
    for name, guard in pairs(guards.TEXTS) do
      if not guard.role and functions.all()[name].guard then have[name] = true end
    end
    assert.same(said, have)
  end)

  for _, text in ipairs {
    "length([binary:copy(<<I>>, 1000000) || I <- lists:seq(1, 100000)])",
    "length([counters:new(1000000, []) || _ <- lists:seq(1, 100000)])",
    "T = ets:new(t, []), [ets:insert(T, {I, lists:duplicate(2000, I)}) || I <- lists:seq(1, 99999)]",
  } do
    it("that takes memory outside its heap is ended, and the node goes on: " .. text, live.test(function()
      local _, err = run(text)
      assert.matches("ended", tostring(err), 1, true)
      assert.is_true(run "erlang:memory(total) > 0")
    end))
  end

  it("may ask a table that is not there as if there were no guard", live.test(function()
    local _, err = run "ets:tab2list(spec_nothing)"
    assert.matches("badarg", tostring(err), 1, true)
  end))

  it("reads a state through its guard, by pid and by name", live.test(function()
    assert.is_true(run "sys:get_state(kernel_sup) =:= sys:get_state(whereis(kernel_sup))")
  end))

  it("reads a status through its guard", live.test(function()
    assert.is_true(run "element(1, sys:get_status(kernel_sup)) =:= status")
  end))

  describe("has guards that", function()
    it("parse, and bind no variable but by their heads", live.test(function()
      for mfa, guard in pairs(guards.TEXTS) do
        local form = assert(query.form(at.node, guard.text))
        assert.equal("fun", tostring(form[1]), mfa)
        assert.is_nil(guard.text:find "%u%w* = ", mfa)
      end
    end))
  end)
end)
