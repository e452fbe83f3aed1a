-- `--record` and `replay` by the real program: a run on a real node, then the same run without it, by the same words of
-- a model or by rules, with other prompts, and with a file that is not what it was.

local uv = require "luv"
local async = require "runtime.async"
local crypto = require "host.crypto"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

-- Who handles more slowly than it is sent to, and a password in the name of a table.
local PLANT = [[
  register(orders_inbox, spawn(fun() -> (fun W() -> receive _ -> timer:sleep(20), W() end end)() end)),
  spawn(fun F() -> [orders_inbox ! {order, X} || X <- lists:seq(1, 20)], timer:sleep(10), F() end),
  spawn(fun() -> ets:new(binary_to_atom(Dsn), [named_table, public]), receive stop -> ok end end), true.]]
local SECRET = "postgres://shop:hunter2@db/orders"

local at, folder, by_model, by_rules, by_many, by_own, by_both, operator, proposal, no_room

local function environment(script)
  return { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home, XDG_STATE_HOME = folder,
    BEAMLENS_SCRIPT = script }
end

-- Where there is no node, no name of one, and no way to reach any.
local function replay(...)
  return program.run({ "replay", ... }, { env = { HOME = folder, XDG_STATE_HOME = folder, ERL_EPMD_PORT = "1" } })
end

local function replayed(...)
  local ran = replay(...)
  return assert(json.decode(ran.stdout), ran.stderr), ran.code
end

local function record(name, script, ...)
  local path = ("%s/%s.cassette"):format(folder, name)
  local ran = program.run({ "coordinator.lua", "--node", at.name, "--cookie-file", at.cookie_file, "--quiet", "--json",
    "--record", path, ... }, { env = environment(script) })
  return { path = path, code = ran.code, report = assert(json.decode(ran.stdout), ran.stderr), stderr = ran.stderr }
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function write(name, text)
  local path = folder .. "/" .. name
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

local function refused(path)
  local ran = replay(path)
  assert.same({ 2, "" }, { ran.code, ran.stdout })
  return (ran.stderr:gsub("^beamlens%-run: ", ""):gsub("\n$", ""):gsub(folder:gsub("%p", "%%%0"), "FOLDER"))
end

local function record_operator()
  local path = folder .. "/operator.cassette"
  local script = write("one.lua", [[return require("beamlens").operator.run("ets", { task = "how are the tables",
    occasion = "somebody asks" })]])
  local ran = program.run({ script, "--node", at.name, "--cookie-file", at.cookie_file, "--quiet", "--json",
    "--provider", "script", "--record", path }, { env = environment "spec/support/played_case.lua" })
  return { path = path, report = assert(json.decode(ran.stdout), ran.stderr) }
end

-- No file may grow beyond 4 kB, as on a full disk.
local function record_without_room()
  local path = folder .. "/no_room.cassette"
  local ran = program.run({ "-c", ("trap '' XFSZ; ulimit -f 8; exec '%s' coordinator.lua --node %s --cookie-file %s "
    .. "--quiet --store :memory: --skills ets --provider script --record %s"):format(program.path, at.name,
      at.cookie_file, path) }, { path = "/bin/sh", env = environment "spec/support/played_case.lua" })
  return { path = path, code = ran.code, stderr = ran.stderr }
end

local NOTHING = { verdict = json.null, gone = {}, new = {}, versions = {}, requests = {}, without_reply = {},
  asked_anew = {}, unanswered = 0 }

