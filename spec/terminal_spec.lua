-- Nothing that a node says steers a terminal or hides from an eye, whichever command shows it.

local async = require "runtime.async"
local hostile_node = require "spec.support.hostile_node"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local report = require "runtime.report"
local unseen = require "runtime.unseen"
local utf8 = require "runtime.utf8"

local TEXTS = {
  "mark1 \27[2J\27[H\27]0;title\7 clears the screen",
  "mark2 \27]8;;http://evil.example\27\\link\27]8;;\27\\ \27P+q544e\27\\",
  "mark3 \8\8\8\13 goes back \11\12 and \127 \0 on",
  "mark4 \194\155 31m \194\157 0;t \194\133 8-bit escapes",
  "mark5 \155 31m \255\254 no UTF-8 \192\155 \237\160\128",
  "mark6 \226\128\174 turns \226\129\166 the \216\156 direction \226\128\143",
  "mark7 zero\226\128\139wi\226\129\160dth\239\187\191 and\205\143 joiners\194\173",
  "mark8 \243\160\129\137\243\160\129\167\243\160\129\174 tag letters \243\160\132\128",
  "mark9 \227\133\164 blanks \225\133\159 that \239\190\160 are letters \226\128\168 and lines\226\128\169",
}

local REASON = TEXTS[6] .. TEXTS[8]

-- Side by side; those that hear the log one after the other, for one listener is on a node at a time.
local COMMANDS = {
  { "health" }, { "skills", "logger" }, { "call", "beam_top_processes", "50", "message_queue" },
  { "call", "beam_mailboxes" }, { "call", "ets_list_tables", "50" }, { "call", "ets_top_tables", "50" },
  { "call", "ets_table_info", TEXTS[1] }, { "call", "beam_process_info", TEXTS[4] }, { "call", TEXTS[6] },
  { TEXTS[2] }, { "--" .. TEXTS[7] }, { "eval", "registered()" }, { "eval", "ets:all()" },
  { "eval", TEXTS[6] },
}
local ACTIONS = { { "actions" }, { "actions", "show", "a1" }, { "actions", "--json" } }
local LISTENING = { { "call", "logger_recent", "50" }, { "call", "exception_recent", "50", "--json" } }
-- Not examples/coordinator.lua, which rings the bell.
local SCRIPT = 'return require("beamlens").coordinator.run()'
-- An action on a process whose name is one of the texts.
local PROPOSAL = "return assert(require('beamlens').action('kill_process', { process = %q })) and 0"
local RUN = { "--skills", "beam,ets,logger,exception", "--reason", REASON }

-- A finding whose object is one of the texts.
local LEAK = [[
  spawn(fun() -> A = binary_to_atom(T), (fun D(I) -> X = ets:new(A, [public]), ets:insert(X, {I, lists:seq(1, 50)}),
    timer:sleep(5), D(I + 1) end)(1) end), true.]]

-- The first byte that should not be there, with what stands around it.
local function steering(text)
  local at = text:find "[%z\1-\9\11-\31\127]"
  if not at and utf8.well_formed(text) ~= text then return "bytes that are no UTF-8" end
  local shown = unseen.replace(text, "\0")
  at = at or shown:find("%z")
  return at and ("%q"):format(text:sub(math.max(1, at - 40), at + 10)) or nil
end

