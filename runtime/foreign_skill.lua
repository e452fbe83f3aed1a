--- Skills that live on the node: Elixir modules with the behaviour of the beamlens library, of which there
--- are two forms (id, title, description, system_prompt, snapshot, callbacks, callback_docs; or domain,
--- snapshot, callbacks, callback_docs). Such a module is named as one writes it, MyApp.RedisSkill, and
--- becomes a skill like any other: its functions are called over the link, in a process with the usual limits.
---
--- Nothing is loaded for it: the module must be there. What its functions do is for whoever wrote them to know,
--- so each callback is of class CAUTION. Their values come home as what JSON can say.

local failure = require "runtime.failure"
local json = require "runtime.json"
local plain = require "runtime.plain"
local skill = require "runtime.skill"
local term = require "runtime.node.term"
local utf8 = require "runtime.utf8"

local foreign = {}

-- No text of a user is made an atom there, and keys of maps are compared as texts.
local MODULE = [=[
  Mod = case catch binary_to_existing_atom(Module) of M when is_atom(M) -> M; _ -> undefined end,
  Has = fun(F) -> erlang:function_exported(Mod, F, 0) end,
  Said = fun(X) -> unicode:characters_to_binary(io_lib:format("~0tP", [X, 30])) end,
  Key = fun(X) when is_binary(X) -> X; (X) when is_atom(X) -> Text(X); (X) -> Said(X) end,
]=]

-- What JSON can say of a value; depth and length of lists and texts are bounded. erl_eval carries along what
-- stands before a fun, element by element: so this one comes first, and what is rare is handed to it.
local JSON = [=[
  Json = fun Json(X, _, _) when is_number(X); is_boolean(X); X =:= nil -> X;
             Json(X, _, _) when is_binary(X), byte_size(X) =< 4000 -> X;
             Json(_, 0, _) -> list_to_binary("...");
             Json(X, D, R) when is_tuple(X) -> Json(tuple_to_list(X), D, R);
             Json(X, D, R) when length(X) =< 1000 -> [Json(Y, D - 1, R) || Y <- X];
             Json(X, D, R) when map_size(X) =< 1000, not is_map_key('__struct__', X) ->
               maps:from_list([{if is_binary(K) -> K; is_atom(K) -> atom_to_binary(K); true -> R(K, 0, Json) end,
                                Json(V, D - 1, R)} || {K, V} <- maps:to_list(X), V =/= nil]);
             Json(X, D, R) -> R(X, D, Json) end,
]=]

-- Dates and times are written as Elixir would, whose module for it need not be loaded. The whole is bounded by Value.
local VALUE = [=[
  Iso = fun(X) ->
    F = fun(T, L) -> case is_map_key(hd(L), X) of
          true -> [io_lib:format(T, [maps:get(K, X) || K <- L])]; _ -> [] end end,
    Z = maps:get(utc_offset, X, nil),
    iolist_to_binary([lists:join("T", F("~4..0B-~2..0B-~2..0B", [year, month, day])
                                      ++ F("~2..0B:~2..0B:~2..0B", [hour, minute, second])),
      if is_integer(Z) ->
           N = Z + maps:get(std_offset, X, 0), A = [abs(N) div 3600, abs(N) rem 3600 div 60],
           if N =:= 0 -> "Z"; true -> [if N < 0 -> "-"; true -> "+" end, io_lib:format("~2..0B:~2..0B", A)] end;
         true -> [] end]) end,
  Rare = fun
    R(X, _, _) when is_atom(X) -> Text(X);
    R(X, _, _) when is_binary(X) -> binary:part(X, 0, min(byte_size(X), 4000));
    R(X, D, J) when length(X) > 1000, D > 0 ->
      J(lists:sublist(X, 1000), D, R) ++ [iolist_to_binary(["and ", integer_to_binary(length(X) - 1000), " more"])];
    R(X, D, J) when is_map(X), D > 0 ->
      S = maps:get('__struct__', X, nil),
      T = lists:member(S, ['Elixir.DateTime', 'Elixir.NaiveDateTime', 'Elixir.Date', 'Elixir.Time'])
        andalso maps:get(calendar, X) =:= 'Elixir.Calendar.ISO',
      if T -> Iso(X);
         S =:= 'Elixir.MapSet' -> J(maps:keys(maps:get(map, X)), D, R);
         S =:= nil -> J(maps:from_list(lists:sublist(maps:to_list(X), 1000)), D, R);
         true -> J(maps:put(list_to_binary("__struct__"), S, maps:remove('__struct__', X)), D, R) end;
    R(X, _, _) -> Said(X) end,
  Value = fun(X) -> V = Json(X, 12, Rare), case erlang:external_size(V) of
      N when N > 1000000 -> #{failed => iolist_to_binary(["its answer takes ", integer_to_binary(N), " bytes"])};
      _ -> #{value => V} end end,
  Why = fun(C, R, S) ->
    T = case is_map(R) andalso maps:get('__exception__', R, false) of
      true -> [Text(maps:get('__struct__', R)), case maps:get(message, R, nil) of
                 E when is_binary(E) -> [": ", E]; _ -> [] end];
      _ -> Said(R) end,
    P = case S of [{M, F, A, _} | _] -> [" in ", Func({M, F, if is_list(A) -> length(A); true -> A end})]; _ -> [] end,
    #{failed => unicode:characters_to_binary([case C of error -> []; _ -> [atom_to_binary(C), " "] end, T, P])} end,
]=]

