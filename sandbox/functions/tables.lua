--- Tables, in memory and on disk, and counters.

return {
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "reads what a table is, not what is in it",
    functions = {
      ets = "all/0 info/1,2 whereis/1 is_compiled_ms/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one row, or the rows of one key",
    why = "reads rows of a table",
    functions = {
      ets = "lookup/2 lookup_element/3 member/2 first/1 last/1 next/2 prev/2 slot/2",
    },
  },
  {
    class = "SAFE", effect = "reads", since = 26, cost = "one row",
    why = "reads rows of a table",
    functions = {
      ets = "lookup_element/4 first_lookup/1 last_lookup/1 next_lookup/2 prev_lookup/2",
    },
  },
  {
    class = "SAFE", effect = "reads", guard = "table", cost = "copies the whole table",
    why = "reads all rows of a table",
    functions = {
      ets = "tab2list/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "passes over the whole table, copies what matches",
    why = "reads the rows of a table that match",
    functions = {
      ets = "match/2,3 match_object/2,3 select/2,3 select_reverse/2,3 select_count/2 table/1,2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "passes over the whole table, calls the fun for every row",
    why = "folds over the rows of a table",
    functions = {
      ets = "foldl(fun,_,_) foldr(fun,_,_)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "small",
    why = "works on a match specification, without a table",
    functions = {
      ets = "match_spec_compile/1 match_spec_run/2 test_ms/2 fun2ms(fun)",
      erlang = "match_spec_test(_,_,of_a_table)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "trusts the continuation that it is given, whoever made it up: a wrong one ends the node",
    functions = {
      ets = "match/1 match_object/1 select/1 select_reverse/1 repair_continuation/2",
      dets = "match/1 match_object/1 select/1",
    },
  },
  {
    class = "SAFE", effect = "leased", cost = "small",
    why = "makes a table that goes with the process that asks",
    functions = {
      ets = "new(_,table_options)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "one row",
    why = "changes the rows of a table",
    functions = {
      ets = [[
        insert(own_table,_) insert_new(own_table,_) delete(own_table) delete(own_table,_)
        delete_all_objects(own_table) delete_object(own_table,_) update_counter(own_table,_,_)
        update_counter(own_table,_,_,_) update_element(own_table,_,_) take(own_table,_) select_delete(own_table,_)
        select_replace(own_table,_) match_delete(own_table,_)
      ]],
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "changes a table, or whose it is",
    functions = {
      ets = "rename/2 give_away/3 setopts/2 init_table/2 to_dets/2 from_dets/2 tab2file/2,3 file2tab/1,2 i/1 i/2 i/3",
    },
  },
  {
    class = "CAUTION", effect = "leased", cost = "deleted rows stay while the table is fixed",
    why = "fixes a table for the process that asks, until it ends",
    functions = {
      ets = "safe_fixtable/2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "asks every table",
    why = "lists the tables, on the asker's own output",
    functions = {
      ets = "i/0",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "reads a counter",
    functions = {
      counters = "get/2 info/1",
      atomics = "get/2 info/1",
    },
  },
  {
    class = "SAFE", effect = "leased", cost = "8 bytes for each",
    why = "makes counters that go with the process that asks",
    functions = {
      counters = "new(bytes,_)",
      atomics = "new(bytes,_)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "constant",
    why = "changes a counter",
    functions = {
      counters = "add(own_counter,_,_) sub(own_counter,_,_) put(own_counter,_,_)",
      atomics = [[
        add(own_counter,_,_) add_get(own_counter,_,_) sub(own_counter,_,_) sub_get(own_counter,_,_)
        put(own_counter,_,_) exchange(own_counter,_,_) compare_exchange(own_counter,_,_,_)
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "a call to the table's process; reads the disk",
    why = "reads a table on disk",
    functions = {
      dets = "info/1,2 lookup/2 member/2 first/1 next/2 match/2,3 match_object/2,3 select/2,3 slot/2",
    },
  },
  {
    class = "CAUTION", effect = "changes", cost = "small; the application stays loaded",
    why = "prints how Mnesia stands, and loads it where it is not",
    functions = {
      mnesia = "info/0",
    },
  },
  {
    class = "CAUTION", effect = "leased", cost = "two processes that stay, where there were none",
    why = "lists tables on disk, and starts what keeps them",
    functions = {
      dets = "all/0",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "reads the whole table from disk",
    why = "folds over a table on disk",
    functions = {
      dets = "foldl(fun,_,_) foldr(fun,_,_) traverse(_,fun)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "writes to the disk",
    why = "changes or closes a table on disk",
    functions = {
      dets = [[
        insert/2 insert_new/2 delete/2 delete_all_objects/1 delete_object/2 match_delete/2 select_delete/2
        update_counter/3 open_file/1,2 close/1 sync/1 safe_fixtable/2 init_table/2,3 from_ets/2 to_ets/2
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one table; some items ask other nodes",
    why = "reads what Mnesia is made of",
    functions = {
      mnesia = "system_info/0,1 table_info/2 schema/0,1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one row or what matches; a table elsewhere is asked there",
    why = "reads rows of Mnesia, outside a transaction",
    functions = {
      mnesia = [[
        dirty_read/1,2 dirty_first/1 dirty_last/1 dirty_next/2 dirty_prev/2 dirty_all_keys/1 dirty_match_object/1,2
        dirty_index_read/3 dirty_index_match_object/2,3 dirty_select/2 dirty_slot/2
      ]],
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "locks, the disk and other nodes",
    why = "changes Mnesia",
    functions = {
      mnesia = [[
        dirty_write/1,2 dirty_delete/1,2 dirty_delete_object/1,2 dirty_update_counter/2,3 write/1,3 delete/1,3
        delete_object/1,3 transaction/1,2,3 sync_transaction/1,2,3 activity/2,3,4 async_dirty/1,2 sync_dirty/1,2
        ets/1,2 create_table/1,2 delete_table/1 clear_table/1 add_table_copy/3 del_table_copy/2 move_table_copy/3
        transform_table/3,4 change_table_copy_type/3 change_config/2 start/0,1 stop/0 force_load_table/1
        set_master_nodes/1,2 backup/1,2 restore/2 dump_tables/1 dump_log/0 sync_log/0 create_schema/1
        delete_schema/1
      ]],
    },
  },
}
