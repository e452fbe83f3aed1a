--- A real sshd on loopback for a spec: its own port, host key, configuration and key to enter by, in a folder of its
--- own; and an `ssh` that reads no configuration but the spec's, to be put first in PATH. It ends with the shell that
--- holds it, and its sessions with it.

local uv = require "luv"
local held = require "spec.support.held"

local sshd = {}

-- A bare machine lacks the folder that it gives its rights up in, which a service would have made.
local HOLD = [[
umask 077
SSHD=$(mktemp -d) && cd "$SSHD" || exit 1
[ "$(id -u)" -ne 0 ] || mkdir -p -m 755 /run/sshd
ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f key || exit 1
ssh-keygen -q -t ed25519 -N "$PASSPHRASE" -f locked && cat key.pub locked.pub > keys || exit 1
ssh-keygen -q -t ed25519 -N '' -f other
cat > sshd_config <<END
Port $PORT
ListenAddress 127.0.0.1
HostKey $SSHD/host
AuthorizedKeysFile $SSHD/keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
$MORE
END
printf '[127.0.0.1]:%s %s\n' "$PORT" "$(cut -d' ' -f1,2 host.pub)" > known
printf '[127.0.0.1]:%s %s\n' "$PORT" "$(cut -d' ' -f1,2 other.pub)" > known_otherwise
: > known_nobody
cat > config <<END
Host node nobody stranger keyless locked
  HostName 127.0.0.1
  Port $PORT
  User $(id -un)
  IdentitiesOnly yes
  LogLevel ERROR
Host node nobody stranger
  IdentityFile $SSHD/key
Host keyless
  IdentityFile $SSHD/other
Host locked
  IdentityFile $SSHD/locked
Host node keyless locked
  UserKnownHostsFile $SSHD/known
Host nobody
  UserKnownHostsFile $SSHD/known_nobody
Host stranger
  UserKnownHostsFile $SSHD/known_otherwise
END
mkdir bin && printf '#!/bin/sh\nexec %s -F %s/config "$@"\n' "$(command -v ssh)" "$SSHD" > bin/ssh && chmod 700 bin/ssh
: > log
/usr/sbin/sshd -D -e -f "$SSHD/sshd_config" 2> log &
PID=$!
until grep -q "Server listening" log; do kill -0 $PID 2> gone || { cat log >&2; exit 1; }; done
echo "$SSHD $PID"
read -r UNTIL_CLOSED
kill $PID
wait
cd / && rm -rf "$SSHD"
]]

sshd.PASSPHRASE = "correct horse"

--- Starts one. Hosts for its `ssh`: `node` lets us in; `nobody` is not known, `stranger` was known by another key,
--- `keyless` is not to be entered with the key that we have, and that of `locked` has the passphrase above.
---@param more? string   lines of its configuration
---@return table  { folder, pid, path = of PATH with its ssh first, stop = fn() }
function sshd.start(more)
  return held.in_task(function()
    local env = held.environment("^SSH_", { PORT = tostring(held.free_port()), MORE = more or "",
      PASSPHRASE = sshd.PASSPHRASE })
    local line, release = held.start(HOLD, {}, env)
    local folder, pid = line:match "^(%S+) (%d+)"
    assert(folder, "sshd did not start")
    return {
      folder = folder, pid = tonumber(pid), path = folder .. "/bin:" .. uv.os_getenv "PATH",
      stop = function() held.in_task(release) end,
    }
  end)
end

return sshd
