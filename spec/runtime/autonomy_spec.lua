local uv = require "luv"
local autonomy = require "runtime.autonomy"
local case_of = require "runtime.case"
local gate = require "runtime.gate"
local json = require "runtime.json"
local analyst = require "runtime.llm.analyst"
local crowd = require "spec.support.crowd"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local policy = require "runtime.policy"
local program = require "spec.support.program"
local runbook = require "runtime.runbook"
local skill = require "runtime.skill"
local state_home = require "spec.support.state_home"

local ROOT = require("host.files").root

-- A check that finds the trouble at once, where ours of the same trouble look for two seconds.
local CHECK = [[
return { { id = "spec_leak", mechanism = "spec_leak", look = { { "beam_get_memory" } },
  suspect = function(snapshot) return snapshot.binary_memory_mb > 16 end,
  confirm = function() return { object = "they", severity = "warning", hypothesis = "they hold it", figures = {},
    unlike = {}, next_steps = {} } end } }]]

local NOON, MIDNIGHT = 12 * 60, 0

describe("autonomy", function()
  local at, beam, folder

  local function write(name, text)
    local file = assert(io.open(("%s/beamlens/runbooks/%s.lua"):format(folder, name), "w"))
    file:write(text)
    file:close()
  end

  -- The example of ours with some words of it changed.
  local function example(name, changes)
    local file = assert(io.open(ROOT .. "/examples/runbooks/free_binaries.lua"))
    local text = file:read "*a"
    file:close()
    text = text:gsub("free_binaries", name)
    if name ~= "free_binaries" then text = text:gsub("binary_refs_held", "spec_leak") end
    for from, to in pairs(changes or {}) do
      local at_byte, last = text:find(from, 1, true)
      text = text:sub(1, at_byte - 1) .. to .. text:sub(last + 1)
    end
    write(name, text)
  end

  setup(function()
    at = live.start()
    held.in_task(crowd.load, at, "holders")
    held.in_task(at.evaluate, at, "holders:start(300).")
    folder = uv.fs_realpath(uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX")
    os.execute(("mkdir -p %s/beamlens/runbooks %s/beamlens/checks"):format(folder, folder))
    uv.os_setenv("XDG_CONFIG_HOME", folder)
    local file = assert(io.open(folder .. "/beamlens/checks/beam_spec.lua", "w"))
    file:write(CHECK)
    file:close()
    beam = assert(skill.open "beam")
    policy.start()
  end)
  teardown(function()
    live.stop_all()
    uv.os_unsetenv "XDG_CONFIG_HOME"
    os.execute("rm -rf " .. folder)
  end)
  before_each(function() state_home.open() end)
  after_each(function() state_home.close() end)

  local function settle(name, more)
    local group = { runbooks = { name }, per_hour = 3, quiet_hours = "", dry_run = true }
    for key, value in pairs(more or {}) do group[key] = value end
    return assert(autonomy.settle(group))
  end

  local function mind() return { name = "analyst", operator = analyst.operator, coordinator = analyst.coordinator } end

  -- A case in which somebody concluded that this is it, whether it is so or not.
  local function case(mechanism)
    local c = case_of.new { node = at.node, skills = { beam }, mind = mind(), gate = gate.new {} }
    c.insights[1] = { id = "i1", severity = "critical", root_cause = { object = "all of it", mechanism = mechanism } }
    return c
  end

  local function follow(name, more, now, mechanism)
    local c = case(mechanism or "spec_leak")
    autonomy.follow(c, settle(name, more), now or NOON)
    return c.proposals:rows()
  end

  local function holding() return at.eval "holders:holding()." end

  local function kinds()
    local list = {}
    for i, line in ipairs(state_home.audit()) do list[i] = line.kind end
    return table.concat(list, " ")
  end

  describe("that is dry", function()
    it("only tells what it would do, in the report of a run", live.test(function()
      local home = folder .. "/plain" -- without the check of ours above
      example "free_binaries"
      os.execute(("mkdir -p %s/beamlens && cp -r %s/beamlens/runbooks %s/beamlens"):format(home, folder, home))
      local file = assert(io.open(home .. "/beamlens/config.lua", "w"))
      file:write 'return { skills = { "beam" }, autonomy = { runbooks = { "free_binaries" } } }'
      file:close()
      local before = holding()
      local run = program.run({ "coordinator", "--node", at.name, "--cookie-file", at.cookie_file, "--json" }, {
        env = { XDG_CONFIG_HOME = home, XDG_STATE_HOME = os.getenv "XDG_STATE_HOME",
          ERL_EPMD_PORT = tostring(at.epmd_port) } })
      assert.equal(1, run.code, run.stdout .. run.stderr)
      local report = json.decode(run.stdout)
      assert.equal("binary_refs_held", report.insights[1].root_cause.mechanism)
      assert.equal(3, #report.actions)
      local row = report.actions[1]
      assert.same({ "gc_process", "CAUTION", "dry_run", "runbook", "free_binaries" },
        { row.action, row.class, row.state, row.by.kind, row.by.name })
      assert.matches("it waits in .* and refers to %d+ kB of binaries", row.reason)
      assert.equal(before, holding())
      assert.equal("runbook.dry_run runbook.dry_run runbook.dry_run", kinds())
      assert.matches("a runbook would have done it", require("runtime.report").text(report))
    end))
  end)

  describe("that is not dry", function()
    it("refuses in quiet hours, and says so", live.test(function()
      example "frees"
      local rows = follow("frees", { dry_run = false, quiet_hours = "22:00-06:00" }, MIDNIGHT)
      assert.same({ "refused", "these are quiet hours" }, { rows[1].state, rows[1].outcome.message })
      assert.equal("runbook.refused runbook.refused runbook.refused", kinds())
    end))

    it("does no action that the runbook does not allow", live.test(function()
      example("other", { ['action = "gc_process", arguments = { process = process.pid }'] =
        'action = "kill_process", arguments = { process = process.pid }' })
      local processes = at.eval "length(processes())."
      local rows = follow("other", { dry_run = false })
      assert.same({ "refused", "DANGEROUS", "the runbook other does not allow kill_process" },
        { rows[1].state, rows[1].class, rows[1].outcome.message })
      assert.equal(processes, at.eval "length(processes()).")
    end))

    it("does nothing that the owner's policy forbids", live.test(function()
      example "frees"
      local path = folder .. "/beamlens/policy.lua"
      local file = assert(io.open(path, "w"))
      file:write 'return { actions = { gc_process = "never" } }'
      file:close()
      assert(policy.start())
      local rows = follow("frees", { dry_run = false })
      os.remove(path)
      policy.start()
      assert.same({ "refused", "never" }, { rows[1].state, rows[1].class })
      assert.matches("your policy forbids gc_process", rows[1].outcome.message)
    end))

    it("does nothing about what no check of ours finds, whatever a model concluded", live.test(function()
      example("lock", { spec_leak = "long_gc" })
      assert.same({}, follow("lock", { dry_run = false }, NOON, "long_gc"))
      assert.is_nil(io.open(state_home.path "audit.jsonl"))
    end))

    it("collects, so often in an hour, and the next one is refused", live.test(function()
      example "frees"
      local before = holding()
      local rows = follow("frees", { dry_run = false, per_hour = 4 })
      assert.equal(3, #rows)
      for _, row in ipairs(rows) do assert.same({ "verified", "runbook" }, { row.state, row.by.kind }) end
      assert.equal(3, before - holding())
      rows = follow("frees", { dry_run = false, per_hour = 4 })
      assert.same({ "verified", "rejected", "rejected" }, { rows[1].state, rows[2].state, rows[3].state })
      assert.matches("the actions of the last hour were 4 already, and no more were allowed", rows[2].outcome.message)
      assert.equal(4, before - holding())
      local told = state_home.told(rows[1].id)
      assert.equal("proposed executing executed verified", told)
    end))

    it("counts what its own limit says, where that is less", live.test(function()
      example("careful", { ["per_run = 3"] = "per_run = 2, per_hour = 1" })
      local rows = follow("careful", { dry_run = false, per_hour = 50 })
      assert.same({ "verified", "rejected" }, { rows[1].state, rows[2].state })
    end))
  end)

  it("asks the node no more than a hundred times for one runbook", live.test(function()
    example("curious", { ["local top, why"] = 'for _ = 1, 100 do look "nothing" end\n    local top, why' })
    local row = follow("curious")[1]
    assert.equal("refused", row.state)
    assert.matches("a runbook looks 100 times at most; correct it, or take it out of autonomy.runbooks",
      row.outcome.message, 1, true)
  end))

  describe("settings", function()
    local function fault(group)
      local whole = { runbooks = {}, per_hour = 3, quiet_hours = "", dry_run = true }
      for key, value in pairs(group) do whole[key] = value end
      local settings, err = autonomy.settle(whole)
      assert.is_nil(settings)
      assert.equal(2, err.exit)
      return (tostring(err):gsub(folder, "HOME"))
    end

    it("know quiet hours over midnight and within a day", function()
      local night, day = settle("free_binaries", { quiet_hours = "22:00-06:00" }).quiet,
        settle("free_binaries", { quiet_hours = "8:30 - 10:00" }).quiet
      local function at_hour(quiet, ...)
        local told = {}
        for i, minute in ipairs { ... } do told[i] = autonomy.is_quiet(quiet, minute) end
        return told
      end
      assert.same({ true, true, false, false }, at_hour(night, 22 * 60, 0, 6 * 60, NOON))
      assert.same({ false, true, true, false }, at_hour(day, 509, 510, 599, 600))
      assert.is_false(autonomy.is_quiet(nil, 0))
    end)

    it("refuse what is no time of day", function()
      for _, text in ipairs { "night", "22:00", "25:00-06:00", "22:60-06:00", "06:00-06:00" } do
        assert.equal(("autonomy.quiet_hours is no time of day: %s; write it like \"22:00-06:00\""):format(text),
          fault { quiet_hours = text })
      end
    end)

    it("let a watch call single CAUTION callbacks, and nothing wholesale", function()
      assert.is_true(autonomy.check_callbacks({ callbacks = { "beam_binary_leak" } }, { beam }))
      assert.same({ "x", "beam_binary_leak" }, autonomy.allows { allow = { "x" },
        autonomy = { callbacks = { "beam_binary_leak" } } })
      assert.is_nil(autonomy.allows { allow = {}, autonomy = { callbacks = {} } })
      local none = "no callback of the skills in use"
      for name, why in pairs { caution = none, dangerous = none,
        beam_get_memory = "SAFE, and only what is CAUTION can be let" } do
        local ok, err = autonomy.check_callbacks({ callbacks = { name } }, { beam })
        assert.is_nil(ok)
        assert.equal(("autonomy.callbacks: %s is %s; name single callbacks, or take it out"):format(name, why),
          tostring(err))
      end
    end)

    it("refuse a runbook that is not in the owner's folder, and say where ours is", function()
      os.remove(folder .. "/beamlens/runbooks/free_binaries.lua")
      assert.equal("there is no runbook free_binaries (HOME/beamlens/runbooks/free_binaries.lua); read it, then copy "
        .. "it there: `beamlens-run init runbooks/free_binaries.lua`", fault { runbooks = { "free_binaries" } })
      assert.matches("^there is no runbook night .*; write it, or take it out", fault { runbooks = { "night" } })
    assert.matches("^there is no runbook other2 .*; did you mean other%?", fault { runbooks = { "other2" } })
    end)

    it("refuse a runbook that others may write", function()
      example "open"
      uv.fs_chmod(folder .. "/beamlens/runbooks/open.lua", 438)
      assert.matches("open.lua may be written by others", fault { runbooks = { "open" } })
    end)

    it("refuse a name that leads out of the folder", function()
      assert.matches("^%.%./x: a runbook's name is of small letters", fault { runbooks = { "../x" } })
    end)

    it("say what is wrong with a runbook", function()
      local function said(changes)
        example("bad", changes)
        return fault({ runbooks = { "bad" } }):match "bad%.lua: (.*); correct"
      end
      assert.equal("allows: there is no action gc_proces; did you mean gc_process?",
        said { ['allows = { "gc_process" }'] = 'allows = { "gc_proces" }' })
      assert.equal("allows must list actions, one at least", said { ['allows = { "gc_process" }'] = "allows = {}" })
      assert.equal("name must be bad, as its file", said { ['name = "bad"'] = 'name = "good"' })
      assert.equal("when.severity must be warning or critical", said { ['"warning"'] = '"info"' })
      assert.equal("limits knows no per_day", said { per_run = "per_day" })
      assert.equal("steps must be a list or a function", said { ["steps = function"] = "step = function" })
    end)

    it("take a runbook that is named twice once", function()
      example "free_binaries"
      assert.equal(1, #settle("free_binaries", { runbooks = { "free_binaries", "free_binaries" } }).runbooks)
    end)

    it("refuse a runbook that loops", function()
      write("loop", "while true do end")
      assert.matches("loop.lua:1: ran for 20 million steps", fault { runbooks = { "loop" } })
    end)
  end)

  describe("a runbook's steps", function()
    it("are stopped where they loop, and hand over nothing odd", function()
      example("loops", { ["local top, why"] = "while true do end local top, why" })
      local r = assert(runbook.open "loops")
      local steps, err = runbook.steps(r, {}, function() end)
      assert.is_nil(steps)
      assert.matches("loops.lua:%d+: ran for 20 million steps", tostring(err))
    end)

    it("have an action, arguments and a reason", function()
      for change, said in pairs {
        ['action = "gc_process", '] = "step 1 wants an action",
        ["arguments = { process = process.pid },"] = "step 1 wants arguments, a table with names",
        ["why = ("] = "step 1 wants a why",
      } do
        example("lacks", { [change] = change:find "why" and "because = (" or "" })
        local r = assert(runbook.open "lacks")
        local process = { pid = "<0.1.0>", status = "waiting", binary_memory_kb = 9999, current_function = "f" }
        local top = { processes = { process } }
        local _, err = runbook.steps(r, { hypothesis = "h" }, function() return top end)
        assert.matches(said, tostring(err), 1, true)
      end
    end)
  end)
end)
