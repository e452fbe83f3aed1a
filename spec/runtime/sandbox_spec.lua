local uv = require "luv"
local async = require "runtime.async"
local files = require "host.files"
local sandbox = require "runtime.sandbox"
local until_true = require "spec.support.until_true"

local function test(body)
  return function() async.run(body) end
end

-- What a skill would offer: it answers, fails, and takes its time.
local answers = {
  beam_get_memory = function() return { total = 52428800 } end,
  beam_top_processes = function(args) return nil, "beam_top_processes: limit must be from 1 to 50, not " .. args[1] end,
  echo = function(args) return args end,
  slow = function() async.sleep(0.8) return "late" end,
  broken = function() error("a bug of ours") end,
}
local names = { "beam_get_memory", "beam_top_processes", "echo", "slow", "broken" }

local function execute(code, limits, more)
  local chunk = { code = code, limits = limits, names = names }
  function chunk.call(name, args) return answers[name](args) end
  for key, value in pairs(more or {}) do chunk[key] = value end
  return sandbox.execute(chunk)
end

local function children()
  local file = assert(io.open(("/proc/self/task/%d/children"):format(uv.os_getpid())))
  local pids = {}
  for pid in file:read("*a"):gmatch "%d+" do pids[#pids + 1] = tonumber(pid) end
  file:close()
  return pids
end

-- Reaping is the loop's work, so it is waited for, not slept for.
local function all_gone()
  until_true("the end of the workers", function() return #children() == 0 end)
  return #children()
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "*a"
  file:close()
  return bytes
end

-- The worker alone, without a spare: /proc is read while it waits for the answer.
local function while_calling(look)
  local seen
  local outcome = execute("return echo(1)", nil, {
    program = files.exe,
    call = function(_, args)
      seen = look(children()[1])
      return args
    end,
  })
  return seen, outcome
end

describe("a chunk in the sandbox", function()
  after_each(test(function()
    sandbox.close()
    assert.equal(0, all_gone())
  end))

  it("returns what it computed, as a value and as JSON", test(function()
    local out = execute "return { total = beam_get_memory().total / 2, names = { 'a', 'b' } }"
    assert.equal("ok", out.kind)
    assert.same({ total = 26214400, names = { "a", "b" } }, out.result)
    assert.equal('{"names":["a","b"],"total":26214400}', out.result_json)
    assert.same({ "beam_get_memory" }, out.calls)
  end))

  it("returns several values as a list", test(function()
    assert.equal('[1,null,"x"]', execute("return 1, nil, 'x'").result_json)
  end))

  it("gets and gives every kind of JSON value unchanged", test(function()
    local out = execute [[return echo("a\0\"\\\n\u{1F600}é€", -1.5, 2^53 - 1, true, { x = { y = {} } }, {1, {2}})]]
    assert.same({ 'a\0"\\\n\240\159\152\128é€', -1.5, 2 ^ 53 - 1, true, { x = { y = {} } }, { 1, { 2 } } }, out.result)
  end))

  it("shows what has no JSON form as text, without running its metamethods", test(function()
    local out = execute [[
      return {print, 0/0, 1/0, -1/0, "\255", setmetatable({}, {__index = error, __tostring = error})}]]
    assert.equal('["<function>","nan","inf","-inf","\239\191\189",[]]', out.result_json)
  end))

  it("keeps what it printed, tables as JSON, cut at the limit", test(function()
    assert.equal('x\t1\tnil\t{"a":1}\n', execute("print('x', 1, nil, {a=1}) return 1").print)
    local flood = execute("for i = 1, 1e5 do print(('x'):rep(100)) end return 1")
    assert.equal("ok", flood.kind)
    assert.equal(16384 + #"\n[print was cut here]", #flood.print)
  end))

  it("starts from nothing each time", test(function()
    execute "SECRET = 1 string.format = nil math.floor = nil return 1"
    assert.same({ true, true, true }, execute("return SECRET == nil, string.format ~= nil, math.floor ~= nil").result)
  end))

  it("has the listed names and no others", test(function()
    local out = execute [[
      local found = {}
      for _, name in ipairs { "io", "package", "require", "load", "loadstring", "dofile", "loadfile", "debug", "jit",
          "ffi", "getfenv", "setfenv", "collectgarbage", "newproxy", "module", "_G" } do
        local get = { io = io, package = package, require = require, load = load, loadstring = loadstring,
          dofile = dofile, loadfile = loadfile, debug = debug, jit = jit, ffi = ffi, getfenv = getfenv,
          setfenv = setfenv, collectgarbage = collectgarbage, newproxy = newproxy, module = module, _G = _G }
        if get[name] ~= nil then found[#found + 1] = name end
      end
      return found, string.dump == nil, os.execute == nil, getmetatable("")]]
    assert.equal("[[],true,true,false]", out.result_json)
  end))

  it("does not load bytecode", test(function()
    local out = execute(string.dump(function() return 1 end))
    assert.equal("error", out.kind)
    assert.matches("attempt to load", out.message)
  end))
end)

describe("an error of a chunk", function()
  after_each(test(sandbox.close))

  local function fails(code, line, message)
    return test(function()
      local out = execute(code)
      assert.same({ "error", line }, { out.kind, out.line })
      assert.matches(message, out.message, 1, true)
    end)
  end

  it("has the line", fails("local x\nlocal y = 1\nreturn x.z", 3, "attempt to index local 'x'"))
  it("has the line of a table that was thrown", fails("local x\nerror({ code = 5 })", 2, '{"code":5}'))
  it("of syntax has the line", fails("local x = 1\nlocal y = = 2", 2, "near '='"))
  it("asks for the missing return", fails("local x = beam_get_memory()", nil, "put `return` before the value"))
  it("asks for the missing return of an expression", fails("beam_get_memory().total", 1, "write `return` before it"))
  it("names the nearest callback", fails("local a\nlocal m = beam_get_memroy()", 2,
    "no callback beam_get_memroy; did you mean beam_get_memory?"))
  it("names all callbacks when none is near", fails("local m = something()", 1, "beam_get_memory, beam_top_processes"))
  it("tells a reserved word used as a key", fails("return {function=1}", 1, '["function"] = '))
  it("tells a reserved word used as a field", fails("local x = {}\nreturn x.end", 2, 'x["end"]'))
  it("knows the slips from other languages", fails("if 1 != 2 then return 1 end", 1, "Lua writes `~=`"))
  it("says what a chunk has when it asks for more", fails("local f = io.open('x')", 1, "there is no `io` in a chunk"))
  it("passes on what the callback says is wrong", fails("local a\nlocal b = beam_top_processes(99)\nreturn b", 2,
    "beam_top_processes: limit must be from 1 to 50, not 99"))
  it("tells a cycle in the result", fails("local t = {} t.t = t return t", nil, "refers to itself"))
  it("tells a result nested too deeply", fails("local t = {} for i = 1, 99 do t = {t} end return t", nil, "too deeply"))
  it("tells a result that is too large", fails("return ('x'):rep(1e6)", nil, "too large (limit 65536 bytes)"))
  it("tells arguments that are too large", fails("return (echo(('x'):rep(1e6)))", 1,
    "echo: argument 1 cannot be sent: it is too large"))
end)

-- A slow machine may take its time until the worker has said where it was; the host would kill it before.
local PATIENT_S = 20

describe("a chunk that does not end", function()
  after_each(test(sandbox.close))

  local function stopped(code, kind, line)
    return test(function()
      local out = execute(code, { run_s = kind == "timeout" and 0.3 or 20, grace_s = PATIENT_S })
      assert.same({ kind, line }, { out.kind, out.line })
    end)
  end

  it("is stopped, with the line and what it printed", test(function()
    local out = execute("local x\nprint('so far')\nwhile true do end", { run_s = 0.3, grace_s = PATIENT_S })
    assert.same({ "timeout", 3, "so far\n" }, { out.kind, out.line, out.print })
    assert.matches("stopped after 0.3 s of running, at line 3", out.message, 1, true)
  end))

  it("is stopped inside pcall", stopped("while true do pcall(function() while true do end end) end", "timeout", 1))
  it("is stopped in an error handler",
    stopped("xpcall(function() error() end, function() while true do end end) return 1", "timeout", 1))
  it("is stopped inside a pattern, and keeps what it printed", test(function()
    local out = execute("print('so far') return ('x'):rep(5000):find(('.-'):rep(10) .. 'b')",
      { run_s = 0.3, grace_s = PATIENT_S })
    assert.same({ "timeout", "so far\n" }, { out.kind, out.print })
    assert.matches("inside a library function such as string.find", out.message, 1, true)
  end))

  it("is stopped in a coroutine", stopped("coroutine.wrap(function()\nwhile true do end end)()", "timeout", 2))
  it("is stopped with its memory full", stopped("local t = {} for i = 1, 1e9 do t[i] = {} end", "memory"))
  it("is stopped at a string too long to be built", stopped("return #('a'):rep(1e9)", "memory"))
  it("cannot catch the end of memory", stopped("while true do pcall(string.rep, 'a', 1e9) end", "memory"))
  it("is stopped at too many callbacks", stopped("while true do pcall(beam_get_memory) end", "callbacks"))
  it("ends as a crash of the worker alone when it overflows the C stack",
    stopped("local function f() return coroutine.wrap(f)() end return f()", "crash"))

  it("is killed from outside when it does not stop by itself", test(function()
    local out = execute("echo(1) while true do end", { run_s = 0.3 }, {
      program = files.exe,
      call = function()
        uv.kill(children()[1], "sigstop")
        return 1
      end,
    })
    assert.equal("timeout", out.kind)
  end))
end)

describe("a callback", function()
  after_each(test(sandbox.close))

  it("may wait longer than the chunk may run", test(function()
    assert.equal("late", execute("return slow()", { run_s = 0.5 }).result)
  end))

  it("has a deadline of its own, an error in the chunk", test(function()
    local out = execute("local ok, err = pcall(slow) return ok, err", { callback_s = 0.05 })
    assert.equal(false, out.result[1])
    assert.matches("slow: no answer in 0.05 s", out.result[2], 1, true)
  end))

  it("counts towards the time of the whole", test(function()
    local out = execute("slow() return 1", { total_s = 0.2 })
    assert.equal("timeout", out.kind)
    assert.matches("more than 0.2 s", out.message, 1, true)
  end))

  it("that has a bug fails in one line", test(function()
    local out = execute "return (broken())"
    assert.equal("error", out.kind)
    assert.matches("^broken failed: [^\n]*a bug of ours$", out.message)
  end))

  it("works in a coroutine and in a metamethod", test(function()
    local out = execute [[
      local a = coroutine.wrap(function() return beam_get_memory().total end)()
      return a, setmetatable({}, { __index = function() return beam_get_memory().total end }).x]]
    assert.same({ 52428800, 52428800 }, out.result)
  end))

  it("that answers too much is an error that says so", test(function()
    local out = execute("return (echo(1))", nil, { call = function() return ("x"):rep(200000) end })
    assert.matches("the answer has 200002 bytes, more than 131072", out.message, 1, true)
  end))

  it("sees an argument left out as nil", test(function()
    local seen
    execute("return echo(1, nil, 3)", nil, { call = function(_, args) seen = args return true end })
    assert.same({ [1] = 1, [3] = 3 }, seen)
  end))
end)

describe("the worker process", function()
  after_each(test(function()
    sandbox.close()
    assert.equal(0, all_gone())
  end))

  it("has an empty environment", test(function()
    assert.equal("", (while_calling(function(pid) return read(("/proc/%d/environ"):format(pid)) end)))
  end))

  it("has its pipe open and nothing else", test(function()
    local open = while_calling(function(pid)
      local found = {}
      local dir = assert(uv.fs_scandir(("/proc/%d/fd"):format(pid)))
      for fd in function() return uv.fs_scandir_next(dir) end do found[#found + 1] = fd end
      return found
    end)
    assert.same({ "3" }, open)
  end))

  it("can open no file, write none, dump no core and gain no privilege", test(function()
    local seen = while_calling(function(pid)
      return read(("/proc/%d/limits"):format(pid)) .. read(("/proc/%d/status"):format(pid))
    end)
    assert.matches("Max open files%s+0%s+0", seen)
    assert.matches("Max file size%s+0%s+0", seen)
    assert.matches("Max core file size%s+0%s+0", seen)
    assert.matches("NoNewPrivs:%s+1", seen)
  end))

  it("is in a session of its own, so that a Ctrl-C is not for it", test(function()
    local pid
    local stat = while_calling(function(child)
      pid = child
      return read(("/proc/%d/stat"):format(child))
    end)
    assert.equal(pid, tonumber(stat:match "%) %a %d+ %d+ (%d+)"))
  end))

  it("may be killed by anybody; the run says so", test(function()
    local out = execute("return echo(1)", nil, {
      program = files.exe,
      call = function() uv.kill(children()[1], "sigkill") return 1 end,
    })
    assert.equal("crash", out.kind)
    assert.matches("signal 9", out.message, 1, true)
  end))

  -- Runs a chunk and waits until nobody is left but the worker that was started after it.
  local function spare_pid()
    local first
    execute("return echo(1)", nil, { call = function() first = children()[1] return 1 end })
    return until_true("a spare", function()
      local pids = children()
      return #pids == 1 and pids[1] ~= first and pids[1]
    end)
  end

  it("is started ahead of the next chunk", test(function()
    local spare, worker = spare_pid(), nil
    execute("return echo(1)", nil, { call = function() worker = children()[1] return 1 end })
    assert.is_number(worker)
    assert.equal(spare, worker)
  end))

  it("that died as a spare is replaced", test(function()
    uv.kill(spare_pid(), "sigkill")
    assert.equal(0, all_gone())
    assert.equal("ok", execute("return 1").kind)
  end))

  it("is killed when the waiting task is cancelled", test(function()
    local out
    local task = async.spawn(function() out = execute "while true do end" end)
    async.sleep(0.05)
    task:cancel()
    assert.is_true((task:join(async.now() + 60)))
    assert.matches("cancelled", out.message, 1, true)
  end))

  it("runs twenty at a time", test(function()
    local functions = {}
    for i = 1, 20 do
      functions[i] = function() return execute(("return echo(%d)[1] * 2"):format(i)).result end
    end
    local doubled = {}
    for i, result in ipairs(async.all(functions)) do doubled[i] = result.value end
    assert.same({ 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40 }, doubled)
  end))

  it("that cannot be started makes execute unavailable, with the reason", test(function()
    local out = execute("return 1", nil, { program = "/nowhere/at/all" })
    assert.equal("unavailable", out.kind)
    assert.matches("ENOENT", out.message, 1, true)
  end))

  it("started by hand says who starts it and ends", function()
    local pipe = assert(io.popen(files.exe .. " --sandbox-worker 2>&1 3>&-"))
    assert.matches("started by beamlens-run itself", pipe:read "*a", 1, true)
    pipe:close()
  end)
end)

-- Programs that speak to the host in place of our worker.
describe("a hostile worker", function()
  local path

  before_each(function()
    path = os.tmpname()
  end)

  after_each(test(function()
    os.remove(path)
    assert.equal(0, all_gone())
  end))

  local function octal(bytes)
    return (bytes:gsub(".", function(c) return ("\\%03o"):format(c:byte()) end))
  end

  local function frame(kind, body, length)
    local n = length or #body
    return string.char(math.floor(n / 2 ^ 24) % 256, math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
      .. kind .. body
  end

  local HELLO = frame("H", "\2\7")

  local function attack(script, call)
    local file = assert(io.open(path, "w"))
    file:write("#!/bin/sh\n", script, "\n")
    file:close()
    assert(uv.fs_chmod(path, 448))
    return execute("return 1", { run_s = 1 }, { program = path, call = call })
  end

  -- It says its bytes and stays, so that it has to be killed.
  local function says(bytes)
    return test(function()
      local out = attack(("printf '%s' >&3\nexec /bin/sleep 1000"):format(octal(bytes)))
      assert.equal("protocol", out.kind)
      assert.is_nil(out.result)
    end)
  end

  it("that speaks garbage is killed", says "GET / HTTP/1.1\r\n\r\n")
  it("of another version is killed", says(frame("H", "\9")))
  it("of another version is told which", test(function()
    local out = attack(("printf '%s' >&3\nexec /bin/sleep 1000"):format(octal(frame("H", "\9\7"))))
    assert.equal("the worker speaks version 9 of the protocol and this program version 2, so it was killed: "
      .. "install the program anew, and start it again", out.message)
  end))

  it("that does not say what holds it is killed", says(frame("H", "\2")))
  it("whose reason is no errno is killed", says(frame("H", "\2\6rm -rf /")))
  it("whose reason is long is killed", says(frame("H", "\2\6" .. ("E"):rep(33))))

  it("that is not held by the filter gets no chunk", test(function()
    local heard = os.tmpname()
    local out = attack(("printf '%s' >&3\nexec /bin/cat <&3 >%s"):format(octal(frame("H", "\2\6EPERM")), heard))
    all_gone()
    local bytes = read(heard)
    os.remove(heard)
    assert.same({ "unavailable", "" }, { out.kind, bytes })
  end))

  it("that is not held by the filter gets a chunk where that is allowed", test(function()
    sandbox.allow_weak(true)
    local said = octal(frame("H", "\2\6EPERM") .. frame("D", "\0\0\0\0" .. "42"))
    local out = attack(("printf '%s' >&3\nexec /bin/sleep 1000"):format(said))
    sandbox.allow_weak(false)
    assert.equal(42, out.result)
  end))

  it("that skips its greeting is killed", says(frame("D", "\0\0\0\0" .. "1")))
  it("that sends an unknown type is killed", says(HELLO .. frame("Z", "x")))
  it("that announces four gigabytes is killed", says(HELLO .. frame("D", "", 2 ^ 32 - 1)))
  it("that sends a frame of the host is killed", says(HELLO .. frame("R", "\0" .. "1")))
  it("that greets twice is killed", says(HELLO .. HELLO))
  it("that calls a name it was not given is killed", says(HELLO .. frame("C", "\0\99[]")))
  it("that calls without a name is killed", says(HELLO .. frame("C", "")))
  it("that calls with arguments that are no JSON is killed", says(HELLO .. frame("C", "\0\0[1,")))
  it("that calls with an object for arguments is killed", says(HELLO .. frame("C", '\0\0{"a":1}')))
  it("that calls with arguments nested without an end is killed",
    says(HELLO .. frame("C", "\0\0" .. ("["):rep(2000) .. ("]"):rep(2000))))
  it("that calls again before the answer is killed", says(HELLO .. frame("C", "\0\0[]") .. frame("C", "\0\0[]")))
  it("whose print is longer than its frame is killed", says(HELLO .. frame("D", "\0\0\9\9x")))
  it("whose result is no JSON is killed", says(HELLO .. frame("D", "\0\0\0\0nonsense")))
  it("whose error is cut short is killed", says(HELLO .. frame("E", "\0\0\0")))
  it("that gives an unknown verdict is killed", says(HELLO .. frame("K", "\99\0\0\0\0")))

  it("that floods its pipe is killed", test(function()
    assert.equal("protocol", attack("printf '" .. octal(HELLO) .. "' >&3\nexec /bin/cat /dev/zero >&3").kind)
  end))

  it("that floods its pipe fills no memory of ours", test(function()
    local before, after = collectgarbage "count", nil
    local out = attack("printf '" .. octal(HELLO .. frame("C", "\0\0[]")) .. "' >&3\nexec /bin/cat /dev/zero >&3",
      function()
        async.sleep(0.3)
        collectgarbage()
        after = collectgarbage "count"
      end)
    assert.equal("protocol", out.kind)
    assert.is_true(after - before < 4096)
  end))

  it("that hangs up in the middle of a frame is found out", test(function()
    assert.equal("protocol", attack("printf '" .. octal(HELLO .. "\0\0\0") .. "' >&3").kind)
  end))

  it("that the filter ended is told so", test(function()
    local out = attack(("printf '%s' >&3\nkill -SYS $$"):format(octal(HELLO)))
    assert.equal("the process that ran the chunk died (signal 31): it made a system call that the jail does not allow",
      out.message)
  end))

  it("that says nothing more is killed at the deadline", test(function()
    assert.equal("timeout", attack("printf '" .. octal(HELLO) .. "' >&3\nexec /bin/sleep 1000").kind)
  end))

  it("that hides its running time between callbacks is killed all the same", test(function()
    local call = ("printf '%s' >&3"):format(octal(frame("C", "\0\0[]")))
    local out = attack(("printf '%s' >&3\nwhile :; do %s; /bin/sleep 0.4; done"):format(octal(HELLO), call))
    assert.equal("timeout", out.kind)
  end))

  it("that has done its work and stays is killed", test(function()
    local out = attack("printf '" .. octal(HELLO .. frame("D", "\0\0\0\0" .. "42")) .. "' >&3\nexec /bin/sleep 1000")
    assert.equal(42, out.result)
  end))
end)
