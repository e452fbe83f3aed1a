-- What stands before arguments where an expression runs: ordinary use passes it, what was made up does not.

local etf = require "host.etf"
local eval = require "runtime.eval"
local live = require "spec.support.live_node"

-- A module of the node's own, whose code must not run.
local OWN = [[
  defmodule Own do
    defstruct a: 1
    def ran(), do: :persistent_term.put(:own_ran, true)
    def fetch(_, _), do: (ran(); {:ok, 1})
    def exception(_), do: (ran(); %RuntimeError{message: "own"})
    def message(_), do: (ran(); "own")
    def leap_year?(_), do: (ran(); true)
    def format_error(_, _), do: (ran(); %{})
    def whereis_name(_), do: (ran(); :undefined)
    def info(_), do: (ran(); :own)
    def date_to_string(_, _, _), do: (ran(); "own")
  end
  defimpl String.Chars, for: Own, do: (def to_string(_), do: (Own.ran(); "own"))
  defimpl Inspect, for: Own, do: (def inspect(_, _), do: (Own.ran(); "own"))
  defimpl Enumerable, for: Own do
    def count(_), do: (Own.ran(); {:ok, 0})
    def member?(_, _), do: (Own.ran(); {:ok, false})
    def reduce(_, acc, _), do: (Own.ran(); {:done, elem(acc, 1)})
    def slice(_), do: {:error, __MODULE__}
  end
  :persistent_term.put(:own, Map.put(%{a: 1}, :__struct__, Own))
  :persistent_term.put(:own_fun, fn acc, _ -> Own.ran(); {:done, elem(acc, 1)} end)
  :persistent_term.put(:own_name, {:via, Own, :x})
]]

local PASSES = {
  -- what a person asks every day
  "Process.list() |> Enum.map(&Process.info(&1, :memory)) |> length() > 10",
  ":sys.get_state(:kernel_sup) |> Tuple.to_list() |> Enum.count() > 3",
  "(for p <- Process.list(), {_, m} <- [Process.info(p, :memory)], do: m) |> Enum.sum() > 0",
  "Process.list() |> Enum.sort_by(fn p -> Process.info(p, :memory) end, :desc) |> Enum.take(2) |> length() == 2",
  ":ets.tab2list(:elixir_config) |> Enum.into(%{}) |> Map.keys() |> length() > 1",
  "DateTime.utc_now() |> Map.from_struct() |> Enum.map(fn {k, _} -> k end) |> Enum.member?(:year)",
  'Enum.map_join([1, :a, "b"], ",", &to_string/1) == "1,a,b"',
  'Enum.join([~D[2020-01-01], 1.5], " ") == "2020-01-01 1.5"',
  "1..3 |> Stream.map(&(&1 * 2)) |> Enum.to_list() == [2, 4, 6]",
  "Stream.iterate(1, &(&1 * 2)) |> Stream.take_while(&(&1 < 9)) |> Enum.take(3) == [1, 2, 4]",
  'String.replace("a.b", ".", fn _ -> "+" end) == "a+b"', 'Enum.map_join(["ż", ~c"b"], "-", & &1) == "ż-b"',
  'Regex.replace(~r/a(.)/, "abac", fn _, x -> x end) == "bc"', 'to_string([380, "a", [?b]]) == "żab"',
  "Enum.sort([~D[2020-01-02], ~D[2020-01-01]], Date) == [~D[2020-01-01], ~D[2020-01-02]]",
  "Enum.sort([~D[2020-01-01], ~D[2020-01-02]], {:desc, Date}) == [~D[2020-01-02], ~D[2020-01-01]]",
  "Enum.max([~D[2020-01-02], ~D[2020-01-01]], Date) == ~D[2020-01-02]", "Enum.sort([2, 1], :desc) == [2, 1]",
  "Enum.min_by([a: ~D[2020-01-02], b: ~D[2020-01-01]], &elem(&1, 1), Date) == {:b, ~D[2020-01-01]}",
  "Enum.sort_by([1, 2], & &1, :desc) == [2, 1]", "Enum.max_by([1, 2], & &1) == 2", "Enum.max([1, 2], &>=/2) == 2",
  "Enum.flat_map([1, 2], &[&1, &1]) == [1, 1, 2, 2]", "Enum.zip([[1], MapSet.new([2])]) == [{1, 2}]",
  "Enum.zip(1..2, [a: 1, b: 2]) |> length() == 2", "Enum.concat([[1], 2..3]) == [1, 2, 3]",
  "Enum.flat_map_reduce([1, 2], 0, fn x, a -> {[x], a + x} end) == {[1, 2], 3}",
  "Enum.count(Date.range(~D[2020-01-01], ~D[2020-01-03])) == 3", "Map.new([1], &{&1, &1}) == %{1 => 1}",
  "get_in(%{a: [b: 1]}, [:a, :b]) == 1", "x = [a: 1]; x[:a] == 1", "x = %{}; x[:a] == nil",
  'inspect(%{d: ~D[2020-01-01], s: MapSet.new([1])}) == "%{d: ~D[2020-01-01], s: MapSet.new([1])}"',
  'inspect({1, "a"}, limit: 5) == "{1, \\"a\\"}"', '"#{~T[10:00:00]} #{12} #{:a}" == "10:00:00 12 a"',
  'Regex.run(~r/(a)(b)/i, "AB") == ["AB", "A", "B"]', 'r = Regex.compile!("a"); "cat" =~ r',
  'String.replace("a-b", ~r/-/, "+") == "a+b"', 'String.split("a1b", ~r/[0-9]/) == ["a", "b"]',
  'String.split("a b", " ") == ["a", "b"]', "Date.add(~D[2020-01-01], 1) == ~D[2020-01-02]",
  'try do raise "x" rescue e -> Exception.message(e) end == "x"',
  "try do 1 / (1 - 1) rescue e in ArithmeticError -> Exception.message(e) end =~ \"bad argument\"",
  'try do raise ArgumentError, "y" rescue e -> Exception.format(:error, e, []) end =~ "y"',
  'try do :erlang.binary_to_integer("x") rescue e in ArgumentError -> e.message end == "argument error"',
  "Enum.reduce(1..20, 1, &(&1 * &2)) == 2432902008176640000", "Integer.pow(2, 64) == 18446744073709551616",
  ":erlang.monitor(:process, :kernel_sup) |> is_reference()",
  "URI.parse(\"http://a:1/b\") |> to_string() == \"http://a:1/b\"",
  'Version.match?("1.2.0", "~> 1.0")',
  "is_map(:sys.get_status(:kernel_sup) |> Tuple.to_list() |> Enum.with_index() |> Map.new())",
}

