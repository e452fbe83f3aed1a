--- What a shell behind a door is asked before a helper is started there: which VMs run, by which release,
--- under which names, and how much memory is left. Only what is listed here is printed: a VM's arguments may
--- hold the cookie, and sessions are logged.

local probe = {}

-- Pure sh, and tr, which is wherever sh is. What it prints is bl:KEY=VALUE| again and again; each VM begins with
-- `pid`, then whose it is: before its arguments, which anybody may have made up, and which are cut where they would
-- end the pair. A VM is known by its -bindir, and by the name of its program, or of what emulates it, where that may be
-- seen. Root sees it of its own programs; where not, it is one that gives somebody else root's rights, with any
-- arguments. Limits are those of its control group, where they are to be seen, else the whole container's; `shell_`
-- those that hold for what we start.
probe.LOOK = [[
bl_ids() {
  bl_u= bl_g=
  while read -r bl_n bl_v bl_x; do
    case $bl_n in Uid:) bl_u=$bl_v;; Gid:) bl_g=$bl_v;; esac
  done < $1
}
bl_limits() {
  for bl_r in /sys/fs/cgroup/memory.max:memory_max /sys/fs/cgroup/memory.current:memory_now \
    /sys/fs/cgroup/memory/memory.limit_in_bytes:memory_max /sys/fs/cgroup/memory/memory.usage_in_bytes:memory_now \
    /sys/fs/cgroup/cpu.max:cpu_max /sys/fs/cgroup/cpu/cpu.cfs_quota_us:cpu_quota; do
    bl_f=${bl_r%:*}
    while IFS=: read -r bl_n bl_c bl_g; do
      case $bl_c in
        '') bl_o=/sys/fs/cgroup$bl_g/${bl_f##*/};;
        *memory*|*cpu*) bl_o=${bl_f%/*}$bl_g/${bl_f##*/};;
        *) continue;;
      esac
      [ -r "$bl_o" ] && bl_f=$bl_o
    done < $2
    [ -r "$bl_f" ] && IFS= read -r bl_v < "$bl_f" && printf 'bl:%s%s=%s|' "$1" ${bl_r##*:} "$bl_v"
  done
}
bl_ids /proc/self/status
bl_s=$bl_u
printf 'bl:shell_uid=%s|' "$bl_s"
bl_m=$(readlink /proc/self/ns/pid 2>/dev/null)
for bl_p in /proc/[0-9]*; do
  [ -r $bl_p/cmdline ] || continue
  case $(tr '\0' ' ' < $bl_p/cmdline 2>/dev/null) in *" -bindir "*) ;; *) continue;; esac
  bl_ids $bl_p/status
  bl_x=$(ls -l $bl_p/exe 2>/dev/null)
  case ${bl_x##*/} in
    beam*|qemu-*|rosetta*) ;;
    exe|'') [ "$bl_u.$bl_s" != 0.0 ] || continue;;
    *) continue;;
  esac
  printf 'bl:pid=%s|bl:uid=%s|bl:gid=%s|' ${bl_p#/proc/} "$bl_u" "$bl_g"
  bl_k=
  tr '\0' '\n' < $bl_p/cmdline | while IFS= read -r bl_a; do
    case $bl_k in
      -root|-bindir|-boot|-name|-sname|-proto_dist|-S|-epmd_port|-erl_epmd_port|\
        inet_dist_listen_min|inet_dist_listen_max)
        printf 'bl:%s=%s|' ${bl_k#-} "${bl_a%%|*}";;
    esac
    case $bl_a in
      -hidden|-heart) printf 'bl:%s=yes|' ${bl_a#-};;
      -setcookie) printf 'bl:cookie=arguments|';;
    esac
    bl_k=$bl_a
  done
  tr '\0' '\n' < $bl_p/environ 2>/dev/null | while IFS= read -r bl_a; do
    case $bl_a in
      RELEASE_COOKIE=*) printf 'bl:cookie=environment|';;
      ERL_EPMD_PORT=*) bl_a=${bl_a#*=}; printf 'bl:epmd_port=%s|' "${bl_a%%|*}";;
    esac
  done
  bl_n=$(readlink $bl_p/ns/pid 2>/dev/null)
  [ "${bl_n:-$bl_m}" = "$bl_m" ] || printf 'bl:contained=yes|'
  bl_limits '' $bl_p/cgroup
done
printf 'bl:host=%s|' "$(hostname 2>/dev/null || cat /proc/sys/kernel/hostname)"
bl_limits shell_ /proc/self/cgroup
]]

