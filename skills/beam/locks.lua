--- How long a table makes whoever reads it wait. Nothing on the node counts that: a process that waits for the lock of
--- a table is running, on a scheduler that does nothing. So a few reads are timed, of a key that nobody has.
---
--- The reads go before the node's own work, since at low priority it is our turn that would be timed, and are bounded:
--- 15 ms for 20 reads of every table, 20 ms for more of the slowest few. Only tables that everybody may write to under
--- one lock are read: the others have one writer, or a lock for every few rows.

local texts = ...

local LOOKS, PAUSE = 5, 0.15 -- seconds; who fights for a lock is now and then stopped with it in his hand

local MOST = 5 -- of a list

local function nth(values, n)
  table.sort(values)
  return values[n]
end

-- A lock is fought for or is not, from one second to the next, where a machine stops those who fight for others.
local function second_slowest(values) return nth(values, #values - 1) or 0 end
local function middle(values) return nth(values, math.floor((#values + 1) / 2)) end

-- The tables by name and owner, the slowest first: how long a read took in the second slowest look, and how many looks
-- saw it among the slowest at all.
local function rows_of(seen)
  local rows, index = {}, {}
  for _, look in ipairs(seen) do
    for _, one in ipairs(look.slowest) do
      local key = ("%s of %s"):format(one.name, one.owner_pid)
      local row = index[key]
      if not row then
        row = { name = one.name, owner_pid = one.owner_pid, owner_name = one.owner_name, waits = {} }
        index[key], rows[#rows + 1] = row, row
      end
      if one.read_ns > 0 then row.waits[#row.waits + 1] = one.read_ns end
    end
  end
  for _, row in ipairs(rows) do
    row.read_ns, row.looks, row.waits = second_slowest(row.waits), #row.waits, nil
  end
  table.sort(rows, function(a, b)
    if a.read_ns ~= b.read_ns then return a.read_ns > b.read_ns end
    return a.name < b.name
  end)
  return rows
end

return {
  urgent = { "reads" },

  queries = {
    -- Of a few reads in a row the middle one of five tries counts: any of them may fall into a moment in which the
    -- machine gave our scheduler to somebody else.
    reads = texts.words .. [=[
  Us = fun() -> erlang:monotonic_time(microsecond) end, T = Us(),
  {W, _} = erlang:statistics(reductions), {C, _} = erlang:statistics(runtime),
  All = lists:sublist(ets:all(), 5000),
  Of = fun(L, I, X) -> K = lists:zipwith(fun ets:info/2, L, lists:duplicate(length(L), I)),
    ets:match_spec_run(lists:zip(K, L), ets:match_spec_compile([{{X, '$1'}, [], ['$1']}])) end,
  S = Of(Of(All, protection, public), write_concurrency, false),
  Read = fun(X, N) -> A = lists:duplicate(N, X), B = lists:duplicate(N, 0), Z = erlang:monotonic_time(nanosecond),
    catch lists:zipwith(fun ets:member/2, A, B), {(erlang:monotonic_time(nanosecond) - Z) div N, X} end,
  Look = fun Look([], _, _, A) -> A;
             Look([X | R], N, U, A) -> B = [Read(X, N) | A],
               case Us() > U of true -> B; false -> Look(R, N, U, B) end end,
  L = lists:sort(Look(S, 20, Us() + 15000, [])),
  P = [X || {_, X} <- lists:sublist(lists:reverse(L), 5)],
  Q = Look(lists:append(lists:duplicate(5, P)), 50, Us() + 20000, []),
  Mid = fun([]) -> 0; (K) -> lists:nth((length(K) + 1) div 2, lists:sort(K)) end,
  #{worked => element(1, erlang:statistics(reductions)), cpu_ms => element(1, erlang:statistics(runtime)),
    worked_before => W, cpu_ms_before => C, table_count => length(S), looked_at => length(L),
    usual_ns => Mid([N || {N, _} <- L]), took_us => Us() - T,
    slowest => [maps:merge(Some([{owner_name, case Item(H, registered_name) of [] -> undefined; undefined -> undefined;
        Y -> Text(Y) end}]), #{name => Text(ets:info(X, name)), owner_pid => Show(H),
        read_ns => Mid([N || {N, Y} <- Q ++ L, Y =:= X])})
      || X <- P, H <- [ets:info(X, owner)], is_pid(H)]}.]=],
  },

  callbacks = {
    beam_lock_waits = {
      brief = "",
      doc = "How long a read of an ETS table takes that all may write to under one lock (public, no "
        .. "write_concurrency): 0.1 us where nobody holds it, ten times that and more where many fight for it.",
      class = "SAFE",
      cost = "at high priority, 50 ms at most a look and five looks: three items of up to 5,000 tables, 20 reads of "
        .. "each, 250 of five",
      returns = { "seconds", "looks", "table_count (such tables)", "looked_at",
        "reductions_per_cpu_sec (of the node, between the looks; user time)", "usual_ns (the middle one of all)",
        "took_ms (the slowest look)",
        "tables[] (5): name, owner_pid, owner_name (if registered), looks (that saw it among the slowest), "
          .. "read_ns (in the second slowest look)" },
      run = function(node)
        local seen, usual, took, worked, cpu_ms = {}, {}, 0, 0, 0
        for i = 1, LOOKS do
          if i > 1 then node.sleep(PAUSE) end
          local look, err = node.ask "reads"
          if not look then return nil, err end
          local before = seen[i - 1]
          if before then
            worked, cpu_ms = worked + look.worked_before - before.worked, cpu_ms + look.cpu_ms_before - before.cpu_ms
          end
          seen[i], usual[i], took = look, look.usual_ns, math.max(took, look.took_us)
        end
        local last = seen[LOOKS]
        return { seconds = (LOOKS - 1) * PAUSE, looks = LOOKS, table_count = last.table_count,
          looked_at = last.looked_at, usual_ns = middle(usual), took_ms = took / 1000,
          reductions_per_cpu_sec = math.floor(1000 * worked / math.max(1, cpu_ms)),
          tables = { unpack(rows_of(seen), 1, MOST) } }
      end,
    },
  },
}
