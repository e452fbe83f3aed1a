--- Elixir's data: collections, texts, numbers, dates. Elixir's protocols run the code of a struct; the
--- text itself cannot make a struct that does more than hold data (sandbox/classify/calls.lua).

return {
  {
    class = "SAFE", effect = "reads", cost = "walks the collection",
    why = "works on a collection",
    first = { ["Elixir.Enum"] = "enumerable", ["Elixir.Stream"] = "enumerable" },
    functions = {
      ["Elixir.Enum"] = [[
        all?/1 any?/1 at/2,3 chunk_every/2,3,4 concat(enumerables) concat(_,enumerable) count/1 count_until/2 dedup/1
        drop/2 drop_every/2 empty?/1
        fetch/2 fetch!/2 frequencies/1 intersperse/2 into(_,collectable) join(texts) join(texts,short) max/1 member?/2
        min/1 min_max/1
        product/1 random/1 reverse/1 reverse(_,enumerable) reverse_slice/3 shuffle/1 slice/2,3 slide/3 sort/1
        sort(_,sorter) split/2
        sum/1 take/2 take_every/2 take_random/2 to_list/1 uniq/1 unzip/1 with_index/1 zip(enumerables)
        zip(_,enumerable)
      ]],
      ["Elixir.Stream"] = [[
        chunk_every/2,3,4 concat(enumerables) concat(_,enumerable) cycle/1 dedup/1 drop/2 drop_every/2
        duplicate(any,_) intersperse/2 interval(any) run/1 take/2 take_every/2 timer(any) uniq/1 with_index/1
        zip(enumerables) zip(_,enumerable)
      ]],
      ["Elixir.Map"] = [[
        delete/2 drop(_,keys) equal?/2 fetch(_,key) fetch!(_,key) from_keys(keys,_) from_struct(map) get(_,key)
        get(_,key,_)
        has_key?(_,key) keys/1 merge/2 new/0 new(enumerable) pop/2,3 pop!/2 put/3 put_new/3 replace/3
        replace!/3 split(_,keys) take(_,keys) to_list/1 values/1
      ]],
      ["Elixir.MapSet"] = [[
        delete/2 difference/2 disjoint?/2 equal?/2 intersection/2 member?/2 new/0 new(enumerable) put/2 size/1 subset?/2
        symmetric_difference/2 to_list/1 union/2
      ]],
      ["Elixir.Keyword"] = [[
        delete/2 delete_first/2 drop/2 equal?/2 fetch/2 fetch!/2 from_keys/2 get/2,3 get_values/2 has_key?/2 keys/1
        keyword?/1 merge/2 new/0 new(enumerable) pop/2,3 pop!/2 pop_first/2,3 pop_values/2 put/3 put_new/3 replace/3
        replace!/3
        split/2 take/2 to_list/1 validate/2 validate!/2 values/1
      ]],
      ["Elixir.List"] = [[
        ascii_printable?/1,2 delete/2 delete_at/2 duplicate(_,count) first/1,2 flatten/1,2 improper?/1 insert_at/3
        keydelete/3 keyfind/3,4 keyfind!/3 keymember?/3 keyreplace/4 keysort/2 keysort(_,_,sorter) keystore/4
        keytake/3 last/1,2 myers_difference/2 pop_at/2,3 replace_at/3 starts_with?/2 to_charlist/1
        to_existing_atom(word) to_float/1 to_integer(digits) to_integer(digits,_) to_string(bytes_in) to_tuple/1 wrap/1
        zip(enumerables)
      ]],
      ["Elixir.Tuple"] = "append/2 delete_at/2 duplicate(_,count) insert_at/3 product/1 sum/1 to_list/1",
      ["Elixir.Range"] = "disjoint?/2 new/2,3 shift/2 size/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "that of the fun, for every element",
    why = "calls a fun for the elements of a collection",
    first = { ["Elixir.Enum"] = "enumerable", ["Elixir.Stream"] = "enumerable" },
    functions = {
      ["Elixir.Enum"] = [[
        all?(_,fun) any?(_,fun) chunk_by(_,fun) chunk_while(_,_,fun,fun) count(_,fun) count_until(_,fun,_)
        dedup_by(_,fun) drop_while(_,fun) each(_,fun) filter(_,fun) find(_,fun) find(_,_,fun) find_index(_,fun)
        find_value(_,fun) find_value(_,_,fun) flat_map(_,enumerable_fun) flat_map_reduce(_,_,enumerable_step)
        frequencies_by(_,fun)
        group_by(_,fun) group_by(_,fun,fun) into(_,collectable,fun) map(_,fun) map_every(_,_,fun)
        map_intersperse(_,_,fun) map_join(_,fun) map_join(_,short,fun) map_reduce(_,_,fun) max(_,sorter_max)
        max(_,sorter_max,fun) max_by(_,fun) max_by(_,fun,sorter_max) max_by(_,fun,sorter_max,fun) min(_,sorter_min)
        min(_,sorter_min,fun) min_by(_,fun) min_by(_,fun,sorter_min) min_by(_,fun,sorter_min,fun) min_max(_,fun)
        min_max_by(_,fun) min_max_by(_,fun,sorter_both) min_max_by(_,fun,sorter_both,fun) reduce(_,fun) reduce(_,_,fun)
        reduce_while(_,_,fun) reject(_,fun) scan(_,fun) scan(_,_,fun) sort_by(_,fun) sort_by(_,fun,sorter)
        split_while(_,fun) split_with(_,fun) take_while(_,fun) uniq_by(_,fun) with_index(_,fun?)
        zip_reduce(enumerables,_,fun) zip_reduce(_,enumerable,_,fun) zip_with(enumerables,fun)
        zip_with(_,enumerable,fun)
      ]],
      ["Elixir.Stream"] = [[
        chunk_by(_,fun) chunk_while(_,_,fun,fun) dedup_by(_,fun) drop_while(_,fun) each(_,fun) filter(_,fun)
        flat_map(_,enumerable_fun) iterate(any,fun) map(_,fun) map_every(_,_,fun) reject(_,fun) repeatedly(fun)
        resource(fun,enumerable_step,fun) scan(_,fun) scan(_,_,fun) take_while(_,fun) transform(_,_,enumerable_step)
        transform(_,fun,enumerable_step,fun) unfold(any,fun) uniq_by(_,fun) with_index(_,fun?)
        zip_with(enumerables,fun) zip_with(_,enumerable,fun)
      ]],
      ["Elixir.Map"] = [[
        filter(_,fun) get_and_update(_,_,fun) get_and_update!(_,_,fun) get_lazy(_,_,fun) merge(_,_,fun)
        new(enumerable,fun) pop_lazy(_,_,fun) put_new_lazy(_,_,fun) reject(_,fun) replace_lazy(_,_,fun)
        update(_,_,_,fun) update!(_,_,fun)
      ]],
      ["Elixir.MapSet"] = "filter(_,fun) new(enumerable,fun) reject(_,fun)",
      ["Elixir.Keyword"] = [[
        filter(_,fun) get_and_update(_,_,fun) get_lazy(_,_,fun) merge(_,_,fun) new(enumerable,fun) pop_lazy(_,_,fun)
        put_new_lazy(_,_,fun) reject(_,fun) replace_lazy(_,_,fun) update(_,_,_,fun) update!(_,_,fun)
      ]],
      ["Elixir.List"] = "foldl(_,_,fun) foldr(_,_,fun) myers_difference(_,_,fun) update_at(_,_,fun)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the text",
    why = "works on a text",
    first = { ["Elixir.Regex"] = "regex" }, every = { ["Elixir.URI"] = "known", ["Elixir.Version"] = "known" },
    functions = {
      ["Elixir.String"] = [[
        at/2 bag_distance/2 capitalize/1,2 chunk/2 codepoints/1 contains?/2 downcase/1,2 duplicate(_,bytes)
        ends_with?/2 equivalent?/2 first/1 graphemes/1 jaro_distance/2 last/1 length/1 match?(_,regex)
        myers_difference/2
        next_codepoint/1 next_grapheme/1 normalize/2 pad_leading(_,bytes) pad_leading(_,bytes,short)
        pad_trailing(_,bytes) pad_trailing(_,bytes,short) printable?/1,2 replace(subject,regex,replacement)
        replace(subject,regex,replacement,_)
        replace_leading(subject,_,short) replace_prefix/3 replace_suffix/3 replace_trailing(subject,_,short)
        reverse/1 slice/2,3 split/1
        split(_,regex)
        split(_,regex,_)
        split_at/2 splitter/2,3 starts_with?/2 to_charlist/1 to_existing_atom(word) to_float/1
        to_integer(digits) to_integer(digits,_) trim/1,2 trim_leading/1,2 trim_trailing/1,2 upcase/1,2 valid?/1
      ]],
      ["Elixir.Regex"] = [[
        compile(any) compile(any,_) compile!(any) compile!(any,_) escape(any) match?/2 named_captures/2,3 names/1
        opts/1 re_pattern/1 recompile/1
        recompile!/1 replace(_,subject,replacement) replace(_,subject,replacement,_) run/2,3 scan/2,3 source/1
        split/2,3 version/0
      ]],
      ["Elixir.Base"] = [[
        decode16/1,2 decode16!/1,2 decode32/1,2 decode32!/1,2 decode64/1,2 decode64!/1,2 encode16/1,2 encode32/1,2
        encode64/1,2 url_decode64/1,2 url_decode64!/1,2 url_encode64/1,2
      ]],
      ["Elixir.URI"] = [[
        append_query/2 decode/1 decode_query/1,2 decode_www_form/1 default_port/1 encode/1 encode(_,fun)
        encode_query/1,2 encode_www_form/1 merge/2 new/1 new!/1 parse/1 to_string/1
      ]],
      ["Elixir.Path"] = "basename/1,2 dirname/1 extname/1 join/1,2 relative_to/2 rootname/1,2 split/1 type/1 absname/2",
      ["Elixir.Version"] = [[
        compare/2 compile_requirement/1 match?/2,3 parse/1 parse!/1 parse_requirement/1 parse_requirement!/1
        to_string/1
      ]],
      ["Elixir.Macro"] = "camelize/1 underscore/1 inspect_atom/2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "atoms are never freed; a full table ends the node",
    why = "makes new atoms: to_existing_atom makes none",
    functions = {
      ["Elixir.String"] = "to_atom/1",
      ["Elixir.List"] = "to_atom/1",
      ["Elixir.Module"] = "concat/1,2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "works on names of modules and on funs",
    functions = {
      ["Elixir.Module"] = "safe_concat(word) safe_concat(word,word) split/1",
      ["Elixir.Atom"] = "to_charlist/1 to_string/1",
      ["Elixir.Function"] = "identity/1 info/1,2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "makes a fun of whatever it is given",
    functions = {
      ["Elixir.Function"] = "capture/3",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "works on numbers",
    functions = {
      ["Elixir.Integer"] = [[
        digits/1,2 extended_gcd/2 floor_div/2 gcd/2 mod/2 parse(digits) parse(digits,_) pow(_,exponent)
        to_charlist/1,2 to_string/1,2
        undigits(digits) undigits(digits,factor)
      ]],
      ["Elixir.Float"] = [[
        ceil/1,2 floor/1,2 max_finite/0 min_finite/0 parse/1 pow/2 ratio/1 round/1,2 to_charlist/1 to_string/1
      ]],
      ["Elixir.Bitwise"] = [[
        band/2 bnot/1 bor/2 bxor/2 bsl(factor,exponent) bsr(_,exponent) &&&/2 |||/2 <<<(factor,exponent) >>>(_,exponent)
      ]],
      ["Elixir.Kernel"] = "**(_,exponent)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "that of the term",
    why = "reads or changes a copy of a term",
    functions = {
      ["Elixir.Kernel"] = [[
        =~(_,regex) binary_slice/2,3 inspect/1 inspect(_,plain_options) get_in(known,path) put_in(known,path,_)
        update_in(known,path,fun) pop_in(known,path) get_and_update_in(known,path,fun)
      ]],
      ["Elixir.Access"] = [[
        all/0 at/1 at!/1 elem/1 fetch(container,_) fetch!(container,_) filter(fun) get(container,_) get(container,_,_)
        get_and_update(container,_,fun) key/1 key(_,_) key!/1 pop(container,_) slice/1
      ]],
      ["Elixir.String.Chars"] = "to_string(text)",
      ["Elixir.List.Chars"] = "to_charlist(text)",
      ["Elixir.Inspect.Opts"] = "new(plain_options)",
      ["Elixir.Enumerable"] = "count(enumerable) member?(enumerable,_)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "writes to whatever takes elements: a file, a device",
    functions = {
      ["Elixir.Collectable"] = "into/1",
      ["Elixir.Stream"] = "into/2,3",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "runs the module's own code to make a struct",
    functions = {
      ["Elixir.Kernel"] = "struct/1,2 struct!/1,2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "works on dates and times",
    every = {
      ["Elixir.Date"] = "known", ["Elixir.DateTime"] = "known", ["Elixir.Time"] = "known",
      ["Elixir.NaiveDateTime"] = "known",
    },
    functions = {
      ["Elixir.Date"] = [[
        add/2 beginning_of_month/1 beginning_of_week/1,2 compare/2 day_of_era/1 day_of_week/1,2 day_of_year/1
        days_in_month/1 diff/2 end_of_month/1 end_of_week/1,2 from_erl/1 from_erl!/1 from_gregorian_days/1
        from_iso8601/1 from_iso8601!/1 leap_year?/1 months_in_year/1 new/3 new!/3 quarter_of_year/1 range/2,3
        to_erl/1 to_gregorian_days/1 to_iso8601/1,2 to_string/1 utc_today/0 year_of_era/1
      ]],
      ["Elixir.DateTime"] = [[
        add/2,3 compare/2 diff/2,3 from_gregorian_seconds/1,2 from_iso8601/1 from_naive/2 from_naive!/2
        from_unix/1,2 from_unix!/1,2 new/2,3 new!/2,3 now/1 now!/1 shift_zone/2 shift_zone!/2 to_date/1
        to_gregorian_seconds/1 to_iso8601/1,2,3 to_naive/1 to_string/1 to_time/1 to_unix/1,2 truncate/2 utc_now/0
      ]],
      ["Elixir.Time"] = [[
        add/2,3 compare/2 diff/2,3 from_erl/1,2 from_erl!/1,2 from_iso8601/1 from_iso8601!/1
        from_seconds_after_midnight/1,2 new/3,4 new!/3,4 to_erl/1 to_iso8601/1,2 to_seconds_after_midnight/1
        to_string/1 truncate/2 utc_now/0
      ]],
      ["Elixir.NaiveDateTime"] = [[
        add/2,3 compare/2 diff/2,3 from_erl/1,2 from_erl!/1,2 from_gregorian_seconds/1,2 from_iso8601/1
        from_iso8601!/1 local_now/0 new/2,6,7 new!/2,6,7 to_date/1 to_erl/1 to_gregorian_seconds/1 to_iso8601/1,2
        to_string/1 to_time/1 truncate/2 utc_now/0
      ]],
    },
  },
}
