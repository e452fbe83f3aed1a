local json = require "runtime.json"
local report = require "runtime.report"

local function insight(more)
  local i = {
    id = "i1", node = "shop@host", summary = "order_sink gets 5,000 messages a second and handles 200",
    severity = "critical", confidence = "high", correlation_type = "single", hypothesis_grounded = true,
    root_cause = { object = "order_sink", mechanism = "slow_consumer" }, notification_ids = { "n1" },
    evidence = {
      { observation = "o2", callback = "beam_queue_growth", path = "processes[1].final_queue", value = 9780 },
    },
    considered = { { mechanism = "selective_receive_scan", why_not = "it hardly uses the CPU" } },
    next_steps = { { text = "find the blocking call", risk = "SAFE" }, { text = "restart it", risk = "DANGEROUS" } },
  }
  for key, value in pairs(more or {}) do i[key] = value end
  return i
end

local function a_report(more)
  local r = {
    schema = 1, verdict = "sick", would_tell = {}, nodes = { "shop@host" }, reason = "", incomplete = json.null,
    lost = false, insights = { insight() }, notifications = {}, operators = {}, looks = {},
    usage = {
      provider = "analyst", calls = 9, input_tokens = 0, cache_read_tokens = 0, output_tokens = 0, cost_usd = 0,
    },
    target_load = { calls = 23, reductions = 1234567, bytes = 2048, max_ms = 12.4 },
    footprint = { modules_loaded = 2, atoms = 254, relays = 0 },
  }
  for key, value in pairs(more or {}) do r[key] = value end
  return r
end

