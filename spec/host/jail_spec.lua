local uv = require "luv"
local async = require "runtime.async"
local files = require "host.files"
local json = require "runtime.json"
local program = require "spec.support.program"
local sandbox = require "runtime.sandbox"

local PROBE = files.exe:match "^(.*)/" .. "/jail_probe"
local SIGSYS = 31
local EAGAIN, EACCES, EMFILE = 11, 13, 24

local function test(body)
  return function() async.run(body) end
end

-- A socket as descriptor 3, as a worker has it, with a byte to be read. One that waits is killed.
local function probe(args)
  local pipe = uv.new_pipe(false)
  local process, ended
  async.await(function(resume)
    process = assert(uv.spawn(PROBE, { args = args, stdio = { nil, nil, nil, pipe } }, function(code, signal)
      ended = { code = code, signal = signal }
      resume()
    end))
    pipe:write "x"
  end, async.now() + 10)
  if not ended then
    process:kill "sigkill"
    while not ended do async.sleep(0.005) end
  end
  process:close()
  pipe:close()
  return ended
end

local function attempts()
  local dies, lives = {}, {}
  local pipe = assert(io.popen(PROBE .. " --list"))
  for line in pipe:lines() do
    local how, name = line:match "^(%a+) (.+)$"
    local list = how == "dies" and dies or lives
    list[#list + 1] = name
  end
  pipe:close()
  return dies, lives
end

local dies, lives = attempts()

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "*a"
  file:close()
  return bytes
end

local function write(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

describe("the jail", function()
  it("is tried in more than a hundred ways", function() assert.is_true(#dies > 100) end)

  for _, name in ipairs(dies) do
    it("ends who tries " .. name, test(function()
      assert.same({ code = 0, signal = SIGSYS }, probe { name })
    end))
  end

  for _, name in ipairs(lives) do
    it("lets be: " .. name, test(function()
      assert.same({ code = 0, signal = 0 }, probe { name })
    end))
  end
end)

-- The processor time, the addresses and the rest of it, as the kernel says it.
local LIMITS = {
  ["Max cpu time"] = "65", ["Max file size"] = "0", ["Max core file size"] = "0", ["Max processes"] = "0",
  ["Max open files"] = "0", ["Max locked memory"] = "0", ["Max msgqueue size"] = "0",
  ["Max address space"] = "2147483648",
}

-- Looks at a worker while it waits for the answer of a callback.
local function while_calling(look)
  local seen
  local outcome = sandbox.execute {
    code = "return look()", names = { "look" },
    call = function()
      local children = read(("/proc/self/task/%d/children"):format(uv.os_getpid()))
      seen = look(tonumber(children:match "%d+"))
      return true
    end,
  }
  assert.equal("ok", outcome.kind, outcome.message)
  return seen
end

local SHADOW = 2 ^ 36 -- a sanitizer's notes on memory are terabytes, and hold no bytes of ours

-- True when the bytes stand anywhere in the memory of the process.
local function in_memory(pid, needle)
  local memory = assert(io.open(("/proc/%d/mem"):format(pid), "rb"))
  memory:setvbuf "no"
  local piece = 2 ^ 20
  for line in io.lines(("/proc/%d/maps"):format(pid)) do
    local from, to = line:match "^(%x+)%-(%x+) r"
    local at, last = tonumber(from or "0", 16), tonumber(to or "0", 16)
    while last - at < SHADOW and at < last do
      memory:seek("set", at)
      local bytes = memory:read(math.min(piece + #needle, last - at))
      if bytes and bytes:find(needle, 1, true) then
        memory:close()
        return true
      end
      at = at + piece
    end
  end
  memory:close()
  return false
end

describe("a worker of the program", function()
  local KEY = "sk-" .. ("marker"):rep(3) .. uv.hrtime()

  setup(function() uv.os_setenv("BEAMLENS_MARKER_KEY", KEY) end)
  teardown(function() uv.os_unsetenv "BEAMLENS_MARKER_KEY" end)
  after_each(test(sandbox.close))

  it("runs under a filter of system calls", test(function()
    assert.matches("Seccomp:%s+2", while_calling(function(pid) return read(("/proc/%d/status"):format(pid)) end))
  end))

  it("can gain no privilege", test(function()
    assert.matches("NoNewPrivs:%s+1", while_calling(function(pid) return read(("/proc/%d/status"):format(pid)) end))
  end))

  it("has no environment", test(function()
    assert.equal("", while_calling(function(pid) return read(("/proc/%d/environ"):format(pid)) end))
  end))

  it("holds nothing of a key that is in our memory and our environment", test(function()
    local found = while_calling(function(pid) return { worker = in_memory(pid, KEY) } end)
    assert.is_false(found.worker)
  end))

  it("would be found with the key, if it had it", test(function()
    assert.is_true(in_memory(uv.os_getpid(), KEY))
  end))

  it("is said to be held by what holds it", test(function()
    local held = sandbox.protection()
    assert.same({ "strict", true, true }, { held.strength, held.seccomp, held.no_new_privs })
  end))

  it("is the program that runs, even when its file was replaced", test(function()
    local folder = assert(uv.fs_mkdtemp "/tmp/beamlens-jail-XXXXXX")
    local copy = folder .. "/program"
    assert(uv.fs_copyfile(program.path, copy))
    assert(uv.fs_chmod(copy, 493))
    local three = write "return 1\n--[[NEXT]]\nfor i = 1, 1e8 do end return 2\n--[[NEXT]]\nreturn 7"
    local running = program.start({ "sandbox", three, "--json", "--limit", "wall_ms=30000" }, { path = copy })
    assert(uv.fs_unlink(copy))
    running.wait(60)
    os.remove(three)
    uv.fs_rmdir(folder)
    assert.equal(7, json.decode(running.stdout()).result)
  end))
end)

-- The probe's, for a sanitizer's own needs would show in the program's.
describe("the limits of the jail", function()
  local limits

  setup(test(function()
    local pipe, ended = uv.new_pipe(false), false
    local process, pid = uv.spawn(PROBE, { args = { "recv on the pipe" }, stdio = { nil, nil, nil, pipe } },
      function() ended = true end)
    local deadline = async.now() + 10
    repeat
      async.sleep(0.005)
      local locked = read(("/proc/%d/status"):format(pid)):find "Seccomp:%s+2"
    until locked or async.now() > deadline
    limits = read(("/proc/%d/limits"):format(pid))
    process:kill "sigkill"
    while not ended do async.sleep(0.005) end
    process:close()
    pipe:close()
  end))

  for name, most in pairs(LIMITS) do
    it("end at " .. name .. " " .. most, function()
      assert.matches(name .. "%s+" .. most .. "%s+" .. most .. "%s", limits)
    end)
  end
end)

-- Where a container refuses seccomp: prctl and seccomp answer EPERM.
describe("a system that refuses seccomp", function()
  local chunk

  setup(function() chunk = write "return 6 * 7" end)
  teardown(function() os.remove(chunk) end)

  local function run(args, env)
    return program.run({ "--without-seccomp", program.path, unpack(args) }, { path = PROBE, env = env })
  end

  it("gets no chunk run", test(function()
    local out = run { "sandbox", chunk, "--json" }
    assert.equal(2, out.code)
    assert.equal("unavailable", json.decode(out.stdout).kind)
  end))

  it("is told, with what to do", test(function()
    assert.equal("execute is disabled: this system refuses seccomp filters (seccomp: EPERM). Allow the seccomp system "
      .. "call, or --sandbox allow-weak to run with rlimits only",
      json.decode(run({ "sandbox", chunk, "--json" }).stdout).message)
  end))

  it("runs chunks when the command line allows it", test(function()
    assert.equal(42, json.decode(run({ "sandbox", chunk, "--json", "--sandbox", "allow-weak" }).stdout).result)
  end))

  it("runs chunks when the environment allows it", test(function()
    local out = run({ "sandbox", chunk, "--json" }, { BEAMLENS_SANDBOX = "allow-weak" })
    assert.equal(42, json.decode(out.stdout).result)
  end))

  it("does not run them because they were once allowed", test(function()
    run { "sandbox", chunk, "--json", "--sandbox", "allow-weak" }
    assert.equal("unavailable", json.decode(run({ "sandbox", chunk, "--json" }).stdout).kind)
  end))
end)

-- The probe again, in the jail that is left there.
describe("the jail without the filter", function()
  local layers, kernel

  local function weakly(name) return probe({ "--without-seccomp", PROBE, name }).code end

  setup(test(function() layers, kernel = weakly "--layers", probe({ "--kernel" }).code end))

  it("says what holds: what this kernel has, and not the filter", function()
    assert.equal(2 + kernel + (uv.getuid() == 0 and 16 or 0), layers)
  end)

  it("opens no file", test(function() assert.equal(100 + EMFILE, weakly "openat") end))
  it("opens no socket", test(function() assert.equal(100 + EMFILE, weakly "socket") end))
  it("makes no file of memory", test(function() assert.equal(100 + EMFILE, weakly "memfd_create") end))
  it("starts no process", test(function() assert.equal(100 + EAGAIN, weakly "clone") end))

  local function has(layer) return math.floor(kernel / layer) % 2 == 1 end

  it("lets nothing run that was written, where the kernel knows that", test(function()
    assert.equal(has(4), weakly "mprotect that lets run" == 100 + EACCES)
  end))

  it("makes no folder, where there is Landlock", test(function()
    uv.fs_rmdir "/tmp/jail_probe.made"
    assert.equal(has(8), weakly "mkdirat" == 100 + EACCES)
  end))

  it("starts no program, where there is Landlock", test(function()
    assert.equal(has(8), weakly "execve" == 100 + EACCES)
  end))

  -- The program as a user who is not root, with one file of chunks.
  local function as_nobody(chunks, body)
    local folder = assert(uv.fs_mkdtemp "/tmp/beamlens-jail-XXXXXX")
    local copy, path = folder .. "/program", folder .. "/chunk.lua"
    local file = assert(io.open(path, "w"))
    file:write(chunks)
    file:close()
    assert(uv.fs_copyfile(program.path, copy))
    for _, name in ipairs { folder, copy, path } do assert(uv.fs_chmod(name, 493)) end
    local running = program.start({ "--without-seccomp", PROBE, "--as-nobody", copy, "sandbox", path, "--json",
      "--sandbox", "allow-weak", "--limit", "wall_ms=60000" }, { path = PROBE, env = { HOME = folder } })
    local seen = body(running)
    for _, name in ipairs { copy, path } do os.remove(name) end
    uv.fs_rmdir(folder)
    return seen
  end

  -- What `look` waits for while a chunk runs on and on.
  local function while_weak(look)
    return as_nobody("while true do end", function(running)
      local deadline = async.now() + 30
      local seen
      repeat
        async.sleep(0.005)
        local started, comm = pcall(read, ("/proc/%d/comm"):format(running.pid))
        seen = started and comm == "program\n" and look(running.pid)
      until seen or async.now() > deadline
      running.kill "sigterm"
      running.wait(30)
      return seen
    end)
  end

  -- What is not dumpable belongs to root in /proc; nobody else may trace it or read its memory.
  local function is_hidden(pid)
    local stat = uv.fs_stat(("/proc/%d/environ"):format(pid))
    return stat and stat.uid == 0
  end

  it("hides the host from others of its user", test(function() assert.is_true(while_weak(is_hidden)) end))

  it("still has its next worker started by a host that hides", test(function()
    local out = as_nobody("return 1\n--[[NEXT]]\nreturn 2\n--[[NEXT]]\nreturn 3", function(running)
      running.wait(60)
      return running.stdout()
    end)
    assert.equal(3, json.decode(out).result)
  end))

  it("hides the worker from others of its user", test(function()
    assert.is_true(while_weak(function(pid)
      local worker = read(("/proc/%d/task/%d/children"):format(pid, pid)):match "%d+"
      return worker and is_hidden(tonumber(worker))
    end))
  end))
end)
