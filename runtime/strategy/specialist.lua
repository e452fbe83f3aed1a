--- The way of a specialist of the runtime: first what this node is (phase zero), then a plan of instrumentation that
--- the person sees, and approves where it does more than read; then the usual skills and the plan's steps, which are
--- halted when the node suffers; then what to do about it, beside what each finding advises. All of it is in the
--- report as `specialist`.
---
--- A copy of your own: `beamlens-run init strategies/specialist.lua`. It runs confined, with what a strategy is handed
--- (runtime/strategy/init.lua), and its rules are the tables below.

-- Rows as one line, the first of them.
local function first(rows, most, word)
  local parts = {}
  for i = 1, math.min(#rows, most) do parts[i] = word(rows[i]) end
  return table.concat(parts, ", ") .. (#rows > most and (", and %d more"):format(#rows - most) or "")
end

local HOT_PCT = 1 -- of what was seen at work; less is no place to look at

local function hot(v)
  local rows = {}
  for _, row in ipairs(v.functions or {}) do rows[#rows + 1] = row.share_pct >= HOT_PCT and row or nil end
  return rows
end

-- Phase zero: reads alone, each with what it says in a line.
local FACTS = {
  { "release", { "apps_release" }, function(v)
    local plain = v.release_name == "Erlang/OTP" -- it was started by no release's script
    local of = plain and "" or ("release %s %s, "):format(v.release_name, v.release_version)
    return ("%sOTP %s, emulator %s (%s)"):format(of, v.otp_release, v.erts_version, v.jit or "emu")
  end },
  { "apps", { "apps_list" }, function(v)
    local running = {}
    for _, app in ipairs(v.applications) do running[#running + 1] = app.running and app or nil end
    return first(running, 8, function(app) return ("%s %s"):format(app.name, app.version or "?") end)
  end },
  { "overview", { "beam_overview", 1000 }, function(v)
    return ("%d processes, %.0f MB, schedulers at %.0f %%"):format(v.process_count, v.total_mb, v.utilization_pct)
  end },
  { "schedulers", { "beam_get_schedulers" }, function(v)
    return ("%d of %d online, on %d cores"):format(v.schedulers_online, v.schedulers, v.cores)
  end },
  { "supervised", { "sup_list" }, function(v)
    return v.total .. ": " .. first(v.supervisors, 5, function(row)
      return ("%s with %d children"):format(row.name or row.pid, row.active_children)
    end)
  end },
  { "hot", { "beam_hot_functions", 10, 1000 }, function(v)
    local rows = hot(v)
    return #rows == 0 and "nothing" or first(rows, 4, function(row)
      return ("%s %.0f%%"):format(row.func, row.share_pct)
    end)
  end },
}

-- The node suffers where a figure passes these; `before` is what it was when the step began.
local MOST_WAITING = 4           -- processes that wait for a scheduler, for each scheduler
local BUSY_PCT, BUSIER_PCT = 95, 10
local MORE_MEMORY, MORE_MB = 1.1, 64
local CHECKS = 8                 -- of the load while a trace is on, half a second each

-- Whose functions say nothing of what the node is for: of OTP, and of Elixir itself.
local PLATFORM = { "^gen", "^prim_", "^erl", "^erpc$", "^erts_", "^lists$", "^timer$", "^ets$", "^io", "^proc_lib$",
  "^supervisor", "^logger", "^code", "^application", "^inet", "^ssl", "^tls", "^file", "^global", "^rpc$", "^net_",
  "^dist_util$", "^auth$", "^pg$", "^sys$", "^user", "^init$", "^group$", "^maps$", "^re$", "^binary$", "^disk_log",
  "^unicode$", "^string$", "^mnesia", "^dets", "^queue$", "^sets$", "^ordsets$", "^gb_", "^rand$", "^crypto$", "^os$",
  "^Enum$", "^Map$", "^List$", "^Stream", "^GenServer$", "^Task", "^Process$", "^Registry$", "^String", "^IO$" }

local function own(func)
  local module, name, arity = func:match "^(.+):(.+)/(%d+)$"
  for _, pattern in ipairs(PLATFORM) do
    if not module or module:find(pattern) then return nil end
  end
  return { "trace_start", module, name, tonumber(arity) }
end

local function value(fact) return fact and fact.value or {} end

-- What might be looked at beyond the usual: `calls` says which calls, nil where the facts give no reason.
local STEPS = {
  { what = "the usual skills look, and their checks judge", calls = function() return {} end },
  { what = "watch the process that works most", calls = function(facts)
    local top = value(facts.overview).top_reducers
    return top and top[1] and { { "beam_watch_process", top[1].pid, 3000 } }
  end },
  { what = "watch the process with the longest mailbox", calls = function(facts)
    local queues = value(facts.overview).longest_queues
    return queues and queues[1] and queues[1].message_queue > 100
      and { { "beam_watch_process", queues[1].pid, 3000 } }
  end },
  { what = "collect the garbage of all processes, and see who let go of binaries",
    ends = "with its answer; the heaps are smaller then", calls = function(facts)
      local v = value(facts.overview)
      return v.binary_mb and v.binary_mb > 200 and v.binary_mb > 0.3 * v.total_mb and { { "beam_binary_leak", 10 } }
    end },
  { what = "trace who calls the hottest function of the node's own",
    ends = "after 50 calls, after some seconds, or as soon as the node suffers", calls = function(facts)
      for _, row in ipairs(hot(value(facts.hot))) do
        local start = own(row.func)
        if start then return { start, { "trace_get" }, { "trace_stop" } } end
      end
    end },
}

-- What the facts alone say should be done: { text, figures: fact and path }.
local GUIDANCE = {
  { area = "supervision", of = function(facts, say)
    for i, row in ipairs(value(facts.supervised).supervisors or {}) do
      local where = ("supervisors[%d]."):format(i)
      if row.answers == false then
        say(("%s does not answer within 1 s: let its children do what is slow after init returned (handle_continue)")
          :format(row.name or row.pid), { "supervised", where .. "answers" })
      end
      if row.active_children > 10000 then
        say(("%s has %d children and starts them one after another: split it by key (PartitionSupervisor)"):format(
          row.name or row.pid, row.active_children), { "supervised", where .. "active_children" })
      end
    end
  end },
  { area = "load shedding", of = function(facts, say)
    local v = value(facts.overview)
    local row = v.longest_queues and v.longest_queues[1]
    if row and row.message_queue > 1000 then
      say(("%s has %d messages waiting: let senders wait (call in place of cast), or refuse and count what is too much")
        :format(row.name or row.pid, row.message_queue), { "overview", "longest_queues[1].message_queue" })
    end
    if v.process_count and v.process_count > 0.5 * v.process_limit then
      say("over half of the processes that may be are there: bound whatever starts one for each request",
        { "overview", "process_count" }, { "overview", "process_limit" })
    end
  end },
  { area = "telemetry", of = function(facts, say)
    local there, count = {}, value(facts.apps).total
    for _, app in ipairs(value(facts.apps).applications or {}) do there[app.name] = app.running or nil end
    if not count then return end
    if not there.telemetry then
      say("no application telemetry runs: emit events where requests come in and where others are called, and export "
        .. "their count and duration", { "apps", "running_count" })
    end
    if not there.os_mon then
      say("os_mon does not run: with it the node raises alarms for memory and disks itself (memsup, disksup)",
        { "apps", "running_count" })
    end
  end },
  { area = "flags", of = function(facts, say)
    local s, v = value(facts.schedulers), value(facts.overview)
    if s.cpu_quota and s.cpu_quota < s.schedulers_online then
      say(("%d schedulers share a quota of %d: start it with +S %d:%d"):format(s.schedulers_online, s.cpu_quota,
        s.cpu_quota, s.cpu_quota), { "schedulers", "schedulers_online" }, { "schedulers", "cpu_quota" })
    end
    if v.atom_count and v.atom_count > 0.5 * v.atom_limit then
      say("over half of the atoms that may be are there: find who makes them before +t gives more room",
        { "overview", "atom_count" }, { "overview", "atom_limit" })
    end
    if value(facts.release).jit == "emu" then
      say("this Erlang runs without its JIT: one that is built with it does the same work with less CPU",
        { "release", "jit" })
    end
  end },
}

local function phase_zero(run)
  local facts, rows = {}, {}
  for i, fact in ipairs(FACTS) do
    local look, why = run.look(fact[2])
    facts[fact[1]] = look
    rows[i] = { name = fact[1], callback = fact[2][1], observation = look and look.observation,
      value = look and look.value, says = look and fact[3](look.value), why = why }
  end
  return facts, rows
end

local TEXT = { type = "string" }

local function object(properties, required)
  return { type = "object", additionalProperties = false, required = required, properties = properties }
end

local function list_of(items, most) return { type = "array", items = items, maxItems = most } end

local PLAN = object({ steps = list_of(object({ what = TEXT, callback = TEXT,
  arguments = list_of { type = { "string", "number", "boolean" } } }, { "what", "callback" }), 5) }, { "steps" })

-- What the rules would look at, and what a model would beside it.
local function planned(run, facts, rows)
  local steps, taken = {}, {}
  for _, step in ipairs(STEPS) do
    local calls = step.calls(facts)
    local key = calls and calls[1] and calls[1][1] .. tostring(calls[1][2])
    if calls and not taken[key or ""] then steps[#steps + 1] = { what = step.what, calls = calls, ends = step.ends } end
    taken[key or ""] = key and true
  end
  local more = not run.rules_think and run.ask { prompt = "plan", shows = { facts = rows, planned = steps },
    tool = { name = "plan", doc = "Steps beside those that are planned already.", parameters = PLAN } }
  for _, step in ipairs(more and more.steps or {}) do
    steps[#steps + 1] = { what = step.what, calls = { { step.callback, unpack(step.arguments or {}) } } }
  end
  return steps
end

-- The load of this moment; nil where the node had no time to say.
local function load_of(run)
  local use, memory = run.look { "beam_scheduler_utilization", 500 }, run.look { "beam_get_memory" }
  if not (use and memory) then return nil end
  return { run_queue = use.value.run_queue, utilization_pct = use.value.max_utilization_pct,
    total_mb = memory.value.total_mb, schedulers = #use.value.schedulers, observation = use.observation }
end

-- Why the node should be left alone; nil where it bears it.
local function suffers(now, before)
  if not now then return "it had no answer to how it is" end
  local most = MOST_WAITING * now.schedulers
  if now.run_queue > most then
    return ("%d processes wait for one of %d schedulers, %d may (%s)"):format(now.run_queue, now.schedulers, most,
      now.observation)
  end
  if not before then return nil end
  if now.utilization_pct >= BUSY_PCT and now.utilization_pct >= before.utilization_pct + BUSIER_PCT then
    return ("a scheduler is busy %.0f %% of its time, and was %.0f %% (%s)"):format(now.utilization_pct,
      before.utilization_pct, now.observation)
  end
  if now.total_mb > MORE_MEMORY * before.total_mb and now.total_mb > before.total_mb + MORE_MB then
    return ("memory went from %.0f to %.0f MB"):format(before.total_mb, now.total_mb)
  end
end

-- The node bears what only reads, as it bears the usual skills. Of what does more the load is looked at before, between
-- the calls, and as long as a trace is on.
local function carry_out(run, step, calls)
  step.observations = {}
  local heavy, traces = step.class ~= "SAFE", calls[1][1] == "trace_start"
  local before = heavy and load_of(run) or nil
  local why = heavy and suffers(before) or nil
  if why then
    step.state, step.why = "put_off", why
    return
  end
  for i, call in ipairs(calls) do
    for _ = 1, heavy and i > 1 and (call[1] == "trace_get" and CHECKS or 1) or 0 do
      why = why or suffers(load_of(run), before)
    end
    if not why or call[1] == "trace_stop" then
      local look, failed = run.look(call)
      if look then step.observations[#step.observations + 1], step.result = look.observation, look.value end
      step.why = step.why or failed
      if failed and (i == 1 or not traces) then break end -- a trace that is on is ended
    end
  end
  step.state = why and "halted" or step.why and "failed" or "done"
  step.why = why or step.why
end

local ADVICE = object({ guidance = list_of(object({
  area = { type = "string", enum = { "supervision", "load shedding", "telemetry", "flags" } }, text = TEXT,
  figures = list_of(object({ observation = TEXT, path = TEXT }, { "observation", "path" })),
}, { "area", "text", "figures" }), 6) }, { "guidance" })

-- By the facts, and by a model where it cites a figure that stands.
local function guidance(run, facts, rows, plan)
  local list = {}
  for _, rule in ipairs(GUIDANCE) do
    rule.of(facts, function(text, ...)
      local figures = {}
      for _, figure in ipairs { ... } do
        figures[#figures + 1] = run.cite(facts[figure[1]].observation, figure[2])
      end
      list[#list + 1] = { area = rule.area, text = text, by = "rules", figures = figures }
    end)
  end
  local more = not run.rules_think and run.ask { prompt = "guidance",
    shows = { facts = rows, plan = plan, notifications = run.notifications(), guidance = list },
    tool = { name = "guide", doc = "What to change, beside what is said already.", parameters = ADVICE } }
  for _, item in ipairs(more and more.guidance or {}) do
    local figures = {}
    for _, claim in ipairs(item.figures) do figures[#figures + 1] = run.cite(claim.observation, claim.path) end
    if #figures > 0 then list[#list + 1] = { area = item.area, text = item.text, by = "model", figures = figures } end
  end
  return list
end

return {
  name = "specialist",
  prompts = { "hybrid", "doubt", "plan", "guidance" },
  also = { "apps", "beam", "sup", "tracer" },
  run = function(run)
    local facts, rows = phase_zero(run)
    local steps = planned(run, facts, rows)
    local plan = run.approve(steps)
    run.by_rules()
    for i, step in ipairs(plan) do
      if step.state == "approved" and #steps[i].calls > 0 then carry_out(run, step, steps[i].calls) end
      if step.state == "approved" then step.state = "done" end
    end
    local outcome
    if not run.rules_think then
      outcome = run.agent { prompt = "hybrid", after_rules = true,
        without = { "get_notifications", "get_operator_statuses", "schedule", "think" } }
      run.look_again()
      run.doubt()
    end
    run.report { specialist = { phase_zero = rows, plan = plan, guidance = guidance(run, facts, rows, plan) } }
    return outcome
  end,
}
