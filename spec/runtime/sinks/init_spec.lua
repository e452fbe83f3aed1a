-- Where events go: the config that is taken, the files that are written, and what a full disk does to nobody.

local uv = require "luv"
local async = require "runtime.async"
local exposition = require "spec.support.exposition"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local metrics = require "runtime.metrics"
local sinks = require "runtime.sinks"
local state_home = require "spec.support.state_home"
local stderr = require "spec.support.stderr"
local telemetry = require "runtime.telemetry"
local until_true = require "spec.support.until_true"

local folder, said

local function start(...) return sinks.start { sinks = { ... }, store = ":memory:" } end

local function lines(path)
  local list = {}
  for line in io.lines(path) do list[#list + 1] = assert(json.decode(line)) end
  return list
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function notify(observation)
  telemetry.emit("operator.notification_sent", {}, { node = "shop@host", operator = "beam", trace_id = "t1", id = "n1",
    severity = "warning", observation = observation or "a mailbox grows" })
end

describe("sinks", function()
  before_each(function()
    folder, said = state_home.open(), stderr.catch()
  end)
  after_each(function()
    async.run(sinks.close)
    metrics.stop()
    stderr.release()
    state_home.close()
  end)

  -- What the config says, and what is answered.
  local WRONG = {
    { "jsonl", "sinks%[1%]: a sink is a table" },
    { { file = "x" }, "there is no type nil; there are jsonl, prometheus, syslog, webhook" },
    { { type = "jsnl", file = "x" }, "there is no type jsnl; did you mean jsonl%?" },
    { { type = "jsonl" }, "sinks%[1%] %(jsonl%): it wants file" },
    { { type = "jsonl", file = 5 }, "file must be a text" },
    { { type = "jsonl", fil = "x" }, "it has no fil; did you mean file%?" },
    { { type = "jsonl", path = "x" }, "it has no path; it has events, file, type" },
    { { type = "jsonl", file = "x", events = "node.up" }, "events wants names" },
    { { type = "jsonl", file = "x", events = { "node.upp" } }, "there is no event node.upp; did you mean node.up%?" },
    { { type = "jsonl", file = "x", events = { "nodes.*" } }, "there is no event nodes.%*" },
    { { type = "jsonl", file = "/nowhere/x" }, "ENOENT.*mend it, or take the sink out" },
    { { type = "prometheus", file = "x", events = { "node.up" } }, "it has no events" },
    { { type = "prometheus", file = "x", seconds = 0 }, "seconds must be a number from 1 to 86400" },
    { { type = "webhook" }, "give url, or url_file" },
    { { type = "webhook", url = "http://hooks.example.com/x" }, "url must be https:// but on loopback" },
    { { type = "webhook", url = "http://127.999.1.1/x" }, "url must be https:// but on loopback" },
    { { type = "webhook", url = "https://me:pw@example.com/x" }, "without a user name" },
    { { type = "webhook", url = "ftp://127.0.0.1/x" }, "url must be https://host/path" },
    { { type = "webhook", url = "https://x/", secret_file = "/nowhere" }, "there is no secret in /nowhere" },
    { { type = "syslog", address = "127.0.0.1:514" }, "address must be udp://127.0.0.1:514" },
    { { type = "syslog", address = "udp://loghost:514" }, "wants a number, not a name" },
  }
  for _, case in ipairs(WRONG) do
    it("are refused at the start: " .. json.encode(case[1]), live.test(function()
      local ok, err = start(case[1])
      assert.is_nil(ok)
      assert.matches(case[2], tostring(err))
      assert.equal(2, err.exit)
    end))
  end

  it("are a list, and no single one", live.test(function()
    local ok, err = sinks.start { sinks = { type = "jsonl", file = "x" }, store = ":memory:" }
    assert.is_nil(ok)
    assert.matches('sinks: it is a list, and has no %a+; sinks = { { type = "jsonl"', tostring(err))
  end))

  it("are refused where a secret may be read by others", live.test(function()
    local path = folder .. "/secret"
    io.open(path, "w"):close()
    os.execute(("chmod 644 '%s'"):format(path))
    local _, err = start { type = "webhook", url = "https://x/", secret_file = path }
    assert.matches("may be read by others", tostring(err))
  end))

  it("write a line for each event, for nobody else to read", live.test(function()
    local path = folder .. "/events.jsonl"
    assert(start { type = "jsonl", file = path })
    notify()
    telemetry.emit("operator.done", {}, { operator = "beam", trace_id = "t1", state = "healthy" })
    local got = lines(path)
    assert.same({ "operator.notification_sent", "operator.done", 1 }, { got[1].event, got[2].event, got[1].schema })
    assert.same({ node = "shop@host", operator = "beam", trace_id = "t1", id = "n1", severity = "warning",
      observation = "a mailbox grows" }, got[1].metadata)
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", got[1].at)
    assert.equal("600", ("%o"):format(uv.fs_stat(path).mode % 512))
  end))

  it("write what they were asked for and nothing else", live.test(function()
    local path = folder .. "/events.jsonl"
    assert(start { type = "jsonl", file = path, events = { "beamlens.node.*", "operator.notification_sent" } })
    notify()
    telemetry.emit("operator.think", {}, { operator = "beam" })
    telemetry.emit("node.up", {}, { node = "shop@host" })
    local got = lines(path)
    assert.same({ 2, "operator.notification_sent", "node.up" }, { #got, got[1].event, got[2].event })
  end))

  it("hide secrets, what runs know to be one among them", live.test(function()
    local path = folder .. "/events.jsonl"
    assert(start { type = "jsonl", file = path })
    sinks.conceal(function(mask) mask:know "PRECIOUSCOOKIE" end)
    telemetry.emit("node.down", {}, { node = "shop@host.example.com",
      reason = "password=hunter2secret and PRECIOUSCOOKIE of ann@example.com" })
    local text = read(path)
    assert.is_nil(text:find("hunter2secret", 1, true))
    assert.is_nil(text:find("PRECIOUSCOOKIE", 1, true))
    assert.matches("<secret:%x+>", text)
    assert.is_nil(text:find("ann@", 1, true))
    assert.matches("shop@host.example.com", text)
  end))

  it("leave a file alone that others may read", live.test(function()
    local path = folder .. "/events.jsonl"
    io.open(path, "w"):close()
    os.execute(("chmod 644 '%s'"):format(path))
    local _, err = start { type = "jsonl", file = path }
    assert.matches("may be read by others.*chmod go%-r", tostring(err))
  end))

  for kind, name in pairs { jsonl = "%s", prometheus = "%s.%d" } do
    it(("leave alone what a link leads to that somebody put in the way of %s"):format(kind), live.test(function()
      local path, precious = folder .. "/out", folder .. "/precious"
      local file = assert(io.open(precious, "w"))
      file:write "old"
      file:close()
      uv.fs_chmod(precious, 384)
      assert(uv.fs_symlink(precious, name:format(path, uv.os_getpid())))
      start { type = kind, file = path }
      notify()
      assert.equal("old", read(precious))
    end))

    it(("write no %s where others could put a link"):format(kind), live.test(function()
      uv.fs_chmod(folder, 511)
      local ok, err = start { type = kind, file = folder .. "/out" }
      assert.is_nil(ok)
      assert.matches(("%s/out lies in a folder that may be written by others, so it is not written; chmod o-w %s, or "
        .. "chmod +t %s"):format(folder, folder, folder), tostring(err), 1, true)
      uv.fs_chmod(folder, 1023)
      assert.is_true(start { type = kind, file = folder .. "/out" })
    end))
  end

  it("do not wait for who reads a pipe", live.test(function()
    assert.equal(0, os.execute(("mkfifo -m 600 '%s/pipe'"):format(folder)))
    local _, err = start { type = "jsonl", file = folder .. "/pipe" }
    assert.matches("pipe is no file; move it away", tostring(err))
  end))

  it("go on in another file after SIGHUP, when the first was moved", live.test(function()
    local path = folder .. "/events.jsonl"
    assert(start { type = "jsonl", file = path })
    notify "first"
    assert(os.rename(path, path .. ".1"))
    notify "second"
    telemetry.emit("reload.looked", {}, { asked = true })
    notify "third"
    assert.equal("third", lines(path)[#lines(path)].metadata.observation)
    assert.same({ "first", "second" }, { lines(path .. ".1")[1].metadata.observation,
      lines(path .. ".1")[2].metadata.observation })
  end))

  it("tell once that the disk is full, and lose no run to it", live.test(function()
    local failed = 0
    local off = telemetry.on("sink.failed", function() failed = failed + 1 end)
    assert(start { type = "jsonl", file = "/dev/full" })
    for _ = 1, 300 do notify() end
    off()
    assert.equal(1, failed)
    assert.matches("^the sink jsonl 1 fails: ENOSPC[^\n]*\n$", said())
  end))

  it("do not fail with one another", live.test(function()
    local path = folder .. "/events.jsonl"
    assert(start({ type = "jsonl", file = "/dev/full" }, { type = "jsonl", file = path }))
    notify()
    local got = lines(path)
    assert.same({ "operator.notification_sent", "sink.failed" }, { got[2].event, got[1].event })
  end))

  it("are not told what is wrong with themselves", live.test(function()
    local path = folder .. "/events.jsonl"
    assert(start { type = "jsonl", file = path })
    telemetry.emit("sink.failed", {}, { sink = "jsonl 1", reason = "x" })
    telemetry.emit("sink.failed", {}, { sink = "webhook 2", reason = "y" })
    assert.same({ 1, "webhook 2" }, { #lines(path), lines(path)[1].metadata.sink })
  end))

  it("do not write down that files were looked at, for that would have them looked at again", live.test(function()
    local path = folder .. "/events.jsonl"
    assert(start { type = "jsonl", file = path })
    telemetry.emit("reload.looked", {}, { asked = false })
    notify()
    assert.same({ 1, "operator.notification_sent" }, { #lines(path), lines(path)[1].event })
  end))

  it("write the figures for node_exporter, whole at any time", live.test(function()
    local path = folder .. "/beamlens.prom"
    assert(start { type = "prometheus", file = path, seconds = 1 })
    assert.equal(1, #exposition.read(read(path)).beamlens_info.samples)
    telemetry.emit("node.up", {}, { node = "shop@host" })
    local up = until_true("the figure", function() return exposition.read(read(path)).beamlens_node_up end)
    assert.equal(1, up.samples[1].value)
    assert.equal("644", ("%o"):format(uv.fs_stat(path).mode % 512))
  end))

  it("are others when the config was edited", live.test(function()
    local options = { sinks = { { type = "jsonl", file = folder .. "/a.jsonl" } }, store = ":memory:" }
    assert(sinks.start(options))
    notify "first"
    options.sinks = { { type = "jsonl", file = folder .. "/b.jsonl", events = { "operator.*" } } }
    telemetry.emit("reload.config", {}, { applied = { "sinks" }, waiting = {} })
    notify "second"
    assert.equal("first", lines(folder .. "/a.jsonl")[1].metadata.observation)
    assert.equal("second", lines(folder .. "/b.jsonl")[1].metadata.observation)
  end))

  it("stay as they were when the edited config has a slip", live.test(function()
    local options = { sinks = { { type = "jsonl", file = folder .. "/a.jsonl", events = { "operator.*" } } },
      store = ":memory:" }
    assert(sinks.start(options))
    options.sinks = { { type = "jsnl" } }
    telemetry.emit("reload.config", {}, { applied = { "sinks" }, waiting = {} })
    notify "still"
    assert.equal("still", lines(folder .. "/a.jsonl")[1].metadata.observation)
    assert.matches("the sinks stay as they were: .*there is no type jsnl", said())
  end))

  it("are opened when an edit brings the first, and hide what runs before it knew to be secret", live.test(function()
    local options = { store = ":memory:" }
    assert(sinks.start(options))
    sinks.conceal(function(mask) mask:know "the-cookie-of-the-node" end)
    options.sinks = { { type = "jsonl", file = folder .. "/a.jsonl", events = { "operator.*" } } }
    telemetry.emit("reload.config", {}, { applied = { "sinks" }, waiting = {} })
    sinks.conceal(function(mask) mask:know "a-key-of-a-provider" end)
    notify "the-cookie-of-the-node and a-key-of-a-provider"
    assert.matches("^<secret:%x+> and <secret:%x+>$", lines(folder .. "/a.jsonl")[1].metadata.observation)
  end))

  it("that cannot be opened are told before an edit holds", live.test(function()
    assert.matches("sinks%[1%] %(jsonl%): .*ENOENT.*; mend it, or take the sink out",
      tostring(sinks.fault { { type = "jsonl", file = "/nowhere/x" } }))
  end))

  it("leave nobody listening when they are closed", live.test(function()
    local path = folder .. "/events.jsonl"
    assert(start { type = "jsonl", file = path })
    notify()
    sinks.close()
    notify()
    assert.equal(1, #lines(path))
  end))
end)
