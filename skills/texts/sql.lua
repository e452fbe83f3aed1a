--- How skills put a question to the database behind an Ecto repo, by a connection of the repo's own
--- pool: in a transaction that is read-only, bounded in time and always rolled back. And how they show SQL.

-- The repos that run here, from Ecto's registry and from what applications list as `ecto_repos`. Nothing
-- is loaded for it: a module that is not loaded has no exports. Needs `words`.
local REPOS = [=[
  Has = fun(M, F, N) -> erlang:function_exported(M, F, N) end,
  Envs = fun(K) -> [X || {I, _, _} <- application:loaded_applications(), {ok, X} <- [application:get_env(I, K)],
                         is_list(X)] end,
  Repos = fun() ->
    L = case Has('Elixir.Ecto.Repo.Registry', all_running, 0) of
          true -> 'Elixir.Ecto.Repo.Registry':all_running(); false -> [] end,
    lists:usort([X || X <- lists:append([L | Envs(ecto_repos)]), is_atom(X), is_pid(whereis(X)),
                      Has(X, query, 3), Has(X, transaction, 2), Has(X, '__adapter__', 0)]) end,
]=]

-- Sql, Params: the question. Repo: by name, or empty for the first on PostgreSQL. Path: a schema to look in, or empty
-- for the connection's own. Our own queries shall neither be logged nor counted: both are the repo's options.
-- What ends the transaction is a rollback, whatever came of it. A connection that was there but would not
-- answer is given up after 15 s; the database itself ends a statement after 5 s (Limits).
local DATABASE = REPOS .. [=[
  O = [{log, false}, {telemetry_event, nil}, {timeout, 15000}],
  Code = fun(X) when is_map(X) -> {maps:get(code, X, undefined), maps:get(message, X, undefined)};
            (_) -> {undefined, undefined} end,
  Fail = fun(E) when is_map(E) -> {C, M} = Code(maps:get(postgres, E, nil)),
               Some([{failed, Text(maps:get('__struct__', E, error))}, {code, C},
                     {message, if is_binary(M) -> M; true -> undefined end}]);
            (_) -> #{failed => error} end,
  Read = fun(R) ->
    Q = fun(S, P) -> case R:query(S, P, O) of {ok, X} -> X; {error, E} -> R:rollback({failed, E}) end end,
    try R:transaction(fun() -> Q(Begin, []), Q(Limits, [Path]), R:rollback({read, Q(Sql, Params)}) end, O) of
      {error, {read, X}} ->
        #{rows => [maps:from_list([Z || {_, V} = Z <- lists:zip(maps:get(columns, X), L), V =/= nil])
                   || L <- maps:get(rows, X)]};
      {error, {failed, E}} -> Fail(E);
      {error, E} -> Fail(E)
    catch _:E -> Fail(E) end end,
  case {Repos(), Repo} of
    {[], _} -> #{missing => true};
    {L, B} ->
      {F, H} = lists:partition(fun(X) -> X:'__adapter__'() =:= 'Elixir.Ecto.Adapters.Postgres' end, L),
      case [X || X <- F ++ H, byte_size(B) =:= 0 orelse Text(X) =:= B] of
        [] -> #{unknown => lists:map(Text, L)};
        [R | _] ->
          M = Some([{repo, Text(R)}, {others, case lists:map(Text, L -- [R]) of [] -> undefined; Z -> Z end}]),
          case lists:member(R, F) of
            true -> maps:merge(M, Read(R));
            false -> M#{adapter => Text(R:'__adapter__'())} end end end.]=]

local BEGIN = "SET TRANSACTION READ ONLY"
local LIMITS = [[SELECT set_config('statement_timeout', '5000', true), set_config('lock_timeout', '1000', true),
  set_config('search_path',
    CASE WHEN $1::text = '' THEN current_setting('search_path') ELSE quote_ident($1::text) END, true)]]

local NONE = "no Ecto repo runs on this node: none is in Ecto's registry or in an application's ecto_repos"

-- What is wrong with an answer that has no rows: a result where the target lacks something, else nil and a sentence.
local function trouble(answer)
  if answer.missing then return { unavailable = NONE } end
  if answer.unknown then
    return nil, "no such repo runs here, there is " .. table.concat(answer.unknown, ", ")
  end
  if answer.adapter then
    return { unavailable = ("the repo %s is not on PostgreSQL but on %s"):format(answer.repo, answer.adapter) }
  end
  local code = answer.code and tostring(answer.code)
  if answer.failed == "DBConnection.ConnectionError" then
    return { unavailable = ("no connection of the pool of %s could be had: it is busy, or the database is away; "
      .. "see ecto_pool_stats()"):format(answer.repo) }
  end
  if code == "query_canceled" then return nil, "the database took longer than 5 s, which is as long as we ask it to" end
  if code == "lock_not_available" then
    return nil, "a table is locked against reading, ecto_locks() says by whom; try again when it is free"
  end
  if code == "insufficient_privilege" then
    return { unavailable = ("the database refuses the user of %s: %s"):format(answer.repo, answer.message or code) }
  end
  return nil, ("the database refused: %s"):format(answer.message or code or tostring(answer.failed))
