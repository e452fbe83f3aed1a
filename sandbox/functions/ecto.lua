--- Ecto. A repository is told by its name, any Elixir module that ends in `Repo`; these entries stand
--- under `Repo` for all of them. A query is written with macros, which are not expanded here: what is asked
--- for is a schema, or what Ecto's functions make of one.

return {
  {
    shape = true, class = "SAFE", effect = "reads", cost = "a connection of the pool and a query; the rows are copied",
    why = "reads rows of the database",
    first = { Repo = "of_a_repo" },
    functions = {
      Repo = [[
        all/1,2 one/1,2 one!/1,2 get/2,3 get!/2,3 get_by/2,3 get_by!/2,3 aggregate/2,3,4 exists?/1,2 reload/1,2
        reload!/1,2 all_by/2,3
      ]],
    },
  },
  {
    shape = true, class = "SAFE", effect = "reads", cost = "constant",
    why = "reads how the repository is set up",
    functions = {
      Repo = "__adapter__/0 config/0 checked_out?/0 in_transaction?/0 get_dynamic_repo/0 default_options/1 to_sql/2",
    },
  },
  {
    shape = true, class = "DANGEROUS", effect = "changes", cost = "a write to the database",
    why = "changes rows of the database",
    functions = {
      Repo = [[
        insert/1,2 insert!/1,2 insert_all/2,3 update/1,2 update!/1,2 update_all/2,3 delete/1,2 delete!/1,2
        delete_all/1,2 insert_or_update/1,2 insert_or_update!/1,2
      ]],
    },
  },
  {
    shape = true, class = "DANGEROUS", effect = "changes", cost = "that of the statement",
    why = "runs any statement on the database",
    functions = {
      Repo = "query/1,2,3 query!/1,2,3 query_many/1,2,3 query_many!/1,2,3 explain/2,3",
    },
  },
  {
    shape = true, class = "DANGEROUS", effect = "changes", cost = "holds a connection of the pool",
    why = "runs code inside a transaction",
    functions = {
      Repo = "transaction/1,2 transact/1,2 checkout/1,2 rollback/1 stream/1,2 preload/2,3",
    },
  },
  {
    shape = true, class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "starts, stops or exchanges the repository",
    functions = {
      Repo = "put_dynamic_repo/1 start_link/0,1 stop/0,1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "constant",
    why = "makes a query, without running it",
    functions = {
      ["Elixir.Ecto.Query"] = "exclude/2 first/1,2 last/1,2 reverse_order/1 subquery/1,2 has_named_binding?/2",
      ["Elixir.Ecto.Queryable"] = "to_query/1",
      ["Elixir.Ecto.Changeset"] = "change/1,2 apply_changes/1 get_field/2,3 get_change/2,3 traverse_errors(_,fun)",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "one table",
    why = "lists the repositories that run",
    functions = {
      ["Elixir.Ecto.Repo"] = "all_running/0",
      ["Elixir.Ecto.Repo.Registry"] = "all_running/0 lookup/1",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "that of the statement",
    why = "runs any statement on the database",
    functions = {
      ["Elixir.Ecto.Adapters.SQL"] = "query/2,3,4 query!/2,3,4 query_many/2,3,4 explain/3,4 disconnect_all/2,3",
      ["Elixir.Ecto.Migrator"] = "run/3,4 up/3,4 down/3,4 with_repo/2,3",
    },
  },
}
