--- What the log relay costs the process that logs, beside no relay and beside OTP's own file handler,
--- all in one run on one node; and what a storm of 100,000 events a second does to it.

local etf = require "host.etf"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"

local A = etf.A

local ROUNDS, EVENTS, BURSTS = 9, 10000, 20
local PROCESSES, PER_SECOND, STORM_MS = 4, 100000, 3000

-- Compiled, for interpreted loops would cost more than what they measure; by a process with the heap of a
-- server that has answered a few requests. A storm of so many a
-- second comes in slices of 10 ms from each process; a look at the relay's mailbox every millisecond.
local LOAD = [==[
  Form = fun(S) -> {ok, T, _} = erl_scan:string(S), {ok, F} = erl_parse:parse_form(T), F end,
  {ok, _, B} = compile:forms([Form(S) || S <- [
    "-module(bl_load).", "-export([many/2, bursts/3, storm/5]).",
    "say(L) -> logger:log(L, \"order ~p from ~s took ~p ms\", [17, \"depot\", 42]).",
    "loop(_, 0) -> ok; loop(L, N) -> say(L), loop(L, N - 1).",
    "timed(L, N) -> {T, _} = timer:tc(fun() -> loop(L, N) end), T / N.",
    "apart(F) -> Me = self(), spawn_opt(fun() -> Me ! {took, F()} end, [{min_heap_size, 2586}]),
       receive {took, T} -> T end.",
    "many(L, N) -> apart(fun() -> timed(L, N) end).",
    "bursts(L, K, N) -> apart(fun() -> lists:nth(K div 2, lists:sort([begin timer:sleep(110), timed(L, N) end
       || _ <- lists:seq(1, K)])) end).",
    "slices(Until, At, N, Sent) -> Now = erlang:monotonic_time(millisecond),
       if Now >= Until -> exit({sent, Sent});
          Now < At -> timer:sleep(At - Now), slices(Until, At, N, Sent);
          true -> loop(notice, N), slices(Until, At + 10, N, Sent + N) end.",
    "storm(W, K, P, Ms, L) -> Now = erlang:monotonic_time(millisecond), {_, _} = erlang:statistics(runtime),
       [spawn_monitor(fun() -> slices(Now + Ms, Now, P div K div 100, 0) end) || _ <- lists:seq(1, K)],
       {Sent, Most} = watch(W, K, 0, 0), {_, Cpu} = erlang:statistics(runtime),
       {Sent * 1000 / (erlang:monotonic_time(millisecond) - Now), Most, Cpu / Ms}.",
    "watch(_, 0, S, M) -> {S, M};
     watch(W, K, S, M) ->
       {_, Q} = case is_pid(W) of true -> process_info(W, message_queue_len); _ -> {x, 0} end,
       receive {'DOWN', _, _, _, {sent, N}} -> watch(W, K - 1, S + N, M)
       after 1 -> watch(W, K, S, max(M, Q)) end."]]),
  {module, _} = code:load_binary(bl_load, "bl_load", B),
  logger:set_primary_config(level, info), logger:remove_handler(default).]==]

return async.run(function()
  local at = live.start()
  at.eval(LOAD)
  local relays = at.node.relays
  local function many(level) return at.eval("bl_load:many(L, N).", { L = level, N = EVENTS }) end
  local function bursts(level) return at.eval("bl_load:bursts(L, K, 10).", { L = level, K = BURSTS }) end
  local function worker()
    assert(not relays:of("log", 1, 0).unavailable)
    return relays.by_name.log.placed.worker
  end
  -- The worker is held meanwhile: no credit, and no shutting of the tap.
  local function dropped(level)
    at.eval("Me = self(), spawn(fun() -> register(bl_hold, self()), erlang:suspend_process(W), Me ! held, "
      .. "receive go -> ok end end), receive held -> ok end.", { W = worker() })
    at.eval "[logger:log(L, \"x\") || L <- [notice, error], _ <- lists:seq(1, 50)]."
    local took = many(level)
    at.eval "bl_hold ! go, (fun F() -> case whereis(bl_hold) of undefined -> ok; _ -> F() end end)()."
    relays:stop "log"
    return took
  end
  local function written()
    at.eval [[logger:add_handler(bl_file, logger_std_h, #{config => #{file => "/dev/null"}}).]]
    local took = bursts(A.notice)
    at.eval "logger:remove_handler(bl_file)."
    return took
  end
  local none, drop, drop_error, small_none, taken, taken_error, std = {}, {}, {}, {}, {}, {}, {}
  for i = 1, ROUNDS do
    none[i] = many(A.notice)
    drop[i] = dropped(A.notice) - none[i]
    drop_error[i] = dropped(A.error) - none[i]
  end
  for i = 1, 3 do
    small_none[i] = bursts(A.notice)
    worker()
    taken[i] = bursts(A.notice) - small_none[i]
    taken_error[i] = bursts(A.error) - small_none[i]
    relays:stop "log"
    std[i] = written() - small_none[i]
  end
  local STORM = "bl_load:storm(W, K, P, Ms, x)."
  local function storm(w)
    local result = at.eval(STORM, { W = w, K = PROCESSES, P = PER_SECOND, Ms = STORM_MS })
    return { rate = result[1], longest = result[2], cpu = result[3] }
  end
  local calm, stormy, longest = {}, {}, 0
  for i = 1, 3 do
    calm[i] = storm(A.none)
    stormy[i] = storm(worker())
    longest = math.max(longest, stormy[i].longest)
    relays:stop "log"
  end
  at.stop()
  local function of(list, key)
    local values = {}
    for i, result in ipairs(list) do values[i] = result[key] end
    return measure.median(values)
  end
  -- Other work of the machine adds, and never takes away: of a cost alone the least is the truest.
  local function least(values) return math.min(unpack(values)) end
  local function us(v) return ("%.2f us"):format(v) end
  local base = us(least(none)) .. ", no tap"
  return {
    { name = "log event dropped, over no tap", ours = us(least(drop)), peer = base, ratio = least(drop),
      target = "<= 5" },
    { name = "the same, an error", ours = us(least(drop_error)), peer = base, ratio = least(drop_error),
      target = "<= 5" },
    { name = "log event taken, over no tap", ours = us(least(taken)), peer = us(least(std)) .. ", logger_std_h",
      ratio = least(taken) / least(std), target = "-" },
    { name = "the same, an error", ours = us(least(taken_error)), peer = us(least(std)) .. ", logger_std_h",
      ratio = least(taken_error) / least(std), target = "-" },
    { name = "storm, 4 processes: longest mailbox of the relay", ours = ("%d messages"):format(longest),
      peer = ("%.0f events/s"):format(of(stormy, "rate")), ratio = longest, target = "<= 50" },
    { name = "the same: events a second", ours = ("%.0f/s"):format(of(stormy, "rate")),
      peer = ("%.0f/s, no tap"):format(of(calm, "rate")), ratio = of(stormy, "rate") / of(calm, "rate"),
      target = ">= 0.95" },
    { name = "the same: CPU of the node", ours = ("%.2f cores"):format(of(stormy, "cpu")),
      peer = ("%.2f cores, no tap"):format(of(calm, "cpu")), ratio = of(stormy, "cpu") - of(calm, "cpu"),
      target = "<= 0.5" },
  }
end)