end

--- Asks the database. The skill has the query `database`.
---@param node SkillNode
---@param sql string      constant; values are $1, $2 … and typed there
---@param params? any[]
---@param o? { repo?: string, path?: string }
---@return table? answer  { repo, others?, rows } or { unavailable }
---@return any err
local function read(node, sql, params, o)
  local answer, err = node.ask("database", {
    sql = sql, params = params or {}, repo = o and o.repo or "", path = o and o.path or "",
    ["begin"] = BEGIN, limits = LIMITS,
  })
  if not answer then return nil, err end
  if not answer.rows then return trouble(answer) end
  return answer
end

-- From a quote to its end, which may never come: the text was cut. A doubled quote is one inside.
local function end_of_quoted(sql, at, quote, escapes)
  while at <= #sql do
    local c = sql:sub(at, at)
    if escapes and c == "\\" then
      at = at + 1
    elseif c == quote then
      if sql:sub(at + 1, at + 1) ~= quote then return at end
      at = at + 1
    end
    at = at + 1
  end
  return #sql
end

local function end_of_comment(sql, at)
  local depth = 0
  while at <= #sql do
    local two = sql:sub(at, at + 1)
    if two == "/*" then depth = depth + 1 elseif two == "*/" then depth = depth - 1 end
    if two == "/*" or two == "*/" then at = at + 2 else at = at + 1 end
    if depth == 0 then return at - 1 end
  end
  return #sql
end

-- What stands here and up to where, and what is shown of it: nothing of a comment, ? for a literal.
local function piece(sql, at)
  local c = sql:sub(at, at)
  if sql:find("^%-%-", at) then return (sql:find("\n", at, true) or #sql + 1) - 1, "" end
  if sql:find("^/%*", at) then return end_of_comment(sql, at), "" end
  if c == '"' then
    local last = end_of_quoted(sql, at + 1, '"')
    return last, sql:sub(at, last)
  end
  local _, prefix = sql:find("^[eEbBxXnN]'", at)
  if prefix then return end_of_quoted(sql, prefix + 1, "'", c:lower() == "e"), "?" end
  _, prefix = sql:find("^[uU]&'", at)
  if prefix then return end_of_quoted(sql, prefix + 1, "'"), "?" end
  if c == "'" then return end_of_quoted(sql, at + 1, "'"), "?" end
  local _, last = sql:find("^%$%d+", at)
  if last then return last, sql:sub(at, last) end
  local _, opened, tag = sql:find("^(%$[%a_\128-\255]*[%w_\128-\255]*%$)", at)
  if tag then return select(2, sql:find(tag, opened + 1, true)) or #sql, "?" end
  _, last = sql:find("^[%a_\128-\255][%w_$\128-\255]*", at)
  if last then return last, sql:sub(at, last) end
  _, last = sql:find("^%.?%d[%w_.]*", at)
  if last then
    if sql:sub(last, last):find "[eE]" then last = select(2, sql:find("^[+-]%d+", last + 1)) or last end
    return last, "?"
  end
  return at, c
end

local LONGEST = 1000

--- SQL as it may be shown: every literal is a ?, comments are gone, white space is one blank.
---@param sql? string
---@return string?
local function parameterised(sql)
  if not sql then return nil end
  local out, at = {}, 1
  while at <= #sql do
    local last, shown = piece(sql, at)
    out[#out + 1] = shown
    at = last + 1
  end
  local text = table.concat(out):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  text = text:gsub("%(%?[?, ]*%)", "(?)") -- a list of literals has as many lengths as callers
  if #text <= LONGEST then return text end
  return text:sub(1, LONGEST):gsub("[\192-\255][\128-\191]*$", "") .. "…"
end

local function round(x) return type(x) == "number" and math.floor(x * 100 + 0.5) / 100 or x end

local ROUNDED = { mb = true, pct = true, ms = true, s = true }

--- A row as it is shown: figures of two decimals, SQL without literals, no empty text.
local function tidy(row)
  for name, value in pairs(row) do
    if ROUNDED[name:match "_(%l+)$"] then row[name] = round(value) end
    if name:find "query$" then row[name] = parameterised(value) end
    if value == "" then row[name] = nil end
  end
  return row
end

--- The rows of an answer as a list named `key`. Figures that stand in every row and are of the whole go up.
---@param answer table   what `read` gave
---@param whole string[]
local function listed(answer, key, whole)
  local rows, result = answer.rows, {}
  for _, name in ipairs(whole) do
    result[name] = rows[1] and rows[1][name]
    for _, row in ipairs(rows) do row[name] = nil end
  end
  for _, row in ipairs(rows) do tidy(row) end
  tidy(result)
  result.repo, result.others = answer.repo, answer.others
  result.total, result.showing, result[key] = result.total or 0, #rows, rows
  return result
end

return {
  repos = REPOS, database = DATABASE, no_repo = NONE,
  read = read, listed = listed, tidy = tidy, parameterised = parameterised,
}
