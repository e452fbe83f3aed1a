--- `make bench-diagnosis [CASES=…] [SEED=…] [REPEAT=5] [PROVIDER=analyst] [UNDER=crowd]`: plants the cases of the
--- gallery one after another, has each investigated, and scores what is said by rules. CASES are names with commas
--- between, each perhaps with :sick or :twin, or how many to draw. A run that was made is kept and not made again.

local uv = require "luv"
local async = require "runtime.async"
local cases = require "spec.faults.cases.init"
local crypto = require "host.crypto"
local jobs = require "spec.diagnosis.jobs"
local kept = require "spec.diagnosis.kept"
local planting = require "spec.diagnosis.planting"
local program = require "spec.diagnosis.program"
local results = require "spec.diagnosis.results"
local score = require "spec.diagnosis.score"
local shop = require "spec.faults.cases.shop"

local PAGE = "build/diagnosis/RESULTS.md"

local function asked(name, otherwise)
  local value = os.getenv(name)
  return value and value ~= "" and value or otherwise
end

-- A key holds what was drawn: a case that was edited is another.
local function key_of(job)
  local text = {}
  for i, p in ipairs(program.draw({ shop, unpack(job.case.parts) }, job.kind == "twin", job.seed)) do
    text[i] = p.source
  end
  return ("%s %s"):format(job.key, crypto.sha256(table.concat(text)):sub(1, 8))
end

local o = { cases = asked("CASES", ""), seed = asked("SEED", "1"), rounds = tonumber(asked("REPEAT", "5")) }
local provider, under = asked("PROVIDER", "analyst"), asked("UNDER", "")
local list, why = jobs.list(cases, o)
if not list then
  io.stderr:write(why, "\n")
  return 2
end
if not planting.knows(under) then
  io.stderr:write("UNDER is crowd or nothing\n")
  return 2
end

-- Nothing of ours in anybody's home.
local state = assert(uv.fs_mkdtemp "/tmp/bench-state-XXXXXX")
for _, name in ipairs { "HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME" } do uv.os_setenv(name, state) end
local run = require "spec.diagnosis.run"

local version, commit = kept.version()
local store = kept.open { version = version, provider = provider, under = under }

local made = async.run(function()
  local runs = {}
  for i, job in ipairs(list) do
    local key = key_of(job)
    local was = store:get(key)
    local now = was or run.make(job, provider, under)
    if not was and now.planted then store:add(key, now) end -- else it was never the analyst's turn
    runs[i] = store:get(key) or now
    local s = score.run(runs[i])
    print(("%4d/%d %-44s %-5s %6s%s  %s"):format(i, #list, job.key, s.right and "right" or "WRONG",
      runs[i].seconds and ("%.1f s"):format(runs[i].seconds) or "-", was and " kept" or "", results.said(runs[i])))
    io.stdout:flush()
  end
  return runs
end)

local file = assert(io.open(PAGE, "w"))
file:write(results.page(made, { provider = provider, commit = commit, version = version, seed = o.seed,
  rounds = o.rounds, under = under, asked = #list, date = os.date "!%Y-%m-%d" }))
file:close()
os.execute(("rm -rf '%s'"):format(state))
print(("%s; the runs are in %s"):format(PAGE, store.path))
return 0
