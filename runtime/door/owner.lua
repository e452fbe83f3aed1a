--- Whose the VM behind a door is, and as whom what lies beside it is run. On a machine of many users anybody may start
--- what looks like a node: its files run with no more rights than its user has, and no cookie but that user's is read.

local probe = require "runtime.door.probe"

local owner = {}

--- The next step of who came as the wrong user.
owner.ENTER = "enter as that user (ssh:USER@HOST, shell:docker exec -i -u USER NAME sh), or attach over the network"

-- Root's shell becomes that user, by what is there; each is asked who it then is, for an su without a name is root.
local BECOME = [[
PATH=$PATH:/usr/sbin:/sbin
bl_n=
while IFS=: read -r bl_n bl_x bl_u bl_v; do [ "$bl_u" = %UID% ] && break; bl_n=; done < /etc/passwd
for bl_w in 'setpriv --reuid %UID% --regid %GID% --clear-groups sh' 'chroot --userspec=%UID%:%GID% / sh' \
  "su -s /bin/sh $bl_n"; do
  [ "$($bl_w -c 'while read -r n r e x; do [ "$n" != Uid: ] || echo $r $e; done < /proc/self/status' \
    < /dev/null 2>/dev/null)" = '%UID% %UID%' ] && printf 'bl:become=%s|' "$bl_w" && break
done
]]

-- Where it stays another one, nothing of its own environment is the node's. Then who may change what would be run: each
-- folder up to the root, and what is in those of the release, of its runtime and of its boot file. Where links lead is
-- told, for a link may lead elsewhere a moment later.
local FILES = [[
unset RELEASE_COOKIE XDG_CONFIG_HOME
HOME=/
(
bl_at() { cd -P -- "$1" && pwd; }
bl_told() { while read -r bl_n bl_x bl_u bl_v; do printf 'bl:%s=%s %s|' "$1" "$bl_n" "$bl_u"; done; }
bl_r=$(bl_at '%ROOT%') && bl_b=$(bl_at '%BINDIR%') || exit
bl_o=$(bl_at '%BOOTDIR%') || bl_o=$bl_b
printf 'bl:root=%s|bl:bindir=%s|bl:boot=%s|' "$bl_r" "$bl_b" "$bl_o"
set -- / "$bl_r" "$(bl_at "$bl_r/lib")" "$bl_b" "$bl_o"
for bl_d; do
  while bl_d=${bl_d%/*}; [ -n "$bl_d" ]; do set -- "$@" "$bl_d"; done
done
ls -ldnL -- "$@" | bl_told above
ls -ldnL -- "$bl_r" "$bl_r"/lib "$bl_r"/lib/* "$bl_r"/lib/*/ebin "$bl_r"/bin/* "$bl_r"/releases/* "$bl_r"/releases/*/* \
  "$bl_b" "$bl_b"/* "$bl_o" "$bl_o"/* | bl_told file
) 2>/dev/null
]]

local function fill(text, node)
  return (text:gsub("%%(%u+)%%", { UID = node.uid, GID = node.gid, ROOT = node.root, BINDIR = node.bindir,
    BOOTDIR = node.boot or node.root .. "/bin" }))
end

local WORDS = "^[%w_./:=-][%w_./:= -]*$" -- of a command, to stand between words of ours

local function become(shell, node, deadline)
  local printed, why = shell:run(fill(BECOME, node), deadline)
  if not printed then return nil, why end
  local words = printed:match "bl:become=([^|]*)|"
  if not words or not words:find(WORDS) then return false end
  -- What that user may read of our environment is as little as it takes.
  return shell:go_on('env -i PATH="$PATH" HOME=/ ' .. words, deadline)
end

-- Whether only root and this user may write there. In a folder above, others may add what is theirs.
local function is_safe(mode, uid, shell_uid, above)
  if uid ~= 0 and uid ~= shell_uid then return false end
  if above and mode:find "^.........[tT]" then return true end
  return not (mode:find "^.....w" or mode:find "^........w")
end

-- Where that is which may be run, if it may.
local function runnable(printed, shell_uid)
  local where, files = {}, 0
  for key, mode, uid in printed:gmatch "bl:(%l+)=(%S+) (%d+)|" do
    if not is_safe(mode, tonumber(uid), shell_uid, key == "above") then return nil end
    files = files + (key == "file" and 1 or 0)
  end
  for _, key in ipairs { "root", "bindir", "boot" } do
    where[key] = printed:match(("bl:%s=([^|]*)|"):format(key))
    if not (where[key] or ""):find(probe.PLAIN) then return nil end
  end
  return files > 0 and where or nil
end

--- Has the shell become the node's user where it can. Where it stays another one the node is `foreign`, and `barred`
--- where its files may be changed by who is not trusted here. Inside a task.
---@param shell Console
---@param node FoundNode   changed
---@param shell_uid? integer
---@param deadline number
---@return true?
---@return string? why     "timeout", "end"
function owner.settle(shell, node, shell_uid, deadline)
  if node.uid and node.uid == shell_uid then return true end
  if node.uid and node.gid and shell_uid == 0 then
    local is_theirs, why = become(shell, node, deadline)
    if is_theirs ~= false then return is_theirs, why end
  end
  node.foreign = true
  local printed, why = shell:run(fill(FILES, node), deadline)
  if not printed then return nil, why end
  local where = runnable(printed, shell_uid)
  node.barred = not where or nil
  for key, path in pairs(where or {}) do node[key] = path end
  return true
end

--- Why nothing of a barred node is run.
---@param node FoundNode
---@return string message
---@return string next_step
function owner.refusal(node)
  return ("%s is of another user there%s, and others than root may change what lies in %s: it is not run"):format(
    node.name, node.uid and (" (%d)"):format(node.uid) or "", node.root), owner.ENTER
end

return owner
