--- What the node is asked for an expression's forms: constant Erlang texts; the expression travels as a binding.

local guards = require "sandbox.guards"

local texts = {}

-- The words that would be atoms are counted before the scanner makes them: they stay for ever.
texts.PARSE = [[
case length([W || W <- Words, not (try is_atom(binary_to_existing_atom(W, utf8)) catch error:_ -> false end)]) of
  N when N > Most -> {atoms, N};
  _ ->
    Chars = unicode:characters_to_list(S),
    Wrong = fun({L, M, D}) ->
      {wrong, L, unicode:characters_to_binary(M:format_error(D))}
    end,
    Column = fun() ->
      case erl_scan:string(Chars, {1, 1}) of
        {ok, T, E} ->
          Dotted = case T =/= [] andalso element(1, lists:last(T)) of dot -> T; _ -> T ++ [{dot, E}] end,
          case erl_parse:parse_exprs(Dotted) of {error, I} -> Wrong(I); {ok, _} -> strange end;
        {error, I, _} -> Wrong(I)
      end
    end,
    case erl_scan:string(Chars) of
      {ok, [], _} -> empty;
      {ok, [{dot, _}], _} -> empty;
      {ok, T, E} ->
        Dotted = case element(1, lists:last(T)) of dot -> T; _ -> T ++ [{dot, E}] end,
        case erl_parse:parse_exprs(Dotted) of
          {ok, Forms} -> {ok, term_to_binary(Forms)};
          {error, _} -> Column()
        end;
      {error, _, _} -> Column()
    end
end.]]

-- Elixir's own tokenizer asks for each atom. Macros are those that are in reach without require or import.
texts.QUOTE = [[
case ets:info(elixir_config, size) of
  undefined -> no_elixir;
  _ ->
    New = atomics:new(1, []),
    Encode = fun(Name, _) ->
      try {ok, binary_to_existing_atom(Name, utf8)} catch error:_ ->
        case byte_size(Name) > 255 orelse atomics:add_get(New, 1, 1) > Most of
          true -> {error, <<"more new words than are taken, ">>};
          false -> {ok, binary_to_atom(Name, utf8)}
        end
      end
    end,
    put(elixir_code_diagnostics, {[], false}),
    case 'Elixir.Code':string_to_quoted(S, [{static_atoms_encoder, Encode}, {columns, true}, {emit_warnings, false},
      {warnings, false}, {warn_on_unnecessary_quotes, false}]) of
      {ok, Quoted} ->
        Env = elixir:env_for_eval([]),
        Modules = ['Elixir.Kernel.SpecialForms' | maps:get(requires, Env)] ++ [M || {M, _} <- maps:get(macros, Env)],
        Macros = lists:usort([atom_to_binary(F, utf8) || M <- lists:usort(Modules), {F, _} <- M:'__info__'(macros)]),
        {ok, term_to_binary(Quoted), Macros};
      {error, {Where, Message, Token}} ->
        {wrong, case Where of
            [_ | _] -> {proplists:get_value(line, Where, 1), proplists:get_value(column, Where, 1)};
            _ -> Where
          end, case Message of {Before, After} -> [Before, Token, After]; _ -> [Message, Token] end}
    end
end.]]

-- No name may become a call that was none in the text, and no warning may be printed on the node: this is what
-- the two notes on each node of the syntax are for. (The process dictionary is for Elixir 1.15 and later.)
texts.EXPAND = [[
put(elixir_code_diagnostics, {[], false}),
Mark = fun Mark({Name, Meta, Rest}) when is_list(Meta) ->
             {Mark(Name), [{generated, true}, {if_undefined, raise} | Meta], Mark(Rest)};
           Mark({Left, Right}) -> {Mark(Left), Mark(Right)};
           Mark([Head | Tail]) -> [Mark(Head) | Mark(Tail)];
           Mark(Other) -> Other
       end,
Said = fun(E) ->
  case get(elixir_code_diagnostics) of
    {[_ | _] = All, _} -> maps:get(message, lists:last(All), <<"it does not compile">>);
    _ -> try 'Elixir.Exception':message(E) catch _:_ -> <<"it does not compile">> end
  end
end,
case erlang:function_exported(elixir, quoted_to_erl, 2) of
  false -> strange;
  true ->
    try elixir:quoted_to_erl(Mark(binary_to_term(Q)), elixir:env_for_eval([])) of
      R when tuple_size(R) =:= 4, is_tuple(element(1, R)) -> {ok, term_to_binary([element(1, R)])};
      _ -> strange
    catch
      error:undef -> strange;
      error:#{'__struct__' := _} = E -> {wrong, case E of #{line := L} -> L; _ -> none end, Said(E)}
    end
end.]]

--- The texts of this file and of the guards, for the build step that parses what we ship.
---@return string[]
function texts.own_texts()
  local own = guards.own_texts()
  for _, text in ipairs { texts.PARSE, texts.QUOTE, texts.EXPAND } do own[#own + 1] = text end
  return own
end

return texts
