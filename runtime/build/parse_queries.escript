#!/usr/bin/env escript
%% Build step: parses the texts that runtime/build/collect_queries.lua writes, so that no node has to.
%% The records stay as they are, but in place of the text stands its form in external term
%% format, without the first byte. runtime/node/parsed.lua reads them.
%%
%% Texts begin with words that skills share, of which each uses a few. erl_eval lints every fun that it comes to, so
%% the others would cost the node more than the question does: what is defined and never named is left out here.

main([]) ->
    ok = io:setopts(standard_io, [binary, {encoding, latin1}]),
    each(standard_io).

each(Io) ->
    case file:read(Io, 64 + 4) of
        eof -> ok;
        {ok, <<Hash:64/binary, Length:32>>} ->
            {ok, Text} = file:read(Io, Length),
            <<131, Form/binary>> = term_to_binary(form(Text)),
            ok = file:write(Io, [Hash, <<(byte_size(Form)):32>>, Form]),
            each(Io)
    end.

form(Text) ->
    {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Text)),
    case erl_parse:parse_exprs(Tokens) of
        {ok, [Form]} -> lean(Form);
        {error, {Line, Module, Why}} ->
            io:format(standard_error, "~ts~n~nline ~w: ~ts~n", [Text, Line, Module:format_error(Why)]),
            halt(1)
    end.

%% What runtime/node/query.lua wraps: {begin Expressions end, Cost}.
lean({tuple, L, [{block, M, All} | Rest]}) -> {tuple, L, [{block, M, named(All)} | Rest]};
lean(Form) -> Form.

%% From the last to the first: a fun is of use to what comes after it.
named(All) -> {Kept, _} = lists:foldr(fun(Form, Seen) -> keep(Form, Seen) end, {[], []}, All), Kept.

keep({match, _, {var, _, Name}, Value} = Form, {[_ | _] = Kept, Seen}) ->
    case does_nothing(Value) andalso not lists:member(Name, Seen) of
        true -> {Kept, Seen};
        false -> {[Form | Kept], variables(Form, Seen)}
    end;
keep(Form, {Kept, Seen}) -> {[Form | Kept], variables(Form, Seen)}.

does_nothing({'fun', _, _}) -> true;
does_nothing({named_fun, _, _, _}) -> true;
does_nothing({cons, _, {atom, _, _}, Tail}) -> does_nothing(Tail);
does_nothing({nil, _}) -> true;
does_nothing(_) -> false.

variables({var, _, Name}, Seen) -> [Name | Seen];
variables(Form, Seen) when is_tuple(Form) -> variables(tuple_to_list(Form), Seen);
variables([First | Rest], Seen) -> variables(Rest, variables(First, Seen));
variables(_, Seen) -> Seen.
