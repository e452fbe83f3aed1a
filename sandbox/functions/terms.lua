--- Plain terms: what is worked out from the arguments alone.

return {
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "tells what kind of term it is",
    functions = {
      erlang = [[
        is_atom/1 is_binary/1 is_bitstring/1 is_boolean/1 is_float/1 is_function/1,2 is_integer/1 is_list/1 is_map/1
        is_map_key(key,_) is_number/1 is_pid/1 is_port/1 is_record/2,3 is_reference/1 is_tuple/1
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant; length walks the list",
    why = "looks into a term",
    functions = {
      erlang = [[
        element/2 hd/1 tl/1 length/1 size/1 tuple_size/1 byte_size/1 bit_size/1 map_size/1 map_get(key,_)
        iolist_size/1 fun_info/1,2
      ]],
      erts_debug = "size/1 size_shared/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the term",
    why = "measures or hashes a term",
    functions = {
      erlang = [[
        external_size(packed) external_size(packed,_) phash2/1,2 md5/1 md5_init/0 md5_update/2 md5_final/1 crc32/1,2
        crc32_combine/3
        adler32/1,2 adler32_combine/3
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "arithmetic and comparison",
    functions = {
      erlang = [[
        abs/1 round/1 trunc/1 floor/1 ceil/1 float/1 max/2 min/2 convert_time_unit(factor,factor,factor) +/1,2 -/1,2
        *(factor,factor) //2 div/2 rem/2
        band/2 bor/2 bxor/2 bnot/1 ==/2 /=/2 =</2 </2 >=/2 >/2 =:=/2 =/=/2 and/2 or/2 xor/2 not/1 ++/2 --/2
      ]],
      math = [[
        acos/1 acosh/1 asin/1 asinh/1 atan/1 atan2/2 atanh/1 ceil/1 cos/1 cosh/1 erf/1 erfc/1 exp/1 floor/1 fmod/2
        log/1 log10/1 log2/1 pi/0 pow/2 sin/1 sinh/1 sqrt/1 tan/1 tanh/1
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "copies its argument",
    why = "turns a term into another",
    functions = {
      erlang = [[
        append/2 append_element/2 atom_to_binary/1,2 atom_to_list/1 binary_part/2,3 binary_to_existing_atom(word)
        binary_to_existing_atom(word,_) binary_to_float/1 binary_to_integer(digits)
        binary_to_integer(digits,_) binary_to_list/1,3
        bitstring_to_list/1 decode_packet/3 delete_element/2 float_to_binary/1,2 float_to_list/1,2 fun_to_list/1
        insert_element/3 integer_to_binary/1,2 integer_to_list/1,2 iolist_to_binary(bytes_in) iolist_to_iovec(bytes_in)
        list_to_binary(bytes_in) list_to_bitstring(bytes_in) list_to_existing_atom(word) list_to_float/1
        list_to_integer(digits) list_to_integer(digits,_)
        list_to_tuple/1 pid_to_list/1 port_to_list/1 ref_to_list/1 setelement/3 split_binary/2 subtract/2
        term_to_binary(packed) term_to_binary(packed,_) term_to_iovec(packed)
        term_to_iovec(packed,_) tuple_to_list/1 list_to_pid/1 list_to_port/1 list_to_ref/1
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "as many words as the tuple is large",
    why = "makes a tuple",
    functions = {
      erlang = "make_tuple(count,_) make_tuple(count,_,_)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "makes something that is unique",
    functions = {
      erlang = "make_ref/0 unique_integer/0,1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "ends or fails the evaluation, nothing else",
    functions = {
      erlang = "error/1,2 error(_,_,error_options) exit/1 throw/1 raise/3 nif_error/1,2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "atoms are never freed; a full table ends the node",
    why = "makes new atoms: list_to_existing_atom makes none",
    functions = {
      erlang = "list_to_atom/1 binary_to_atom/1,2",
    },
  },
  {
    class = "DANGEROUS", effect = "reads", cost = "does not yield: what is shared is counted as often as it is found",
    why = "may stop the whole node for hours, and no deadline ends it",
    functions = {
      erlang = "phash/2",
      erts_debug = "flat_size/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "as large as the bytes say",
    why = "makes atoms, funs and pids out of bytes",
    functions = {
      erlang = "binary_to_term/1 binary_to_term(_,safe_option)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "makes a fun of whatever it is given",
    functions = {
      erlang = "make_fun/3",
      erl_parse = "normalise/1",
    },
  },
  -- Called through, like everything with the roles M, F and A: what they call is judged as well.
  {
    class = "SAFE", effect = "reads", cost = "that of what it calls",
    why = "calls a function that is written there",
    functions = {
      erlang = "apply(M,F,A) apply(fun,_)",
      timer = "tc(fun) tc(fun,_) tc(M,F,A)",
    },
  },
  {
    class = "SAFE", effect = "reads", since = 26, cost = "that of what it calls",
    why = "calls a function that is written there",
    functions = {
      timer = "tc(M,F,A,_)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "small",
    why = "numbers by chance; its state is kept by the process that asks",
    functions = {
      rand = "uniform/0,1 uniform_real/0 normal/0,2 seed(algorithm) export_seed/0 jump/0",
    },
  },
}