-- Prints the boot file without a suffix that starts nothing but the standard library: a release has one with each of
-- its versions, of which the one that runs is good, or in bin, as an OTP has it.
local BOOT = [[
for bl_b in '%BOOTDIR%/start_clean.boot' '%ROOT%/bin/start_clean.boot' '%ROOT%'/releases/*/start_clean.boot \
  '%ROOT%/bin/no_dot_erlang.boot'; do
  [ -r "$bl_b" ] && printf 'bl:boot=%s|' "${bl_b%.boot}" && break
done
[ -x '%BINDIR%/erlexec' ] && printf 'bl:erlexec=yes|'
]]

---@class FoundNode
---@field pid string          of its VM there
---@field uid? integer        whose it is; none: a system that does not tell
---@field gid? integer
---@field name string         whole, or the part before the @ where its host is unknown
---@field root string
---@field bindir string
---@field boot? string        the folder of the boot file that it was started with
---@field cookie string       where it is: "arguments", "environment" or "a file"
---@field tls boolean
---@field port? integer       where its flags fix it
---@field epmd_port? integer  of its epmd, where its flags or its environment say so
---@field schedulers? integer where its flags say how many are online
---@field hidden? boolean
---@field contained? boolean  it runs in a container, seen from outside: its files and ports are others than the shell's
---@field heart? boolean      a watchdog starts it anew when it does not answer
---@field memory_max? number  bytes that its control group may have; none: no limit
---@field memory_now? number  bytes that it has
---@field cpus? number        of which it may use so many
---@field foreign? true       the shell is of another user: see runtime/door/owner.lua
---@field barred? true        and others may change its files: they are not run

---@class Found
---@field nodes FoundNode[]
---@field nameless integer    VMs without distribution
---@field uid? integer        of the shell
---@field host? string
---@field memory_left? number bytes for what we start, where there is a limit

-- What may stand within quotes of a shell and be a path or a name.
local PLAIN = "^[%w_./@:+~%-]+$"
probe.PLAIN = PLAIN

local USUAL_EPMD = 4369

-- The old control groups write a number beyond any machine where there is no limit.
local function limit(text)
  local most = tonumber(text)
  return most and most < 2 ^ 60 and most or nil
end

-- A quota of time for each period; the old ones have the quota alone, and the usual period of 0.1 s.
local function cpus(vm)
  local quota, period = (vm.cpu_max or ""):match "^(%d+) (%d+)$"
  quota, period = quota or (vm.cpu_quota or ""):match "^%d+$", period or 100000
  return quota and tonumber(quota) / tonumber(period) or nil
end

local function port_of(vm)
  local least, most = tonumber(vm.inet_dist_listen_min), tonumber(vm.inet_dist_listen_max)
  return tonumber(vm.erl_epmd_port) or least == most and least or nil
end

local function node_of(vm)
  if not (vm.root and vm.bindir and vm.root:find(PLAIN) and vm.bindir:find(PLAIN)) then return nil end
  local name = vm.name or vm.sname
  if not name or name == "undefined" or not name:find(PLAIN) then return nil end
  return {
    pid = vm.pid, uid = tonumber(vm.uid), gid = tonumber(vm.gid), name = name, short = vm.sname ~= nil,
    root = vm.root, bindir = vm.bindir,
    cookie = vm.cookie or "a file", tls = (vm.proto_dist or ""):find "tls" ~= nil,
    port = port_of(vm), epmd_port = tonumber(vm.epmd_port),
    boot = vm.boot and vm.boot:find(PLAIN) and vm.boot:match "^(/.*)/[^/]*$" or nil,
    schedulers = tonumber((vm.S or ""):match "^%d+:(%d+)$" or (vm.S or ""):match "^%d+$"),
    hidden = vm.hidden and true, heart = vm.heart and true, contained = vm.contained and true,
    memory_max = limit(vm.memory_max), memory_now = limit(vm.memory_max) and tonumber(vm.memory_now), cpus = cpus(vm),
  }
end

local GENERAL = { host = true, shell_uid = true, shell_memory_max = true, shell_memory_now = true }

---@param text string   what LOOK printed, perhaps with noise between
---@return Found
function probe.read(text)
  local found, vms = { nodes = {}, nameless = 0 }, {}
  local general = {}
  for key, value in text:gmatch "bl:([%w_]+)=([^|]*)|" do
    if key == "pid" then vms[#vms + 1] = { pid = value:match "^%d+$" }
    elseif GENERAL[key] then general[key] = general[key] or value
    elseif #vms > 0 and not vms[#vms][key] then vms[#vms][key] = value end
  end
  found.uid = tonumber(general.shell_uid)
  found.host = (general.host or ""):match(PLAIN)
  local most, now = limit(general.shell_memory_max), tonumber(general.shell_memory_now)
  if most and now then found.memory_left = most - now end
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

local COOKIE = {
  arguments = "in its arguments, which everybody there can read",
  environment = "in its environment (RELEASE_COOKIE)",
  ["a file"] = "in a file there",
}

local function distribution(node)
  local words = { node.tls and "TLS" or "plain" }
  if node.port then
    words[#words + 1] = ("port %d by its flags"):format(node.port)
  else
    words[#words + 1] = ("epmd on port %d"):format(node.epmd_port or USUAL_EPMD)
  end
  if node.hidden then words[#words + 1] = "hidden" end
  return table.concat(words, ", ")
end

--- What was seen of a node before it was spoken to, in words.
---@param found Found
---@param node FoundNode
---@return { [1]: string, [2]: string }[]   label, text
function probe.told(found, node)
  local rows = {}
  local function row(label, text) rows[#rows + 1] = { label, text } end
  local user = node.uid and node.uid ~= found.uid and (" (user %d)"):format(node.uid) or ""
  row("vm", ("pid %s there%s, of %s%s"):format(node.pid, user, node.root, node.heart and ", watched by heart" or ""))
  if node.schedulers or node.cpus then
    row("schedulers", (node.schedulers and node.schedulers .. " by its flags" or "as many as it finds cores")
      .. (node.cpus and ("; its time is limited to %.3g cores"):format(node.cpus) or ""))
  end
  if node.memory_max and node.memory_now then
    row("memory", ("%.0f MB of its limit of %.0f MB"):format(node.memory_now / 2 ^ 20, node.memory_max / 2 ^ 20))
  end
  row("distribution", distribution(node))
  row("cookie", COOKIE[node.cookie])
  return rows
end

local function fill(text, node)
  return (text:gsub("%%(%u+)%%", {
    ROOT = node.root, BINDIR = node.bindir, BOOTDIR = node.boot or node.root .. "/bin",
  }))
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
exec '%BINDIR%/erlexec' -boot %BOOT -boot_var RELEASE_LIB '%ROOT%/lib' -boot_var ERTS_LIB_DIR '%ROOT%/lib' \
  %FLAGS -noinput -kernel logger_level none -eval '%PROGRAM'
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
