--- ejabberd: who is online, and the messages that wait for those who are not. Counters of its tables and of its own
--- cache; no message is read.

local texts = ...

local UNAVAILABLE = { unavailable = "ejabberd does not run on this node" }

local SIZE = texts.words .. [=[
  Size = fun(T) -> case ets:info(T, size) of N when is_integer(N) -> N; _ -> 0 end end,
]=]

-- How many messages wait for whom, ejabberd keeps counted in a cache of its own, for whoever was sent one of late;
-- those with fewer than Least are not copied. The table itself lies on disk, and its size is a counter of a process.
local SPOOL = SIZE .. [=[
  T = offline_msg_counter_cache,
  Many = fun(Least) -> case ets:info(T, size) of N when is_integer(N) ->
      ets:select(T, [{{'$1', '$2', '_'}, [{is_integer, '$2'}, {'>=', '$2', Least}], [{{'$2', '$1'}}]}]);
    _ -> [] end end,
  Whole = fun() -> case lists:member(offline_msg, catch mnesia:system_info(tables)) of
    true -> mnesia:table_info(offline_msg, size); _ -> undefined end end,
]=]

local IF_THERE, ELSE = "case is_pid(whereis(ejabberd_sup)) of true ->\n", "; _ -> #{} end."

local function asked(query)
  return function(node, args)
    local found, err = node.ask(query, args)
    if found and next(found) == nil then return UNAVAILABLE end
    return found, err
  end
end

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
  Word = fun({U, S}) when is_binary(U), is_binary(S) -> iolist_to_binary([U, "@", S]); (_) -> undefined end,
  Rows = [Some([{user, Word(K)}, {messages, N}, {before, N + D}, {gained, -D}])
    || {D, N, K} <- lists:sublist(Grew, Limit)],
  Some([{seconds, Since(B)}, {kept, Y}, {kept_before, X}, {table, case Y of undefined -> Y; _ -> Text(offline_msg) end},
    {total, length(L)}, {showing, length(Rows)}, {users, Rows}])]=] .. ELSE,
  },

  callbacks = {
    ejabberd_offline = {
      doc = "Messages kept for users who are offline, at two looks: of those sent one of late, who gained most.",
      args = { { name = "limit", type = "integer", min = 1, max = 50, default = 10 },
        { name = "window_ms", type = "integer", min = 100, max = 10000, default = 1500, waits = true } },
      class = "SAFE",
      cost = "reads ejabberd's own counters of kept messages, and asks the table on disk for its size, twice",
      returns = { "seconds", "kept (messages in the table, where mnesia has it)", "kept_before", "table",
        "total (users)", "showing", "users[]: user, messages, before, gained" },
      run = asked "offline",
    },
  },
}
