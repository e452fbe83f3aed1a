#!/bin/sh
# Every skill on the nodes that people really run: a RabbitMQ and an ejabberd, as Debian ships them,
# each with an epmd of its own, in a folder of its own, on loopback, ended by its own pid.
set -eu
cd "$(dirname "$0")/../.."
home=$(mktemp -d /tmp/real_nodes.XXXXXX)
export HOME="$home" ERL_EPMD_PORT=$((20000 + $$ % 20000)) ERL_EPMD_ADDRESS=127.0.0.1
cookie=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf %s "$cookie" > "$home/.erlang.cookie"
chmod 400 "$home/.erlang.cookie"
pids=""
leave() {
  for pid in $pids; do kill "$pid" 2> /dev/null || true; done
  for pid in $pids; do while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done; done
  rm -rf "$home"
}
trap leave EXIT
trap 'exit 1' INT TERM

epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1 & pids="$!"

# The program itself, since the wrapper in /usr/sbin changes the user and the home.
mkdir "$home/rabbit"
printf 'listeners.tcp.1 = 127.0.0.1:%d\n' $((ERL_EPMD_PORT + 1)) > "$home/rabbit/rabbitmq.conf"
printf '[].' > "$home/rabbit/enabled_plugins"
RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_DIST_PORT=$((ERL_EPMD_PORT + 2)) \
  RABBITMQ_MNESIA_BASE="$home/rabbit/data" RABBITMQ_LOG_BASE="$home/rabbit/log" \
  RABBITMQ_CONFIG_FILE="$home/rabbit/rabbitmq" RABBITMQ_ENABLED_PLUGINS_FILE="$home/rabbit/enabled_plugins" \
  RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_PID_FILE="$home/rabbit/pid" RABBITMQ_SERVER_ERL_ARGS="" \
  /usr/lib/rabbitmq/bin/rabbitmq-server > "$home/rabbit/out" 2>&1 & pids="$! $pids"

mkdir "$home/ejabberd"
cat > "$home/ejabberd/ejabberd.yml" <<YML
loglevel: info
hosts: [localhost]
listen:
  - { port: $((ERL_EPMD_PORT + 3)), ip: 127.0.0.1, module: ejabberd_c2s }
modules: { mod_roster: {}, mod_offline: {}, mod_ping: {}, mod_disco: {} }
YML
library=$(dpkg -L ejabberd | sed -n 's,/ejabberd[^/]*/ebin/ejabberd.beam$,,p')
EJABBERD_CONFIG_PATH="$home/ejabberd/ejabberd.yml" EJABBERD_LOG_PATH="$home/ejabberd/ejabberd.log" \
  ERL_LIBS="$library" ERL_CRASH_DUMP_SECONDS=0 \
  erl -noinput -sname ejabberd@localhost -mnesia dir "\"$home/ejabberd/db\"" \
  -s ejabberd > "$home/ejabberd/out" 2>&1 & pids="$! $pids"

for node in rabbit@localhost ejabberd@localhost; do
  build/spec-host spec/real_nodes/every_skill.lua "$node" "$home/.erlang.cookie" || {
    tail -n 20 "$home"/*/out
    exit 1
  }
done
