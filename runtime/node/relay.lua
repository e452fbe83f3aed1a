--- A relay is two processes on the node that tell us what happens there: a worker that is told it
--- and a janitor that undoes all of it again. Here is the Erlang around a relay's own text, and what
--- their messages mean. Who starts relays and keeps what they bring is runtime/relays.lua.
---
--- The janitor switches on before the worker may go, and switches off at whatever end: we say stop,
--- our lease runs out (we hang), our node is gone (we died, the link broke), the worker died (its
--- heap is bounded, somebody killed it). The worker watches the janitor in turn and switches off when
--- that one is killed. Were both killed in the same instant, the VM itself takes back what hangs on a
--- process: the system monitor, trace flags, its timers. A handler (of logger, of telemetry) would
--- stay; so a relay that installs one gives it credit for a few events at a time, and without a worker
--- that renews it the handler does nothing. We hear nothing of such an end, and take it from the
--- leases that nobody answers.
---
--- Nothing is registered, no table is made, and all atoms are constants of the texts. Both bear a mark
--- in their dictionaries, by which skills tell them from the node's own processes.

local async = require "runtime.async"
local control = require "runtime.node.control"
local etf = require "host.etf"
local failure = require "runtime.failure"
local term = require "runtime.node.term"

local relay = {}

local A, kind = etf.A, etf.kind

-- Given: Ctl (a pid of ours), PerSecond, Lease (ms) and the relay's variables. The worker's own messages
-- bear a reference, so none from elsewhere is taken for one. What is sent to us never waits: with the
-- buffer of the link full an event is dropped and counted. A worker that is sent more than it can look at
-- gives up before its heap does. No error leaves a process, for the node would write it to its log.
--
-- A fun weighs what all variables weigh that it or a fun before it uses, as far as they are bound where
-- it stands, and each spawn copies that. So a relay's own funs stand before ours, and ours are handed what
-- they need; the janitor goes on in one that no longer holds what only the start needed.

