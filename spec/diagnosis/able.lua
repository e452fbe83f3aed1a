--- What a machine has to allow for some cases to be planted at all. A case that cannot be planted here is left out, and
--- the page says so: it is neither right nor wrong.

local able = {}

local TRIES = {
  mounts = "unshare -m mount -t tmpfs none /mnt",
  cgroups = [[
    G=/sys/fs/cgroup/cpu/beamlens-run-bench-$$
    mkdir $G && test -e $G/cpu.cfs_quota_us; S=$?; rmdir $G; exit $S]],
}

local found = {}

--- Whether this machine allows it: asked of the machine, once.
---@param need string
---@return boolean
function able.to(need)
  if found[need] == nil then
    found[need] = os.execute(("(%s) > /dev/null 2>&1"):format(assert(TRIES[need], need))) == 0
  end
  return found[need]
end

return able
