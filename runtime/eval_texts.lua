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

-- Before it is expanded, each node of the syntax gets two notes: no name becomes a call that was none in the text,
-- and most warnings, which would be printed on the node, are not given. What stands in a block for nothing is left
-- out for the same reason. From Elixir 1.15 on the process dictionary takes warnings and errors; it goes on after
-- some of these. And x.y becomes maps:get(y, x): to Elixir it may also be the call of a function of any module.
-- A regular expression is compiled when it runs: a compiled one in the forms could be one that somebody made up.
-- In the surroundings of a function, Elixir loads no module to see which of its functions are deprecated.
texts.EXPAND = [[
put(elixir_code_diagnostics, {[], false}),
Note = fun(Meta) -> [{generated, true}, {if_undefined, raise} | Meta] end,
Idle = fun({_, _, Context}) -> is_atom(Context); (Term) -> not is_tuple(Term) andalso not is_list(Term) end,
Mark = fun Mark({{'.', Dot, [{Head, _, _} = Left, Field]}, Meta, []}, true)
             when is_atom(Field), Head =/= '__aliases__', Head =/= '__MODULE__' ->
             case proplists:get_value(no_parens, Meta, false) of
               true ->
                 {{'.', Note(Dot), [maps, get]}, Note(proplists:delete(no_parens, Meta)), [Field, Mark(Left, true)]};
               false -> {{'.', Note(Dot), [Mark(Left, true), Field]}, Note(Meta), []}
             end;
           Mark({Sigil, Meta, [{'<<>>', _, [Source]}, Flags]}, _) when Sigil =:= sigil_r orelse Sigil =:= sigil_R,
               is_binary(Source), is_list(Flags) ->
             {{'.', Note(Meta), ['Elixir.Regex', 'compile!']}, Note(Meta), [Source, list_to_binary(Flags)]};
           Mark({'__block__', Meta, [_ | _] = All}, Fields) ->
             Used = [E || E <- lists:droplast(All), not Idle(E)] ++ [lists:last(All)],
             {'__block__', Note(Meta), Mark(Used, Fields)};
           Mark({Name, Meta, [Path | Rest]}, true) when is_list(Meta),
               Name =:= put_in orelse Name =:= update_in orelse Name =:= pop_in orelse Name =:= get_and_update_in ->
             {Name, Note(Meta), [Mark(Path, false) | Mark(Rest, true)]};
           Mark({Name, Meta, Rest}, Fields) when is_list(Meta) -> {Mark(Name, Fields), Note(Meta), Mark(Rest, Fields)};
           Mark({Left, Right}, Fields) -> {Mark(Left, Fields), Mark(Right, Fields)};
           Mark([Head | Tail], Fields) -> [Mark(Head, Fields) | Mark(Tail, Fields)];
           Mark(Other, _) -> Other
       end,
Errors = fun() ->
  {All, _} = get(elixir_code_diagnostics),
  [{wrong, At, Message} || #{severity := error, position := At, message := Message} <- lists:reverse(All)]
end,
case erlang:function_exported(elixir, quoted_to_erl, 2) of
  false -> strange;
  true ->
    Env = (elixir:env_for_eval([]))#{function => {beamlens, 0}},
    try elixir:quoted_to_erl(Mark(binary_to_term(Q), true), Env) of
      R when tuple_size(R) =:= 4, is_tuple(element(1, R)) ->
        hd(Errors() ++ [{ok, term_to_binary([element(1, R)])}]);
      _ -> strange
    catch
      error:undef -> strange;
      error:#{'__struct__' := _} = E ->
        Said = try 'Elixir.Exception':message(E) catch _:_ -> <<"it does not compile">> end,
        hd(Errors() ++ [{wrong, case E of #{line := Line} -> Line; _ -> none end, Said}])
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
