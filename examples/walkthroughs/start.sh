# sh examples/walkthroughs/start.sh PROGRAM [NODE]  lays PROGRAM.erl of this folder out as a release is (a runtime of its
# own, boot files below releases/) in build/walkthroughs, and starts it as shop@127.0.0.1, or NODE, on loopback only: a
# small shop with one fault. The cookie is yours (~/.erlang.cookie).
set -eu
cd "$(dirname "$0")"
program=$1 node=${2:-shop@127.0.0.1}
mkdir -p ../../build/walkthroughs
app=$(cd ../../build/walkthroughs && pwd)/${node%@*}
if epmd -names 2> /dev/null | grep -q "^name ${node%@*} "; then
  echo "there is a node $node already" >&2
  exit 1
fi
rm -rf "$app"
mkdir -p "$app/ebin" "$app/releases/0.1.0"
erlc -o "$app/ebin" "$program.erl"
otp=$(erl -noinput -eval 'io:put_chars(code:root_dir()), halt().')
ln -s "$otp"/erts-* "$otp/lib" "$app/"
cp "$otp/bin/start_clean.boot" "$app/releases/0.1.0/"

epmd -names > /dev/null 2>&1 || epmd -address 127.0.0.1 -daemon
export ERL_CRASH_DUMP="$app/erl_crash.dump" ROOTDIR="$app" BINDIR="$(echo "$app"/erts-*/bin)" EMU=beam PROGNAME=erl
"$BINDIR/erlexec" -boot "$app/releases/0.1.0/start_clean" -boot_var RELEASE_LIB "$app/lib" -noinput \
  -name "$node" -start_epmd false -kernel inet_dist_use_interface '{127,0,0,1}' -pa "$app/ebin" -s "$program" start \
  < /dev/null > "$app/log" 2>&1 &
until epmd -names | grep -q "^name ${node%@*} "; do
  kill -0 $! 2> /dev/null || { cat "$app/log" >&2; exit 1; }
  sleep 0.1
done
echo "$node runs $program.erl; to end it: kill $!"
