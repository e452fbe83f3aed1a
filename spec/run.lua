--- `spec-host spec/run.lua [FILE…]`: every spec file in a process of its own, some at a time, so
--- that none meets what another left in its loop; those that measure what the machine does come
--- first, one at a time. What failed is shown in full, what passed in a line. At the end stands once
--- more what failed; the last line is "N passed, N failed".

local uv = require "luv"
local async = require "runtime.async"
local program = require "spec.support.program"
local ours = require "host.files"

-- They wait for nodes more than they compute.
local AT_ONCE = 4
local LONGEST_S = 600
-- Where CPU time is what they look at, or a rate is what tells a fault from good health.
local ALONE = { "spec/faults_spec%.lua$", "spec/skills/beam/%w+_spec%.lua$", "spec/skills/overload" }
-- Needs packages that are not Debian's: make test-wire.
local WITH_PACKAGES = "spec/wire"
local RECAP_BYTES = 4000 -- of one file

local function find(folder, list)
  local scan = uv.fs_scandir(folder)
  while scan do
    local name, kind = uv.fs_scandir_next(scan)
    if not name then return list end
    local path = folder .. "/" .. name
    if kind == "directory" and path ~= WITH_PACKAGES then
      find(path, list)
    elseif name:match "_spec%.lua$" then
      list[#list + 1] = path
    end
  end
end

local files = #arg > 0 and { unpack(arg) } or find("spec", {})
table.sort(files)

local function measures(path)
  for _, pattern in ipairs(ALONE) do if path:find(pattern) then return true end end
  return false
end

local passed, failed, recap = 0, 0, {}

local function run_file(path)
  local from = async.now()
  local running = program.start({ path }, { path = ours.exe, env = uv.os_environ() })
  local ended, code = pcall(running.wait, LONGEST_S)
  local text = running.stdout()
  local good, bad = text:match "(%d+) passed, (%d+) failed%s*$"
  -- A process that ended without its last line, or said 0 failed and ended badly, failed too.
  if not (ended and good) then good, bad = 0, 1 elseif bad == "0" and code ~= 0 then bad = 1 end
  passed, failed = passed + good, failed + bad
  local seconds = async.now() - from
  print(("%-48s %4d passed %3d failed  %5.1f s"):format(path, good, bad, seconds))
  if tonumber(bad) > 0 then
    local said = ended and ("%s%sexit code %d\n"):format(text, running.stderr(), code) or code .. "\n"
    io.write(said)
    recap[#recap + 1] = ("FAILED %s\n%s"):format(path, said:sub(-RECAP_BYTES))
  end
  io.stdout:flush()
end

local alone, together = {}, {}
for _, path in ipairs(files) do table.insert(measures(path) and alone or together, path) end

local function work(waiting)
  return function()
    while waiting[1] do run_file(table.remove(waiting, 1)) end
  end
end

async.run(function()
  work(alone)()
  local workers = {}
  for i = 1, AT_ONCE do workers[i] = work(together) end
  async.all(workers)
end)

io.write(table.concat(recap))
print(("%d passed, %d failed"):format(passed, failed))
return failed == 0 and passed > 0 and 0 or 1