-- N: events of this second, -1 when there were none and no tick is due; D: dropped and not told yet.
local WORKER = [=[
  OurLoop = fun(K, M, Take, Pass, Own) ->
    fun Loop({S, N, D}) ->
          receive
            {K, X} -> Loop(Own(X, {S, N, D}));
            {'DOWN', M, _, _, _} -> Own(gone, {S, N, D});
            X -> Loop(Pass(Take(X, S), N, D)) end;
        Loop(X) -> X end end,
  OurWorker = fun(K, State, Off, Take, Every, Beat) -> erlang:spawn(fun() ->
    erlang:put('$beamlens', relay),
    erlang:process_flag(max_heap_size, #{size => 4000000, kill => true, error_logger => false}),
    Second = fun(N) when N < 0 -> erlang:send_after(1000, self(), {K, tick}), 0; (N) -> N end,
    Pass = fun({none, X}, N, D) -> {X, N, D};
              ({event, P, X}, N, D) when N < PerSecond ->
                case erlang:send(Ctl, {event, erlang:system_time(microsecond), P}, [nosuspend, noconnect]) of
                  ok -> {X, Second(N) + 1, D};
                  _ -> {X, Second(N), D + 1} end;
              ({event, _, X}, N, D) ->
                case erlang:process_info(self(), message_queue_len) of
                  {_, Y} when Y > 500 -> {storm, D + 1 + Y};
                  _ -> {X, N, D + 1} end;
              ({drop, C, X}, N, D) -> {X, Second(N), D + C};
              ({stop, W, _}, _, D) -> {W, D} end,
    Own = fun(beat, {S, N, D}) -> X = Beat(S), erlang:send_after(Every, self(), {K, beat}), {X, N, D};
             (tick, {S, _, 0}) -> {S, -1, 0};
             (tick, {S, _, D}) -> case erlang:send(Ctl, {dropped, D}, [nosuspend, noconnect]) of
               ok -> {S, -1, 0};
               _ -> {S, Second(-1), D} end;
             (gone, {_, _, D}) ->
               catch Off(self()), erlang:send(Ctl, {ended, janitor, D}, [nosuspend, noconnect]), {gone, D} end,
    receive
      {K, J} ->
        M = erlang:monitor(process, J),
        receive
          {K, go} ->
            if Every > 0 -> erlang:send_after(Every, self(), {K, beat}); true -> ok end,
            exit(try (OurLoop(K, M, Take, Pass, Own))({State, -1, 0}) catch _:Y -> {failed, Y} end);
          {'DOWN', M, _, _, _} -> catch Off(self()) end
    after 10000 -> ok end end) end,
]=]

-- Of our going the janitor hears as one who listens to all nodes' comings and goings: to monitor a node
-- that has just gone means to call it back, for which the node would look up its host, and keep the
-- processes that do so for ever. All is undone once more when the worker is gone, for its beat may do some of it anew.
-- It waits at high priority, and does next to nothing there: where others at high priority leave no time to the rest,
-- it is told to go all the same, while the worker cannot even be killed. What it undoes by a call to a server of the
-- node's then waits for that server, as everybody does.
local JANITOR = [=[
  OurKill = fun(R) -> N = erlang:monitor(process, R), exit(R, kill), receive {'DOWN', N, _, _, _} -> ok end end,
  OurHold = fun(M, R, Off) ->
    erlang:garbage_collect(), erlang:process_flag(priority, high),
    Send = fun(X) -> erlang:send(Ctl, X, [nosuspend, noconnect]) end,
    Now = fun() -> erlang:monotonic_time(millisecond) end,
    Hold = fun Hold(T) ->
      receive
        lease -> Send(lease), Hold(Now() + Lease);
        stop -> {stop, 0};
        {nodedown, X, _} when X =:= node(Ctl) -> {nodedown, 0};
        {'DOWN', M, _, _, {W, D}} when is_integer(D) -> {W, D};
        {'DOWN', M, _, _, W} -> {W, 0};
        _ -> Hold(T)
      after max(0, T - Now()) -> {lease, 0} end end,
    {W, D} = Hold(Now() + Lease),
    catch Off(R), OurKill(R), catch Off(R), Send({ended, W, D}) end,
  OurJanitor = fun(K, Q, R, On, Off) -> erlang:spawn_monitor(fun() ->
    erlang:put('$beamlens', relay),
    M = erlang:monitor(process, R), R ! {K, self()},
    net_kernel:monitor_nodes(true, [{node_type, hidden}]),
    case lists:member(node(Ctl), nodes(connected)) of true -> ok; _ -> self() ! {nodedown, node(Ctl), []} end,
    case try On(R) catch _:Y -> {failed, Y} end of
      ok -> R ! {K, go}, Q ! {K, {ok, self(), R}}, OurHold(M, R, Off);
      {failed, W} -> OurKill(R), catch Off(R), Q ! {K, {failed, W}};
      W -> OurKill(R), Q ! {K, W} end end) end,
]=]

local START = [=[
  K = erlang:make_ref(), R = OurWorker(K, State, Off, Take, Every, Beat),
  {J, H} = OurJanitor(K, self(), R, On, Off),
  receive
    {K, X} -> X;
    {'DOWN', H, _, _, X} -> {failed, X}
  after 5000 -> J ! stop, slow end.]=]

--- The whole text that starts a relay, as it is asked. The relay's own is in a fun, so that its
--- variables are its own.
---@param own string   expressions of the relay, ending in a comma
---@return string
function relay.text(own)
  local words = "{State, On, Off, Take, Every, Beat}"
  return ("%s = (fun() -> %s\n%s end)(),\n%s%s%s"):format(words, own, words, WORKER, JANITOR, START)
end

-- A sentence: a binary, a charlist, or a list of these. Anything else is shown as the term that it is.
local function text_of(v)
  if type(v) == "string" then return v end
  if kind(v) == "chars" then return tostring(v) end
  if kind(v) ~= "list" then return term.text(v) end
  local parts = {}
  for i, part in ipairs(v) do parts[i] = text_of(part) end
  return table.concat(parts)
end

-- What the node's answer says of a start that came to nothing: a sentence for `unavailable`.
local function refused(name, answer)
  if answer == A.slow then
    return ("the node took more than 5 s to switch the relay %s on, so it was taken back"):format(name)
  end
  local word = kind(answer) == "tuple" and answer[1]
  if word == A.taken or word == A.missing then return text_of(answer[2]) end
  return ("the relay %s cannot be switched on: %s"):format(name, text_of(word == A.failed and answer[2] or answer))
end

local LARGEST_EVENT = 16 * 1024

---@class Placed            a relay that is on
---@field stop fun(deadline: number): boolean   true: the node confirmed that it is as before
---@field renew fun()
---@field forsake fun()     hears no more of it; were it there after all, it shall go
---@field janitor any
---@field worker any

---@class RelayHearing      what its messages mean; none of these may wait
---@field event fun(us: number?, payload: any)
---@field dropped fun(count: integer)
---@field held fun()
---@field ended fun(why: string, dropped: integer, late: boolean)   late: long before we heard of it

local function count_of(v) return type(v) == "number" and v >= 0 and v < 2^53 and v or 0 end

local ENDS = {
  janitor = "its janitor was killed on the node",
  killed = "its worker was killed on the node",
  lease = "the node heard nothing from us for too long",
  nodedown = "the connection was lost",
  stop = "it was stopped",
  storm = "more events than it could look at",
}

local function why_ended(v)
  if kind(v) == "atom" then return ENDS[tostring(v)] or tostring(v) end
  if kind(v) == "tuple" and v[1] == A.failed then return "an error of its own: " .. text_of(v[2]) end
  return text_of(v)
end

-- Whatever stands in a message, it was made by somebody else.
local function reader(hearing, on_ended)
  local kinds = {
    event = function(message) hearing.event(type(message[2]) == "number" and message[2] or nil, message[3]) end,
    dropped = function(message) hearing.dropped(count_of(message[2])) end,
    ended = function(message)
      if message[2] == nil then return end
      on_ended(why_ended(message[2]), count_of(message[3]), message[2] == A.lease)
    end,
  }
  return function(message)
    if message == A.lease then return hearing.held() end
    if message == nil then return hearing.dropped(1) end -- too large
    local read = kind(message) == "tuple" and kind(message[1]) == "atom" and kinds[tostring(message[1])]
    if read then read(message) end
  end
end

--- Starts a relay on the node.
---@param n table             the node: `query` and `calls`
---@param r Relay
---@param variables table     of its Erlang
---@param lease_s number
---@param hearing RelayHearing
---@return Placed|nil
---@return string? unavailable
function relay.start(n, r, variables, lease_s, hearing)
  local calls, confirmed = n.calls, nil
  local ours
  ours = calls:open_mailbox(reader(hearing, function(...)
    calls:close_mailbox(ours)
    hearing.ended(...)
    if confirmed then confirmed(true) end
  end), LARGEST_EVENT)
  local bindings = { Ctl = ours, PerSecond = r.per_second, Lease = math.ceil(lease_s * 1000) }
  for key, value in pairs(variables) do bindings[key] = value end
  -- Printed or not, its processes outlive the call.
  local answer, err = n.query(r.query, bindings, { group_leader = "user", priority = "normal" })
  if kind(answer) ~= "tuple" or answer[1] ~= A.ok or kind(answer[2]) ~= "pid" then
    calls:close_mailbox(ours)
    return nil, failure.is(err) and tostring(err) or refused(r.name, answer)
  end
  local janitor = answer[2]
  local function tell(word) return calls.link:send(control.send(janitor, word)) end
  return {
    janitor = janitor, worker = answer[3],
    renew = function() tell(A.lease) end,
    forsake = function()
      tell(A.stop)
      calls:close_mailbox(ours)
    end,
    stop = function(deadline)
      if not tell(A.stop) then return false end
      return async.await(function(resume) confirmed = resume end, deadline) == true
    end,
  }
end

return relay
