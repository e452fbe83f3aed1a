--- `make bench-diagnosis [CASES=…] [SEED=…] [REPEAT=5] [PROVIDER=analyst] [UNDER=crowd|busy] [PAGE=…]`: plants the
--- cases of the gallery one after another, has each investigated, and scores what is said by rules. CASES are names
--- with commas between, each perhaps with :sick or :twin, or how many to draw. A run that was made is kept and not made
--- again; the page has beside what is asked for whatever was kept of the same cases with other providers and other work
--- beneath, so that the last of several benches writes it whole. LEAST is how many of them have to be right, or else it
--- fails; so it does then for one false alarm. SHOW=1 runs nothing and prints what would be planted.

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

-- The same jobs with what lies beside a case, and their keys. A key holds what was drawn: a case that was edited is
-- another.
local function keyed(list, under)
  local out = {}
  for i, job in ipairs(list) do
    local parts, text = { shop, unpack(job.case.parts) }, {}
    parts[#parts + 1] = unders[under]
    if job.kind ~= "sick" then parts[#parts + 1] = ticker.part end
    for k, p in ipairs(program.draw(parts, job.kind == "twin", job.seed)) do text[k] = p.source end
    out[i] = setmetatable({ parts = parts, key = ("%s %s"):format(job.key,
      crypto.sha256(table.concat(text)):sub(1, 8)) }, { __index = job })
  end
  return out
end

-- The runs that stand beside, as far as they were made: other work of the node beneath, and others who look.
local BESIDE = { { "analyst", "" }, { "analyst", "crowd" }, { "analyst", "busy" }, { "thresholds", "" },
  { "one_pass", "" } }

local function beside(list, about)
  local columns = {}
  for _, one in ipairs(BESIDE) do
    local who, under = unpack(one)
    local store, runs = kept.open { version = about.version, provider = who, under = under }, {}
    for _, job in ipairs(keyed(list, under)) do runs[#runs + 1] = store:get(job.key) end
    if #runs > 0 and not (who == about.provider and under == about.under) then
      columns[#columns + 1] = { name = under == "" and who or ("%s, under %s"):format(who, under), runs = runs }
    end
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
local bare = list
list = keyed(bare, under)

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
  under = under, left_out = left_out, asked = #list, date = os.date "!%Y-%m-%d" }
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

local page = asked("PAGE", PAGE)
local file = assert(io.open(page, "w"))
file:write(results.page(made, about, beside(bare, about)))
file:close()
print(("%s; the runs are in %s"):format(page, store.path))
local sum, least = score.sum(made), tonumber(asked("LEAST", ""))
print(("%d of %d right, %d false alarms"):format(sum.right.k, sum.right.n, sum.alarms.k))
if least and (sum.right.k < least or sum.alarms.k > 0) then
  print(("LEAST=%d and no false alarm were asked for: %s has each run that was wrong, the kept runs what was looked at")
    :format(least, page))
  return 1
end
return 0
