-- A few seconds of what `make hostile` does for ten minutes under the sanitizers, always with the same seeds.

local uv = require "luv"
local async = require "runtime.async"
local nodes = require "spec.hostile.nodes"
local sandbox = require "runtime.sandbox"
local workers = require "spec.hostile.workers"

local AT_ONCE = 6
local EVERY_KIND = 150 -- so many seeds meet every way in which a worker's run may end, but "unavailable"

-- The seeds from 1 to `last`, several at a time. What was not coped with, in order of the seeds.
local function faults(last, attack)
  local next_seed, found, functions = 0, {}, {}
  for i = 1, AT_ONCE do
    functions[i] = function()
      while next_seed < last do
        next_seed = next_seed + 1
        local ok, why = pcall(attack, next_seed, i)
        if not ok then found[#found + 1] = tostring(why) end
      end
      return true
    end
  end
  async.all(functions)
  return found
end

describe("a peer that wants our end", function()
  it("as a worker gets one of our words for it, and the next chunk is served", function()
    async.run(function()
      local folder = os.tmpname()
      os.remove(folder)
      assert(uv.fs_mkdir(folder, 448))
      local run, seen = workers.begin(folder), {}
      assert.same({}, faults(EVERY_KIND, function(seed)
        seen[workers.attack(run, seed)] = true
        if seed % 10 == 0 then workers.serve_a_good_one(seed) end
      end))
      for _, kind in ipairs { "ok", "error", "timeout", "crash", "protocol" } do assert.is_true(seen[kind], kind) end
      sandbox.close()
      uv.fs_rmdir(folder)
    end)
  end)

  it("as a node is refused, or answered with a clean error", function()
    async.run(function()
      local runs = {}
      for i = 1, AT_ONCE do runs[i] = nodes.begin(0.4) end
      assert.same({}, faults(200, function(seed, i) nodes.attack(runs[i], seed) end))
      for _, run in ipairs(runs) do run.close() end
    end)
  end)
end)
