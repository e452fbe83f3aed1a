-- `beamlens-run sandbox`: a chunk as a model's would run, from the command line.

local uv = require "luv"
local async = require "runtime.async"
local json = require "runtime.json"
local program = require "spec.support.program"

local folder

local function write(name, text, mode)
  local path = folder .. "/" .. name
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  uv.fs_chmod(path, mode or 384)
  return path
end

local function run(...)
  local args = { "sandbox", ... }
  return async.run(function()
    return program.run(args, { env = { HOME = folder, XDG_CONFIG_HOME = folder, XDG_STATE_HOME = folder } })
  end)
end

-- The outcome of a chunk as JSON, and the exit code.
local function outcome(code, ...)
  local result = run(write("chunk.lua", code), "--json", "--demo-callbacks", ...)
  assert.equal("", result.stderr)
  return json.decode(result.stdout), result.code
end

local function complaint(...)
  local result = run(...)
  assert.same({ 2, "" }, { result.code, result.stdout })
  return result.stderr:match "^beamlens%-run: ([^\n]+)\n$"
end

describe("the command sandbox", function()
  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    uv.fs_mkdir(folder, 448)
  end)
  teardown(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  it("tells all of a chunk that ended well, and exits with 0", function()
    local out, code = outcome "print('so far', {1}) return beam_get_memory().total / 2"
    out.elapsed_ms = type(out.elapsed_ms)
    assert.equal(0, code)
    assert.same({
      schema = 1, kind = "ok", line = json.null, result = 26214400, message = json.null, print = "so far\t[1]\n",
      calls = 1, elapsed_ms = "number",
    }, out)
  end)

  it("tells what went wrong and where, and exits with 2", function()
    local out, code = outcome "local x\nreturn beam_get_memroy()"
    assert.same({ 2, "error", 2, json.null }, { code, out.kind, out.line, out.result })
    assert.matches("did you mean beam_get_memory?", out.message, 1, true)
  end)

  it("says a result of nil as null", function()
    local out, code = outcome "return nil"
    assert.same({ 0, "ok", json.null }, { code, out.kind, out.result })
  end)

  it("stops a chunk at the limit that was given", function()
    local out, code = outcome("while true do end", "--limit", "wall_ms=500")
    assert.same({ 2, "timeout", 1 }, { code, out.kind, out.line })
    assert.matches("stopped after 0.5 s", out.message, 1, true)
  end)

  it("takes several limits, at once and one by one", function()
    local code = "for _ = 1, 3 do beam_get_memory() end return ('x'):rep(200)"
    assert.equal("callbacks", outcome(code, "--limit", "max_calls=2,wall_ms=5000").kind)
    assert.equal("error", outcome(code, "--limit", "max_calls=3", "--limit", "result_max=100").kind)
    assert.equal("ok", outcome(code, "--limit", "max_calls=3", "--limit", "result_max=300").kind)
    assert.equal("callbacks", outcome(code, "--limit", "wall_ms=5000", "max_calls=2").kind)
  end)

  it("goes by the limits of the config file where none are given", function()
    write("config.lua", "return { chunk = { max_calls = 1 } }")
    local result = run(write("two.lua", "echo(1) echo(2) return 1"), "--demo-callbacks", "--json", "--config",
      folder .. "/config.lua")
    assert.equal("callbacks", json.decode(result.stdout).kind)
  end)

  it("has no callbacks unless it is asked for some", function()
    local result = run(write("chunk.lua", "return beam_get_memory()"), "--json")
    assert.equal("error", json.decode(result.stdout).kind)
  end)

  it("runs the chunks of a file one after another, none with what another left", function()
    local out = outcome "SECRET = 1 while true do end\n--[[NEXT]]\nreturn SECRET, 2\n"
    assert.same({ "ok", 2 }, { out.kind, out.result[2] })
    assert.equal(json.null, out.result[1])
  end)

  it("shows a person the same as text, without escapes of a terminal", function()
    local result = run(write("chunk.lua", "print('a\\27[31m') print('b') return { 1 }"), "--demo-callbacks")
    assert.matches("^ok after [%d.]+ ms\n  | a\\x1b%[31m\n  | b\n%[1%]\n$", result.stdout)
    assert.equal(0, result.code)
  end)

  it("shows a person an error with its line", function()
    local result = run(write("chunk.lua", "boom()"), "--demo-callbacks")
    assert.matches("^error after [%d.]+ ms, 1 callback\nline 1: boom: callback failed: boom\n$", result.stdout)
    assert.equal(2, result.code)
  end)

  it("reads a chunk from stdin", function()
    local pipe = assert(io.popen(("printf 'return 6 * 7' | HOME=%s %s sandbox - --json"):format(folder, program.path)))
    local out = json.decode(pipe:read "*a")
    pipe:close()
    assert.equal(42, out.result)
  end)

  it("ends with 130 at a Ctrl-C", function()
    async.run(function()
      local path = write("chunk.lua", "while true do end")
      local running = program.start({ "sandbox", path, "--limit", "wall_ms=60000" }, { env = { HOME = folder } })
      local deadline = async.now() + 20
      repeat
        async.sleep(0.005)
        assert(async.now() < deadline, "it has no worker")
        local file = io.open(("/proc/%d/task/%d/children"):format(running.pid, running.pid))
        local children = file and file:read "*a" or ""
        if file then file:close() end
      until children ~= ""
      running.kill "sigint"
      assert.equal(130, (running.wait(20)))
    end)
  end)

  it("wants a file", function() assert.matches("^no file was named", complaint()) end)
  it("wants one alone", function()
    assert.equal("sandbox takes one file, and there is b.lua; see `beamlens-run help sandbox`",
      complaint("a.lua", "b.lua"))
  end)
  it("wants one that is there", function() assert.matches("cannot read", complaint(folder .. "/none.lua")) end)
  it("takes none that others may write", function()
    assert.matches("may be written by others", complaint(write("open.lua", "return 1", 438)))
  end)

  for limit, words in pairs {
    ["wal_ms=1"] = "did you mean wall_ms?",
    ["wall_ms=soon"] = "--limit wall_ms wants a whole number from 1 to 60000, not soon",
    ["wall_ms=0"] = "wants a whole number from 1 to 60000, not 0",
    ["mem_bytes=99999999999"] = "wants a whole number",
    ["wall_ms"] = "--limit wants NAME=N, not wall_ms",
  } do
    it("refuses the limit " .. limit, function()
      assert.matches(words, complaint(write("chunk.lua", "return 1"), "--limit", limit), 1, true)
    end)
  end
end)