describe("a recorded run", function()
  setup(function()
    at = live.start()
    folder = assert(uv.fs_mkdtemp "/tmp/spec-replay-XXXXXX")
    async.run(function() at.eval(PLANT, { Dsn = SECRET }) end)
    local runs = async.run(function()
      return async.all {
        function()
          return record("model", "spec/support/played_case.lua", "--provider", "script", "--skills", "ets")
        end,
        function()
          return record("many", "spec/support/played_crew.lua", "--provider", "script", "--skills",
            "beam,ets,gc,overload")
        end,
        function() return record("rules", nil, "--provider", "analyst", "--skills", "beam,ets") end,
        function()
          return record("proposal", "spec/support/played_proposal.lua", "--provider", "script", "--skills", "ets")
        end,
        record_operator, record_without_room,
        function()
          return record("own", nil, "--provider", "analyst", "--skills",
            write("own.lua", read "examples/own_skill.lua"))
        end,
        function()
          return record("both", "spec/support/played_doubt.lua", "--provider", "script", "--skills", "beam",
            "--strategy", "hybrid")
        end,
      }
    end)
    for i, run in ipairs(runs) do runs[i] = assert(run.value, run.err) end
    by_model, by_many, by_rules, proposal, operator, no_room, by_own, by_both = unpack(runs)
    at.stop()
  end)
  teardown(function()
    live.stop_all()
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  it("of a model comes to the same without node and network", live.test(function()
    assert.equal(1, by_model.code)
    local again, code = replayed(by_model.path, "--json")
    assert.same({ 1, NOTHING }, { code, again.replay.changed })
    assert.same(by_model.report.insights, again.report.insights)
    assert.same(by_model.report.notifications[1].observation, again.report.notifications[1].observation)
  end))

  it("of the analyst comes to the same without node and network", live.test(function()
    assert.equal(1, by_rules.code)
    local again, code = replayed(by_rules.path, "--json")
    assert.same({ 1, NOTHING }, { code, again.replay.changed })
    assert.same(by_rules.report.insights[1].root_cause, again.report.insights[1].root_cause)
    assert.same(by_rules.report.insights[1].evidence, again.report.insights[1].evidence)
  end))

  it("of rules and a model that doubts them comes to the same: rules look anew, and the model's words are said again",
    live.test(function()
      assert.equal(1, by_both.code)
      assert.matches("doubted", json.encode(by_both.report.insights[1].considered))
      local again, code = replayed(by_both.path, "--json")
      assert.same({ 1, NOTHING }, { code, again.replay.changed })
      assert.same(by_both.report.insights, again.report.insights)
    end))

  it("of four operators at once comes to the same: who was first is first again", live.test(function()
    assert.equal(1, by_many.code)
    local again, code = replayed(by_many.path, "--json")
    assert.same({ 1, NOTHING }, { code, again.replay.changed })
    assert.same(by_many.report.insights, again.report.insights)
  end))

  it("of one operator comes to the same", live.test(function()
    local again, code = replayed(operator.path, "--json")
    assert.same({ 1, NOTHING }, { code, again.replay.changed })
    assert.same(operator.report.insights, again.report.insights)
  end))

  it("tells again what was proposed, and proposes nothing to anybody", live.test(function()
    local audit = read(folder .. "/beamlens/audit.jsonl")
    local again = replayed(proposal.path, "--json")
    assert.same({ NOTHING, proposal.report.actions }, { again.replay.changed, again.report.actions })
    assert.same({ "a1", "gc_process", "proposed" },
      { again.report.actions[1].id, again.report.actions[1].action, again.report.actions[1].state })
    assert.equal(audit, read(folder .. "/beamlens/audit.jsonl"))
  end))

  it("goes on when there is no room for the recording, which is told, and refused afterwards", live.test(function()
    assert.equal(1, no_room.code)
    assert.equal(1, select(2, no_room.stderr:gsub("the recording ends here: [^\n]* cannot be written: there is no room",
      "")))
    assert.matches("^FOLDER/no_room.cassette was cut short", refused(no_room.path))
  end))

  it("is told in a few lines, then the report", live.test(function()
    local ran = replay(by_model.path)
    assert.matches("^replayed  recorded %d+%-%d+%-%d+T%d+:%d+:%d+Z on " .. at.name:gsub("%p", "%%%0")
      .. ", thought by script\n   verdict    sick, as recorded\n\nSICK  ", ran.stdout)
    assert.equal(1, ran.code)
  end))

  it("is a file of its owner alone, without secrets", live.test(function()
    for _, run in ipairs { by_model, by_many, by_rules, operator } do
      assert.equal("600", ("%o"):format(uv.fs_stat(run.path).mode % 512))
      assert.is_nil(read(run.path):find("hunter2", 1, true))
    end
    assert.truthy(read(by_rules.path):find("<secret:", 1, true))
  end))

  it("with another prompt says which requests are others, and takes the replies by agent and turn", live.test(function()
    assert(uv.fs_mkdir(folder .. "/prompts", 448))
    write("prompts/operator.md", read "prompts/operator.md" .. "\nBe brief.\n")
    local again = replayed(by_model.path, "--json", "--prompts", folder .. "/prompts")
    local turns = {}
    for _, request in ipairs(again.replay.changed.requests) do
      turns[#turns + 1] = ("%s %d %s"):format(request.agent, request.turn, table.concat(request.parts, ","))
    end
    assert.same({ "ets#1 1 prompt", "ets#1 2 prompt", "ets#1 3 prompt" }, turns)
    assert.same({ "prompt operator" }, again.replay.changed.versions)
    assert.equal("sick", again.report.verdict)
  end))

  it("with another prompt and a model at hand asks that for whose prompt it is", live.test(function()
    local ran = program.run({ "replay", by_model.path, "--json", "--provider", "script", "--prompts",
      folder .. "/prompts" }, { env = { HOME = folder, XDG_STATE_HOME = folder,
        BEAMLENS_SCRIPT = "spec/support/played_case.lua" } })
    local again = assert(json.decode(ran.stdout), ran.stderr)
    assert.same({ { "ets#1" }, "sick", 1 }, { again.replay.changed.asked_anew, again.report.verdict, ran.code })
  end))

  it("takes any prompt of ours from that folder", live.test(function()
    assert(uv.fs_mkdir(folder .. "/doubts", 448))
    write("doubts/doubt.md", read "prompts/doubt.md")
    assert.equal("", replay(by_model.path, "--prompts", folder .. "/doubts").stderr)
  end))

  it("says so where the folder of prompts holds none", live.test(function()
    local ran = replay(by_model.path, "--prompts", folder .. "/beamlens")
    assert.same({ 2, "" }, { ran.code, ran.stdout })
    assert.matches("^beamlens%-run: there is no prompt in ", ran.stderr)
  end))

  it("goes by rules with --provider analyst, and cannot tell what was never asked", live.test(function()
    local again, code = replayed(by_model.path, "--json", "--provider", "analyst")
    assert.same({ was = "sick", now = "cannot_tell" }, again.replay.changed.verdict)
    assert.equal(4, code)
    assert.same({ "tables: other" }, again.replay.changed.gone)
    assert.is_true(again.replay.changed.unanswered > 0)
  end))

  it("thought by rules is put before today's model with --provider", live.test(function()
    local ran = program.run({ "replay", by_rules.path, "--json", "--provider", "script" },
      { env = { HOME = folder, XDG_STATE_HOME = folder, BEAMLENS_SCRIPT = "spec/support/played_case.lua" } })
    assert.equal("tables: other", json.decode(ran.stdout).replay.changed.new[1], ran.stderr)
  end))

  it("of the demo lies in examples/ and is found again (else: sh examples/demo/run.sh --record …)", live.test(function()
    local again, code = replayed("shop", "--json")
    again.replay.changed.versions = {}
    assert.same({ 1, NOTHING }, { code, again.replay.changed })
    assert.same({ object = "invoices", mechanism = "slow_consumer" }, again.report.insights[1].root_cause)
  end))

  it("takes no file away that is no cassette", live.test(function()
    local path = write("precious", "my work\n")
    local ran = program.run({ "coordinator.lua", "--node", by_model.node, "--record", path }, { env = environment() })
    assert.equal(2, ran.code)
    assert.equal("my work\n", read(path))
  end))

  it("is refused when it was cut short", live.test(function()
    local text = read(by_model.path)
    local said = "FOLDER/short was cut short: its last line is missing; record it anew; only a run that came to its "
      .. "end can be replayed"
    assert.equal(said, refused(write("short", text:match "^(.*\n)[^\n]*\n$")))
    assert.equal(said, refused(write("short", text:sub(1, -2))))
    assert.equal(said, refused(write("short", text:sub(1, #text / 2))))
  end))

  it("is refused when it was changed", live.test(function()
    local text = read(by_model.path):gsub('"table_count":%d+', '"table_count":1', 1)
    assert.equal("FOLDER/changed was changed after it was recorded: its sum is another; use the file as it was "
      .. "recorded", refused(write("changed", text)))
  end))

  -- With another sum, as whoever makes a file can make one.
  local function resealed(change)
    local lines, sums = {}, {}
    for line in read(by_model.path):gmatch "[^\n]+" do lines[#lines + 1] = json.decode(line) end
    table.remove(lines)
    lines = change(lines) or lines
    for i, line in ipairs(lines) do
      lines[i] = i == 1 and type(line) == "table" and '{"cassette":1,' .. json.encode(line):sub(2)
        or type(line) == "table" and json.encode(line) or line
      sums[i] = crypto.sha256(lines[i])
    end
    lines[#lines + 1] = json.encode { ["end"] = #sums, sum = crypto.sha256(table.concat(sums)) }
    return refused(write("resealed", table.concat(lines, "\n") .. "\n"))
  end

  it("is refused by the line where somebody else wrote what we never do", live.test(function()
    local said = "FOLDER/resealed is none that we wrote: line %d does not fit; record it anew"
    for _, case in ipairs {
      { 1, function(lines) lines[1].skills = { "/tmp/evil.lua" } end },
      { 1, function(lines) lines[1].skills = { "../../../../etc/passwd" } end },
      { 1, function(lines) lines[1].skills = { "ets", "ets" } end },
      { 1, function(lines) lines[1].strategy = "/tmp/evil.lua" end },
      { 1, function(lines) lines[1].node = {} end },
      { 1, function(lines) lines[1].deadline = -1 end },
      { 1, function(lines) lines[1].chunk = { wall_ms = 1e12 } end },
      { 2, function(lines) lines[2] = "[]" end },
      { 2, function(lines) lines[2] = "no JSON" end },
      { 2, function(lines) lines[2] = { query = {}, with = "", answer = {} } end },
      { 2, function(lines) lines[2] = { reply = "ets#1", turn = 1, said = { usage = { input = "many" } } } end },
    } do
      assert.equal(said:format(case[1]), resealed(case[2]))
    end
    local count
    for _, change in ipairs {
      function(lines) lines[#lines].seconds = "x" end, function(lines) lines[#lines].report.insights = nil end,
      function(lines) lines[#lines].report.insights = { {} } end,
      function(lines) lines[#lines].report.actions = { { action = "x" } } end,
    } do
      local why = resealed(function(lines)
        change(lines)
        count = #lines
      end)
      assert.equal(said:format(count), why)
    end
  end))

  it("is refused at once when it is larger than any", live.test(function()
    local said = "FOLDER/%s is larger than any that we write; use the file as it was recorded"
    assert.equal(said:format "large", refused(write("large", '{"cassette":1,' .. ("x"):rep(17 * 1024 * 1024))))
    assert.equal(said:format "resealed", resealed(function(lines)
      for i = #lines + 1, 100002 do lines[i] = "[]" end
    end))
  end))

  it("asks for the path of a skill file of the user's, of which it has the name alone", live.test(function()
    assert.is_nil(read(by_own.path):find(folder, 1, true))
    assert.equal("it was recorded with a file own.lua; give its path: --skills ./own.lua", refused(by_own.path))
    local again, code = replayed(by_own.path, "--json", "--skills", folder .. "/own.lua")
    assert.same({ by_own.code, NOTHING }, { code, again.replay.changed })
  end))

  it("is refused when it is of another version, or no cassette at all", live.test(function()
    local text = read(by_model.path):gsub('^{"cassette":1', '{"cassette":7')
    assert.equal("FOLDER/newer is a cassette of version 7, and this program reads version 1; replay it with the "
      .. "program that recorded it, or record it anew", refused(write("newer", text)))
    assert.equal("FOLDER/other is no cassette; `--record FILE` of a run makes one", refused(write("other", "hello\n")))
    assert.equal("FOLDER/none cannot be read (ENOENT); check the path", refused(folder .. "/none"))
  end))
end)
