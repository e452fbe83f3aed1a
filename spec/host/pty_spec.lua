local alive = require "spec.support.alive"
local async = require "runtime.async"
local line = require "runtime.door.line"
local ours = require "host.files"
local live = require "spec.support.live_node"
local pty = require "host.pty"
local until_true = require "spec.support.until_true"
local uv = require "luv"

-- Runs a command to its end; what it wrote, how it ended.
local function run(words, typed)
  local said = {}
  local l = assert(line.start(words, { on_bytes = function(b) said[#said + 1] = b end, on_end = function() end }))
  if typed then l:write(typed) end
  assert(l:wait(async.now() + 20), "it never ended")
  return table.concat(said), l.ended.code, l.ended.signal
end

describe("a command on a terminal of its own", function()
  it("has the terminal for stdin, stdout, stderr and as the one that passwords are asked on", live.test(function()
    assert.equal("0 1 2 tty", (run { "sh", "-c", [[
      for i in 0 1 2; do [ -t $i ] && printf '%s ' $i; done; printf tty > /dev/tty]] }))
  end))

  it("is the leader of a session", live.test(function()
    assert.equal("yes", (run { "sh", "-c",
      "read -r a b c d pgrp session rest < /proc/$$/stat; [ $session = $$ ] && [ $pgrp = $$ ] && printf yes" }))
  end))

  it("inherits no descriptor but these", live.test(function()
    local file = assert(io.open "/etc/passwd")
    local found = run { "sh", "-c", "for i in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$i ] && printf '%s ' $i; done" }
    file:close()
    assert.equal("", found)
  end))

  it("is no reason to wait where the kernel has no close_range", live.test(function()
    local path = os.tmpname() .. ".lua"
    local file = assert(io.open(path, "w"))
    file:write 'assert(require("host.pty").start({ "cat" }, 24, 80)) io.write "started"'
    file:close()
    local probe = ours.exe:match "^(.*)/" .. "/jail_probe"
    assert.equal("started", (run { probe, "--without-close-range", ours.exe, path }))
    os.remove(path)
  end))

  it("passes bytes on unchanged, without an echo", live.test(function()
    assert.equal("a\r\nb\3\4\n", (run({ "head", "-c", "7" }, "a\r\nb\3\4\n")))
  end))

  it("is read to its last byte, however fast it ends", live.test(function()
    assert.equal(300000, #run { "sh", "-c", "head -c 300000 /dev/zero" })
  end))

  it("takes what is larger than a terminal takes at once", live.test(function()
    local text = ("0123456789abcdef"):rep(20000)
    assert.equal("320000\n", (run({ "sh", "-c", "head -c 320000 | wc -c" }, text)))
  end))

  it("that writes without an end leaves the loop its turns", live.test(function()
    local reads, most, turns = 0, 0, uv.new_prepare()
    turns:start(function() reads = 0 end)
    local l = assert(line.start({ "yes" }, {
      on_bytes = function()
        reads = reads + 1
        most = math.max(most, reads)
        uv.sleep(3) -- slower than it writes
      end,
      on_end = function() end,
    }))
    async.sleep(0.3)
    l:close()
    turns:close()
    assert.is_true(most <= 32, most)
  end))

  it("tells its exit code", live.test(function()
    assert.equal(7, (select(2, run { "sh", "-c", "exit 7" })))
  end))

  it("tells the signal that ended it", live.test(function()
    assert.equal(15, (select(3, run { "sh", "-c", "kill -TERM $$" })))
  end))

  it("hears the signals that this program does not", live.test(function()
    assert.equal(1, (select(3, run { "sh", "-c", "kill -HUP $$; sleep 5" })))
  end))

  it("that does not exist is no command", function()
    local started, err = pty.start({ "/nowhere/to be found" }, 24, 80)
    assert.is_nil(started)
    assert.equal("/nowhere/to be found: No such file or directory", err)
  end)

  it("ends with what it started when it is closed", live.test(function()
    local pid
    local l = assert(line.start({ "sh", "-c", "sleep 600 & echo $!; wait" }, {
      on_bytes = function(b) pid = b:match "%d+" end, on_end = function() end,
    }))
    while not pid do async.sleep(0.005) end
    l:close()
    assert.is_true(until_true("its end", function() return not alive(pid) end))
  end))

  it("ends also when it does not want to", live.test(function()
    local said
    local l = assert(line.start({ "sh", "-c", "trap '' HUP TERM; echo on; while :; do sleep 0.1; done" }, {
      on_bytes = function(b) said = b end, on_end = function() end,
    }))
    while not said do async.sleep(0.005) end
    l:close()
    assert.equal(9, l.ended.signal)
  end))
end)
