--- A release as `mix release` makes one: its own runtime, two versions, a cookie in a file of its own. A script for the
--- `within` of a live node, which becomes that release's node: `$2` is its name.

return [=[
mkdir -p "$HOME/shop/lib" && cd "$HOME/shop" || exit 1
cat > mix.exs <<'END'
defmodule Shop.MixProject do
  use Mix.Project
  def project, do: [app: :shop, version: "0.2.0", deps: []]
  def application, do: [extra_applications: [:logger]]
end
END
echo 'defmodule Shop do end' > lib/shop.ex
MIX_ENV=prod mix release --quiet --path "$HOME/app" || exit 1
mkdir "$HOME/app/releases/0.1.0" && : > "$HOME/app/releases/0.1.0/start_clean.boot"
export ERL_FLAGS="-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
export RELEASE_DISTRIBUTION=name RELEASE_NODE=$2
exec "$HOME/app/bin/shop" start
]=]