describe("a terminal is shown", function()
  local at, env

  local runs = {}

  local function whole_run(more) return { at.home .. "/look.lua", more, unpack(RUN) } end
  local function name_of(command) return (table.concat(command, " "):gsub("[%c\128-\255]", "?")) end
  local function run(command) runs[name_of(command)] = program.run(command, { env = env }) end
  local function as_json(command) return { command[1], "--json", unpack(command, 2) } end

  setup(function()
    at = hostile_node.start()
    env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home, BEAMLENS_NODE = at.name,
      XDG_STATE_HOME = at.home .. "/state" }
    async.run(function()
      at:write("look.lua", SCRIPT)
      hostile_node.plant(at, TEXTS, true)
      local jobs = { function() for _, command in ipairs(LISTENING) do run(command) end end }
      for _, command in ipairs(COMMANDS) do
        jobs[#jobs + 1] = function()
          run(command)
          run(as_json(command))
        end
      end
      async.all(jobs)
      program.run({ at:write("propose.lua", PROPOSAL:format(TEXTS[4])) }, { env = env })
      for _, command in ipairs(ACTIONS) do run(command) end
      at.eval(LEAK, { T = TEXTS[6] })
      runs.whole = program.run(whole_run "--json", { env = env })
    end)
  end)

  teardown(live.stop_all)

  local function decent(name)
    local one = runs[name]
    assert.is_true(#one.stdout + #one.stderr > 0)
    assert.is_nil(steering(one.stdout))
    assert.is_nil(steering(one.stderr))
  end

  for _, command in ipairs(COMMANDS) do
    local name, named = name_of(command), name_of(as_json(command))
    it("nothing by " .. name, function() decent(name) end)

    it("nothing as JSON by " .. name, function()
      decent(named)
      assert.is_table(json.decode(runs[named].stdout))
    end)
  end

  it("nothing by a whole run", function() decent "whole" end)

  for _, command in ipairs(ACTIONS) do
    it("nothing by " .. name_of(command), function()
      decent(name_of(command))
      assert.is_truthy(runs[name_of(command)].stdout:find("mark4", 1, true))
    end)
  end

  it("nothing by the question whether to approve", live.test(function()
    local running = pty.start({ "actions", "approve", "a1" }, { env = env })
    running.see "to do it, anything else to leave it:"
    running.type "something else"
    assert.equal(5, running.wait())
    assert.is_nil(steering(running.screen()))
  end))

  for _, command in ipairs(LISTENING) do
    it("nothing by " .. name_of(command), function() decent(name_of(command)) end)
  end

  it("what it says all the same: each text stands there, and as JSON it is what it was", function()
    local shown, seen = runs[name_of(LISTENING[1])].stdout, {}
    for i = 1, #TEXTS do assert.is_truthy(shown:find("mark" .. i, 1, true), "mark" .. i) end
    for _, row in ipairs(json.decode(runs["call --json ets_list_tables 50"].stdout).result.tables) do
      seen[row.name] = true
    end
    for _, i in ipairs { 1, 2, 3, 4, 6, 7, 8, 9 } do assert.is_true(seen[TEXTS[i]], "mark" .. i) end
  end)

  it("only what is ours while a run goes on", live.test(function()
    local running = pty.start(whole_run "--no-color", { env = env })
    running.wait()
    local screen = running.screen():gsub("\r\27%[K", "")
    assert.is_truthy(screen:find("ets noticed: [^\n]* mark6 %? turns"), screen)
    assert.is_nil(steering(screen))
    assert.is_nil(steering(running.stdout()))
  end))

  it("only our own colours in a report", function()
    local text = report.text(assert(json.decode(runs.whole.stdout)), { color = true })
    local plain, painted = text:gsub("\27%[[%d;]+m(.-)\27%[0m", "%1")
    assert.is_true(painted > 0)
    assert.is_truthy(plain:find("mark6 ? turns", 1, true), plain)
    assert.is_nil(steering(plain))
  end)

  it("nothing by a watch", live.test(function()
    local config = at:write("watch.lua",
      "return { anomaly = { collection_interval_ms = 200, learning_duration_ms = 300 } }")
    local running = program.start({ "watch", "--skills", "exception,logger", "--config", config }, { env = env })
    local deadline = async.now() + 30
    repeat async.sleep(0.05) until running.stdout():find "learned" or async.now() > deadline
    running.kill "sigint"
    running.wait()
    assert.is_truthy(running.stdout():find "learned")
    assert.is_nil(steering(running.stdout()))
    assert.is_nil(steering(running.stderr()))
  end))
end)
