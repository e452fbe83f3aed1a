local cjson = require "cjson"
local erlang = require "spec.support.erlang"
local etf = require "host.etf"

local A = etf.A

-- Terms that a codec loses something of, if it loses anything. file:script evaluates each of them.
local ODD = [==[
[0, 1, 255, 256, -1, -256, 134217727, 134217728, -134217729, 2147483647, 2147483648, -2147483648,
 -2147483649, 9007199254740992, -9007199254740992, 9007199254740993, -9007199254740993,
 18446744073709551615, 18446744073709551616, -(1 bsl 64), 1 bsl 2039, 1 bsl 2040, -(1 bsl 4000), (1 bsl 30000) + 1,
 1.5, -2.25, 1.0e-320, 1.7976931348623157e308, 1.0e22, -0.0, 0.1,
 true, false, nil, undefined, null, '', 'with space', 'ä', '日本', list_to_atom(lists:duplicate(255, $x)),
 list_to_atom(lists:duplicate(255, 16#65E5)), 'a\0b', 'é\0b',
 <<>>, <<"text">>, <<0, 255, 128>>, <<"zażółć"/utf8>>, <<5:3>>, <<1, 2, 3:7>>, <<0:1>>, binary:copy(<<"x">>, 70000),
 [], [[]], [[], []], "text", "t\n", "\x{1}\x{2}", "ä", "日本", [1, 2, 200, 300], lists:seq(1, 255),
 lists:duplicate(70000, $x), lists:duplicate(70000, 1), [a | b], [1, 2 | 3], [[] | a], [a | <<"b">>],
 [["x"], 'x', <<"x">>], {}, {a}, {1, {2, {3, {}}}}, list_to_tuple(lists:seq(1, 256)), {nil, [], {}, <<>>, #{}, ''},
 #{}, #{a => 1}, #{true => false, nil => nil}, #{<<"k">> => <<"v">>, <<>> => <<>>}, #{a => #{b => #{}}},
 #{1 => a, 1.0 => b}, #{0.5 => x, 2.0 => y, (1 bsl 70) => z}, #{a => 1, <<"a">> => 2, "a" => 3, [] => 4, {} => 5},
 #{{a, 1} => [x], [1, 2] => y, #{} => z}, #{self() => me, make_ref() => it, true => 1, 0 => 0},
 maps:from_list([{I, I * 0.5} || I <- lists:seq(1, 100, 2)]),
 maps:from_list([{integer_to_binary(I), I} || I <- lists:seq(1, 100)]),
 self(), make_ref(), hd(erlang:ports()), [self(), self()], {make_ref(), #{pid => self()}},
 fun lists:map/2, fun(X) -> X + 1 end, fun() -> self() end, (fun(Y) -> fun(X) -> {X, Y} end end)([1, <<"held">>]),
 process_info(whereis(init)), maps:from_list(process_info(whereis(kernel_sup))),
 {'EXIT', {badarg, [{erlang, hd, [[]], []}]}},
 lists:foldl(fun(_, Inner) -> [Inner] end, deep, lists:seq(1, 400)),
 lists:foldl(fun(_, Inner) -> {Inner, #{k => Inner}} end, x, lists:seq(1, 6))]
]==]

-- Which of the pairs of terms differ, in value or in the bytes this node writes for them.
local COMPARE = [==[
{ok, In} = file:read_file("in"),
Pairs = fun Pair([A, B | Rest]) -> [{binary_to_term(A), binary_to_term(B)} | Pair(Rest)]; Pair([]) -> [] end,
All = Pairs([B || <<N:32, B:N/binary>> <= In]),
io_lib:format("~b same~s", [length([same || {A, A} <- All]),
  [io_lib:format("~n~0P is not ~0P", [A, 30, B, 30]) || {A, B} <- All,
    not (A =:= B andalso term_to_binary(A) =:= term_to_binary(B))]]).
]==]

-- Erlang that ends a program: every term of the list on the left of it, in a frame.
local FRAMED = "[begin B = term_to_binary(T, O), [<<(byte_size(B)):32>>, B] end || T <- Terms, O <- Options]."

local function terms_of(list, options)
  return erlang.unframe(erlang.run(("Terms = %s, Options = %s, %s"):format(list, options or "[[]]", FRAMED)))
end

local function bytes(...) return string.char(131, ...) end

local function resent(term)
  local value, at = etf.decode(term)
  assert.equal(#term + 1, at)
  return etf.encode(value)
end

local function returned(term) return (etf.decode(resent(term))) end

describe("host.etf on a real node", function()
  it("gives back every odd term as the node had it", function()
    local terms = terms_of(ODD, "[[], [{minor_version, 2}]]")
    local pairs_of = {}
    for _, term in ipairs(terms) do
      pairs_of[#pairs_of + 1] = term
      pairs_of[#pairs_of + 1] = resent(term)
    end
    assert.is_true(#terms >= 2 * 56)
    assert.equal(#terms .. " same", erlang.run(COMPARE, erlang.frames(pairs_of)))
  end)

  it("gives back whole floats too, where they are decoded exactly", function()
    local terms = terms_of("[3.0, -0.0, 1.0e22, 0.5, [1, 1.0], {2.0, #{1.0 => 1, k => 4.0}}, [5.0 | 6.0]]")
    local pairs_of = {}
    for _, term in ipairs(terms) do
      pairs_of[#pairs_of + 1] = term
      pairs_of[#pairs_of + 1] = etf.encode((etf.decode(term, 1, true)))
    end
    assert.equal("7 same", erlang.run(COMPARE, erlang.frames(pairs_of)))
  end)

  it("sends what scripts make as the node would write it", function()
    local cases = {
      { nil, "nil" }, { cjson.null, "nil" }, { true, "true" }, { false, "false" },
      { A.ok, "ok" }, { A["with space"], "'with space'" }, { A["日本"], "'日本'" }, { A["true"], "true" },
      { 0, "0" }, { -1, "-1" }, { 255, "255" }, { 2 ^ 31, "2147483648" }, { 2 ^ 53, "9007199254740992" },
      { -2 ^ 53, "-9007199254740992" }, { 1.5, "1.5" }, { 2 ^ 60, "1152921504606846976.0" }, { -0.0, "-0.0" },
      { 3.0, "3" }, { etf.float(3), "3.0" }, { etf.float(0.1), "0.1" },
      { "", "<<>>" }, { "text\0\255", "<<\"text\", 0, 255>>" }, { "ä", "<<\"ä\"/utf8>>" },
      { etf.chars "text", "\"text\"" }, { etf.chars "", "\"\"" }, { etf.chars "zażółć 日本", "\"zażółć 日本\"" },
      { etf.chars(("x"):rep(70000)), "lists:duplicate(70000, $x)" },
      { {}, "[]" }, { { 1, 2, 3 }, "[1, 2, 3]" }, { { {}, { {} } }, "[[], [[]]]" },
      { { "a", { "b" } }, "[<<\"a\">>, [<<\"b\">>]]" },
      { etf.tuple(), "{}" }, { etf.tuple(A.a, nil, 1), "{a, nil, 1}" },
      { { a = 1 }, "#{<<\"a\">> => 1}" },
      { etf.amap { a = 1, ["b c"] = { x = {} } }, "#{a => 1, 'b c' => #{<<\"x\">> => []}}" },
      { etf.amap {}, "#{}" }, { { [A.k] = 1, [etf.float(1)] = 2, s = 3 }, "#{k => 1, 1.0 => 2, <<\"s\">> => 3}" },
      { etf.tuple(etf.raw(etf.encode(A.spliced):sub(2)), etf.raw "j"), "{spliced, []}" },
      { etf.pid("n@h", 7, 1, 3), "binary_to_term(<<131, 88, 119, 3, \"n@h\", 7:32, 1:32, 3:32>>)" },
      { etf.pid(A["n@h"], 7, 1, 3), "binary_to_term(<<131, 88, 119, 3, \"n@h\", 7:32, 1:32, 3:32>>)" },
      { etf.ref("n@h", 3, { 1, 2, 3 }), "binary_to_term(<<131, 90, 3:16, 119, 3, \"n@h\", 3:32, 1:32, 2:32, 3:32>>)" },
    }
    local texts, ours = {}, {}
    for i, case in ipairs(cases) do texts[i], ours[i] = case[2], etf.encode(case[1]) end
    local theirs = terms_of("[" .. table.concat(texts, ",\n") .. "]")
    local pairs_of = {}
    for i in ipairs(cases) do
      pairs_of[#pairs_of + 1] = theirs[i]
      pairs_of[#pairs_of + 1] = ours[i]
    end
    assert.equal(#cases .. " same", erlang.run(COMPARE, erlang.frames(pairs_of)))
  end)

  it("takes the spellings of other releases for the same terms", function()
    local spelt = {
      bytes(99) .. "1.50000000000000000000e+00\0\0\0\0\0", bytes(100, 0, 2) .. "ok", bytes(118, 0, 2) .. "ok",
      bytes(115, 2, 228, 246), bytes(119, 2) .. "ok", bytes(110, 1, 0, 7),
      bytes(110, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1),
      bytes(111, 0, 0, 0, 1, 1, 7), bytes(105, 0, 0, 0, 1, 97, 1), bytes(108, 0, 0, 0, 1, 97, 1, 97, 2),
      bytes(108, 0, 0, 0, 1, 97, 1, 108, 0, 0, 0, 1, 97, 2, 106), bytes(108, 0, 0, 0, 0, 97, 9),
      bytes(108, 0, 0, 0, 0, 106),
      bytes(107, 0, 0), bytes(98, 0, 0, 0, 5),
      bytes(103, 119, 3) .. "n@h" .. "\0\0\0\1\0\0\0\2\3", bytes(103, 100, 0, 3) .. "n@h" .. "\0\0\0\1\0\0\0\2\3",
      bytes(88, 115, 3) .. "n@h" .. "\0\0\0\1\0\0\0\2\0\0\0\3",
      bytes(88, 119, 5) .. "n\0@h!" .. "\0\0\0\1\0\0\0\2\0\0\0\3",
      bytes(102, 119, 3) .. "n@h" .. "\0\0\0\1\3", bytes(89, 119, 3) .. "n@h" .. "\0\0\0\1\0\0\0\3",
      bytes(120, 119, 3) .. "n@h" .. "\0\0\0\1\0\0\0\1\0\0\0\3",
      bytes(114, 0, 1, 119, 3) .. "n@h" .. "\3\0\0\0\1",
      bytes(90, 0, 3, 119, 3) .. "n@h" .. "\0\0\0\3\0\0\0\1\0\0\0\2\0\0\0\3",
      bytes(113, 100, 0, 5) .. "lists" .. string.char(119, 3) .. "map" .. string.char(97, 2),
    }
    local pairs_of = {}
    for _, term in ipairs(spelt) do
      pairs_of[#pairs_of + 1] = term
      pairs_of[#pairs_of + 1] = resent(term)
    end
    assert.equal(#spelt .. " same", erlang.run(COMPARE, erlang.frames(pairs_of)))
  end)

  it("carries ten megabytes both ways", function()
    local terms = terms_of [==[[binary:copy(<<"0123456789">>, 1000001),
      [{I, #{name => <<"item">>, at => I * 1.5}, [I]} || I <- lists:seq(1, 230000)]]]==]
    local pairs_of = {}
    for _, term in ipairs(terms) do
      assert.is_true(#term > 1e7)
      pairs_of[#pairs_of + 1] = term
      pairs_of[#pairs_of + 1] = resent(term)
    end
    -- The whole floats among them went out as integers, which == does not mind.
    assert.equal("true", erlang.run((COMPARE:gsub("io_lib.*", [==[
      io_lib:format("~p", [lists:all(fun({A, B}) -> A == B end, All)]).]==])), erlang.frames(pairs_of)))
  end)
end)

describe("host.etf", function()
  it("answers what a term is, as the node sees it", function()
    local kinds = {}
    for i, value in ipairs {
      A.ok, etf.pid("n", 1, 0, 0), etf.ref("n", 0, { 1 }), etf.tuple(), {}, { 1 }, { a = 1 }, "s", 1, 1.5, 2 ^ 60, true,
      etf.chars "x", etf.float(1), etf.raw "j", etf.amap {}, (etf.decode(bytes(77, 0, 0, 0, 1, 3, 160))),
      (etf.decode(bytes(110, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1))), (etf.decode(bytes(108, 0, 0, 0, 1, 97, 1, 97, 2))),
      (etf.decode(bytes(89, 119, 1, 110, 0, 0, 0, 1, 0, 0, 0, 3))),
      (etf.decode(bytes(113, 119, 1, 109, 119, 1, 102, 97, 2))), (etf.decode(bytes(116, 0, 0, 0, 0))),
    } do kinds[i] = etf.kind(value) end
    assert.same({ "atom", "pid", "ref", "tuple", "list", "list", "map", "binary", "integer", "float", "float",
      "boolean", "chars", "float", "raw", "map", "bits", "integer", "improper", "port", "fun", "map" }, kinds)
    assert.is_nil(etf.kind(print))
  end)

  it("keeps equal atoms, pids, references and large integers one object, whatever their spelling", function()
    assert.equal(A.ok, (etf.decode(bytes(100, 0, 2) .. "ok")))
    assert.equal(A.ok, (etf.decode(bytes(119, 2) .. "ok")))
    assert.equal(A["ä"], (etf.decode(bytes(115, 1, 228))))
    local pid = etf.pid("n@h", 1, 2, 3)
    assert.equal(pid, (etf.decode(bytes(103, 100, 0, 3) .. "n@h\0\0\0\1\0\0\0\2\3")))
    assert.equal(pid, (etf.decode(bytes(88, 119, 3) .. "n@h\0\0\0\1\0\0\0\2\0\0\0\3")))
    assert.equal(etf.ref("n@h", 3, { 1 }), (etf.decode(bytes(114, 0, 1, 119, 3) .. "n@h\3\0\0\0\1")))
    local big = bytes(110, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert.equal((etf.decode(big)), (etf.decode(big)))
    assert.equal("found", ({ [pid] = "found" })[returned(etf.encode(pid))])
  end)

  it("forgets the objects that nobody holds", function()
    local held = setmetatable({ etf.pid("gone@h", 1, 0, 0), A["gone too"], A.ok }, { __mode = "v" })
    local kept = A.ok
    collectgarbage()
    collectgarbage()
    assert.same({ [3] = kept }, held)
  end)

  it("shows objects as Erlang does", function()
    assert.equal("<0.7.1>", tostring(etf.pid("n@h", 7, 1, 3)))
    assert.equal("#Ref<0.3.2.1>", tostring(etf.ref("n@h", 3, { 1, 2, 3 })))
    assert.equal("#Port<0.5>", tostring((etf.decode(bytes(89, 119, 1, 110, 0, 0, 0, 5, 0, 0, 0, 3)))))
    assert.equal("fun m:f/2", tostring((etf.decode(bytes(113, 119, 1, 109, 119, 1, 102, 97, 2)))))
    assert.equal("<<1,5:3>>", tostring((etf.decode(bytes(77, 0, 0, 0, 2, 3, 1, 160)))))
    assert.equal("with space", tostring(A["with space"]))
    assert.equal("zażółć", tostring(etf.chars "zażółć"))
    assert.equal("3.0", tostring(etf.float(3)))
    local fun = etf.decode(erlang.run "term_to_binary(fun(X) -> X end).")
    assert.matches("^#Fun<erl_eval%.%d+%.%d+>$", tostring(fun))
  end)

  it("shows every digit of a large integer", function()
    local terms = terms_of [==[lists:append([[N, integer_to_binary(N)] || N <- [(1 bsl 53) + 1, -((1 bsl 53) + 1),
      1 bsl 64, 1000000000 * (1 bsl 64), 3 bsl 2000, -(7 bsl 8000), (1 bsl 8192) - 1]])]==]
    for i = 1, #terms, 2 do assert.equal((etf.decode(terms[i + 1])), tostring((etf.decode(terms[i])))) end
    assert.equal("#Integer<1025 bytes>", tostring((etf.decode(bytes(111, 0, 0, 4, 1, 0) .. ("\1"):rep(1025)))))
  end)

  it("reads maps with atom keys by their names, and sends them back with atoms", function()
    local map = returned(etf.encode(etf.amap { memory = 5, links = {} }))
    assert.equal(5, map.memory)
    assert.equal("map", etf.kind(map))
    assert.equal(etf.encode(etf.amap { memory = 5 }), etf.encode(returned(etf.encode(etf.amap { memory = 5 }))))
  end)

  it("keeps a map a map when the last of its keys goes", function()
    for _, given in ipairs { { x = 1 }, etf.amap { x = 1 } } do
      local map = returned(etf.encode(given))
      map.x = nil
      assert.equal(etf.encode(etf.amap {}), etf.encode(map))
    end
  end)

  it("reads text from charlists and lists from lists", function()
    assert.equal("lists.erl", tostring((etf.decode(bytes(107, 0, 9) .. "lists.erl"))))
    assert.same({ 1, 2 }, (etf.decode(bytes(107, 0, 2, 1, 2))))
    local improper = etf.decode(bytes(108, 0, 0, 0, 1, 97, 1, 97, 2))
    assert.equal(1, improper[1])
    assert.equal(2, improper.tail)
    assert.equal(9, (etf.decode(bytes(108, 0, 0, 0, 0, 97, 9))))
  end)

  it("starts where it is told and says where it ended", function()
    local two = etf.encode "one" .. etf.encode(A.two)
    local first, at = etf.decode(two)
    assert.equal("one", first)
    assert.same({ A.two, #two + 1 }, { etf.decode(two, at) })
    assert.same({ '"two"', #two + 1 }, { etf.json(two, at) })
  end)

  it("frames a control message, with its payload and without", function()
    local control = etf.tuple(6, A.x)
    assert.equal("\0\0\0\9p\131h\2a\6w\1x", etf.frame(control))
    assert.equal("\0\0\0\11p\131h\2a\6w\1x\131j", etf.frame(control, {}))
    assert.equal(etf.frame(control), etf.frame(control, nil))
  end)

  it("refuses to send what no node would understand", function()
    local itself = {}
    itself[1] = itself
    for _, case in ipairs {
      { 0 / 0, "no infinity and no nan" }, { 1 / 0, "no infinity and no nan" },
      { print, "a function has no Erlang form" }, { io.stdout, "a userdata has no Erlang form" },
      { itself, "does a table contain itself" }, { { 1, 2, x = 3 }, "both list items and named keys" },
      { etf.amap { [("x"):rep(256)] = 1 }, "at most 255 characters" },
      { etf.amap { ["\255"] = 1 }, "an atom is UTF%-8" },
    } do
      assert.error_matches(function() etf.encode(case[1]) end, case[2])
    end
    assert.error_matches(function() etf.raw "\97" end, "exactly one term")
    assert.error_matches(function() etf.raw "\97\1\97\1" end, "exactly one term")
    assert.error_matches(function() etf.pid("n", -1, 0, 0) end, "32 bits")
    assert.error_matches(function() etf.chars "\255" end, "UTF%-8")
    assert.error_matches(function() return A[("x"):rep(256)] end, "at most 255 characters")
  end)

  it("keeps nothing of an encoding that failed", function()
    local half = { ("x"):rep(1e6), print }
    pcall(etf.encode, half)
    collectgarbage()
    collectgarbage()
    local before = collectgarbage "count"
    for _ = 1, 200 do pcall(etf.encode, half) end
    collectgarbage()
    collectgarbage()
    assert.is_true(collectgarbage "count" < before + 100)
  end)
end)
