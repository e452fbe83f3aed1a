--- Garbage collection: how much is collected, by whom, and who keeps heap that it does not use. The node
--- counts collections for all processes together; of one process it tells its heaps and its minor
--- collections since the last major one, and no time. What is said about time comes from looks.

local texts = ...

-- `Gc` is one process as a row with its heaps: blocks taken from the node, what is in use inside of them.
local GC = texts.walk .. [=[
  Word = erlang:system_info(wordsize),
  Gc = fun(P, M) -> case {Item(P, garbage_collection_info), Item(P, garbage_collection)} of
      {[_ | _] = I, [_ | _] = L} ->
        V = fun(K) -> Get(K, I) end,
        [maps:put(message_queue_len, maps:get(message_queue, X), maps:remove(message_queue, X)) || X <- Row(P,
          maps:merge(#{heap_size_kb => Kb(V(heap_block_size)),
            total_heap_size_kb => Kb(V(heap_block_size) + V(old_heap_block_size) + V(mbuf_size)),
            used_kb => Kb(V(heap_size) + V(old_heap_size) + V(mbuf_size)),
            minor_gcs => Get(minor_gcs, L), fullsweep_after => Get(fullsweep_after, L)}, M))];
      _ -> [] end end,
]=]

local ROW = "processes[]: pid, name, current_function, heap_size_kb (block of the young generation), "
  .. "total_heap_size_kb (all blocks), used_kb (of these), minor_gcs (since the last major one), fullsweep_after, "
  .. "message_queue_len, memory_kb, status, reductions"

-- Each look of ours that wakes a process is a reduction of its own to it.
local OF_OURS = 4

-- Rates stand on history where that reaches back this far, else on two looks a second apart.
local ENOUGH_HISTORY = 10 -- seconds
local LAZY_PAUSE = 2      -- seconds
local SHOWN = 50

local function round(x) return math.floor(x * 100 + 0.5) / 100 end

-- The counters, and what they gained in how many seconds.
local function counted(node)
  local gcs, words = node.history("total_gcs", 5)[1], node.history("words_reclaimed", 5)[1]
  if not (gcs and words and gcs.age >= ENOUGH_HISTORY) then return node.ask "rates" end
  local now, err = node.ask "totals"
  if not now then return nil, err end
  now.gcs, now.words, now.seconds = now.total_gcs - gcs.value, now.words_reclaimed - words.value, gcs.age
  return now
end

--- Whether these two looks at one process may have no collection between them. A minor one counts up, a major one
--- begins again at 0 and sets anew where the old generation ends; without either the heap in use only grows.
local function uncollected(older, newer)
  for _, key in ipairs { "minor_gcs", "heap", "old_heap", "old_used", "recent" } do
    if older[key] ~= newer[key] then return false end
  end
  return newer.used >= older.used
end

local function by_pid(rows)
  local index = {}
  for _, row in ipairs(rows) do index[row.pid] = row end
  return index
end

