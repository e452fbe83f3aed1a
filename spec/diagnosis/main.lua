--- `make bench-diagnosis [CASES=…] [SEED=…] [REPEAT=5] [PROVIDER=analyst] [UNDER=crowd|busy]`: plants the cases
--- of the gallery one after another, has each investigated, and scores what is said by rules. CASES are names with
--- commas between, each perhaps with :sick or :twin, or how many to draw. A run that was made is kept and not made
--- again. LEAST is how many of them have to be right, or else it fails; so it does then for one false alarm. SHOW=1
--- runs nothing and prints what would be planted.

local able = require "spec.diagnosis.able"
local async = require "runtime.async"
local cases = require "spec.faults.cases.init"
local crypto = require "host.crypto"
local jobs = require "spec.diagnosis.jobs"
local kept = require "spec.diagnosis.kept"
local kept_apart = require "spec.support.kept_apart"
local program = require "spec.diagnosis.program"
local results = require "spec.diagnosis.results"
local score = require "spec.diagnosis.score"
local shop = require "spec.faults.cases.shop"
local ticker = require "spec.diagnosis.ticker"
local unders = require "spec.faults.cases.under"

local PAGE = "build/diagnosis/RESULTS.md"

local function asked(name, otherwise)
  local value = os.getenv(name)
  return value and value ~= "" and value or otherwise
end

-- A key holds what was drawn: a case that was edited is another.
local function key_of(job)
  local text = {}
  for i, p in ipairs(program.draw(job.parts, job.kind == "twin", job.seed)) do text[i] = p.source end
  return ("%s %s"):format(job.key, crypto.sha256(table.concat(text)):sub(1, 8))
end

-- The runs of those who are set beside, as far as they were made.
local function beside(list, about)
  local columns = {}
  for _, provider in ipairs { "thresholds", "one_pass" } do
    local store, runs = kept.open { version = about.version, provider = provider, under = about.under }, {}
    for _, job in ipairs(list) do runs[#runs + 1] = store:get(job.key) end
    if #runs > 0 and provider ~= about.provider then columns[#columns + 1] = { name = provider, runs = runs } end
  end
  return columns
end

local o = { cases = asked("CASES", ""), seed = asked("SEED", "1"), rounds = tonumber(asked("REPEAT", "5")) }
local provider, under = asked("PROVIDER", "analyst"), asked("UNDER", "")
local list, why = jobs.list(cases, o)
if not list then
  io.stderr:write(why, "\n")
  return 2
end
if under ~= "" and not unders[under] then
  io.stderr:write("UNDER is crowd, or busy, or nothing\n")
  return 2
end
local left_out = {}
for i = #list, 1, -1 do
  local needs = list[i].case.needs
  if needs and not able.to(needs) then left_out[table.remove(list, i).case.name] = needs end
end
for name, needs in pairs(left_out) do
  print(("%s is left out: this machine allows no %s of ours"):format(name, needs))
end
for _, job in ipairs(list) do
  job.parts = { shop, unpack(job.case.parts) }
  table.insert(job.parts, unders[under])
  if job.kind ~= "sick" then table.insert(job.parts, ticker.part) end
  job.key = key_of(job)
end

if asked "SHOW" then
  for _, job in ipairs(list) do
    print(("%%%% %s"):format(job.key))
    for i, p in ipairs(program.draw(job.parts, job.kind == "twin", job.seed)) do
      if i > 1 then print(p.source) end -- the shop is everybody's
    end
  end
  return 0
end

local version, commit = kept.version()
local about = { provider = provider, commit = commit, version = version, seed = o.seed, rounds = o.rounds,
  under = under, asked = #list, date = os.date "!%Y-%m-%d" }
local store = kept.open(about)

-- How long the rest may take, by those that were made just now: kept ones take nothing.
local made_now, began, left = 0, nil, 0
for _, job in ipairs(list) do left = left + (store:get(job.key) and 0 or 1) end

local function told(i, job, one, was)
  if not was then made_now, left = made_now + 1, left - 1 end
  local rest = was and "" or (", %.0f min left"):format(left * (async.now() - began) / made_now / 60)
  print(("%4d/%d %-44s %-5s %6s%s%s  %s"):format(i, #list, job.key, score.run(one).right and "right" or "WRONG",
    one.seconds and ("%.1f s"):format(one.seconds) or "-", was and " kept" or "", rest, results.said(one)))
  io.stdout:flush()
end

-- Nothing of ours in anybody's home.
local made = kept_apart({ "HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME" }, function()
  local run, runs = require "spec.diagnosis.run", {}
  async.run(function()
    began = async.now()
    for i, job in ipairs(list) do
      local was = store:get(job.key)
      local now = was or run.make(job, provider)
      if not was and now.planted then store:add(job.key, now) end -- else it was never the analyst's turn
      runs[i] = store:get(job.key) or now
      told(i, job, runs[i], was)
    end
  end)
  return runs
end)

local file = assert(io.open(PAGE, "w"))
file:write(results.page(made, about, beside(list, about)))
file:close()
print(("%s; the runs are in %s"):format(PAGE, store.path))
local sum, least = score.sum(made), tonumber(asked("LEAST", ""))
print(("%d passed, %d failed"):format(sum.right.k, sum.right.n - sum.right.k))
return least and (sum.right.k < least or sum.alarms.k > 0) and 1 or 0
