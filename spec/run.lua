--- `spec-host spec/run.lua [FILE…]`: every spec file in a process of its own, some at a time, so
--- that none meets what another left in its loop; those that measure what the machine does come
--- first, one at a time. What failed is shown in full, what passed in a line. That files run beside
--- each other is for speed and no promise of theirs: one that failed so is run once more alone, and
--- that decides; both are told. At the end stands once more what failed; the last line is
--- "N passed, N failed".

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
-- When more than this fail, it is not the company they keep.
local MOST_AGAIN = 3

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

-- { path, passed, failed, said }: a process that ended without its last line, or said 0 failed and ended badly, failed.
local function run_file(path)
  local from = async.now()
  local running = program.start({ path }, { path = ours.exe, env = uv.os_environ() })
  local ended, code = pcall(running.wait, LONGEST_S)
  local text = running.stdout()
  local good, bad = text:match "(%d+) passed, (%d+) failed%s*$"
  good, bad = tonumber(good), tonumber(bad)
  if not (ended and good) then good, bad = 0, 1 elseif bad == 0 and code ~= 0 then bad = 1 end
  print(("%-48s %4d passed %3d failed  %5.1f s"):format(path, good, bad, async.now() - from))
  local said = ended and ("%s%sexit code %d\n"):format(text, running.stderr(), code) or code .. "\n"
  if bad > 0 then io.write(said) end
  io.stdout:flush()
  return { path = path, passed = good, failed = bad, said = said }
end

local alone, together = {}, {}
for _, path in ipairs(files) do table.insert(measures(path) and alone or together, path) end

local passed, failed, recap, again = 0, 0, {}, {}

local function count(run)
  passed, failed = passed + run.passed, failed + run.failed
  if run.failed > 0 then recap[#recap + 1] = ("FAILED %s\n%s"):format(run.path, run.said:sub(-RECAP_BYTES)) end
end

local function beside_others()
  while together[1] do
    local run = run_file(table.remove(together, 1))
    if run.failed > 0 then again[#again + 1] = run else count(run) end
  end
end

async.run(function()
  for _, path in ipairs(alone) do count(run_file(path)) end
  local workers = {}
  for i = 1, AT_ONCE do workers[i] = beside_others end
  async.all(workers)
  for _, run in ipairs(again) do
    local second = #files > 1 and #again <= MOST_AGAIN and run_file(run.path) or run
    count(second)
    if second.failed == 0 then recap[#recap + 1] = ("failed beside others, passed alone: %s\n"):format(run.path) end
  end
end)

io.write(table.concat(recap))
print(("%d passed, %d failed"):format(passed, failed))
return failed == 0 and passed > 0 and 0 or 1
