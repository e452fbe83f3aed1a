--- ETS: tables that live outside every process heap, so no collector ever
--- empties them. A table leaks when somebody inserts and nobody deletes.

-- Put together here from constants, and nowhere else. One item of every table is read in compiled code
-- (Items), and numbers sort faster than tuples (Top); all the others only of the few tables that are shown. A
-- table may die in between, and then has no integer for an item and no info. Ids are references and travel as
-- text, because the model gives them back. No binary is written in these texts: erl_eval would load a module
-- and 301 atoms from disk for it.
local TABLES = [[
  T = ets:all(),
  Items = fun(I) -> lists:zip(lists:zipwith(fun ets:info/2, T, lists:duplicate(length(T), I)), T) end,
  From = fun(L, M, X) ->
    ets:match_spec_run(L, ets:match_spec_compile([{{'$1', '_'}, [{is_integer, '$1'}, {'>=', '$1', M}], [X]}])) end,
  Top = fun(I, N) -> L = Items(I), S = lists:usort(From(L, 0, '$1')),
    M = case length(S) of K when K > N -> lists:nth(K - N + 1, S); _ -> 0 end,
    [X || {_, X} <- lists:sublist(lists:reverse(lists:sort(From(L, M, '$_'))), N)] end,
  Infos = fun(L) -> [maps:from_list(I) || X <- L, I <- [ets:info(X)], I =/= undefined] end,
  Text = fun(X) when is_atom(X) -> atom_to_binary(X);
            (X) when is_pid(X) -> list_to_binary(pid_to_list(X));
            (X) -> list_to_binary(ref_to_list(X)) end,
  Bytes = fun(X) -> X * erlang:system_info(wordsize) end,
  Named = fun(X, M) -> case process_info(X, registered_name) of {_, N} -> M#{owner_name => Text(N)}; _ -> M end end,
  Lean = fun(I) -> Named(maps:get(owner, I),
                   #{id => Text(maps:get(id, I)), name => Text(maps:get(name, I)),
                     size => maps:get(size, I), memory_kb => Bytes(maps:get(memory, I)) div 1024,
                     owner_pid => Text(maps:get(owner, I))}) end,
  Row = fun(I) -> maps:merge(Lean(I), #{type => Text(maps:get(type, I)),
                    protection => Text(maps:get(protection, I))}) end,
  List = fun(X) -> L = lists:map(Row, Infos(X)), #{total => length(T), showing => length(L), tables => L} end,
]]

local FIELDS = "id, name, type, protection, size (rows), memory_kb, owner_pid, owner_name (if registered)"
local ROW = "tables[]: " .. FIELDS
local GREW = "tables[]: id, name, size_delta (rows), growth_pct, current_size (rows), memory_mb, memory_delta_kb, "
  .. "owner_pid, owner_name (if registered)"
local MOST = 50 -- of a list
local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }

-- A look at the node costs its time; a longer wait is what history is for.
local LONGEST_WAIT = 10
-- Without history, a table is suspected when it grew in each of these steps.
local STEPS, STEP_SECONDS = 3, 1
local ENOUGH_HISTORY = 10 -- seconds; what is kept of less is no better than looks now
local FRESH = 5           -- seconds; the last look that was kept may be this old
local HOUR = 3600

local function round(x) return math.floor(x * 100 + 0.5) / 100 end

-- By id, not by name: unnamed tables may all carry the same one.
local function by_id(rows)
  local index = {}
  for _, row in ipairs(rows) do index[row.id] = row end
  return index
end

local function biggest_gain_first(a, b)
  if a.memory_delta_kb ~= b.memory_delta_kb then return a.memory_delta_kb > b.memory_delta_kb end
  if a.size_delta ~= b.size_delta then return a.size_delta > b.size_delta end
  return a.id < b.id
end

