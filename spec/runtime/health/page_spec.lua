-- The screen of `health`, of figures that are given: what stands where, and within which width.

local page = require "runtime.health.page"
local rules = require "runtime.health.rules"

local LONG = ("Elixir.Shop.Very.Long.Name.Of.A.Worker"):rep(3)

local function figures()
  local function row(pid, kb, queue, name)
    return { pid = pid, memory_kb = kb, message_queue = queue, name = name, initial_call = LONG .. ":init/1",
      current_function = "gen_server:loop/7", status = "waiting" }
  end
  return {
    system = { otp_release = "27", elixir_version = "1.17.3", uptime_seconds = 93784 },
    memory = { total_mb = 2048.5, processes_mb = 1000.25, system_mb = 1048.25, binary_mb = 500, ets_mb = 400,
      code_mb = 100, atom_mb = 1.25 },
    machine = { used_pct = 41.26, total_mb = 16000, cgroup_limit_mb = 4096, cgroup_used_pct = 92.4 },
    processes = { process_count = 240000, process_limit = 262144, port_count = 13107, port_limit = 65536 },
    atoms = { atom_count = 1000000, atom_limit = 1048576 }, table_limit = 8192,
    ets = { table_count = 1, total_memory_mb = 400, largest_table_mb = 200.5 },
    schedulers = { schedulers_online = 8, run_queue = 30, run_queue_before = 0, seconds = 0.4, utilization_pct = 71.4,
      max_utilization_pct = 99.6, dirty_cpu_pct = 0, dirty_io_pct = 3.14 },
    top_by_memory = { processes = { row("<0.5.0>", 600000, 0, LONG), row("<0.12345.0>", 90, 0) } },
    top_by_mailbox = { processes = { row("<0.9.0>", 90, 1234567, "sink"), row("<0.5.0>", 600000, 0, LONG) } },
    oban = { available = 12, executing = 3, retryable = 0, scheduled = 5, discarded = 1, oldest_available_s = 75 },
  }
end

local NODE = { name = "shop@10.0.0.7", load = { calls = 6, reductions = 538373, bytes = 8448, max_ms = 437 } }

local function shown(change, screen, o, unanswered)
  local of = figures()
  change(of)
  return page.text(NODE, of, unanswered or {}, rules.judge(of), o or {}, screen or { width = 80 })
end

local function same() end

local function line_of(text, name) return text:match("\n(" .. name .. " [^\n]*)") end

