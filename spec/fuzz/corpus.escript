%% Writes the first corpus of etf_fuzz.c: one small file for each sort of term, without the 131.
%% Usage: escript corpus.escript FOLDER
main([Folder]) ->
  Port = open_port({spawn, "true"}, []),
  F = fun(X) -> {X, Port} end,
  Terms = [0, 255, -1, 16#7fffffff, -16#80000000, 1 bsl 40, 1 bsl 53, -(1 bsl 64), 1 bsl 3000,
    1.5, -0.0, 1.0e300, ok, true, nil, '', 'ä', '日本', list_to_atom(lists:duplicate(255, $x)),
    <<>>, <<"text">>, <<255, 254, "é"/utf8>>, <<5:3>>, <<1, 2, 3:7>>,
    [], "text", [1, 2, 200], [a, [b | c]], [a | b], "日本", {}, {a, {b}}, list_to_tuple(lists:seq(1, 300)),
    #{}, #{a => 1, b => #{c => d}}, #{<<"k">> => <<"v">>}, #{1 => a, 1.0 => b, {x} => c, a => d},
    #{#{[a] => 1} => #{"key" => 2}}, maps:from_list([{I, I} || I <- lists:seq(1, 40)]),
    self(), make_ref(), Port, F, fun lists:map/2, erlang:whereis(init), 'Elixir.Shop.Cart',
    {error, {badarg, [{lists, map, 2, [{file, "lists.erl"}, {line, 1239}]}]}},
    process_info(whereis(init)), {31, make_ref(), self(), 2, self()}],
  Options = [[], [{minor_version, 1}], [{minor_version, 0}], [{minor_version, 2}]],
  Bytes = lists:usort([Rest || T <- Terms, O <- Options, <<131, Rest/binary>> <- [catch term_to_binary(T, O)]]),
  Spelt = [
    [102, atom(), <<5:32, 1>>], [89, atom(), <<5:32, 9:32>>], [120, atom(), <<5:64, 9:32>>],
    [103, atom(), <<1:32, 2:32, 1>>], [88, atom(), <<1:32, 2:32, 9:32>>],
    [<<114, 3:16>>, atom(), <<1, 1:32, 2:32, 3:32>>], [<<90, 5:16>>, atom(), <<9:32, 1:160>>],
    [100, <<2:16, "ok">>], [118, <<2:16, "ok">>], [115, <<2, 228, 246>>], [111, <<9:32, 1, 1:72>>],
    [105, <<2:32>>, 97, 1, 106], [108, <<2:32>>, 97, 1, 97, 2, 97, 3]],
  All = Bytes ++ [iolist_to_binary(S) || S <- Spelt],
  [ok = file:write_file(filename:join(Folder, name(B)), B) || B <- All],
  io:format("~p terms~n", [length(All)]).

atom() -> <<119, 3, "n@h">>.

name(Bytes) -> [io_lib:format("~2.16.0b", [X]) || <<X>> <= binary:part(crypto:hash(sha, Bytes), 0, 8)].
