# sh examples/demo/run.sh  starts a BEAM node with a small shop that has one fault, lets
# beamlens-run find it, and stops what it started. Nothing outside a temporary folder is touched.
set -eu
cd "$(dirname "$0")/../.."
program=$PWD/beamlens-run
shop=$PWD/examples/demo/shop.erl
home=$(mktemp -d)
node=
epmd=
stop() {
  for pid in $node $epmd; do
    kill "$pid" 2> /dev/null || true
    wait "$pid" 2> /dev/null || true
  done
  rm -rf "$home"
}
trap stop EXIT
trap 'exit 130' INT TERM

export HOME="$home" ERL_CRASH_DUMP="$home/erl_crash.dump" ERL_EPMD_PORT=$((20000 + $$ % 10000))
unset XDG_CONFIG_HOME BEAMLENS_COOKIE BEAMLENS_NODE
umask 077
od -An -tx8 -N16 /dev/urandom | tr -d ' \n' > "$HOME/.erlang.cookie"
chmod 400 "$HOME/.erlang.cookie"
erlc -o "$home" "$shop"
epmd -address 127.0.0.1 > "$home/epmd.log" 2>&1 &
epmd=$!
until epmd -names > /dev/null 2>&1; do sleep 0.05; done
echo "starting a node: shop@127.0.0.1, a small shop in Erlang with one fault in it"
erl -noinput -name shop@127.0.0.1 -start_epmd false -kernel inet_dist_use_interface '{127,0,0,1}' \
  -pa "$home" -s shop start > "$home/node.log" 2>&1 &
node=$!
until epmd -names | grep -q 'name shop '; do
  kill -0 "$node" 2> /dev/null || { cat "$home/node.log" >&2; exit 1; }
  sleep 0.05
done
sleep 2 # let the fault become one

echo "\$ beamlens-run coordinator.lua --node shop@127.0.0.1"
code=0
"$program" examples/coordinator.lua --node shop@127.0.0.1 --provider analyst "$@" > "$home/report" || code=$?
cat "$home/report"
# 1 means "findings": a sick node was found sick, which is what the demo is about.
[ "$code" -eq 1 ] || { echo "the demo expected a finding (exit 1), and got exit $code" >&2; exit 1; }
echo
echo "found: $(sed -n 's/^SICK *[^ ]* *//p' "$home/report"), $(sed -n '/ = /{s/^ *//;s/   .*//;p;q}' "$home/report")"
echo "a node of your own: ./beamlens-run health --node shop@host"
