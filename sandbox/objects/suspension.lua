--- Erlang that resume_process and its undo share: whether a process is suspended, and how.

local process = require "sandbox.objects.process"

-- `sys` suspends by a message that a process answers in a loop of its own, where anybody may resume it. The machine's
-- erlang:suspend_process/1 counts for each who suspends, and only that one can take it back: it is looked for
-- among all processes where they are 20,000 at most.
local SUSPENSION = process.guard .. [=[
  How = fun(P) -> case {Item(P, status), Item(P, current_stacktrace)} of
      {suspended, _} -> machine;
      {_, [{sys, X, _, _} | _]} when X =:= suspend_loop; X =:= suspend_loop_hib -> sys;
      {_, L} when is_list(L) -> none;
      _ -> gone end end,
  By = fun(P) -> case erlang:system_info(process_count) of
      N when N > 20000 -> "not looked for among so many processes";
      _ -> case [X || X <- erlang:processes(), X =/= self(), L <- [Item(X, suspending)], is_list(L),
                      lists:keymember(P, 1, L)] of
        [X | _] -> case Id(X) of gone -> "nobody any more"; I -> Name(I) ++ " (" ++ What(I) ++ ")" end;
        [] -> "nobody that could be found" end end end,
]=]

return { suspension = SUSPENSION }