describe("the page of health", function()
  it("says by each line how it is, in words", function()
    local text, states = shown(same), {}
    for _, name in ipairs { "memory", "machine", "processes", "ports", "atoms", "ets", "run queue", "schedulers",
      "mailboxes", "oban" } do
      states[name] = line_of(text, name):sub(#name + 1):match "%S+"
    end
    assert.same({ memory = "attention", machine = "bad", processes = "bad", ports = "ok", atoms = "bad", ets = "ok",
      ["run queue"] = "ok", schedulers = "attention", mailboxes = "bad", oban = "attention" }, states)
  end)

  for name, said in pairs {
    memory = "2,049 MB: processes 1,000, binary 500.0, ets 400.0, code",
    machine = "41% of 16,000 MB in use; of its container's 4,096 MB 92%",
    ports = "13,107 of 65,536          [####                ]  20%",
    atoms = "1,000,000 of 1,048,576    [################### ]  95%",
    ets = "1 table, 400.0 MB, the largest 200.5 MB",
    ["run queue"] = "30 waiting for 8 schedulers",
    schedulers = "71% busy, the fullest 100%; dirty CPU 0%, dirty IO 3.1%",
    mailboxes = "1,234,567 messages in the longest, of sink",
    oban = "available 12, executing 3, retryable 0, scheduled 5,",
  } do
    it("tells of " .. name, function()
      assert.equal(said, line_of(shown(same), name):sub(24))
    end)
  end

  it("begins with the node, its releases and since when it is up", function()
    assert.equal("shop@10.0.0.7  OTP 27, Elixir 1.17.3, up 1 d 2 h", shown(same):match "^[^\n]+")
  end)

  it("tells for how long as people do", function()
    local told = {}
    for i, s in ipairs { 0, 59, 60, 61, 3599, 3600, 86399, 86400, 864000 } do told[i] = page.duration(s) end
    assert.same({ "0 s", "59 s", "1 min", "1 min 1 s", "59 min 59 s", "1 h", "23 h 59 min", "1 d", "10 d" }, told)
  end)

  it("tells a process below a tenth of a megabyte in kilobytes", function()
    local text = shown(same)
    assert.matches("\n  <0.5.0>      585.9 MB  ", text)
    assert.matches("\n  <0.12345.0>     90 kB  ", text)
  end)

  it("shows of mailboxes those that hold something", function()
    assert.matches("\ntop by mailbox\n  <0.9.0>  1,234,567  sink %([^\n]*waits for a message\n\noverloaded%? yes",
      shown(same))
    assert.matches("\ntop by mailbox: none\n", shown(function(of)
      of.top_by_mailbox.processes = { of.top_by_mailbox.processes[2] }
    end))
  end)

  it("tells each broken rule with its figure and its limits, and the others in one", function()
    local text = shown(same)
    assert.matches("\n  bad        processes 91.6%%; attention from 80, bad from 90\n", text)
    assert.matches("\n  attention  the oldest job that waits 75 s; attention from 60, bad from 600\n", text)
    assert.matches("\n  ok         memory of the machine 41.3%% %(80%%%), ports 20%% %(80%%%), ", text)
  end)

  it("says of a part that was not answered why, and shows the rest", function()
    local text = shown(function(of) of.ets = nil end, nil, nil, { { part = "ets", why = "no answer after 10 s" } })
    assert.equal("ets         unknown    not answered: no answer after 10 s", line_of(text, "ets"))
    assert.matches("\n  unknown    ETS tables\n", text)
    assert.truthy(line_of(text, "mailboxes"))
  end)

  it("shows what a machine cannot say, and no line for an Oban that is not there", function()
    local text = shown(function(of) of.machine, of.oban = { unavailable = "no /proc, no os_mon" }, nil end)
    assert.equal("machine     unknown    no /proc, no os_mon", line_of(text, "machine"))
    assert.is_nil(line_of(text, "oban"))
  end)

  it("tells what to run next for this node, the worst first", function()
    local text = shown(same, { width = 100 }, { cookie_file = "/c" })
    assert.matches("\nwhat to look at next\n  beamlens%-run call beam_top_processes 5 memory %-%-node shop@10.0.0.7 "
      .. "%-%-cookie%-file /c\n", text)
    assert.matches("\n  beamlens%-run coordinator.lua %-%-node shop@10.0.0.7 %-%-cookie%-file /c\n\nasked of", text)
  end)

  it("says so where every figure is within its limit", function()
    local text = shown(function(of)
      of.machine, of.oban = nil, nil
      of.processes.process_count, of.atoms.atom_count, of.schedulers.utilization_pct = 100, 10000, 5
      of.top_by_memory.processes[1].memory_kb, of.top_by_mailbox.processes[1].message_queue = 100, 0
    end)
    assert.matches("\noverloaded%? no, by rules of thumb\n  ok ", text)
    assert.matches("\nevery figure is within its limit; if something is wrong all the same:\n  beamlens%-run coord",
      text)
  end)

  it("colours the words of states and nothing of the node, where there may be colour", function()
    local painted, colours = shown(same, { width = 80, color = true }), {}
    local text = painted:gsub("\27%[([%d;]+)m([^\27]*)\27%[0m", function(code, word)
      colours[word:match "^%S+"] = code
      return word
    end)
    assert.equal(shown(same), text)
    assert.same({ ok = "32", attention = "1;33", bad = "1;31", asked = "2" }, colours)
  end)

  for _, width in ipairs { 60, 80, 100, 200 } do
    it(("is no wider than %d columns, and no longer than can be read"):format(width), function()
      local text = shown(same, { width = width }, { cookie_file = "/home/somebody/.cookies/shop.production" })
      local lines, long = 0, {}
      for line in text:gmatch "[^\n]*\n" do
        lines = lines + 1
        if #line:gsub("[\128-\191]", "") - 1 > width then long[#long + 1] = line end
      end
      assert.same({}, long)
      assert.is_true(lines <= (width >= 80 and 48 or 66), text) -- where all of it is bad
    end)
  end

  it("shows text of a node harmless", function()
    local text = shown(function(of)
      of.top_by_mailbox.processes[1].name, of.system.otp_release = "a\27[2Jb", "2\27c7"
    end)
    assert.is_nil(text:find "[%z\1-\9\11-\31\127]")
  end)
end)