local function texts()
  local words, err = skill.texts()
  if not words then return nil, err end
  local module = words.words .. MODULE
  return {
    describe = module .. [=[
  Line = fun(F) -> case Has(F) andalso (catch Mod:F()) of
      X when is_atom(X), X =/= false, X =/= nil -> Text(X);
      X when is_binary(X) -> binary:part(X, 0, min(byte_size(X), 20000));
      [_ | _] = X -> case catch unicode:characters_to_binary(X) of B when is_binary(B) -> B; _ -> undefined end;
      _ -> undefined end end,
  C = case Has(callbacks) andalso (catch Mod:callbacks()) of L when is_map(L) -> maps:to_list(L); _ -> [] end,
  Some([{loaded, erlang:module_loaded(Mod)}, {fits, Has(snapshot) andalso Has(callbacks)},
    {md5, case erlang:module_loaded(Mod) of true -> Mod:module_info(md5); _ -> undefined end},
    {callbacks, [#{name => Key(K), arity => element(2, erlang:fun_info(F, arity))} || {K, F} <- C, is_function(F)]}
    | [{F, Line(F)} || F <- [id, domain, title, description, system_prompt, callback_docs]]]).]=],

    snapshot = JSON .. module .. VALUE .. [=[
  try Value(Mod:snapshot()) catch C:R:S -> Why(C, R, S) end.]=],

    call = JSON .. module .. VALUE .. [=[
  try case [F || {K, F} <- maps:to_list(Mod:callbacks()), Key(K) =:= Name] of
        [F | _] -> Value(apply(F, Arguments));
        [] -> #{failed => list_to_binary("the module has it no more")} end
  catch C:R:S -> Why(C, R, S) end.]=],
  }
end

--- The Erlang of this file, for the build step that parses what we ship.
---@return string[]
function foreign.own_texts()
  local own, list = assert(texts()), {}
  for _, text in pairs(own) do list[#list + 1] = text end
  return list
end

--- Whether a name among the skills is that of a module on the node: Elixir's begin with a capital.
---@param name string
---@return boolean
function foreign.named(name)
  return name:match "^%u[%w_.]*$" ~= nil and not name:find("..", 1, true) and name:sub(-1) ~= "."
end

--- The names that are no module's.
---@param names string[]
---@return string[]
function foreign.others(names)
  local others = {}
  for _, name in ipairs(names) do
    if not foreign.named(name) then others[#others + 1] = name end
  end
  return others
end

local function fault(message, next_step) return nil, failure.new("skill", message, next_step, 2) end

-- RedisCache and redis-cache are redis_cache.
local function snake(text)
  text = text:match "[^.]*$":gsub("(%l)(%u)", "%1_%2"):gsub("(%u)(%u%l)", "%1_%2"):lower():gsub("[^%w_]+", "_")
  return text:match "^%l[%w_]*$"
end

-- A name of ours stays ours.
local function name_of(said, module)
  local name = snake(said.id or said.domain or "") or snake(module) or "skill"
  for _, ours in ipairs(skill.names()) do
    if ours == name then return "node_" .. name end
  end
  return name
end

local LONGEST_LINE, LONGEST_DOC, LONGEST_PROMPT = 200, 1000, 8000

-- `### redis_slowlog(count)` and the text below it.
local function documented(markdown)
  local docs, current = {}, nil
  for line in ((markdown or "") .. "\n"):gmatch "([^\n]*)\n" do
    local name, parameters = line:match "^%s*#+%s*`?([%w_?!]+)%(?([^)]*)"
    if name and line:find("(", 1, true) then
      current = { parameters = {} }
      for word in parameters:gmatch "[^,%s\\]+" do
        if word:match "^%l[%w_]*$" then table.insert(current.parameters, word) end
      end
      docs[name] = current
    elseif current and line:find "%S" then
      current[#current + 1] = plain.text(line:match "^%s*(.-)%s*$")
    end
  end
  for _, doc in pairs(docs) do doc.text = plain.cut(table.concat(doc, " "), LONGEST_DOC) end
  return docs
end

local function arguments_of(arity, doc)
  local args, seen = {}, {}
  for i = 1, arity do
    local name = doc and #doc.parameters == arity and doc.parameters[i]
    if not name or seen[name] then name = "argument" .. i end
    seen[name], args[i] = true, { name = name, type = "any" }
  end
  return args
end

-- An atom that is left is nil, which is JSON's null.
local function home(value)
  if type(value) == "userdata" and tostring(value) == "nil" then return json.null end
  if type(value) ~= "table" then return value end
  for key, inner in pairs(value) do value[key] = home(inner) end
  return value
end

local function answered(module, what, seen, err)
  if not seen then return nil, err end
  if seen.failed then return nil, ("%s of %s failed on the node: %s"):format(what, module, seen.failed) end
  return home(seen.value)
end

local function callback_of(module, binary, name, arity, doc)
  local args = arguments_of(arity, doc)
  local told = doc and doc.text ~= ""
  return {
    brief = not told and "" or nil,
    doc = told and doc.text or ("A callback of %s, which says nothing more of it."):format(module),
    args = args,
    class = "CAUTION",
    cost = "calls a function of " .. module .. " on the node; what that does is up to it",
    returns = { "what " .. module .. " answers" },
    run = function(node, given)
      local list = {}
      for i, arg in ipairs(args) do list[i] = given[arg.name] end
      return answered(module, name, node.ask("call", { module = binary, name = name, arguments = list }))
    end,
  }
end

-- It comes from the node and goes to a model: nothing in it that no eye can see.
local function paragraphs(text)
  local lines = {}
  text = utf8.cut(utf8.well_formed(text), LONGEST_PROMPT) .. "\n"
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = plain.text(line) end
  return (table.concat(lines, "\n"):gsub("\n\n\n+", "\n\n"))
end

local PROMPT = [[
You look after a part of the application on one BEAM node by what its own module %s tells of it.
Its documentation says:

%s]]

--- Opens a module of the node as a skill.
---@param name string   as Elixir writes it: MyApp.RedisSkill
---@param node table
---@return Skill?
---@return Failure? err
function foreign.open(name, node)
  local module = name:gsub("^Elixir%.", "")
  if not node then return fault(module .. " is a module of a node, and there is none here", "give it with --node") end
  local binary = "Elixir." .. module
  local queries, err = texts()
  if not queries then return nil, err end
  local said
  said, err = node.query(queries.describe, { Module = binary })
  if not said then return nil, err end
  if not said.loaded then
    return fault(("%s is not loaded on %s"):format(module, node.name or "the node"),
      "call it once there, or run the node in embedded mode; a skill of ours has a small first letter")
  end
  if not said.fits then
    return fault(("%s is no skill: it has no functions snapshot/0 and callbacks/0"):format(module),
      "see the behaviour Beamlens.Skill")
  end
  local docs, callbacks = documented(said.callback_docs), {}
  for _, c in ipairs(said.callbacks) do
    if not c.name:match "^[%a_][%w_]*$" then
      return fault(("%s has a callback %s, which no script can call"):format(module, plain.cut(c.name, 60)),
        "give it a name of letters, digits and _")
    end
    callbacks[c.name] = callback_of(module, binary, c.name, c.arity, docs[c.name])
  end
  local s = {
    name = name_of(said, module),
    title = plain.cut(said.title or module, LONGEST_LINE),
    about = plain.cut(said.description or ("What %s on the node tells of its part."):format(module), LONGEST_LINE),
    prompt = paragraphs(said.system_prompt or PROMPT:format(module, said.callback_docs or "nothing.")),
    needs = module .. " loaded on the node", from_node = true,
    queries = queries, callbacks = callbacks,
    snapshot = function(seen)
      local figures, why = answered(module, "snapshot", seen.ask("snapshot", { module = binary }))
      if figures == nil then return nil, why end
      if type(figures) ~= "table" or json.kind(figures) ~= "object" then
        return nil, ("snapshot of %s is no map, but %s"):format(module, term.text(figures):sub(1, 60))
      end
      return figures
    end,
    source = module .. (said.md5 or ""), places = {},
  }
  for word, text in pairs(queries) do s.places[word] = { text = text, file = "runtime/foreign_skill.lua" } end
  return skill.give_base(s)
end

return foreign
