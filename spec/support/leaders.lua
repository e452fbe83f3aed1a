--- Erlang that plants who leads by each measure of `top`: `mail` by its mailbox, `heap` by memory, `holds` by binaries,
--- `works` by reductions; and one whose name a terminal must not be given. They stand when it answers.

return [=[
  register(mail, spawn(fun() -> timer:sleep(infinity) end)),
  [mail ! early || _ <- lists:seq(1, 5000)],
  register(heap, spawn(fun() -> L = lists:seq(1, 300000), receive stop -> L end end)),
  register(holds, spawn(fun() -> B = [binary:copy(<<"x">>, 100000) || _ <- lists:seq(1, 300)],
    receive stop -> B end end)),
  register(works, spawn(fun F() -> lists:sort(lists:seq(1, 1000)), timer:sleep(1), F() end)),
  register('bad\e[2Jname', spawn(fun() -> L = lists:seq(1, 200000), receive stop -> L end end)),
  Wait = fun Wait(N) -> case process_info(whereis(N), status) of
    {_, waiting} -> ok; _ -> timer:sleep(10), Wait(N) end end,
  [Wait(N) || N <- [mail, heap, holds, 'bad\e[2Jname']], ok.]=]
