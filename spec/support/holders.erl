%% Idle processes that passed on some binaries, and never collect. What one holds stays below what makes a
%% process collect by itself.
-module(holders).
-export([start/1, holding/0]).

start(N) ->
  Ps = [spawn(fun echo/0) || _ <- lists:seq(1, N)],
  [P ! binary:copy(<<I:8>>, 110000) || P <- Ps, I <- lists:seq(1, 3)],
  ok.

echo() ->
  receive B when is_binary(B) -> _ = byte_size(B), echo() end.

%% How many of them still hold any.
holding() ->
  length([P || P <- processes(), {_, {holders, echo, 0}} <- [process_info(P, current_function)],
    {_, [_ | _]} <- [process_info(P, binary)]]).