--- Those of the last look that were never collected in any step from the first one on.
local function untouched(looks, bytes)
  local last, found = looks[#looks], {}
  local index = {}
  for i, look in ipairs(looks) do index[i] = by_pid(look) end
  for _, row in ipairs(last) do
    local lazy = row.heap + row.old_heap >= bytes
    for i = 2, #looks do
      local older, newer = index[i - 1][row.pid], index[i][row.pid]
      lazy = lazy and older ~= nil and newer ~= nil and uncollected(older, newer)
    end
    if lazy then found[#found + 1] = { pid = row.pid, worked = row.reductions - index[1][row.pid].reductions } end
  end
  return found
end

---@type Skill
return {
  name = "gc",
  title = "Garbage collection",
  about = "Garbage collection: how often, how much is reclaimed, whose heaps are large, spiky, idle or uncollected.",

  prompt = [=[
You look after the garbage collection of one BEAM node. Each process collects its own heap, when it needs room.
Worth a notification: one process that is collected all the time or takes long for it; large heaps that are mostly
unused while their owner is idle; a process that holds on to much and has not been collected for long.
Not worth one: many collections by themselves, they are how the node works; a large heap that is in use; small
processes that wait. A heap that was large for a moment gives its memory back at its next major collection.
Name the process, its heap and what of it is in use, and the window that the figure stands on.]=],

  uses = { "history", "events" },
  relays = { "monitor" },
  keep = { "heaps" },
  snapshot = "totals",
  texts = { gc = GC },

  queries = {
    totals = texts.words .. [=[
  {N, W, _} = erlang:statistics(garbage_collection),
  #{total_gcs => N, words_reclaimed => W, bytes_reclaimed_mb => Mb(W * erlang:system_info(wordsize)),
    processes_mb => Mb(erlang:memory(processes)), process_count => erlang:system_info(process_count)}.]=],

    -- The counters twice, a second apart.
    rates = texts.words .. [=[
  {N, W, _} = erlang:statistics(garbage_collection), T = Now(), receive after 1000 -> ok end,
  {N1, W1, _} = erlang:statistics(garbage_collection), Bytes = erlang:system_info(wordsize),
  #{total_gcs => N1, words_reclaimed => W1, bytes_reclaimed_mb => Mb(W1 * Bytes),
    seconds => Since(T), gcs => N1 - N, words => W1 - W}.]=],

    top = GC .. [=[
  S = All(),
  List(S, Rank(total_heap_size_kb, [X || {_, _, _, P} <- Top(S, [], Shape(memory), 10 + Limit, -1), X <- Gc(P, #{})],
    Limit)).]=],

    -- Slim, because history keeps many: the 50 largest heaps of over 1 MB, in bytes. Asked again and again, of an item
    -- that is large: in smaller slices it makes less garbage at a time, whose collection holds a scheduler up.
    heaps = texts.walk .. [=[
  Word = erlang:system_info(wordsize),
  Part = fun Part(L) when length(L) > 1000 -> {H, T} = lists:split(1000, L), [H | Part(T)]; Part(L) -> [L] end,
  lists:append([case {Item(P, garbage_collection_info), Item(P, garbage_collection), Item(P, reductions)} of
      {[_ | _] = I, [_ | _] = L, N} ->
        V = fun(K) -> Get(K, I) * Word end,
        [#{pid => Show(P), minor_gcs => Get(minor_gcs, L), heap => V(heap_block_size), used => V(heap_size),
           old_heap => V(old_heap_block_size), old_used => V(old_heap_size), recent => V(recent_size),
           reductions => N}];
      _ -> [] end
    || {_, _, _, P} <- Top(lists:flatmap(Part, All()), [], Shape(memory), 50, 1048576 div Word)]).]=],

    rows = GC .. [=[
  [X || B <- Pids, P <- [Find(B)], is_pid(P), X <- Gc(P, #{})].]=],
  },

  callbacks = {
    gc_stats = {
      doc = "Collections of all processes since the node started, and their rate over the last `seconds`.",
      class = "SAFE",
      cost = "two readings of one counter, a second apart where history is short",
      returns = { "total_gcs", "words_reclaimed", "bytes_reclaimed_mb", "seconds", "gcs_per_sec",
        "reclaimed_mb_per_sec", "words_per_gc (in these seconds)" },
      run = function(node)
        local seen, err = counted(node)
        if not seen then return nil, err end
        local mb_per_word = seen.bytes_reclaimed_mb / math.max(1, seen.words_reclaimed)
        return { total_gcs = seen.total_gcs, words_reclaimed = seen.words_reclaimed,
          bytes_reclaimed_mb = seen.bytes_reclaimed_mb, seconds = round(seen.seconds),
          gcs_per_sec = round(seen.gcs / seen.seconds),
          reclaimed_mb_per_sec = round(seen.words * mb_per_word / seen.seconds),
          words_per_gc = seen.gcs > 0 and round(seen.words / seen.gcs) or nil }
      end,
    },

    gc_top_processes = {
      doc = "The processes with the largest heaps, and how much of the blocks is in use.",
      args = { { name = "limit", type = "integer", min = 1, max = 50, default = 10 } },
      class = "SAFE",
      cost = "one item of every process, read from outside; the processes shown are woken",
      returns = { "total", "showing", ROW },
      query = "top",
    },

    gc_find_lazy_gc_processes = {
      doc = "Processes with heap blocks of min_heap_mb that have not been collected for max_gc_age_minutes. The node "
        .. "keeps no time of a collection: it is inferred from looks at the 50 largest heaps (minor_gcs, the old "
        .. "generation and what survived last are the same, the heap in use only grew). `seconds` is how far the looks "
        .. "reach back: where history is short, 2 seconds apart and far less than was asked.",
      args = { { name = "min_heap_mb", type = "number", min = 1, max = 1e6, default = 10 },
        { name = "max_gc_age_minutes", type = "number", min = 0.01, max = 60, default = 5 } },
      class = "SAFE",
      cost = "one item of every process, read from outside, once or twice; the processes shown are woken",
      returns = { "seconds (looked back)", "asked_seconds", "total", "showing",
        ROW .. ", uncollected_seconds (at least), idle (it worked less than one reduction a second in that time)" },
      run = function(node, args)
        local wanted, looks = args.max_gc_age_minutes * 60, {}
        local past = node.history("heaps", args.max_gc_age_minutes)
        local reach = past[1] and past[1].age or 0
        for i, look in ipairs(past) do looks[i] = look.value end
        local function look()
          local rows, err = node.ask "heaps"
          looks[#looks + 1] = rows
          return rows, err
        end
        local rows, err = look()
        if rows and reach < wanted / 2 then
          local pause = math.min(wanted, LAZY_PAUSE)
          node.sleep(pause)
          reach = reach + pause
          rows, err = look()
        end
        if not rows then return nil, err end
        local found, pids, idle = untouched(looks, args.min_heap_mb * 2 ^ 20), {}, {}
        for i = 1, math.min(#found, SHOWN) do
          pids[i], idle[found[i].pid] = found[i].pid, found[i].worked <= math.max(OF_OURS, reach)
        end
        local shown = {}
        if #pids > 0 then
          shown, err = node.ask("rows", { pids = pids })
          if not shown then return nil, err end
        end
        for _, row in ipairs(shown) do row.idle, row.uncollected_seconds = idle[row.pid], round(reach) end
        return { seconds = round(reach), asked_seconds = wanted, total = #found, showing = #shown, processes = shown }
      end,
    },

    gc_get_long_gcs = {
      doc = "Collections that took long, newest first, of the last 5 minutes or as long as this run listens. The "
        .. "node's monitor tells them; where somebody else holds it, that is the answer.",
      args = { { name = "limit", type = "integer", min = 1, max = 50, default = 10 } },
      class = "SAFE",
      cost = "arms the node's system monitor while this run goes on, unless somebody has; listens for 2 seconds",
      returns = { "listened_seconds", "dropped", "total", "showing",
        "events[]: datetime, age (seconds), duration_ms, pid, name (where it has one), heap_size (words, after it)" },
      run = function(node, args)
        local heard = node.events.of("monitor", 5, 2)
        if heard.unavailable then return heard end
        local long = {}
        for _, event in ipairs(heard.events) do
          if event.type == "long_gc" then table.insert(long, 1, event) end
        end
        local first = { unpack(long, 1, args.limit) }
        return { listened_seconds = heard.listened_seconds, dropped = heard.dropped, ended = heard.ended,
          total = #long, showing = #first, events = first }
      end,
    },
  },
}
