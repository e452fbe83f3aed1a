--- Erlang that skills share: all mailboxes at one look. Stands behind `texts.walk`.

-- {Figures, the 50 longest as {Length, Pid}, ours left out, the lengths}. One walk, without a signal. The lengths
-- are kept as binaries, outside our heap, for there may be a million of them.
local BOXES = [=[
  Boxes = fun Boxes([], _, _, R) -> R;
              Boxes([H | T], M, K, {N, S, X, Y, Z, B, A} = R) ->
                case ets:match_spec_run(lists:zip(Ask(H, message_queue_len), H), M) of
                  [] -> Boxes(T, M, K, R);
                  V -> {L, _} = lists:unzip(V), O = ets:match_spec_run(L, K),
                    Boxes(T, M, K, {N + length(L), S + lists:sum(L), max(X, lists:max(L)), Y + length(O),
                      Z + length([I || I <- O, I > 10000]), lists:sublist(lists:reverse(lists:sort(V ++ B)), 50),
                      [term_to_binary(L) | A]}) end end,
  Mail = fun() ->
    {N, S, X, Y, Z, B, A} = Boxes(All(),
      ets:match_spec_compile([{{{message_queue_len, '$1'}, '$2'}, [{'>', '$1', 0}], [{{'$1', '$2'}}]}]),
      ets:match_spec_compile([{'$1', [{'>', '$1', 1000}], ['$1']}]), {0, 0, 0, 0, 0, [], []}),
    L = [V || {_, P} = V <- B, not Ours(P)],
    {#{process_count => erlang:system_info(process_count), nonempty => N - length(B -- L), total => S, longest => X,
       over_1000 => Y, over_10000 => Z}, L, A} end,
]=]

-- What history keeps of them, the same for every skill that does: it is asked once for all.
local KEPT = [=[
  {M, B, _} = Mail(), M#{queues => [#{pid => Show(P), size => X} || {X, P} <- lists:sublist(B, 20)]}.]=]

return { mailboxes = BOXES, mailboxes_kept = KEPT }
