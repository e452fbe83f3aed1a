--- What stands before an argument, or in the place of a function, in an expression of a person: Erlang texts, each a
--- fun. Those of ARGUMENTS are called with one argument and give it back or refuse it; their names are roles in
--- sandbox/functions/*.lua. They bind no variables but by their heads, so none of the expression's own is met.
---
--- Elixir decides when it runs whose code goes through an enumerable or shows a struct, and data can say that it is
--- any struct: so what is not known to be harmless is turned away where it runs.

local function quoted(names)
  local all = {}
  for name in names:gmatch "%S+" do all[#all + 1] = ("'Elixir.%s'"):format(name) end
  return table.concat(all, ", ")
end

-- Structs whose code does nothing with what a person may have put into them. That of an exception is asked for what it
-- has to say; of those that are not here it loads the module that they name.
local KNOWN = quoted [[
  Date Time DateTime NaiveDateTime Range Date.Range MapSet URI Version Regex
  ArgumentError ArithmeticError BadArityError BadFunctionError BadMapError BadStructError CaseClauseError
  CondClauseError Enum.EmptyError Enum.OutOfBoundsError ErlangError KeyError MatchError
  RuntimeError SystemLimitError TryClauseError WithClauseError FunctionClauseError
]]

local FOUND_BY = "global, pg, 'Elixir.Registry', gproc, syn"

-- Where one text is part of another it stands in capitals.
local function filled(text, parts)
  return (text:gsub("%u%u%u+", function(word) return parts[word] end))
end

local function refuse(name, why) return ([[erlang:error({beamlens_guard, <<"%s">>, <<"%s">>})]]):format(name, why) end

-- Whether a term holds nothing but plain data and structs that are known, with the usual calendar.
local PLAIN = filled([[
fun(Term) ->
  (fun(Words) when Words > 200000 -> false;
      (_) ->
        (fun Walk(#{calendar := C}) when is_atom(C), C =/= 'Elixir.Calendar.ISO', C =/= nil -> false;
             Walk(#{'__struct__' := S} = T) ->
               lists:member(S, [KNOWN]) andalso lists:all(Walk, maps:to_list(maps:remove('__struct__', T)));
             Walk(T) when is_map(T) -> lists:all(Walk, maps:to_list(T));
             Walk(T) when length(T) >= 0 -> lists:all(Walk, T);
             Walk([H | T]) -> Walk(H) andalso Walk(T);
             Walk({error_info, _}) -> false;
             Walk(T) when is_tuple(T) -> lists:all(Walk, tuple_to_list(T));
             Walk(_) -> true
         end)(Term)
   end)(erts_debug:size_shared(Term))
end]], { KNOWN = KNOWN })

local ENUMERABLE = filled([[
fun(E) when is_list(E) -> E;
   (#{'__struct__' := S} = E) when S =:= 'Elixir.Range'; S =:= 'Elixir.MapSet' -> E;
   (#{'__struct__' := 'Elixir.Date.Range', first := #{calendar := 'Elixir.Calendar.ISO'},
      last := #{calendar := 'Elixir.Calendar.ISO'}} = E) -> E;
   (E) when is_map(E), not is_map_key('__struct__', E) -> E;
   (_) -> REFUSE
end]], { REFUSE = refuse("an enumerable",
  "only lists, plain maps, ranges and sets are gone through, and streams that stand right there: "
  .. "anything else runs code of its own") })

local KNOWN_TERM = filled([[
fun(T) when is_binary(T); is_atom(T); is_number(T) -> T;
   (T) -> (fun(true) -> T; (false) -> REFUSE end)((PLAIN)(T))
end]], { PLAIN = PLAIN, REFUSE = refuse("a term",
  "it is large, or holds a struct, a calendar or an error whose own code would run") })

local TEXT = filled([[
fun(T) when is_binary(T); is_atom(T); is_number(T); is_list(T) -> T;
   (T) -> (KNOWN)(T)
end]], { KNOWN = KNOWN_TERM })

local MOST_BYTES = "20000000"
local TOO_LONG = refuse("a text", "more than 20 MB would be made at once, and no limit of the heap counts them")

-- Where not all of it is known, structs are shown as maps.
local function shows(head, call)
  return { narrow = "look at it as a map, with Map.from_struct/1", text = ("fun(%s) -> %s ++ "):format(head, call)
    .. filled("(fun(true) -> []; (false) -> [{structs, false}] end)((PLAIN)(T))) end", { PLAIN = PLAIN }) }
end

local function power(name)
  return { title = "a number", narrow = "work with smaller numbers", text = filled([[
fun(B, E) when is_integer(B), is_integer(E) ->
     (fun(S) when S > 70000 -> REFUSE; (_) -> POWER(B, E) end)(erlang:external_size(B) * abs(E));
   (B, E) -> POWER(B, E)
end]], { POWER = name, REFUSE = refuse("a number", "it would have more digits than the node can work with") }) }
end

-- How large a term is once nothing of it is shared, counted no further than is needed: what counts most is the steps.
local WIDTH = filled([[
(fun Wide(_, N) when N > MOST -> N;
     Wide(B, N) when is_bitstring(B) -> N + byte_size(B) + 8;
     Wide([H | T], N) -> Wide(T, Wide(H, N + 50));
     Wide(T, N) when is_tuple(T) -> lists:foldl(Wide, N + 8, tuple_to_list(T));
     Wide(T, N) when is_map(T) -> lists:foldl(Wide, N + 8, maps:to_list(T));
     Wide(_, N) -> N + 4
 end)]], { MOST = MOST_BYTES })

local BYTES_IN = filled([[
fun(L) when is_list(L) ->
     (fun(Size) when Size > MOST -> WHY; (_) -> L end)(
       (try erlang:iolist_size(L) catch error:_ -> WIDTH(L, 0) end));
   (B) -> B
end]], { MOST = MOST_BYTES, WHY = TOO_LONG, WIDTH = WIDTH })

local SHORT = filled([[
fun(B) when is_binary(B), byte_size(B) > 1000 -> WHY;
   (L) when is_list(L) -> (fun(Size) when Size > 1000 -> WHY; (_) -> L end)(WIDTH(L, 0));
   (T) -> T
end]], { WHY = TOO_LONG, WIDTH = WIDTH })

local TEXTS = filled([[
fun(L) ->
  (BYTESIN)([(fun(X) when is_list(X) -> 'Elixir.List':to_string((BYTESIN)(X)); (X) -> X end)((TEXT)(X))
     || X <- 'Elixir.Enum':to_list((INNER)(L))])
end]], { INNER = ENUMERABLE, TEXT = TEXT, BYTESIN = BYTES_IN })

-- The module that a sorter names compares dates by their calendar: only by one that is known.
local function sorter(up, down)
  return { narrow = "sort by a fun", text = filled([[
fun(M) when is_atom(M), M =/= asc, M =/= desc -> fun(A, B) -> M:compare((KNOWN)(A), (KNOWN)(B)) UPWARDS end;
   ({asc, M}) when is_atom(M) -> fun(A, B) -> M:compare((KNOWN)(A), (KNOWN)(B)) UPWARDS end;
   ({desc, M}) when is_atom(M) -> fun(A, B) -> M:compare((KNOWN)(A), (KNOWN)(B)) DOWNWARDS end;
   (S) -> S
end]], { KNOWN = KNOWN_TERM, UPWARDS = up, DOWNWARDS = down }) }
end

local function copies(name)
  return { title = "a text", narrow = "make less at a time", text = filled([[
fun(B, N) when is_binary(B), is_integer(N), byte_size(B) * N > MOST -> WHY; (B, N) -> COPY(B, N) end]],
    { COPY = name, MOST = MOST_BYTES, WHY = TOO_LONG }) }
end

local PROCESS_WHY = refuse("a process",
  "only a pid, a registered name, or a name that global, pg or Registry finds is asked")

local SHOWN = "look at it as a map, with Map.from_struct/1"

return {
  ARGUMENTS = {
    enumerable = { title = "an enumerable", narrow = "make a list or a map of it first", text = ENUMERABLE },
    enumerables = { title = "an enumerable", narrow = "make lists or maps of them first", text = filled(
      "fun(L) -> [(INNER)(E) || E <- 'Elixir.Enum':to_list((INNER)(L))] end", { INNER = ENUMERABLE }) },
    sorter = sorter("=/= gt", "=/= lt"), sorter_max = sorter("=/= lt", "=/= gt"),
    sorter_min = sorter("=/= gt", "=/= lt"), sorter_both = sorter("=:= lt", "=:= gt"),
    keys = { title = "keys", narrow = "give them as a list", text = filled(
      "fun(L) when is_list(L) -> L; (_) -> REFUSE end", { REFUSE = refuse("keys", "only a list of them is taken") }) },
    enumerable_fun = { narrow = "let the fun answer with a list", text = filled(
      "fun(F) -> fun(X) -> (INNER)(F(X)) end end", { INNER = ENUMERABLE }) },
    enumerable_step = { narrow = "let the fun answer with a list", text = filled([[
fun(F) when is_function(F, 1) -> fun(X) -> (fun({E, A}) -> {(INNER)(E), A}; (O) -> O end)(F(X)) end;
   (F) -> fun(X, Y) -> (fun({E, A}) -> {(INNER)(E), A}; (O) -> O end)(F(X, Y)) end
end]], { INNER = ENUMERABLE }) },
    known = { title = "a term", narrow = SHOWN, text = KNOWN_TERM },
    text = { narrow = SHOWN, text = filled("fun(T) -> (BYTESIN)((TEXT)(T)) end", { TEXT = TEXT, BYTESIN = BYTES_IN }) },
    texts = { narrow = SHOWN, text = TEXTS },
    container = { title = "a struct", narrow = SHOWN, text = filled([[
fun(#{'__struct__' := _}) -> REFUSE; (C) -> C end]],
      { REFUSE = refuse("a struct", "the code of its module would be asked for the value") }) },
    map = { title = "a map", narrow = "give it a struct or a map", text = filled(
      "fun(M) when is_map(M) -> M; (_) -> REFUSE end",
      { REFUSE = refuse("a map", "of a module the code would run") }) },
    regex = { narrow = "write the expression there", text = [[
fun(#{'__struct__' := _, source := S, opts := O}) when is_binary(S) -> 'Elixir.Regex':'compile!'(S, O);
   (#{'__struct__' := _}) -> erlang:error(badarg);
   (P) -> P
end]] },
    raised = { title = "an exception", narrow = "raise a text", text = filled([[
fun(E) when is_binary(E) -> E;
   (E) when is_atom(E) -> (fun(true) -> E; (false) -> REFUSE end)(lists:member(E, [KNOWN]));
   (#{'__struct__' := _, '__exception__' := true} = E) -> E;
   (E) -> (INNER)(E)
end]], { KNOWN = KNOWN, INNER = KNOWN_TERM,
      REFUSE = refuse("an exception", "the code of that module would make it") }) },
    -- Of a place in the code only what is no call of anything is kept.
    stack = { narrow = "leave the stack out", text = filled([[
fun(S) when length(S) >= 0 ->
     [(fun({M, F, A, L}) when is_atom(M), is_atom(F), length(L) >= 0 ->
             {M, F, (fun(N) when is_integer(N) -> N; (As) when length(As) >= 0 -> length(As); (_) -> 0 end)(A),
               [P || {K, V} = P <- L, (K =:= line andalso is_integer(V)) orelse (K =:= file andalso is_list(V))]};
          (_) -> {unknown, unknown, 0, []}
       end)(E) || E <- S];
   (_) -> []
end]], {}) },
    process = { title = "a process", narrow = "ask it by its pid", text = filled([[
fun(P) when is_pid(P); is_atom(P); is_port(P) -> P;
   ({global, _} = P) -> P;
   ({via, M, _} = P) when is_atom(M) -> (fun(true) -> P; (false) -> WHY end)(lists:member(M, [FOUNDBY]));
   ({N, Node} = P) when is_atom(N), Node =:= node() -> P;
   (_) -> WHY
end]], { FOUNDBY = FOUND_BY, WHY = PROCESS_WHY }) },
    -- It is told the module too: one may only be called as if it were a repository.
    of_a_repo = { title = "a repository", narrow = "ask a repository of Ecto for a schema", text = filled([[
fun(Asked, Repo) ->
  (fun(true, #{'__struct__' := _}) -> NOQUERY; (true, _) -> Asked; (_, _) -> NOREPO end)(
    erlang:function_exported(Repo, '__adapter__', 0), Asked)
end]], { NOREPO = refuse("a repository", "no repository of Ecto that is loaded has this name"),
      NOQUERY = refuse("a repository", "a query that was made up may hold any statement") }) },
    handle = { title = "a socket", narrow = "ask one of erlang:ports() or socket:which_sockets()", text = filled([[
fun(P) when is_port(P) -> P;
   ({'$inet', M, _} = P) when M =:= gen_tcp_socket; M =:= gen_udp_socket -> P;
   ({'$socket', _} = P) -> P;
   (_) -> REFUSE
end]], { REFUSE = refuse("a socket", "a handle that is made up names a module, which is called") }) },
    -- A product takes the square of its length and cannot be ended in between.
    factor = { title = "a number", narrow = "work with smaller numbers", text = filled([[
fun(N) when is_integer(N), (N > 576460752303423487) or (N < -576460752303423488) ->
     (fun(S) when S > 8200 -> REFUSE; (_) -> N end)(erlang:external_size(N));
   (N) -> N
end]], { REFUSE = refuse("a number", "it has more than 65536 bits, and working with it can stop the whole node") }) },
    digits = { title = "a number", narrow = "work with smaller numbers", text = filled([[
fun(B) when is_bitstring(B), byte_size(B) > 4096 -> REFUSE;
   ([_ | _] = L) -> (fun([]) -> L; (_) -> REFUSE end)(lists:nthtail(min(4096, length(L)), L));
   (T) -> T
end]], { REFUSE = refuse("a number", "it is longer than 4096 bytes, and working with it can stop the whole node") }) },
    piece = { title = "a text", narrow = "take a part of it", text = filled([[
fun(B) when is_bitstring(B), byte_size(B) > 10000000 -> WHY; (B) -> B end]], { WHY = TOO_LONG }) },
    bytes_in = { narrow = "make less at a time", text = BYTES_IN },
    short = { narrow = "take a shorter one", text = SHORT },
    subject = { narrow = "take a part of it", text = filled([[
fun(B) when is_binary(B), byte_size(B) > 1000000 -> WHY;
   (L) when is_list(L) -> (fun(Size) when Size > 1000000 -> WHY; (_) -> L end)(WIDTH(L, 0));
   (T) -> T
end]], { WHY = TOO_LONG, WIDTH = WIDTH }) },
    replacement = { narrow = "take a shorter one", text = filled([[
fun(F) when is_function(F, 0) -> fun() -> (SHORT)(F()) end;
   (F) when is_function(F, 1) -> fun(A) -> (SHORT)(F(A)) end;
   (F) when is_function(F, 2) -> fun(A, B) -> (SHORT)(F(A, B)) end;
   (F) when is_function(F, 3) -> fun(A, B, C) -> (SHORT)(F(A, B, C)) end;
   (T) when not is_function(T) -> (SHORT)(T)
end]], { SHORT = SHORT }) },
    packed = { narrow = "look at a part of it", text = filled([[
fun(T) -> (fun(Size) when Size > MOST -> WHY; (_) -> T end)(WIDTH(T, 0)) end]],
      { MOST = MOST_BYTES, WHY = TOO_LONG, WIDTH = WIDTH }) },
  },

  FUNCTIONS = {
    ["Elixir.Kernel:inspect/1"] = shows("T", "'Elixir.Kernel':inspect(T, []"),
    ["Elixir.Kernel:inspect/2"] = shows("T, O", "'Elixir.Kernel':inspect(T, O"),
    ["Elixir.IO:inspect/1"] = shows("T", "'Elixir.IO':inspect(T, []"),
    ["Elixir.IO:inspect/2"] = shows("T, O", "'Elixir.IO':inspect(T, O"),
    ["Elixir.IO:inspect/3"] = shows("D, T, O", "'Elixir.IO':inspect(D, T, O"),
    ["Elixir.Integer:pow/2"] = power "'Elixir.Integer':pow",
    ["Elixir.Kernel:**/2"] = power "'Elixir.Kernel':'**'",
    ["Elixir.Enum:map_join/2"] = { narrow = SHOWN, text = filled(
      "fun(E, F) -> 'Elixir.Enum':join((TEXTS)('Elixir.Enum':map(E, F))) end", { TEXTS = TEXTS }) },
    ["Elixir.Enum:map_join/3"] = { narrow = SHOWN, text = filled(
      "fun(E, J, F) -> 'Elixir.Enum':join((TEXTS)('Elixir.Enum':map(E, F)), J) end", { TEXTS = TEXTS }) },
    ["binary:copy/2"] = copies "binary:copy",
    ["Elixir.String:duplicate/2"] = copies "'Elixir.String':duplicate",
  },

  -- Runs beside what is evaluated: what lies outside the heap is counted by no limit of the heap. It ends with it.
  WATCH = [[
fun() ->
  (fun(P, Before) ->
     spawn(fun() ->
       (fun Watch(Ref) ->
          receive {'DOWN', Ref, process, _, _} -> ok
          after 20 ->
            (fun(Now) when Now - Before > 268435456, Now - Before > Before div 10 -> exit(P, kill);
                (_) -> Watch(Ref)
             end)(erlang:memory(system))
          end
        end)(erlang:monitor(process, P))
     end)
   end)(self(), erlang:memory(system))
end.]],

  -- What a call of these makes may stand as such an argument without a look: what they were given was looked at.
  MAKERS = {
    enumerable = { ["Elixir.Stream"] = true, ["Elixir.String:splitter"] = true },
    known = { ["Elixir.Version"] = true },
    of_a_repo = {},
  },
}