--- The tables that have more rows than before, or as many but larger ones; most gained first.
local function grown(before, after)
  local was, rows = by_id(before), {}
  for _, now in ipairs(after) do
    local old = was[now.id]
    if old and (now.size > old.size or now.size == old.size and now.memory_kb > old.memory_kb) then
      rows[#rows + 1] = {
        id = now.id, name = now.name, owner_pid = now.owner_pid, owner_name = now.owner_name,
        size_delta = now.size - old.size, current_size = now.size,
        growth_pct = round(100 * (now.size - old.size) / math.max(old.size, 1)),
        memory_mb = round(now.memory_kb / 1024), memory_delta_kb = now.memory_kb - old.memory_kb,
      }
    end
  end
  table.sort(rows, biggest_gain_first)
  return rows
end

local function list(rows)
  local first = { unpack(rows, 1, MOST) }
  return { total = #rows, showing = #first, tables = first }
end

--- What only grew from look to look (oldest first), by threshold_pct at least, taken over
--- the whole time or, where `hourly`, as it would come to in an hour at the same pace.
local function only_grew(looks, seconds, threshold_pct, hourly)
  local acquitted, rows = {}, {}
  for i = 2, #looks do
    -- One fall between neighbouring looks acquits a table: somebody deletes.
    for _, row in ipairs(grown(looks[i], looks[i - 1])) do acquitted[row.id] = true end
  end
  for _, row in ipairs(grown(looks[1], looks[#looks])) do
    local pct = hourly and row.growth_pct * HOUR / seconds or row.growth_pct
    if pct >= threshold_pct and not acquitted[row.id] then rows[#rows + 1] = row end
  end
  local answer = list(rows)
  answer.seconds = seconds
  answer.minutes = round(seconds / 60)
  return answer
end

--- Several looks in a row, a step apart: what there is to go by before history begins.
local function looks_now(node)
  local looks = {}
  for i = 1, STEPS do
    local sizes, err = node.ask "sizes"
    if not sizes then return nil, err end
    looks[i] = sizes
    if i < STEPS then node.sleep(STEP_SECONDS) end
  end
  return looks
end

-- A table that is emptied now and then gained rows between most two looks.
local function watched(node, row, ms)
  local seen, err = node.ask("rows", { table_name = row.id, window_ms = ms })
  if not seen then return nil, err end
  row.samples, row.seconds, row.falls, row.lost = #seen.rows, seen.seconds, 0, 0
  for i = 2, #seen.rows do
    local less = seen.rows[i - 1] - seen.rows[i]
    if less > 0 then row.falls, row.lost = row.falls + 1, row.lost + less end
  end
  row.gained = seen.rows[#seen.rows] - seen.rows[1]
  return row
end

---@type Skill
return {
  name = "ets",
  title = "ETS tables",
  about = "In-memory tables: how many, how large, which of them only grow.",

  prompt = [[
You look after the ETS tables of one BEAM node.
ETS rows stay until they are deleted, so ask of every large table who deletes.
Worth a notification: a table that grows at every look and never shrinks;
tables that are made again and again and never deleted, each small, together a leak;
one table holding most of the ETS memory while it grows.
Not worth one: a large table of steady size. Caches are supposed to be large.
Name the table and its owner, and give both sizes and the time between them.]],

  uses = { "history" },
  keep = { "sizes" },
  snapshot = "totals",

  queries = {
    totals = TABLES .. [[
  M = From(Items(memory), 0, '$1'),
  Mb = fun(X) -> round(Bytes(X) / 10485.76) / 100 end,
  #{table_count => length(M), total_memory_mb => Mb(lists:sum(M)), largest_table_mb => Mb(lists:max([0 | M]))}.]],

    top = TABLES .. [[
  List(Top(binary_to_existing_atom(SortBy), Limit)).]],

    -- The text of an id or of a name; one that no atom or reference has matches nothing.
    find = TABLES .. [[
  N = try binary_to_existing_atom(TableName) catch _:_ -> catch list_to_ref(binary_to_list(TableName)) end,
  L = if is_reference(N) -> case catch ets:info(N) of [_ | _] -> [N]; _ -> [] end;
         true -> ets:match_spec_run(Items(name),
                   ets:match_spec_compile([{{'$1', '$2'}, [{'=:=', '$1', {const, N}}], ['$2']}])) end,
  [maps:merge(Row(I), maps:with([compressed, read_concurrency, write_concurrency], I))
   || I <- Infos(lists:sublist(L, 5))].]],

    -- Its rows, many times. One that is gone has none.
    rows = [[
  N = try binary_to_existing_atom(TableName) catch _:_ -> catch list_to_ref(binary_to_list(TableName)) end,
  At = fun() -> erlang:monotonic_time(millisecond) end, T = At(),
  Look = fun Look(L) -> receive after 20 -> ok end, S = [case catch ets:info(N, size) of X when is_integer(X) -> X;
                                                           _ -> 0 end | L],
           case At() - T >= WindowMs of true -> lists:reverse(S); false -> Look(S) end end,
  #{rows => Look([]), seconds => (At() - T) / 1000}.]],

    -- Slim, because history keeps many of them. Those with most rows and those with most
    -- memory: a table of few rows that grow stands in the second list only.
    sizes = TABLES .. [[
  lists:map(Lean, Infos(lists:usort(Top(size, 300) ++ Top(memory, 300)))).]],

    -- Both sets of ids stay on the node: with many tables they are what would be dear to send.
    births = TABLES .. [[
  receive after WindowMs -> ok end,
  Later = ets:all(),
  Born = Later -- T,
  #{seconds => WindowMs / 1000, count_before => length(T), count => length(Later),
    born => length(Born), died => length(T -- Later),
    sample => lists:map(Lean, Infos(lists:sublist(Born, 200)))}.]],
  },

  callbacks = {
    ets_list_tables = {
      doc = "The tables, those with most memory first.",
      args = { { name = "limit", type = "integer", min = 1, max = MOST, default = MOST } },
      class = "SAFE",
      cost = "one item of every table, all items of those shown",
      returns = { "total", "showing", ROW },
      run = function(node, args) return node.ask("top", { limit = args.limit, sort_by = "memory" }) end,
    },

    ets_top_tables = {
      doc = "The largest tables by memory or by size (rows).",
      args = { LIMIT, { name = "sort_by", type = "choice", of = { "memory", "size" }, default = "memory" } },
      class = "SAFE",
      cost = "one item of every table, all items of those shown",
      returns = { "total", "showing", ROW },
      query = "top",
    },

    ets_table_info = {
      doc = "One table, by its id, or by its name where no other has the same; with a window, whether it loses rows.",
      args = { { name = "table_name", type = "string" },
        { name = "window_ms", type = "integer", min = 0, max = 10000, default = 0, waits = true } },
      class = "SAFE",
      cost = "one item of every table, all items of the one; its rows 50 times a second",
      returns = { FIELDS, "compressed", "read_concurrency", "write_concurrency",
        "samples, seconds, gained, falls (samples with fewer rows than the one before), lost (rows in these)" },
      run = function(node, args)
        local found, err = node.ask("find", args)
        if not found then return nil, err end
        if #found == 1 then return args.window_ms > 0 and watched(node, found[1], args.window_ms) or found[1] end
        if #found == 0 then return nil, "no such table now; ets_list_tables gives names and ids" end
        local ids = {}
        for i, row in ipairs(found) do ids[i] = row.id end
        return nil, "several tables have this name, give the id: " .. table.concat(ids, ", ")
      end,
    },

    ets_growth_stats = {
      doc = ("Tables that gained rows (or memory at the same rows) since interval_minutes ago. Within %d seconds, and "
        .. "where less was kept, it looks twice, that far apart at most; `seconds` is the true distance.")
        :format(LONGEST_WAIT),
      args = { { name = "interval_minutes", type = "number", min = 0.02, max = 60, default = 0.1 } },
      class = "SAFE",
      cost = "two items of every table and all of the 300 largest, at each of one or two looks",
      returns = { "seconds", "total", "showing", GREW },
      run = function(node, args)
        local wanted = args.interval_minutes * 60
        local past = node.history("sizes", args.interval_minutes)[1]
        local before, after, seconds, err
        -- Two looks in a row must not share a stretch of time, so short ones are always made now.
        if wanted > LONGEST_WAIT and past and past.age >= math.min(wanted / 2, LONGEST_WAIT) then
          before, seconds = past.value, past.age
        else
          seconds = math.min(wanted, LONGEST_WAIT)
          before, err = node.ask "sizes"
          if not before then return nil, err end
          node.sleep(seconds)
        end
        after, err = node.ask "sizes"
        if not after then return nil, err end
        local answer = list(grown(before, after))
        answer.seconds = round(seconds)
        return answer
      end,
    },

    ets_leak_candidates = {
      doc = ("Tables that only grew over the last hour, by at least threshold_pct. Where less was kept, threshold_pct "
        .. "means the hour that this pace would make; before there are %d seconds it looks %d times in %d.")
        :format(ENOUGH_HISTORY, STEPS, (STEPS - 1) * STEP_SECONDS),
      args = { { name = "threshold_pct", type = "number", min = 1, max = 10000, default = 20 } },
      class = "SAFE",
      cost = "two items of every table and all of the 300 largest, at each of up to three looks",
      returns = { "seconds", "minutes (the time looked back)", "total", "showing", GREW },
      run = function(node, args)
        local past = node.history("sizes", HOUR / 60)
        if #past >= STEPS and past[1].age >= ENOUGH_HISTORY then
          local looks, last = {}, past[#past].age
          for i, look in ipairs(past) do looks[i] = look.value end
          if last > FRESH then
            local now, err = node.ask "sizes"
            if not now then return nil, err end
            looks[#looks + 1], last = now, 0
          end
          local seconds = past[1].age - last
          return only_grew(looks, round(seconds), args.threshold_pct, seconds < HOUR / 2)
        end
        local looks, err = looks_now(node)
        if not looks then return nil, err end
        return only_grew(looks, (STEPS - 1) * STEP_SECONDS, args.threshold_pct, true)
      end,
    },

    ets_table_growth = {
      doc = "Tables made and deleted in the window, and whose the new ones are (200 of them at most are looked at).",
      args = { { name = "window_ms", type = "integer", min = 100, max = 10000, default = 2000, waits = true } },
      class = "SAFE",
      cost = "the list of tables twice, all items of 200 at most",
      returns = { "seconds", "count_before", "count", "born (still there at the end)", "died", "showing",
        "groups[]: name, owner_pid, owner_name (if registered), tables (born), memory_kb (of these)" },
      run = function(node, args)
        local seen, err = node.ask("births", args)
        if not seen then return nil, err end
        local groups, index = {}, {}
        for _, row in ipairs(seen.sample) do
          local key = row.name .. " of " .. row.owner_pid
          local group = index[key]
          if not group then
            group = { name = row.name, owner_pid = row.owner_pid, owner_name = row.owner_name,
              tables = 0, memory_kb = 0 }
            index[key], groups[#groups + 1] = group, group
          end
          group.tables, group.memory_kb = group.tables + 1, group.memory_kb + row.memory_kb
        end
        table.sort(groups, function(a, b)
          if a.tables ~= b.tables then return a.tables > b.tables end
          return a.name .. a.owner_pid < b.name .. b.owner_pid
        end)
        local first = { unpack(groups, 1, MOST) }
        return { seconds = seen.seconds, count_before = seen.count_before, count = seen.count, born = seen.born,
          died = seen.died, total = #groups, showing = #first, groups = first }
      end,
    },
  },
}
