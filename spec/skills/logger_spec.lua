-- The logger skill on a live node, beside what was logged there and what its own counters say.
local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local PATIENCE_S = 20

-- Counts every event by level, in a handler of its own, which no tap of ours is part of.
local COUNTER = [==[
  Form = fun(S) -> {ok, T, _} = erl_scan:string(S), {ok, F} = erl_parse:parse_form(T), F end,
  {ok, _, B} = compile:forms([Form(S) || S <- [
    "-module(spec_counter).", "-export([log/2, say/3]).",
    "log(#{level := L}, _) -> ets:update_counter(spec_counts, L, 1, {L, 0}).",
    "say(L, T, M) -> logger:log(L, T, #{mfa => {M, speak, 1}, line => 12, domain => [spec]})."]]),
  {module, _} = code:load_binary(spec_counter, "spec_counter", B),
  Me = self(),
  spawn(fun() -> ets:new(spec_counts, [named_table, public]), Me ! ready, receive x -> ok end end),
  receive ready -> ok end,
  logger:set_handler_config(default, level, none),
  logger:add_handler(spec_counter, spec_counter, #{}).]==]

describe("logger skill", function()
  local at, eval, logger, callback

  setup(function()
    at = live.start { args = { "-kernel", "logger_level", "info" } }
    eval = at.eval
    logger = assert(skill.open "logger")
    -- Asking at once: what listening for two seconds would bring is what we wait for by its text.
    callback = skill.functions(logger, { query = at.node.query, uses = { events = function(s)
      local events = at.node.uses.events(s)
      return { of = function(relay, minutes) return events.of(relay, minutes, 0) end }
    end } })
    live.test(function() eval(COUNTER) end)()
  end)
  teardown(function() live.stop_all() end)

  local function say(level, text, module)
    eval("spec_counter:say(binary_to_atom(L), T, binary_to_atom(M)).",
      { L = level, T = text, M = module or "depot" })
  end

  -- Asked again until it is so: an event is with us a moment after it was logged.
  local function until_so(ask, fits)
    local deadline = async.now() + PATIENCE_S
    while true do
      local result = ask()
      if fits(result) then return result end
      assert(async.now() < deadline, "it was never so")
      async.sleep(0.02)
    end
  end

  local function until_heard(text)
    return until_so(function() return callback.logger_recent(1) end,
      function(recent) return recent.entries[1] ~= nil and recent.entries[1].message == text end)
  end

  before_each(live.test(function()
    at.node.relays:stop "log"
    eval "ets:delete_all_objects(spec_counts)."
    assert.is_true(at.node.relays:start "log")
  end))

  it("counts nothing by no level, which is a map too", live.test(function()
    assert.equal("{}", json.encode(callback.logger_stats().levels))
  end))

  it("says in its snapshot that nobody listens any more", live.test(function()
    eval("exit(P, kill).", { P = at.node.relays.by_name.log.placed.worker })
    until_so(function() return at.node.relays.by_name.log.placed == nil end, function(off) return off end)
    assert.equal("its worker was killed on the node", skill.snapshot(logger, at.node).ended)
  end))

  it("counts by level and module what the node's own counter counted", live.test(function()
    for i = 1, 5 do say("error", "no ship " .. i, "harbour") end
    for _, level in ipairs { "info", "notice", "warning", "warning", "critical" } do say(level, level) end
    until_heard "critical"
    local stats = callback.logger_stats()
    local counted = eval "maps:from_list(ets:tab2list(spec_counts))."
    assert.same(counted, stats.levels)
    assert.same({ 10, 10, 0, 2, 2, 60 },
      { stats.total, stats.kept, stats.dropped, stats.total_modules, stats.showing, stats.error_rate_pct })
    assert.same({ { module = "depot", count = 5, errors = 1 }, { module = "harbour", count = 5, errors = 5 } },
      stats.modules)
  end))

  it("tells the rate over the time that it listened", live.test(function()
    for i = 1, 6 do say("error", "again " .. i) end
    until_heard "again 6"
    local stats = callback.logger_stats()
    assert.near(6 / math.max(1, stats.listened_seconds), stats.per_second, 0.01)
  end))

  it("tells how many a second are of level debug, apart from all others", live.test(function()
    eval "logger:set_module_level(attic, debug)."
    eval [==[ [logger:log(debug, "row", [], #{mfa => {attic, speak, 1}}) || _ <- lists:seq(1, 400)], ok.]==]
    local stats = until_so(callback.logger_stats, function(s) return s.debug_per_sec > 0 end)
    eval "logger:unset_module_level(attic)."
    assert.near(400 / stats.listened_seconds, stats.debug_per_sec, 1)
    assert.equal(0, stats.dropped)
  end))

  it("tells which level the node lets through, and to whom, itself left out", live.test(function()
    local stats = callback.logger_stats()
    assert.same({ "info", { { id = "default", level = "none" }, { id = "spec_counter", level = "all" } } },
      { stats.primary_level, stats.handlers })
  end))

  it("shows the newest first, with where and when they were logged", live.test(function()
    say("notice", "first")
    local before = eval "erlang:system_time(millisecond)."
    say("warning", "second")
    local entry = until_heard "second".entries[1]
    local two = callback.logger_recent(2)
    assert.same({ "second", "first" }, { two.entries[1].message, two.entries[2].message })
    assert.same({ level = "warning", module = "depot", func = "depot:speak/1", line = 12, domain = "spec" },
      { level = entry.level, module = entry.module, func = entry.func, line = entry.line, domain = entry.domain })
    assert.is_true(entry.timestamp:sub(1, 13) == os.date("!%Y-%m-%dT%H", math.floor(before / 1000)))
  end))

  it("shows one level alone, and says how many there are", live.test(function()
    for _ = 1, 3 do say("warning", "low water") end
    say("notice", "high water")
    until_heard "high water"
    local recent = callback.logger_recent(2, "warning")
    assert.same({ 3, 2, 4 }, { recent.total, recent.showing, recent.kept })
    assert.same({ "warning", "warning" }, { recent.entries[1].level, recent.entries[2].level })
  end))

  it("takes error, critical, alert and emergency for errors", live.test(function()
    for _, level in ipairs { "warning", "error", "critical", "alert", "emergency", "notice" } do say(level, level) end
    until_heard "notice"
    local levels = {}
    for i, entry in ipairs(callback.logger_errors().entries) do levels[i] = entry.level end
    assert.same({ "emergency", "alert", "critical", "error" }, levels)
  end))

  it("finds plain text, whatever the size of its letters", live.test(function()
    say("notice", "The Pump [3] stopped")
    say("notice", "the pump 3 runs")
    until_heard "the pump 3 runs"
    local found = callback.logger_search "PUMP [3]"
    assert.same({ 1, "The Pump [3] stopped" }, { found.total, found.entries[1].message })
    assert.matches("pattern must hold", tostring(select(2, pcall(callback.logger_search, ""))))
  end))

  it("finds what one module wrote, named as Erlang or Elixir does", live.test(function()
    say("notice", "mine", "Elixir.Spec.Depot")
    say("notice", "not mine", "depot")
    until_heard "not mine"
    for _, name in ipairs { "Spec.Depot", "Elixir.Spec.Depot" } do
      local found = callback.logger_by_module(name)
      assert.same({ 1, "mine" }, { found.total, found.entries[1].message })
    end
  end))

  it("has a snapshot of the last minute", live.test(function()
    for _, module in ipairs { "harbour", "depot", "depot" } do say("error", "no ship", module) end
    say("warning", "tide")
    until_heard "tide"
    local snapshot = skill.snapshot(logger, at.node)
    assert.is_true(snapshot.listened_seconds >= 2)
    snapshot.listened_seconds = nil
    assert.same({ dropped = 0, total_count = 4, error_count = 3, warning_count = 1, debug_count = 0,
      error_rate_pct = 75, unique_error_modules = 2 }, snapshot)
  end))

  it("tells of a storm: how much was dropped, how fast it was, how long it heard nothing", live.test(function()
    eval [==[
      Until = erlang:monotonic_time(millisecond) + 500,
      (fun F() -> [logger:error("storm") || _ <- lists:seq(1, 200)],
         case erlang:monotonic_time(millisecond) < Until of true -> F(); _ -> ok end end)().]==]
    local stats = until_so(callback.logger_stats, function(s) return s.shut_seconds > 0 and s.dropped > 1000 end)
    assert.is_true(stats.storm_per_sec > 10000)
    assert.equal(stats.total, stats.kept + stats.dropped)
  end))

  it("says why it hears nothing where somebody else listens", live.test(function()
    at.node.relays:stop "log"
    eval "logger:add_handler(beamlens_log, spec_counter, #{})."
    local recent, snapshot = callback.logger_recent(), skill.snapshot(logger, at.node)
    eval "logger:remove_handler(beamlens_log)."
    assert.matches("^another beamlens%-run listens", recent.unavailable)
    assert.same(recent, snapshot)
  end))
end)
