--- A process on a live node that an action may be done to, and what is to be seen of it.

local victim = {}

-- Another counts the victims that ended and were not replaced from here.
local START = [[
  case whereis(undertaker) of undefined ->
      Self = self(),
      spawn(fun() -> register(undertaker, self()), Self ! ready, (fun Loop(R, N) -> receive
          {next, P, From} -> case R of none -> ok; _ -> demonitor(R, [flush]) end, From ! next,
            Loop(monitor(process, P), 0);
          {'DOWN', R, _, _, _} -> Loop(none, N + 1);
          {count, From} -> From ! {count, N}, Loop(R, N) end end)(none, 0) end),
      receive ready -> ok end;
    _ -> ok end,
  Victim = spawn(fun() -> process_flag(trap_exit, Stubborn),
    (fun Wait() -> receive {'EXIT', _, _} -> Wait(); stop -> ok end end)() end),
  undertaker ! {next, Victim, self()}, receive next -> ok end,
  case whereis(victim) of undefined -> gone; Old -> unregister(victim), exit(Old, kill) end,
  register(victim, Victim), Victim.]]

--- Starts one anew under its name; the count begins at nothing.
---@param at table          a live node
---@param stubborn? true    it does not end when it is told to shut down
function victim.start(at, stubborn) return at.eval(START, { Stubborn = stubborn == true }) end

---@return boolean
function victim.lives(at) return at.eval "is_pid(whereis(victim))." end

--- How many ended since one was started here.
---@return integer
function victim.count(at)
  return at.eval "undertaker ! {count, self()}, receive {count, N} -> N after 20000 -> lost end."
end

return victim
