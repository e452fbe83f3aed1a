#!/bin/sh
# The nodes that people really run: a RabbitMQ and an ejabberd, as Debian ships them, with an epmd of their own, in a
# folder of their own, on loopback, ended by their own pids. Every skill is tried on them once; then they are
# investigated REPEAT times, each time on nodes that were just started.
set -eu
cd "$(dirname "$0")/../.."
home=$(mktemp -d /tmp/real_nodes.XXXXXX)
export HOME="$home" ERL_EPMD_PORT=$((20000 + $$ % 20000)) ERL_EPMD_ADDRESS=127.0.0.1
amqp=$((ERL_EPMD_PORT + 1)) xmpp=$((ERL_EPMD_PORT + 3))
cookie=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf %s "$cookie" > "$home/.erlang.cookie"
chmod 400 "$home/.erlang.cookie"
library=$(dpkg -L ejabberd | sed -n 's,/ejabberd[^/]*/ebin/ejabberd.beam$,,p')
pids="" nodes=""

end() {
  for pid in "$@"; do kill "$pid" 2> /dev/null || true; done
  for pid in "$@"; do while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done; done
}

leave() {
  # shellcheck disable=SC2086
  end $nodes $pids
  rm -rf "$home"
}
trap leave EXIT
trap 'exit 1' INT TERM

epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1 & pids="$!"

# RabbitMQ's program itself, since the wrapper in /usr/sbin changes the user and the home. The clients are a node of
# their own, with RabbitMQ's own library.
start() {
  rm -rf "$home/rabbit" "$home/ejabberd"
  mkdir "$home/rabbit" "$home/ejabberd"
  printf 'listeners.tcp.1 = 127.0.0.1:%d\n' "$amqp" > "$home/rabbit/rabbitmq.conf"
  printf '[].' > "$home/rabbit/enabled_plugins"
  RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_DIST_PORT=$((ERL_EPMD_PORT + 2)) \
    RABBITMQ_MNESIA_BASE="$home/rabbit/data" RABBITMQ_LOG_BASE="$home/rabbit/log" \
    RABBITMQ_CONFIG_FILE="$home/rabbit/rabbitmq" RABBITMQ_ENABLED_PLUGINS_FILE="$home/rabbit/enabled_plugins" \
    RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_PID_FILE="$home/rabbit/pid" RABBITMQ_SERVER_ERL_ARGS="" \
    /usr/lib/rabbitmq/bin/rabbitmq-server > "$home/rabbit/out" 2>&1 & nodes="$!"
  cat > "$home/ejabberd/ejabberd.yml" <<YML
loglevel: info
hosts: [localhost]
listen:
  - { port: $xmpp, ip: 127.0.0.1, module: ejabberd_c2s }
modules: { mod_roster: {}, mod_offline: {}, mod_ping: {}, mod_disco: {} }
YML
  EJABBERD_CONFIG_PATH="$home/ejabberd/ejabberd.yml" EJABBERD_LOG_PATH="$home/ejabberd/ejabberd.log" \
    ERL_LIBS="$library" ERL_CRASH_DUMP_SECONDS=0 \
    erl -noinput -sname ejabberd@localhost -mnesia dir "\"$home/ejabberd/db\"" \
    -s ejabberd > "$home/ejabberd/out" 2>&1 & nodes="$! $nodes"
  # shellcheck disable=SC2086
  erl -noinput -sname client@localhost -pa /usr/lib/rabbitmq/lib/*/plugins/*/ebin > "$home/out" 2>&1 & nodes="$! $nodes"
}

told() {
  tail -n 20 "$home"/*/out "$home/out"
  exit 1
}

start
for node in rabbit@localhost ejabberd@localhost; do
  build/spec-host spec/real_nodes/every_skill.lua "$node" "$home/.erlang.cookie" || told
done
wrong=0
for turn in $(seq "${REPEAT:-3}"); do
  # shellcheck disable=SC2086
  end $nodes
  start
  printf '\nturn %d\n' "$turn"
  build/spec-host spec/real_nodes/diagnose.lua "$home/.erlang.cookie" "$amqp" "$xmpp" || wrong=$((wrong + 1))
done
[ "$wrong" -eq 0 ]
