--- Workers that have been taken over, against runtime/sandbox.lua: whatever they do, the host says one of its
--- words about it, and the next chunk is served.

local uv = require "luv"
local async = require "runtime.async"
local files = require "host.files"
local json = require "runtime.json"
local sandbox = require "runtime.sandbox"

local workers = {}

local KINDS = {}
for kind in ("ok error timeout memory callbacks crash protocol unavailable"):gmatch "%a+" do KINDS[kind] = true end
local LIMITS = { run_s = 0.15, callback_s = 0.1, total_s = 0.6, callbacks = 16 }
local FOLDER = files.root .. "/spec/hostile"
local HELLO_S = 30

-- Answers, fails, raises, is slow, says too much.
local callbacks = {
  function(args) return args end,
  function() return nil, "no: %s %n" end,
  function() error("a bug of ours") end,
  function()
    async.sleep(0.15)
    return "late"
  end,
  function() return ("x"):rep(200000) end,
}
local NAMES = { "echo", "refuse", "raise", "slow", "big" }
local by_name = {}
for i, name in ipairs(NAMES) do by_name[name] = callbacks[i] end

-- What our own worker greets with, for the hostile one to greet so too.
local function true_hello()
  local pipe, bytes = uv.new_pipe(false), ""
  local ended = false
  local process = assert(uv.spawn(files.exe,
    { args = { "--sandbox-worker" }, env = {}, stdio = { nil, nil, nil, pipe } }, function() ended = true end))
  pipe:read_start(function(_, chunk) bytes = bytes .. (chunk or "") end)
  local deadline = async.now() + HELLO_S
  while #bytes < 5 or #bytes < 5 + bytes:byte(4) do
    assert(async.now() < deadline, "our worker does not greet")
    async.sleep(0.005)
  end
  process:kill "sigkill"
  while not ended do async.sleep(0.005) end
  process:close()
  pipe:close()
  return bytes
end

local function write_script(path, seed, hello)
  local file = assert(io.open(path, "w"))
  file:write(("#!/usr/bin/env luajit\nassert(loadfile %q) { seed = %d, hello = %q, folder = %q }\n"):format(
    FOLDER .. "/worker.lua", seed, hello, FOLDER))
  file:close()
  assert(uv.fs_chmod(path, 448))
end

local function fault(out)
  if not KINDS[out.kind] then return "a kind " .. tostring(out.kind) end
  if type(out.print) ~= "string" or #out.print > 20000 then return "what was printed" end
  if out.kind ~= "ok" and type(out.message) ~= "string" then return "no message" end
  if out.kind ~= "ok" and out.result ~= nil then return "a result of what was no good end" end
  if out.kind == "ok" and json.decode(out.result_json) == nil then return "a result that cannot be read" end
  if #out.calls > LIMITS.callbacks then return "more callbacks than may be" end
end

--- One worker of that seed. Raises when the host did not cope.
---@param run { hello: string, folder: string }
---@param seed integer
---@return string kind
function workers.attack(run, seed)
  local path = ("%s/worker-%d"):format(run.folder, seed)
  write_script(path, seed, run.hello)
  local out = sandbox.execute {
    code = "return 1", names = NAMES, limits = LIMITS, program = path,
    call = function(name, args) return by_name[name](args) end,
  }
  os.remove(path)
  local wrong = fault(out)
  if wrong then error(("worker seed %d: %s"):format(seed, wrong), 0) end
  return out.kind
end

--- A chunk as any other, of our own worker.
function workers.serve_a_good_one(seed)
  local out = sandbox.execute {
    code = "local x = echo(20, 1) return x[1] * 2 + 2 * x[2]", names = NAMES,
    call = function(name, args) return by_name[name](args) end,
  }
  if out.kind ~= "ok" or out.result ~= 42 then
    error(("after worker seed %d a good chunk came to %s: %s"):format(seed, out.kind, tostring(out.message)), 0)
  end
end

---@param folder string
function workers.begin(folder) return { folder = folder, hello = true_hello() } end

return workers
