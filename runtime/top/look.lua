--- One look of `top`: figures of the node, and who is largest by one of four measures, with what each did in the
--- time of the look. All that is compared is compared on the node; what comes home are the rows of a screen.
---
--- First a cheap item of every process, then a pause, then all about the few that lead. By reductions the item is
--- asked before the pause and after it, since a sum says nothing about now. What the node worked for it is told by
--- the node: the time between, without the pause, at low priority. That is never less than it took.

local skill = require "runtime.skill"

local look = {}

--- What there is to sort by: what a row is ranked by, and the word of the query.
look.SORTS = {
  memory = { field = "memory_kb", item = "memory" },
  mailbox = { field = "message_queue", item = "message_queue_len" },
  reductions = { field = "reductions_per_sec", item = "reductions" },
  binary = { field = "binary_kb", item = "binary" },
}

local texts = assert(skill.texts())

-- `Size` is how many processes are walked through in one look: where there are more, a part of them, another each
-- time (`Count` tells which), beside those that led before (`Pids`). With 0 nobody is walked through. The answer is
-- a tuple, for each key of a map might be a new atom.
local LOOK = texts.walk .. texts.wall .. [=[
  Us = fun() -> erlang:monotonic_time(microsecond) end,
  Begin = Us(), I = binary_to_existing_atom(SortBy),
  N = erlang:system_info(process_count), K = max(1, (N + max(1, Size) - 1) div max(1, Size)),
  Part = fun(L) ->
    V = (length(L) + K - 1) div K, H = lists:sublist(lists:nthtail(min(length(L), V * (Count rem K)), L), V),
    Slices(H, length(H), []) end,
  S = case Size of 0 -> []; _ when K =:= 1 -> All(); _ -> Lean(Part(erlang:processes())) end,
  G = Shape(I),
  A = case I of reductions -> Look(S, [], G, []); _ -> [] end,
  Led = case I of
    reductions -> [];
    _ -> [P || {J, V, X} <- [{I, Limit, -1} | [{message_queue_len, 10, 0} || I =:= memory]],
      {_, _, _, P} <- Top(S, [], Shape(J), V, X)] end,
  Ps = lists:usort(Pids ++ Led), Old = Ask(Ps, reductions), U = Wall(), T = Us(),
  receive after WindowMs -> ok end,
  B = Us(), {Z, D, _} = Busy(U), W = max(1, B - T),
  First = case I of reductions -> [{P, X} || {X, _, _, P} <- Top(S, A, G, Limit, -1)]; _ -> [] end,
  Kept = [{P, X} || {P, {_, X}} <- lists:zip(Ps, Old), not lists:keymember(P, 1, First)],
  Per = fun(X) -> round(X * 1000000 / W) end,
  Beyond = fun(P) -> case Item(P, garbage_collection_info) of
    [_ | _] = V -> Kb(Get(bin_vheap_size, V) + Get(bin_old_vheap_size, V)); _ -> 0 end end,
  Tag = fun(P) when Keyed -> Label(Item(P, {dictionary, '$process_label'})); (_) -> undefined end,
  Each = [{P, Per(X), V} || {P, X} <- First, V <- Row(P, #{})] ++
    [{P, Per(maps:get(reductions, V) - X), V} || {P, X} <- Kept, V <- Row(P, #{})],
  Rows = [{P, V, X, case I of binary -> Beyond(P); _ -> -1 end, case Tag(P) of undefined -> []; Y -> Y end}
    || {P, X, V} <- Each], M = erlang:memory(),
  {{element(1, erlang:statistics(wall_clock)), erlang:statistics(total_run_queue_lengths_all),
    erlang:system_info(schedulers_online), Mean(Z), Mean(D), N, erlang:system_info(process_limit),
    [Mb(Get(X, M)) || X <- [total, processes, binary, ets, code, atom]]},
   {Us() - B + T - Begin, (B - T) div 1000, K, Total(S)}, Rows}.]=]

--- For the build, which parses what is sent.
---@return string[]
function look.own_texts() return { LOOK } end

local PATIENCE_S = 10

local MEMORY = { "total_mb", "processes_mb", "binary_mb", "ets_mb", "code_mb", "atom_mb" }

local function figures_of(head)
  local figures = { uptime_seconds = math.floor(head[1] / 1000), run_queue = head[2], schedulers_online = head[3],
    scheduler_pct = head[4], dirty_cpu_pct = head[5], process_count = head[6], process_limit = head[7], memory = {} }
  for i, name in ipairs(MEMORY) do figures.memory[name] = head[8][i] end
  return figures
end

local function row_of(found)
  local row = found[2]
  row.id, row.reductions_per_sec = found[1], found[3]
  row.binary_kb = found[4] >= 0 and found[4] or nil
  row.label = type(found[5]) == "string" and found[5] or nil
  return row
end

--- Largest first; rows of equal figures stay in the order of their pids, so that a screen is calm.
---@param rows table[]
---@param sort string
function look.rank(rows, sort)
  local field = look.SORTS[sort].field
  table.sort(rows, function(a, b)
    local x, y = a[field] or -1, b[field] or -1
    if x ~= y then return x > y end
    return a.pid < b.pid
  end)
end

---@class Look
---@field figures table   of the node
---@field rows table[]    largest first: id, pid, name, label, memory_kb, message_queue, reductions_per_sec,
---  current_function, status; binary_kb where sorted by it
---@field sort string
---@field took_s number   on the node, without its pause
---@field reductions number   of the node, for it
---@field window_s number   of the rates
---@field parts integer   in so many looks each process is seen
---@field walked integer  processes in this one

--- Looks once. Inside a task.
---@param node AttachedNode
---@param o { sort: string, limit: integer, most: integer, count: integer, window_ms: integer, known?: any[] }
---@return Look?
---@return Failure? err
function look.at(node, o)
  local before = node.load.reductions
  local answer, err = node.query(LOOK, {
    SortBy = look.SORTS[o.sort].item, Limit = o.limit, Size = o.most, Count = o.count, WindowMs = o.window_ms,
    Pids = o.known or {},
  }, { timeout = PATIENCE_S + o.window_ms / 1000, subject = "the look" })
  if answer == nil then return nil, err end
  local cost, rows = answer[2], {}
  for i, found in ipairs(answer[3]) do rows[i] = row_of(found) end
  look.rank(rows, o.sort)
  for i = #rows, o.limit + 1, -1 do rows[i] = nil end
  return { figures = figures_of(answer[1]), rows = rows, sort = o.sort, took_s = cost[1] / 1e6,
    reductions = node.load.reductions - before, window_s = cost[2] / 1000, parts = cost[3], walked = cost[4] }
end

return look