local REFUSED = {
  -- a struct without its tag being written, and what Elixir would run of it
  "Enum.take(:persistent_term.get(:own), 1)", "for x <- :persistent_term.get(:own), do: x",
  "k = hd(Map.keys(~D[2020-01-01])); Enum.count(Map.put(%{}, k, Own))",
  "k = hd(Map.keys(~D[2020-01-01])); Enum.to_list(Map.put(%{path: \"/etc/passwd\", raw: true}, k, hd([File])))",
  "[:persistent_term.get(:own)] |> Enum.map(&Enum.count/1)",
  "Stream.map(:persistent_term.get(:own), & &1) |> Enum.to_list()",
  "apply(Enum, :count, [:persistent_term.get(:own)])", "Enum.flat_map([1], fn _ -> :persistent_term.get(:own) end)",
  "Enum.concat([[1], :persistent_term.get(:own)])", "Enum.zip([1], :persistent_term.get(:own))",
  "Enum.to_list(:persistent_term.get(:own_fun))", "Enum.zip([:persistent_term.get(:own_fun)])",
  "Stream.transform([1], 0, fn _, a -> {:persistent_term.get(:own), a} end) |> Enum.to_list()",
  "Enum.member?(:persistent_term.get(:own), 1)", "1 in :persistent_term.get(:own)",
  "MapSet.new(:persistent_term.get(:own))", "Map.new(:persistent_term.get(:own))",
  '"#{:persistent_term.get(:own)}"', "to_string(:persistent_term.get(:own))", "Enum.join([:persistent_term.get(:own)])",
  "Enum.map_join([1], fn _ -> :persistent_term.get(:own) end)", "IO.puts(:persistent_term.get(:own))",
  "x = :persistent_term.get(:own); x[:a]", "Access.fetch(:persistent_term.get(:own), :a)",
  "get_in(:persistent_term.get(:own), [:a])", "[1] |> Enum.map(fn _ -> :persistent_term.get(:own)[:a] end)",
  "Date.leap_year?(%Date{year: 1, month: 1, day: 1, calendar: Own})", "Date.leap_year?(%{year: 1, calendar: Own})",
  "to_string(%Date{year: 1, month: 1, day: 1, calendar: Own})",
  "d = %Date{year: 1, month: 1, day: 1, calendar: Own}; Enum.sort([d, d], Date)",
  "d = %Date{year: 1, month: 1, day: 1, calendar: Own}; Enum.max_by([1, 2], fn _ -> d end, Date)",
  "Kernel.Utils.raise(Own)", "m = Own; raise m", "Map.from_struct(Own)", "Enum.map([Own], &Map.from_struct/1)",
  "Exception.message(:persistent_term.get(:own))",
  "Exception.format_exit({1, [{:m, :f, 2, [error_info: %{module: Own}]}]})",
  "Exception.format(:exit, {1, [{:m, :f, 2, [error_info: %{module: Own}]}]})",
  "Application.format_error({1, [{:m, :f, 2, [error_info: %{module: Own}]}]})",
  ":sys.get_state(:persistent_term.get(:own_name))", ":sys.get_state(hd([{:via, Own, :x}]))",
  "GenServer.whereis(:persistent_term.get(:own_name))", "Process.monitor(hd([{:x, :a@b}]))",
  ":inet.info(List.to_tuple([:\"$inet\", Own, 1]))",
  ":sys.get_state(:auth)", ":auth |> Process.whereis() |> :sys.get_state()", ":sys.get_state(:init)",
  "Own.SessionRepo.reload(:all)", "Own.SessionRepo.all(%{})", "apply(Own.SessionRepo, :get, [:x, 1])",
  -- what grows and cannot be ended
  "Enum.reduce(1..30, 3, fn _, a -> a * a end)", "x = :binary.decode_unsigned(String.duplicate(\"a\", 1000000)); x * x",
  "Integer.pow(Integer.pow(2, 60000), 60000)", "Enum.reduce(1..30, \"a\", fn _, a -> a <> a end)",
  ":erlang.iolist_to_binary(List.duplicate(String.duplicate(\"a\", 1000000), 3000))",
  "String.duplicate(String.duplicate(\"a\", 1000000), 1000000)",
  "Enum.join(List.duplicate(String.duplicate(\"a\", 1000000), 3000))",
  "Enum.map_join(1..100, fn _ -> String.duplicate(\"a\", 1000000) end)",
  "String.replace(String.duplicate(\"a\", 1000000), \"a\", fn _ -> String.duplicate(\"b\", 1000000) end)",
  "List.to_string([300 | List.duplicate(String.duplicate(\"a\", 1000000), 3000)])",
  "Enum.reduce(1..45, :x, fn _, a -> [a | a] end) |> :erlang.term_to_binary()",
  "String.pad_leading(\"a\", 1000000, [String.duplicate(\"a\", 1000000)])",
  "String.to_integer(String.duplicate(\"1\", 1000000))",
}

