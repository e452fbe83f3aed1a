-- `ask` as a person does, on a live node: the answer first, its figures, what it does where the looks do not tell.

local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local report = require "runtime.report"

describe("ask", function()
  local at

  setup(function()
    at = live.start { code = [[
      register(orders_inbox, spawn(fun() -> (fun L() -> receive {work, _} -> timer:sleep(50) end, L() end)() end)),
      [orders_inbox ! {work, 0} || _ <- lists:seq(1, 500)], % it has gone on for a while
      spawn(fun() -> From = erlang:monotonic_time(millisecond), % one every 2 ms, whatever time the node gets
        (fun L(I) -> To = (erlang:monotonic_time(millisecond) - From) div 2,
          [orders_inbox ! {work, J} || J <- lists:seq(I, To)], timer:sleep(2), L(To + 1) end)(1) end),
      register(quiet_one, spawn(fun() -> (fun L() -> receive _ -> L() end end)() end)),
      spawn(fun() -> ets:new(sessions, [named_table, public]),
        ets:insert(sessions, [{I, I} || I <- lists:seq(1, 20000)]), receive stop -> ok end end).]] }
  end)

  teardown(live.stop_all)

  local function environment()
    return { HOME = at.home, XDG_STATE_HOME = at.home .. "/state", XDG_CONFIG_HOME = at.home,
      ERL_EPMD_PORT = tostring(at.epmd_port) }
  end

  local function ask(...)
    return program.run({ "ask", ... }, { env = environment() })
  end

  local function answer(question, ...)
    local r = ask(question, "--node", at.name, "--quiet", "--json", ...)
    local told = json.decode(r.stdout)
    return told.answer, told, r.code
  end

  local function paths(figures)
    local by = {}
    for _, claim in ipairs(figures) do by[claim.path] = claim.value end
    return by
  end

  describe("why the queue is growing", function()
    local a, r, code

    setup(live.test(function() a, r, code = answer "why is the queue growing?" end))

    it("begins with the queue that grows, how fast, and why", function()
      local text = report.answer(r)
      assert.matches("^ANSWER  The queue of orders_inbox grows by %d+ a second, from [%d,]+ to [%d,]+", text)
      assert.matches("The cause is orders_inbox: slow_consumer%. The queue of", (text:gsub("\n +", " ")))
      assert.matches("\nSICK  ", text)
      assert.matches("\n   what to do SAFE find what blocks the handler: timer:sleep/1", text, 1, true)
      assert.matches("\n   all of it  beamlens%-run show r%d+\n", text)
      assert.is_nil(text:find("in Erlang", 1, true)) -- what is in the report stands there
      assert.equal(1, code)
    end)

    it("cites figures that stand in the observations of the run, each once", function()
      local figures = paths(a.figures)
      assert.equal(figures["processes[1].final_queue"] - figures["processes[1].initial_queue"],
        figures["processes[1].queue_growth"])
      local seen = {}
      for _, claim in ipairs(a.figures) do
        assert.is_nil(seen[claim.observation .. claim.path])
        seen[claim.observation .. claim.path] = true
      end
      assert.same({ true, "rules", { "mailbox" }, { r.insights[1].id } }, { a.answered, a.by, a.topics, a.insights })
    end)

    it("looks with whom the question asks for", function()
      local looked = {}
      for i, o in ipairs(r.operators) do looked[i] = o.skill end
      assert.same(a.looked, looked)
      assert.is_nil(table.concat(looked, " "):find("allocator", 1, true))
    end)
  end)

  it("says that the table that it names does not grow, with its figures", live.test(function()
    local a, r, code = answer("is the table sessions growing?", "--skills", "ets")
    assert.matches("^The table sessions does not grow: it has 20,000 rows,", a.text)
    assert.equal(20000, paths(a.figures).size)
    assert.same({ true, "healthy", 0 }, { a.answered, r.verdict, code })
  end))

  it("says what one process does that it names", live.test(function()
    local a = answer("what does quiet_one do?", "--skills", "ets")
    assert.matches("^quiet_one was waiting in 100 %% of %d+ looks", a.text)
  end))

  it("says how to look on, as sh takes it", live.test(function()
    local pid = at.eval "P = spawn(fun() -> (fun L(N) -> L(N + 1) end)(0) end), list_to_binary(pid_to_list(P))."
    local a = answer(("what does %s do?"):format(pid), "--skills", "beam")
    at.eval(("exit(list_to_pid(%q), kill)."):format(pid))
    assert.equal(("`beamlens-run call beam_watch_process '%s' 3000` shows what it does"):format(pid), a.would_tell[1])
  end))

  it("says that what it asks about was looked for and is not there", live.test(function()
    local a, _, code = answer("is there a restart loop?", "--skills", "sup")
    assert.equal("There is no sign of restart_loop: sup looked for it, and found none.", a.text)
    assert.same({ true, 4, 0 }, { a.answered, paths(a.figures).supervisor_count, code })
  end))

  it("does not say so where nobody could look for it", live.test(function()
    local a, _, code = answer("is there a restart loop?", "--skills", "ets")
    assert.same({ "The looks that were made do not tell.", false, 4 }, { a.text, a.answered, code })
  end))

  it("invents nothing where no word says what to look at, and says what would tell", live.test(function()
    local r = ask("what colour is the sky?", "--node", at.name, "--quiet", "--skills", "ets")
    assert.matches("^NO ANSWER  No word of the question says what to look at, so everybody looked%.\n", r.stdout)
    assert.matches("would tell ask for memory, a mailbox, the schedulers,", r.stdout, 1, true)
    assert.equal(4, r.code)
  end))

  it("says that nobody has the name that it asks for", live.test(function()
    local a, _, code = answer("what does orders_inbos do?", "--skills", "ets")
    assert.matches("^There is no process of the name orders_inbos on the node now%.", a.text)
    assert.same({ false, 4 }, { a.answered, code })
  end))

  it("wants a name where one process is asked for and none is named", live.test(function()
    local a = answer("GenServer state?", "--skills", "ets")
    assert.same({ false, { "name the process as it is registered, or by its pid, and ask again" } },
      { a.answered, a.would_tell })
  end))

  describe("from standard input", function()
    local ran

    setup(live.test(function()
      local path = at:write("question.txt", "how is the\ntable sessions?\n")
      local line = '"$0" ask - --skills ets --quiet --node %s < %s'
      ran = program.run({ "-c", line:format(at.name, path), program.path }, { path = "/bin/sh", env = environment() })
    end))

    it("is a question", function() assert.matches("^ANSWER  The table sessions does not grow", ran.stdout) end)

    it("is kept as a run whose reason it is, and shown with its answer", live.test(function()
      local shown = program.run({ "show", "last" }, { env = environment() })
      assert.matches("\nANSWER  The table sessions does not grow", shown.stdout)
      local runs = json.decode(program.run({ "runs", "--json" }, { env = environment() }).stdout)
      assert.equal("how is the table sessions?", runs.runs[1].reason)
    end))

    it("is handed on in Markdown with its answer", live.test(function()
      local path = at.home .. "/answer.md"
      program.run({ "show", "last", "--report", path }, { env = environment() })
      local text = io.open(path):read "*a"
      assert.matches("## Answer\n\nAsked: \"how is the table sessions?\"\n\nThe table sessions does", text, 1, true)
    end))
  end)

  it("is drawn within 60 columns, with colours, on a terminal", live.test(function()
    local running = pty.start({ "ask", "how is the table sessions?", "--node", at.name, "--quiet", "--skills",
      "ets" },
      { env = environment(), whole = true, columns = 60 })
    assert.equal(0, (running.wait()))
    local longest = 0
    for line in running.screen():match "^(.-)\n[^\n]*HEALTHY":gsub("\27%[[%d;]*m", ""):gmatch "[^\n]+" do
      longest = math.max(longest, #line)
    end
    assert.is_true(longest <= 60, running.screen())
    assert.matches("\27[1;32mANSWER\27[0m", running.screen(), 1, true)
  end))

  for _, words in ipairs { {}, { "" }, { "  " }, { "???" } } do
    it(("refuses %q"):format(words[1] or "no word"), live.test(function()
      local r = ask(unpack(words))
      assert.equal(2, r.code)
      assert.matches('put it in quotes: beamlens-run ask "why is the queue growing?"', r.stderr, 1, true)
    end))
  end

  it("refuses a question as long as a log", live.test(function()
    local r = ask(("x "):rep(1500))
    assert.equal(2, r.code)
    assert.matches("the question is longer than 2000 bytes; ask for one thing", r.stderr, 1, true)
  end))
end)