describe("runtime.report", function()
  it("says verdict, node, object and mechanism in the first line", function()
    assert.equal("SICK  shop@host  order_sink: slow_consumer", report.text(a_report()):match "^[^\n]*")
  end)

  it("says what was edited while the run went on", function()
    local edit = { kind = "skill", name = "ets", from = "a1", to = "b2" }
    local text = report.text(a_report { versions = { reloaded = { edit } } })
    assert.matches("\nedited meanwhile: skill ets (b2, was a1)\n", text, 1, true)
  end)

  it("names the figures with where they were measured, what else it was not, and the steps with their risk", function()
    local text = report.text(a_report())
    assert.matches("final_queue = 9,780   o2, beam_queue_growth: processes[1].final_queue", text, 1, true)
    assert.matches("it is not  selective_receive_scan: it hardly uses the CPU", text, 1, true)
    assert.matches("what to do SAFE find the blocking call\n              DANGEROUS restart it\n", text, 1, true)
    assert.matches("mechanism  slow_consumer: messages come faster than the process handles them", text, 1, true)
  end)

  it("quotes what a model says of it, where it says more than the figures do", function()
    local explained = report.text(a_report { insights = { insight { root_cause_hypothesis = "The sink logs each." } } })
    assert.matches('\n   explained  "The sink logs each."\n', explained, 1, true)
    local i = insight()
    i.root_cause_hypothesis = i.summary
    assert.is_nil(report.text(a_report { insights = { i } }):find "explained")
  end)

  it("tells in its last line who thought, what was asked of the node and what it loaded", function()
    local last = report.text(a_report()):match ".*\n\n(.*)\n$"
    assert.equal("analyst · asked of the node: 23 calls, 1,234,567 reductions, 2 kB, longest 12 ms"
      .. " · loaded there for us, at most: 2 modules, 254 atoms, 0 relays", (last:gsub("\n", " ")))
  end)

  local ADVICE = { change = "Make the `sender` feel it.", verify = "`beam_queue_growth` falls.", undo = "Put it back.",
    erlang = "push(X) ->\n    ok.", elixir = "def push(x), do: x", configuration = { "`+zdbbl 8192`" }, follow_up = {} }

  it("says since when, and what it points to, before the figures", function()
    local finding = insight { since = "about 3 min before it was seen, at that rate",
      code = { module = "shop_sink", ["function"] = "loop", arity = 2 } }
    finding.evidence[1].at = "2026-11-21T23:00:00Z"
    local text = report.text(a_report { insights = { finding } })
    assert.matches("\n   since      about 3 min before it was seen, at that rate\n   points to  shop_sink:loop/2\n"
      .. "   figures    each read again where it is cited, seen at 2026-11-21T23:00:00Z\n", text, 1, true)
  end)

  it("says a place of Elixir's as Elixir does", function()
    local text = report.text(a_report { insights = { insight {
      code = { module = "Shop.Sink", ["function"] = "loop", arity = 2 } } } })
    assert.matches("\n   points to  Shop.Sink.loop/2\n", text, 1, true)
  end)

  it("has for the leading cause the change, settings, code in the node's language, how to verify and undo", function()
    local text = report.text(a_report { language = "elixir", insights = { insight { advice = ADVICE } } })
    assert.matches("\n   change     Make the sender feel it.\n   set        +zdbbl 8192\n   in Elixir\n"
      .. "     def push(x), do: x\n   verify     beam_queue_growth falls.\n   undo       Put it back.\n", text, 1, true)
  end)

  it("explains a word of somebody's own by what its file says", function()
    local own = insight { advice = { means = "A `client` opens channels. More.", change = "c", verify = "v", undo = "u",
      follow_up = {} }, root_cause = { object = "hub", mechanism = "channel_leak" } }
    assert.matches("\n   mechanism  channel_leak: A client opens channels\n",
      report.text(a_report { insights = { own } }))
  end)

  it("has for those after it how to verify, and no more", function()
    local text = report.text(a_report { insights = { insight(), insight { advice = ADVICE } } })
    assert.matches("look-alikes\n   verify     beam_queue_growth falls.\n\n", text, 1, true)
  end)

  it("has no advice for what is only told", function()
    local text = report.text(a_report { insights = { insight { severity = "info", advice = ADVICE } } })
    assert.is_nil(text:find("verify", 1, true))
  end)

  it("shows code whole or not at all", function()
    local long = insight { advice = { change = "c", verify = "v", undo = "u", follow_up = {},
      erlang = "f() ->\n    " .. ("a"):rep(90) .. "." } }
    assert.is_nil(report.text(a_report { insights = { long } }, { width = 80 }):find("f() ->", 1, true))
  end)

  it("says where the user's own advice does not read", function()
    local own = insight { advice = { change = "c", verify = "v", undo = "u", follow_up = {}, fault = "x.md:3: bad" } }
    assert.matches("\n   your file  x.md:3: bad; ours stands here\n", report.text(a_report { insights = { own } }))
  end)

  it("names eight figures, and how many more there are", function()
    local many = {}
    for i = 1, 11 do many[i] = { observation = "o1", callback = "c", path = "figure" .. i, value = i } end
    assert.matches("figure8 = 8   o1, c: figure8\n              and 3 more, with --json or --report\n   it is not",
      report.text(a_report { insights = { insight { evidence = many } } }), 1, true)
  end)

  it("counts one of a thing as one", function()
    local usage = { provider = "m", calls = 1, input_tokens = 1, cache_read_tokens = 0, output_tokens = 0,
      cost_usd = 0 }
    local text = report.text(a_report { usage = usage, footprint = { modules_loaded = 1, atoms = 1, relays = 1 },
      target_load = { calls = 1, reductions = 1, bytes = 1, max_ms = 1 } }):gsub("\n", " ")
    assert.matches("m, 1 token in 1 request · asked of the node: 1 call, 1 reduction,", text, 1, true)
    assert.matches("loaded there for us, at most: 1 module, 1 atom, 1 relay", text, 1, true)
  end)

  for _, width in ipairs { 60, 80, 100 } do
    it(("fits %d columns, in each line"):format(width), function()
      local words = ("while it waits for a message of a certain form "):rep(4)
      local proof = { observation = "o2", callback = "beam_queue_growth", at = "2026-11-21T23:00:00Z",
        path = "functions[1].current_function_of_the_process", value = 9780 }
      local finding = insight { summary = words, since = words, root_cause_hypothesis = words .. "so.",
        evidence = { proof, proof, proof, proof, proof, proof, proof, proof, proof },
        code = { module = "shop_orders_of_the_day", ["function"] = "loop", arity = 2 },
        advice = { means = words, change = words, verify = words, undo = words, follow_up = {}, fault = words,
          configuration = { words }, erlang = ("f() -> " .. words):sub(1, 70) },
        considered = { { mechanism = "slow_consumer", why_not = words } },
        next_steps = { { text = words, risk = "SAFE" } } }
      local text = report.text(a_report { insights = { finding }, would_tell = { words }, incomplete = "budget",
        incomplete_why = words, run = "r17" }, { width = width })
      local long = {}
      for line in text:gsub("·", "."):gmatch "[^\n]+" do if #line > width then long[#long + 1] = line end end
      assert.same({}, long)
    end)
  end

  it("says which limit ended a run that found something", function()
    local text = report.text(a_report { incomplete = "budget",
      incomplete_why = "the beam operator used up its budget: the limit is 3 requests, and 3 were made" })
    assert.matches("\nincomplete: the budget was spent: the beam operator used up its budget: the limit is 3",
      (text:gsub("\n   (%l)", " %1")), 1, true)
  end)

  it("tells tokens and money where there are any, and no price that it does not know", function()
    local usage = {
      provider = "anthropic", calls = 4, input_tokens = 9000, cache_read_tokens = 900, output_tokens = 100,
      cost_usd = 0.0123,
    }
    assert.matches("anthropic, 10,000 tokens in 4 requests, 0.0123 USD", report.text(a_report { usage = usage }))
    usage.cost_usd = json.null
    assert.matches("anthropic, 10,000 tokens in 4 requests, price unknown: set prices in the config · asked",
      report.text(a_report { usage = usage }))
  end)

  it("shows the figures that a healthy verdict rests on", function()
    local text = report.text(a_report { verdict = "healthy", insights = {},
      looks = { { skill = "beam", observation = "o1", figures = { run_queue = 0, atom_utilization_pct = 1.25 } } } })
    assert.equal("HEALTHY  shop@host  every look that was called for was made and found nothing", text:match "^[^\n]*")
    assert.matches("   beam       atom_utilization_pct 1.25, run_queue 0\n", text, 1, true)
  end)

  it("breaks a sentence among them into lines, and no figure from its name", function()
    local why = ("the node did not start the relay log in 10 s: it may be frozen or overloaded "):rep(2)
    local text = report.text(a_report { verdict = "cannot_tell", insights = {},
      looks = { { skill = "logger", observation = "o1", figures = { log_lines_in_all = 3, unavailable = why } } } },
      { width = 60 })
    assert.matches("   logger     log_lines_in_all 3, unavailable the node did\n              not start the relay log",
      text, 1, true)
  end)

  it("says of an action how far it came, with the reason quoted, and how to approve it", function()
    local a = { id = "a1", action = "kill_process", object = "order\27[2Jsink", class = "DANGEROUS", state = "proposed",
      reason = "it \27floods", outcome = json.null }
    assert.matches("\na1  kill_process order\\x1b[2Jsink  DANGEROUS\n   state      nothing was done; a person decides\n"
      .. '   because    "it \\x1bfloods"\n   approve it beamlens-run actions approve a1\n',
      report.text(a_report { actions = { a } }), 1, true)
    a.state, a.outcome, a.reason = "verified", { message = "it has ended" }, ""
    assert.matches("\na1  kill_process order\\x1b[2Jsink  DANGEROUS\n   state      done: it has ended\n\n",
      report.text(a_report { actions = { a } }), 1, true)
  end)

  it("says what would tell when it cannot", function()
    local text = report.text(a_report { verdict = "cannot_tell", insights = {}, incomplete = "deadline",
      would_tell = { "ets was never looked at" } })
    assert.matches("^CANNOT TELL  shop@host", text)
    assert.matches("incomplete: the time was up\n", text)
    assert.matches("missing    ets was never looked at\n", text)
  end)

  it("uses colours only when asked", function()
    assert.is_nil(report.text(a_report()):find("\27", 1, true))
    assert.matches("\27[1;31mSICK\27[0m", report.text(a_report(), { color = true }), 1, true)
  end)

  it("prints no escape, control or direction mark of the node", function()
    local evil = "a\27[2Jb\0c\194\155d\226\128\174e\r\nHEALTHY"
    local step = { text = evil, risk = "SAFE" }
    local text = report.text(a_report { nodes = { evil }, insights = { insight { summary = evil,
      root_cause = { object = evil, mechanism = evil }, considered = { { mechanism = evil, why_not = evil } },
      next_steps = { step }, confidence = evil, since = evil, code = { module = evil, ["function"] = evil, arity = 1 },
      advice = { means = evil, change = evil, verify = evil, undo = evil, follow_up = {}, fault = evil, erlang = evil },
      evidence = { { observation = "o1", callback = evil, path = evil, value = evil } } } } })
    assert.is_nil(text:find "[%z\1-\8\11-\31\127]")
    assert.is_nil(text:find("\194\155", 1, true))
    assert.is_nil(text:find("\226\128\174", 1, true))
    assert.is_nil(text:find "\nHEALTHY")
    assert.matches("a\\x1b[2Jb\\x00c\\u009bd?e\\x0d HEALTHY", text, 1, true)
  end)

  it("leaves by the verdict: findings 1, healthy 0, untold 4", function()
    assert.equal(1, report.exit(a_report()))
    assert.equal(0, report.exit(a_report { verdict = "healthy" }))
    assert.equal(4, report.exit(a_report { verdict = "cannot_tell" }))
  end)

  it("leaves with what ended it where it found nothing, and with 1 where it did", function()
    for incomplete, code in pairs { provider = 6, interrupted = 130, deadline = 4, budget = 4, iterations = 4 } do
      assert.equal(code, report.exit(a_report { verdict = "cannot_tell", incomplete = incomplete }))
      assert.equal(1, report.exit(a_report { incomplete = incomplete }))
    end
    assert.equal(3, report.exit(a_report { verdict = "cannot_tell", lost = true }))
  end)
end)
