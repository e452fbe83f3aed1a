--- What a shell behind a door is asked before a helper is started there: which VMs run, by which release,
--- under which names, and how much memory is left. Only what is listed here is printed: a VM's arguments may
--- hold the cookie, and sessions are logged.

local probe = {}

-- Pure sh, and tr, which is wherever sh is. What it prints is bl:KEY=VALUE| again and again; each VM begins with
-- `pid`. A VM is known by its -bindir.
probe.LOOK = [[
for bl_p in /proc/[0-9]*; do
  [ -r $bl_p/cmdline ] || continue
  case $(tr '\0' ' ' < $bl_p/cmdline 2>/dev/null) in *" -bindir "*) ;; *) continue;; esac
  printf 'bl:pid=%s|' ${bl_p#/proc/}
  bl_k=
  tr '\0' '\n' < $bl_p/cmdline | while IFS= read -r bl_a; do
    case $bl_k in
      -root|-bindir|-name|-sname|-proto_dist) printf 'bl:%s=%s|' ${bl_k#-} "$bl_a";;
    esac
    [ "$bl_a" = -setcookie ] && printf 'bl:cookie=arguments|'
    bl_k=$bl_a
  done
  if tr '\0' '\n' < $bl_p/environ 2>/dev/null | grep -q '^RELEASE_COOKIE='; then printf 'bl:cookie=environment|'; fi
done
printf 'bl:host=%s|' "$(hostname 2>/dev/null || cat /proc/sys/kernel/hostname)"
for bl_f in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
  [ -r $bl_f ] && printf 'bl:memory_max=%s|' "$(cat $bl_f)"
done
for bl_f in /sys/fs/cgroup/memory.current /sys/fs/cgroup/memory/memory.usage_in_bytes; do
  [ -r $bl_f ] && printf 'bl:memory_now=%s|' "$(cat $bl_f)"
done
]]

-- Prints the boot file without a suffix that starts nothing but the standard library: an OTP has it in bin, a
-- release with each of its versions.
local BOOT = [[
for bl_b in '%ROOT%/bin/start_clean.boot' '%ROOT%'/releases/*/start_clean.boot '%ROOT%/bin/no_dot_erlang.boot'; do
  [ -r "$bl_b" ] && printf 'bl:boot=%s|' "${bl_b%.boot}" && break
done
[ -x '%BINDIR%/erlexec' ] && printf 'bl:erlexec=yes|'
]]

---@class FoundNode
---@field pid string          of its VM there
---@field name string         whole, or the part before the @ where its host is unknown
---@field root string
---@field bindir string
---@field cookie string       where it is: "arguments", "environment" or "a file"

---@class Found
---@field nodes FoundNode[]
---@field nameless integer    VMs without distribution
---@field host? string
---@field memory_left? number bytes, where the container has a limit

local PLAIN = "^[%w_./@:+~%-]+$" -- what may stand within quotes of a shell and be a path or a name

local function node_of(vm)
  if not (vm.root and vm.bindir and vm.root:find(PLAIN) and vm.bindir:find(PLAIN)) then return nil end
  local name = vm.name or vm.sname
  if not name or name == "undefined" or not name:find(PLAIN) then return nil end
  return { pid = vm.pid, name = name, short = vm.sname ~= nil, root = vm.root, bindir = vm.bindir,
    cookie = vm.cookie or "a file", tls = (vm.proto_dist or ""):find "tls" ~= nil }
end

---@param text string   what LOOK printed, perhaps with noise between
---@return Found
function probe.read(text)
  local found, vms = { nodes = {}, nameless = 0 }, {}
  local general = {}
  for key, value in text:gmatch "bl:([%w_]+)=([^|]*)|" do
    if key == "pid" then vms[#vms + 1] = { pid = value:match "^%d+$" }
    elseif key == "host" or key == "memory_max" or key == "memory_now" then general[key] = value
    elseif #vms > 0 and not vms[#vms][key] then vms[#vms][key] = value end
  end
  found.host = general.host
  local most, now = tonumber(general.memory_max), tonumber(general.memory_now)
  -- The old cgroups write a number beyond any machine where there is no limit.
  if most and now and most < 2 ^ 60 then found.memory_left = most - now end
  for _, vm in ipairs(vms) do
    local node = vm.pid and node_of(vm)
    if node then
      if not node.name:find("@", 1, true) and found.host then
        node.name = node.name .. "@" .. (node.short and found.host:match "^[^.]+" or found.host)
      end
      found.nodes[#found.nodes + 1] = node
    else
      found.nameless = found.nameless + 1
    end
  end
  return found
end

local function fill(text, node)
  return (text:gsub("%%(%u+)%%", { ROOT = node.root, BINDIR = node.bindir }))
end

---@param node FoundNode
---@return string text   for a shell
function probe.boot(node) return fill(BOOT, node) end

---@param text string   what `boot` printed
---@return string? path
---@return boolean erlexec   whether there is what starts a VM
function probe.read_boot(text)
  local path = text:match "bl:boot=([^|]*)|"
  return path and path:find(PLAIN) and path or nil, text:find("bl:erlexec=yes", 1, true) ~= nil
end

-- The settings of a release are not for a guest: they would give it the node's own name, or its code.
local START = [[
unset ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS ERL_LIBS ERL_COMPILER_OPTIONS
ERL_CRASH_DUMP_SECONDS=0 ROOTDIR='%ROOT%' BINDIR='%BINDIR%' EMU=beam PROGNAME=erl
export ERL_CRASH_DUMP_SECONDS ROOTDIR BINDIR EMU PROGNAME
exec '%BINDIR%/erlexec' -boot %BOOT -boot_var RELEASE_LIB '%ROOT%/lib' %FLAGS -noinput \
  -kernel logger_level none -eval '%PROGRAM'
]]

--- Becomes the helper.
---@param node FoundNode
---@param boot string
---@param helper { FLAGS: string, BOOT: string }
---@return string text
function probe.start(node, boot, helper)
  local text = fill(START, node)
  for mark, value in pairs { ["%BOOT"] = boot, ["%FLAGS"] = helper.FLAGS, ["%PROGRAM"] = helper.BOOT } do
    local from, to = text:find(mark, 1, true)
    text = text:sub(1, from - 1) .. value .. text:sub(to + 1)
  end
  return text
end

return probe
