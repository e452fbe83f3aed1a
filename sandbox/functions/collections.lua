--- The data structures of the standard library. Those that call a fun say which argument it is.

return {
  {
    class = "SAFE", effect = "reads", cost = "walks the list",
    why = "works on a list",
    functions = {
      lists = [[
        append/1,2 concat/1 delete/2 droplast/1 duplicate(count,_) flatlength/1 flatten/1,2 join/2 keydelete/3
        keyfind/3 keymember/3 keymerge/3 keyreplace/4 keysearch/3 keysort/2 keystore/4 keytake/3 last/1 max/1
        member/2 merge/1,2 min/1 nth/2 nthtail/2 prefix/2 reverse/1,2 seq(_,last) seq(_,last,_) sort/1 split/2
        sublist/2,3 subtract/2 suffix/2 sum/1 ukeymerge/3 ukeysort/2 umerge/1,2 unzip/1 unzip3/1 usort/1 zip/2
        zip3/3
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", since = 26, cost = "walks the list",
    why = "works on a list",
    functions = {
      lists = "enumerate/3 zip/3 zip3/4",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the list",
    why = "numbers a list",
    functions = {
      lists = "enumerate/1,2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "that of the fun, for every element",
    why = "calls a fun for the elements of a list",
    functions = {
      lists = [[
        all(fun,_) any(fun,_) dropwhile(fun,_) filter(fun,_) filtermap(fun,_) flatmap(fun,_) foldl(fun,_,_)
        foldr(fun,_,_) foreach(fun,_) keymap(fun,_,_) map(fun,_) mapfoldl(fun,_,_) mapfoldr(fun,_,_) merge(fun,_,_)
        partition(fun,_) search(fun,_) sort(fun,_) splitwith(fun,_) takewhile(fun,_) uniq(fun,_) usort(fun,_)
        zipwith(fun,_,_) zipwith3(fun,_,_,_) umerge(fun,_,_)
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the list",
    why = "takes out what is there twice",
    functions = {
      lists = "uniq/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the map at most",
    why = "works on a map",
    functions = {
      maps = [[
        find(key,_) from_keys/2 from_list/1 get(key,_) get(key,_,_) is_key(key,_) iterator/1 keys/1 merge/2 new/0
        next/1 put/3 remove/2 size/1 take/2 to_list/1 update/3 values/1 with/2 without/2
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", since = 26, cost = "walks the map",
    why = "works on a map",
    functions = {
      maps = "iterator(_,fun?)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "that of the fun, for every pair",
    why = "calls a fun for the pairs of a map",
    functions = {
      maps = [[
        filter(fun,_) filtermap(fun,_) fold(fun,_,_) foreach(fun,_) intersect/2 intersect_with(fun,_,_) map(fun,_)
        merge_with(fun,_,_) update_with(_,fun,_) update_with(_,fun,_,_) groups_from_list(fun,_)
        groups_from_list(fun,fun,_)
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the list",
    why = "reads a list of properties",
    functions = {
      proplists = [[
        append_values/2 compact/1 delete/2 expand/2 from_map/1 get_all_values/2 get_bool/2 get_keys/1 get_value/2,3
        is_defined/2 lookup/2 lookup_all/2 normalize/2 property/1,2 split/2 substitute_aliases/2
        substitute_negations/2 to_map/1,2 unfold/1
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the structure at most",
    why = "works on a data structure",
    functions = {
      queue = [[
        cons/2 daeh/1 delete/2 delete_r/2 drop/1 drop_r/1 from_list/1 get/1 get_r/1 head/1 in/2 in_r/2 init/1
        is_empty/1 is_queue/1 join/2 last/1 len/1 liat/1 member/2 new/0 out/1 out_r/1 peek/1 peek_r/1 reverse/1
        snoc/2 split/2 tail/1 to_list/1
      ]],
      sets = [[
        add_element/2 del_element/2 from_list/1,2 intersection/1,2 is_disjoint/2 is_element/2 is_empty/1 is_set/1
        is_subset/2 new/0,1 size/1 subtract/2 to_list/1 union/1,2
      ]],
      ordsets = [[
        add_element/2 del_element/2 from_list/1 intersection/1,2 is_disjoint/2 is_element/2 is_empty/1 is_set/1
        is_subset/2 new/0 size/1 subtract/2 to_list/1 union/1,2
      ]],
      gb_sets = [[
        add/2 add_element/2 balance/1 del_element/2 delete/2 delete_any/2 difference/2 empty/0 from_list/1
        from_ordset/1 insert/2 intersection/1,2 is_disjoint/2 is_element/2 is_empty/1 is_member/2 is_set/1
        is_subset/2 iterator/1 iterator_from/2 largest/1 new/0 next/1 singleton/1 size/1 smallest/1 subtract/2
        take_largest/1 take_smallest/1 to_list/1 union/1,2
      ]],
      gb_trees = [[
        balance/1 delete/2 delete_any/2 empty/0 enter/3 from_orddict/1 get/2 insert/3 is_defined/2 is_empty/1
        iterator/1 iterator_from/2 keys/1 largest/1 lookup/2 next/1 size/1 smallest/1 take/2 take_any/2
        take_largest/1 take_smallest/1 to_list/1 update/3 values/1
      ]],
      dict = [[
        append/3 append_list/3 erase/2 fetch/2 fetch_keys/1 find/2 from_list/1 is_empty/1 is_key/2 new/0 size/1
        store/3 take/2 to_list/1 update_counter/3
      ]],
      orddict = [[
        append/3 append_list/3 erase/2 fetch/2 fetch_keys/1 find/2 from_list/1 is_empty/1 is_key/2 new/0 size/1
        store/3 take/2 to_list/1 update_counter/3
      ]],
      array = [[
        default/1 fix/1 from_list/1,2 from_orddict/1,2 get/2 is_array/1 is_fix/1 new/0,1,2 relax/1 reset/2
        resize/1,2 set/3 size/1 sparse_size/1 sparse_to_list/1 sparse_to_orddict/1 to_list/1 to_orddict/1
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "that of the fun, for every element",
    why = "calls a fun for the elements",
    functions = {
      queue = [[
        all(fun,_) any(fun,_) delete_with(fun,_) delete_with_r(fun,_) filter(fun,_) filtermap(fun,_) fold(fun,_,_)
      ]],
      sets = "filter(fun,_) fold(fun,_,_)",
      ordsets = "filter(fun,_) fold(fun,_,_)",
      gb_sets = "filter(fun,_) fold(fun,_,_)",
      gb_trees = "map(fun,_)",
      dict = "filter(fun,_) fold(fun,_,_) map(fun,_) merge(fun,_,_) update(_,fun,_) update(_,fun,_,_)",
      orddict = "filter(fun,_) fold(fun,_,_) map(fun,_) merge(fun,_,_) update(_,fun,_) update(_,fun,_,_)",
      array = "foldl(fun,_,_) foldr(fun,_,_) map(fun,_) sparse_foldl(fun,_,_) sparse_foldr(fun,_,_) sparse_map(fun,_)",
    },
  },
}