local ERLANG_REFUSED = {
  "A = binary:decode_unsigned(binary:copy(<<255>>, 1000000)), A * A > 1",
  "lists:foldl(fun(_, A) -> A * A end, 3, lists:seq(1, 30))",
  "lists:foldl(fun erlang:'*'/2, 1, [1 bsl 65000, 1 bsl 65000, 2])",
  "lists:foldl(fun(_, A) -> A bsl 65000 end, 1, lists:seq(1, 100))",
  "lists:foldl(fun erlang:'*'/2, 3, [(1 bsl 65536) bsl 9])",
  "list_to_integer(lists:duplicate(100000, $1))",
  "lists:map(fun erlang:list_to_integer/1, [lists:duplicate(5000, $1)])",
  "lists:foldl(fun(_, B) -> <<B/binary, B/binary>> end, <<\"a\">>, lists:seq(1, 34))",
  "iolist_to_binary(lists:duplicate(3000, binary:copy(<<\"a\">>, 1000000)))",
  "binary:copy(binary:copy(<<1>>, 1000000), 1000000)",
  "inet:info(list_to_tuple(['$inet', 'Elixir.Own', x]))", "(fun(S) -> inet:getstat(S) end)({'$inet', 'Elixir.Own', x})",
  "sys:get_state(hd([{via, 'Elixir.Own', x}]))", "(fun(P) -> sys:get_state(P) end)({bigs, 'no@where'})",
  "(fun(P) -> erlang:monitor(process, P) end)({rex, 'x@127.0.0.1'})",
  "(fun(P) -> monitor(process, P) end)({rex, 'x@127.0.0.1'})",
  "lists:reverse(atom_to_list(element(2, sys:get_state(auth))))",
  "maps:fold(fun(K, _, _) -> 'Elixir.Enum':count(#{K => 'Elixir.Own'}) end, x, #{'__struct__' => 'Elixir.Range'})",
}

-- A tuple that is written there may be judged as another node's, and then be none.
local CAUTION_REFUSED = "(fun(V) -> erlang:monitor(process, {V, 'no@where'}) end)(rex)"

-- A guard that stands before one use is none before another.
local UNREACHED = {
  "Enum.count([1]); apply(:erlang, :apply, [Enum, :count, [:persistent_term.get(:own)]])",
  "l = [:persistent_term.get(:own)]; Enum.count([1]); apply(Enum, :count, l)",
  "t = :ets.new(:t, []); :ets.tab2list(t); apply(:erlang, :apply, [:ets, :tab2list, [t]])",
}

