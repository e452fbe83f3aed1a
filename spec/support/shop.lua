--- A shop for the specs of skills that look at databases: a live node with a stand-in for an Ecto
--- repo (spec/support/shop_repo.erl) and for `telemetry`, which compiles them in memory. Neither Ecto
--- nor Oban is there: what the specs prove of them is as true as these stand-ins.

local LOAD = [[
  Forms = fun Forms([], _) -> [];
              Forms([{dot, _} = D | T], A) ->
                {ok, F} = erl_parse:parse_form(lists:reverse([D | A])), [F | Forms(T, [])];
              Forms([X | T], A) -> Forms(T, [X | A]) end,
  {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Source)),
  {ok, M, Code} = compile:forms(Forms(Tokens, [])),
  {module, M} = code:load_binary(M, "spec", Code),
  true.]]

-- As `mix release` leaves it: the application says which repos it has.
local OPEN = [[
  ok = application:load({application, shop, [{vsn, "1"}, {modules, []}, {registered, []}, {applications, []},
    {env, [{ecto_repos, ['Elixir.Shop.Repo']}, {'Elixir.Shop.Repo', [{pool_size, Size}, {password, "hush"}]}]}]}),
  ok = 'Elixir.Shop.Repo':start(Port, "postgres", "postgres", Size),
  true.]]

local shop = {}

--- Compiles one of spec/support's modules on a node. ?MACROS of a file are put in here, since no
--- preprocessor runs there.
---@param at table      what live_node.start gave
---@param file string
---@param change? fun(text: string): string
function shop.load(at, file, change)
  local source = assert(io.open("spec/support/" .. file))
  local text, macros = source:read "*a", {}
  source:close()
  if change then text = change(text) end
  text = text:gsub("%-define%((%u+_?%u*), (.-)%)%.\n", function(name, value)
    macros[name] = value
    return "\n"
  end)
  macros.MODULE = text:match "module%((.-)%)"
  text = text:gsub("%?(%u+_?%u*)", macros)
  at.eval(LOAD, { Source = text })
end

--- Compiles and starts the stand-in for `telemetry`.
function shop.load_telemetry(at)
  shop.load(at, "telemetry_handler_table.erl")
  shop.load(at, "telemetry.erl")
  at.eval "telemetry:start()."
end

--- Opens the shop on a node.
---@param at table     what live_node.start gave
---@param pg table     what postgres.start gave
---@param size? integer of the pool
function shop.open(at, pg, size)
  shop.load_telemetry(at)
  shop.load(at, "shop_repo.erl")
  at.eval(OPEN, { Port = pg.port, Size = size or 3 })
end

--- Another repo on a node where the shop is open.
---@param name string        "Shop.Archive"
---@param database string
---@param adapter? string    "MyXQL"
function shop.open_another(at, pg, name, database, adapter)
  shop.load(at, "shop_repo.erl", function(text)
    text = text:gsub("Shop%.Repo", name)
    return adapter and text:gsub("Ecto%.Adapters%.Postgres", "Ecto.Adapters." .. adapter) or text
  end)
  at.eval([[ M = binary_to_atom(Name), ok = M:start(Port, "postgres", binary_to_list(Database), 1),
    {ok, L} = application:get_env(shop, ecto_repos), application:set_env(shop, ecto_repos, [M | L]), true. ]],
    { Name = "Elixir." .. name, Port = pg.port, Database = database })
end

return shop
