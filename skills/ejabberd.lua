--- ejabberd: who is online, and the messages that wait for those who are not. Counters of its tables and of its own
--- cache; no message is read.

local texts = ...

local UNAVAILABLE = { unavailable = "ejabberd does not run on this node" }

local SIZE = texts.words .. [=[
  Size = fun(T) -> case ets:info(T, size) of N when is_integer(N) -> N; _ -> 0 end end,
]=]

-- How many messages wait for whom, ejabberd counts in a cache of its own for users whose number is limited
-- (max_user_offline_messages) and who were sent one of late; those with fewer than Least are not copied. The table
-- itself lies on disk, and its size is a counter of a process.
local SPOOL = SIZE .. [=[
  T = offline_msg_counter_cache,
  Many = fun(Least) -> case ets:info(T, size) of N when is_integer(N) ->
      ets:select(T, [{{'$1', '$2', '_'}, [{is_integer, '$2'}, {'>=', '$2', Least}], [{{'$2', '$1'}}]}]);
    _ -> [] end end,
  Here = lists:member(offline_msg, mnesia:system_info(tables)),
  Whole = fun() -> case Here of true -> mnesia:table_info(offline_msg, size); _ -> undefined end end,
  Word = fun({U, S}) when is_binary(U), is_binary(S) -> iolist_to_binary([U, "@", S]); (_) -> undefined end,
]=]

local IF_THERE, ELSE = "case is_pid(whereis(ejabberd_sup)) of true ->\n", "; _ -> #{} end."

local function asked(query)
  return function(node, args)
    local found, err = node.ask(query, args)
    if found and next(found) == nil then return UNAVAILABLE end
    return found, err
  end
end

local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }

---@type Skill
return {
  name = "ejabberd",
  title = "ejabberd",
  about = "An ejabberd server: sessions, links to other servers, messages that are kept for users who are offline.",
  needs = "ejabberd on the node",

  prompt = [[
You look after an ejabberd server from inside its node.
Messages to a user who is offline are kept until the user comes; a program that writes to an account which nobody
opens fills the disk and the memory, and delays everybody when it comes at last.
Worth a notification: one user whose kept messages only become more, many a second.
Not worth one: many kept messages that stand, a few more now and then, users who come and go.
Name the user, with the messages now and before, and the seconds between.]],

  snapshot = asked "totals",

  available = function(node)
    local found, err = node.ask "present"
    if found == nil then return tostring(err) end
    return found and true or UNAVAILABLE.unavailable
  end,

  queries = {
    present = "is_pid(whereis(ejabberd_sup)).",

    totals = IF_THERE .. SIZE .. [=[
  #{session_count => Size(session), server_links => Size(s2s),
    offline_users => Size(offline_msg_counter_cache)}]=] .. ELSE,

    offline = IF_THERE .. SPOOL .. [=[
  B = Now(), Was = maps:from_list([{K, N} || {N, K} <- Many(1)]), X = Whole(),
  receive after WindowMs -> ok end,
  L = Many(1), Y = Whole(),
  Grew = lists:sort([{maps:get(K, Was, 0) - N, N, K} || {N, K} <- L]),
  Rows = [Some([{user, Word(K)}, {waiting, N}, {before, N + D}, {gained, -D}])
    || {D, N, K} <- lists:sublist(Grew, Limit)],
  Some([{seconds, Since(B)}, {kept, Y}, {kept_before, X}, {table, case Y of undefined -> Y; _ -> Text(offline_msg) end},
    {total, length(L)}, {showing, length(Rows)}, {users, Rows}])]=] .. ELSE,

    -- A user whose messages were fetched meanwhile is no key any more: then there is nobody after.
    users = IF_THERE .. SPOOL .. [=[
  E = Now() + 1000, Y = Whole(),
  Next = fun(K) -> case catch mnesia:dirty_next(offline_msg, K) of {'EXIT', _} -> '$end_of_table'; X -> X end end,
  Keys = fun Go('$end_of_table', _, A) -> A; Go(_, 0, A) -> A; Go(K, N, A) -> Go(Next(K), N - 1, [K | A]) end,
  Pat = case Here of true -> mnesia:table_info(offline_msg, wild_pattern); _ -> none end,
  Count = fun(K) -> case Now() > E of true -> [];
    _ -> [{length(mnesia:dirty_select(offline_msg, [{setelement(2, Pat, K), [], [true]}])), K}] end end,
  L = case Here of true -> lists:flatmap(Count, Keys(mnesia:dirty_first(offline_msg), 50, [])); _ -> [] end,
  Rows = [Some([{user, Word(K)}, {waiting, N}]) || {N, K} <- lists:sublist(lists:reverse(lists:sort(L)), Limit)],
  Some([{kept, Y}, {counted, lists:sum([N || {N, _} <- L])}, {total, length(L)}, {showing, length(Rows)},
    {users, Rows}])]=] .. ELSE,
  },

  callbacks = {
    ejabberd_offline_users = {
      doc = "Who the kept messages are for, the most first: of 50 users, as far as they are counted within a second.",
      args = { LIMIT },
      class = "SAFE",
      cost = "the process of the table on disk reads the messages of 50 users, for a second at most and one user more; "
        .. "none of them leaves it",
      returns = { "kept (messages in all)", "counted (of them)", "total (users that were counted)", "showing",
        "users[]: user, waiting (messages)" },
      run = asked "users",
    },
    ejabberd_offline = {
      doc = "Messages kept for users who are offline, at two looks: of those sent one of late, who gained most.",
      args = { LIMIT,
        { name = "window_ms", type = "integer", min = 100, max = 10000, default = 1500, waits = true } },
      class = "SAFE",
      cost = "reads ejabberd's own counters of kept messages, and asks the table on disk for its size, twice",
      returns = { "seconds", "kept (messages in the table, where mnesia has it)", "kept_before", "table",
        "total (users)", "showing", "users[]: user, waiting (messages), before, gained" },
      run = asked "offline",
    },
  },
}
