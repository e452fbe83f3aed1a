#!/usr/bin/env escript
%% Build step: parses the texts that runtime/build/collect_queries.lua writes, so that no node has to.
%% The records stay as they are, but in place of the text stands its form in external term
%% format, without the first byte. runtime/node/parsed.lua reads them.

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
        {ok, [Form]} -> Form;
        {error, {Line, Module, Why}} ->
            io:format(standard_error, "~ts~n~nline ~w: ~ts~n", [Text, Line, Module:format_error(Why)]),
            halt(1)
    end.
