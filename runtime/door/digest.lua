--- Digests with the node's cookie, made by the shell beside it: the cookie is read where it lies and stays there. It
--- goes to md5sum by a pipe of the shell's own printf, so it is in nobody's arguments.

local digest = {}

-- The same places in the same order as runtime/door/helper_vm.lua, and of the same owner. Whose a file is, is asked of
-- the open one, for its name may lead elsewhere a moment later. A printf that is a program would have the cookie in its
-- arguments.
local TEXT = [[
(
[ "$(command -v printf)" = printf ] || { printf 'bl:digest=shown|'; exit; }
bl_a() { bl_k=; tr '\0' '\n' < /proc/%PID%/cmdline | while IFS= read -r bl_w; do
  [ "$bl_k" = "$1" ] && printf %s "$bl_w" && break; bl_k=$bl_w; done; }
bl_v() { tr '\0' '\n' < /proc/%PID%/environ 2>/dev/null | while IFS= read -r bl_w; do
  case $bl_w in "$1="*) printf %s "${bl_w#*=}"; break;; esac; done; }
bl_f() { [ -f "$1" ] && [ -r "$1" ] && bl_i < "$1"; }
bl_i() { bl_l=
  case $(ls -lnL /proc/self/fd/0 | { read -r bl_n bl_x bl_u bl_g; echo $bl_u; }) in %OWNER%) IFS= read -r bl_l;; esac
  printf %s "$bl_l"; }
bl_c=$(bl_a -setcookie)
[ -n "$bl_c" ] || bl_c=$(bl_v RELEASE_COOKIE)
[ -n "$bl_c" ] || bl_c=$RELEASE_COOKIE
bl_h=$(bl_a -home)
[ -n "$bl_h" ] || bl_h=$(bl_v HOME)
[ -n "$bl_h" ] || bl_h=$HOME
[ -n "$bl_c" ] || bl_c=$(bl_f "$bl_h/.erlang.cookie")
bl_x=$(bl_v XDG_CONFIG_HOME)
[ -n "$bl_c" ] || bl_c=$(bl_f "${bl_x:-$bl_h/.config}/erlang/.erlang.cookie")
[ -n "$bl_c" ] || bl_c=$(bl_f '%ROOT%/releases/COOKIE')
if [ -z "$bl_c" ]; then printf 'bl:digest=none|'
else printf 'bl:digest=%s|' "$(printf %s%s "$bl_c" '%TEXT%' | md5sum)"; fi
)
]]

--- Makes one.
---@param shell Console
---@param node FoundNode
---@param text string       letters and digits
---@param deadline number
---@return string? sixteen bytes
---@return string? why      "no cookie", "no md5sum there", "its printf would show the cookie", "timeout", "end"
function digest.of(shell, node, text, deadline)
  assert(text:find "^%w+$")
  local printed, why = shell:run(TEXT:gsub("%%(%u+)%%", {
    PID = node.pid, ROOT = node.root, TEXT = text, OWNER = node.foreign and (node.uid or "none") or "*",
  }), deadline)
  if not printed then return nil, why end
  if printed:find("bl:digest=none|", 1, true) then return nil, "no cookie" end
  if printed:find("bl:digest=shown|", 1, true) then return nil, "its printf would show the cookie" end
  local hex = printed:match "bl:digest=(%x+)"
  if not hex or #hex ~= 32 then return nil, "no md5sum there" end
  return (hex:gsub("%x%x", function(two) return string.char(tonumber(two, 16)) end))
end

return digest
