local uv = require "luv"
local beamlens = require "runtime.beamlens"
local chunk_limits = require "runtime.chunk_limits"
local config = require "runtime.config"
local live = require "spec.support.live_node"

local function file(text)
  local path = os.tmpname()
  local out = assert(io.open(path, "w"))
  out:write(text)
  out:close()
  uv.fs_chmod(path, 384)
  return path
end

local function settle(text)
  local path = file(text)
  local options, err = config.settle({ config = path, provider = "script", quiet = true }, function() end)
  os.remove(path)
  return options, err
end

describe("the limits of a chunk", function()
  it("are those of the design where none are set", function()
    assert.same({
      run_s = 2, callback_s = 30, total_s = 60, memory = 64 * 2 ^ 20, callbacks = 64, arguments = 16 * 1024,
      reply = 128 * 1024, result = 64 * 1024, print = 16 * 1024, code = 64 * 1024,
    }, chunk_limits.of(settle("return {}").chunk))
  end)

  it("may be set one by one in the config file", function()
    local limits = chunk_limits.of(settle("return { chunk = { wall_ms = 300, max_calls = 0 } }").chunk)
    assert.same({ 0.3, 0, 65536 }, { limits.run_s, limits.callbacks, limits.result })
  end)

  it("must be within what the processes can keep to", function()
    local _, err = settle "return { chunk = { wall_ms = 60001 } }"
    assert.matches("chunk.wall_ms wants a whole number from 1 to 60000, not 60001", tostring(err), 1, true)
  end)

  it("of the config file hold for what a model runs", live.test(function()
    local at = live.start()
    local script = file [[
      return { { calls = { { name = "execute", args = { code = "beam_get_memory() beam_get_memory() return 1" } } } },
        { text = "that is all" } }]]
    uv.os_setenv("BEAMLENS_SCRIPT", script)
    beamlens.options = settle "return { chunk = { max_calls = 1 } }"
    local said
    local off = beamlens.on("operator.execute_error", function(_, _, metadata) said = metadata.reason end)
    assert(beamlens.operator.run("beam", { node = at.node }))
    off()
    uv.os_unsetenv "BEAMLENS_SCRIPT"
    os.remove(script)
    assert.matches("^more than 1 callbacks in one chunk", said)
    at.stop()
  end))
end)