-- These answer, and nothing of the node's own ran.
local HARMLESS = {
  { "inspect(:persistent_term.get(:own))", "%{__struct__: Own, a: 1}" },
  { "inspect([:persistent_term.get(:own)], limit: 5)", "[%{__struct__: Own, a: 1}]" },
  { "inspect(%Date{year: 1, month: 1, day: 1, calendar: Own}, structs: true) =~ \"calendar: Own\"", true },
  { "try do :erlang.raise(:error, :badarg, [{:m, :f, 2, [error_info: %{module: Own}]}]) rescue e -> e.message end",
    "argument error" },
  { "Exception.normalize(:error, :badarg, [{:m, :f, 2, [error_info: %{module: Own}]}]).message", "argument error" },
  { "Exception.format_banner(:error, :badarg, [{Own, :f, 2, [error_info: %{}]}])",
  "** (ArgumentError) argument error" },
  { "r = Regex.compile!(\"a\"); p = Regex.re_pattern(r); k = Enum.at(Map.keys(r), 2); "
    .. "Regex.run(Map.put(r, k, put_elem(p, 4, \"ERCP\")), \"a\")", { "a" } },
}

describe("where an expression runs", function()
  local at

  setup(function() at = live.start { elixir = true, code = OWN } end)
  teardown(live.stop_all)

  local function run(text, erlang)
    local expression = assert(eval.read(at.node, text, { elixir = not erlang }))
    assert.are.equal("SAFE", expression.class, text .. ": " .. expression.reasons[1].what)
    local evaluated, err = eval.run(at.node, expression)
    return evaluated and etf.decode(evaluated.raw), err
  end

  it("ordinary use passes the guards", live.test(function()
    local wrong = {}
    for _, text in ipairs(PASSES) do
      local done, value, err = pcall(run, text)
      if not done or value ~= true then wrong[#wrong + 1] = ("%s: %s"):format(text, tostring(err or value)) end
    end
    assert.same({}, wrong)
  end))

  it("what was made up is refused by a guard", live.test(function()
    local wrong = {}
    for _, text in ipairs(REFUSED) do
      local done, value, err = pcall(run, text)
      if not done or not tostring(err):find(" is refused: ", 1, true) then
        wrong[#wrong + 1] = ("%s: %s"):format(text, tostring(err or value))
      end
    end
    assert.same({}, wrong)
  end))

  it("so is it in Erlang", live.test(function()
    local wrong = {}
    for _, text in ipairs(ERLANG_REFUSED) do
      local done, value, err = pcall(run, text, true)
      if not done or not tostring(err):find(" is refused: ", 1, true) then
        wrong[#wrong + 1] = ("%s: %s"):format(text, tostring(err or value))
      end
    end
    assert.same({}, wrong)
  end))

  it("what a person allowed for what it looked like is looked at all the same", live.test(function()
    local _, err = eval.run(at.node, assert(eval.read(at.node, CAUTION_REFUSED)))
    assert.matches(" is refused: ", tostring(err), 1, true)
  end))

  it("what no guard can stand before is refused, whatever stands beside it", live.test(function()
    local wrong = {}
    for _, text in ipairs(UNREACHED) do
      local expression, err = eval.read(at.node, text, { elixir = true })
      if expression or not tostring(err):find("in a way that no guard can be put before", 1, true) then
        wrong[#wrong + 1] = text
      end
    end
    assert.same({}, wrong)
  end))

  it("a list of words is turned away where it would make many atoms", live.test(function()
    local words = {}
    for i = 1, 65 do words[i] = "fresh" .. i end
    local before = at.eval "erlang:system_info(atom_count)."
    local _, err = eval.read(at.node, "~w(" .. table.concat(words, " ") .. ")a", { elixir = true })
    assert.matches("each of its words stays as an atom", tostring(err), 1, true)
    assert.is_true(at.eval "erlang:system_info(atom_count)." - before < 65)
  end))

  it("what would be told by the node's own code is told without it", live.test(function()
    local wrong = {}
    for _, case in ipairs(HARMLESS) do
      local done, value, err = pcall(run, case[1])
      if not done or not pcall(assert.same, case[2], value) then
        wrong[#wrong + 1] = ("%s: %s"):format(case[1], tostring(err or value))
      end
    end
    assert.same({}, wrong)
  end))

  it("none of the node's own code ran", live.test(function()
    assert.is_false(at.eval "persistent_term:get(own_ran, false).")
  end))
end)
