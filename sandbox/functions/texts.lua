--- Text, bytes, dates, and printing to the asker's own output.

return {
  {
    class = "SAFE", effect = "reads", cost = "walks the text",
    why = "works on a text",
    functions = {
      string = [[
        casefold/1 centre(_,count) centre(_,count,_) chars(_,count) chars(_,count,_) chomp/1 chr/2 concat/2
        copies(_,count) cspan/2 equal/2,3,4 find/2,3 is_empty/1 join/2 left(_,count) left(_,count,_) len/1 length/1
        lexemes/2 lowercase/1 next_codepoint/1 next_grapheme/1 nth_lexeme/3 pad(_,count) pad(_,count,_)
        pad(_,count,_,_) prefix/2 rchr/2 replace/3,4 reverse/1 right(_,count) right(_,count,_) rstr/2 slice/2,3
        span/2 split/2,3 str/2 strip/1,2,3 sub_string/2,3 sub_word/2,3 substr/2,3 take/2,3,4 titlecase/1 to_float/1
        to_graphemes/1 to_integer(digits) to_lower/1 to_upper/1 tokens/2 trim/1,2,3 uppercase/1 words/1,2
      ]],
      unicode = [[
        bom_to_encoding/1 characters_to_binary(bytes_in) characters_to_binary(bytes_in,_)
        characters_to_binary(bytes_in,_,_) characters_to_list/1,2 characters_to_nfc_binary/1
        characters_to_nfc_list/1 characters_to_nfd_binary/1 characters_to_nfd_list/1 characters_to_nfkc_binary/1
        characters_to_nfkc_list/1 characters_to_nfkd_binary/1 characters_to_nfkd_list/1 encoding_to_bom/1
      ]],
      uri_string = [[
        parse/1 recompose/1 normalize/1,2 dissect_query/1 compose_query/1,2 percent_decode/1 quote/1 unquote/1
      ]],
      filename = "basename/1,2 dirname/1 extension/1 flatten/1 join/1,2 pathtype/1 rootname/1,2 split/1 nativename/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the bytes",
    why = "works on a binary",
    functions = {
      binary = [[
        at/2 bin_to_list/1,2,3 compile_pattern/1 copy/1 copy(_,bytes) decode_hex/1 decode_unsigned(digits)
        decode_unsigned(digits,_) encode_hex/1
        encode_unsigned/1,2 first/1 last/1 list_to_bin(bytes_in) longest_common_prefix/1 longest_common_suffix/1
        match/2,3
        matches/2,3 part/2,3 referenced_byte_size/1 split/2,3
      ]],
      base64 = "decode/1 decode_to_string/1 encode/1 encode_to_string/1 mime_decode/1 mime_decode_to_string/1",
    },
  },
  {
    class = "SAFE", effect = "reads", since = 26, cost = "walks the bytes",
    why = "works on a binary",
    functions = {
      binary = "encode_hex/2 join/2",
      base64 = "decode/2 encode/2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the bytes",
    why = "replaces in a binary",
    functions = {
      binary = "replace(subject,_,replacement) replace(subject,_,replacement,_)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "the text by the pattern; a match limit ends it",
    why = "matches a text with a regular expression",
    functions = {
      re = [[
        compile/1,2 run(_,pattern) run(_,pattern,_) split(_,pattern) split(_,pattern,_)
        replace(subject,pattern,replacement)
        replace(subject,pattern,replacement,_) version/0
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the term",
    why = "writes a term as text, to nowhere",
    functions = {
      io_lib = [[
        char_list/1 format/2,3 fwrite/2,3 latin1_char_list/1 nl/0 print/1,4 printable_latin1_list/1 printable_list/1
        printable_unicode_list/1 quote_atom/2 write/1,2,3 write_atom/1 write_binary/3 write_char/1 write_string/1,2
      ]],
      erl_scan = "category/1 column/1 end_location/1 format_error/1 line/1 location/1 symbol/1 text/1",
      erl_pp = "expr/1 exprs/1 form/1",
      erl_parse = "abstract/1 abstract(_,fun?)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "atoms are never freed",
    why = "makes an atom of every word",
    functions = {
      erl_scan = "string/1,2,3 tokens/3,4",
      io_lib = "fread/2,3",
      erl_parse = "parse_exprs/1 parse_form/1 parse_term/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "small",
    why = "prints to the output of the one who asks",
    functions = {
      io = [[
        format/1,2 format(own_device,_,_) fwrite/1,2 fwrite(own_device,_,_) nl/0 nl(own_device) put_chars/1
        put_chars(own_device,_) write/1 write(own_device,_) columns/0 rows/0 printable_range/0
      ]],
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "waits for an answer",
    why = "reads from a device that may have nobody behind it",
    functions = {
      io = "get_chars/2,3 get_line/1,2 read/1,2,3,4 fread/2,3 setopts/1,2 scan_erl_exprs/1 parse_erl_exprs/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "works on dates and times",
    functions = {
      calendar = [[
        date_to_gregorian_days/1,3 datetime_to_gregorian_seconds/1 day_of_the_week/1,3 gregorian_days_to_date/1
        gregorian_seconds_to_datetime/1 is_leap_year/1 iso_week_number/0,1 last_day_of_the_month/2 local_time/0
        local_time_to_universal_time/1,2 local_time_to_universal_time_dst/1 now_to_datetime/1 now_to_local_time/1
        now_to_universal_time/1 rfc3339_to_system_time/1,2 seconds_to_daystime/1 seconds_to_time/1
        system_time_to_local_time/2 system_time_to_rfc3339/1,2 system_time_to_universal_time/2 time_difference/2
        time_to_seconds/1 universal_time/0 universal_time_to_local_time/1 valid_date/1,3
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "reads a clock",
    functions = {
      erlang = [[
        date/0 localtime/0 localtime_to_universaltime/1,2 monotonic_time/0,1 now/0 posixtime_to_universaltime/1
        system_time/0,1 time/0 time_offset/0,1 timestamp/0 universaltime/0 universaltime_to_localtime/1
        universaltime_to_posixtime/1
      ]],
      os = "perf_counter/0,1 system_time/0,1 timestamp/0",
      timer = "now_diff/2 hms/3 hours/1 minutes/1 seconds/1",
    },
  },
}
