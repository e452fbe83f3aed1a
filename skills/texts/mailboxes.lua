--- Erlang that skills share: all mailboxes at one look. Stands behind `texts.walk`.

-- {How many are not empty, their lengths, the 50 longest as {Length, Pid}}. One walk, without a signal.
-- Where a million processes have messages, the lengths are 16 MB of our heap.
local BOXES = [=[
  Boxes = fun Boxes([], _, N, A, B) -> {N, lists:append(A), B};
              Boxes([H | T], M, N, A, B) ->
                V = ets:match_spec_run(lists:zip(Ask(H, message_queue_len), H), M),
                {X, _} = lists:unzip(V),
                Boxes(T, M, N + length(V), [X | A], lists:sublist(lists:reverse(lists:sort(V ++ B)), 50)) end,
  Mail = fun() -> Boxes(All(), ets:match_spec_compile([{{{message_queue_len, '$1'}, '$2'}, [{'>', '$1', 0}],
    [{{'$1', '$2'}}]}]), 0, [], []) end,
]=]

-- What history keeps of them, the same for every skill that does: it is asked once for all.
local KEPT = [=[
  {N, L, B} = Mail(),
  #{process_count => erlang:system_info(process_count), nonempty => N, total => lists:sum(L),
    longest => lists:max([0 | L]), over_1000 => length([X || X <- L, X > 1000]),
    over_10000 => length([X || X <- L, X > 10000]),
    queues => [#{pid => Show(P), size => X} || {X, P} <- lists:sublist(B, 20)]}.]=]

return { mailboxes = BOXES, mailboxes_kept = KEPT }
