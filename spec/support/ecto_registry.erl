%% A stand-in for Ecto's registry of running repos: what its adapters keep with a repo is a map, with
%% the pid of the pool in it.
-module('Elixir.Ecto.Repo.Registry').
-export([all_running/0, lookup/1]).

all_running() -> ['Elixir.Shop.Repo'].

lookup('Elixir.Shop.Repo') ->
    #{pid => persistent_term:get(pool), telemetry => {'Elixir.Shop.Repo', debug, [shop, repo, query]}, opts => []}.
